/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of the yardstick share.
 *
 * The program runs as process 1 on Nymph and on Linux, the same binary. Under
 * QEMU's -icount rdtsc counts instructions: SHIFT bits to the left, of all CPUs
 * together, and nothing else moves it but idle time, which is taken out where
 * the kernel tells of it.
 *
 * A row times one kind of operation, over and over. What it prepares stands
 * before row_begin(), what it clears away after row_end(), and between the two
 * there is nothing but timed operations, so that the kernel's counters, read in
 * both, belong to them as well.
 */
#ifndef BENCH_H
#define BENCH_H

#include <stdint.h>

#define PAGE  4096L
#define PAGES 1024L /* of the memory that most rows are about */

/* The boots, since what a kernel is told at boot concerns all rows of it. */
enum boot {
	USUAL,	/* as a user has it */
	SINGLE, /* a fault maps its own page alone */
	STORM,	/* several CPUs */
	SWAP,	/* little memory, and swap */
	PAGING, /* the same, on several CPUs, with a slow disk */
};

struct row {
	const char *name;
	enum boot boot;
	const char *per;   /* what is counted: "page", "call" */
	void (*run)(long); /* prepares, times, clears away */
	long arg;
	const char *what; /* what an operation is */
	int nymph;	  /* means nothing on Linux */
};
extern const struct row bench_memory[], bench_process[], bench_storm[];
extern const struct row bench_page[];

extern int on_nymph;
extern int ncpus;

/*
 * Marks for grader/bench/plugin.c: no-ops with a number inside. The plugin
 * counts between ON and OFF, and begins anew at ROW.
 */
#define MARK(n)                                                               \
	__asm__ __volatile__(".byte 0x0f, 0x1f, 0x80, " #n ", 'm', 'y', 'N' " \
			     :                                                \
			     :                                                \
			     : "memory")
#define MARK_ROW() MARK(1)
#define MARK_ON()  MARK(2)
#define MARK_OFF() MARK(3)

/* Instructions since the start, SHIFT bits to the left. */
static inline uint64_t
cycles(void)
{
	uint32_t lo, hi;

	__asm__ __volatile__("rdtsc" : "=a"(lo), "=d"(hi) : : "memory");
	return (uint64_t)hi << 32 | lo;
}

static inline void
cpu_pause(void)
{
	__asm__ __volatile__("pause" : : : "memory");
}

void row_begin(void);
void row_sample(uint64_t cycles);
void row_samples(uint64_t cycles, long operations);
void row_end(void);
void row_forget(void); /* all samples so far: they were for warming up */

/* Times one operation. */
#define TIMED(operation)               \
	do {                           \
		uint64_t t0_, t1_;     \
		MARK_ON();             \
		t0_ = cycles();        \
		operation;             \
		t1_ = cycles();        \
		MARK_OFF();            \
		row_sample(t1_ - t0_); \
	} while (0)

/* Times many at once. */
#define TIMED_AS(n, operations)              \
	do {                                 \
		uint64_t t0_, t1_;           \
		MARK_ON();                   \
		t0_ = cycles();              \
		operations;                  \
		t1_ = cycles();              \
		MARK_OFF();                  \
		row_samples(t1_ - t0_, (n)); \
	} while (0)

/* A call that must not fail: otherwise the row ends the program. */
#define MUST(call) must(#call, (long)(call))
long must(const char *what, long result);

char *map_private(long pages);
char *map_shared(long pages);
void touch(char *p, long pages, long step);
void reap(long pid);
void own_cpu(long cpu);
/* Does the work in a process PAGES of whose memory are so many ancestors back. */
void behind(long depth, void (*work)(char *p, long pages, long step));
void read_whole(const char *path, char *buf, unsigned long size);

#endif
