/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rows: several CPUs read pages back from a disk that takes its time.
 *
 * A CPU that waits for the disk is idle, and the clock goes on: here it says how long
 * something took, and grader/bench/plugin.c how many instructions were executed.
 */
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bench.h"

#define RAM	4096L /* pages; bench_part in lib.bash says how many */
#define CLUSTER 16L   /* so many may come with one transfer */
#define TIMES	8

static volatile char sink;

static struct team {
	volatile int ready, go, stop;
	volatile long at; /* the page that is read */
} * team;
static int finished[2], let_go[2]; /* pipes */
static char *memory;

/* Is each transfer of the disk to take ten milliseconds? Else a tenth of one. */
static void
slow(int yes)
{
	const char *command =
	    yes ? "dda latency 10000000" : "dda latency 100000";
	int fd = (int)MUST(open("/dev/diskctl", O_WRONLY));

	MUST(write(fd, command, strlen(command)));
	close(fd);
}

/* Wants more memory than there is for a moment: what nobody uses goes to swap. */
static void
squeeze(void)
{
	long pid = MUST(fork());

	if (pid == 0) {
		touch(map_private(RAM * 3 / 2), RAM * 3 / 2, 1);
		_exit(0);
	}
	reap(pid);
}

static void
start(pthread_t *thread, void *(*fn)(void *), long arg)
{
	MUST(pthread_create(thread, NULL, fn, (void *)arg) == 0 ? 0 : -1);
}

static void
join(pthread_t thread)
{
	MUST(pthread_join(thread, NULL) == 0 ? 0 : -1);
}

static void
prepare(void)
{
	if (team == NULL)
		team = (struct team *)map_shared(1);
	team->ready = team->go = team->stop = 0;
	team->at = 0;
	MUST(pipe(finished));
	MUST(pipe(let_go));
	squeeze();
	slow(1);
}

static void
clear_away(void)
{
	slow(0);
	for (int i = 0; i < 2; i++) {
		close(finished[i]);
		close(let_go[i]);
	}
}

/* A quarter of the memory, if there are four CPUs. */
static void
read_share(long me)
{
	for (long i = me * PAGES / ncpus; i < (me + 1) * PAGES / ncpus; i++)
		sink = ((volatile char *)memory)[i * PAGE];
}

/* Begins when all do, and ends when it is let go. */
static void *
member(void *arg)
{
	long me = (long)arg;
	char c = 0;

	own_cpu(me);
	__sync_fetch_and_add(&team->ready, 1);
	while (team->go == 0)
		cpu_pause();
	read_share(me);
	MUST(write(finished[1], &c, 1));
	MUST(read(let_go[0], &c, 1));
	return NULL;
}

/* All CPUs read a share of the memory, as threads or as processes. */
static void
all_read(int threads)
{
	pthread_t thread[64];
	long pid[64];
	char c = 0;

	prepare();
	own_cpu(0);
	for (long i = 1; i < ncpus; i++) {
		if (threads) {
			start(&thread[i], member, i);
		} else if ((pid[i] = MUST(fork())) == 0) {
			member((void *)i);
			_exit(0);
		}
	}
	while (team->ready < ncpus - 1)
		cpu_pause();
	row_begin();
	TIMED_AS(PAGES, {
		team->go = 1;
		read_share(0);
		for (int i = 1; i < ncpus; i++)
			MUST(read(finished[0], &c, 1));
	});
	row_end();
	for (int i = 1; i < ncpus; i++)
		MUST(write(let_go[1], &c, 1));
	for (int i = 1; i < ncpus; i++) {
		if (threads)
			join(thread[i]);
		else
			reap(pid[i]);
	}
	clear_away();
}

static void
read_by(long threads)
{
	memory = map_private(PAGES);
	touch(memory, PAGES, 1);
	all_read((int)threads);
	munmap(memory, PAGES * PAGE);
}

static void
read_behind(char *p, long pages, long step)
{
	(void)pages;
	(void)step;
	memory = p;
	all_read(1);
}

/* The levels between have a page on swap, each another one. */
static void
read_deep(long depth)
{
	behind(depth, read_behind);
}

/* Reads a page of each cluster until told to stop. */
static void *
read_on(void *arg)
{
	own_cpu(1);
	for (long i = 0; team->stop == 0 && i < PAGES; i += CLUSTER) {
		team->at = i;
		sink = ((volatile char *)memory)[i * PAGE];
	}
	MUST(team->stop ? 0 : -1); /* it must have lasted */
	return arg;
}

/* Waits until the other one is in the midst of it. */
static void
wait_for_reader(void)
{
	own_cpu(0);
	while (team->at < 2 * CLUSTER)
		cpu_pause();
}

/* A thread wants to change the map while another one waits for the disk. */
static void
map_meanwhile(long arg)
{
	pthread_t reader;
	char *p;

	(void)arg;
	memory = map_private(PAGES);
	touch(memory, PAGES, 1);
	prepare();
	start(&reader, read_on, 0);
	wait_for_reader();
	row_begin();
	for (int i = 0; i < TIMES; i++)
		TIMED({
			p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
			munmap(p, PAGE);
		});
	row_end();
	team->stop = 1;
	join(reader);
	clear_away();
	munmap(memory, PAGES * PAGE);
}

/* A process forks while another one, which shares its memory, waits for the disk. */
static void
fork_meanwhile(long arg)
{
	long reader, pid;

	(void)arg;
	memory = map_private(PAGES);
	touch(memory, PAGES, 1);
	prepare();
	reader = MUST(fork());
	if (reader == 0) {
		read_on(NULL);
		_exit(0);
	}
	wait_for_reader();
	row_begin();
	for (int i = 0; i < TIMES; i++) {
		TIMED({
			pid = MUST(fork());
			if (pid == 0)
				_exit(0);
		});
		reap(pid);
	}
	row_end();
	team->stop = 1;
	reap(reader);
	clear_away();
	munmap(memory, PAGES * PAGE);
}

const struct row bench_page[] = {
    {"page_threads", PAGING, "page", read_by, 1,
	"pages on swap, read by the threads of all CPUs", 1},
    {"page_forked", PAGING, "page", read_by, 0,
	"the same, by a process and its children", 1},
    {"page_deep", PAGING, "page", read_deep, 4,
	"the same, by threads, 4 objects back", 1},
    {"page_mmap", PAGING, "pair", map_meanwhile, 0,
	"mmap + munmap while another thread pages in", 1},
    {"page_fork", PAGING, "call", fork_meanwhile, 0,
	"fork while a child pages in the same memory", 1},
    {0},
};
