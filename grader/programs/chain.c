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
	long depth = t_depth(0, addr);
	int i;

	say("%s: depth %ld", what, depth);
	for (i = 0; i <= depth; i++)
		say(" [%ld pages, refs %ld, shadows %ld]",
		    t_field(0, addr, "resident", i),
		    t_field(0, addr, "refs", i),
		    t_field(0, addr, "shadows", i));
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
	long cow;
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
	touch(p, 0, 16);
	say("%ld copies\n", t_vmstat("v_cow_faults") - cow);
	show("parent", p);
}

/* Counts of the faults: zero-fills and copies, each exactly once. */
TEST(fault_counts)
{
	char *p = t_map(16);
	struct gate go;
	long cow, zfod;
	pid_t pid;

	gate_init(&go);
	t_vmstat("v_zfod"); /* its own buffer is filled here */
	zfod = t_vmstat("v_zfod");
	touch(p, 0, 16);
	say("%ld zero-fills\n", t_vmstat("v_zfod") - zfod);
	pid = t_fork();
	if (pid == 0) {
		gate_wait(&go);
		t_exit();
	}
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
	int fd;

	t_fill(buf, sizeof(buf), 1);
	fd = t_file("cf", buf, sizeof(buf));
	p = (char *)MUST(mmap(NULL, sizeof(buf), RW, MAP_PRIVATE, fd, 0));
	say("depth %ld\n", t_depth(0, p));
	touch(p, 1, 2);
	say("depth %ld, %ld pages\n", t_depth(0, p),
	    t_field(0, p, "resident", 0));
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
	struct gate go, ready;
	char *p = t_map(6);
	pid_t pid;

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
	say("child: depth %ld, front %ld, below %ld\n", t_depth(pid, p),
	    t_field(pid, p, "resident", 0), t_field(pid, p, "resident", 1));
	say("one object below both: %d\n",
	    t_field(pid, p, "id", 1) == t_field(0, p, "id", 0));
	gate_open(&go);
	t_reap(pid);
}
