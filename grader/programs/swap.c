/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * More memory than there is: swap.
 *
 * The boot has 8 MiB of RAM and two disks. ddb, 8 MiB, is swapped to from the
 * beginning; dda, 64 MiB, is added by the tests that want it, and taken away
 * by them: then all that is on it has to come back. Linux runs most of the
 * tests as well, with all the memory that it has.
 */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <sys/wait.h>
#include <unistd.h>

#include "t.h"

#define BIG	   "/dev/dda"
#define BIG_SIZE   (64 * MIB)
#define SMALL_SIZE (8 * MIB)

/* The big disk is swapped to from here on. */
static void
big_on(void)
{
	if (!t_nymph())
		return;
	t_mkswap(BIG, BIG_SIZE / PAGE, NULL);
	MUST(swapon(BIG, 0));
}

/* And from here on no more. */
static void
big_off(void)
{
	if (t_nymph())
		MUST(swapoff(BIG));
}

/* A counter's growth since `before' must not be zero. */
static void
moved(const char *name, long before)
{
	if (t_nymph())
		EXPECT(1, t_vmstat(name) > before);
}

TEST(four_times)
{
	long pages = 4 * T_RAM / PAGE, in = t_vmstat("v_swappgsin");
	long out = t_vmstat("v_swappgsout");
	char *mem;

	big_on();
	mem = t_map(pages);
	t_put_all(mem, pages, 1);
	EXPECT(0, t_wrong(mem, pages, 1));
	moved("v_swappgsout", out);
	moved("v_swappgsin", in);
	MUST(munmap(mem, pages * PAGE));
	big_off();
}

/* Backward and by leaps, and half of the pages change on the way. */
TEST(orders)
{
	long pages = 2 * T_RAM / PAGE, i, at, bad = 0;
	char *mem;

	big_on();
	mem = t_map(pages);
	t_put_all(mem, pages, 1);
	for (i = pages - 1; i >= 0; i--) {
		bad += !t_is(mem, i, 1);
		if (i & 1)
			t_put(mem, i, 2);
	}
	EXPECT(0, bad);
	for (i = 0, at = 0; i < pages; i++, at = (at + 4999) % pages)
		bad += !t_is(mem, at, at & 1 ? 2 : 1);
	EXPECT(0, bad);
	MUST(munmap(mem, pages * PAGE));
	big_off();
}

/* Each generation writes its own part; all parts are right at each depth. */
static void
generation(char *mem, long part, int depth, int last)
{
	pid_t pid;

	t_put_all(mem + depth * part * PAGE, part, 10 + depth);
	t_squeeze();
	for (int d = 0; d <= last; d++)
		EXPECT(0,
		    t_wrong(mem + d * part * PAGE, part,
			d <= depth ? 10 + (uint32_t)d : 1));
	if (depth == last)
		return;
	pid = t_fork();
	if (pid == 0) {
		generation(mem, part, depth + 1, last);
		t_exit();
	}
	t_reap(pid);
	/* What the child wrote is not ours. */
	EXPECT(0, t_wrong(mem + (depth + 1) * part * PAGE, part, 1));
}

TEST(fork_chain)
{
	const int last = 4;
	long part = T_RAM / 16 / PAGE;
	char *mem;

	big_on();
	mem = t_map((last + 1) * part);
	for (int d = 0; d <= last; d++)
		t_put_all(mem + d * part * PAGE, part, 1);
	generation(mem, part, 0, last);
	big_off();
}

/* The original is on swap; the parent writes some, the child exits, and the
 * objects become one again: with what is on swap. What the child has read last is in
 * memory, and what the parent has written over it is not: that wins all the same. */
TEST(collapse)
{
	long pages = T_RAM / 2 / PAGE, i, bad = 0;
	struct gate go;
	char *mem;
	pid_t pid;

	big_on();
	gate_init(&go);
	mem = t_map(pages);
	t_put_all(mem, pages, 1);
	t_squeeze();
	pid = t_fork();
	if (pid == 0) {
		for (i = 0; i < pages; i += 3)
			t_put(mem, i, 3);
		gate_wait(&go);
		for (i = 0; i < pages; i += 2)
			bad += i % 3 != 0 && !t_is(mem, i, 1);
		_exit(bad != 0);
	}
	for (i = 0; i < pages; i += 2)
		t_put(mem, i, 2);
	t_squeeze();
	gate_open(&go);
	EXPECT(0, t_wait(pid));
	/* Of 100 forks each has the chance to collapse and to split. */
	for (i = 0; i < 3; i++) {
		pid = t_fork();
		if (pid == 0)
			_exit(0);
		EXPECT(0, t_wait(pid));
	}
	for (i = 0; i < pages; i++)
		bad += !t_is(mem, i, i & 1 ? 1 : 2);
	EXPECT(0, bad);
	say("depth %ld\n", t_depth(0, mem));
	big_off();
}

/* The parent writes, and each page has to be read for that. It is alone with
 * what it reads, but not with the object: the child has that as well. */
TEST(fork_write)
{
	long pages = T_RAM / 4 / PAGE, i;
	struct gate go;
	char *mem;
	pid_t pid;

	big_on();
	gate_init(&go);
	mem = t_map(pages);
	t_put_all(mem, pages, 1);
	pid = t_fork();
	if (pid == 0) {
		gate_wait(&go);
		EXPECT(0, t_wrong(mem, pages, 1));
		t_exit();
	}
	t_squeeze();
	for (i = 0; i < pages; i++)
		t_put(mem, i, 2);
	gate_open(&go);
	t_reap(pid);
	EXPECT(0, t_wrong(mem, pages, 2));
	big_off();
}

/* A mapping with holes forks as pieces, each with its part of the swap. */
TEST(split)
{
	long pages = T_RAM / 4 / PAGE, i, bad = 0;
	char *mem;
	pid_t pid;

	big_on();
	mem = t_map(pages);
	t_put_all(mem, pages, 1);
	t_squeeze();
	for (i = 50; i < pages; i += 100)
		MUST(munmap(mem + i * PAGE, PAGE));
	pid = t_fork();
	if (pid == 0) {
		for (i = 0; i < pages; i++) {
			if (i % 100 == 50)
				continue;
			bad += !t_is(mem, i, 1);
			t_put(mem, i, 2);
		}
		EXPECT(0, bad);
		t_exit();
	}
	t_reap(pid);
	for (i = 0; i < pages; i++)
		if (i % 100 != 50)
			bad += !t_is(mem, i, 1);
	EXPECT(0, bad);
	big_off();
}

/* Two processes, one memory, more than there is RAM. */
TEST(shared)
{
	long pages = 2 * T_RAM / PAGE, i, bad = 0;
	char *mem;
	pid_t pid;

	big_on();
	mem = t_map_shared(pages);
	t_put_all(mem, pages, 1);
	pid = t_fork();
	if (pid == 0) {
		EXPECT(0, t_wrong(mem, pages, 1));
		for (i = 0; i < pages; i += 2)
			t_put(mem, i, 2);
		t_exit();
	}
	t_reap(pid);
	for (i = 0; i < pages; i++)
		bad += !t_is(mem, i, i & 1 ? 1 : 2);
	EXPECT(0, bad);
	MUST(munmap(mem, pages * PAGE));
	big_off();
}

/* What is wired stays; what is not may go. */
TEST(mlock)
{
	static unsigned char vec[T_RAM / 8 / PAGE];
	long pages = T_RAM / 8 / PAGE, i, in = 0;
	char *mem;

	mem = t_map(pages);
	t_put_all(mem, pages, 1);
	t_squeeze();
	MUST(mlock(mem, pages * PAGE));
	t_squeeze();
	t_squeeze();
	MUST(mincore(mem, pages * PAGE, vec));
	for (i = 0; i < pages; i++)
		in += vec[i] & 1;
	EXPECT(pages, in);
	EXPECT(0, t_wrong(mem, pages, 1));
	MUST(munlock(mem, pages * PAGE));
	t_squeeze();
	EXPECT(0, t_wrong(mem, pages, 1));
}

/* mincore: on swap is not in memory. */
TEST(mincore)
{
	static unsigned char vec[T_RAM / 2 / PAGE];
	long pages = T_RAM / 2 / PAGE, i, in = 0;
	char *mem;

	if (!t_nymph())
		return;
	mem = t_map(pages);
	t_put_all(mem, pages, 1);
	t_squeeze();
	MUST(mincore(mem, pages * PAGE, vec));
	for (i = 0; i < pages; i++)
		in += vec[i] & 1;
	EXPECT(1, in < pages / 2);
	EXPECT(0, t_wrong(mem, pages, 1));
}

/* Memory that was given up does not come back from swap. */
TEST(dontneed)
{
	long pages = T_RAM / 4 / PAGE, half = pages / 2, i, bad = 0, left;
	char *mem;
	pid_t pid;

	mem = t_map(pages);
	t_put_all(mem, pages, 1);
	t_squeeze();
	left = t_vmstat("swap_free");
	MUST(madvise(mem, half * PAGE, MADV_DONTNEED));
	if (t_nymph())
		EXPECT(1, t_vmstat("swap_free") > left + half / 2);
	for (i = 0; i < half; i++)
		bad += !t_is_zero(mem, i);
	EXPECT(0, bad);
	for (i = half; i < pages; i++)
		bad += !t_is(mem, i, 1);
	EXPECT(0, bad);
	/* With a copy of it around. */
	pid = t_fork();
	if (pid == 0) {
		MUST(madvise(mem, pages * PAGE, MADV_DONTNEED));
		for (i = 0; i < pages; i++)
			bad += !t_is_zero(mem, i);
		EXPECT(0, bad);
		t_exit();
	}
	t_reap(pid);
	for (i = half; i < pages; i++)
		bad += !t_is(mem, i, 1);
	EXPECT(0, bad);
}

/* MADV_FREE leaves what was there or zeroes, and nothing older. */
TEST(free)
{
	long pages = T_RAM / 4 / PAGE, i, bad = 0;
	char *mem;

	mem = t_map(pages);
	t_put_all(mem, pages, 1);
	t_squeeze();
	for (i = 0; i < pages; i += 2)
		t_put(mem, i, 2);
	MUST(madvise(mem, pages * PAGE, MADV_FREE));
	t_squeeze();
	for (i = 0; i < pages; i++)
		bad += !t_is_zero(mem, i) && !t_is(mem, i, i & 1 ? 1 : 2);
	EXPECT(0, bad);
	t_put_all(mem, pages, 3);
	t_squeeze();
	EXPECT(0, t_wrong(mem, pages, 3));
}

/* All that a process had on swap is free after it. */
TEST(given_back)
{
	long pages = (T_RAM + T_RAM / 4) / PAGE, left = t_vmstat("swap_free");
	char *mem;
	pid_t pid = t_fork();

	if (pid == 0) {
		mem = t_map(pages);
		t_put_all(mem, pages, 1);
		if (t_nymph())
			EXPECT(1, t_vmstat("swap_free") < left);
		t_exit();
	}
	t_reap(pid);
	if (t_nymph())
		EXPECT(1, t_vmstat("swap_free") >= left - 256);
}

/* The kernel reads and writes user memory that is on swap. */
TEST(kernel)
{
	long pages = T_RAM / 8 / PAGE;
	char *mem;
	int fd;

	mem = t_map(pages);
	t_put_all(mem, pages, 1);
	t_squeeze();
	fd = MUST(open("swapped", O_RDWR | O_CREAT | O_TRUNC, 0600));
	EXPECT(pages * PAGE, write(fd, mem, pages * PAGE));
	EXPECT(0, t_wrong(mem, pages, 1));
	t_put_all(mem, pages, 2);
	t_squeeze();
	EXPECT(pages * PAGE, pread(fd, mem, pages * PAGE, 0));
	EXPECT(0, t_wrong(mem, pages, 1));
	close(fd);
	unlink("swapped");
}

/* Four processes that together want too much, all at the same time. */
TEST(crowd)
{
	long pages = T_RAM / 2 / PAGE;
	pid_t pid[4];
	char *mem;
	int i;

	big_on();
	for (i = 0; i < 4; i++) {
		pid[i] = t_fork();
		if (pid[i] != 0)
			continue;
		mem = t_map(pages);
		for (uint32_t round = 0; round < 2; round++) {
			t_put_all(mem, pages, 4 * round + i);
			EXPECT(0, t_wrong(mem, pages, 4 * round + i));
		}
		t_exit();
	}
	for (i = 0; i < 4; i++)
		t_reap(pid[i]);
	big_off();
}

/* swapoff with much on the device: everything comes back in or goes to the
 * other one. */
TEST(off)
{
	const long keep = 11 * MIB;
	long pages = 20 * MIB / PAGE, used;
	char *mem;

	t_mkswap(BIG, BIG_SIZE / PAGE, NULL);
	MUST(swapon(BIG, SWAP_FLAG_PREFER | 7));
	mem = t_map(pages);
	t_put_all(mem, pages, 1);
	used = t_vmstat("swap_total") - t_vmstat("swap_free");
	EXPECT(1, used > 10 * MIB / PAGE);
	/* Too much for RAM and the small disk. */
	FAILS(ENOMEM, swapoff(BIG));
	EXPECT(0, t_wrong(mem, pages, 1));
	MUST(munmap(mem + keep, 20 * MIB - keep));
	t_squeeze();
	MUST(swapoff(BIG));
	EXPECT(SMALL_SIZE / PAGE - 1, t_vmstat("swap_total"));
	EXPECT(0, t_wrong(mem, keep / PAGE, 1));
	FAILS(EINVAL, swapoff(BIG));
}

/* What swapon and swapoff refuse. */
TEST(errors)
{
	static const uint32_t bad[] = {1, 2, 5, 100, 0}, beyond[] = {9999, 0};
	long free = t_vmstat("swap_free");
	char *page = t_map(1);
	int fd;

	FAILS(ENOENT, swapon("/dev/nothing", 0));
	FAILS(EFAULT, swapon((char *)1, 0));
	FAILS(EINVAL, swapon("/dev", 0));
	FAILS(EINVAL, swapon("/dev/null", 0));
	FAILS(EINVAL, swapon(BIG, 0x100000));
	FAILS(EBUSY, swapon("/dev/ddb", 0));
	FAILS(ENOENT, swapoff("/dev/nothing"));
	FAILS(EINVAL, swapoff("/dev/null"));
	FAILS(EINVAL, swapoff(BIG));
	fd = MUST(open(BIG, O_WRONLY));
	EXPECT(PAGE, write(fd, page, PAGE));
	close(fd);
	FAILS(EINVAL, swapon(BIG, 0)); /* no header */
	t_mkswap(BIG, BIG_SIZE / PAGE + 1, NULL);
	FAILS(EINVAL, swapon(BIG, 0)); /* too long */
	t_mkswap(BIG, 1, NULL);
	FAILS(EINVAL, swapon(BIG, 0)); /* empty */
	t_mkswap(BIG, 1000, beyond);
	FAILS(EINVAL, swapon(BIG, 0));
	t_mkswap(BIG, 1000, bad);
	MUST(swapon(BIG, 0));
	EXPECT(free + 999 - 4, t_vmstat("swap_free"));
	FAILS(EBUSY, swapon(BIG, 0));
	MUST(mkdir("m", 0755));
	FAILS(EBUSY, mount(BIG, "m", "ext2", 0, NULL));
	FAILS(EBUSY, mount("/dev/ddb", "m", "ext2", MS_RDONLY, NULL));
	MUST(swapoff(BIG));
	FAILS(EINVAL, mount(BIG, "m", "ext2", 0, NULL)); /* no ext2, but free */
	MUST(rmdir("m"));
	MUST(swapon(BIG, 0)); /* and it is again */
	MUST(swapoff(BIG));
	EXPECT(free, t_vmstat("swap_free"));
}

/* The next page read from swap cannot be: neither as one of several nor by
 * itself. The program's own pages must not be among them: mlockall. Nor those of
 * init, which wakes up when something is said: not before the disks are cleared. */
static void
fail_next_read(void)
{
	t_control("dda clear");
	t_control("ddb clear");
	t_control("dda fail read 0..131071 2");
	t_control("ddb fail read 0..16383 2");
}

/* A page that cannot be read is a SIGBUS for who wants it, each time; the
 * others are all right, and so is this one when the disk is. */
TEST(read_error)
{
	long pages = T_RAM / 4 / PAGE, i, bus = 0, bad = 0;
	static unsigned char vec[T_RAM / 2 / PAGE];
	char *mem;

	MUST(mlockall(MCL_CURRENT));
	mem = t_map(pages);
	t_put_all(mem, pages, 1);
	t_squeeze();
	MUST(mincore(mem, pages * PAGE, vec));
	for (i = 0; i < pages && bus < 20; i += 16) {
		if (vec[i] & 1)
			continue;
		fail_next_read();
		EXPECT(0, strcmp(t_try('r', mem + i * PAGE), "BUS_ADRERR"));
		fail_next_read();
		EXPECT(0, strcmp(t_try('w', mem + i * PAGE), "BUS_ADRERR"));
		bus++;
	}
	t_control("dda clear");
	t_control("ddb clear");
	say("SIGBUS: %ld\n", bus);
	for (i = 0; i < pages; i++)
		bad += !t_is(mem, i, 1);
	EXPECT(0, bad);
}

/* The process dies of it, and the kernel's own accesses fail with EFAULT; who
 * has the same pages does not suffer. */
TEST(read_error_kills)
{
	long pages = T_RAM / 4 / PAGE, i, efault = 0;
	static unsigned char vec[T_RAM / 2 / PAGE];
	int fd, status;
	char *mem;
	pid_t pid;

	MUST(mlockall(MCL_CURRENT));
	mem = t_map(pages);
	t_put_all(mem, pages, 1);
	t_squeeze();
	pid = t_fork();
	if (pid == 0) {
		fail_next_read();
		EXPECT(0, t_wrong(mem, pages, 1));
		t_exit();
	}
	MUST(waitpid(pid, &status, 0));
	fd = MUST(open("swapped", O_WRONLY | O_CREAT | O_TRUNC, 0600));
	MUST(mincore(mem, pages * PAGE, vec));
	for (i = 0; i < pages && efault < 10; i += 16) {
		if (vec[i] & 1)
			continue;
		fail_next_read();
		efault += write(fd, mem + i * PAGE, 1) == -1 && errno == EFAULT;
	}
	t_control("dda clear");
	t_control("ddb clear");
	close(fd);
	unlink("swapped");
	say("child: %s\n", t_status(status));
	say("EFAULT: %ld\n", efault);
	EXPECT(0, t_wrong(mem, pages, 1));
}

/* Nothing can be read from swap any more, and process 1 has a page there: it
 * needs it when this has ended. For a boot that is to end so. */
TEST(lose_init)
{
	MUST(mlockall(MCL_CURRENT));
	t_squeeze();
	t_squeeze();
	t_control("ddb fail read 0..16383");
}

/* A page that cannot be written stays where it is, or goes elsewhere. */
TEST(write_error)
{
	long pages = 2 * T_RAM / PAGE;
	char *mem;

	big_on();
	t_control("ddb fail write 8..2047");
	t_control("dda fail write 1000..3000");
	mem = t_map(pages);
	t_put_all(mem, pages, 1);
	EXPECT(0, t_wrong(mem, pages, 1));
	t_put_all(mem, pages, 2);
	EXPECT(0, t_wrong(mem, pages, 2));
	t_control("dda clear");
	t_control("ddb clear");
	MUST(munmap(mem, pages * PAGE));
	big_off();
}
