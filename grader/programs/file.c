/* SPDX-License-Identifier: BSD-2-Clause */
/* Files, and files in memory. */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "t.h"

#define RW (PROT_READ | PROT_WRITE)

/* A file of n pages with a pattern, open for both. */
static int
page_file(const char *name, int n)
{
	char buf[8 * PAGE];

	t_fill(buf, n * PAGE, 1);
	return t_file(name, buf, n * PAGE);
}

/* Prints the checksum of what read(2) says is in the file. */
static void
say_file(const char *what, int fd, int n)
{
	char buf[8 * PAGE];

	EXPECT(n * PAGE, pread(fd, buf, n * PAGE, 0));
	say("%s %08x\n", what, t_sum(buf, n * PAGE));
}

/* A write to a private mapping changes the page, not the file. */
TEST(map_private)
{
	int fd = page_file("mp", 4);
	char *p;

	p = (char *)MUST(mmap(NULL, 4 * PAGE, RW, MAP_PRIVATE, fd, 0));
	say("map %08x\n", t_sum(p, 4 * PAGE));
	t_fill(p + PAGE, PAGE, 9);
	say("map %08x\n", t_sum(p, 4 * PAGE));
	say_file("file", fd, 4);
	MUST(munmap(p, 4 * PAGE));
	p = (char *)MUST(mmap(NULL, 4 * PAGE, RW, MAP_PRIVATE, fd, 0));
	say("again %08x\n", t_sum(p, 4 * PAGE));
	MUST(munmap(p, 4 * PAGE));
	MUST(close(fd));
	MUST(unlink("mp"));
}

/* A write to a shared mapping changes the file, and the other way round. */
TEST(map_shared)
{
	int fd = page_file("ms", 4);
	char *p, buf[100];

	p = (char *)MUST(mmap(NULL, 4 * PAGE, RW, MAP_SHARED, fd, 0));
	t_fill(p + PAGE, PAGE, 9);
	say_file("file", fd, 4);
	t_fill(buf, sizeof(buf), 5);
	EXPECT(100, pwrite(fd, buf, 100, 3 * PAGE - 50));
	say("map %08x\n", t_sum(p, 4 * PAGE));
	MUST(msync(p, 4 * PAGE, MS_SYNC));
	MUST(munmap(p, 4 * PAGE));
	say_file("file", fd, 4);
	MUST(close(fd));
	MUST(unlink("ms"));
}

/* A mapping may start inside the file and outlive descriptor and name. */
TEST(map_offset)
{
	int fd = page_file("mo", 6);
	char *p;

	p = (char *)MUST(
	    mmap(NULL, 2 * PAGE, PROT_READ, MAP_PRIVATE, fd, 3 * PAGE));
	MUST(close(fd));
	MUST(unlink("mo"));
	say("%08x\n", t_sum(p, 2 * PAGE));
	FAILS(ENOENT, open("mo", O_RDONLY));
}

/* The rest of a file's last page reads as zero; beyond it there is SIGBUS. */
TEST(map_end)
{
	char *p, buf[PAGE + 100];
	int fd, i, sum = 0;

	t_fill(buf, sizeof(buf), 1);
	fd = t_file("me", buf, sizeof(buf));
	p = (char *)MUST(mmap(NULL, 4 * PAGE, RW, MAP_PRIVATE, fd, 0));
	for (i = PAGE + 100; i < 2 * PAGE; i++)
		sum |= p[i];
	say("%08x, then %d\n", t_sum(p, PAGE + 100), sum);
	say("%s\n", t_try('r', p + 2 * PAGE));
	say("%s\n", t_try('w', p + 3 * PAGE));
	MUST(munmap(p, 4 * PAGE));
	MUST(close(fd));
	MUST(unlink("me"));
}

/* Cutting a file takes the mapped pages away; growing gives zeroes. */
TEST(map_truncate)
{
	int fd = page_file("mt", 4);
	char *p;

	p = (char *)MUST(mmap(NULL, 4 * PAGE, RW, MAP_SHARED, fd, 0));
	say("%08x\n", t_sum(p, 4 * PAGE));
	MUST(ftruncate(fd, PAGE + 10));
	say("%s ", t_try('r', p + PAGE));
	say("%s ", t_try('r', p + 2 * PAGE));
	say("%s\n", t_try('w', p + 3 * PAGE));
	MUST(ftruncate(fd, 4 * PAGE));
	say("%08x\n", t_sum(p, 4 * PAGE));
	say_file("file", fd, 4);
	MUST(munmap(p, 4 * PAGE));
	MUST(close(fd));
	MUST(unlink("mt"));
}

/* Parent and child: shared file pages are one, private ones part. */
TEST(map_fork)
{
	int fd = page_file("mf", 3);
	char *s, *p;
	pid_t pid;

	s = (char *)MUST(mmap(NULL, 3 * PAGE, RW, MAP_SHARED, fd, 0));
	p = (char *)MUST(mmap(NULL, 3 * PAGE, RW, MAP_PRIVATE, fd, 0));
	p[0] = 1;
	pid = t_fork();
	if (pid == 0) {
		p[PAGE] = 2;
		say("child %08x\n", t_sum(p, 2 * PAGE));
		s[2 * PAGE] = 3;
		t_exit();
	}
	t_reap(pid);
	say("parent %08x %d\n", t_sum(p, 2 * PAGE), s[2 * PAGE]);
	say_file("file", fd, 3);
	MUST(munmap(s, 3 * PAGE));
	MUST(munmap(p, 3 * PAGE));
	MUST(close(fd));
	MUST(unlink("mf"));
}

/* open: making, keeping, cutting, appending. */
TEST(open_forms)
{
	char buf[16] = "";
	int fd;

	FAILS(ENOENT, open("of", O_RDONLY));
	fd = MUST(open("of", O_WRONLY | O_CREAT | O_EXCL, 0644));
	EXPECT(5, write(fd, "first", 5));
	MUST(close(fd));
	FAILS(EEXIST, open("of", O_WRONLY | O_CREAT | O_EXCL, 0644));
	fd = MUST(open("of", O_WRONLY | O_APPEND));
	EXPECT(4, write(fd, "next", 4));
	MUST(close(fd));
	fd = MUST(open("of", O_RDWR));
	EXPECT(9, read(fd, buf, sizeof(buf)));
	say("%s\n", buf);
	MUST(close(fd));
	fd = MUST(open("of", O_RDWR | O_TRUNC));
	EXPECT(0, read(fd, buf, sizeof(buf)));
	MUST(close(fd));
	FAILS(EISDIR, open(".", O_WRONLY));
	FAILS(ENOTDIR, open("of/x", O_RDONLY));
	FAILS(ENOTDIR, open("of", O_RDONLY | O_DIRECTORY));
	MUST(unlink("of"));
	FAILS(ENOENT, unlink("of"));
}

/* lseek, holes and positions. */
TEST(seek)
{
	char buf[16] = "";
	int fd;

	fd = t_file("sk", "0123456789", 10);
	EXPECT(4, lseek(fd, 4, SEEK_SET));
	EXPECT(2, read(fd, buf, 2));
	EXPECT(5, lseek(fd, -1, SEEK_CUR));
	EXPECT(8, lseek(fd, -2, SEEK_END));
	FAILS(EINVAL, lseek(fd, -20, SEEK_END));
	FAILS(EINVAL, lseek(fd, 0, 99));
	EXPECT(20000, lseek(fd, 20000, SEEK_SET));
	EXPECT(1, write(fd, "z", 1));
	EXPECT(3, pread(fd, buf + 2, 3, 7));
	EXPECT(1, pread(fd, buf + 5, 9, 20000));
	EXPECT(0, pread(fd, buf + 6, 9, 20001));
	EXPECT(1, pread(fd, buf + 7, 1, 15000));
	say("%s %d %ld\n", buf, buf[7], (long)lseek(fd, 0, SEEK_END));
	MUST(close(fd));
	MUST(unlink("sk"));
}

/* Orders two names for qsort. */
static int
by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Folders: made, listed, renamed and removed. */
TEST(folders)
{
	char *names[16];
	struct dirent *de;
	struct stat st;
	int n = 0, i;
	DIR *d;

	MUST(mkdir("dir", 0755));
	FAILS(EEXIST, mkdir("dir", 0755));
	MUST(mkdir("dir/sub", 0700));
	MUST(close(t_file("dir/b", "bb", 2)));
	MUST(close(t_file("dir/a", "a", 1)));
	MUST(symlink("a", "dir/link"));
	d = opendir("dir");
	while (d != NULL && n < 16 && (de = readdir(d)) != NULL)
		names[n++] = strdup(de->d_name);
	closedir(d);
	qsort(names, n, sizeof(names[0]), by_name);
	for (i = 0; i < n; i++)
		say("%s ", names[i]);
	MUST(stat("dir/b", &st));
	say("\nsize %ld mode %o\n", (long)st.st_size, st.st_mode);
	MUST(lstat("dir/link", &st));
	say("link %d\n", S_ISLNK(st.st_mode));
	MUST(stat("dir/link", &st));
	say("its file %ld\n", (long)st.st_size);
	FAILS(ENOTEMPTY, rmdir("dir"));
	FAILS(EISDIR, unlink("dir/sub"));
	FAILS(ENOTDIR, rmdir("dir/a"));
	MUST(rename("dir/a", "dir/b"));
	MUST(stat("dir/b", &st));
	say("size %ld\n", (long)st.st_size);
	FAILS(ENOENT, stat("dir/a", &st));
	FAILS(ENOENT, stat("dir/link", &st));
	MUST(unlink("dir/link"));
	MUST(unlink("dir/b"));
	MUST(rmdir("dir/sub"));
	MUST(rmdir("dir"));
	FAILS(ENOENT, rmdir("dir"));
}

/* Relative names follow the current folder. */
TEST(current_folder)
{
	char before[256], buf[256];

	MUST(getcwd(before, sizeof(before)) == NULL ? -1 : 0);
	MUST(mkdir("cf", 0755));
	MUST(chdir("cf"));
	MUST(close(t_file("here", "x", 1)));
	MUST(getcwd(buf, sizeof(buf)) == NULL ? -1 : 0);
	say("%s\n", strrchr(buf, '/'));
	FAILS(ERANGE, getcwd(buf, 1) == NULL ? -1 : 0);
	MUST(chdir(".."));
	MUST(access("cf/here", R_OK));
	FAILS(ENOENT, access("here", F_OK));
	FAILS(ENOENT, chdir("nowhere"));
	FAILS(ENOTDIR, chdir("cf/here"));
	MUST(getcwd(buf, sizeof(buf)) == NULL ? -1 : 0);
	EXPECT(0, strcmp(before, buf));
	MUST(unlink("cf/here"));
	MUST(rmdir("cf"));
}

/* Symbolic links: followed, read, and turning in circles. */
TEST(links)
{
	char buf[64];
	long n;

	MUST(close(t_file("target", "hello", 5)));
	MUST(symlink("target", "l1"));
	MUST(symlink("l1", "l2"));
	MUST(symlink("loop", "loop"));
	n = MUST(readlink("l2", buf, sizeof(buf)));
	say("%.*s\n", (int)n, buf);
	n = MUST(open("l2", O_RDONLY));
	EXPECT(5, read(n, buf, sizeof(buf)));
	say("%.5s\n", buf);
	MUST(close(n));
	FAILS(ELOOP, open("loop", O_RDONLY));
	FAILS(ELOOP, open("l2", O_RDONLY | O_NOFOLLOW));
	FAILS(EINVAL, readlink("target", buf, sizeof(buf)));
	MUST(unlink("l1"));
	FAILS(ENOENT, open("l2", O_RDONLY));
	MUST(unlink("l2"));
	MUST(unlink("loop"));
	MUST(unlink("target"));
}

/* A file without a name lives as long as somebody has it open. */
TEST(unlinked)
{
	char buf[8] = "";
	int fd, fd2;

	fd = t_file("gone", "still", 5);
	fd2 = MUST(dup(fd));
	MUST(unlink("gone"));
	MUST(close(fd));
	EXPECT(5, pread(fd2, buf, 8, 0));
	EXPECT(5, pwrite(fd2, "there", 5, 5));
	EXPECT(8, pread(fd2, buf, 8, 0));
	say("%.8s\n", buf);
	MUST(close(fd2));
}

/* A big file, written and read in odd pieces. */
TEST(pieces)
{
	static char buf[50000], back[50000];
	long at, n;
	int fd;

	t_fill(buf, sizeof(buf), 1);
	fd = t_file("pc", NULL, 0);
	for (at = 0; at < 50000; at += n) {
		n = at % 7777 + 1;
		if (n > 50000 - at)
			n = 50000 - at;
		EXPECT(n, write(fd, buf + at, n));
	}
	for (at = 0; at < 50000; at += n)
		n = MUST(pread(fd, back + at, 3001, at));
	EXPECT(0, memcmp(buf, back, sizeof(buf)));
	say("%08x\n", t_sum(back, sizeof(back)));
	MUST(close(fd));
	MUST(unlink("pc"));
}

/* The devices that every program expects. */
TEST(devices)
{
	char buf[8] = "xxxxxxx";
	int fd;

	fd = MUST(open("/dev/null", O_RDWR));
	EXPECT(5, write(fd, "12345", 5));
	EXPECT(0, read(fd, buf, 8));
	MUST(close(fd));
	fd = MUST(open("/dev/zero", O_RDONLY));
	EXPECT(4, read(fd, buf, 4));
	MUST(close(fd));
	say("%d%d%d%d%c\n", buf[0], buf[1], buf[2], buf[3], buf[4]);
}

/* One line of /proc/self/maps. */
struct line {
	unsigned long start, end, offset;
	char prot[8], path[128];
};

/* Reads /proc/self/maps; returns how many lines it has. */
static int
read_maps(struct line *l, int max)
{
	static char text[64 * 1024];
	char *p, *nl;
	int n = 0;

	MUST(t_read_text("/proc/self/maps", text, sizeof(text)));
	for (p = text; n < max && (nl = strchr(p, '\n')) != NULL; p = nl + 1) {
		*nl = '\0';
		l[n].path[0] = '\0';
		if (sscanf(p, "%lx-%lx %7s %lx %*s %*s %127s", &l[n].start,
			&l[n].end, l[n].prot, &l[n].offset, l[n].path) < 4) {
			say("cannot read: %s\n", p);
			t_fails++;
			continue;
		}
		n++;
	}
	return n;
}

/* Prints the lines that lie in a range, relative to its start. */
static void
say_maps(const char *what, char *from, int pages)
{
	static struct line l[128];
	unsigned long lo = (unsigned long)from, hi = lo + pages * PAGE;
	int n = read_maps(l, 128), i;

	say("%s:\n", what);
	for (i = 0; i < n; i++)
		if (l[i].start < hi && l[i].end > lo)
			say("  %ld-%ld %s\n", (long)(l[i].start - lo) / PAGE,
			    (long)(l[i].end - lo) / PAGE, l[i].prot);
}

/* /proc/self/maps is sorted, has no overlaps, and knows code and stack. */
TEST(maps_order)
{
	static struct line l[128];
	int n = read_maps(l, 128), i, good = 1, code = 0, stack = 0;
	unsigned long here = (unsigned long)test_maps_order;
	unsigned long there = (unsigned long)&n;

	for (i = 0; i < n; i++) {
		good &= l[i].start < l[i].end;
		good &= i == 0 || l[i - 1].end <= l[i].start;
		good &= ((l[i].start | l[i].end) & (PAGE - 1)) == 0;
		if (l[i].start <= here && here < l[i].end) {
			code++;
			say("code %s, %s\n", l[i].prot, l[i].path);
		}
		if (l[i].start <= there && there < l[i].end) {
			stack++;
			say("stack %s, %s\n", l[i].prot, l[i].path);
		}
	}
	say("sorted %d, code %d, stack %d\n", good, code, stack);
}

/* The lines follow what mmap, mprotect and munmap do. */
TEST(maps_follow)
{
	char *p = t_map(9);

	t_fill(p, 9 * PAGE, 1);
	say_maps("mapped", p, 9);
	MUST(mprotect(p + 3 * PAGE, 3 * PAGE, PROT_READ));
	say_maps("protected", p, 9);
	MUST(munmap(p + 4 * PAGE, PAGE));
	say_maps("unmapped", p, 9);
	MUST(mprotect(p + 3 * PAGE, PAGE, PROT_READ | PROT_WRITE));
	MUST(mprotect(p + 5 * PAGE, PAGE, PROT_READ | PROT_WRITE));
	say_maps("rejoined", p, 9);
	MUST(mmap(p, 2 * PAGE, PROT_READ | PROT_EXEC,
	    MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
	say_maps("shared", p, 9);
}

/* A file is cut off below locked pages; unlocking what is gone does no harm. */
TEST(map_locked)
{
	static char buf[4 * PAGE];
	char *p;
	int fd;

	t_fill(buf, sizeof(buf), 1);
	fd = t_file("locked", buf, sizeof(buf));
	p = (char *)MUST(
	    mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
	MUST(mlock(p, 4 * PAGE));
	p[2 * PAGE] = 1;
	MUST(ftruncate(fd, PAGE));
	say("%s %s\n", t_try('r', p), t_try('r', p + 2 * PAGE));
	MUST(munlock(p, 2 * PAGE));
	MUST(ftruncate(fd, 4 * PAGE));
	say("%08x\n", t_sum(p, 4 * PAGE));
	MUST(munmap(p, 4 * PAGE));
	MUST(close(fd));
	MUST(unlink("locked"));
}
