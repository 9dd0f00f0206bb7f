/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files are written and synced, others only written, until somebody pulls the
 * plug.  The host then has e2fsck mend the disk and this program look whether
 * every file that was synced is there.
 *
 * In round k the file k is written and synced; then file k - 3 may be moved;
 * file k - 5, if that is a multiple of 5, is removed; and "current", in every
 * fourth round, is replaced by another that has k in it, by a rename.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "t.h"

#define MAXLEN 30000

static char buf[MAXLEN + 8], seen[MAXLEN + 8];
static uint32_t rng;

/* The next number of the seed, below a limit. */
static uint32_t
pick(uint32_t limit)
{
	rng = rng * 1664525u + 1013904223u;
	return (uint32_t)(((uint64_t)(rng >> 4) * limit) >> 28);
}

/* What is in the file k; its length. */
static size_t
contents(uint32_t k)
{
	size_t len = k * 7919 % MAXLEN + 1;

	t_fill(buf, len, k);
	return len;
}

static const char *
first_name(uint32_t k, char *to)
{
	sprintf(to, "keep%u/file%u", k % 4, k);
	return to;
}

static const char *
second_name(uint32_t k, char *to)
{
	sprintf(to, "moved/a_file_with_a_longer_name_%u", k);
	return to;
}

/* What nobody asks for later, and is never synced by itself. */
static void
junk(void)
{
	char a[64], b[64];
	int i, fd;

	for (i = pick(10); i >= 0; i--) {
		sprintf(a, "junk/j%u", pick(8));
		sprintf(b, "junk/j%u", pick(8));
		switch (pick(6)) {
		case 0:
			unlink(a);
			break;
		case 1:
			rename(a, b);
			break;
		case 2:
			(void)!truncate(a, pick(20000));
			break;
		case 3:
			mkdir(a, 0755);
			rmdir(b);
			break;
		default:
			fd = open(a, O_RDWR | O_CREAT, 0644);
			if (fd != -1) {
				t_fill(seen, MAXLEN, pick(1000));
				(void)!pwrite(
				    fd, seen, pick(MAXLEN), pick(200000));
				close(fd);
			}
			break;
		}
	}
}

/* A file of round k, on the disk on return. */
static void
put(const char *path, uint32_t k)
{
	size_t len = contents(k);
	int fd = MUST(open(path, O_RDWR | O_CREAT | O_TRUNC, 0644));

	EXPECT(len, write(fd, buf, len));
	MUST(fsync(fd));
	MUST(close(fd));
}

/* What round k does when its file is on the disk. */
static void
go_on(uint32_t k)
{
	char a[64], b[64];

	if (k > 3 && pick(2) == 0)
		MUST(rename(first_name(k - 3, a), second_name(k - 3, b)));
	if (k > 5 && k % 5 == 0 && unlink(first_name(k - 5, a)) == -1)
		MUST(unlink(second_name(k - 5, a)));
	junk();
	if (k % 4 == 0) {
		put("tmp", k);
		MUST(rename("tmp", "current"));
	}
	if (k % 7 == 0)
		sync();
}

/* Until the plug is pulled, or a long time. */
TEST(pull)
{
	int fd = MUST(open("/dev/results", O_WRONLY)), n;
	char line[32];
	uint32_t k;

	rng = t_arg;
	t_mount("dda");
	MUST(chdir("dda"));
	for (k = 0; k < 4; k++) {
		sprintf(line, "keep%u", k);
		MUST(mkdir(line, 0755));
	}
	MUST(mkdir("moved", 0755));
	MUST(mkdir("junk", 0755));
	for (k = 1;; k++) {
		junk();
		put(first_name(k, line), k);
		n = sprintf(line, "synced %u\n", k);
		MUST(write(fd, line, n));
		go_on(k);
	}
}

/* Has the file what it was given in round k? */
static int
is_round(const char *path, uint32_t k)
{
	size_t len = contents(k);
	int fd = open(path, O_RDONLY);
	ssize_t n;

	if (fd == -1)
		return 0;
	n = read(fd, seen, sizeof(seen));
	close(fd);
	return n == (ssize_t)len && memcmp(buf, seen, len) == 0;
}

static void
say_lost(const char *name, const char *what, int there)
{
	t_fails++;
	say("%s was %s and is %s\n", name, what, there ? "another" : "lost");
}

/* On the host: check_K:FOLDER, a copy of the disk when file K was synced. */
TEST(check)
{
	uint32_t last = t_arg, k;
	char a[64], b[64];

	MUST(chdir(t_extra));
	for (k = 1; k <= last; k++) {
		if (k % 5 == 0 && k + 5 <= last)
			continue;
		if (!is_round(first_name(k, a), k) &&
		    !is_round(second_name(k, b), k))
			say_lost(a, "synced",
			    access(a, F_OK) == 0 || access(b, F_OK) == 0);
	}
	k = last - last % 4;
	if (k > 0 && !is_round("current", k) &&
	    (k < last || (k > 4 && !is_round("current", k - 4))))
		say_lost("current", "replaced by what was synced",
		    access("current", F_OK) == 0);
}
