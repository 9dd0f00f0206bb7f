/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lab 1, one-way links: what goes with the links from an object to its shadows,
 * and what comes back without them.
 */

#include <sys/mman.h>
#include <unistd.h>

#include "t.h"

/* Writes pages, one byte each. */
static void
touch(char *p, int from, int n, int value)
{
	int i;

	for (i = from; i < from + n; i++)
		p[i * PAGE] = value;
}

/* Do pages hold what touch() wrote? */
static int
holds(const char *p, int from, int n, int value)
{
	int i;

	for (i = from; i < from + n; i++)
		if (p[i * PAGE] != value)
			return 0;
	return 1;
}

/* A child that writes n pages of p, and ends when its gate opens. */
static pid_t
writer(char *p, int n, struct gate *go)
{
	struct gate done;
	pid_t pid;

	gate_init(go);
	gate_init(&done);
	pid = t_fork();
	if (pid == 0) {
		touch(p, 0, n, 2);
		gate_open(&done);
		gate_wait(go);
		t_exit();
	}
	gate_wait(&done);
	gate_close(&done);
	return pid;
}

static void
end(pid_t pid, struct gate *go)
{
	gate_open(go);
	t_reap(pid);
	gate_close(go);
}

/* Ends of processes that leave one user of an object behind: nothing walks up
 * from it. */
TEST(upward)
{
	long up = t_vmstat("v_upward"), gave = t_vmstat("v_upward_giveup");
	char *p = t_map(16);
	struct gate go;
	pid_t pid;
	int i;

	touch(p, 0, 16, 1);
	for (i = 0; i < 20; i++) {
		pid = writer(p, 4, &go);
		touch(p, 4, 4, 3);
		end(pid, &go);
	}
	say("%ld walks upward, %ld given up\n", t_vmstat("v_upward") - up,
	    t_vmstat("v_upward_giveup") - gave);
}

/* Exclusive tokens of a child's end, which has shadows of eight objects that its
 * parent has shadows of, too: more it takes where ends walk upward (98),
 * and fewer elsewhere. */
#define REGIONS 8
#define BEFORE	82

TEST(tokens)
{
	long *begun = (long *)t_map_shared(1);
	char *p[REGIONS];
	struct gate done, go;
	pid_t pid;
	int i;

	for (i = 0; i < REGIONS; i++) {
		p[i] = t_map(4);
		touch(p[i], 0, 4, 1);
	}
	gate_init(&go);
	gate_init(&done);
	pid = t_fork();
	if (pid == 0) {
		for (i = 0; i < REGIONS; i++)
			touch(p[i], 0, 4, 2);
		gate_open(&done);
		gate_wait(&go);
		t_tokens("exclusive"); /* its own buffer is copied here */
		*begun = t_tokens("exclusive");
		t_exit();
	}
	gate_wait(&done);
	for (i = 0; i < REGIONS; i++)
		touch(p[i], 0, 4, 3);
	end(pid, &go);
	gate_close(&done);
	say("%s than %d exclusive tokens\n",
	    t_tokens("children_exclusive") - *begun < BEFORE ? "fewer"
							     : "not fewer",
	    BEFORE);
}

/* A thousand forks, in which now the one and now the other writes or ends
 * first: every generation finds what it should, and nothing stays behind. */
TEST(forks)
{
	char *p = t_map(8);
	struct gate go;
	pid_t pid;
	int i;

	touch(p, 0, 8, 1);
	for (i = 0; i < 1000; i++) {
		if (i % 3 == 0) {
			pid = writer(p, i % 8, &go);
			touch(p, i % 8, 1, 1);
			end(pid, &go);
		} else {
			pid = t_fork();
			if (pid == 0) {
				EXPECT(1, holds(p, 0, 8, 1));
				touch(p, 0, i % 8, 2);
				t_exit();
			}
			if (i % 3 == 1)
				touch(p, i % 8, 1, 1);
			t_reap(pid);
		}
	}
	EXPECT(1, holds(p, 0, 8, 1));
}

/* The copies that a survivor's writes cost after the other one's end. */
TEST(copies)
{
	char *p = t_map(16);
	struct gate go;
	long copies;
	pid_t pid;

	touch(p, 0, 16, 1);
	pid = writer(p, 0, &go);
	touch(p, 0, 8, 3);
	end(pid, &go);
	t_vmstat("v_cow_faults");
	copies = t_vmstat("v_cow_faults");
	touch(p, 0, 16, 4);
	say("copies = %ld\n", t_vmstat("v_cow_faults") - copies);
}

/* How many pages the front object behind p has. */
static long
resident(const char *p)
{
	struct t_object chain[1];

	return t_chain(0, p, chain, 1) > 0 ? chain[0].resident : -1;
}

/* Fork, wait, write a page, unmap half: those pages are free again. */
TEST(unmap)
{
	char *p = t_map(64);
	pid_t pid;

	touch(p, 0, 64, 1);
	pid = t_fork();
	if (pid == 0)
		t_exit();
	t_reap(pid);
	touch(p, 0, 1, 3);
	MUST(munmap(p + 32 * PAGE, 32 * PAGE));
	say("%ld pages\n", resident(p));
	EXPECT(1, holds(p, 1, 31, 1));
}

/* The same again and again, with new pages in the gap. */
TEST(unmap_again)
{
	char *p = t_map(64);
	pid_t pid;
	int i;

	for (i = 0; i < 20; i++) {
		touch(p, 0, 64, 1);
		pid = t_fork();
		if (pid == 0)
			t_exit();
		t_reap(pid);
		touch(p, i, 1, 3);
		MUST(munmap(p + 40 * PAGE, 24 * PAGE));
		say("%ld ", resident(p));
		MUST(mmap(p + 40 * PAGE, 24 * PAGE, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
	}
	say("\n");
}

/* While the child lives, what the parent unmaps is still the child's. */
TEST(unmap_shared)
{
	char *p = t_map(64);
	struct gate go, done;
	pid_t pid;

	gate_init(&go);
	gate_init(&done);
	touch(p, 0, 64, 1);
	pid = t_fork();
	if (pid == 0) {
		gate_wait(&go);
		EXPECT(1, holds(p, 0, 64, 1));
		t_exit();
	}
	touch(p, 0, 1, 3);
	MUST(munmap(p + 32 * PAGE, 32 * PAGE));
	gate_open(&go);
	t_reap(pid);
	say("%ld page of the parent's own\n", resident(p));
}

/* And what the child unmaps is still the parent's, who has written and so shows
 * the object that is the child's front through his own. */
TEST(unmap_child)
{
	char *p = t_map(64);
	struct gate go;
	pid_t pid;

	gate_init(&go);
	touch(p, 0, 64, 1);
	pid = t_fork();
	if (pid == 0) {
		gate_wait(&go);
		MUST(munmap(p + 32 * PAGE, 16 * PAGE));
		MUST(munmap(p + 48 * PAGE, 16 * PAGE));
		t_exit();
	}
	touch(p, 0, 1, 3);
	gate_open(&go);
	t_reap(pid);
	EXPECT(1, holds(p, 1, 63, 1));
	say("%ld page of the parent's own\n", resident(p));
}

/* The object deep in a chain has one reference, but two processes see it. */
TEST(unmap_deep)
{
	char *p = t_map(64);
	struct gate go;
	pid_t pid, other;

	touch(p, 0, 64, 1);
	pid = writer(p, 4, &go);
	touch(p, 8, 4, 3); /* now each has an object over the first */
	gate_open(&go);
	t_reap(pid); /* and one has gone */
	gate_close(&go);
	gate_init(&go);
	other = t_fork();
	if (other == 0) {
		gate_wait(&go);
		EXPECT(1, holds(p, 32, 32, 1));
		EXPECT(1, holds(p, 8, 4, 3));
		t_exit();
	}
	touch(p, 0, 1, 4);
	MUST(munmap(p + 8 * PAGE, 56 * PAGE));
	gate_open(&go);
	t_reap(other);
	say("%ld page of the parent's own\n", resident(p));
}

/* Shared memory's pages stay, whoever unmaps them. */
TEST(unmap_again_shared)
{
	char *p = t_map_shared(16);
	pid_t pid;

	touch(p, 0, 16, 1);
	pid = t_fork();
	if (pid == 0)
		t_exit();
	t_reap(pid);
	touch(p, 0, 1, 3);
	MUST(munmap(p + 8 * PAGE, 8 * PAGE));
	say("%ld pages\n", resident(p));
}
