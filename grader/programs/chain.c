/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What only Nymph can show: the objects behind the memory, as /proc/PID/vm
 * prints them.  The expected output of these tests is kept in grader/expect.
 */

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "t.h"

#define RW (PROT_READ | PROT_WRITE)

/* Prints the chain at an address: resident, refs and shadows a level. */
static void
show(const char *what, const void *addr)
{
	struct t_object chain[T_CHAIN];
	int n = t_chain(0, addr, chain, T_CHAIN), i;

	say("%s: depth %d", what, n - 1);
	for (i = 0; i < n; i++)
		say(" [%ld pages, refs %ld, shadows %ld]", chain[i].resident,
		    chain[i].refs, chain[i].shadows);
	say("\n");
}

/* Touches pages, one byte each. */
static void
touch(char *p, int from, int n)
{
	int i;

	for (i = from; i < from + n; i++)
		p[i * PAGE] = i + 1;
}

/* An entry has no object before the first touch, and then just one. */
TEST(first_touch)
{
	char *p = t_map(8);

	show("fresh", p);
	touch(p, 0, 3);
	show("three", p);
	touch(p, 0, 8);
	show("eight", p);
}

/* A fork adds a reference; the first write after it puts an object on top. */
TEST(fork_and_write)
{
	struct gate go, done;
	char *p = t_map(8);
	pid_t pid;

	gate_init(&go);
	gate_init(&done);
	touch(p, 0, 8);
	show("before", p);
	pid = t_fork();
	if (pid == 0) {
		show("child", p);
		touch(p, 0, 2);
		show("child wrote two", p);
		gate_open(&done);
		gate_wait(&go);
		t_exit();
	}
	gate_wait(&done);
	show("parent", p);
	touch(p, 4, 3);
	show("parent wrote three", p);
	gate_open(&go);
	t_reap(pid);
	show("child gone", p);
}

/* The child's exit merges: no page is copied for the parent's writes. */
TEST(exit_merges)
{
	char *p = t_map(16);
	long cow, shadows;
	pid_t pid;

	touch(p, 0, 16);
	pid = t_fork();
	if (pid == 0) {
		touch(p, 0, 16);
		t_exit();
	}
	t_reap(pid);
	t_vmstat("v_cow_faults"); /* its own buffer is copied here */
	cow = t_vmstat("v_cow_faults");
	shadows = t_vmstat("v_shadow");
	touch(p, 0, 16);
	shadows = t_vmstat("v_shadow") - shadows;
	say("%ld copies, %ld objects\n", t_vmstat("v_cow_faults") - cow,
	    shadows);
	show("parent", p);
}

/* Counts of the faults: zero-fills and copies, each exactly once. */
TEST(fault_counts)
{
	char *p = t_map(16);
	struct gate own, ready, go;
	long cow, zfod;
	pid_t pid;

	gate_init(&own);
	gate_init(&ready);
	gate_init(&go);
	t_vmstat("v_zfod"); /* its own buffer is filled here */
	zfod = t_vmstat("v_zfod");
	touch(p, 0, 16);
	say("%ld zero-fills\n", t_vmstat("v_zfod") - zfod);
	pid = t_fork();
	if (pid == 0) {
		/* What it will copy of its own, it copies before it is ready. */
		gate_open(&own);
		gate_wait(&own);
		gate_open(&ready);
		gate_wait(&go);
		t_exit();
	}
	gate_wait(&ready);
	t_vmstat("v_cow_faults");
	cow = t_vmstat("v_cow_faults");
	touch(p, 0, 10);
	touch(p, 0, 10);
	say("%ld copies\n", t_vmstat("v_cow_faults") - cow);
	gate_open(&go);
	t_reap(pid);
}

/* Unmapping part of an object that nobody shares frees those pages. */
TEST(partial_unmap)
{
	char *p = t_map(16);

	touch(p, 0, 16);
	MUST(munmap(p + 8 * PAGE, 4 * PAGE));
	show("head", p);
	show("tail", p + 12 * PAGE);
	MUST(mmap(p + 8 * PAGE, 4 * PAGE, RW,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
	touch(p, 8, 2);
	show("new middle", p + 8 * PAGE);
}

/* The child has gone, and what it shared is the parent's alone again. */
TEST(unmap_after_fork)
{
	char *p = t_map(16);
	pid_t pid;

	touch(p, 0, 16);
	pid = t_fork();
	if (pid == 0)
		t_exit();
	t_reap(pid);
	MUST(munmap(p + 8 * PAGE, 4 * PAGE));
	show("head", p);
}

/* An object clipped over several entries: a fork gives each entry its own. */
TEST(split_at_fork)
{
	char *p = t_map(12);
	pid_t pid;

	touch(p, 0, 12);
	MUST(mprotect(p + 4 * PAGE, 4 * PAGE, PROT_READ));
	show("clipped", p);
	pid = t_fork();
	if (pid == 0)
		t_exit();
	t_reap(pid);
	show("low", p);
	show("middle", p + 4 * PAGE);
	show("high", p + 8 * PAGE);
}

/* The child covers all of its parent's pages: the grandparent is next. */
TEST(bypass)
{
	char *p = t_map(8);
	pid_t pid;

	touch(p, 0, 8);
	pid = t_fork();
	if (pid == 0) {
		touch(p, 0, 4);
		pid = t_fork();
		if (pid == 0) {
			touch(p, 0, 4);
			show("covered", p);
			pid = t_fork();
			if (pid == 0)
				t_exit();
			t_reap(pid);
			show("after a fork", p);
			t_exit();
		}
		t_reap(pid);
		t_exit();
	}
	t_reap(pid);
}

/* Shared memory is one object with a reference a process, never shadowed. */
TEST(shared)
{
	char *p = t_map_shared(4);
	pid_t pid;

	touch(p, 0, 4);
	show("alone", p);
	pid = t_fork();
	if (pid == 0) {
		touch(p, 0, 4);
		show("child", p);
		t_exit();
	}
	t_reap(pid);
	show("alone again", p);
}

/* A private file mapping: the file's object below, the written pages above. */
TEST(file)
{
	char buf[4 * PAGE], *p;
	struct t_object chain[2];
	int fd, n;

	t_fill(buf, sizeof(buf), 1);
	fd = t_file("cf", buf, sizeof(buf));
	p = (char *)MUST(mmap(NULL, sizeof(buf), RW, MAP_PRIVATE, fd, 0));
	say("depth %ld\n", t_depth(0, p));
	touch(p, 1, 2);
	n = t_chain(0, p, chain, 2);
	say("depth %d, %ld pages\n", n - 1, chain[0].resident);
	MUST(munmap(p, sizeof(buf)));
	MUST(close(fd));
	MUST(unlink("cf"));
}

/* MADV_DONTNEED gives the pages back. */
TEST(dontneed)
{
	char *p = t_map(16);

	touch(p, 0, 16);
	MUST(madvise(p, 16 * PAGE, MADV_DONTNEED));
	show("given back", p);
	touch(p, 3, 2);
	show("two again", p);
}

/* One process reads another's map, as the scenarios do. */
TEST(other_process)
{
	struct t_object mine[1], its[2] = {0};
	struct gate go, ready;
	char *p = t_map(6);
	pid_t pid;
	int n;

	gate_init(&go);
	gate_init(&ready);
	touch(p, 0, 6);
	pid = t_fork();
	if (pid == 0) {
		touch(p, 0, 2);
		gate_open(&ready);
		gate_wait(&go);
		t_exit();
	}
	gate_wait(&ready);
	t_chain(0, p, mine, 1);
	n = t_chain(pid, p, its, 2);
	say("child: depth %d, front %ld, below %ld\n", n - 1, its[0].resident,
	    its[1].resident);
	say("one object below both: %d\n", its[1].id == mine[0].id);
	gate_open(&go);
	t_reap(pid);
}
