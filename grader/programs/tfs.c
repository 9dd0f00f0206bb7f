/* SPDX-License-Identifier: BSD-2-Clause */
/* What the tests of file systems on disks share. */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "t.h"

#define MAX_NAMES 1024

/* Is this Nymph? */
int
t_nymph(void)
{
	return access("/proc/vmcheck", F_OK) == 0;
}

/*
 * The disk's file system, on a folder called like the disk.  Linux has no such
 * disk; there it is a plain folder, which keeps its files as a disk does.
 */
void
t_mount(const char *disk)
{
	char dev[32];

	if (mkdir(disk, 0755) == -1 && errno != EEXIST)
		MUST(-1);
	snprintf(dev, sizeof(dev), "/dev/%s", disk);
	if (!t_nymph())
		return;
	umount2(disk, 0); /* a test that failed may have left it */
	MUST(mount(dev, disk, "ext2", 0, NULL));
}

/* Takes it away again. */
void
t_umount(const char *disk)
{
	if (t_nymph())
		MUST(umount2(disk, 0));
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The names in a folder, sorted, without the dots; how many. */
int
t_names(const char *dir, char **names, int max)
{
	DIR *d = opendir(dir);
	struct dirent *de;
	int n = 0;

	if (d == NULL)
		return -1;
	while ((de = readdir(d)) != NULL) {
		if (strcmp(de->d_name, ".") == 0 ||
		    strcmp(de->d_name, "..") == 0 ||
		    strcmp(de->d_name, "lost+found") == 0)
			continue;
		if (n < max)
			names[n++] = strdup(de->d_name);
	}
	closedir(d);
	qsort(names, n, sizeof(names[0]), by_name);
	return n;
}

/* A checksum of what is in a file, read in pieces. */
uint32_t
t_file_sum(const char *path)
{
	static char buf[16 * PAGE];
	uint32_t sum = 1;
	ssize_t n;
	int fd;

	fd = open(path, O_RDONLY);
	if (fd == -1)
		return errno;
	while ((n = read(fd, buf, sizeof(buf))) > 0)
		sum = sum * 31 + t_sum(buf, n);
	if (n == -1)
		sum = errno;
	close(fd);
	return sum;
}

/* Calls fn for all that is below a folder, sorted, a folder before what is in
 * it; with after also behind it. */
void
t_walk(const char *dir, int after,
    void (*fn)(const char *path, const struct stat *st, int after))
{
	char *names[MAX_NAMES], path[1024];
	int n = t_names(dir, names, MAX_NAMES), i;
	struct stat st;

	for (i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		free(names[i]);
		if (lstat(path, &st) == -1) {
			say("%s: %s\n", path, t_errname(errno));
			continue;
		}
		fn(path, &st, 0);
		if (S_ISDIR(st.st_mode)) {
			t_walk(path, after, fn);
			if (after)
				fn(path, &st, 1);
		}
	}
}

/* Says all of a file that must be the same on every system. */
static void
show(const char *path, const struct stat *st, int after)
{
	char to[256];
	ssize_t n;

	(void)after;
	say("%s %o %ld", path, st->st_mode, (long)st->st_nlink);
	if (S_ISREG(st->st_mode)) {
		say(" %ld %08x", (long)st->st_size, t_file_sum(path));
	} else if (S_ISLNK(st->st_mode)) {
		n = readlink(path, to, sizeof(to) - 1);
		to[n > 0 ? n : 0] = '\0';
		say(" %s", to);
	} else if (S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode)) {
		say(" %lx", (long)st->st_rdev);
	}
	say("\n");
}

/* Says what is below a folder. */
void
t_show(const char *dir)
{
	t_walk(dir, 0, show);
}

static void
take_away(const char *path, const struct stat *st, int after)
{
	if (!S_ISDIR(st->st_mode))
		MUST(unlink(path));
	else if (after)
		MUST(rmdir(path));
}

/* Removes all that is below a folder. */
void
t_clear(const char *dir)
{
	t_walk(dir, 1, take_away);
}
