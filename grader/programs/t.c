/* SPDX-License-Identifier: BSD-2-Clause */
/* What the behaviour tests share: the main program, output and checks. */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "t.h"

int t_arg;
const char *t_extra;
volatile int t_fails;

extern const struct t_test *const __start_t_tests[];
extern const struct t_test *const __stop_t_tests[];

/*
 * Prints one fact.  It goes out with a single write, with no buffer that a fork
 * could double.
 */
void
say(const char *fmt, ...)
{
	char buf[2048];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(buf, sizeof(buf), fmt, ap);
	va_end(ap);
	if (n >= (int)sizeof(buf))
		n = sizeof(buf) - 1;
	if (n > 0 && write(1, buf, n) != n)
		_exit(4);
}

/* The name of an errno, for output that a reader need not look up. */
const char *
t_errname(long error)
{
	static const struct {
		int error;
		const char *name;
	} names[] = {
	    {0, "0"},
	    {EPERM, "EPERM"},
	    {ENOENT, "ENOENT"},
	    {ESRCH, "ESRCH"},
	    {EINTR, "EINTR"},
	    {EIO, "EIO"},
	    {E2BIG, "E2BIG"},
	    {ENOEXEC, "ENOEXEC"},
	    {EBADF, "EBADF"},
	    {ECHILD, "ECHILD"},
	    {EAGAIN, "EAGAIN"},
	    {ENOMEM, "ENOMEM"},
	    {EACCES, "EACCES"},
	    {EFAULT, "EFAULT"},
	    {EBUSY, "EBUSY"},
	    {EEXIST, "EEXIST"},
	    {ENODEV, "ENODEV"},
	    {ENOTDIR, "ENOTDIR"},
	    {EISDIR, "EISDIR"},
	    {EINVAL, "EINVAL"},
	    {EMFILE, "EMFILE"},
	    {ENOTTY, "ENOTTY"},
	    {ETXTBSY, "ETXTBSY"},
	    {EFBIG, "EFBIG"},
	    {ENOSPC, "ENOSPC"},
	    {ESPIPE, "ESPIPE"},
	    {EROFS, "EROFS"},
	    {EPIPE, "EPIPE"},
	    {ERANGE, "ERANGE"},
	    {ENAMETOOLONG, "ENAMETOOLONG"},
	    {ENOSYS, "ENOSYS"},
	    {ENOTEMPTY, "ENOTEMPTY"},
	    {ELOOP, "ELOOP"},
	    {EOVERFLOW, "EOVERFLOW"},
	    {ENOTSUP, "EOPNOTSUPP"},
	    {ETIMEDOUT, "ETIMEDOUT"},
	};
	static char other[24];
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].error == error)
			return names[i].name;
	snprintf(other, sizeof(other), "errno %ld", error);
	return other;
}

/* Compares two values and reports a difference; the test goes on. */
void
t_expect(const char *file, int line, const char *what, long want, long seen)
{
	if (want == seen)
		return;
	t_fails++;
	say("%s:%d: %s: expected %ld (0x%lx), saw %ld (0x%lx)\n", file, line,
	    what, want, want, seen, seen);
}

/* Returns the result, or ends the program when it is -1. */
long
t_must(const char *file, int line, const char *what, long result)
{
	if (result != -1)
		return result;
	say("%s:%d: %s: must work, failed with %s\n", file, line, what,
	    t_errname(errno));
	_exit(3);
}

/* The result must be -1 with the wanted errno. */
void
t_errno(const char *file, int line, const char *what, long want, long result)
{
	int error = errno;

	if (result == -1 && error == want)
		return;
	t_fails++;
	if (result != -1)
		say("%s:%d: %s: expected %s, but it returned %ld\n", file, line,
		    what, t_errname(want), result);
	else
		say("%s:%d: %s: expected %s, saw %s\n", file, line, what,
		    t_errname(want), t_errname(error));
}

/* Forks, or ends the program when the kernel refuses. */
pid_t
t_fork(void)
{
	pid_t pid;

	pid = MUST(fork());
	if (pid == 0)
		t_fails = 0;
	return pid;
}

/* Ends a child: status 1 when one of its checks failed, else 0. */
void
t_exit(void)
{
	_exit(t_fails != 0);
}

/* Waits for one child and returns its status word. */
int
t_wait(pid_t pid)
{
	int status = 0;

	while (waitpid(pid, &status, 0) == -1)
		if (errno != EINTR) {
			say("wait for a child: %s\n", t_errname(errno));
			t_fails++;
			return -1;
		}
	return status;
}

/* Waits for a child that must end with status 0. */
void
t_reap(pid_t pid)
{
	int status = t_wait(pid);

	if (status != 0) {
		t_fails++;
		say("a child ended by %s, expected exit 0\n", t_status(status));
	}
}

/* Waits until a process that is no child of the caller's is gone, its memory and its
 * entry in /proc too. */
void
t_gone(pid_t pid)
{
	char path[32];
	int i, fd;

	snprintf(path, sizeof(path), "/proc/%d/vm", pid);
	for (i = 0; i < 2000; i++) {
		fd = open(path, O_RDONLY);
		if (fd == -1)
			return;
		close(fd);
		usleep(1000);
	}
	say("process %d does not go away\n", pid);
	t_fails++;
}

/* Words for a status word of wait. */
const char *
t_status(int status)
{
	static char buf[48];

	if (WIFEXITED(status))
		snprintf(buf, sizeof(buf), "exit %d", WEXITSTATUS(status));
	else if (WIFSIGNALED(status))
		snprintf(buf, sizeof(buf), "signal %d", WTERMSIG(status));
	else if (WIFSTOPPED(status))
		snprintf(buf, sizeof(buf), "stop %d", WSTOPSIG(status));
	else
		snprintf(buf, sizeof(buf), "status 0x%x", status);
	return buf;
}

/* Makes a closed gate. */
void
gate_init(struct gate *g)
{
	MUST(pipe(g->fd));
}

/* Lets one waiter through. */
void
gate_open(struct gate *g)
{
	if (write(g->fd[1], "", 1) != 1)
		_exit(4);
}

/* Waits until somebody opens the gate. */
void
gate_wait(struct gate *g)
{
	char c;

	while (read(g->fd[0], &c, 1) == -1 && errno == EINTR)
		continue;
}

/* Takes the gate away. */
void
gate_close(struct gate *g)
{
	close(g->fd[0]);
	close(g->fd[1]);
}

/* Makes a file with this content and returns it open for both, at its start. */
int
t_file(const char *path, const void *data, size_t len)
{
	int fd;

	fd = MUST(open(path, O_RDWR | O_CREAT | O_TRUNC, 0644));
	if (len != 0)
		EXPECT(len, write(fd, data, len));
	MUST(lseek(fd, 0, SEEK_SET));
	return fd;
}

/* Runs the test that the first argument names. */
int
main(int argc, char **argv)
{
	const struct t_test *const *p;
	char name[1024], *num;

	if (argc != 2 || strlen(argv[1]) >= sizeof(name)) {
		say("usage: %s TEST\n", argc > 0 ? argv[0] : "program");
		return 2;
	}
	strcpy(name, argv[1]);
	num = strchr(name, ':');
	if (num != NULL) {
		*num = '\0';
		t_extra = strdup(num + 1);
	}
	for (p = __start_t_tests; p < __stop_t_tests; p++)
		if (strcmp((*p)->name, name) == 0)
			goto found;
	num = strrchr(name, '_');
	if (num != NULL && num[1] >= '0' && num[1] <= '9') {
		t_arg = atoi(num + 1);
		*num = '\0';
		for (p = __start_t_tests; p < __stop_t_tests; p++)
			if (strcmp((*p)->name, name) == 0)
				goto found;
	}
	say("%s has no test \"%s\"\n", argv[0], argv[1]);
	return 2;
found:
	(*p)->run();
	return t_fails != 0;
}
