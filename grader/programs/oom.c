/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * No memory and no swap: a process has to go. The boot is the one of swap.c,
 * with the small disk alone.
 */

#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "t.h"

/* The largest process goes, the others stay. */
TEST(three)
{
	long pages = 64 * MIB / PAGE, small = MIB / 2 / PAGE;
	char *mem = t_map(small);
	int status, i;
	pid_t pid;

	t_put_all(mem, small, 5);
	for (i = 0; i < 3; i++) {
		pid = t_fork();
		if (pid == 0) {
			mem = t_map(pages);
			t_put_all(mem, pages, 1);
			_exit(0);
		}
		MUST(waitpid(pid, &status, 0));
		say("%s\n", t_status(status));
		EXPECT(0, t_wrong(mem, small, 5));
	}
}

/* Writes pages, and looks at all again and again: they stay in memory. */
static void
keep(char *mem, long pages)
{
	for (long i = 0; i < pages; i++) {
		t_put(mem, i, 2);
		if (i % 64 == 63)
			EXPECT(0, t_wrong(mem, i + 1, 2));
	}
}

/* Two small processes and one large one, which is asleep, and on swap: it is the
 * one. */
TEST(largest)
{
	long pages = 10 * MIB / PAGE, small = 7 * MIB / 2 / PAGE;
	pid_t large, pid[2];
	struct gate ready, go;
	char *mem;
	int status, i;

	gate_init(&ready);
	gate_init(&go);
	large = t_fork();
	if (large == 0) {
		mem = t_map(pages);
		t_put_all(mem, pages, 1);
		gate_open(&ready);
		for (;;)
			pause();
	}
	gate_wait(&ready);
	for (i = 0; i < 2; i++) {
		pid[i] = t_fork();
		if (pid[i] == 0) {
			mem = t_map(small);
			keep(mem, small);
			gate_wait(&go);
			EXPECT(0, t_wrong(mem, small, 2));
			t_exit();
		}
	}
	MUST(waitpid(large, &status, 0));
	say("the large one: %s\n", t_status(status));
	for (i = 0; i < 2; i++)
		gate_open(&go);
	for (i = 0; i < 2; i++)
		t_reap(pid[i]);
}
