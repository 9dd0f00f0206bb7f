/* SPDX-License-Identifier: BSD-2-Clause */
/* mprotect, and what a fault tells its handler. */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "t.h"

static char *volatile mend_page;
static volatile int mend_count;

/* What the last fault's context said. */
static volatile long seen_err, seen_trap, seen_addr, seen_cr2;

/* Says for each page of a region what a read and a write do. */
static void
say_pages(char *p, int n)
{
	int i;

	for (i = 0; i < n; i++) {
		say("%d %s", i, t_try('r', p + i * PAGE));
		say(" %s\n", t_try('w', p + i * PAGE + 1));
	}
}

/* Protecting the middle of a mapping leaves its neighbours writable. */
TEST(partial)
{
	char *p = t_map(7);

	t_fill(p, 7 * PAGE, 1);
	MUST(mprotect(p + 2 * PAGE, 2 * PAGE, PROT_READ));
	MUST(mprotect(p + 5 * PAGE, PAGE, PROT_NONE));
	say_pages(p, 7);
	MUST(mprotect(p, 7 * PAGE, PROT_READ | PROT_WRITE));
	say_pages(p, 7);
	say("%08x\n", t_sum(p, 7 * PAGE));
}

/* Taking write permission away holds for pages already written. */
TEST(after_write)
{
	char *p = t_map(4);

	t_fill(p, 4 * PAGE, 1);
	MUST(mprotect(p, 4 * PAGE, PROT_READ));
	say_pages(p, 4);
	MUST(mprotect(p + PAGE, PAGE, PROT_READ | PROT_WRITE));
	say_pages(p, 4);
	say("%08x\n", t_sum(p, 4 * PAGE));
}

/* PROT_NONE hides the contents and gives them back. */
TEST(none)
{
	char *p = t_map(3);

	t_fill(p, 3 * PAGE, 1);
	MUST(mprotect(p, 3 * PAGE, PROT_NONE));
	say_pages(p, 3);
	MUST(mprotect(p, 3 * PAGE, PROT_READ));
	say("%08x\n", t_sum(p, 3 * PAGE));
}

/* A page of code runs only while it may, and data never does. */
TEST(execute)
{
	static const unsigned char code[] = {0xb8, 42, 0, 0, 0, 0xc3};
	char *p = t_map(2);

	memcpy(p, code, sizeof(code));
	say("%s\n", t_try('x', p));
	MUST(mprotect(p, PAGE, PROT_READ | PROT_EXEC));
	say("%s %d\n", t_try('x', p), ((int (*)(void))(uintptr_t)p)());
	say("%s\n", t_try('w', p));
	MUST(mprotect(p, PAGE, PROT_READ));
	say("%s %s\n", t_try('x', p), t_try('r', p));
	say("%s\n", t_try('x', p + PAGE));
}

/* The code and read-only data of a program cannot be written. */
TEST(text)
{
	static const char rodata[64] = "read only";

	say("%s\n", t_try('w', (char *)(uintptr_t)test_text));
	say("%s\n", t_try('w', (char *)(uintptr_t)rodata));
	say("%s\n", t_try('r', (char *)(uintptr_t)test_text));
}

/* A fault where nothing is, and at the odd ends of the address space. */
TEST(nothing_there)
{
	char *p = t_map(3);

	MUST(munmap(p + PAGE, PAGE));
	say("%s\n", t_try('r', p + PAGE + 123));
	say("%s\n", t_try('w', p + PAGE + 123));
	say("%s\n", t_try('x', p + PAGE));
	say("%s\n", t_try('r', NULL));
	say("%s\n", t_try('w', (char *)8));
	say("%s\n", t_try('r', (char *)0x7ffffffff000));
}

/* Kernel addresses are out of reach, whatever lies there. */
TEST(kernel_address)
{
	static const unsigned long addrs[] = {0xffffffff80000000,
	    0xffffffff80100000, 0xffff800000000000, 0xffffa00000000000,
	    0xfffffffffffff000};
	unsigned int i;

	for (i = 0; i < sizeof(addrs) / sizeof(addrs[0]); i++) {
		say("%.4s ", t_try('R', (char *)addrs[i]));
		say("%.4s\n", t_try('W', (char *)addrs[i]));
	}
}

/* Gives the page back its write permission, so that the store can be redone. */
static void
mend(int sig, siginfo_t *si, void *context)
{
	ucontext_t *uc = context;

	(void)sig;
	mend_count++;
	seen_addr = (char *)si->si_addr - mend_page;
	seen_err = uc->uc_mcontext.gregs[REG_ERR];
	seen_trap = uc->uc_mcontext.gregs[REG_TRAPNO];
	seen_cr2 = (char *)uc->uc_mcontext.gregs[REG_CR2] - mend_page;
	mprotect(mend_page, PAGE, PROT_READ | PROT_WRITE);
}

/* Catches SIGSEGV with mend(). */
static void
catch_segv(void)
{
	struct sigaction sa;

	memset(&sa, 0, sizeof(sa));
	sa.sa_sigaction = mend;
	sa.sa_flags = SA_SIGINFO;
	MUST(sigaction(SIGSEGV, &sa, NULL));
}

/* The store that faulted is done again after the handler mended the page. */
TEST(restart)
{
	volatile char *p = t_map(8);
	int i;

	catch_segv();
	for (i = 0; i < 8; i++) {
		MUST(mprotect((char *)p + i * PAGE, PAGE, PROT_READ));
		mend_page = (char *)p + i * PAGE;
		p[i * PAGE + 10 * i] = i + 1;
		EXPECT(i + 1, p[i * PAGE + 10 * i]);
		say("%d faults, at %ld\n", mend_count, seen_addr);
	}
}

/* The handler's context: trap number, error code and the faulting address. */
TEST(context)
{
	volatile char *p = t_map(2);

	catch_segv();
	mend_page = (char *)p;
	p[0] = 1;
	MUST(mprotect((char *)p, PAGE, PROT_READ));
	p[77] = 2; /* a write to a present page: error code 7 */
	say("trap %ld error %ld at %ld, cr2 %ld\n", seen_trap, seen_err,
	    seen_addr, seen_cr2);
}

/* Bad arguments; a hole in the range is found only behind the first part. */
TEST(errors)
{
	char *p = t_map(6);

	FAILS(EINVAL, syscall(SYS_mprotect, p + 1, PAGE, PROT_READ));
	FAILS(EINVAL, syscall(SYS_mprotect, p, PAGE, 0x10000));
	FAILS(ENOMEM, syscall(SYS_mprotect, p, -PAGE, PROT_READ));
	EXPECT(0, syscall(SYS_mprotect, p, 0L, PROT_READ));
	FAILS(ENOMEM, syscall(SYS_mprotect, 0x7ffffffff000, PAGE, PROT_READ));
	MUST(munmap(p + 3 * PAGE, PAGE));
	FAILS(ENOMEM, mprotect(p + 3 * PAGE, PAGE, PROT_READ));
	FAILS(ENOMEM, mprotect(p + PAGE, 4 * PAGE, PROT_READ));
	say_pages(p, 6);
}

/* A shared mapping of a file opened for reading never becomes writable. */
TEST(readonly_file)
{
	char *p, *q;
	int fd;

	close(t_file("ro", "content", 7));
	fd = MUST(open("ro", O_RDONLY));
	p = (char *)MUST(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0));
	q = (char *)MUST(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0));
	FAILS(EACCES, mprotect(p, PAGE, PROT_READ | PROT_WRITE));
	MUST(mprotect(q, PAGE, PROT_READ | PROT_WRITE));
	q[0] = 'C';
	say("%.7s %.7s\n", p, q);
	MUST(munmap(p, PAGE));
	MUST(munmap(q, PAGE));
	MUST(close(fd));
	MUST(unlink("ro"));
}

/* A hundred changes of one page, each obeyed at once. */
TEST(toggle)
{
	volatile char *p = t_map(3);
	int i, ok = 0;

	catch_segv();
	mend_page = (char *)p + PAGE;
	for (i = 0; i < 100; i++) {
		p[PAGE] = i;
		ok += p[PAGE] == (char)i;
		MUST(mprotect((char *)p + PAGE, PAGE, PROT_READ));
	}
	say("%d right, %d faults\n", ok, mend_count);
}

/* Protection and unprotection leave one map entry, not three. */
TEST(rejoin)
{
	char *p = t_map(9);

	t_fill(p, 9 * PAGE, 1);
	MUST(mprotect(p + 3 * PAGE, 3 * PAGE, PROT_READ));
	if (t_entries(p, p + 9 * PAGE) != -1)
		EXPECT(3, t_entries(p, p + 9 * PAGE));
	MUST(mprotect(p + 3 * PAGE, 3 * PAGE, PROT_READ | PROT_WRITE));
	if (t_entries(p, p + 9 * PAGE) != -1)
		EXPECT(1, t_entries(p, p + 9 * PAGE));
	say("%08x\n", t_sum(p, 9 * PAGE));
}
