/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What others do while a fault reads a page back from swap: it has let go of
 * the map. The disk is slow here, so that there is time for it.
 */

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/swap.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "t.h"

#define NTHR	4
#define CLUSTER 16 /* so many pages may come with one read */
#define PAGES	(T_RAM / 8 / PAGE)

static pthread_barrier_t barrier;
static char *mem;
static volatile long at; /* the page that is read */
static long midst;	 /* how often it was, when we went on */

/* What everybody sees as a new value is a page's first byte in his place. */
static volatile char *
own_byte(long page, long who)
{
	return mem + page * PAGE + 2048 + 8 + who;
}

/* Are the disks to take their time, so many milliseconds for each transfer? With 0,
 * a tenth of one. */
static void
slow(int ms)
{
	const char *disks[] = {"dda", "ddb"};
	char text[40];

	for (int i = 0; i < 2 && t_nymph(); i++) {
		snprintf(text, sizeof(text), "%s latency %d", disks[i],
		    ms == 0 ? 100000 : ms * 1000000);
		t_control(text);
	}
}

/* A counter has grown since. */
static void
moved(const char *name, long before)
{
	if (t_nymph())
		EXPECT(1, t_vmstat(name) > before);
}

static void *
nothing(void *arg)
{
	return arg;
}

/* Memory that lies on swap for the greatest part; but what it takes to start a
 * thread does not. */
static char *
swapped(char *p)
{
	pthread_t t;

	t_put_all(p, PAGES, 1);
	t_squeeze();
	EXPECT(0, pthread_create(&t, NULL, nothing, NULL));
	EXPECT(0, pthread_join(t, NULL));
	return p;
}

/* All threads together touch the first page of each cluster. */
static void *
touch_all(void *arg)
{
	long me = (long)arg;

	for (long i = 0; i < PAGES; i += CLUSTER) {
		pthread_barrier_wait(&barrier);
		*own_byte(i, me) = me + 1;
	}
	return NULL;
}

/* Runs that, and looks at what came of it. */
static void
touch_with_all(void)
{
	long i, j, good = 0, again = t_vmstat("v_fault_retry");
	pthread_t t[NTHR];

	pthread_barrier_init(&barrier, NULL, NTHR);
	slow(10);
	for (i = 0; i < NTHR; i++)
		EXPECT(0, pthread_create(&t[i], NULL, touch_all, (void *)i));
	for (i = 0; i < NTHR; i++)
		EXPECT(0, pthread_join(t[i], NULL));
	slow(0);
	for (i = 0; i < PAGES; i += CLUSTER)
		for (j = 0; j < NTHR; j++)
			good += *own_byte(i, j) == j + 1;
	EXPECT(0, t_wrong(mem, PAGES, 1));
	say("%ld of %ld\n", good, NTHR * PAGES / CLUSTER);
	/* They did meet: each page had others wait for it. */
	if (t_nymph())
		EXPECT(1,
		    t_vmstat("v_fault_retry") - again >=
			(NTHR - 1) * PAGES / CLUSTER / 2);
}

/* Four threads at once fault a page that has to be read: no byte is lost. */
TEST(same_page)
{
	mem = swapped(t_map(PAGES));
	touch_with_all();
}

/* The same where it has to be copied as well. */
TEST(same_copy)
{
	struct gate go;
	pid_t pid;
	long i, j;

	gate_init(&go);
	mem = t_map(PAGES);
	t_put_all(mem, PAGES, 1);
	pid = t_fork();
	if (pid == 0) {
		gate_wait(&go);
		EXPECT(0, t_wrong(mem, PAGES, 1));
		for (i = 0; i < PAGES; i += CLUSTER)
			for (j = 0; j < NTHR; j++)
				EXPECT(0, *own_byte(i, j));
		t_exit();
	}
	t_squeeze();
	touch_with_all();
	gate_open(&go);
	t_reap(pid);
}

static void
end_thread(int sig)
{
	(void)sig;
	pthread_exit(NULL);
}

/* Writes to the page at hand until that is not allowed any more. */
static void *
write_on(void *arg)
{
	volatile char *p = own_byte(at, 0);

	(void)arg;
	for (;;) {
		*p = 1;
		usleep(1000);
	}
	return NULL;
}

/* Starts a thread that is in the midst of reading a page when we go on. */
static pthread_t
start_reading(void *(*fn)(void *), long page)
{
	unsigned char vec;
	pthread_t t;

	at = page;
	EXPECT(0, pthread_create(&t, NULL, fn, NULL));
	usleep(3000);
	MUST(mincore(mem + page * PAGE, PAGE, &vec));
	midst += (vec & 1) == 0;
	return t;
}

/* Was it so, at least once? */
static void
was_reading(void)
{
	if (t_nymph())
		EXPECT(1, midst > 0);
}

/* Once mprotect has returned nobody writes, not even who was on his way. */
TEST(protected)
{
	struct sigaction sa;
	pthread_t t;
	long i;

	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = end_thread;
	MUST(sigaction(SIGSEGV, &sa, NULL));
	mem = swapped(t_map(PAGES));
	slow(10);
	for (i = 0; i < PAGES; i += CLUSTER * 2) {
		t = start_reading(write_on, i);
		/* All of it: to cut it in pieces would have to wait for him. */
		MUST(mprotect(mem, PAGES * PAGE, PROT_READ));
		EXPECT(0, pthread_join(t, NULL));
		MUST(mprotect(mem, PAGES * PAGE, PROT_READ | PROT_WRITE));
	}
	slow(0);
	was_reading();
	say("done\n");
}

/* Reads the page at hand, once. */
static void *
read_once(void *arg)
{
	(void)arg;
	return (void *)(long)(t_is(mem, at, 1) || t_is_zero(mem, at));
}

/* A page that is thrown away, or replaced, while somebody reads it: he may see
 * what was there, but nobody does afterwards. */
TEST(replaced)
{
	long i, n = 0, bad = 0;
	pthread_t t;
	void *good;
	char *p;

	mem = swapped(t_map(PAGES));
	slow(10);
	for (i = 0; i < PAGES; i += CLUSTER, n++) {
		p = mem + i * PAGE;
		t = start_reading(read_once, i);
		if (n % 2 == 0)
			MUST(madvise(p, PAGE, MADV_DONTNEED));
		else
			MUST(mmap(p, PAGE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
		bad += !t_is_zero(mem, i);
		EXPECT(0, pthread_join(t, &good));
		bad += !good || !t_is_zero(mem, i);
		t_put(mem, i, 1);
	}
	slow(0);
	EXPECT(0, t_wrong(mem, PAGES, 1));
	was_reading();
	say("%ld bad\n", bad);
}

/* Forks while a page is being read, again and again. */
static void
fork_while_reading(void)
{
	pthread_t t;
	void *good;
	pid_t pid;
	long i;

	mem = swapped(t_map(PAGES));
	slow(10);
	for (i = 0; i < PAGES; i += CLUSTER * 2) {
		t = start_reading(read_once, i);
		pid = t_fork();
		if (pid == 0) {
			EXPECT(1, t_is(mem, i, 1));
			t_put(mem, i, 2);
			EXPECT(1, t_is(mem, i + 1, 1));
			t_exit();
		}
		t_reap(pid);
		EXPECT(0, pthread_join(t, &good));
		EXPECT(1, (long)good);
	}
	slow(0);
	was_reading();
	EXPECT(0, t_wrong(mem, PAGES, 1));
	say("done\n");
}

/* A fork finds what was there before it. */
TEST(forked)
{
	fork_while_reading();
}

/* Who forks wants the map and then the objects; who reads has the objects and
 * wants the map: he has to give way. */
TEST(gives_way)
{
	long before = t_vmstat("v_map_timedlock");

	fork_while_reading();
	moved("v_map_timedlock", before);
}

/* The first page from there on that is on swap alone. */
static long
away(long page)
{
	unsigned char vec = 1;

	while (page < PAGES) {
		MUST(mincore(mem + page * PAGE, PAGE, &vec));
		if ((vec & 1) == 0 || !t_nymph())
			break;
		page++;
	}
	EXPECT(1, page < PAGES);
	return page;
}

/* Milliseconds that go by while fn works and a page is being read, which takes
 * fifty: who sleeps wakes with a tick of the clock, up to ten later than he asked. */
static long
takes(void (*fn)(char *p), char *p, long page)
{
	struct timespec from, to;
	long before = midst;
	void *good;
	pthread_t t;

	t = start_reading(read_once, away(page));
	if (t_nymph())
		EXPECT(before + 1, midst);
	MUST(clock_gettime(CLOCK_MONOTONIC, &from));
	fn(p);
	MUST(clock_gettime(CLOCK_MONOTONIC, &to));
	EXPECT(0, pthread_join(t, &good));
	EXPECT(1, (long)good);
	return (to.tv_sec - from.tv_sec) * 1000 +
	    (to.tv_nsec - from.tv_nsec) / 1000000;
}

static void
map_one(char *p)
{
	MUST(munmap(p, PAGE));
}

static void
protect_one(char *p)
{
	MUST(mprotect(p + PAGE, PAGE, PROT_READ));
}

static void
fork_one(char *p)
{
	pid_t pid = t_fork();

	(void)p;
	if (pid == 0)
		_exit(0);
}

static void
fault_one(char *p)
{
	*(volatile char *)(p + 2 * PAGE) = 1;
}

/* A fault keeps the map while it reads: who wants to change the map waits for
 * the disk, while who faults elsewhere does not. */
TEST(map_kept)
{
	char *p = t_map(8);

	MUST(mlockall(MCL_CURRENT));
	mem = swapped(t_map(PAGES));
	slow(50);
	takes(fault_one, p, 0);
	say("a fault elsewhere: %s\n",
	    takes(fault_one, p + PAGE, CLUSTER * 2) < 10 ? "at once" : "waits");
	say("munmap: %s\n",
	    takes(map_one, p, CLUSTER * 4) < 10 ? "at once" : "waits");
	say("mprotect: %s\n",
	    takes(protect_one, p, CLUSTER * 8) < 10 ? "at once" : "waits");
	say("fork: %s\n",
	    takes(fork_one, p, CLUSTER * 12) < 10 ? "at once" : "waits");
	slow(0);
	while (waitpid(-1, NULL, 0) > 0)
		continue;
	EXPECT(0, t_wrong(mem, PAGES, 1));
}

/* How many levels behind mem have pages on swap. */
static long
swap_levels(void)
{
	static char text[1 << 16];
	char *line, *save = NULL, *at;
	long n = 0;

	t_read_text("/proc/self/vm", text, sizeof(text));
	for (line = strtok_r(text, "\n", &save); line != NULL;
	     line = strtok_r(NULL, "\n", &save)) {
		at = strstr(line, "\"start\":\"");
		if (at == NULL || strtoul(at + 9, NULL, 16) != (uintptr_t)mem)
			continue;
		while ((at = strstr(at, "\"type\":\"swap\"")) != NULL) {
			at++;
			n++;
		}
	}
	return n;
}

/* Generations that each write a page, which goes to swap. A page of the first
 * one, which is in memory, is read and copied through all of them: of the
 * levels between, which have nothing there, none costs a page. */
TEST(swap_levels)
{
	long alloc, none, excl, i, gen;
	pid_t pid;

	mem = swapped(t_map(PAGES));
	for (gen = 1; gen <= 4; gen++) {
		pid = t_fork();
		if (pid != 0) {
			t_reap(pid);
			if (gen == 1)
				return;
			t_exit();
		}
		for (i = 0; i < CLUSTER; i++)
			t_put(mem, gen * CLUSTER + i, 2);
		t_squeeze();
	}
	say("%ld levels with swap\n", swap_levels());
	for (i = PAGES - 8; i < PAGES; i++)
		EXPECT(1, t_is(mem, i, 1));
	t_put(mem, PAGES - 1, 2);
	for (i = 0; i < 3; i++) {
		alloc = t_vmstat("v_pgalloc");
		none = t_vmstat("v_pgalloc") - alloc;
	}
	alloc = t_vmstat("v_pgalloc");
	t_put(mem, PAGES - 2, 2);
	alloc = t_vmstat("v_pgalloc") - alloc - none;
	say("%ld page for a copy\n", alloc);
	t_tokens("exclusive");
	none = t_tokens("exclusive");
	none = t_tokens("exclusive") - none;
	excl = t_tokens("exclusive");
	t_put(mem, PAGES - 3, 2);
	excl = t_tokens("exclusive") - excl;
	say("%ld exclusive token\n", excl - none);
	t_exit();
}

/* Which answer a read or a write of the page gets when the disk fails. Nothing is
 * said meanwhile: init, which would wake up for it, may be on swap itself. */
static void
fails_below(const char *where, char *p)
{
	const char *read, *write;

	t_control("dda fail read 0..131071 2");
	t_control("ddb fail read 0..16383 2");
	read = t_try('r', p);
	t_control("dda fail read 0..131071 2");
	t_control("ddb fail read 0..16383 2");
	write = t_try('w', p);
	t_control("dda clear");
	t_control("ddb clear");
	say("%s: read %s, write %s, then %s\n", where, read, write,
	    t_try('r', p));
}

/* The disk fails while a page is read at the front, one level down, and two
 * levels down: nothing of it stays behind, and the process can end. */
TEST(error_below)
{
	long at_level[3] = {CLUSTER, PAGES / 2, PAGES - CLUSTER}, i, gen;
	pid_t pid;

	MUST(mlockall(MCL_CURRENT));
	mem = t_map(PAGES);
	t_put_all(mem, PAGES, 1);
	for (gen = 1; gen <= 2; gen++) {
		pid = t_fork();
		if (pid != 0) {
			t_reap(pid);
			if (gen == 1)
				return;
			t_exit();
		}
		for (i = 0; i < CLUSTER; i++)
			t_put(mem, at_level[2 - gen] + i, 1);
	}
	MUST(mlockall(MCL_CURRENT));
	MUST(munlock(mem, PAGES * PAGE));
	t_squeeze();
	fails_below("level 0", mem + at_level[0] * PAGE);
	fails_below("level 1", mem + at_level[1] * PAGE);
	fails_below("level 2", mem + at_level[2] * PAGE);
	EXPECT(0, t_wrong(mem, PAGES, 1));
	t_exit();
}
