/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ten small scripts of forks, writes and exits, for lab 1's predictions: what
 * is the chain behind the memory afterwards?  Each prints its depth, and of the
 * lowest object the references and, before part 1, the shadows, as the lines of
 * the lab's predictions.txt.
 */

#include <sys/mman.h>
#include <unistd.h>

#include "t.h"

#define NPAGES 8

static char *p;		     /* the memory in question */
static volatile pid_t *pids; /* shared: who else there is */
static struct gate go[3], done[3];

/* Eight pages, all written, and gates for up to three other processes. */
static void
begin(void)
{
	int i;

	p = t_map(NPAGES);
	pids = (volatile pid_t *)t_map_shared(1);
	for (i = 0; i < NPAGES; i++)
		p[i * PAGE] = 1;
	for (i = 0; i < 3; i++) {
		gate_init(&go[i]);
		gate_init(&done[i]);
	}
}

/* The answers for a process (0: the caller). */
static void
answer(int script, pid_t pid)
{
	struct t_object chain[T_CHAIN];
	int n = t_chain(pid, p, chain, T_CHAIN);

	say("%d.depth = %d\n", script, n - 1);
	say("%d.refs = %ld\n", script, chain[n - 1].refs);
	say("%d.shadows = %ld\n", script, chain[n - 1].shadows);
}

/* A child that writes so many pages and then lives until its gate opens. */
static pid_t
child(int i, int writes)
{
	pid_t pid = t_fork();
	int k;

	if (pid == 0) {
		for (k = 0; k < writes; k++)
			p[k * PAGE] = 2;
		gate_open(&done[i]);
		gate_wait(&go[i]);
		t_exit();
	}
	gate_wait(&done[i]);
	return pid;
}

static void
end(int i, pid_t pid)
{
	gate_open(&go[i]);
	t_reap(pid);
}

TEST(1)
{
	begin();
	answer(1, 0);
}

TEST(2)
{
	pid_t pid;

	begin();
	pid = child(0, 0);
	answer(2, 0);
	end(0, pid);
}

TEST(3)
{
	pid_t pid;

	begin();
	pid = child(0, 1);
	answer(3, pid);
	end(0, pid);
}

TEST(4)
{
	pid_t pid;

	begin();
	pid = child(0, 1);
	p[0] = 3;
	answer(4, 0);
	end(0, pid);
}

TEST(5)
{
	pid_t pid;

	begin();
	pid = child(0, 1);
	p[0] = 3;
	end(0, pid);
	answer(5, 0);
}

TEST(6)
{
	pid_t pid;

	begin();
	pid = child(0, 0);
	end(0, pid);
	p[0] = 3;
	answer(6, 0);
}

TEST(7)
{
	pid_t one, two;

	begin();
	one = child(0, 1);
	two = child(1, 1);
	answer(7, two);
	end(0, one);
	end(1, two);
}

/* A child that wrote, and whose child wrote: returns the first one, while the
 * other is pids[0]. */
static pid_t
two_generations(void)
{
	pid_t pid = t_fork();

	if (pid == 0) {
		p[0] = 2;
		pids[0] = child(1, 2);
		gate_open(&done[0]);
		gate_wait(&go[0]);
		t_exit(); /* the grandchild stays */
	}
	gate_wait(&done[0]);
	return pid;
}

/* Ends the grandchild, whose parent has gone: it closes the line by its end. */
static void
end_orphan(void)
{
	gate_open(&go[1]);
	while (t_chain(pids[0], p, (struct t_object[1]){0}, 1) > 0)
		usleep(1000);
}

TEST(8)
{
	pid_t pid;

	begin();
	pid = two_generations();
	answer(8, pids[0]);
	end(0, pid);
	end_orphan();
}

TEST(9)
{
	pid_t pid;

	begin();
	pid = two_generations();
	end(0, pid);
	answer(9, pids[0]);
	end_orphan();
}

TEST(10)
{
	pid_t pid;

	/* The middle one has the memory, so that its end can be waited for. */
	pid = t_fork();
	if (pid == 0) {
		begin();
		pids[0] = getpid();
		pid = t_fork();
		if (pid != 0) {
			gate_wait(&done[0]);
			t_exit();
		}
		p[0] = 2;
		gate_open(&done[0]);
		while (t_chain(pids[0], p, (struct t_object[1]){0}, 1) > 0)
			usleep(1000);
		answer(10, 0);
		t_exit();
	}
	t_reap(pid);
	usleep(100000);
}
