/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The programs whose pictures are in the book.  At each step they print what
 * the step is and, for each living process, the line of /proc/PID/vm for their
 * eight pages; a program whose name ends with "events" prints the VM events
 * between its steps as well.
 */

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "t.h"

#define NPAGES	 8
#define MAXPROCS 8

static char *const region = (char *)0x10000000;

static struct {
	const char *name;
	pid_t pid;
} procs[MAXPROCS];
static int nprocs;
static char text[1 << 20];

static void
living(const char *name, pid_t pid)
{
	procs[nprocs].name = name;
	procs[nprocs++].pid = pid;
}

static void
gone(pid_t pid)
{
	int i, j = 0;

	for (i = 0; i < nprocs; i++)
		if (procs[i].pid != pid)
			procs[j++] = procs[i];
	nprocs = j;
}

/* Prints the lines of a process that lie in the region. */
static void
show(const char *name, pid_t pid)
{
	static const char here[] = "{\"entry\":{\"start\":\"0x1000";
	char path[32], *line, *next;

	snprintf(path, sizeof(path), "/proc/%d/vm", (int)pid);
	if (t_read_text(path, text, sizeof(text)) < 0)
		return;
	for (line = text; *line != '\0'; line = next) {
		next = strchr(line, '\n') + 1;
		if (memcmp(line, here, strlen(here)) == 0)
			say("proc %s\t%.*s", name, (int)(next - line), line);
	}
}

/* One step: what was done, and how everything is now. */
static void
step(const char *what)
{
	int i;

	say("step %s\n", what);
	for (i = 0; i < nprocs; i++)
		show(procs[i].name, procs[i].pid);
}

/* Prints the VM events since the last call. */
static void
events(int print)
{
	static long last;
	long seq = last;
	char *line, *next;

	if (t_read_text("/proc/trace", text, sizeof(text)) < 0)
		return;
	for (line = text; *line != '\0'; line = next) {
		next = strchr(line, '\n') + 1;
		seq = atol(line);
		if (print && seq > last)
			say("event %.*s", (int)(next - line), line);
	}
	last = seq;
}

static void
begin(void)
{
	MUST(mmap(region, NPAGES * PAGE, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
	living("parent", getpid());
}

static void
touch(int from, int n)
{
	int i;

	for (i = from; i < from + n; i++)
		*(volatile char *)(region + i * PAGE) = getpid();
}

/* A child that writes pages when told, says so, and ends when told. */
struct child {
	int orders[2];
	struct gate done;
	pid_t pid;
};

static void
child_start(struct child *c, const char *name, int from, int n)
{
	char order;

	MUST(pipe(c->orders));
	gate_init(&c->done);
	c->pid = t_fork();
	if (c->pid == 0) {
		while (read(c->orders[0], &order, 1) == 1 && order == 'w') {
			touch(from, n);
			gate_open(&c->done);
		}
		t_exit();
	}
	living(name, c->pid);
}

static void
child_write(struct child *c)
{
	MUST(write(c->orders[1], "w", 1));
	gate_wait(&c->done);
}

static void
child_end(struct child *c)
{
	MUST(write(c->orders[1], "e", 1));
	t_reap(c->pid);
	gone(c->pid);
}

/* Fork, and both sides write; the child exits. */
TEST(fork)
{
	struct child c;

	begin();
	step("The parent maps eight pages.");
	touch(0, 3);
	step("It writes three of them.");
	child_start(&c, "child", 0, 1);
	step("It forks.");
	child_write(&c);
	step("The child writes the first page.");
	touch(1, 1);
	step("The parent writes the second page.");
	child_end(&c);
	step("The child exits.");
	touch(2, 1);
	step("The parent writes the third page.");
	child_start(&c, "second child", 0, 1);
	step("The parent forks again.");
	child_end(&c);
}

/* Children that exit without a write, while the parent rewrites all. */
TEST(survivor)
{
	struct child c, d;

	begin();
	touch(0, 8);
	child_start(&c, "first child", 0, 2);
	touch(0, 8);
	step("The parent has forked and rewritten its eight pages.");
	child_end(&c);
	step("The child exits without a write.");
	child_start(&d, "second child", 0, 2);
	touch(0, 8);
	step("The parent forks again and rewrites its pages.");
	child_end(&d);
	step("That child exits, too.");
}

/* Children that exit, and a parent that writes other pages each time. */
TEST(third)
{
	struct child c;

	begin();
	touch(0, 8);
	for (int i = 0; i < 4; i += 2) {
		child_start(&c, "child", 0, 1);
		touch(i, 2);
		child_end(&c);
	}
	step("The parent has forked twice, and written two pages each time.");
	child_start(&c, "third child", 0, 1);
	touch(4, 1);
	step("It forks a third time, and writes a page.");
	child_end(&c);
}

/* Three generations, of which the middle one goes. */
TEST(generations)
{
	struct gate made, gone_gate;
	pid_t pid, grandchild;
	int fd[2];

	begin();
	touch(0, 8);
	gate_init(&made);
	gate_init(&gone_gate);
	MUST(pipe(fd));
	pid = t_fork();
	if (pid == 0) {
		touch(0, 2);
		grandchild = t_fork();
		if (grandchild == 0) {
			touch(2, 2);
			gate_open(&made);
			gate_wait(&gone_gate);
			t_exit();
		}
		MUST(write(fd[1], &grandchild, sizeof(grandchild)));
		pause();
		_exit(0);
	}
	MUST(read(fd[0], &grandchild, sizeof(grandchild)));
	gate_wait(&made);
	living("child", pid);
	living("grandchild", grandchild);
	step("Each generation has written two pages of its own.");
	MUST(kill(pid, SIGKILL));
	t_wait(pid);
	gone(pid);
	step("The one in the middle exits.");
	gate_open(&gone_gate);
}

/* Two children keep the old object; the parent's hides all of it. */
TEST(bypass)
{
	struct child c, d, e;

	begin();
	touch(0, 8);
	child_start(&c, "first child", 0, 2);
	child_start(&d, "second child", 0, 2);
	child_write(&d);
	step("Two children, of which one has written two pages.");
	touch(0, 8);
	step("The parent has written all of its pages.");
	child_start(&e, "third child", 0, 2);
	step("The parent forks once more.");
	child_end(&e);
	child_end(&d);
	child_end(&c);
}

/* A line of daemons: each generation writes a page, and its parent ends. */
TEST(daemons)
{
	static const char *const name[] = {"first", "second", "third"};
	struct gate done, wrote;
	pid_t parent, pid;
	int gen;

	gate_init(&done);
	pid = t_fork();
	if (pid != 0) {
		t_reap(pid);
		gate_wait(&done);
		return;
	}
	begin();
	nprocs = 0;
	touch(0, 8);
	for (gen = 0; gen < 3; gen++) {
		gate_init(&wrote);
		parent = getpid();
		if (t_fork() != 0) {
			gate_wait(&wrote);
			t_exit();
		}
		touch(gen, 1);
		gate_open(&wrote);
		t_gone(parent);
		living(name[gen], getpid());
		step("A child has written a page, and its parent has ended.");
		nprocs = 0;
	}
	gate_open(&done);
	t_exit();
}

/* An object with one reference, a link, through which two processes look. */
TEST(deep)
{
	struct child c, d;

	begin();
	touch(0, 8);
	child_start(&c, "first child", 0, 1);
	child_write(&c);
	touch(1, 1);
	child_start(&d, "second child", 2, 1);
	step("The parent has a child, has written a page, and has forked "
	     "again.");
	child_end(&c);
	step("The first child exits.");
	child_end(&d);
}

/* A child ends only when the next one lives; the parent writes pages by turns. */
TEST(overlap)
{
	static const char *const name[] = {
	    "first", "second", "third", "fourth"};
	struct child c[4];

	begin();
	touch(0, 8);
	child_start(&c[0], name[0], 0, 0);
	for (int i = 1; i < 4; i++) {
		touch(i % 2, 1);
		child_start(&c[i], name[i], 0, 0);
		child_end(&c[i - 1]);
	}
	step(
	    "The parent has forked four times, with a page written between two "
	    "forks; each child but the last has ended, after the next one's "
	    "birth.");
	child_end(&c[3]);
	child_start(&c[0], "fifth", 0, 0);
	step("The fourth has ended, too; then the parent forks again.");
	child_end(&c[0]);
}

/* What is the only user's again can be unmapped in part. */
TEST(repair)
{
	struct child c;

	begin();
	touch(0, 8);
	child_start(&c, "child", 0, 1);
	child_end(&c);
	step("The parent has forked, and its child has ended.");
	touch(0, 1);
	step("It writes a page.");
	MUST(munmap(region + 4 * PAGE, 4 * PAGE));
	step("It unmaps half of its pages.");
}

/* An entry that is clipped, and forked: split. */
TEST(split)
{
	struct child c;

	begin();
	touch(0, 8);
	step("Eight pages in one entry, one object.");
	MUST(mprotect(region + 2 * PAGE, 2 * PAGE, PROT_READ));
	step("Two pages in the middle become read-only.");
	child_start(&c, "child", 0, 1);
	step("A fork.");
	child_end(&c);
}

/* The other way round: forked and written first, then clipped; and again. */
TEST(clip)
{
	struct child c, d;

	begin();
	touch(0, 8);
	child_start(&c, "child", 0, 1);
	touch(0, 1);
	step("The parent has forked and written its first page.");
	MUST(mprotect(region + 2 * PAGE, 2 * PAGE, PROT_READ));
	step("It makes two pages in the middle read-only.");
	child_start(&d, "second child", 0, 1);
	touch(5, 1);
	child_end(&d);
	step("After another fork it has written its sixth page.");
	child_end(&c);
}

/* What happens, event by event, in a fork with a write and an exit. */
TEST(events)
{
	struct child c;

	begin();
	touch(0, 2);
	child_start(&c, "child", 0, 1);
	child_write(&c);
	child_end(&c);
	/* All pages of this program and its libraries are there by now. */
	MUST(munmap(region, NPAGES * PAGE));
	nprocs = 0;
	step("Nothing is mapped.");
	events(0);
	begin();
	events(1);
	step("The program maps eight pages.");
	events(0);
	touch(0, 2);
	events(1);
	step("It writes two of them.");
	events(0);
	child_start(&c, "child", 0, 1);
	events(1);
	step("It forks.");
	events(0);
	child_write(&c);
	events(1);
	step("The child writes the first page.");
	events(0);
	touch(1, 1);
	events(1);
	step("The parent writes the second page.");
	events(0);
	child_end(&c);
	events(1);
	step("The child exits.");
}
