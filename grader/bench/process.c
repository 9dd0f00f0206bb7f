/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rows: processes, and whole scenarios of them.
 */
#include <elf.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

#define ROUNDS 20
#define WARM   2 /* rounds before, not counted */

#define VFORK 1
#define EXEC  2

/* A child by fork or vfork, which exits or becomes the smallest program. */
static __attribute__((noinline)) void
child(int by_vfork, int exec)
{
	static char name[] = "tiny";
	static char *const argv[] = {name, NULL}, *const envp[] = {NULL};
	pid_t pid = by_vfork ? vfork() : fork();

	if (pid == 0) {
		if (exec)
			execve(name, argv, envp);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
}

/* fork, exit, wait, with so many touched pages of the parent's. */
static void
fork_wait(long pages)
{
	char *p = map_private(pages + 1);

	for (int i = 0; i < ROUNDS + WARM; i++) {
		if (i == WARM)
			row_begin();
		touch(p, pages, 1);
		TIMED(child(0, 0));
		if (i < WARM)
			row_forget();
	}
	row_end();
	munmap(p, (size_t)((pages + 1) * PAGE));
}

/* arg: pages the parent has, times 65536, and pages the child writes. */
static void
scenario(long arg)
{
	long has = arg >> 16, writes = arg & 0xffff;
	char *p = map_private(has);
	pid_t pid;

	touch(p, has, 1);
	row_begin();
	for (int i = 0; i < 5; i++) {
		TIMED({
			if ((pid = fork()) == 0) {
				touch(p, writes, 1);
				_exit(0);
			}
			waitpid(pid, NULL, 0);
		});
	}
	row_end();
	munmap(p, (size_t)(has * PAGE));
}

/* The smallest program there is: it exits. */
static void
make_tiny(void)
{
	static const unsigned char code[] = {
	    0xb8, 60, 0, 0, 0, /* mov $60 (exit), %eax */
	    0x31, 0xff,	       /* xor %edi, %edi */
	    0x0f, 0x05,	       /* syscall */
	};
	struct {
		Elf64_Ehdr eh;
		Elf64_Phdr ph;
		unsigned char code[280];
	} file = {
	    .eh = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB,
		       EV_CURRENT},
		.e_type = ET_EXEC,
		.e_machine = EM_X86_64,
		.e_version = EV_CURRENT,
		.e_entry = 0x400000 + sizeof(Elf64_Ehdr) + sizeof(Elf64_Phdr),
		.e_phoff = sizeof(Elf64_Ehdr),
		.e_ehsize = sizeof(Elf64_Ehdr),
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = 1},
	    .ph = {.p_type = PT_LOAD,
		.p_flags = PF_R | PF_X,
		.p_vaddr = 0x400000,
		.p_filesz = sizeof(file),
		.p_memsz = sizeof(file),
		.p_align = PAGE},
	};
	int fd;

	memcpy(file.code, code, sizeof(code));
	fd = (int)MUST(open("tiny", O_WRONLY | O_CREAT | O_TRUNC, 0700));
	MUST(write(fd, &file, sizeof(file)));
	close(fd);
}

/* The same, children made or started in other ways. */
static void
spawn(long how)
{
	if (how & EXEC)
		make_tiny();
	for (int i = 0; i < ROUNDS + WARM; i++) {
		if (i == WARM)
			row_begin();
		TIMED(child(how & VFORK, how & EXEC));
		if (i < WARM)
			row_forget();
	}
	row_end();
	if (how & EXEC)
		unlink("tiny");
}

/* A byte to another process and back. */
static void
pipe_round(long arg)
{
	int to[2], from[2];
	char c = 'x';
	pid_t pid;

	(void)arg;
	MUST(pipe(to));
	MUST(pipe(from));
	pid = (pid_t)MUST(fork());
	if (pid == 0) {
		close(to[1]);
		while (read(to[0], &c, 1) == 1)
			if (write(from[1], &c, 1) != 1)
				break;
		_exit(0);
	}
	close(to[0]);
	for (int i = 0; i < 10; i++) {
		MUST(write(to[1], &c, 1));
		MUST(read(from[0], &c, 1));
	}
	row_begin();
	for (int i = 0; i < 500; i++)
		TIMED({
			MUST(write(to[1], &c, 1));
			MUST(read(from[0], &c, 1));
		});
	row_end();
	close(to[1]);
	close(from[0]);
	close(from[1]);
	reap(pid);
}

#define FAMILY(has, writes)                                      \
	USUAL, "family", scenario, (long)(has) << 16 | (writes), \
	    "fork, child writes " #writes " of " #has " pages, exit, wait", 0

const struct row bench_process[] = {
    {"fork", USUAL, "child", fork_wait, 0, "fork + exit + wait", 0},
    {"fork_256", USUAL, "child", fork_wait, 256,
	"fork + exit + wait, 256 touched pages", 0},
    {"vfork", USUAL, "child", spawn, VFORK, "vfork + exit + wait", 0},
    {"fork_exec", USUAL, "child", spawn, EXEC,
	"fork + execve + exit + wait, 400-byte ELF", 0},
    {"vfork_exec", USUAL, "child", spawn, VFORK | EXEC,
	"vfork + execve + exit + wait, 400-byte ELF", 0},
    {"family_0_1024", FAMILY(1024, 0)},
    {"family_16_1024", FAMILY(1024, 16)},
    {"family_64_1024", FAMILY(1024, 64)},
    {"family_256_1024", FAMILY(1024, 256)},
    {"family_1024_1024", FAMILY(1024, 1024)},
    {"family_4096", FAMILY(4096, 4096)},
    {"pipe", USUAL, "round", pipe_round, 0, "pipe round trip", 0},
    {0},
};
