/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Disks as files in /dev, and the errors that can be asked of them. vdisk.c is
 * the same for the other driver. Only Nymph has these disks, so what the tests
 * print stands in grader/expect.
 *
 * The boot has two disks: one of 16 MiB, and a small one.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "t.h"

#ifndef DISK
#define DISK  "dda"
#define OTHER "ddb"
#endif

#define SECTOR 512L
#define SIZE   (16L << 20)
#define MSEC   1000000L
#define CROWD  48

static char buf[1 << 20], seen[1 << 20];

/* The disk, open for both. */
static int
disk(void)
{
	return MUST(open("/dev/" DISK, O_RDWR));
}

/* Says a command to /dev/diskctl; 0 or -1 with errno. */
static int
control(const char *command)
{
	int fd = MUST(open("/dev/diskctl", O_WRONLY)), error;
	ssize_t n = write(fd, command, strlen(command));

	error = errno;
	close(fd);
	errno = error;
	return n == (ssize_t)strlen(command) ? 0 : -1;
}

/* Prints what a transfer did, without its errno's number. */
static void
say_rw(const char *what, ssize_t n)
{
	if (n == -1)
		say("%s: %s\n", what, t_errname(errno));
	else
		say("%s: %zd\n", what, n);
}

/* Writes a pattern and reads it back. */
static void
pattern(int fd, long off, size_t len, uint32_t seed)
{
	t_fill(buf, len, seed);
	EXPECT(len, pwrite(fd, buf, len, off));
	memset(seen, 0, len);
	EXPECT(len, pread(fd, seen, len, off));
	EXPECT(0, memcmp(buf, seen, len));
}

/* The number behind a name in the disk's line of /proc/disks. */
static long
counter(const char *name)
{
	char text[2048], *line, *p;

	t_read_text("/proc/disks", text, sizeof(text));
	line = strstr(text, DISK " ");
	p = line != NULL ? strstr(line, name) : NULL;
	return p != NULL ? atol(p + strlen(name)) : -1;
}

/* What a block device says of itself, and what is at its end. */
TEST(node)
{
	struct stat st;
	uint64_t bytes = 0;
	int fd = disk(), word = 0;

	MUST(fstat(fd, &st));
	say("%s\n", S_ISBLK(st.st_mode) ? "a block device" : "something else");
	MUST(ioctl(fd, BLKGETSIZE64, &bytes));
	MUST(ioctl(fd, BLKSSZGET, &word));
	say("%lu bytes in sectors of %d\n", bytes, word);
	MUST(ioctl(fd, BLKROGET, &word));
	say("read-only: %d\n", word);
	say("end at %ld\n", (long)MUST(lseek(fd, 0, SEEK_END)));
	say_rw("read there", read(fd, buf, 512));
	say_rw("write there", write(fd, buf, 512));
	say_rw("read across it", pread(fd, buf, 4096, SIZE - 1000));
	say_rw("write across it", pwrite(fd, buf, 4096, SIZE - 1000));
	say_rw("read beyond it", pread(fd, buf, 1, SIZE + 1));
	FAILS(ENOTTY, ioctl(fd, BLKRASET, 0L));
	MUST(close(fd));
}

/* Whole sectors, from one to a megabyte, at all kinds of places. */
TEST(pattern)
{
	int fd = disk(), i;
	size_t len;

	for (len = SECTOR, i = 0; len <= sizeof(buf); len *= 2, i++) {
		pattern(fd, 0, len, i);
		pattern(fd, SIZE - (long)len, len, i + 100);
		pattern(fd, 7 * SECTOR, len, i + 200);
		say("%zu: %08x\n", len, t_sum(seen, len));
	}
	MUST(close(fd));
}

/* Bytes that begin and end within sectors; what is around them stays. */
TEST(bytes)
{
	static const struct {
		long off, len;
	} cut[] = {
	    {1, 1},
	    {511, 2},
	    {1000, 24},
	    {1536, 512},
	    {2047, 1026},
	    {5000, 10000},
	    {16000, 40001},
	};
	static char want[64 << 10];
	int fd = disk();
	size_t i;

	t_fill(want, sizeof(want), 1);
	EXPECT(sizeof(want), pwrite(fd, want, sizeof(want), 1 << 20));
	for (i = 0; i < sizeof(cut) / sizeof(cut[0]); i++) {
		t_fill(want + cut[i].off, cut[i].len, 10 + i);
		EXPECT(cut[i].len,
		    pwrite(fd, want + cut[i].off, cut[i].len,
			(1 << 20) + cut[i].off));
		EXPECT(cut[i].len,
		    pread(fd, seen, cut[i].len, (1 << 20) + cut[i].off));
		EXPECT(0, memcmp(seen, want + cut[i].off, cut[i].len));
	}
	EXPECT(sizeof(want), pread(fd, seen, sizeof(want), 1 << 20));
	EXPECT(0, memcmp(seen, want, sizeof(want)));
	say("%08x\n", t_sum(seen, sizeof(want)));
	MUST(close(fd));
}

/* The two disks are two. */
TEST(two)
{
	int a = disk(), b = MUST(open("/dev/" OTHER, O_RDONLY));
	char other[SECTOR];

	EXPECT(SECTOR, pread(b, other, SECTOR, 0));
	pattern(a, 0, SECTOR, 77);
	EXPECT(SECTOR, pread(b, seen, SECTOR, 0));
	EXPECT(0, memcmp(other, seen, SECTOR));
	say("the other's first sector: %08x\n", t_sum(seen, SECTOR));
	MUST(close(a));
	MUST(close(b));
}

/* Text that the grader looks for in the host's file. */
TEST(host)
{
	int fd = disk(), i;

	for (i = 0; i < 100; i++) {
		memset(buf, 0, SECTOR);
		sprintf(buf, "sector %d on " DISK "\n", 8192 + i * 3);
		EXPECT(
		    SECTOR, pwrite(fd, buf, SECTOR, (8192 + i * 3) * SECTOR));
	}
	MUST(fsync(fd));
	say("100 sectors written\n");
	MUST(close(fd));
}

/* Four processes at once, each on a part of its own. */
TEST(parallel)
{
	pid_t pids[4];
	int fd = disk(), i, n;

	/* What stands between the patterns is part of the sum. */
	memset(buf, 0, 40 * 8192);
	EXPECT(40 * 8192, pwrite(fd, buf, 40 * 8192, 1 << 20));
	MUST(close(fd));
	for (i = 0; i < 4; i++) {
		pids[i] = t_fork();
		if (pids[i] != 0)
			continue;
		fd = disk();
		for (n = 0; n < 40; n++)
			pattern(fd, (long)i * (1 << 20) + n * 8192 + n,
			    1 + n * 199, i * 100 + n);
		t_exit();
	}
	for (i = 0; i < 4; i++)
		t_reap(pids[i]);
	fd = disk();
	EXPECT(sizeof(buf), pread(fd, buf, sizeof(buf), 1 << 20));
	say("%08x\n", t_sum(buf, 40 * 8192));
	MUST(close(fd));
}

/* More transfers at once than a queue has room for. */
TEST(crowd)
{
	struct gate go;
	pid_t pids[CROWD];
	int fd = disk(), i, k;

	gate_init(&go);
	for (i = 0; i < CROWD; i++) {
		pids[i] = t_fork();
		if (pids[i] != 0)
			continue;
		gate_wait(&go);
		for (k = 0; k < 4; k++)
			pattern(fd, (i * 4 + k) * 4 * PAGE, 4 * PAGE, i + k);
		t_exit();
	}
	for (i = 0; i < CROWD; i++)
		gate_open(&go);
	for (i = 0; i < CROWD; i++)
		t_reap(pids[i]);
	EXPECT(sizeof(buf), pread(fd, buf, sizeof(buf), 0));
	say("%08x\n", t_sum(buf, sizeof(buf)));
	gate_close(&go);
	MUST(close(fd));
}

/* Four processes write every fourth byte of the same sectors. */
TEST(same_sector)
{
	pid_t pids[4];
	int fd = disk(), i, n;

	memset(buf, '.', 2 * SECTOR);
	EXPECT(2 * SECTOR, pwrite(fd, buf, 2 * SECTOR, 0));
	for (i = 0; i < 4; i++) {
		pids[i] = t_fork();
		if (pids[i] != 0)
			continue;
		for (n = i; n < 2 * SECTOR; n += 4 * 16)
			EXPECT(1, pwrite(fd, &"abcd"[i], 1, n));
		t_exit();
	}
	for (i = 0; i < 4; i++)
		t_reap(pids[i]);
	EXPECT(2 * SECTOR, pread(fd, buf, 2 * SECTOR, 0));
	for (n = 0; n < 2 * SECTOR; n += 64)
		say("%.4s", buf + n);
	say("\n");
	MUST(close(fd));
}

/* A read that fails says so, as often as it was asked to. */
TEST(fail_read)
{
	int fd = disk();
	long errors;

	pattern(fd, 100 * SECTOR, 16 * SECTOR, 5);
	errors = counter("errors ");
	MUST(control(DISK " fail read 104..107 2"));
	say_rw("before it", pread(fd, seen, 4 * SECTOR, 100 * SECTOR));
	say_rw("behind it", pread(fd, seen, 8 * SECTOR, 108 * SECTOR));
	say_rw("its last sector", pread(fd, seen, SECTOR, 107 * SECTOR));
	say_rw("a byte of it", pread(fd, seen, 1, 104 * SECTOR + 9));
	say_rw("then", pread(fd, seen, 16 * SECTOR, 100 * SECTOR));
	EXPECT(0, memcmp(buf, seen, 16 * SECTOR));
	say("errors: %ld\n", counter("errors ") - errors);
	MUST(close(fd));
}

/* What came before the error counts. */
TEST(fail_long)
{
	int fd = disk();

	MUST(control(DISK " fail read 256..256 1"));
	MUST(lseek(fd, 0, SEEK_SET));
	say_rw("read", read(fd, seen, sizeof(seen)));
	say("now at %ld\n", (long)lseek(fd, 0, SEEK_CUR));
	say_rw("read on", read(fd, seen, 1000));
	MUST(close(fd));
}

/* A write that fails leaves the disk as it was. */
TEST(fail_write)
{
	int fd = disk();

	pattern(fd, 200 * SECTOR, 8 * SECTOR, 6);
	MUST(control(DISK " fail write 203..203"));
	t_fill(seen, 8 * SECTOR, 7);
	say_rw("write", pwrite(fd, seen, 8 * SECTOR, 200 * SECTOR));
	say_rw("a byte", pwrite(fd, seen, 1, 203 * SECTOR + 100));
	say_rw("before it", pwrite(fd, buf, 3 * SECTOR, 200 * SECTOR));
	EXPECT(8 * SECTOR, pread(fd, seen, 8 * SECTOR, 200 * SECTOR));
	EXPECT(0, memcmp(buf, seen, 8 * SECTOR));
	MUST(control(DISK " clear"));
	pattern(fd, 200 * SECTOR, 8 * SECTOR, 8);
	say("cleared: %08x\n", t_sum(seen, 8 * SECTOR));
	MUST(close(fd));
}

/* fsync tells of a flush that failed. */
TEST(fail_flush)
{
	int fd = disk();
	long flushes = counter("flushes ");

	MUST(control(DISK " fail flush 1"));
	FAILS(EIO, fsync(fd));
	MUST(fsync(fd));
	MUST(fdatasync(fd));
	say("flushes: %ld\n", counter("flushes ") - flushes);
	MUST(close(fd));
}

/* What is no command is refused. */
TEST(control)
{
	static const char *const bad[] = {
	    "",
	    DISK,
	    "hdz fail read 1..2",
	    DISK " read 1..2",
	    DISK " fail 1..2",
	    DISK " fail read",
	    DISK " fail read 1",
	    DISK " fail read 1.2",
	    DISK " fail read 1..x",
	    DISK " fail read 3..2",
	    DISK " fail read 1..2 0",
	    DISK " fail read 1..2 x",
	    DISK " fail write 1..2 3 4",
	    DISK " fail flush x",
	    DISK " latency",
	    DISK " latency x",
	    DISK " latency 1 2",
	    DISK " latency 99999999999",
	    DISK " clear all",
	};
	char line[300];
	size_t i;
	int n;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		say("%s: %s\n", strchr(bad[i], ' ') ?: "no verb",
		    control(bad[i]) == 0 ? "taken" : t_errname(errno));
	memset(line, ' ', sizeof(line));
	strcpy(line + sizeof(line) - 20, DISK " clear");
	say("a long line: %s\n",
	    control(line) == 0 ? "taken" : t_errname(errno));
	for (n = 0; control(DISK " fail read 9..9") == 0 && n < 1000; n++)
		continue;
	say("%d rules, then %s\n", n, t_errname(errno));
	MUST(control(DISK " clear\n"));
}

/* The counts are those of the transfers. */
TEST(counts)
{
	int fd = disk(), i;
	long reads = counter("reads "), writes = counter("writes ");

	for (i = 0; i < 10; i++)
		EXPECT(SECTOR, pread(fd, buf, SECTOR, i * SECTOR));
	for (i = 0; i < 5; i++)
		EXPECT(SECTOR, pwrite(fd, buf, SECTOR, i * SECTOR));
	EXPECT(1, pwrite(fd, buf, 1, 0));
	say("%ld reads, %ld writes\n", counter("reads ") - reads,
	    counter("writes ") - writes);
	MUST(close(fd));
}

#ifndef VIRTIO
static long
now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 * MSEC + ts.tv_nsec;
}

/* A transfer takes the time that was set, to a few microseconds. */
TEST(latency)
{
	int fd = disk(), i;
	long ms, start, took, none = 0;

	/* Without any: what the reads take besides. */
	for (ms = 0; ms <= 100; ms = ms == 0 ? 1 : ms * 10) {
		sprintf(buf, DISK " latency %ld", ms * MSEC);
		MUST(control(buf));
		/* The first one also brings in what is touched here. */
		EXPECT(SECTOR, pread(fd, seen, SECTOR, 0));
		start = now();
		for (i = 0; i < 5; i++)
			EXPECT(SECTOR, pread(fd, seen, SECTOR, 0));
		took = now() - start;
		if (ms == 0)
			none = took;
		else
			say("5 reads of %ld ms: %s\n", ms,
			    took < 5 * ms * MSEC ? "too fast"
				: took - none > 5 * (ms * MSEC + MSEC / 2)
				? "too slow"
				: "right");
	}
	MUST(control(DISK " latency 100000"));
	MUST(close(fd));
}

/* Transfers wait for each other no longer than they must. */
TEST(overlap)
{
	pid_t pids[4];
	int fd = disk(), i, n;
	long start;

	MUST(control(DISK " latency 20000000"));
	start = now();
	for (i = 0; i < 4; i++) {
		pids[i] = t_fork();
		if (pids[i] != 0)
			continue;
		for (n = 0; n < 5; n++)
			EXPECT(SECTOR, pread(fd, seen, SECTOR, 0));
		t_exit();
	}
	for (i = 0; i < 4; i++)
		t_reap(pids[i]);
	n = (int)((now() - start) / (20 * MSEC));
	say("20 reads of 20 ms by four: %s\n",
	    n < 5	  ? "too fast"
		: n >= 10 ? "too slow"
			  : "right");
	MUST(control(DISK " latency 100000"));
	MUST(close(fd));
}

/* A flush is not done before the writes that came before it. */
TEST(flush_waits)
{
	struct timespec nap = {0, 20 * MSEC};
	int fd = disk();
	pid_t pid;

	pattern(fd, 0, SECTOR, 1);
	MUST(control(DISK " latency 100000000"));
	pid = t_fork();
	if (pid == 0) {
		t_fill(buf, SECTOR, 2);
		EXPECT(SECTOR, pwrite(fd, buf, SECTOR, 0));
		t_exit();
	}
	MUST(nanosleep(&nap, NULL));
	MUST(control(DISK " latency 0"));
	MUST(fsync(fd));
	EXPECT(SECTOR, pread(fd, seen, SECTOR, 0));
	t_fill(buf, SECTOR, 2);
	say("the write is %s\n", memcmp(buf, seen, SECTOR) ? "lost" : "there");
	t_reap(pid);
	MUST(control(DISK " latency 100000"));
	MUST(close(fd));
}
#else
/* A disk that the host does not let be written says so. */
TEST(read_only)
{
	int fd = MUST(open("/dev/" OTHER, O_RDWR)), word = 0;

	MUST(ioctl(fd, BLKROGET, &word));
	say("read-only: %d\n", word);
	say_rw("read", pread(fd, seen, 100, 10));
	say_rw("write", pwrite(fd, seen, 512, 0));
	MUST(close(fd));
}

/* What the device itself cannot do is an error, too. */
TEST(broken)
{
	int fd = MUST(open("/dev/vdc", O_RDWR));

	say_rw("sector 63", pread(fd, seen, SECTOR, 63 * SECTOR));
	say_rw("sector 64", pread(fd, seen, SECTOR, 64 * SECTOR));
	say_rw("a page with it", pread(fd, seen, PAGE, 64 * SECTOR));
	say_rw("write to 63", pwrite(fd, seen, SECTOR, 63 * SECTOR));
	say_rw("write to 64", pwrite(fd, seen, SECTOR, 64 * SECTOR));
	say_rw("a byte of it", pwrite(fd, seen, 1, 64 * SECTOR + 1));
	FAILS(EIO, fsync(fd));
	MUST(close(fd));
}
#endif
