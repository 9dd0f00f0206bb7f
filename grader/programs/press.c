/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files and threads when memory is short.
 *
 * The boot has 8 MiB of RAM, four CPUs, and three disks: dda, 32 MiB, is
 * swapped to from the beginning, ddb has an ext2 with blocks of 4 KiB, and ddc,
 * 32 MiB, is taken into use by those who want a second place. Linux has a
 * folder for the disk, and memory enough.
 */

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <sys/wait.h>
#include <unistd.h>

#include "t.h"

#define NTHR   4
#define FPAGES (T_RAM * 5 / 4 / PAGE) /* of a file: more than there is RAM */
#define EXTRA  "/dev/ddc"
#define RW     (PROT_READ | PROT_WRITE)

static char *region;
static long share; /* pages of a thread */
static volatile int working;

/* Mounts the disk and goes there. */
static void
enter(void)
{
	t_mount("ddb");
	MUST(chdir("ddb"));
}

static void
leave(void)
{
	MUST(chdir(".."));
	t_umount("ddb");
}

/* A file of so many pages, all of it a hole, and its shared mapping. */
static char *
map_file(const char *name, long pages, int flags)
{
	int fd = MUST(open(name, O_RDWR | O_CREAT, 0644));
	char *p;

	MUST(ftruncate(fd, pages * PAGE));
	p = (char *)MUST(mmap(NULL, pages * PAGE, RW, flags, fd, 0));
	MUST(close(fd));
	return p;
}

/* How many pages of a file, read and not mapped, are not what was written. */
static long
file_wrong(const char *name, long pages, uint32_t seed)
{
	static char buf[16 * PAGE];
	int fd = MUST(open(name, O_RDONLY));
	long bad = 0, at, i;

	for (at = 0; at < pages; at += 16) {
		EXPECT(sizeof(buf), read(fd, buf, sizeof(buf)));
		for (i = 0; i < 16; i++)
			bad += !t_is(buf - at * PAGE, at + i, seed);
	}
	EXPECT(0, read(fd, buf, sizeof(buf)));
	MUST(close(fd));
	return bad;
}

/* Runs NTHR threads to their end; the sum of their results. */
static long
run_all(void *(*fn)(void *))
{
	pthread_t t[NTHR];
	long sum = 0;
	void *res;

	for (long i = 0; i < NTHR; i++)
		EXPECT(0, pthread_create(&t[i], NULL, fn, (void *)i));
	for (int i = 0; i < NTHR; i++) {
		EXPECT(0, pthread_join(t[i], &res));
		sum += (long)res;
	}
	return sum;
}

/* A thread writes its part of the region, by leaps. */
static void *
write_part(void *arg)
{
	long first = (long)arg * share, at = 0;

	for (long i = 0; i < share; i++, at = (at + 37) % share)
		t_put(region, first + at, 1);
	return NULL;
}

/* And another one looks at it. */
static void *
look_at_part(void *arg)
{
	long first = ((long)arg + 1) % NTHR * share, bad = 0, at = 0;

	for (long i = 0; i < share; i++, at = (at + 37) % share)
		bad += !t_is(region, first + at, 1);
	return (void *)bad;
}

/* More of a file is written by mappings than there is RAM: the daemon has to
 * write it to the disk, since nobody else does. */
TEST(shared)
{
	long out = t_vmstat("v_vnodepgsout");

	enter();
	region = map_file("shared", FPAGES, MAP_SHARED);
	share = FPAGES / NTHR;
	run_all(write_part);
	EXPECT(0, run_all(look_at_part));
	if (t_nymph())
		EXPECT(1, t_vmstat("v_vnodepgsout") > out + FPAGES / 4);
	EXPECT(0, file_wrong("shared", FPAGES, 1));
	MUST(munmap(region, FPAGES * PAGE));
	leave();
	enter();
	EXPECT(0, file_wrong("shared", FPAGES, 1));
	MUST(unlink("shared"));
	leave();
}

/* The same by write, in pieces that are no pages; half of it twice. */
TEST(written)
{
	const size_t piece = 5 * PAGE / 2;
	char *all = t_map(FPAGES);
	long len = FPAGES * PAGE, at;
	int fd;

	enter();
	t_put_all(all, FPAGES, 1);
	fd = MUST(open("written", O_RDWR | O_CREAT | O_TRUNC, 0644));
	for (at = 0; at < len; at += piece)
		EXPECT(piece, write(fd, all + at, piece));
	MUST(munmap(all, len));
	EXPECT(0, file_wrong("written", FPAGES, 1));
	all = map_file("written", FPAGES, MAP_SHARED);
	t_put_all(all, FPAGES / 2, 2);
	MUST(lseek(fd, len / 2, SEEK_SET));
	EXPECT(len / 2, write(fd, all, len / 2));
	MUST(close(fd));
	MUST(munmap(all, len));
	leave();
	enter();
	all = map_file("written", FPAGES, MAP_PRIVATE);
	EXPECT(0, t_wrong(all, FPAGES / 2, 2));
	EXPECT(0, t_wrong(all + len / 2, FPAGES / 2, 2));
	MUST(munmap(all, len));
	MUST(unlink("written"));
	leave();
}

/* What is written to a private mapping goes to swap, and never to the file. */
TEST(private)
{
	char *all;
	long bad = 0;

	enter();
	all = map_file("private", FPAGES, MAP_SHARED);
	t_put_all(all, FPAGES, 1);
	MUST(munmap(all, FPAGES * PAGE));
	all = map_file("private", FPAGES, MAP_PRIVATE);
	for (long i = 0; i < FPAGES; i += 2)
		t_put(all, i, 2);
	for (long i = 0; i < FPAGES; i++)
		bad += !t_is(all, i, i & 1 ? 1 : 2);
	EXPECT(0, bad);
	EXPECT(0, file_wrong("private", FPAGES, 1));
	MUST(munmap(all, FPAGES * PAGE));
	MUST(unlink("private"));
	leave();
}

/* The file is cut while its pages are on their way to the disk. */
TEST(cut)
{
	const long pages = FPAGES / 2, keep = pages / 2 + 1;
	long bad = 0;
	char *all;
	int fd;

	enter();
	for (uint32_t round = 1; round <= 3; round++) {
		all = map_file("cut", pages, MAP_SHARED);
		t_put_all(all, pages, round);
		t_squeeze();
		fd = MUST(open("cut", O_RDWR));
		MUST(ftruncate(fd, keep * PAGE - 100));
		MUST(ftruncate(fd, pages * PAGE));
		MUST(close(fd));
		bad += t_wrong(all, keep, round);
		for (long i = keep; i < pages; i++)
			bad += !t_is_zero(all, i);
		EXPECT(0, all[keep * PAGE - 1]);
		MUST(munmap(all, pages * PAGE));
	}
	EXPECT(0, bad);
	MUST(unlink("cut"));
	leave();
}

/* A page of a file that cannot be written is kept until it can. */
TEST(errors)
{
	const long pages = T_RAM / 4 / PAGE;
	char *all;

	enter();
	all = map_file("kept", pages, MAP_SHARED);
	t_put_all(all, pages, 1);
	MUST(msync(all, pages * PAGE, MS_SYNC)); /* blocks are there now */
	t_put_all(all, pages, 2);
	if (t_nymph())
		t_control("ddb fail write 0..32767 40");
	t_squeeze();
	if (t_nymph())
		t_control("ddb clear");
	EXPECT(0, t_wrong(all, pages, 2));
	MUST(munmap(all, pages * PAGE));
	leave();
	enter();
	EXPECT(0, file_wrong("kept", pages, 2));
	MUST(unlink("kept"));
	leave();
}

/* A file in memory can go nowhere, and loses nothing. */
TEST(ramfs)
{
	const long pages = T_RAM / 8 / PAGE;
	char *all = map_file("ram", pages, MAP_SHARED);

	t_put_all(all, pages, 1);
	t_squeeze();
	t_squeeze();
	EXPECT(0, t_wrong(all, pages, 1));
	EXPECT(0, file_wrong("ram", pages, 1));
	MUST(munmap(all, pages * PAGE));
	MUST(unlink("ram"));
}

/* A thread changes and looks at its part again and again. */
static void *
rewrite_part(void *arg)
{
	long first = (long)arg * share, bad = 0;

	for (uint32_t round = 1; round <= 2; round++) {
		for (long i = 0; i < share; i++)
			t_put(region, first + i, round);
		for (long i = 0; i < share; i++)
			bad += !t_is(region, first + i, round);
	}
	__atomic_sub_fetch(&working, 1, __ATOMIC_SEQ_CST);
	return (void *)bad;
}

/* Four threads use twice the RAM, while a second place to swap to comes and
 * goes. What is on it has to come back under their hands. */
TEST(threads)
{
	pthread_t t[NTHR];
	long bad = 0;
	int n = 0;
	void *res;

	share = 2 * T_RAM / NTHR / PAGE;
	region = t_map(NTHR * share);
	if (t_nymph())
		t_mkswap(EXTRA, 32 * MIB / PAGE, NULL);
	working = NTHR;
	for (long i = 0; i < NTHR; i++)
		EXPECT(0, pthread_create(&t[i], NULL, rewrite_part, (void *)i));
	while (t_nymph() && working > 0) {
		MUST(swapon(EXTRA, SWAP_FLAG_PREFER | 9));
		usleep(100000); /* so that some gets there */
		MUST(swapoff(EXTRA));
		n++;
	}
	for (int i = 0; i < NTHR; i++) {
		EXPECT(0, pthread_join(t[i], &res));
		bad += (long)res;
	}
	EXPECT(0, bad);
	if (t_nymph())
		EXPECT(1, n > 1);
	MUST(munmap(region, NTHR * share * PAGE));
}

/* How many pages are in memory. */
static long
resident(char *p, long pages)
{
	static unsigned char vec[FPAGES];
	long n = 0;

	MUST(mincore(p, pages * PAGE, vec));
	for (long i = 0; i < pages; i++)
		n += vec[i] & 1;
	return n;
}

/* Wired pages, of memory and of a file, stay while everything else goes; and
 * go again when they are not wired any more. */
TEST(mlock)
{
	const long pages = T_RAM / 16 / PAGE;
	char *anon = t_map(pages), *file;

	enter();
	file = map_file("wired", pages, MAP_SHARED);
	MUST(mlock(anon, pages * PAGE));
	MUST(mlock(file, pages * PAGE));
	t_put_all(anon, pages, 1);
	t_put_all(file, pages, 2);
	share = T_RAM / NTHR / PAGE;
	region = t_map(NTHR * share);
	run_all(write_part);
	EXPECT(pages, resident(anon, pages));
	EXPECT(pages, resident(file, pages));
	EXPECT(0, run_all(look_at_part));
	MUST(munlock(anon, pages * PAGE));
	MUST(munlock(file, pages * PAGE));
	run_all(write_part);
	if (t_nymph()) {
		EXPECT(1, resident(anon, pages) < pages);
		EXPECT(1, resident(file, pages) < pages);
	}
	EXPECT(0, t_wrong(anon, pages, 1));
	EXPECT(0, t_wrong(file, pages, 2));
	MUST(munmap(region, NTHR * share * PAGE));
	MUST(munmap(file, pages * PAGE));
	EXPECT(0, file_wrong("wired", pages, 2));
	MUST(unlink("wired"));
	leave();
}

/* What e2fsck is to find in order: files are left on the disk. */
TEST(left)
{
	char *all;

	enter();
	MUST(close(t_file("gone", "data", 4)));
	MUST(unlink("gone"));
	all = map_file("left", FPAGES, MAP_SHARED);
	t_put_all(all, FPAGES, 7);
	MUST(munmap(all, FPAGES * PAGE));
	leave();
}
