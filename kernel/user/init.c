/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The first process.  With `tests=a,b,c' among the boot options it runs those
 * tests one after the other, writes one JSON record for each to /dev/results,
 * and turns the machine off.  Without, it gives the console a shell.
 *
 * A test is named PROGRAM_REST and is run as "/tests/PROGRAM REST".  Its
 * standard output goes to a file and from there into the record.
 *
 * The grader runs the same binary on Linux, as "init --oracle a,b,c", to learn
 * what the tests print there; records then go to standard output, without what
 * only Nymph can tell.
 */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "init.h"

#define POLL_NS	    2000000
#define OUTPUT_FILE "/tmp/.output"
#define MAX_CAPTURE (48 * 1024)
#define LEAK_RUNS   5 /* what grows in each of so many runs is a leak */

static long limit_ms = 20000; /* of guest time, for one test */
static int results = 1;	      /* where the records go */
static int oracle;	      /* running on Linux */
static int output;	      /* what a test's standard output goes to */

/* Milliseconds since some fixed moment. */
static long
now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* The processor's time stamp; under -icount it counts virtual nanoseconds. */
static unsigned long
cycles(void)
{
	unsigned int lo, hi;

	__asm__ volatile("lfence; rdtsc" : "=a"(lo), "=d"(hi) : : "memory");
	return (unsigned long)hi << 32 | lo;
}

/* Prints a line for the person who looks at the console. */
static void
console(const char *fmt, ...)
{
	char buf[256];
	va_list ap;
	int n;

	if (oracle)
		return;
	va_start(ap, fmt);
	n = vsnprintf(buf, sizeof(buf), fmt, ap);
	va_end(ap);
	if (n > 0)
		(void)!write(2, buf, n < (int)sizeof(buf) ? n : 255);
}

/* The child's side of run_once(): becomes the test program, or says why not.
 * It runs in init's memory, and touches nothing but its own frame there. */
static void
become(const char *name)
{
	char path[64], *argv[3] = {path + 7, NULL, NULL};
	const char *rest = strchr(name, '_');
	int n = rest != NULL ? (int)(rest - name) : (int)strlen(name);

	setpgid(0, 0);
	snprintf(path, sizeof(path), "/tests/%.*s", n, name);
	if (rest != NULL)
		argv[1] = (char *)(unsigned long)(rest + 1);
	dup2(output, 1);
	execve(path, argv, environ);
	dprintf(1, "init: %s: %s\n", path, strerror(errno));
	_exit(126);
}

/*
 * Waits until the test and all that it left behind are gone.  Returns the
 * test's status word, or -1 when the limit passed first; then everything in its
 * process group has been killed.  Sleeping and looking again needs nothing of
 * the kernel but wait4 and nanosleep, and lets it find orphans as well.
 */
static int
await(pid_t pid)
{
	struct timespec nap = {0, POLL_NS};
	long end = now_ms() + limit_ms;
	int status, result = -1, gone = 0, killed = 0;
	pid_t got;

	for (;;) {
		got = waitpid(-1, &status, WNOHANG);
		if (got == pid) {
			gone = 1;
			result = status;
		} else if (got == -1 && errno == ECHILD) {
			return killed ? -1 : result;
		} else if (got <= 0) {
			nanosleep(&nap, NULL);
		}
		if (now_ms() > end && !killed) {
			killed = 1;
			kill(-pid, SIGKILL);
			if (!gone)
				kill(pid, SIGKILL);
			end += limit_ms;
		} else if (now_ms() > end) {
			return -1; /* it cannot even be killed */
		}
	}
}

/*
 * Runs a test once.  Its output is in the file afterwards.  With fork, init's
 * own memory would change: parts 1 to 3 let a process that forks and writes keep
 * an object for every child.
 */
static int
run_once(const char *name)
{
	pid_t pid;

	if (ftruncate(output, 0) == -1 || lseek(output, 0, SEEK_SET) == -1)
		return 126 << 8;
	pid = vfork();
	if (pid == 0)
		become(name);
	if (pid == -1) {
		dprintf(output, "init: fork: %s\n", strerror(errno));
		return 126 << 8;
	}
	setpgid(pid, pid);
	return await(pid);
}

/* Runs a test, again when something seems to leak, and writes its record. */
static void
run_test(const char *name)
{
	static char text[MAX_CAPTURE];
	static struct table before, after, leaks, again;
	unsigned long t0, t1;
	int status, run;
	ssize_t len;

	console("init: %s\n", name);
	record_begin(name, "begin");
	record_end(results);

	if (!oracle) {
		table_read(&before, "/proc/vmstat");
		table_read(&leaks, "/proc/leaks");
	}
	t0 = cycles();
	status = run_once(name);
	t1 = cycles();
	if (!oracle) {
		table_read(&after, "/proc/vmstat");
		table_read(&again, "/proc/leaks");
		table_growth(&after, &before);
		table_growth(&again, &leaks);
	}
	len = pread(output, text, sizeof(text), 0);

	record_begin(name, "end");
	if (status == -1)
		record_text("verdict", "hang", 4);
	else if (WIFSIGNALED(status))
		record_text("verdict", "signal", 6);
	else
		record_text("verdict", "exit", 4);
	record_number("code",
	    status == -1	      ? 0
		: WIFSIGNALED(status) ? WTERMSIG(status)
				      : WEXITSTATUS(status));
	record_text("out", text, len > 0 ? len : 0);
	if (!oracle) {
		record_number("time", t1 - t0);
		record_table("counters", &after);
		for (run = 1; run < LEAK_RUNS && status != -1; run++) {
			table_keep_leaks(&again);
			if (again.n == 0)
				break;
			table_read(&leaks, "/proc/leaks");
			run_once(name);
			table_read(&before, "/proc/leaks");
			table_growth(&before, &leaks);
			table_intersect(&again, &before);
		}
		table_keep_leaks(&again);
		record_table("leaks", &again);
		len = file_read("/proc/vmcheck", text, sizeof(text));
		if (len < 0)
			len = snprintf(text, sizeof(text),
			    "/proc/vmcheck: %s\n", strerror(errno));
		record_text("vmcheck", text, len);
	}
	record_end(results);
}

/* Runs the tests of a list with commas between them. */
static void
run_list(char *list)
{
	char *name, *save = NULL;
	long n = 0;

	/* The same stack everywhere, and no huge pages under small ones. */
	struct rlimit rl = {8 << 20, 8 << 20};

	setrlimit(RLIMIT_STACK, &rl);
	prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
	output =
	    open(OUTPUT_FILE, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (output == -1) {
		console("init: %s: %s\n", OUTPUT_FILE, strerror(errno));
		return;
	}
	for (name = strtok_r(list, ",", &save); name != NULL;
	     name = strtok_r(NULL, ",", &save), n++)
		run_test(name);
	record_begin("", "done");
	record_number("tests", n);
	record_end(results);
	close(output);
	unlink(OUTPUT_FILE);
}

/* Finds `name=value' in the boot options; NULL when it is not there. */
static char *
boot_option(char *line, const char *name)
{
	size_t len = strlen(name);
	char *p;

	for (p = strtok(line, " \n"); p != NULL; p = strtok(NULL, " \n"))
		if (strncmp(p, name, len) == 0 && p[len] == '=')
			return p + len + 1;
	return NULL;
}

/* What poweroff, halt and reboot ask the first process for, each by a signal of
 * its own. */
static void
turn_off(int sig)
{
	(void)sig;
	sync();
	reboot(RB_POWER_OFF);
}

/* Gives the console to a shell and waits until it ends. */
static void
shell(void)
{
	char *argv[] = {"sh", NULL};
	int status = 0;
	pid_t pid, got;

	signal(SIGUSR2, turn_off);
	signal(SIGUSR1, turn_off);
	signal(SIGTERM, turn_off);
	pid = fork();
	if (pid == 0) {
		setsid();
		ioctl(0, TIOCSCTTY, 0);
		execve("/bin/sh", argv, environ);
		console("init: /bin/sh: %s\n", strerror(errno));
		_exit(127);
	}
	do
		got = waitpid(-1, &status, 0);
	while (got != pid && (got != -1 || errno == EINTR));
	console("init: the shell ended, status 0x%x; turning off\n", status);
}

int
main(int argc, char **argv)
{
	static char cmdline[8192], copy[8192];
	char *list;

	clearenv();
	setenv("PATH", "/bin", 1);
	setenv("HOME", "/", 1);
	mkdir("/tmp", 0777);
	if (chdir("/tmp") == -1)
		console("init: /tmp: %s\n", strerror(errno));
	if (argc == 3 && strcmp(argv[1], "--oracle") == 0) {
		oracle = 1;
		run_list(argv[2]);
		return 0;
	}
	if (file_read("/proc/cmdline", cmdline, sizeof(cmdline)) < 0)
		console("init: /proc/cmdline: %s\n", strerror(errno));
	list = boot_option(strcpy(copy, cmdline), "limit");
	if (list != NULL)
		limit_ms = 1000 * atol(list);
	list = boot_option(cmdline, "tests");
	if (list == NULL) {
		chdir("/");
		shell();
	} else {
		results = open("/dev/results", O_RDWR | O_CLOEXEC);
		if (results == -1) {
			console("init: /dev/results: %s\n", strerror(errno));
		} else {
			record_nonce(results);
			run_list(list);
		}
	}
	sync();
	reboot(RB_POWER_OFF);
	console("init: cannot turn off: %s\n", strerror(errno));
	for (;;)
		pause();
}
