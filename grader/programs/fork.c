/* SPDX-License-Identifier: BSD-2-Clause */
/* Making processes and waiting for them. */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "t.h"

/* Both sides return, each with its own value, and the child knows its parent. */
TEST(returns)
{
	pid_t me = getpid(), pid;

	pid = t_fork();
	if (pid == 0) {
		EXPECT(me, getppid());
		EXPECT(1, getpid() != me);
		say("child\n");
		t_exit();
	}
	EXPECT(1, pid > 0 && pid != me);
	t_reap(pid);
	say("parent\n");
}

/* The status word carries the low eight bits of what the child said. */
TEST(exit_codes)
{
	static const int codes[] = {0, 1, 2, 127, 128, 255, 256, 511, -1};
	unsigned int i;
	pid_t pid;

	for (i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		pid = t_fork();
		if (pid == 0)
			_exit(codes[i]);
		say("_exit(%d): %s\n", codes[i], t_status(t_wait(pid)));
	}
}

/* A child killed by a signal says by which. */
TEST(killed)
{
	static const int sigs[] = {
	    SIGHUP, SIGINT, SIGKILL, SIGUSR1, SIGSEGV, SIGTERM, SIGALRM};
	unsigned int i;
	pid_t pid;

	for (i = 0; i < sizeof(sigs) / sizeof(sigs[0]); i++) {
		pid = t_fork();
		if (pid == 0) {
			kill(getpid(), sigs[i]);
			_exit(99);
		}
		say("kill %d: signal %d\n", sigs[i], WTERMSIG(t_wait(pid)));
	}
}

/* Sixteen children at once, waited for in any order, are all found. */
TEST(many)
{
	int i, status, seen = 0;
	struct gate go;
	pid_t pid[16], got;

	gate_init(&go);
	for (i = 0; i < 16; i++) {
		pid[i] = t_fork();
		if (pid[i] == 0) {
			gate_wait(&go);
			_exit(i);
		}
	}
	for (i = 0; i < 16; i++)
		gate_open(&go);
	for (i = 0; i < 16; i++) {
		got = MUST(wait(&status));
		EXPECT(1, WIFEXITED(status));
		EXPECT(pid[WEXITSTATUS(status) & 15], got);
		seen |= 1 << WEXITSTATUS(status);
	}
	say("seen %04x\n", seen);
	FAILS(ECHILD, wait(&status));
}

/* Two hundred children one after the other: nothing runs out. */
TEST(hundreds)
{
	int i, sum = 0, status;
	pid_t pid;

	for (i = 0; i < 200; i++) {
		pid = t_fork();
		if (pid == 0)
			_exit(i & 127);
		status = t_wait(pid);
		sum += WEXITSTATUS(status);
	}
	say("sum %d\n", sum);
}

/* A tree of processes, four wide and three deep, sums its leaves. */
static int
tree(int depth)
{
	int i, sum = 0;
	pid_t pid[3];

	if (depth == 0)
		return 1;
	for (i = 0; i < 3; i++) {
		pid[i] = t_fork();
		if (pid[i] == 0)
			_exit(tree(depth - 1));
	}
	for (i = 0; i < 3; i++)
		sum += WEXITSTATUS(t_wait(pid[i]));
	return sum;
}

/* Three children each, three generations deep. */
TEST(tree)
{
	say("leaves %d\n", tree(3));
}

/* Parent and child share one open file and so one position. */
TEST(shared_position)
{
	char buf[8] = "";
	pid_t pid;
	int fd;

	fd = t_file("pos", "abcdefgh", 8);
	EXPECT(2, read(fd, buf, 2));
	pid = t_fork();
	if (pid == 0) {
		EXPECT(3, read(fd, buf, 3));
		t_exit();
	}
	t_reap(pid);
	EXPECT(3, read(fd, buf, 8));
	say("%.3s at %ld\n", buf, (long)lseek(fd, 0, SEEK_CUR));
	close(fd);
	unlink("pos");
}

/* Closing in the child leaves the parent's descriptor open. */
TEST(own_descriptors)
{
	pid_t pid;
	int fd;

	fd = t_file("own", "x", 1);
	pid = t_fork();
	if (pid == 0) {
		MUST(close(fd));
		FAILS(EBADF, close(fd));
		t_exit();
	}
	t_reap(pid);
	MUST(close(fd));
	unlink("own");
}

/* A vfork child runs in the parent's memory while the parent waits. */
TEST(vfork_memory)
{
	static volatile int word = 1;
	volatile char *p = t_map(1);
	pid_t pid;

	pid = vfork();
	if (pid == 0) {
		word = 2;
		p[100] = 3;
		_exit(7);
	}
	/* No wait yet: the parent only runs because the child is gone. */
	say("word %d byte %d\n", word, p[100]);
	say("%s\n", t_status(t_wait(pid)));
}

/* A vfork child that calls execve gives the parent its memory back. */
TEST(vfork_exec)
{
	char *argv[] = {"fork", "child_says", NULL};
	volatile int mine = 5;
	pid_t pid;

	pid = vfork();
	if (pid == 0) {
		execve("/tests/fork", argv, environ);
		_exit(9);
	}
	say("mine %d, %s\n", mine, t_status(t_wait(pid)));
}

/* What the child of vfork_exec runs. */
TEST(child_says)
{
	_exit(21);
}

/*
 * wait4: no child, bad options, one child among several, any child while an
 * older one lives, and not waiting.
 */
TEST(wait_forms)
{
	struct gate go;
	pid_t a, b, c;
	int status = 0;

	FAILS(ECHILD, waitpid(-1, &status, 0));
	gate_init(&go);
	a = t_fork();
	if (a == 0) {
		gate_wait(&go);
		_exit(1);
	}
	b = t_fork();
	if (b == 0)
		_exit(2);
	c = t_fork();
	if (c == 0) {
		gate_wait(&go);
		_exit(3);
	}
	usleep(50000); /* b has ended now, nobody else */
	FAILS(EINVAL, waitpid(a, &status, 0x40000));
	FAILS(ECHILD, waitpid(1 << 21, &status, 0));
	EXPECT(0, waitpid(a, &status, WNOHANG));
	EXPECT(0, waitpid(c, &status, WNOHANG));
	EXPECT(b, waitpid(-1, &status, 0));
	say("b: %s\n", t_status(status));
	EXPECT(0, waitpid(-1, &status, WNOHANG));
	gate_open(&go);
	gate_open(&go);
	EXPECT(c, waitpid(c, &status, 0));
	say("c: %s\n", t_status(status));
	EXPECT(a, waitpid(-1, &status, 0));
	say("a: %s\n", t_status(status));
	FAILS(ECHILD, waitpid(a, &status, 0));
	FAILS(ECHILD, waitpid(-1, &status, WNOHANG));
}

/* wait4 with a bad status pointer still takes the child. */
TEST(wait_fault)
{
	pid_t pid;

	pid = t_fork();
	if (pid == 0)
		_exit(1);
	FAILS(EFAULT, syscall(SYS_wait4, pid, (int *)16, 0, NULL));
	FAILS(ECHILD, waitpid(pid, NULL, 0));
}

/* An orphan's parent goes away; the orphan works on and ends on its own. */
TEST(orphan)
{
	pid_t pid, me;
	struct gate done;
	int i;

	gate_init(&done);
	pid = t_fork();
	if (pid == 0) {
		me = getpid();
		pid = t_fork();
		if (pid == 0) {
			for (i = 0; i < 1000 && getppid() == me; i++)
				usleep(1000);
			EXPECT(1, getppid() != me);
			say("orphan\n");
			gate_open(&done);
			t_exit();
		}
		t_exit();
	}
	t_reap(pid);
	gate_wait(&done);
	say("parent\n");
}

/* Shared anonymous memory joins a whole line of processes. */
TEST(shared_line)
{
	volatile int *p = (volatile int *)t_map_shared(2);
	pid_t pid;
	int i;

	for (i = 0; i < 6; i++) {
		pid = t_fork();
		if (pid != 0)
			break;
		p[i] = 10 * i;
		p[1024 + i]++;
	}
	if (i < 6)
		t_reap(pid);
	if (i != 0)
		t_exit();
	for (i = 0; i < 6; i++)
		say("%d %d\n", p[i], p[1024 + i]);
}
