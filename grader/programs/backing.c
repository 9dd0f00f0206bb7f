/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lab 2, map backings: what stands behind clipped, joined, forked and wired
 * entries, and what a fault costs on its way down.
 */

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "t.h"

#define NPAGES 64
#define OF     3 /* pages that each generation writes */
#define RW     (PROT_READ | PROT_WRITE)

/* Writes pages, one byte each. */
static void
touch(char *p, int from, int n, int value)
{
	int i;

	for (i = from; i < from + n; i++)
		*(volatile char *)(p + i * PAGE) = value;
}

/* The bytes that touch() wrote. */
static void
show(const char *who, const char *p, int n)
{
	int i;

	say("%s:", who);
	for (i = 0; i < n; i++)
		say(" %d", p[i * PAGE]);
	say("\n");
}

/*
 * Goes n generations on, in each of which the child writes three pages, from
 * number 3 * generation on, and lives on; its ancestors wait for it.  Returns in the last
 * one, behind whose memory there are n more objects then.
 */
static void
generations(char *p, int n)
{
	pid_t pid;
	int gen;

	for (gen = 1; gen <= n; gen++) {
		pid = t_fork();
		if (pid != 0) {
			t_reap(pid);
			t_exit();
		}
		touch(p, OF * gen, OF, gen);
	}
}

/* Runs fn(p, n) in the last of n generations of a fresh region. */
static void
with_chain(int n, void (*fn)(char *p, int n))
{
	char *p = t_map(NPAGES);
	pid_t pid;

	touch(p, 0, NPAGES, 100);
	pid = t_fork();
	if (pid == 0) {
		generations(p, n);
		fn(p, n);
		t_exit();
	}
	t_reap(pid);
	MUST(munmap(p, NPAGES * PAGE));
}

/* Tokens taken so far, with those for asking. */
static long
tokens(void)
{
	return t_tokens("shared") + t_tokens("exclusive");
}

/* The tokens that a write to a page takes. */
static long
tokens_of_write(char *p, int page)
{
	long from = tokens(), asked = tokens() - from;

	from = tokens();
	touch(p, page, 1, 1);
	return tokens() - from - asked;
}

/* A copy from each level, in a chain of n objects and the front one. */
static void
cost_tokens(char *p, int n)
{
	int up;

	/* The first one tells the head what the others need. */
	tokens_of_write(p, NPAGES - OF);
	say("L %d:", n);
	say(" d %d: %ld", n, tokens_of_write(p, NPAGES - 2 * OF));
	for (up = 1; up < n; up++)
		say(", d %d: %ld", n - up, tokens_of_write(p, OF * up));
	say("\n");
}

/* One pass down to level d of a chain with L backings: 1 + [L > 0] + d. */
TEST(tokens)
{
	static const int lengths[] = {1, 2, 4, 8};
	char *p = t_map(NPAGES);
	int i;

	touch(p, 0, 4, 1);
	tokens_of_write(p, NPAGES / 2);
	say("L 0: d 0: %ld\n", tokens_of_write(p, NPAGES - 2 * OF));
	for (i = 0; i < 4; i++)
		with_chain(lengths[i], cost_tokens);
}

static void
cost_chain_locks(char *p, int n)
{
	long before = t_vmstat("v_chainlk"), pip;

	touch(p, NPAGES - 1, 1, 1);
	pip = t_vmstat("v_pip");
	touch(p, NPAGES - 2, 1, 1);
	say("depth %d: %ld atomics on chain locks, %ld on PIP\n", n,
	    t_vmstat("v_chainlk") - before, t_vmstat("v_pip") - pip);
}

/* Nobody locks a chain; paging in progress still is said at each level. */
TEST(chain_locks)
{
	with_chain(1, cost_chain_locks);
	with_chain(4, cost_chain_locks);
	with_chain(8, cost_chain_locks);
}

static void
cost_retries(char *p, int n)
{
	long again;
	int i, sum = 0;

	touch(p, NPAGES - 1, 1, 1);
	again = t_vmstat("v_fault_retry");
	for (i = 0; i < 20; i++) {
		/* What is found down there says nothing about the front. */
		sum += p[(20 + i) * PAGE];
		touch(p, 40 + i, 1, 1);
	}
	say("depth %d: %ld of 20 copies took a second pass (%d)\n", n,
	    t_vmstat("v_fault_retry") - again, sum);
}

/* A copy needs one pass: the head remembers the last one. */
TEST(retries)
{
	with_chain(1, cost_retries);
	with_chain(4, cost_retries);
}

/* The offsets of an entry's levels, in pages, as /proc/self/vm has them. */
static void
show_offsets(const char *what, const char *p)
{
	static char text[1 << 16];
	char *line, *save = NULL, *at;

	t_read_text("/proc/self/vm", text, sizeof(text));
	say("%s:", what);
	for (line = strtok_r(text, "\n", &save); line != NULL;
	     line = strtok_r(NULL, "\n", &save)) {
		at = strstr(line, "\"start\":\"");
		if (at == NULL || strtoul(at + 9, NULL, 16) != (uintptr_t)p)
			continue;
		while ((at = strstr(at, "\"offset\":")) != NULL) {
			at += 9;
			say(" %ld", strtol(at, NULL, 10) / PAGE);
		}
	}
	say("\n");
}

static void
clip_chain(char *p, int n)
{
	show_offsets("whole", p);
	MUST(munmap(p, PAGE));
	MUST(munmap(p + 5 * PAGE, PAGE));
	show_offsets("from 1", p + PAGE);
	show_offsets("from 6", p + 6 * PAGE);
	/* A new front object in front of a piece begins at 0 again. */
	generations(p + 6 * PAGE, 1);
	show_offsets("from 6, written", p + 6 * PAGE);
	MUST(munmap(p + 6 * PAGE, 3 * PAGE));
	show_offsets("from 9", p + 9 * PAGE);
	show("bytes", p + 9 * PAGE, 3);
	(void)n;
}

/* A clip moves the head's offset; so all levels show the right place. */
TEST(offsets)
{
	with_chain(3, clip_chain);
}

/* The same by the bytes: pieces of pieces, each forked and written. */
TEST(pieces)
{
	char *p = t_map(NPAGES);
	pid_t pid;
	int i, from = 0, to = NPAGES;

	for (i = 0; i < NPAGES; i++)
		touch(p, i, 1, i);
	for (i = 0; i < 6; i++) {
		pid = t_fork();
		if (pid == 0) {
			touch(p, from + 2, 2, 100 + i);
			show("child", p + from * PAGE, to - from);
			t_exit();
		}
		touch(p, from + 3, 2, 50 + i);
		t_reap(pid);
		MUST(munmap(p + from * PAGE, PAGE));
		MUST(munmap(p + (to - 2) * PAGE, 2 * PAGE));
		from++;
		to -= 2;
		show("parent", p + from * PAGE, to - from);
	}
}

/* Entries that show one chain at adjacent places become one again. */
static void
join_pieces(char *p, int n)
{
	int i;

	for (i = 0; i < NPAGES; i += 4)
		MUST(mprotect(p + i * PAGE, PAGE, PROT_READ));
	say("depth %d: %ld entries", n, t_entries(p, p + NPAGES * PAGE));
	MUST(mprotect(p, NPAGES * PAGE, RW));
	say(", then %ld\n", t_entries(p, p + NPAGES * PAGE));
	show("bytes", p, 10);
}

TEST(join)
{
	with_chain(0, join_pieces);
	with_chain(1, join_pieces);
	with_chain(3, join_pieces);
}

/* The first page of the lowest mapping: there is nothing before it. */
TEST(join_lowest)
{
	char *p = (char *)MUST(mmap((void *)0x20000, 4 * PAGE, RW,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));

	touch(p, 0, 4, 7);
	MUST(mprotect(p, PAGE, PROT_READ));
	MUST(mprotect(p, PAGE, RW));
	touch(p, 0, 1, 8);
	show("lowest", p, 4);
}

/* Locked memory with a chain behind it and an offset: a fork copies it, and
 * the copy has its pages also when they are not mapped any more. */
TEST(wired_fork)
{
	char *p = t_map(16);
	struct gate go;
	pid_t keeper, pid;
	int i;

	gate_init(&go);
	for (i = 0; i < 16; i++)
		touch(p, i, 1, 20 + i);
	keeper = t_fork();
	if (keeper == 0) {
		gate_wait(&go);
		t_exit();
	}
	touch(p, 6, 2, 77);
	MUST(munmap(p, 4 * PAGE));
	MUST(mlock(p + 4 * PAGE, 8 * PAGE));
	pid = t_fork();
	if (pid == 0) {
		show("child", p + 4 * PAGE, 12);
		MUST(mprotect(p + 4 * PAGE, 8 * PAGE, PROT_NONE));
		MUST(mprotect(p + 4 * PAGE, 8 * PAGE, RW));
		show("again", p + 4 * PAGE, 12);
		MUST(mremap(p + 4 * PAGE, 8 * PAGE, 8 * PAGE,
		    MREMAP_MAYMOVE | MREMAP_FIXED, p + 100 * PAGE));
		show("moved", p + 100 * PAGE, 8);
		touch(p + 100 * PAGE, 0, 8, 1);
		t_exit();
	}
	t_reap(pid);
	show("parent", p + 4 * PAGE, 12);
	gate_open(&go);
	t_reap(keeper);
}

/* A tree of processes, each of which writes a page: three of them under each,
 * four deep. Each finds what the ones above it wrote before it was, and
 * whatever the order of their ends, nothing stays behind. */
static void
tree(char *p, int depth, int want[4])
{
	pid_t pid[3];
	int i, j;

	if (depth == 4)
		return;
	for (i = 0; i < 3; i++) {
		pid[i] = t_fork();
		if (pid[i] == 0) {
			want[depth] = 10 * depth + i + 2;
			touch(p, depth, 1, want[depth]);
			tree(p, depth + 1, want);
			for (j = 0; j <= depth; j++)
				EXPECT(want[j], p[j * PAGE]);
			EXPECT(1, p[(NPAGES - 1) * PAGE]);
			t_exit();
		}
		touch(p, depth + 4, 1, i);
		if (i % 2 == 0)
			t_reap(pid[i]);
	}
	t_reap(pid[1]);
}

TEST(tree)
{
	char *p = t_map(NPAGES);
	int want[4];

	touch(p, 0, NPAGES, 1);
	tree(p, 0, want);
	show("root", p, 8);
}

/* Siblings point at one node: of the object in front of the fork there is one
 * reference more for each child, of those behind none. */
static void
share_tail(char *p, int n)
{
	struct t_object before[T_CHAIN], after[T_CHAIN];
	struct gate go;
	pid_t pid[3];
	int i, len;

	gate_init(&go);
	len = t_chain(0, p, before, T_CHAIN);
	for (i = 0; i < 3; i++) {
		pid[i] = t_fork();
		if (pid[i] == 0) {
			gate_wait(&go);
			t_exit();
		}
	}
	t_chain(0, p, after, T_CHAIN);
	say("depth %d: references", n);
	for (i = 0; i < len; i++)
		say(" +%ld", after[i].refs - before[i].refs);
	for (i = 0; i < 3; i++)
		gate_open(&go);
	for (i = 0; i < 3; i++)
		t_reap(pid[i]);
	t_chain(0, p, after, T_CHAIN);
	say(", then");
	for (i = 0; i < len; i++)
		say(" +%ld", after[i].refs - before[i].refs);
	say("\n");
}

TEST(share_tail)
{
	with_chain(0, share_tail);
	with_chain(1, share_tail);
	with_chain(3, share_tail);
}

/* A child unmaps a part of what nobody has written to since the fork. */
TEST(unmap_forked)
{
	char *p = t_map(16);
	pid_t pid;

	touch(p, 0, 16, 7);
	pid = t_fork();
	if (pid == 0) {
		MUST(munmap(p + 4 * PAGE, 4 * PAGE));
		show("child", p + 8 * PAGE, 8);
		t_exit();
	}
	t_reap(pid);
	show("parent", p, 16);
}

/* MADV_DONTNEED of memory with a chain: zeroes, for this process alone. */
static void
discard(char *p, int n)
{
	MUST(madvise(p + 2 * PAGE, 3 * PAGE, MADV_DONTNEED));
	show("given back", p, 8);
	touch(p, 3, 1, 5);
	MUST(madvise(p, NPAGES * PAGE, MADV_FREE));
	say("depth %d, after MADV_FREE %d %d\n", n, p[0] == 100 || p[0] == 0,
	    p[(NPAGES - 1) * PAGE] == 100);
}

TEST(discard)
{
	with_chain(3, discard);
}

/* What mincore sees, it sees through all levels. */
static void
in_core(char *p, int n)
{
	unsigned char vec[NPAGES];
	int i, in = 0;

	MUST(munmap(p, 2 * PAGE));
	MUST(mincore(p + 2 * PAGE, (NPAGES - 2) * PAGE, vec));
	for (i = 0; i < NPAGES - 2; i++)
		in += vec[i] & 1;
	say("depth %d: %d in memory\n", n, in);
}

TEST(mincore)
{
	with_chain(0, in_core);
	with_chain(4, in_core);
}

/* A private file behind two fronts, its pages found at the tail. */
TEST(file)
{
	char *buf = malloc(8 * PAGE), *p;
	int fd, i;
	pid_t pid;

	for (i = 0; i < 8; i++)
		memset(buf + i * PAGE, 'a' + i, PAGE);
	fd = t_file("bf", buf, 8 * PAGE);
	p = (char *)MUST(mmap(NULL, 6 * PAGE, RW, MAP_PRIVATE, fd, 2 * PAGE));
	touch(p, 1, 1, 1);
	pid = t_fork();
	if (pid == 0) {
		touch(p, 2, 1, 2);
		MUST(munmap(p, PAGE));
		show("child", p + PAGE, 5);
		MUST(madvise(p + 2 * PAGE, PAGE, MADV_DONTNEED));
		show("again", p + PAGE, 5);
		t_exit();
	}
	t_reap(pid);
	show("parent", p, 6);
	MUST(munmap(p, 6 * PAGE));
	MUST(close(fd));
	MUST(unlink("bf"));
	free(buf);
}

/* Threads write, map, protect and fork, all in one map: who holds it for a
 * fault and who wants it for himself do not stop each other for good. */
static char *shared;
static volatile int stop;

static void *
writer(void *arg)
{
	long me = (long)arg;

	while (!stop)
		for (int i = 0; i < NPAGES; i++)
			shared[i * PAGE + me]++;
	return NULL;
}

static void *
mapper(void *arg)
{
	char *p;

	(void)arg;
	while (!stop) {
		p = t_map(4);
		touch(p, 0, 4, 1);
		MUST(mprotect(p + PAGE, PAGE, PROT_READ));
		MUST(munmap(p, 4 * PAGE));
	}
	return NULL;
}

TEST(smp_fork)
{
	pthread_t t[3];
	uint32_t sum;
	pid_t pid;
	int i;

	shared = t_map(NPAGES);
	EXPECT(0, pthread_create(&t[0], NULL, writer, (void *)1L));
	EXPECT(0, pthread_create(&t[1], NULL, writer, (void *)2L));
	EXPECT(0, pthread_create(&t[2], NULL, mapper, NULL));
	for (i = 0; i < 40; i++) {
		pid = t_fork();
		if (pid == 0) {
			/* Nobody writes here any more but we. */
			sum = t_sum(shared, NPAGES * PAGE);
			usleep(1000);
			EXPECT(sum, t_sum(shared, NPAGES * PAGE));
			touch(shared, i, 8, 5);
			t_exit();
		}
		t_reap(pid);
	}
	stop = 1;
	for (i = 0; i < 3; i++)
		EXPECT(0, pthread_join(t[i], NULL));
	for (i = 0; i < NPAGES; i++)
		EXPECT(0, shared[i * PAGE]);
	say("done\n");
}
