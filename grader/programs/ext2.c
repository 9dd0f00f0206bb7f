/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ext2 on a disk.  The boot has four: dda with blocks of 1 KiB, ddb with
 * blocks of 4 KiB, ddc small and of the oldest revision, and ddd, which has a
 * file system that cannot be mounted.  A test with a 4 at its end uses ddb.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/swap.h>
#include <time.h>
#include <unistd.h>

#include "t.h"

#ifndef DISKS
#define DISKS "dd" /* vext2.c has another kind */
#endif
#define RW (PROT_READ | PROT_WRITE)

static char buf[256 * 1024], seen[256 * 1024];

static const char *
disk(void)
{
	return t_arg == 4 ? DISKS "b" : DISKS "a";
}

/* Mounts the disk and goes there. */
static void
enter(void)
{
	t_mount(disk());
	MUST(chdir(disk()));
}

static void
leave(void)
{
	MUST(chdir(".."));
	t_umount(disk());
}

/* Everything that is not in memory only must stay. */
static void
again(void)
{
	leave();
	enter();
}

static long
blocks_free(void)
{
	struct statfs st;

	MUST(statfs(".", &st));
	return st.f_bfree;
}

/* What mke2fs has put on the disk, with the same program's help: as much as is
 * wanted. */
TEST(plant)
{
	size_t len = t_arg != 0 ? (size_t)t_arg * 1000 : sizeof(buf);
	char name[256], text[600];
	int i;

	if (t_extra != NULL)
		MUST(chdir(t_extra));
	MUST(mkdir("made", 0755));
	MUST(mkdir("made/many", 0700));
	for (i = 0; i < 60; i++) {
		sprintf(name, "made/many/%0*d", 1 + i * 3, i);
		t_fill(text, i * 10, i);
		MUST(close(t_file(name, text, i * 10)));
	}
	t_fill(buf, len, 3);
	i = t_file("made/large", buf, len);
	EXPECT(1000, pwrite(i, buf, 1000, 2000000));
	MUST(close(i));
	MUST(symlink("large", "made/short"));
	memset(text, 'x', sizeof(text));
	strcpy(text + 300, "/far");
	MUST(symlink(text, "made/long"));
	MUST(link("made/large", "made/hard"));
	MUST(chmod("made/large", 0640));
}

TEST(made)
{
	enter();
	if (!t_nymph())
		test_plant();
	t_show("made");
	leave();
}

/* Names: made, refused, moved and removed. */
TEST(names)
{
	char name[300];
	struct stat st;
	int i;

	enter();
	MUST(mkdir("n", 0755));
	MUST(chdir("n"));
	MUST(close(t_file("a", "one", 3)));
	MUST(link("a", "b"));
	MUST(symlink("a", "s"));
	MUST(mkdir("d", 0751));
	MUST(mkdir("d/e", 0755));
	FAILS(EEXIST, mkdir("a", 0755));
	FAILS(EEXIST, link("a", "s"));
	FAILS(EEXIST, symlink("x", "b"));
	FAILS(ENOTEMPTY, rmdir("d"));
	FAILS(ENOTDIR, rmdir("a"));
	FAILS(EISDIR, unlink("d"));
	FAILS(EISDIR, rename("a", "d"));
	FAILS(ENOTDIR, rename("d", "a"));
	FAILS(EINVAL, rename("d", "d/e/f"));
	FAILS(ENOTEMPTY, rename("d/e", "d"));
	MUST(close(t_file("longer", "", 0)));
	FAILS(ENOENT, unlink("long"));
	FAILS(ENOENT, unlink("longest"));
	MUST(rename("a", "b")); /* one file: nothing happens */
	MUST(mkdir("g", 0755));
	MUST(rename("d", "g"));
	MUST(close(t_file("c", "other", 5)));
	MUST(rename("c", "g/e/moved"));
	MUST(rename("s", "b"));
	MUST(rename("g/e", "h"));
	memset(name, 'n', sizeof(name));
	name[255] = '\0';
	MUST(close(t_file(name, "", 0)));
	name[255] = 'n';
	name[256] = '\0';
	FAILS(ENAMETOOLONG, open(name, O_RDWR | O_CREAT, 0644));
	MUST(mknod("fifo", S_IFIFO | 0600, 0));
	MUST(chmod("h", 01777));
	for (i = 0; i < 300; i++) {
		sprintf(name, "h/entry_%d_with_some_length", i);
		MUST(close(t_file(name, name, i % 50)));
	}
	for (i = 0; i < 300; i += 2) {
		sprintf(name, "h/entry_%d_with_some_length", i);
		MUST(unlink(name));
	}
	for (i = 0; i < 40; i++) {
		sprintf(name, "h/x%d", i);
		MUST(mkdir(name, 0755));
	}
	MUST(chdir(".."));
	again();
	t_show("n");
	MUST(stat("n/h/..", &st));
	say(".. of the moved folder: %ld links\n", (long)st.st_nlink);
	t_clear("n");
	MUST(rmdir("n"));
	leave();
}

/* Where blocks of numbers begin: writing there, and holes between. */
TEST(far)
{
	static const long at[] = {0, 11, 12, 13, 140, 267, 268, 523, 524, 65803,
	    65804, 66060, 131596, 1035, 1036, 1037, 2059, 2060};
	long bs = t_arg == 4 ? 4096 : 1024;
	int fd;

	enter();
	fd = MUST(open("far", O_RDWR | O_CREAT, 0644));
	for (size_t i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		t_fill(buf, 900, i);
		EXPECT(900, pwrite(fd, buf, 900, at[i] * bs + 50));
	}
	MUST(ftruncate(fd, 131597 * bs)); /* the last block, whole */
	MUST(close(fd));
	again();
	fd = MUST(open("far", O_RDWR));
	for (size_t i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		EXPECT(1024, pread(fd, seen, 1024, at[i] * bs));
		say("%ld: %08x\n", at[i], t_sum(seen, 950));
	}
	say("hole: %08x\n",
	    pread(fd, seen, 5000, 30000 * bs) == 5000 ? t_sum(seen, 5000) : 0);
	/* From the end on, cut in the middle of each depth. */
	MUST(ftruncate(fd, 66000 * bs + 7));
	MUST(ftruncate(fd, 600 * bs + 1));
	MUST(ftruncate(fd, 100 * bs));
	MUST(ftruncate(fd, 131600 * bs));
	for (size_t i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		pread(fd, seen, 1024, at[i] * bs);
		say("%ld: %08x\n", at[i], t_sum(seen, 950));
	}
	MUST(close(fd));
	MUST(unlink("far"));
	leave();
}

/* Cutting and growing: what comes back is zeroes. */
TEST(cut)
{
	static const long sizes[] = {
	    9000, 8999, 4097, 4096, 4095, 1025, 1024, 1, 0};
	int fd;

	enter();
	t_fill(buf, sizeof(buf), 8);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		fd = t_file("cut", buf, 10000);
		MUST(close(fd));
		if (i % 2 == 0)
			again(); /* nothing of it in memory */
		fd = MUST(open("cut", O_RDWR));
		MUST(ftruncate(fd, sizes[i]));
		if (i % 3 == 0)
			MUST(fsync(fd));
		MUST(ftruncate(fd, 12000));
		MUST(close(fd));
		again();
		say("%ld: %08x\n", sizes[i], t_file_sum("cut"));
	}
	MUST(unlink("cut"));
	leave();
}

/* Mappings and the file are one, and reach the disk. */
TEST(mapped)
{
	char *p, *q;
	int fd;

	enter();
	t_fill(buf, sizeof(buf), 21);
	fd = t_file("m", buf, 5 * PAGE + 100);
	p = (char *)MUST(mmap(NULL, 6 * PAGE, RW, MAP_SHARED, fd, 0));
	q = (char *)MUST(mmap(NULL, 6 * PAGE, RW, MAP_PRIVATE, fd, 0));
	t_fill(p + PAGE, 700, 5);
	q[2 * PAGE] = 'q';
	EXPECT(5, pwrite(fd, "write", 5, 3 * PAGE + 10));
	say("%.5s\n", p + 3 * PAGE + 10);
	memset(p + 5 * PAGE + 100, 'z', 50); /* beyond the end */
	MUST(msync(p, 6 * PAGE, MS_SYNC));
	MUST(ftruncate(fd, 6 * PAGE));
	if (t_nymph())
		EXPECT(0, p[5 * PAGE + 120]);
	else
		memset(p + 5 * PAGE + 100, 0, 50); /* tmpfs keeps it */
	MUST(ftruncate(fd, 20 * PAGE));		   /* a hole to be written to */
	MUST(munmap(p, 6 * PAGE));
	MUST(munmap(q, 6 * PAGE));
	p = (char *)MUST(mmap(NULL, 20 * PAGE, RW, MAP_SHARED, fd, 0));
	p[17 * PAGE + 2000] = 'h';
	say("%d %s\n", p[16 * PAGE], t_try('r', p + 19 * PAGE));
	MUST(ftruncate(fd, 18 * PAGE));
	say("%s\n", t_try('r', p + 19 * PAGE));
	MUST(munmap(p, 20 * PAGE));
	MUST(close(fd));
	again();
	t_show(".");
	MUST(unlink("m"));
	leave();
}

/* --- What only a disk shows --- */

/* A file without a name lives while it is open; then its blocks are free. */
TEST(nameless)
{
	long before, during;
	char *p;
	int fd;

	enter();
	before = blocks_free();
	t_fill(buf, sizeof(buf), 4);
	fd = t_file("gone", buf, sizeof(buf));
	p = (char *)MUST(
	    mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 7 * PAGE));
	MUST(unlink("gone"));
	MUST(close(fd));
	during = blocks_free();
	say("%08x\n", t_sum(p, PAGE));
	MUST(munmap(p, PAGE));
	EXPECT(1, during < before);
	EXPECT(before, blocks_free());
	leave();
}

/* Attributes, as far as seconds go. */
TEST(attr)
{
	struct timespec ts[2] = {{1000000000, 0}, {1234567890, 0}};
	struct stat st;

	enter();
	MUST(close(t_file("at", "x", 1)));
	MUST(chmod("at", 04711));
	MUST(chown("at", 70000, 80000));
	MUST(utimensat(AT_FDCWD, "at", ts, 0));
	again();
	MUST(stat("at", &st));
	say("%o %u %u %ld %ld\n", st.st_mode, st.st_uid, st.st_gid,
	    (long)st.st_atime, (long)st.st_mtime);
	MUST(unlink("at"));
	leave();
}

/* The disk's number behind a name in /proc/disks. */
static long
counter(const char *name)
{
	char text[2048], *line, *p;

	t_read_text("/proc/disks", text, sizeof(text));
	line = strstr(text, disk());
	p = line != NULL ? strstr(line, name) : NULL;
	return p != NULL ? atol(p + strlen(name)) : -1;
}

static void
control(const char *command)
{
	int fd = MUST(open("/dev/diskctl", O_WRONLY));

	EXPECT(strlen(command), write(fd, command, strlen(command)));
	MUST(close(fd));
}

/* Each change reaches the disk once, and by its sectors. */
TEST(writes)
{
	int fd, i;
	long was;
	char *p;

	enter();
	t_fill(buf, 16 * PAGE, 2);
	fd = t_file("w", buf, 16 * PAGE);
	p = (char *)MUST(mmap(NULL, 16 * PAGE, RW, MAP_SHARED, fd, 0));
	MUST(fsync(fd));
	for (i = 0; i < 2; i++) {
		was = counter("writes ");
		if (i == 0)
			p[3 * PAGE] ^= 1;
		MUST(msync(p, 16 * PAGE, MS_SYNC));
		say("msync: %ld writes\n", counter("writes ") - was);
	}
	was = counter("writes ");
	for (i = 0; i < 16; i++)
		p[i * PAGE + 5] ^= 1;
	MUST(msync(p, 16 * PAGE, MS_SYNC));
	say("sixteen pages: %ld writes\n", counter("writes ") - was);
	was = counter("writes ");
	EXPECT(512, pwrite(fd, buf, 512, 5 * PAGE));
	MUST(fsync(fd));
	say("a sector and its inode: %ld writes\n", counter("writes ") - was);
	was = counter("writes ");
	MUST(fsync(fd));
	say("nothing: %ld writes\n", counter("writes ") - was);
	was = counter("reads ");
	say("%08x", t_file_sum("w"));
	say(" after %ld reads\n", counter("reads ") - was);
	MUST(munmap(p, 16 * PAGE));
	MUST(close(fd));
	MUST(unlink("w"));
	leave();
}

/* A write that fails is told of by fsync, once, and can be tried again; a read
 * that fails is EIO, or SIGBUS in a mapping. */
TEST(errors)
{
	char *p;
	int fd;

	enter();
	t_fill(buf, 4 * PAGE, 6);
	fd = t_file("e", buf, 4 * PAGE);
	MUST(fsync(fd));
	EXPECT(4, pwrite(fd, "new!", 4, PAGE));
	control("dda fail write 0..32767 1");
	FAILS(EIO, fsync(fd));
	MUST(fsync(fd));
	p = (char *)MUST(mmap(NULL, 4 * PAGE, RW, MAP_SHARED, fd, 0));
	p[0] = '!';
	control("dda fail write 0..32767 1");
	FAILS(EIO, msync(p, PAGE, MS_SYNC));
	MUST(msync(p, PAGE, MS_SYNC));
	MUST(munmap(p, 4 * PAGE));
	MUST(close(fd));
	again();
	memcpy(buf + PAGE, "new!", 4);
	buf[0] = '!';
	fd = MUST(open("e", O_RDONLY));
	EXPECT(4 * PAGE, read(fd, seen, sizeof(seen)));
	EXPECT(0, memcmp(buf, seen, 4 * PAGE));
	MUST(close(fd));
	again();
	fd = MUST(open("e", O_RDWR));
	p = (char *)MUST(mmap(NULL, 4 * PAGE, RW, MAP_SHARED, fd, 0));
	control("dda fail read 0..32767");
	FAILS(EIO, read(fd, seen, PAGE));
	say("%s\n", t_try('r', p));
	control("dda clear");
	EXPECT(PAGE, read(fd, seen, PAGE));
	say("%08x %s\n", t_sum(seen, PAGE), t_try('r', p));
	MUST(munmap(p, 4 * PAGE));
	MUST(close(fd));
	MUST(unlink("e"));
	leave();
}

/* A full disk says so, keeps what it has, and can be used again. */
TEST(full)
{
	char name[16];
	int fd, i, n, round;
	ssize_t got;
	uint32_t sum;

	t_mount("ddc");
	MUST(chdir("ddc"));
	for (round = 0; round < 2; round++) {
		for (i = 0; i < 100; i++) {
			sprintf(name, "f%d", i);
			fd = open(name, O_RDWR | O_CREAT, 0644);
			if (fd == -1)
				break;
			t_fill(buf, 50000, i);
			got = write(fd, buf, 50000);
			MUST(close(fd));
			if (got != 50000)
				break;
		}
		n = i;
		fd = MUST(open("rest", O_RDWR | O_CREAT | O_APPEND, 0644));
		while (write(fd, buf, 1024) == 1024)
			continue;
		FAILS(ENOSPC, write(fd, buf, 1));
		MUST(close(fd));
		say("round %d: %ld blocks left\n", round, blocks_free());
		FAILS(ENOSPC, mkdir("no", 0755));
		for (i = sum = 0; i < n; i++) {
			sprintf(name, "f%d", i);
			t_fill(buf, 50000, i);
			fd = MUST(open(name, O_RDONLY));
			EXPECT(50000, read(fd, seen, sizeof(seen)));
			EXPECT(0, memcmp(buf, seen, 50000));
			MUST(close(fd));
		}
		say("%d files are whole\n", n);
		MUST(chdir(".."));
		t_umount("ddc");
		t_mount("ddc");
		MUST(chdir("ddc"));
		t_clear(".");
	}
	/* A mapping finds no room only when its page is written. */
	fd = MUST(open("hole", O_RDWR | O_CREAT, 0644));
	MUST(ftruncate(fd, 4000000));
	char *p = (char *)MUST(mmap(NULL, 4000000, RW, MAP_SHARED, fd, 0));
	for (i = 0; i < 4000000; i += PAGE)
		p[i] = 'm';
	FAILS(ENOSPC, fsync(fd));
	MUST(munmap(p, 4000000));
	MUST(ftruncate(fd, 0));
	(void)fsync(fd); /* tells what the syncer may have met since, once */
	MUST(fsync(fd));
	MUST(close(fd));
	MUST(unlink("hole"));
	say("%d names are left\n", t_names(".", NULL, 0));
	MUST(chdir(".."));
	t_umount("ddc");
}

/* Read-only is read-only; busy is busy; what is no ext2 is refused. */
TEST(mounts)
{
	long was;
	int fd;

	enter();
	MUST(close(t_file("f", "data", 4)));
	MUST(mkdir("ro", 0755));
	FAILS(EBUSY, mount("/dev/dda", "ro", "ext2", 0, NULL));
	FAILS(EBUSY, swapon("/dev/dda", 0));
	fd = MUST(open("f", O_RDONLY));
	MUST(chdir(".."));
	FAILS(EBUSY, umount2("dda", 0));
	MUST(close(fd));
	t_umount("dda");
	FAILS(EINVAL, umount2("dda", 0));
	FAILS(EINVAL, swapon("/dev/dda", 0)); /* free, but no swap */

	was = counter("writes ");
	MUST(mount("/dev/dda", "dda", "ext2", MS_RDONLY, NULL));
	MUST(chdir("dda"));
	FAILS(EROFS, open("f", O_RDWR));
	FAILS(EROFS, open("new", O_RDWR | O_CREAT, 0644));
	FAILS(EROFS, unlink("f"));
	FAILS(EROFS, mkdir("d", 0755));
	FAILS(EROFS, rename("f", "g"));
	FAILS(EROFS, chmod("f", 0));
	FAILS(EROFS, truncate("f", 0));
	say("%08x\n", t_file_sum("f"));
	MUST(chdir(".."));
	MUST(umount2("dda", 0));
	say("%ld writes\n", counter("writes ") - was);

	enter();
	MUST(unlink("f"));
	MUST(rmdir("ro"));
	leave();
	MUST(mkdir("ddd", 0755));
	FAILS(EINVAL, mount("/dev/ddd", "ddd", "ext2", 0, NULL));
	FAILS(ENOTBLK, mount("/dev/null", "ddd", "ext2", 0, NULL));
	FAILS(ENOENT, mount("/dev/none", "ddd", "ext2", 0, NULL));
	FAILS(ENODEV, mount("/dev/dda", "ddd", "ext9", 0, NULL));
	/* In memory a file that was written to is kept by its name alone. */
	MUST(mount("none", "ddd", "tmpfs", 0, NULL));
	fd = t_file("ddd/kept", "data", 4);
	FAILS(EBUSY, umount2("ddd", 0));
	MUST(close(fd));
	MUST(umount2("ddd", 0));
	MUST(rmdir("ddd"));
}

/* What the host finds on the disk afterwards. */
TEST(kept)
{
	enter();
	MUST(mkdir("kept", 0755));
	t_fill(buf, sizeof(buf), 77);
	MUST(close(t_file("kept/data", buf, 100001)));
	MUST(close(t_file("kept/empty", buf, 0)));
	MUST(mkdir("kept/folder", 0750));
	MUST(close(t_file("kept/folder/more", buf, sizeof(buf))));
	MUST(symlink("data", "kept/link"));
	t_show("kept");
	leave();
}

/* On the host: what is in a copy of it. */
TEST(shown)
{
	MUST(chdir(t_extra));
	t_show("kept");
}

/* All file systems can be mounted together; the boot ends with files in use
 * that have no name. The host looks at the disks then. */
TEST(clean)
{
	static const char *const disks[] = {DISKS "a", DISKS "b", DISKS "c"};
	int i;

	for (i = 0; i < 3; i++) {
		t_mount(disks[i]);
		MUST(chdir(disks[i]));
		MUST(t_file("nameless", "data", 4));
		MUST(unlink("nameless"));
		MUST(chdir(".."));
	}
	if (t_nymph())
		FAILS(EBUSY, umount2(disk(), 0));
	say("in use\n");
	/* They are unmounted when they are not used any more. */
	for (i = 3; i < 12; i++)
		close(i);
	for (i = 0; i < 3; i++)
		t_umount(disks[i]);
}
