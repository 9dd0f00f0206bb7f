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
 */

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "t.h"

#define ARENA	96 /* pages */
#define FPAGES	8  /* pages of the file */
#define NOPS	36
#define MAXFORK 3  /* generations */
#define SEEDS	10 /* in one group */

static char *arena;
static uint32_t rng, sum;
static int file;
static sigjmp_buf jmp;

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
	uint32_t at = pick(4) * 4;
	volatile int i, k;

	for (i = 0; i < n; i++)
		if (sigsetjmp(jmp, 1) == 0)
			for (k = 0; k < PAGE; k += 512)
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
	char *q = arena + pick(ARENA - n) * PAGE;

	if (q < p + n * PAGE && p < q + n * PAGE)
		return;
	MUST(mmap(p, n * PAGE, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
	write_pages(p, n);
	add(mremap(p, n * PAGE, n * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, q) ==
	    q);
}

static void work(int gen);

/* Forks; parent and child go on with numbers of their own. */
static void
fork_pages(int gen)
{
	uint32_t other = pick(1u << 28);
	uint32_t result = 0;
	int fd[2];
	pid_t pid;

	if (gen >= MAXFORK)
		return;
	MUST(pipe(fd));
	pid = t_fork();
	if (pid == 0) {
		close(fd[0]);
		rng = other;
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
		n = 1 + pick(10);
		p = arena + pick(ARENA - n) * PAGE;
		switch (pick(16)) {
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
		default:
			read_pages(p, n);
			break;
		}
	}
	if (gen == 0)
		read_pages(arena, ARENA);
}

/* Runs one seed in a process of its own and prints its checksum. */
static void
run_seed(int seed)
{
	struct sigaction sa;
	char buf[PAGE];
	pid_t pid;
	int i;

	pid = t_fork();
	if (pid != 0) {
		t_reap(pid);
		return;
	}
	file = t_file("torture", NULL, 0);
	MUST(unlink("torture"));
	for (i = 0; i < FPAGES; i++) {
		t_fill(buf, PAGE, 1000 + i);
		MUST(write(file, buf, PAGE));
	}
	memset(&sa, 0, sizeof(sa));
	sa.sa_sigaction = fault;
	sa.sa_flags = SA_SIGINFO;
	MUST(sigaction(SIGSEGV, &sa, NULL));
	MUST(sigaction(SIGBUS, &sa, NULL));
	arena = (char *)MUST(mmap(
	    NULL, ARENA * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	for (i = 0; i < ARENA; i += 16)
		MUST(mmap(arena + i * PAGE, 12 * PAGE, PROT_READ | PROT_WRITE,
		    MAP_ANONYMOUS | MAP_FIXED |
			(i == 32 ? MAP_SHARED : MAP_PRIVATE),
		    -1, 0));
	rng = seed * 2654435761u;
	sum = seed;
	work(0);
	say("seed %d: %08x\n", seed, sum);
	t_exit();
}

/* Ten seeds: group 1 has the seeds 1 to 10, and so on. */
TEST(group)
{
	int i;

	for (i = 1; i <= SEEDS; i++)
		run_seed((t_arg - 1) * SEEDS + i);
}

/* One seed. */
TEST(seed)
{
	run_seed(t_arg);
}
