/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rows: as many processes as CPUs fault on one and the same memory.
 *
 * Under -icount QEMU runs the CPUs in turns, a PAUSE ends a turn, and the clock
 * counts all their instructions: what is measured is work, not waiting.
 */
#include <sched.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bench.h"

#define FAULTS 256L
#define STEP   16L /* a fault may map its neighbours, but there are none */

static struct gate {
	volatile int ready, go, done;
} * gate;

/* This thread runs on that CPU alone. */
void
own_cpu(long cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((int)cpu, &set);
	MUST(sched_setaffinity(0, sizeof(set), &set));
}

static void
faults(char *p, long step, int write)
{
	volatile char *at = p;

	for (long i = 0; i < FAULTS; i++, at += step * PAGE) {
		if (write)
			*at = 1;
		else
			(void)*at;
		cpu_pause();
	}
	__sync_fetch_and_add(&gate->done, 1);
	while (gate->done < ncpus)
		cpu_pause();
}

/* A process on each CPU; all of them fault at once. */
static void
all_fault(char *p, long step, int write)
{
	long pid[64];

	gate = (struct gate *)map_shared(1);
	gate->ready = gate->go = gate->done = 0;
	own_cpu(0);
	for (int cpu = 1; cpu < ncpus; cpu++) {
		pid[cpu] = MUST(fork());
		if (pid[cpu] == 0) {
			own_cpu(cpu);
			__sync_fetch_and_add(&gate->ready, 1);
			while (gate->go == 0)
				cpu_pause();
			faults(p, step, write);
			_exit(0);
		}
	}
	while (gate->ready < ncpus - 1)
		cpu_pause();
	row_begin();
	TIMED_AS(FAULTS * ncpus, {
		gate->go = 1;
		faults(p, step, write);
	});
	row_end();
	for (int cpu = 1; cpu < ncpus; cpu++)
		reap(pid[cpu]);
	munmap(gate, PAGE);
}

static void
storm(long write)
{
	char *p = map_shared(FAULTS * STEP);
	long pid;

	/* In memory, but mapped nowhere: a fault by another process. */
	pid = MUST(fork());
	if (pid == 0) {
		touch(p, FAULTS * STEP, STEP);
		_exit(0);
	}
	reap(pid);
	all_fault(p, STEP, (int)write);
	munmap(p, FAULTS * STEP * PAGE);
}

/* The pages that the ancestors have: all write, and each gets copies. */
static void
all_copy(char *p, long pages, long step)
{
	(void)pages;
	all_fault(p, step, 1);
}

static void
storm_cow(long depth)
{
	behind(depth, all_copy);
}

const struct row bench_storm[] = {
    {"storm_read", STORM, "fault", storm, 0,
	"read faults of all CPUs on shared memory", 0},
    {"storm_write", STORM, "fault", storm, 1,
	"write faults of all CPUs on shared memory", 0},
    {"storm_cow", STORM, "fault", storm_cow, 4,
	"all CPUs copy on write, 4 objects or ancestors back", 0},
    {0},
};
