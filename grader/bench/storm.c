/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rows: as many processes as CPUs fault on one and the same shared memory.
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

/* A process for each CPU, which has it for itself. */
static void
own_cpu(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	MUST(sched_setaffinity(0, sizeof(set), &set));
}

static void
faults(char *p, int write)
{
	volatile char *at = p;

	for (long i = 0; i < FAULTS; i++, at += STEP * PAGE) {
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

static void
storm(long write)
{
	char *p = map_shared(FAULTS * STEP);
	long pid[64];

	gate = (struct gate *)map_shared(1);
	gate->ready = gate->go = gate->done = 0;
	/* In memory, but mapped nowhere: a fault by another process. */
	pid[0] = MUST(fork());
	if (pid[0] == 0) {
		touch(p, FAULTS * STEP, STEP);
		_exit(0);
	}
	reap(pid[0]);
	own_cpu(0);
	for (int cpu = 1; cpu < ncpus; cpu++) {
		pid[cpu] = MUST(fork());
		if (pid[cpu] == 0) {
			own_cpu(cpu);
			__sync_fetch_and_add(&gate->ready, 1);
			while (gate->go == 0)
				cpu_pause();
			faults(p, (int)write);
			_exit(0);
		}
	}
	while (gate->ready < ncpus - 1)
		cpu_pause();
	row_begin();
	TIMED_AS(FAULTS * ncpus, {
		gate->go = 1;
		faults(p, (int)write);
	});
	row_end();
	for (int cpu = 1; cpu < ncpus; cpu++)
		reap(pid[cpu]);
	munmap(p, FAULTS * STEP * PAGE);
	munmap(gate, PAGE);
}

const struct row bench_storm[] = {
    {"storm_read", STORM, "fault", storm, 0,
	"read faults of all CPUs on shared memory", 0},
    {"storm_write", STORM, "fault", storm, 1,
	"write faults of all CPUs on shared memory", 0},
    {0},
};
