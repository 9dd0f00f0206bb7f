/* SPDX-License-Identifier: BSD-2-Clause */
/* execve: what the new program gets, and which files are no programs. */

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "t.h"

#define SELF "/tests/exec"

/* Runs this program again, for one of the tests below, and says how it ended. */
static void
run(const char *test, char *const envp[])
{
	char *argv[] = {"exec", (char *)(uintptr_t)test, NULL};
	pid_t pid;

	pid = t_fork();
	if (pid == 0) {
		MUST(execve(SELF, argv, envp));
		_exit(9);
	}
	say("%s\n", t_status(t_wait(pid)));
}

/* Prints the environment and what the kernel put behind it. */
TEST(show)
{
	char **p;

	for (p = environ; *p != NULL; p++)
		say("[%s]\n", *p);
	say("page %ld, secure %ld, entry %d, random %d\n",
	    (long)getauxval(AT_PAGESZ), (long)getauxval(AT_SECURE),
	    getauxval(AT_ENTRY) != 0, getauxval(AT_RANDOM) != 0);
	say("stack aligned %d\n",
	    ((uintptr_t)__builtin_frame_address(0) & 15) == 0);
}

/* Arguments and environment arrive as they were given. */
TEST(arguments)
{
	char *envp[] = {"A=1", "EMPTY=", "B=two words", NULL};
	char *none[] = {NULL};

	run("show", envp);
	run("show", none);
	run("no_such_test", none);
}

/* A big environment: a hundred strings of a thousand bytes. */
TEST(big_environment)
{
	static char text[100][1001];
	char *envp[101];
	int i;

	for (i = 0; i < 100; i++) {
		memset(text[i], 'a' + i % 26, 1000);
		memcpy(text[i], "V=", 2);
		envp[i] = text[i];
	}
	envp[100] = NULL;
	run("count", envp);
}

/* Counts the environment. */
TEST(count)
{
	long n = 0, bytes = 0;
	char **p;

	for (p = environ; *p != NULL; p++) {
		n++;
		bytes += strlen(*p);
	}
	say("%ld strings, %ld bytes\n", n, bytes);
}

/* What the new program finds of the old one: nothing of its memory. */
TEST(fresh)
{
	char place[40], *envp[] = {place, NULL}, *p;

	p = t_map(1);
	p[0] = 'x';
	sprintf(place, "P=%lx", (unsigned long)p);
	run("look", envp);
	say("%c\n", p[0]);
}

static int data = 11;
static int bss[5000];

/* Its data is initialised, its bss is zero, the old mapping is gone. */
TEST(look)
{
	unsigned char vec;
	unsigned int i;
	int sum = 0;
	char *p;

	p = (char *)strtoul(getenv("P"), NULL, 16);
	for (i = 0; i < sizeof(bss) / sizeof(bss[0]); i++)
		sum |= bss[i];
	FAILS(ENOMEM, mincore(p, PAGE, &vec));
	say("data %d, bss %d\n", data, sum);
	data = 12;
	bss[4999] = 1;
}

/* A handler that the new program must not inherit. */
static void
caught(int sig)
{
	(void)sig;
}

/* Handlers go back to the default, what is ignored stays so; so does the mask. */
TEST(signals)
{
	char *none[] = {NULL};
	sigset_t set;

	signal(SIGUSR1, caught);
	signal(SIGUSR2, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	run("signals_seen", none);
}

/* What the program of "signals" finds. */
TEST(signals_seen)
{
	struct sigaction a, b;
	sigset_t set;

	MUST(sigaction(SIGUSR1, NULL, &a));
	MUST(sigaction(SIGUSR2, NULL, &b));
	sigprocmask(SIG_BLOCK, NULL, &set);
	say("default %d, ignored %d, blocked %d\n", a.sa_handler == SIG_DFL,
	    b.sa_handler == SIG_IGN, sigismember(&set, SIGTERM));
}

/* Descriptors stay open unless marked close-on-exec. */
TEST(descriptors)
{
	char *none[] = {NULL};
	int fd[2];

	MUST(pipe(fd));
	MUST(dup2(fd[0], 30));
	MUST(dup2(fd[0], 31));
	MUST(fcntl(31, F_SETFD, FD_CLOEXEC));
	run("descriptors_seen", none);
	MUST(fcntl(31, F_GETFD));
}

/* What the program of "descriptors" finds. */
TEST(descriptors_seen)
{
	EXPECT(0, fcntl(30, F_GETFD));
	FAILS(EBADF, fcntl(31, F_GETFD));
	say("done\n");
}

/* Fifty times through execve, one process. */
TEST(again)
{
	char left[12], *argv[] = {"exec", "again:", NULL};
	char name[24];
	int n = t_extra != NULL ? atoi(t_extra) : 50;

	if (n > 0) {
		snprintf(left, sizeof(left), "%d", n - 1);
		snprintf(name, sizeof(name), "again:%s", left);
		argv[1] = name;
		MUST(execve(SELF, argv, environ));
	}
	say("there\n");
}

/* Writes a file that may be executed, and says why it may not. */
static void
refuse(const char *what, const void *image, size_t len, int mode)
{
	char *argv[] = {"broken", NULL};
	int fd;

	fd = MUST(open("broken", O_RDWR | O_CREAT | O_TRUNC, 0755));
	if (len != 0)
		EXPECT(len, write(fd, image, len));
	MUST(fchmod(fd, mode));
	MUST(close(fd));
	if (execve("broken", argv, environ) == -1)
		say("%s: %s\n", what, t_errname(errno));
	MUST(unlink("broken"));
}

/* An ELF file that would do, to be broken in one place at a time. */
static void
good_elf(char *img)
{
	Elf64_Ehdr *eh = (Elf64_Ehdr *)img;
	Elf64_Phdr *ph = (Elf64_Phdr *)(img + sizeof(*eh));

	memset(img, 0, 4096);
	memcpy(eh->e_ident, ELFMAG, SELFMAG);
	eh->e_ident[EI_CLASS] = ELFCLASS64;
	eh->e_ident[EI_DATA] = ELFDATA2LSB;
	eh->e_ident[EI_VERSION] = EV_CURRENT;
	eh->e_type = ET_EXEC;
	eh->e_machine = EM_X86_64;
	eh->e_version = EV_CURRENT;
	eh->e_entry = 0x400200;
	eh->e_phoff = sizeof(*eh);
	eh->e_ehsize = sizeof(*eh);
	eh->e_phentsize = sizeof(*ph);
	eh->e_phnum = 1;
	ph->p_type = PT_LOAD;
	ph->p_flags = PF_R | PF_X;
	ph->p_vaddr = ph->p_paddr = 0x400000;
	ph->p_filesz = ph->p_memsz = 4096;
	ph->p_align = 4096;
	/* mov $60, %eax; mov $77, %edi; syscall */
	memcpy(img + 0x200, "\xb8\x3c\0\0\0\xbf\x4d\0\0\0\x0f\x05", 12);
}

/* Runs a file with this content and says how it ended. */
static void
run_image(const char *img, size_t len)
{
	char *argv[] = {"good", NULL};
	pid_t pid;
	int fd;

	fd = MUST(open("good", O_RDWR | O_CREAT | O_TRUNC, 0755));
	EXPECT(len, write(fd, img, len));
	MUST(close(fd));
	pid = t_fork();
	if (pid == 0) {
		MUST(execve("good", argv, environ));
		_exit(9);
	}
	say("%s\n", t_status(t_wait(pid)));
	MUST(unlink("good"));
}

/* The untouched ELF file runs. */
TEST(elf_good)
{
	char img[4096];

	good_elf(img);
	run_image(img, sizeof(img));
}

/*
 * What a segment has in memory beyond its bytes in the file is zero, although
 * the page of the file has something else there.
 */
TEST(elf_bss)
{
	static const unsigned char code[] = {0x31, 0xc0, /* xor %eax, %eax */
	    0xbf, 0x00, 0x03, 0x40, 0x00, /* mov $0x400300, %edi */
	    0xb9, 0x00, 0x2d, 0x00, 0x00, /* mov $0x2d00, %ecx */
	    0xf3, 0xae,			  /* repe scasb */
	    0x0f, 0x95, 0xc0,		  /* setne %al */
	    0x0f, 0xb6, 0xf8,		  /* movzbl %al, %edi */
	    0x83, 0xc7, 0x4d,		  /* add $77, %edi */
	    0xb8, 0x3c, 0x00, 0x00, 0x00, /* mov $60, %eax */
	    0x0f, 0x05};		  /* syscall */
	char img[4096];
	Elf64_Ehdr *eh = (Elf64_Ehdr *)img;
	Elf64_Phdr *ph = (Elf64_Phdr *)(img + sizeof(*eh));

	good_elf(img);
	ph->p_flags = PF_R | PF_W | PF_X;
	ph->p_filesz = 0x300;
	ph->p_memsz = 0x3000;
	memcpy(img + 0x200, code, sizeof(code));
	memset(img + 0x300, 0xee, sizeof(img) - 0x300);
	run_image(img, sizeof(img));
}

/* Each way to be no program of this machine. */
TEST(elf_broken)
{
	char img[4096];
	Elf64_Ehdr *eh = (Elf64_Ehdr *)img;

	refuse("empty", "", 0, 0755);
	refuse("text", "just some text\n", 15, 0755);
	good_elf(img);
	refuse("half a header", img, 32, 0755);
	refuse("no program headers in the file", img, 64, 0755);
	eh->e_ident[0] = 'E';
	refuse("bad magic", img, sizeof(img), 0755);
	good_elf(img);
	eh->e_machine = EM_ARM;
	refuse("another machine", img, sizeof(img), 0755);
	good_elf(img);
	eh->e_type = ET_REL;
	refuse("a relocatable file", img, sizeof(img), 0755);
	good_elf(img);
	eh->e_type = ET_CORE;
	refuse("a core file", img, sizeof(img), 0755);
	good_elf(img);
	eh->e_phentsize = 12;
	refuse("odd header size", img, sizeof(img), 0755);
	good_elf(img);
	eh->e_phnum = 0;
	refuse("no segment", img, sizeof(img), 0755);
	good_elf(img);
	eh->e_phoff = 1UL << 40;
	refuse("headers far away", img, sizeof(img), 0755);
	good_elf(img);
	refuse("not executable", img, sizeof(img), 0644);
}

/* Names and pointers that lead nowhere. */
TEST(errors)
{
	char *argv[] = {"x", NULL};
	static char longname[5000];

	memset(longname, 'n', sizeof(longname) - 1);
	FAILS(ENOENT, execve("no-such-file", argv, environ));
	FAILS(ENOENT, execve("", argv, environ));
	FAILS(ENOTDIR, execve("/tests/exec/x", argv, environ));
	FAILS(EACCES, execve("/", argv, environ));
	FAILS(ENAMETOOLONG, execve(longname, argv, environ));
	FAILS(EFAULT, syscall(SYS_execve, 16L, argv, environ));
	FAILS(EFAULT, syscall(SYS_execve, SELF, 16L, environ));
	FAILS(EFAULT, syscall(SYS_execve, SELF, argv, 16L));
	argv[0] = (char *)16;
	FAILS(EFAULT, execve(SELF, argv, environ));
	say("still here\n");
}

/* One argument of more than 128 KiB is too long. */
TEST(too_big)
{
	static char big[140000];
	char *argv[] = {"exec", big, NULL};

	memset(big, 'b', sizeof(big) - 1);
	FAILS(E2BIG, execve(SELF, argv, environ));
	say("still here\n");
}

/* For "busy": tells that it runs, and waits for the end of its input. */
TEST(busy_child)
{
	char c;

	say("x");
	while (read(0, &c, 1) > 0)
		continue;
}

/* The file of a running program is not to be written; later it is. */
TEST(busy)
{
	char *argv[] = {"exec", "busy_child", NULL}, buf[PAGE];
	int from, to, in[2], out[2];
	ssize_t n;
	pid_t pid;

	from = MUST(open(SELF, O_RDONLY));
	to = MUST(open("busy", O_RDWR | O_CREAT | O_TRUNC, 0755));
	while ((n = MUST(read(from, buf, PAGE))) > 0)
		EXPECT(n, write(to, buf, n));
	MUST(close(from));
	MUST(close(to));
	MUST(pipe2(in, O_CLOEXEC));
	MUST(pipe2(out, O_CLOEXEC));
	pid = t_fork();
	if (pid == 0) {
		dup2(in[0], 0);
		dup2(out[1], 1);
		execve("busy", argv, environ);
		_exit(9);
	}
	EXPECT(1, read(out[0], buf, 1));
	FAILS(ETXTBSY, open("busy", O_WRONLY));
	FAILS(ETXTBSY, open("busy", O_RDWR | O_TRUNC));
	FAILS(ETXTBSY, truncate("busy", 10));
	EXPECT(0, access("busy", W_OK));
	MUST(close(MUST(open("busy", O_RDONLY))));
	MUST(close(in[1]));
	MUST(close(in[0]));
	t_reap(pid);
	MUST(truncate("busy", 10));
	MUST(close(MUST(open("busy", O_WRONLY))));
	MUST(unlink("busy"));
	say("done\n");
}
