/* SPDX-License-Identifier: BSD-2-Clause */
/* Copy on write: who sees whose writes after a fork, at every chain depth. */

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include "t.h"

#define NPAGES 16

static char data_page[2 * PAGE] = {1}; /* in .data */
static char bss_page[2 * PAGE];	       /* in .bss */

#define HALF	(PAGE / 2)
#define NHALVES (2 * NPAGES)

/* The halves of a region's pages must be these: own[i] is half i's seed. */
static void
expect_halves(char *p, const uint32_t *own, const char *who, int gen)
{
	char want[HALF];
	int i;

	for (i = 0; i < NHALVES; i++) {
		t_fill(want, HALF, own[i]);
		if (memcmp(want, p + i * HALF, HALF) != 0) {
			say("%s %d: page %d, half %d is not its own\n", who,
			    gen, i / 2, i % 2);
			t_fails++;
		}
	}
}

/* Writes the first half of a page; a copy has to bring the second. */
static void
write_half(char *p, uint32_t *own, int page, uint32_t seed)
{
	t_fill(p + page * PAGE, HALF, seed);
	own[2 * page] = seed;
}

/*
 * Generation `gen` of a line of processes, of which the last writes page 0.
 * Every other one has written a page of its own, so that each fork puts one
 * more object on the chain and page 0 lies t_arg objects down for the writer.
 */
static void
generation(char *p, uint32_t *own, int gen)
{
	long depth;
	pid_t pid;

	if (gen > 0 && gen < t_arg)
		write_half(p, own, gen, 100 + gen);
	if (gen == t_arg) {
		expect_halves(p, own, "before the write, generation", gen);
		write_half(p, own, 0, 100 + gen);
		depth = t_depth(0, p);
		if (depth != -1)
			EXPECT(t_arg, depth);
	} else {
		pid = t_fork();
		if (pid == 0) {
			generation(p, own, gen + 1);
			t_exit();
		}
		t_reap(pid);
	}
	expect_halves(p, own, "generation", gen);
	say("generation %d: page 0 is %08x, all are %08x\n", gen,
	    t_sum(p, PAGE), t_sum(p, NPAGES * PAGE));
	/* On the way back every ancestor writes what its children had seen. */
	write_half(p, own, 0, 200 + gen);
	expect_halves(p, own, "after its write, generation", gen);
}

/* A write N objects down brings the rest of the page and nobody else sees it. */
TEST(depth)
{
	uint32_t own[NHALVES];
	char *p;
	int i;

	p = t_map(NPAGES);
	for (i = 0; i < NHALVES; i++) {
		own[i] = i + 1;
		t_fill(p + i * HALF, HALF, own[i]);
	}
	generation(p, own, 0);
}

/* The parent's write after the fork is not seen by the child. */
TEST(parent_writes)
{
	struct gate g;
	char *p = t_map(4);
	uint32_t before;
	pid_t pid;

	gate_init(&g);
	t_fill(p, 4 * PAGE, 1);
	before = t_sum(p, 4 * PAGE);
	pid = t_fork();
	if (pid == 0) {
		gate_wait(&g);
		EXPECT(before, t_sum(p, 4 * PAGE));
		say("child sees %08x\n", t_sum(p, 4 * PAGE));
		t_exit();
	}
	t_fill(p, 4 * PAGE, 2);
	gate_open(&g);
	t_reap(pid);
	say("parent sees %08x\n", t_sum(p, 4 * PAGE));
}

/* Eight children of one parent each write the same page; none sees another. */
TEST(siblings)
{
	struct gate go[8], up;
	char *p = t_map(3);
	pid_t pid[8];
	int i;

	gate_init(&up);
	t_fill(p, 3 * PAGE, 7);
	for (i = 0; i < 8; i++) {
		gate_init(&go[i]);
		pid[i] = t_fork();
		if (pid[i] == 0) {
			t_fill(p + PAGE, PAGE, 50 + i);
			gate_open(&up);
			gate_wait(&go[i]);
			say("child %d: %08x\n", i, t_sum(p, 3 * PAGE));
			t_exit();
		}
		gate_wait(&up);
	}
	for (i = 0; i < 8; i++) {
		gate_open(&go[i]);
		t_reap(pid[i]);
	}
	say("parent: %08x\n", t_sum(p, 3 * PAGE));
}

/* After the child is gone the parent writes where it stood, at depth 0. */
TEST(after_exit)
{
	char *p = t_map(8);
	long depth;
	pid_t pid;
	int i;

	for (i = 0; i < 5; i++) {
		t_fill(p, 8 * PAGE, i);
		pid = t_fork();
		if (pid == 0) {
			t_fill(p + PAGE, PAGE, 90 + i);
			t_exit();
		}
		t_reap(pid);
		t_fill(p + 2 * PAGE, PAGE, 60 + i);
		say("round %d: %08x\n", i, t_sum(p, 8 * PAGE));
		depth = t_depth(0, p);
		if (depth != -1)
			EXPECT(0, depth);
	}
}

/* One byte written copies the page: the other 4095 stay. */
TEST(one_byte)
{
	char *p = t_map(1);
	pid_t pid;
	int i;

	t_fill(p, PAGE, 3);
	for (i = 0; i < PAGE; i += 511) {
		pid = t_fork();
		if (pid == 0) {
			p[i] ^= 0xff;
			say("child at %d: %08x\n", i, t_sum(p, PAGE));
			t_exit();
		}
		t_reap(pid);
	}
	say("parent: %08x\n", t_sum(p, PAGE));
}

/* The kernel's own store, for read(2), breaks the sharing as well. */
TEST(kernel_store)
{
	char *p = t_map(3), want[100];
	pid_t pid;
	int fd[2];

	t_fill(p, 3 * PAGE, 4);
	t_fill(want, sizeof(want), 5);
	MUST(pipe(fd));
	EXPECT(sizeof(want), write(fd[1], want, sizeof(want)));
	pid = t_fork();
	if (pid == 0) {
		/* across the border of two pages */
		EXPECT(sizeof(want), read(fd[0], p + PAGE - 50, sizeof(want)));
		EXPECT(0, memcmp(want, p + PAGE - 50, sizeof(want)));
		say("child: %08x\n", t_sum(p, 3 * PAGE));
		t_exit();
	}
	t_reap(pid);
	say("parent: %08x\n", t_sum(p, 3 * PAGE));
}

/* A child's writes to .data, .bss and the stack are its own. */
TEST(segments)
{
	volatile char stack[2 * PAGE];
	pid_t pid;

	t_fill((char *)stack, sizeof(stack), 1);
	t_fill(data_page, sizeof(data_page), 2);
	t_fill(bss_page, sizeof(bss_page), 3);
	pid = t_fork();
	if (pid == 0) {
		t_fill((char *)stack, sizeof(stack), 4);
		t_fill(data_page, sizeof(data_page), 5);
		t_fill(bss_page, sizeof(bss_page), 6);
		say("child: %08x %08x %08x\n",
		    t_sum((char *)stack, sizeof(stack)),
		    t_sum(data_page, sizeof(data_page)),
		    t_sum(bss_page, sizeof(bss_page)));
		t_exit();
	}
	t_reap(pid);
	say("parent: %08x %08x %08x\n", t_sum((char *)stack, sizeof(stack)),
	    t_sum(data_page, sizeof(data_page)),
	    t_sum(bss_page, sizeof(bss_page)));
}

/* A page that nobody had touched at the fork is zero for both, then private. */
TEST(zero_page)
{
	char *p = t_map(2);
	pid_t pid;

	pid = t_fork();
	if (pid == 0) {
		EXPECT(0, p[0]);
		p[0] = 1;
		p[PAGE] = 2;
		t_exit();
	}
	t_reap(pid);
	EXPECT(0, p[0]);
	EXPECT(0, p[PAGE]);
	say("%08x\n", t_sum(p, 2 * PAGE));
}

/* The middle generation goes first: its child and its parent keep theirs. */
TEST(middle_exits)
{
	struct gate go, ready;
	char *p = t_map(6);
	pid_t pid, kid;

	gate_init(&go);
	gate_init(&ready);
	t_fill(p, 6 * PAGE, 1);
	pid = t_fork();
	if (pid == 0) {
		t_fill(p + PAGE, PAGE, 2);
		kid = t_fork();
		if (kid == 0) {
			t_fill(p + 2 * PAGE, PAGE, 3);
			gate_wait(&go);
			say("grandchild: %08x\n", t_sum(p, 6 * PAGE));
			t_fill(p + 3 * PAGE, PAGE, 4);
			say("grandchild: %08x\n", t_sum(p, 6 * PAGE));
			gate_open(&ready);
			t_exit();
		}
		t_exit();
	}
	t_reap(pid);
	t_fill(p + 4 * PAGE, PAGE, 5);
	gate_open(&go);
	gate_wait(&ready);
	say("parent: %08x\n", t_sum(p, 6 * PAGE));
}

/* Memory made read-only before the fork and writable after it stays private. */
TEST(protect_after_fork)
{
	char *p = t_map(3);
	pid_t pid;

	t_fill(p, 3 * PAGE, 1);
	MUST(mprotect(p, 3 * PAGE, PROT_READ));
	pid = t_fork();
	if (pid == 0) {
		MUST(mprotect(p, 3 * PAGE, PROT_READ | PROT_WRITE));
		t_fill(p + PAGE, PAGE, 2);
		say("child: %08x\n", t_sum(p, 3 * PAGE));
		t_exit();
	}
	t_reap(pid);
	EXPECT(0, strcmp("SEGV_ACCERR", t_try('w', p)));
	say("parent: %08x\n", t_sum(p, 3 * PAGE));
	MUST(mprotect(p, 3 * PAGE, PROT_READ | PROT_WRITE));
	t_fill(p, PAGE, 3);
	say("parent: %08x\n", t_sum(p, 3 * PAGE));
}

/* Parts of one mapping, unmapped or protected before a fork, fork as parts. */
TEST(clipped)
{
	char *p = t_map(9);
	pid_t pid;
	int i;

	t_fill(p, 9 * PAGE, 1);
	MUST(munmap(p + 2 * PAGE, PAGE));
	MUST(mprotect(p + 5 * PAGE, PAGE, PROT_READ));
	pid = t_fork();
	if (pid == 0) {
		for (i = 0; i < 9; i++) {
			say("child page %d: %s\n", i, t_try('w', p + i * PAGE));
			if (i != 2)
				say("%08x\n", t_sum(p + i * PAGE, PAGE));
		}
		t_exit();
	}
	t_reap(pid);
	for (i = 0; i < 9; i++) {
		say("parent page %d: %s\n", i, t_try('r', p + i * PAGE));
		if (i != 2)
			say("%08x\n", t_sum(p + i * PAGE, PAGE));
	}
}

/* Do count pages from p on still hold what t_fill with seed, seed + 1... put
 * there, but for the pages of a list that ends with -1? */
static void
expect_pages(const char *p, int count, uint32_t seed, const int *but)
{
	char want[PAGE];
	int i;

	for (i = 0; i < count; i++) {
		t_fill(want, PAGE, i == *but ? 99 : seed + i);
		if (memcmp(want, p + i * PAGE, PAGE) != 0) {
			say("page %d is not its own\n", i);
			t_fails++;
		}
		but += i == *but;
	}
}

/* Maps 16 pages, fills them with seed 1 and on, and forks a child that keeps
 * them until the gate opens; cuts them in three, pages 0-2, 4-9, 11-15, and
 * writes page 6. So the middle, at its return value, gets an object that shows
 * the old one from page 4 on. */
static char *
middle(struct gate *go, pid_t *pid)
{
	static const int none[] = {-1};
	char *p = t_map(16);
	int i;

	for (i = 0; i < 16; i++)
		t_fill(p + i * PAGE, PAGE, 1 + i);
	gate_init(go);
	*pid = t_fork();
	if (*pid == 0) {
		gate_wait(go);
		expect_pages(p, 16, 1, none);
		t_exit();
	}
	MUST(munmap(p + 3 * PAGE, PAGE));
	MUST(munmap(p + 10 * PAGE, PAGE));
	p[0] = p[11 * PAGE] = 0;
	t_fill(p + 6 * PAGE, PAGE, 99);
	return p + 4 * PAGE;
}

/* A piece of an object becomes the only one that shows it, and takes it in:
 * each page has to come to its place in the piece. */
TEST(offset_collapse)
{
	static const int but[] = {2, -1};
	struct gate go;
	char *p;
	pid_t pid;

	p = middle(&go, &pid);
	gate_open(&go);
	t_reap(pid);
	MUST(munmap(p - 4 * PAGE, 3 * PAGE));
	MUST(munmap(p + 7 * PAGE, 5 * PAGE));
	expect_pages(p, 6, 5, but);
	t_fill(p + 2 * PAGE, PAGE, 7);
	say("%08x\n", t_sum(p, 6 * PAGE));
}

/* The same where the piece lies between two others: who takes it in, or steps
 * around it, shows what is below at the same place. */
static void
through_the_middle(int last)
{
	static const int but[] = {2, 3, -1}, here[] = {2, -1};
	struct gate go, next, done;
	pid_t pid, kid;
	char *p;

	p = middle(&go, &pid);
	gate_init(&next);
	gate_init(&done);
	kid = t_fork();
	if (kid == 0) {
		t_fill(p + last * PAGE, PAGE, 99);
		gate_open(&done);
		gate_wait(&next);
		/* A fork looks for what can be shortened. */
		pid = t_fork();
		if (pid == 0)
			t_exit();
		t_reap(pid);
		expect_pages(p, 6, 5, last == 3 ? but : here);
		say("child: %08x\n", t_sum(p, 6 * PAGE));
		t_exit();
	}
	gate_wait(&done);
	if (last == 3) {
		say("parent: %08x\n", t_sum(p, 6 * PAGE));
		MUST(munmap(p, 6 * PAGE));
	}
	gate_open(&next);
	t_reap(kid);
	gate_open(&go);
	t_reap(pid);
}

TEST(offset_taken_in)
{
	through_the_middle(3);
}

TEST(offset_stepped_around)
{
	through_the_middle(2);
}

/* A store by process_vm_writev(2), which maps nothing: who had the page mapped sees
 * what it wrote, the child does not. */
TEST(foreign_store)
{
	char text[] = "over the edge", *p = t_map(2);
	struct iovec local = {text, sizeof(text)};
	struct iovec remote = {p + PAGE - 4, sizeof(text)};
	struct gate go;
	pid_t pid;

	t_fill(p, 2 * PAGE, 1);
	gate_init(&go);
	pid = t_fork();
	if (pid == 0) {
		gate_wait(&go);
		say("child: %08x\n", t_sum(p, 2 * PAGE));
		t_exit();
	}
	EXPECT(sizeof(text),
	    process_vm_writev(getpid(), &local, 1, &remote, 1, 0));
	say("parent: %s, %08x\n", p + PAGE - 4, t_sum(p, 2 * PAGE));
	gate_open(&go);
	t_reap(pid);
}

/* A hundred forks in a row, each child writing, leave nothing on the parent. */
TEST(hundred)
{
	char *p = t_map(4);
	long depth;
	pid_t pid;
	int i;

	t_fill(p, 4 * PAGE, 1);
	for (i = 0; i < 100; i++) {
		pid = t_fork();
		if (pid == 0) {
			p[i] = 1;
			p[PAGE + i] = 2;
			t_exit();
		}
		t_reap(pid);
		p[3 * PAGE + i] = i;
	}
	say("%08x\n", t_sum(p, 4 * PAGE));
	depth = t_depth(0, p);
	if (depth != -1)
		EXPECT(0, depth);
}
