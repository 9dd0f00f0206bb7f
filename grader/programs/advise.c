/* SPDX-License-Identifier: BSD-2-Clause */
/* madvise: what each piece of advice does to the contents. */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "t.h"

/* MADV_DONTNEED on private anonymous memory: zeroes from then on. */
TEST(dontneed)
{
	char *p = t_map(6);

	t_fill(p, 6 * PAGE, 1);
	MUST(madvise(p + 2 * PAGE, 2 * PAGE, MADV_DONTNEED));
	say("%08x %08x %08x\n", t_sum(p, 2 * PAGE),
	    t_sum(p + 2 * PAGE, 2 * PAGE), t_sum(p + 4 * PAGE, 2 * PAGE));
	t_fill(p + 2 * PAGE, PAGE, 2);
	say("%08x\n", t_sum(p, 6 * PAGE));
}

/*
 * The same after a fork: what was copied on write must not show through again,
 * and the other process keeps what it has.
 */
TEST(dontneed_cow)
{
	char *p = t_map(4);
	pid_t pid;

	t_fill(p, 4 * PAGE, 1);
	pid = t_fork();
	if (pid == 0) {
		t_fill(p, 2 * PAGE, 2);
		MUST(madvise(p + PAGE, 2 * PAGE, MADV_DONTNEED));
		say("child %08x %08x %08x %08x\n", t_sum(p, PAGE),
		    t_sum(p + PAGE, PAGE), t_sum(p + 2 * PAGE, PAGE),
		    t_sum(p + 3 * PAGE, PAGE));
		t_fill(p + PAGE, PAGE, 3);
		say("child %08x\n", t_sum(p, 4 * PAGE));
		t_exit();
	}
	t_reap(pid);
	say("parent %08x\n", t_sum(p, 4 * PAGE));
}

/* Shared anonymous memory keeps its contents: only the mapping forgets. */
TEST(dontneed_shared)
{
	char *p = t_map_shared(4);
	pid_t pid;

	t_fill(p, 4 * PAGE, 1);
	pid = t_fork();
	if (pid == 0) {
		MUST(madvise(p, 4 * PAGE, MADV_DONTNEED));
		say("child %08x\n", t_sum(p, 4 * PAGE));
		t_exit();
	}
	MUST(madvise(p, 4 * PAGE, MADV_DONTNEED));
	t_reap(pid);
	say("parent %08x\n", t_sum(p, 4 * PAGE));
}

/* A private file mapping goes back to what the file says. */
TEST(dontneed_file)
{
	char buf[2 * PAGE], *p;
	int fd;

	t_fill(buf, sizeof(buf), 1);
	fd = t_file("dn", buf, sizeof(buf));
	p = (char *)MUST(mmap(
	    NULL, sizeof(buf), PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0));
	t_fill(p, sizeof(buf), 2);
	MUST(madvise(p, PAGE, MADV_DONTNEED));
	say("%08x %08x\n", t_sum(p, PAGE), t_sum(p + PAGE, PAGE));
	MUST(munmap(p, sizeof(buf)));
	MUST(close(fd));
	MUST(unlink("dn"));
}

/* MADV_FREE: old contents or zeroes, never anything else; a write stays. */
TEST(free)
{
	char *p = t_map(8), zero[PAGE], old[PAGE];
	int i;

	memset(zero, 0, PAGE);
	t_fill(old, PAGE, 1);
	for (i = 0; i < 8; i++)
		memcpy(p + i * PAGE, old, PAGE);
	MUST(madvise(p + PAGE, 6 * PAGE, MADV_FREE));
	for (i = 0; i < 8; i++)
		EXPECT(1,
		    memcmp(p + i * PAGE, old, PAGE) == 0 ||
			(i > 0 && i < 7 &&
			    memcmp(p + i * PAGE, zero, PAGE) == 0));
	for (i = 1; i < 7; i++)
		t_fill(p + i * PAGE, PAGE, 10 + i);
	say("%08x\n", t_sum(p, 8 * PAGE));
}

/* MADV_FREE in a child never takes the parent's page. */
TEST(free_cow)
{
	char *p = t_map(4);
	pid_t pid;
	int i;

	t_fill(p, 4 * PAGE, 1);
	for (i = 0; i < 3; i++) {
		pid = t_fork();
		if (pid == 0) {
			t_fill(p + PAGE, PAGE, 2);
			MUST(madvise(p, 4 * PAGE, MADV_FREE));
			t_fill(p, 4 * PAGE, 3 + i);
			say("child %08x\n", t_sum(p, 4 * PAGE));
			t_exit();
		}
		t_reap(pid);
		say("parent %08x\n", t_sum(p, 4 * PAGE));
	}
}

/* Advice that only hints changes nothing. */
TEST(hints)
{
	static const int advice[] = {
	    MADV_NORMAL, MADV_RANDOM, MADV_SEQUENTIAL, MADV_WILLNEED};
	char *p = t_map(4);
	unsigned int i;

	t_fill(p, 4 * PAGE, 1);
	for (i = 0; i < sizeof(advice) / sizeof(advice[0]); i++) {
		MUST(madvise(p, 4 * PAGE, advice[i]));
		say("%08x\n", t_sum(p, 4 * PAGE));
	}
}

/* What madvise refuses; a hole is told, and both sides of it are done. */
TEST(errors)
{
	char *p = t_map(5);

	t_fill(p, 5 * PAGE, 1);
	FAILS(EINVAL, madvise(p + 1, PAGE, MADV_NORMAL));
	FAILS(EINVAL, madvise(p, PAGE, 12345));
	FAILS(EINVAL, madvise(p, -PAGE, MADV_NORMAL));
	EXPECT(0, madvise(p, 0, MADV_DONTNEED));
	MUST(munmap(p + 2 * PAGE, PAGE));
	FAILS(ENOMEM, madvise(p + 2 * PAGE, PAGE, MADV_WILLNEED));
	FAILS(ENOMEM, madvise(p + PAGE, 3 * PAGE, MADV_DONTNEED));
	say("%08x %08x %08x %08x\n", t_sum(p, PAGE), t_sum(p + PAGE, PAGE),
	    t_sum(p + 3 * PAGE, PAGE), t_sum(p + 4 * PAGE, PAGE));
}

/* What a child does not get, gets zeroed, or gets after all. */
TEST(fork)
{
	char *p = t_map(12);
	pid_t pid;

	t_fill(p, 12 * PAGE, 1);
	MUST(madvise(p + PAGE, 2 * PAGE, MADV_DONTFORK));
	MUST(madvise(p + 4 * PAGE, 2 * PAGE, MADV_WIPEONFORK));
	MUST(madvise(p + 7 * PAGE, 3 * PAGE, MADV_WIPEONFORK));
	MUST(madvise(p + 8 * PAGE, PAGE, MADV_KEEPONFORK));
	MUST(madvise(p + 10 * PAGE, PAGE, MADV_DONTFORK));
	MUST(madvise(p + 10 * PAGE, PAGE, MADV_DOFORK));
	FAILS(EINVAL, madvise(t_map_shared(1), PAGE, MADV_WIPEONFORK));
	pid = t_fork();
	if (pid == 0) {
		for (int i = 0; i < 12; i++)
			say("%d: %s %08x\n", i, t_try('r', p + i * PAGE),
			    i == 1 || i == 2 ? 0 : t_sum(p + i * PAGE, PAGE));
		t_exit();
	}
	t_reap(pid);
	say("%08x\n", t_sum(p, 12 * PAGE));
}

/* MADV_REMOVE takes shared memory from everybody, and nothing else at all. */
TEST(remove)
{
	char *p = t_map_shared(6), *own = t_map(1);
	pid_t pid;

	t_fill(p, 6 * PAGE, 1);
	pid = t_fork();
	if (pid == 0) {
		MUST(madvise(p + PAGE, 2 * PAGE, MADV_REMOVE));
		t_exit();
	}
	t_reap(pid);
	for (int i = 0; i < 6; i++)
		say("%08x\n", t_sum(p + i * PAGE, PAGE));
	FAILS(EINVAL, madvise(own, PAGE, MADV_REMOVE));
	MUST(mprotect(p, PAGE, PROT_READ));
	MUST(madvise(p, PAGE, MADV_REMOVE));
	say("%08x\n", t_sum(p, PAGE));
	MUST(mlock(p + 5 * PAGE, PAGE));
	FAILS(EINVAL, madvise(p + 5 * PAGE, PAGE, MADV_REMOVE));
}

/* Memory that will not be used for a while keeps what it has. */
TEST(cold)
{
	char *p = t_map(8);

	t_fill(p, 8 * PAGE, 1);
	MUST(madvise(p, 4 * PAGE, MADV_COLD));
	MUST(madvise(p + 4 * PAGE, 4 * PAGE, MADV_PAGEOUT));
	say("%08x\n", t_sum(p, 8 * PAGE));
	MUST(mlock(p, PAGE));
	FAILS(EINVAL, madvise(p, PAGE, MADV_COLD));
}
