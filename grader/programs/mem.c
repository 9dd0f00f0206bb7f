/* SPDX-License-Identifier: BSD-2-Clause */
/* brk, the stack, mremap and mincore. */

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "t.h"

#define RW   (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)

static char altstack[16384];

/* The system call itself: musl's own brk never moves the break. */
static long
raw_brk(long where)
{
	return syscall(SYS_brk, where);
}

/* Growing gives zeroed memory, and the break is where it was asked to be. */
TEST(brk_grow)
{
	long start = raw_brk(0), base = (start + PAGE - 1) & ~(PAGE - 1);

	EXPECT(start, raw_brk(0));
	EXPECT(base + 8 * PAGE, raw_brk(base + 8 * PAGE));
	say("%08x\n", t_sum((char *)base, 8 * PAGE));
	t_fill((char *)base, 8 * PAGE, 1);
	EXPECT(base + 9 * PAGE + 5, raw_brk(base + 9 * PAGE + 5));
	say("%08x %s\n", t_sum((char *)base, 10 * PAGE),
	    t_try('r', (char *)base + 10 * PAGE));
	EXPECT(start, raw_brk(start));
}

/* Shrinking takes the pages away; growing again gives zeroes. */
TEST(brk_shrink)
{
	long base = (raw_brk(0) + PAGE - 1) & ~(PAGE - 1);

	EXPECT(base + 6 * PAGE, raw_brk(base + 6 * PAGE));
	t_fill((char *)base, 6 * PAGE, 1);
	EXPECT(base + 2 * PAGE, raw_brk(base + 2 * PAGE));
	say("%s ", t_try('r', (char *)base + 2 * PAGE - 1));
	say("%s\n", t_try('r', (char *)base + 2 * PAGE));
	EXPECT(base + 6 * PAGE, raw_brk(base + 6 * PAGE));
	say("%08x %08x\n", t_sum((char *)base, 2 * PAGE),
	    t_sum((char *)base + 2 * PAGE, 4 * PAGE));
}

/* What cannot be had leaves the break where it is. */
TEST(brk_refused)
{
	long start = raw_brk(0), base = (start + PAGE - 1) & ~(PAGE - 1);
	char *wall;

	EXPECT(start, raw_brk(1));
	EXPECT(start, raw_brk(-1));
	EXPECT(start, raw_brk(1L << 47));
	wall = (char *)MUST(
	    mmap((char *)base + 4 * PAGE, PAGE, RW, ANON | MAP_FIXED, -1, 0));
	wall[0] = 1;
	EXPECT(start, raw_brk(base + 6 * PAGE));
	EXPECT(1, wall[0]);
	say("done\n");
}

/* The heap is copied at fork like any other memory. */
TEST(brk_fork)
{
	long base = (raw_brk(0) + PAGE - 1) & ~(PAGE - 1);
	pid_t pid;

	EXPECT(base + 4 * PAGE, raw_brk(base + 4 * PAGE));
	t_fill((char *)base, 4 * PAGE, 1);
	pid = t_fork();
	if (pid == 0) {
		EXPECT(base + 6 * PAGE, raw_brk(base + 6 * PAGE));
		t_fill((char *)base + 3 * PAGE, 3 * PAGE, 2);
		say("child %08x\n", t_sum((char *)base, 6 * PAGE));
		t_exit();
	}
	t_reap(pid);
	EXPECT(base + 4 * PAGE, raw_brk(0));
	say("parent %08x\n", t_sum((char *)base, 4 * PAGE));
}

/* Uses the stack, a page and a bit a call, and sums what it wrote there. */
static __attribute__((noinline)) int
deep(int n)
{
	volatile char room[4100];
	int below;

	room[0] = n;
	room[4099] = n >> 8;
	below = n > 0 ? deep(n - 1) : 0;
	return below + (unsigned char)room[0] + (unsigned char)room[4099];
}

/* Two megabytes of stack, a page at a time. */
TEST(stack_grows)
{
	say("%d\n", deep(500));
	say("%d\n", deep(500));
}

/* One step of half a megabyte below everything used so far. */
TEST(stack_leap)
{
	volatile char room[512 * 1024];

	room[0] = 1;
	room[sizeof(room) - 1] = 2;
	say("%d %d %d\n", room[0], room[100000], room[sizeof(room) - 1]);
}

/* Never returns; the store behind the call keeps it from being a jump. */
static __attribute__((noinline)) void
forever(volatile int *depth)
{
	volatile char room[1000];

	room[0] = *depth;
	++*depth;
	if (*depth > 0)
		forever(depth);
	room[1] = room[0];
}

/* A stack without end ends by SIGSEGV. */
TEST(stack_overflow)
{
	volatile int depth = 0;
	pid_t pid;

	pid = t_fork();
	if (pid == 0) {
		forever(&depth);
		_exit(0);
	}
	say("%s\n", t_status(t_wait(pid)));
}

/* Runs on the alternate stack once the other is full. */
static void
full(int sig, siginfo_t *si, void *uc)
{
	char here;

	(void)uc;
	(void)si;
	say("signal %d on the alternate stack: %d\n", sig,
	    &here >= altstack && &here < altstack + sizeof(altstack));
	_exit(17);
}

/* The overflow can be handled on an alternate stack. */
TEST(stack_altstack)
{
	volatile int depth = 0;
	struct sigaction sa;
	stack_t ss;
	pid_t pid;

	pid = t_fork();
	if (pid == 0) {
		memset(&ss, 0, sizeof(ss));
		ss.ss_sp = altstack;
		ss.ss_size = sizeof(altstack);
		MUST(sigaltstack(&ss, NULL));
		memset(&sa, 0, sizeof(sa));
		sa.sa_sigaction = full;
		sa.sa_flags = SA_SIGINFO | SA_ONSTACK;
		MUST(sigaction(SIGSEGV, &sa, NULL));
		forever(&depth);
		_exit(0);
	}
	say("%s\n", t_status(t_wait(pid)));
}

/* The stack that a child grew is not the parent's. */
TEST(stack_fork)
{
	volatile char room[8 * PAGE];
	pid_t pid;

	t_fill((char *)room, sizeof(room), 1);
	pid = t_fork();
	if (pid == 0) {
		say("child %d\n", deep(100));
		t_fill((char *)room, sizeof(room), 2);
		t_exit();
	}
	t_reap(pid);
	say("parent %d %08x\n", deep(50), t_sum((char *)room, sizeof(room)));
}

/* Growing in place works where there is room, and fails where there is not. */
TEST(mremap_in_place)
{
	char *p = t_map(8);

	t_fill(p, 8 * PAGE, 1);
	MUST(munmap(p + 3 * PAGE, 3 * PAGE));
	EXPECT((long)p, mremap(p, 3 * PAGE, 6 * PAGE, 0));
	say("%08x %08x\n", t_sum(p, 3 * PAGE), t_sum(p + 3 * PAGE, 3 * PAGE));
	FAILS(ENOMEM, (long)mremap(p, 6 * PAGE, 7 * PAGE, 0));
	say("%08x\n", t_sum(p + 6 * PAGE, 2 * PAGE));
}

/* Moving takes the contents along and leaves nothing behind. */
TEST(mremap_move)
{
	char *p = t_map(6), *q;

	t_fill(p, 6 * PAGE, 1);
	q = (char *)MUST(mremap(p + PAGE, 3 * PAGE, 9 * PAGE, MREMAP_MAYMOVE));
	EXPECT(1, q != p + PAGE);
	say("%08x %08x\n", t_sum(q, 3 * PAGE), t_sum(q + 3 * PAGE, 6 * PAGE));
	say("%s ", t_try('r', p));
	say("%s ", t_try('r', p + PAGE));
	say("%s\n", t_try('r', p + 4 * PAGE));
}

/* Shrinking cuts the tail off. */
TEST(mremap_shrink)
{
	char *p = t_map(6);

	t_fill(p, 6 * PAGE, 1);
	EXPECT((long)p, mremap(p, 6 * PAGE, 2 * PAGE, 0));
	say("%08x %s\n", t_sum(p, 2 * PAGE), t_try('r', p + 2 * PAGE));
	EXPECT((long)p, mremap(p, 2 * PAGE, 2 * PAGE, 0));
}

/* MREMAP_FIXED puts it over whatever was there. */
TEST(mremap_fixed)
{
	char *p = t_map(4), *q = t_map(4);

	t_fill(p, 4 * PAGE, 1);
	t_fill(q, 4 * PAGE, 2);
	EXPECT((long)q + PAGE,
	    mremap(p, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
		q + PAGE));
	say("%08x %08x %08x %s\n", t_sum(q, PAGE), t_sum(q + PAGE, 2 * PAGE),
	    t_sum(q + 3 * PAGE, PAGE), t_try('r', p));
}

/* Memory shared copy-on-write with a child moves without being disturbed. */
TEST(mremap_cow)
{
	char *p = t_map(4), *q;
	struct gate g;
	pid_t pid;

	gate_init(&g);
	t_fill(p, 4 * PAGE, 1);
	pid = t_fork();
	if (pid == 0) {
		gate_wait(&g);
		say("child %08x\n", t_sum(p, 4 * PAGE));
		t_exit();
	}
	q = (char *)MUST(mremap(p, 4 * PAGE, 20 * PAGE, MREMAP_MAYMOVE));
	q[PAGE] = 1;
	gate_open(&g);
	t_reap(pid);
	say("parent %08x\n", t_sum(q, 20 * PAGE));
}

/* What Linux refuses. */
TEST(mremap_errors)
{
	char *p = t_map(4), *q = t_map(4);
	int both = MREMAP_MAYMOVE | MREMAP_FIXED;

	FAILS(EINVAL, (long)mremap(p + 1, PAGE, 2 * PAGE, 0));
	FAILS(EINVAL, (long)mremap(p, PAGE, 0, 0));
	FAILS(EINVAL, (long)mremap(p, PAGE, 2 * PAGE, 0x80));
	FAILS(EINVAL, (long)mremap(p, PAGE, PAGE, MREMAP_FIXED, q));
	FAILS(EINVAL, (long)mremap(p, PAGE, PAGE, both, q + 1));
	FAILS(EINVAL, (long)mremap(p, 2 * PAGE, 2 * PAGE, both, p + PAGE));
	MUST(munmap(q, 4 * PAGE));
	FAILS(EFAULT, (long)mremap(q, PAGE, 2 * PAGE, MREMAP_MAYMOVE));
	say("%08x\n", t_sum(p, 4 * PAGE));
}

/* Says which pages are resident. */
static void
say_core(char *p, int n)
{
	unsigned char vec[32];
	int i;

	MUST(mincore(p, n * PAGE, vec));
	for (i = 0; i < n; i++)
		say("%d", vec[i] & 1);
	say("\n");
}

/* Only what was touched is resident. */
TEST(mincore)
{
	char *p = t_map(8);

	say_core(p, 8);
	p[0] = 1;
	p[3 * PAGE] = 1;
	say_core(p, 8);
	t_fill(p, 8 * PAGE, 1);
	say_core(p, 8);
	MUST(madvise(p + 2 * PAGE, 3 * PAGE, MADV_DONTNEED));
	say_core(p, 8);
}

/* What mincore refuses. */
TEST(mincore_errors)
{
	unsigned char vec[8];
	char *p = t_map(4);

	FAILS(EINVAL, mincore(p + 1, PAGE, vec));
	FAILS(EFAULT, syscall(SYS_mincore, p, PAGE, 16L));
	EXPECT(0, mincore(p, 0, vec));
	MUST(munmap(p + PAGE, PAGE));
	FAILS(ENOMEM, mincore(p, 3 * PAGE, vec));
	FAILS(ENOMEM, mincore(p + PAGE, PAGE, vec));
	FAILS(ENOMEM, syscall(SYS_mincore, p, 1UL << 62, vec));
	say("done\n");
}

/* What moves can leave its place behind, empty; shared memory can be had at a
 * second place. */
TEST(mremap_keeps)
{
	char *p = t_map(4), *q = t_map(4), *s = t_map_shared(4), *d;

	t_fill(p, 4 * PAGE, 1);
	MUST(mprotect(p + 2 * PAGE, PAGE, PROT_READ));
	EXPECT(q,
	    mremap(p, 2 * PAGE, 2 * PAGE,
		MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP, q));
	say("%08x %08x %08x\n", t_sum(p, 2 * PAGE), t_sum(p + 2 * PAGE, PAGE),
	    t_sum(q, 2 * PAGE));
	say("%s\n", t_try('w', p));
	t_fill(s, 4 * PAGE, 2);
	d = mremap(s + PAGE, 0, 2 * PAGE, MREMAP_MAYMOVE);
	EXPECT(0, d == MAP_FAILED);
	say("%08x\n", t_sum(d, 2 * PAGE));
	d[5] = 77;
	EXPECT(77, s[PAGE + 5]);
	MUST(munmap(s, 4 * PAGE));
	EXPECT(77, d[5]);
	EXPECT(q + PAGE,
	    mremap(p + 2 * PAGE, 2 * PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
		q + PAGE));
	say("%s %s %s\n", t_try('r', p + 2 * PAGE), t_try('r', p + 3 * PAGE),
	    t_try('w', q + PAGE));
}

/* A mapping that grows downward, like the stack, and is changed as a whole. */
TEST(grows_down)
{
	char *room = t_map(600), *top = room + 600 * PAGE, *p;

	MUST(munmap(room, 600 * PAGE));
	p = (char *)MUST(mmap(top - 2 * PAGE, 2 * PAGE, RW,
	    ANON | MAP_FIXED | MAP_GROWSDOWN, -1, 0));
	t_fill(p, 2 * PAGE, 1);
	for (long i = 3; i <= 20; i++)
		top[-i * PAGE] = (char)i;
	for (long i = 3; i <= 20; i++)
		EXPECT(i, top[-i * PAGE]);
	say("%08x\n", t_sum(p, 2 * PAGE));
	MUST(mprotect(top - PAGE, PAGE, PROT_READ | PROT_GROWSDOWN));
	say("%s %s %s\n", t_try('w', top - 20 * PAGE), t_try('w', top - 1),
	    t_try('r', top - 20 * PAGE));
	FAILS(EINVAL, mprotect(t_map(1), PAGE, PROT_READ | PROT_GROWSDOWN));
}
