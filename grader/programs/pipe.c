/* SPDX-License-Identifier: BSD-2-Clause */
/* Pipes and descriptors. */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "t.h"

#define BULK (256 * 1024)

/* Reads until n bytes or the end came; returns how many. */
static long
read_all(int fd, char *buf, long n)
{
	long len = 0, got;

	while (len < n && (got = MUST(read(fd, buf + len, n - len))) > 0)
		len += got;
	return len;
}

/* What goes in comes out, in order, and the end is told. */
TEST(order)
{
	char buf[16] = "";
	int fd[2];

	MUST(pipe(fd));
	EXPECT(3, write(fd[1], "abc", 3));
	EXPECT(3, write(fd[1], "def", 3));
	EXPECT(2, read(fd[0], buf, 2));
	EXPECT(4, read(fd[0], buf + 2, 10));
	MUST(close(fd[1]));
	EXPECT(0, read(fd[0], buf + 6, 10));
	say("%s\n", buf);
}

/* A quarter megabyte through a pipe: both sides block and go on. */
TEST(bulk)
{
	static char buf[BULK];
	int fd[2], status;
	pid_t pid;

	MUST(pipe(fd));
	pid = t_fork();
	if (pid == 0) {
		MUST(close(fd[0]));
		t_fill(buf, BULK, 1);
		EXPECT(BULK, write(fd[1], buf, BULK));
		t_exit();
	}
	MUST(close(fd[1]));
	EXPECT(BULK, read_all(fd[0], buf, BULK));
	EXPECT(0, read(fd[0], buf, 1));
	status = t_wait(pid);
	say("%08x, %s\n", t_sum(buf, BULK), t_status(status));
}

/* Writing with no reader: SIGPIPE, or EPIPE where it is ignored. */
TEST(no_reader)
{
	int fd[2];
	pid_t pid;

	MUST(pipe(fd));
	MUST(close(fd[0]));
	pid = t_fork();
	if (pid == 0) {
		(void)!write(fd[1], "x", 1);
		t_exit();
	}
	say("%s\n", t_status(t_wait(pid)));
	signal(SIGPIPE, SIG_IGN);
	FAILS(EPIPE, write(fd[1], "x", 1));
}

/* A writer that waits for room learns that the reader has gone. */
TEST(reader_leaves)
{
	static char buf[BULK];
	struct gate g;
	int fd[2];
	pid_t pid;

	gate_init(&g);
	MUST(pipe(fd));
	pid = t_fork();
	if (pid == 0) {
		MUST(close(fd[1]));
		gate_wait(&g);
		EXPECT(1, read(fd[0], buf, 1));
		t_exit(); /* closes the read side under the writer */
	}
	MUST(close(fd[0]));
	signal(SIGPIPE, SIG_IGN);
	gate_open(&g);
	while (write(fd[1], buf, BULK) == BULK)
		continue;
	FAILS(EPIPE, write(fd[1], buf, 1));
	t_reap(pid);
	say("done\n");
}

/* Non-blocking ends say EAGAIN instead of waiting. */
TEST(nonblock)
{
	static char buf[4096];
	int fd[2], n = 0;

	MUST(pipe2(fd, O_NONBLOCK));
	FAILS(EAGAIN, read(fd[0], buf, 1));
	while (write(fd[1], buf, sizeof(buf)) == sizeof(buf))
		n++;
	FAILS(EAGAIN, write(fd[1], buf, sizeof(buf)));
	EXPECT(1, n > 0);
	while (read(fd[0], buf, sizeof(buf)) == sizeof(buf))
		n--;
	EXPECT(0, n);
	EXPECT(O_NONBLOCK | O_RDONLY, fcntl(fd[0], F_GETFL));
	MUST(fcntl(fd[0], F_SETFL, 0));
	EXPECT(1, write(fd[1], "z", 1));
	EXPECT(1, read(fd[0], buf, 5));
	say("%c\n", buf[0]);
}

/* Small writes of several processes never mix: each record stays whole. */
TEST(atomic)
{
	int fd[2], i, j, count[4] = {0}, whole = 1;
	char rec[60]; /* not a part of a page */
	pid_t pid[4];

	MUST(pipe(fd));
	for (i = 0; i < 4; i++) {
		pid[i] = t_fork();
		if (pid[i] == 0) {
			memset(rec, 'a' + i, sizeof(rec));
			for (j = 0; j < 50; j++)
				EXPECT(sizeof(rec),
				    write(fd[1], rec, sizeof(rec)));
			t_exit();
		}
	}
	MUST(close(fd[1]));
	while (read_all(fd[0], rec, sizeof(rec)) == sizeof(rec)) {
		for (j = 1; j < (int)sizeof(rec); j++)
			whole &= rec[j] == rec[0];
		count[(rec[0] - 'a') & 3]++;
	}
	for (i = 0; i < 4; i++)
		t_reap(pid[i]);
	say("%d %d %d %d whole %d\n", count[0], count[1], count[2], count[3],
	    whole);
}

/* What is written after a part was read comes behind what is left. */
TEST(partly_read)
{
	char in[400], out[400];
	int fd[2];

	MUST(pipe(fd));
	t_fill(in, sizeof(in), 1);
	EXPECT(100, write(fd[1], in, 100));
	EXPECT(60, read(fd[0], out, 60));
	EXPECT(200, write(fd[1], in + 100, 200));
	EXPECT(90, read(fd[0], out + 60, 90));
	EXPECT(100, write(fd[1], in + 300, 100));
	EXPECT(250, read(fd[0], out + 150, 300));
	say("%d\n", memcmp(in, out, sizeof(in)) == 0);
}

/* A record that does not fit is refused whole. */
TEST(full)
{
	char rec[60];
	int fd[2], n = 0;
	long len;

	MUST(pipe2(fd, O_NONBLOCK));
	for (;;) {
		memset(rec, n, sizeof(rec));
		len = write(fd[1], rec, sizeof(rec));
		if (len != (long)sizeof(rec))
			break;
		n++;
	}
	say("%d records, then %ld\n", n, len);
	while ((len = read(fd[0], rec, sizeof(rec))) > 0)
		EXPECT(sizeof(rec), len);
}

/* readv and writev gather and scatter. */
TEST(vectors)
{
	char a[4] = "", b[8] = "";
	struct iovec out[3] = {{"one", 3}, {"", 0}, {"twothree", 8}};
	struct iovec in[2] = {{a, 3}, {b, 7}};
	int fd[2];

	MUST(pipe(fd));
	EXPECT(11, writev(fd[1], out, 3));
	EXPECT(10, readv(fd[0], in, 2));
	say("%s %s\n", a, b);
	FAILS(EINVAL, writev(fd[1], out, -1));
	FAILS(EINVAL, writev(fd[1], out, 1025));
	EXPECT(0, writev(fd[1], out, 0));
}

/* dup and dup2 make descriptors of one file; the last close counts. */
TEST(dup)
{
	char c = 0;
	int fd[2], d;

	MUST(pipe(fd));
	d = MUST(dup(fd[1]));
	EXPECT(20, dup2(fd[1], 20));
	EXPECT(20, dup2(20, 20));
	MUST(close(fd[1]));
	MUST(close(d));
	EXPECT(1, write(20, "q", 1));
	EXPECT(1, read(fd[0], &c, 1));
	MUST(close(20));
	EXPECT(0, read(fd[0], &c, 1));
	FAILS(EBADF, dup2(20, 21));
	FAILS(EBADF, dup2(fd[0], -1));
	FAILS(EBADF, dup(777));
	FAILS(EINVAL, syscall(SYS_dup3, fd[0], fd[0], 0));
	FAILS(EINVAL, syscall(SYS_dup3, fd[0], 9, 1));
	say("%c\n", c);
}

/* fcntl: the lowest free descriptor from a number on, and close-on-exec. */
TEST(fcntl)
{
	int fd[2];

	MUST(pipe2(fd, O_CLOEXEC));
	EXPECT(FD_CLOEXEC, fcntl(fd[0], F_GETFD));
	MUST(fcntl(fd[0], F_SETFD, 0));
	EXPECT(0, fcntl(fd[0], F_GETFD));
	EXPECT(40, fcntl(fd[0], F_DUPFD, 40));
	EXPECT(41, fcntl(fd[0], F_DUPFD_CLOEXEC, 40));
	EXPECT(0, fcntl(40, F_GETFD));
	EXPECT(FD_CLOEXEC, fcntl(41, F_GETFD));
	FAILS(EINVAL, fcntl(fd[0], F_DUPFD, -1));
	FAILS(EINVAL, fcntl(fd[0], 9999));
	FAILS(EBADF, fcntl(999, F_GETFD));
	FAILS(EINVAL, pipe2(fd, 0x7));
	FAILS(ESPIPE, lseek(fd[0], 0, SEEK_CUR));
	FAILS(EBADF, write(fd[0], "x", 1));
	FAILS(EBADF, read(fd[1], fd, 1));
	say("done\n");
}

/* A line of three processes, each passing on what it reads. */
TEST(chain)
{
	int a[2], b[2];
	char buf[32] = "";
	pid_t p, q;
	long n, i;

	MUST(pipe(a));
	MUST(pipe(b));
	p = t_fork();
	if (p == 0) {
		MUST(close(a[0]));
		for (i = 0; i < 10; i++)
			EXPECT(1, write(a[1], &"0123456789"[i], 1));
		t_exit();
	}
	q = t_fork();
	if (q == 0) {
		MUST(close(a[1]));
		MUST(close(b[0]));
		while ((n = read(a[0], buf, 3)) > 0) {
			for (i = 0; i < n; i++)
				buf[i] += 'a' - '0';
			EXPECT(n, write(b[1], buf, n));
		}
		t_exit();
	}
	MUST(close(a[1]));
	MUST(close(a[0]));
	MUST(close(b[1]));
	n = read_all(b[0], buf, sizeof(buf));
	t_reap(p);
	t_reap(q);
	say("%ld %.10s\n", n, buf);
}
