/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Damaged file systems.  The disk dda has a good one; copies of it, damaged by
 * seed, go to ddb, are mounted, walked, used and unmounted.  Whatever the calls
 * return, the kernel must live, and nothing of the file system stay in use.
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "t.h"

#define DISKS 50
#define BLOCK 1024
#define SIZE  (256 * 1024) /* of the file system: the disk is larger */
#define DEEP  5
#define NAMES 12 /* that are looked at in one folder */
#define READ  (64 * 1024)

static unsigned char image[SIZE], broken[SIZE];
static int folders[SIZE / BLOCK], nfolders; /* blocks of entries */
static uint32_t rng;
static char buf[READ];

/* The next number of the seed, below a limit. */
static uint32_t
pick(uint32_t limit)
{
	rng = rng * 1664525u + 1013904223u;
	return (uint32_t)(((uint64_t)(rng >> 4) * limit) >> 28);
}

/* Finds the blocks that begin with the entry of ".". */
static void
find_folders(void)
{
	int b;

	for (b = 1; b < SIZE / BLOCK; b++)
		if (memcmp(image + b * BLOCK + 4, "\14\0\1\2.\0\0\0", 8) == 0)
			folders[nfolders++] = b;
}

/* Two bytes of the good one. */
static uint32_t
word(uint32_t at)
{
	return image[at] | (uint32_t)image[at + 1] << 8;
}

/* Somewhere in the head of an entry of a folder's block. */
static uint32_t
entry_place(uint32_t block)
{
	uint32_t at = block, n;

	for (n = pick(12); n > 0 && at + word(at + 4) < block + BLOCK; n--)
		at += word(at + 4);
	return at + pick(9);
}

/* Somewhere in the part of an inode that is ext2's: Poirier's layout. */
static uint32_t
inode_place(void)
{
	uint32_t table = word(2 * BLOCK + 8), size = word(BLOCK + 88);

	return table * BLOCK + (pick(20) == 0 ? 1 : 10 + pick(70)) * size +
	    pick(116);
}

/* A place worth damaging. */
static uint32_t
place(void)
{
	switch (pick(16)) {
	case 0: /* superblock, but for its name */
		return BLOCK + pick(100);
	case 1: /* groups */
		return 2 * BLOCK + pick(32);
	case 2:
	case 3: /* bitmaps and inodes */
		return 3 * BLOCK + pick(24 * BLOCK);
	case 4:
	case 5:
	case 6:
	case 7:
		return inode_place();
	case 8:
	case 9:
	case 10:
	case 11:
		return entry_place(folders[pick(nfolders)] * BLOCK);
	default:
		return pick(SIZE);
	}
}

/* Changes a bit, a byte, or a number. */
static void
damage(void)
{
	static const uint32_t numbers[] = {0, 1, 2, 3, 5, 11, 1023, 1024, 4096,
	    0x7fffffff, 0x80000000, 0xffffffff};
	uint32_t at = place(), v;

	switch (pick(4)) {
	case 0:
		broken[at] ^= 1 << pick(8);
		break;
	case 1:
		broken[at] = (unsigned char)pick(256);
		break;
	default:
		at &= ~3u;
		v = pick(2) ? pick(300) : numbers[pick(12)];
		memcpy(broken + at, &v, sizeof(v));
		break;
	}
}

/* Looks at a file and reads the beginning of it. */
static void
look(const char *path)
{
	struct stat st;
	char *p;
	int fd;

	if (lstat(path, &st) == -1)
		return;
	if (S_ISLNK(st.st_mode))
		(void)!readlink(path, buf, sizeof(buf));
	if (!S_ISREG(st.st_mode))
		return;
	fd = open(path, O_RDONLY);
	if (fd == -1)
		return;
	(void)!read(fd, buf, sizeof(buf));
	(void)!pread(fd, buf, 5000, st.st_size - 3000);
	p = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
	if (p != MAP_FAILED) {
		t_try('R', p);
		munmap(p, PAGE);
	}
	close(fd);
}

/* Walks a folder, whatever it is made of. */
static void
walk(const char *dir, int deep)
{
	DIR *d = opendir(dir);
	char path[1024];
	struct dirent *de;
	struct stat st;
	int n = 0;

	if (d == NULL)
		return;
	while ((de = readdir(d)) != NULL) {
		/* Every entry is read, but not every file looked at. */
		if (n++ >= NAMES && n % 16 != 0)
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, de->d_name);
		look(path);
		if (strcmp(de->d_name, ".") != 0 &&
		    strcmp(de->d_name, "..") != 0 && deep > 0 &&
		    lstat(path, &st) == 0 && S_ISDIR(st.st_mode))
			walk(path, deep - 1);
	}
	closedir(d);
}

/* Uses it: most of this may fail. */
static void
use(void)
{
	char name[64];
	int fd, i;
	char *p;

	for (i = 0; i < 5; i++) {
		snprintf(name, sizeof(name), "%s/new%d",
		    i % 2 ? "made" : "made/many", i);
		fd = open(name, O_RDWR | O_CREAT, 0644);
		if (fd == -1)
			continue;
		(void)!pwrite(fd, buf, 3000 * (i + 1), i * 10000);
		p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		if (p != MAP_FAILED) {
			t_try('W', p);
			munmap(p, PAGE);
		}
		if (i % 3 == 0)
			fsync(fd);
		close(fd);
	}
	fd = open("made/large", O_RDWR);
	if (fd != -1) {
		(void)!write(fd, buf, sizeof(buf));
		(void)!ftruncate(fd, 20000);
		(void)!pwrite(fd, buf, 2000, 300000);
		close(fd);
	}
	(void)!truncate("made/hard", 100);
	mkdir("made/folder", 0755);
	rename("made/new1", "made/folder/moved");
	rename("made/new2", "made/many/new4");
	rename("made/many", "made/folder/many");
	link("made/large", "made/more");
	symlink("somewhere", "made/link");
	unlink("made/short");
	unlink("made/long");
	unlink("made/large");
	unlink("made/hard");
	rmdir("made/folder");
	rmdir("lost+found");
}

/* One damaged disk; was it mounted? */
static int
one(uint32_t seed)
{
	struct statfs sf;
	int fd = MUST(open("/dev/ddb", O_WRONLY)), i;

	rng = seed * 2654435761u;
	memcpy(broken, image, SIZE);
	for (i = pick(8); i >= 0; i--)
		damage();
	EXPECT(SIZE, write(fd, broken, SIZE));
	MUST(close(fd));
	umount2("damaged", 0);
	if (mount("/dev/ddb", "damaged", "ext2", 0, NULL) == -1)
		return 0;
	MUST(chdir("damaged"));
	statfs(".", &sf);
	walk(".", DEEP);
	use();
	walk("made", 0);
	sync();
	MUST(chdir(".."));
	if (umount2("damaged", 0) == -1) {
		t_fails++;
		say("seed %u: umount: %s\n", seed, t_errname(errno));
	}
	return 1;
}

TEST(disks)
{
	int fd, i, mounted = 0;

	if (mkdir("damaged", 0755) == -1 && errno != EEXIST)
		MUST(-1);
	fd = MUST(open("/dev/diskctl", O_WRONLY));
	EXPECT(13, write(fd, "dda latency 0", 13));
	EXPECT(13, write(fd, "ddb latency 0", 13));
	MUST(close(fd));
	fd = MUST(open("/dev/dda", O_RDONLY));
	EXPECT(SIZE, read(fd, image, SIZE));
	MUST(close(fd));
	find_folders();
	EXPECT(1, nfolders >= 3);
	if (t_extra != NULL) {
		say("%d\n", one(atoi(t_extra)));
		return;
	}
	for (i = 0; i < DISKS; i++)
		mounted += one(t_arg * DISKS + i);
	say("%d damaged disks, %s mounted\n", DISKS,
	    mounted == 0	   ? "none"
		: mounted == DISKS ? "all"
				   : "some");
}
