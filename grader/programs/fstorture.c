/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Seeded use of a file system: files are made, written, cut, mapped, renamed,
 * linked and removed in a small tree, and everything that can be seen of it
 * goes into a checksum.  A Linux folder and an ext2 disk give the same.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "t.h"

#define NOPS   150
#define SEEDS  4     /* one after the other, in one test */
#define MAXLEN 30000 /* of one write */
#define MAXEND 90000 /* of a file, but for a hole now and then */
#define FAR    2000000

static uint32_t rng, sum;
static char buf[MAXLEN + 8];

/* The next number of the seed, below a limit. */
static uint32_t
pick(uint32_t limit)
{
	rng = rng * 1664525u + 1013904223u;
	return (uint32_t)(((uint64_t)(rng >> 4) * limit) >> 28);
}

/* Adds what a call returned to the checksum, or its errno. */
static long
add(long v)
{
	uint32_t w = v == -1 ? 1000u + (uint32_t)errno : (uint32_t)v;

	sum = (sum ^ w) * 16777619u;
	sum ^= sum >> 15;
	return v;
}

/* A name in one of four folders, which may or may not be there. */
static const char *
name(char *to)
{
	static const char *const dirs[] = {".", "d0", "d1", "d0/d2"};
	uint32_t d = pick(4), n = pick(6);

	/* Some names are long, so that folders need more than one block. */
	sprintf(to, "%s/%s%u", dirs[d],
	    n == 5 ? "a_name_that_is_long_enough_to_fill_the_block_of_a_folder_"
		     "soon"
		   : "f",
	    n);
	return to;
}

static const char *
folder(char *to)
{
	static const char *const dirs[] = {"d0", "d1", "d0/d2", "d1/d3"};

	return strcpy(to, dirs[pick(4)]);
}

static long
place(void)
{
	return pick(10) == 0 ? pick(FAR) : pick(MAXEND);
}

/* Opens a file, writes or reads a piece, closes it. */
static void
piece(int writing)
{
	char a[128];
	long off, len;
	int fd;

	fd = open(name(a), writing ? O_RDWR | O_CREAT : O_RDONLY, 0644);
	add(fd == -1 ? -1 : 0);
	if (fd == -1)
		return;
	off = place();
	len = pick(MAXLEN) + 1;
	if (writing) {
		t_fill(buf, len, pick(1000));
		add(pwrite(fd, buf, len, off));
		if (pick(8) == 0)
			add(fsync(fd));
	} else {
		len = add(pread(fd, buf, len, off));
		if (len > 0)
			add(t_sum(buf, len));
	}
	close(fd);
}

/* Writes to some pages of a file by a shared mapping. */
static void
mapped(void)
{
	struct stat st;
	char a[128], *p;
	int fd = open(name(a), O_RDWR), i;
	long at, len;

	add(fd == -1 ? -1 : 0);
	if (fd == -1)
		return;
	fstat(fd, &st);
	len = st.st_size < MAXEND ? st.st_size : MAXEND;
	if (len > 0) {
		p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		for (i = 0; i < 4; i++) {
			at = pick(len);
			add(p[at]);
			p[at] = (char)pick(256);
		}
		if (pick(2) == 0)
			add(msync(p, len, MS_SYNC));
		if (pick(3) == 0)
			add(ftruncate(fd, pick(len)));
		munmap(p, len);
	}
	close(fd);
}

/* Looks at a file or a folder. */
static void
look(void)
{
	char a[128], *names[64];
	struct stat st;
	int n, i;

	if (add(lstat(pick(2) ? name(a) : folder(a), &st)) == -1)
		return;
	add(st.st_mode);
	add(st.st_nlink);
	if (S_ISDIR(st.st_mode)) {
		n = t_names(a, names, 64);
		add(n);
		for (i = 0; i < n; i++) {
			add(t_sum(names[i], strlen(names[i])));
			free(names[i]);
		}
	} else {
		add(st.st_size);
	}
}

static void
step(void)
{
	char a[128], b[128];

	switch (pick(16)) {
	case 0:
	case 1:
	case 2:
	case 3:
		piece(1);
		break;
	case 4:
	case 5:
		piece(0);
		break;
	case 6:
		add(truncate(name(a), place()));
		break;
	case 7:
	case 8:
		mapped();
		break;
	case 9:
		add(rename(name(a), name(b)));
		break;
	case 10:
		add(unlink(name(a)));
		break;
	case 11:
		add(pick(3) == 0 ? rmdir(folder(a)) : mkdir(folder(a), 0755));
		break;
	case 12:
		add(link(name(a), name(b)));
		break;
	case 13:
		add(rename(folder(a), folder(b)));
		break;
	case 14:
		t_fill(buf, 8, pick(9));
		sprintf(b, "%0*u", 1 + (int)pick(100), pick(1000));
		add(symlink(b, name(a)));
		add(readlink(a, buf, sizeof(buf)));
		break;
	default:
		look();
		break;
	}
}

/* Adds a file to the checksum. */
static void
count(const char *path, const struct stat *st, int after)
{
	(void)after;
	add(t_sum(path, strlen(path)));
	add(st->st_mode);
	add(st->st_nlink);
	if (S_ISREG(st->st_mode)) {
		add(st->st_size);
		add(t_file_sum(path));
	}
}

/* One seed, in a folder of its own. */
static void
run(uint32_t seed)
{
	char dir[32];
	int i;

	snprintf(dir, sizeof(dir), "s%u", seed);
	MUST(mkdir(dir, 0755));
	MUST(chdir(dir));
	rng = seed * 2654435761u;
	sum = 0;
	for (i = 0; i < NOPS; i++)
		step();
	MUST(chdir(".."));
	t_walk(dir, 0, count);
	say("seed %u: %08x\n", seed, sum);
}

/* Looks at what a seed has left. */
static void
again(uint32_t seed)
{
	char dir[32];

	snprintf(dir, sizeof(dir), "s%u", seed);
	sum = 0;
	t_walk(dir, 0, count);
	say("seed %u: %08x on the disk\n", seed, sum);
	t_clear(dir);
	MUST(rmdir(dir));
}

static void
on_disk(const char *disk, uint32_t first)
{
	uint32_t i;

	t_mount(disk);
	MUST(chdir(disk));
	for (i = 0; i < SEEDS; i++)
		run(first + i);
	MUST(chdir(".."));
	t_umount(disk);
	t_mount(disk);
	MUST(chdir(disk));
	for (i = 0; i < SEEDS; i++)
		again(first + i);
	MUST(chdir(".."));
	t_umount(disk);
}

/* Blocks of 1 KiB, and of 4 KiB. */
TEST(small)
{
	on_disk("dda", t_arg * SEEDS);
}

TEST(large)
{
	on_disk("ddb", t_arg * SEEDS);
}

/* Four processes on one disk, each with its own files. */
TEST(four)
{
	pid_t pid[4];
	int i;

	t_mount("dda");
	MUST(chdir("dda"));
	for (i = 0; i < 4; i++) {
		pid[i] = t_fork();
		if (pid[i] == 0) {
			int fd = open("/dev/null", O_WRONLY);

			dup2(fd, 1);
			run(1000 + t_arg * 4 + i);
			t_exit();
		}
	}
	for (i = 0; i < 4; i++)
		t_reap(pid[i]);
	for (i = 0; i < 4; i++)
		again(1000 + t_arg * 4 + i);
	MUST(chdir(".."));
	t_umount("dda");
}
