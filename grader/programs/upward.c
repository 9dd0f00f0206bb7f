/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lab 1, the walk upward against the walks downward.  Before part 1 a process's
 * end merges what it leaves behind into the shadow that remains, which is upward,
 * and gives up where somebody is on his way down.  Here one process ends, and
 * meanwhile another one, on another CPU, does one thing over and over with the
 * memory they share: did the walk upward ever have to give up?
 */

#include <sched.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "t.h"

#define NPAGES 32
#define ROUNDS 100

static char *p;

/* Rounds of a child that ends while this process does something. */
static void
race(const char *what, void (*something)(int i))
{
	long gave = t_vmstat("v_upward_giveup");
	volatile char *flag = t_map_shared(1);
	int round, i, status;
	pid_t pid;

	p = t_map(NPAGES);
	for (round = 0; round < ROUNDS; round++) {
		for (i = 0; i < NPAGES; i++)
			p[i * PAGE] = 1;
		*flag = 0;
		pid = t_fork();
		if (pid == 0) {
			for (i = 0; i < NPAGES / 2; i++)
				p[i * PAGE] = 2;
			*flag = 1;
			while (*flag == 1)
				sched_yield();
			_exit(0);
		}
		p[(NPAGES - 1) * PAGE] = 3;
		while (*flag == 0)
			sched_yield();
		*flag = 2;
		for (i = 0; waitpid(pid, &status, WNOHANG) == 0; i++)
			something(i);
	}
	say("%s = %s\n", what,
	    t_vmstat("v_upward_giveup") > gave ? "yes" : "no");
}

static void
nothing(int i)
{
	(void)i;
}

static void
reads(int i)
{
	(void)*(volatile char *)(p + i % NPAGES * PAGE);
}

static void
writes(int i)
{
	p[i % NPAGES * PAGE] = 4;
}

TEST(smp_nothing)
{
	race("nothing", nothing);
}

TEST(smp_read)
{
	race("read", reads);
}

TEST(smp_write)
{
	race("write", writes);
}
