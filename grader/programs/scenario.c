/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Five ways for a family of processes to fork and write.  After each
 * generation the survivor's chain is read: its depth, and the resident pages
 * of all objects that the living generations have on their chains.
 *
 *  A  the parent rewrites all pages while the child lives, then that exits
 *  B  the same with 100 of the pages
 *  C  the child exits before the parent writes
 *  D  a line of daemons: the child writes 100 pages, then its parent exits
 *  E  as D, but all ancestors stay alive
 */

#include <stdlib.h>
#include <unistd.h>

#include "t.h"

#define NPAGES 1000
#define NGEN   12
#define SOME   100
#define MAXIDS 64

static char *region;
static pid_t line[NGEN + 1]; /* the generations that are alive */
static int nline;

/* Writes some pages, each in one place. */
static void
touch(int from, int n, int value)
{
	int i;

	for (i = from; i < from + n; i++)
		*(volatile char *)(region + (i % NPAGES) * PAGE) = value;
}

/*
 * Prints depth and resident pages, counting an object once however many of the
 * generations have it on their chain.
 */
static void
report(char name, int gen)
{
	static long ids[MAXIDS];
	struct t_object chain[T_CHAIN];
	long total = 0;
	int i, j, k, len = -1, n = 0;

	/* The caller is the last one of the line. */
	for (i = 0; i < nline; i++) {
		len = t_chain(line[i], region, chain, T_CHAIN);
		for (k = 0; k < len; k++) {
			for (j = 0; j < n && ids[j] != chain[k].id; j++)
				continue;
			if (j < n || n == MAXIDS)
				continue;
			ids[n++] = chain[k].id;
			total += chain[k].resident;
		}
	}
	say("%c %d: %d/%ld\n", name, gen, len - 1, total);
}

/* Makes the region and fills it; this process is the first generation. */
static void
begin(void)
{
	region = t_map(NPAGES);
	touch(0, NPAGES, 1);
	line[0] = getpid();
	nline = 1;
}

/* A and B: a child that lives while its parent writes n pages. */
static void
written_while_alive(char name, int n)
{
	struct gate go;
	pid_t pid;
	int gen;

	begin();
	gate_init(&go);
	for (gen = 1; gen <= NGEN; gen++) {
		pid = t_fork();
		if (pid == 0) {
			gate_wait(&go);
			t_exit();
		}
		touch(0, n, gen);
		gate_open(&go);
		t_reap(pid);
		report(name, gen);
	}
}

TEST(A)
{
	written_while_alive('A', NPAGES);
}

TEST(B)
{
	written_while_alive('B', SOME);
}

TEST(C)
{
	long copies;
	pid_t pid;
	int gen;

	begin();
	for (gen = 1; gen <= NGEN; gen++) {
		pid = t_fork();
		if (pid == 0)
			t_exit();
		t_reap(pid);
		copies = t_vmstat("v_cow_faults");
		touch(0, NPAGES, gen);
		copies = t_vmstat("v_cow_faults") - copies;
		report('C', gen);
		EXPECT(0, copies);
	}
}

TEST(D)
{
	struct gate done, wrote[NGEN + 1];
	pid_t parent, pid;
	int gen;

	gate_init(&done);
	for (gen = 1; gen <= NGEN; gen++)
		gate_init(&wrote[gen]);
	pid = t_fork();
	if (pid != 0) {
		t_reap(pid);
		gate_wait(&done);
		return;
	}
	begin();
	for (gen = 1; gen <= NGEN; gen++) {
		parent = getpid();
		pid = t_fork();
		if (pid != 0) {
			gate_wait(&wrote[gen]);
			t_exit(); /* init takes it from here */
		}
		touch(SOME * (gen - 1), SOME, gen + 1);
		gate_open(&wrote[gen]);
		t_gone(parent);
		line[0] = getpid();
		report('D', gen);
	}
	gate_open(&done);
	t_exit();
}

TEST(E)
{
	pid_t pid;
	int gen;

	begin();
	for (gen = 1; gen <= NGEN; gen++) {
		pid = t_fork();
		if (pid != 0) {
			t_reap(pid);
			if (nline > 1)
				t_exit();
			return;
		}
		touch(SOME * (gen - 1), SOME, gen + 1);
		line[nline++] = getpid();
		report('E', gen);
	}
	t_exit();
}
