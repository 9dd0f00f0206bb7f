/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Seeded trees of processes that map, unmap, protect, write, read, advise and
 * fork.  The seed decides everything, so that the checksum of all that was read
 * and of all faults is the same on every correct kernel.
 *
 * Every mapping lies in an arena that is reserved at the start, at a place that
 * the seed decides: nothing depends on where a kernel would put it, and a hole
 * stays one.  A parent waits for its child before it goes on, so that shared
 * memory has one order of writes.
 *
 * There are kinds: "group" is the above; "files" cuts, reads and writes a file
 * besides that is mapped; "threads" has four threads of one address space, each
 * with its own arena, seed and file; "swap" and "press" are these two with so
 * many pages at once that a small memory does not hold them.
 */

#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "t.h"

#define ARENA	96 /* pages */
#define FPAGES	8  /* pages of the file */
#define NOPS	36
#define MAXFORK 3  /* generations */
#define SEEDS	10 /* in one group */
#define NTHR	4

/* What a thread is told. */
struct start {
	int seed;
	pthread_barrier_t *ready; /* all have begun */
};

static int scale = 1; /* pages that count as one */
static int files;     /* is a second file cut, read and written, too? */

/* Of each thread. */
static __thread char *arena;
static __thread uint32_t rng, sum;
static __thread int file, other;
static __thread sigjmp_buf jmp;

/* The next number of the seed, below a limit. */
static uint32_t
pick(uint32_t limit)
{
	rng = rng * 1664525u + 1013904223u;
	return (uint32_t)(((uint64_t)(rng >> 4) * limit) >> 28);
}

/* Adds a number to the running checksum. */
static void
add(uint32_t v)
{
	sum = (sum ^ v) * 16777619u;
	sum ^= sum >> 15;
}

/* Leaves an access that faulted; the signal and its code count. */
static void
fault(int sig, siginfo_t *si, void *uc)
{
	(void)uc;
	add(sig * 100 + si->si_code);
	add((char *)si->si_addr - arena);
	siglongjmp(jmp, 1);
}

/* Writes a word or two into each page of a range. */
static void
write_pages(char *p, int n)
{
	uint32_t at = pick(1000) * 4, v = pick(1u << 28);
	volatile int i; /* lives through siglongjmp */

	for (i = 0; i < n; i++)
		if (sigsetjmp(jmp, 1) == 0)
			*(volatile uint32_t *)(p + i * PAGE + at) = v + i;
}

/* Reads some words of each page of a range into the checksum. */
static void
read_pages(char *p, int n)
{
	uint32_t at = pick(4) * 4, step = scale == 1 ? 512 : 2048;
	volatile uint32_t i, k;

	for (i = 0; i < (uint32_t)n; i++)
		if (sigsetjmp(jmp, 1) == 0)
			for (k = 0; k < PAGE; k += step)
				add(*(volatile uint32_t *)(p + i * PAGE + k +
				    at));
}

/* A protection: mostly readable, often writable. */
static int
protection(void)
{
	static const int prots[] = {PROT_NONE, PROT_READ, PROT_READ,
	    PROT_READ | PROT_WRITE, PROT_READ | PROT_WRITE,
	    PROT_READ | PROT_WRITE, PROT_READ | PROT_WRITE};

	return prots[pick(sizeof(prots) / sizeof(prots[0]))];
}

/* Maps a range of the arena anew. */
static void
map_pages(char *p, int n)
{
	int flags, prot = protection(), fd = -1, kind = pick(8);
	off_t off = 0;
	void *q;

	if (kind == 0) { /* the file, private or shared */
		flags = pick(2) ? MAP_PRIVATE : MAP_SHARED;
		off = pick(FPAGES) * PAGE;
		fd = file;
	} else if (files && kind < 4) {
		/* The one that changes. At a cut Linux takes the copies of
		 * private mappings, too; BSD leaves them, and so Nymph. */
		flags = MAP_SHARED;
		off = pick(FPAGES * scale) * PAGE;
		fd = other;
	} else {
		flags = kind < 3 ? MAP_SHARED : MAP_PRIVATE;
		flags |= MAP_ANONYMOUS;
	}
	q = mmap(p, n * PAGE, prot, flags | MAP_FIXED, fd, off);
	add(q == p);
}

/*
 * Maps a range anew, writes it and moves it over another one.  (A range of
 * several mappings would not do: Linux began to move those in 6.17.)
 */
static void
move_pages(char *p, int n)
{
	char *q = arena + pick(ARENA * scale - n) * PAGE;

	if (q < p + n * PAGE && p < q + n * PAGE)
		return;
	MUST(mmap(p, n * PAGE, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
	write_pages(p, n);
	add(mremap(p, n * PAGE, n * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, q) ==
	    q);
}

/*
 * Cuts, reads or writes the file, which is mapped.  It always ends with a page:
 * what a mapping has written beyond the end is nobody's business.
 */
static void
use_file(char *p, int n)
{
	static __thread char buf[8 * PAGE];
	long off = pick(FPAGES * scale * PAGE);
	size_t len = PAGE - off % PAGE + pick(7) * PAGE;

	switch (pick(5)) {
	case 0:
		add(ftruncate(other, off / PAGE * PAGE));
		break;
	case 1:
		add(ftruncate(other, FPAGES * scale * PAGE));
		break;
	case 2:
		add(msync(p, n * PAGE, MS_SYNC));
		break;
	case 3:
		memset(buf, 0, len);
		add(pread(other, buf, len, off));
		add(t_sum(buf, len));
		break;
	default:
		t_fill(buf, len, pick(1u << 28));
		add(pwrite(other, buf, len, off));
		break;
	}
}

static void work(int gen);

/* Forks; parent and child go on with numbers of their own. */
static void
fork_pages(int gen)
{
	uint32_t start = pick(1u << 28);
	uint32_t result = 0;
	int fd[2];
	pid_t pid;

	if (gen >= MAXFORK)
		return;
	MUST(pipe(fd));
	pid = t_fork();
	if (pid == 0) {
		close(fd[0]);
		rng = start;
		work(gen + 1);
		if (write(fd[1], &sum, sizeof(sum)) != sizeof(sum))
			_exit(4);
		_exit(sum & 0x7f);
	}
	close(fd[1]);
	if (read(fd[0], &result, sizeof(result)) != sizeof(result))
		say("a child gave no result\n");
	close(fd[0]);
	add(result);
	add(t_wait(pid));
}

/* One process's share of operations. */
static void
work(int gen)
{
	int i, n;
	char *p;

	for (i = 0; i < NOPS >> (gen > 1 ? gen - 1 : 0); i++) {
		n = (1 + pick(10)) * scale;
		p = arena + pick(ARENA * scale - n) * PAGE;
		switch (pick(files ? 20 : 16)) {
		case 0:
		case 1:
			map_pages(p, n);
			break;
		case 2:
			add(munmap(p, n * PAGE));
			break;
		case 3:
		case 4:
			add(mprotect(p, n * PAGE, protection()));
			break;
		case 5:
			add(madvise(p, n * PAGE,
			    pick(2) ? MADV_DONTNEED : MADV_WILLNEED));
			break;
		case 6:
			move_pages(p, n);
			break;
		case 7:
			fork_pages(gen);
			break;
		case 8:
		case 9:
		case 10:
		case 11:
			write_pages(p, n);
			break;
		case 16:
		case 17:
		case 18:
		case 19:
			use_file(p, n);
			break;
		default:
			read_pages(p, n);
			break;
		}
	}
	if (gen == 0)
		read_pages(arena, ARENA * scale);
}

/* A file that nobody else can find. */
static int
make_file(const char *name, int pages)
{
	char buf[PAGE];
	int fd = t_file(name, NULL, 0);

	MUST(unlink(name));
	for (int i = 0; i < pages; i++) {
		t_fill(buf, PAGE, 1000 + i);
		MUST(write(fd, buf, PAGE));
	}
	return fd;
}

/* What one thread begins with: its files, its arena, its numbers. */
static void
begin(int seed)
{
	char name[32];
	int i;

	snprintf(name, sizeof(name), "torture%d", seed);
	file = make_file(name, FPAGES);
	if (files)
		other = make_file(name, FPAGES * scale);
	arena = (char *)MUST(mmap(NULL, ARENA * scale * PAGE, PROT_NONE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	for (i = 0; i < ARENA; i += 16)
		MUST(mmap(arena + i * scale * PAGE, 12 * scale * PAGE,
		    PROT_READ | PROT_WRITE,
		    MAP_ANONYMOUS | MAP_FIXED |
			(i == 32 ? MAP_SHARED : MAP_PRIVATE),
		    -1, 0));
	rng = seed * 2654435761u;
	sum = seed;
}

/* What a thread of its own does; its result is the checksum. */
static void *
thread(void *arg)
{
	const struct start *st = arg;

	begin(st->seed);
	pthread_barrier_wait(st->ready); /* from here on nobody needs room */
	work(0);
	close(file);
	close(other);
	return (void *)(uintptr_t)sum;
}

/* Four threads at once; their checksums in one. */
static void
run_threads(int seed)
{
	pthread_barrier_t ready;
	struct start st[NTHR];
	pthread_t t[NTHR];
	uint32_t all = 0;
	void *res;
	int i;

	MUST(-pthread_barrier_init(&ready, NULL, NTHR));
	for (i = 0; i < NTHR; i++) {
		st[i] = (struct start){seed * NTHR + i, &ready};
		EXPECT(0, pthread_create(&t[i], NULL, thread, &st[i]));
	}
	for (i = 0; i < NTHR; i++) {
		EXPECT(0, pthread_join(t[i], &res));
		all = all * 16777619u + (uint32_t)(uintptr_t)res;
	}
	sum = all;
}

/* Runs one seed in a process of its own and prints its checksum. */
static void
run_seed(int seed, int threads)
{
	struct sigaction sa;
	pid_t pid;

	pid = t_fork();
	if (pid != 0) {
		t_reap(pid);
		return;
	}
	memset(&sa, 0, sizeof(sa));
	sa.sa_sigaction = fault;
	sa.sa_flags = SA_SIGINFO;
	MUST(sigaction(SIGSEGV, &sa, NULL));
	MUST(sigaction(SIGBUS, &sa, NULL));
	if (threads) {
		run_threads(seed);
	} else {
		begin(seed);
		work(0);
	}
	say("seed %d: %08x\n", seed, sum);
	t_exit();
}

/* n seeds: group 1 has the first n, and so on. */
static void
run_group(int n, int threads)
{
	for (int i = 1; i <= n; i++)
		run_seed((t_arg - 1) * n + i, threads);
}

TEST(group)
{
	run_group(SEEDS, 0);
}

TEST(files)
{
	files = 1;
	run_group(SEEDS, 0);
}

TEST(threads)
{
	files = 1;
	run_group(SEEDS / 2, 1);
}

TEST(swap)
{
	files = 1;
	scale = 24;
	run_group(SEEDS / 5, 0);
}

TEST(press)
{
	files = 1;
	scale = 8;
	run_group(SEEDS / 5, 1);
}

/* One seed of each kind. */
TEST(group_seed)
{
	run_seed(t_arg, 0);
}

TEST(files_seed)
{
	files = 1;
	run_seed(t_arg, 0);
}

TEST(threads_seed)
{
	files = 1;
	run_seed(t_arg, 1);
}

TEST(swap_seed)
{
	files = 1;
	scale = 24;
	run_seed(t_arg, 0);
}

TEST(press_seed)
{
	files = 1;
	scale = 8;
	run_seed(t_arg, 1);
}
