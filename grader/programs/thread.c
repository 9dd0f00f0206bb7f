/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Threads that share an address space, on as many CPUs as there are.  A loop
 * that waits for another thread executes PAUSE, which under -icount is what
 * gives the other CPU its turn.
 */

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "t.h"

#define NTHR 4

/* Operations of futex(2), from the Linux ABI. */
#define FUTEX_WAIT 0
#define FUTEX_WAKE 1

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static volatile int turn, counter, stop, faults, started;
static char *region;
static volatile int *volatile no_address = (volatile int *)8;

/* One short wait in a loop. */
static void
pause_cpu(void)
{
	__builtin_ia32_pause();
}

/* Starts a thread or ends the program. */
static pthread_t
start(void *(*fn)(void *), long arg)
{
	pthread_t t;
	int error;

	error = pthread_create(&t, NULL, fn, (void *)arg);
	if (error != 0) {
		say("pthread_create: %s\n", t_errname(error));
		_exit(3);
	}
	return t;
}

/* Starts NTHR threads and waits for them; returns the sum of their results. */
static long
run_all(void *(*fn)(void *))
{
	pthread_t t[NTHR];
	long sum = 0;
	void *res;
	int i;

	for (i = 0; i < NTHR; i++)
		t[i] = start(fn, i);
	for (i = 0; i < NTHR; i++) {
		EXPECT(0, pthread_join(t[i], &res));
		sum += (long)res;
	}
	return sum;
}

static void *
square(void *arg)
{
	long n = (long)arg;

	return (void *)(n * n);
}

/* Threads start with their argument and are joined with their result. */
TEST(join)
{
	int i;

	for (i = 0; i < 10; i++)
		say("%ld\n", run_all(square));
}

static void *
locked_adds(void *arg)
{
	int i, v;

	(void)arg;
	for (i = 0; i < 500; i++) {
		pthread_mutex_lock(&lock);
		v = counter;
		if (i % 16 == 0)
			sched_yield(); /* others come and wait */
		counter = v + 1;
		pthread_mutex_unlock(&lock);
	}
	return NULL;
}

/* A mutex loses no count, however its holder is disturbed. */
TEST(mutex)
{
	run_all(locked_adds);
	say("%d\n", counter);
}

static void *
atomic_adds(void *arg)
{
	int i;

	(void)arg;
	for (i = 0; i < 5000; i++) {
		__atomic_add_fetch(&counter, 1, __ATOMIC_SEQ_CST);
		if (i % 64 == 0)
			pause_cpu();
	}
	return NULL;
}

/* The processor's own atomic adds. */
TEST(atomic)
{
	run_all(atomic_adds);
	say("%d\n", counter);
}

static void *
take_turns(void *arg)
{
	int me = (long)arg, i;

	for (i = 0; i < 50; i++) {
		pthread_mutex_lock(&lock);
		while (turn != me)
			pthread_cond_wait(&cond, &lock);
		counter = counter * 3 + me;
		turn = (turn + 1) % NTHR;
		pthread_cond_broadcast(&cond);
		pthread_mutex_unlock(&lock);
	}
	return NULL;
}

/* A condition variable hands the turn round and round. */
TEST(condition)
{
	run_all(take_turns);
	say("%u\n", (unsigned int)counter);
}

static void *
touch_all(void *arg)
{
	long me = (long)arg;
	int i;

	__atomic_add_fetch(&started, 1, __ATOMIC_SEQ_CST);
	while (started < NTHR)
		pause_cpu();
	for (i = 0; i < 32; i++)
		region[i * PAGE + me] = me + 1;
	return NULL;
}

/* All threads fault the same fresh pages at once: no byte is lost. */
TEST(same_page)
{
	int i, j, good = 0;

	region = t_map(32);
	run_all(touch_all);
	for (i = 0; i < 32; i++)
		for (j = 0; j < NTHR; j++)
			good += region[i * PAGE + j] == j + 1;
	say("%d of %d\n", good, 32 * NTHR);
}

/* The same where each first write copies: after a fork, child still there. */
TEST(same_cow)
{
	int i, j, good = 0;
	struct gate g;
	uint32_t before;
	pid_t pid;

	region = t_map(32);
	t_fill(region, 32 * PAGE, 1);
	before = t_sum(region, 32 * PAGE);
	gate_init(&g);
	pid = t_fork();
	if (pid == 0) {
		gate_wait(&g);
		EXPECT(before, t_sum(region, 32 * PAGE));
		t_exit();
	}
	run_all(touch_all);
	for (i = 0; i < 32; i++)
		for (j = 0; j < NTHR; j++)
			good += region[i * PAGE + j] == j + 1;
	gate_open(&g);
	t_reap(pid);
	say("%d of %d\n", good, 32 * NTHR);
}

static void
stop_on_fault(int sig, siginfo_t *si, void *uc)
{
	(void)sig;
	(void)uc;
	if ((char *)si->si_addr != region)
		_exit(5);
	faults++;
	pthread_exit(NULL);
}

static void *
write_on(void *arg)
{
	volatile long *p = (volatile long *)region;

	(void)arg;
	started = 1;
	for (;;) {
		++*p;
		pause_cpu();
	}
	return NULL;
}

static void *
read_on(void *arg)
{
	volatile long *p = (volatile long *)region;

	(void)arg;
	started = 1;
	while (*p == 0)
		pause_cpu();
	return NULL;
}

/* Starts a thread that touches the region until that faults. */
static pthread_t
start_toucher(void *(*fn)(void *))
{
	struct sigaction sa;
	pthread_t t;

	memset(&sa, 0, sizeof(sa));
	sa.sa_sigaction = stop_on_fault;
	sa.sa_flags = SA_SIGINFO;
	MUST(sigaction(SIGSEGV, &sa, NULL));
	MUST(sigaction(SIGBUS, &sa, NULL));
	t = start(fn, 0);
	while (!started)
		pause_cpu();
	return t;
}

/* Once mprotect returned, no other CPU writes the page any more. */
TEST(protect_seen)
{
	long before, after;
	pthread_t t;
	int i;

	region = t_map(1);
	t = start_toucher(write_on);
	while (*(volatile long *)region < 100)
		pause_cpu();
	MUST(mprotect(region, PAGE, PROT_READ));
	before = *(volatile long *)region;
	for (i = 0; i < 200; i++)
		pause_cpu();
	after = *(volatile long *)region;
	pthread_join(t, NULL);
	say("same %d, faults %d\n", before == after, faults);
}

/* Once munmap returned, no other CPU reads the page any more. */
TEST(unmap_seen)
{
	pthread_t t;

	region = t_map(2);
	t = start_toucher(read_on);
	MUST(munmap(region, PAGE));
	pthread_join(t, NULL);
	say("faults %d\n", faults);
}

static void *
read_tags(void *arg)
{
	volatile int *p = (volatile int *)region;
	long bad = 0, v, last = 0;

	(void)arg;
	__atomic_add_fetch(&started, 1, __ATOMIC_SEQ_CST);
	while (!stop) {
		/* a tag may be old only until its announcement */
		v = *(volatile int *)&counter;
		last = *p;
		bad += last < v;
		pause_cpu();
	}
	return (void *)bad;
}

/* A page replaced under readers: nobody sees the old one once it was told. */
TEST(replace_seen)
{
	pthread_t t[NTHR];
	long bad = 0;
	void *res;
	char *next;
	int i;

	region = t_map(1);
	for (i = 0; i < NTHR; i++)
		t[i] = start(read_tags, i);
	while (started < NTHR)
		pause_cpu();
	for (i = 1; i <= 50; i++) {
		next = (char *)MUST(mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
		*(volatile int *)next = i;
		MUST(mremap(
		    next, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, region));
		counter = i;
		pause_cpu();
	}
	stop = 1;
	for (i = 0; i < NTHR; i++) {
		pthread_join(t[i], &res);
		bad += (long)res;
	}
	say("%ld stale reads\n", bad);
}

static void *
map_churn(void *arg)
{
	long me = (long)arg, bad = 0;
	char *p;
	int i;

	for (i = 0; i < 40; i++) {
		p = (char *)MUST(mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
		bad += p[0] != 0 || p[3 * PAGE] != 0;
		memset(p, me + 1, PAGE);
		memset(p + 3 * PAGE, me + 1, 100);
		MUST(mprotect(p + PAGE, PAGE, PROT_READ));
		bad += p[PAGE - 1] != me + 1 || p[3 * PAGE + 99] != me + 1;
		MUST(munmap(p + 2 * PAGE, 2 * PAGE));
		bad += p[77] != me + 1;
		MUST(munmap(p, 2 * PAGE));
	}
	return (void *)bad;
}

/* Every thread maps, protects and unmaps its own: nobody disturbs another. */
TEST(map_churn)
{
	say("%ld bad\n", run_all(map_churn));
}

static void *
alloc_churn(void *arg)
{
	uint32_t seed = (long)arg + 1;
	unsigned char *p[8] = {NULL};
	size_t len[8] = {0};
	long bad = 0;
	int i, k;

	for (i = 0; i < 200; i++) {
		seed = seed * 1664525u + 1013904223u;
		k = seed >> 29;
		if (p[k] != NULL) {
			bad += p[k][0] != k + 1 || p[k][len[k] - 1] != k + 1;
			free(p[k]);
		}
		len[k] = 1 + (seed >> 8) % 6000;
		p[k] = malloc(len[k]);
		if (p[k] == NULL)
			return (void *)9999L;
		p[k][0] = p[k][len[k] - 1] = k + 1;
	}
	for (k = 0; k < 8; k++)
		free(p[k]);
	return (void *)bad;
}

/* malloc and free from every thread. */
TEST(malloc)
{
	say("%ld bad\n", run_all(alloc_churn));
}

static __thread long mine = 5;

static void *
use_local(void *arg)
{
	long i;

	for (i = 0; i < 100; i++) {
		mine += (long)arg;
		sched_yield();
	}
	return (void *)mine;
}

/* Every thread has its own thread-local word. */
TEST(local)
{
	say("%ld %ld\n", run_all(use_local), mine);
}

static void *
fork_and_wait(void *arg)
{
	int status, i;
	long sum = 0;
	pid_t pid;

	for (i = 0; i < 5; i++) {
		pid = fork();
		if (pid == 0)
			_exit(10 + (long)arg);
		if (pid == -1 || waitpid(pid, &status, 0) != pid)
			return (void *)-1000L;
		sum += WEXITSTATUS(status);
	}
	return (void *)sum;
}

/* Every thread forks and waits for its own children. */
TEST(fork)
{
	say("%ld\n", run_all(fork_and_wait));
}

static void *
sleep_for_ever(void *arg)
{
	(void)arg;
	started++;
	for (;;)
		sleep(1000);
	return NULL;
}

/* exit_group from one thread ends all, running and sleeping ones. */
TEST(exit_group)
{
	pid_t pid;

	pid = t_fork();
	if (pid == 0) {
		start(sleep_for_ever, 0);
		region = t_map(1);
		start(read_on, 0);
		while (!started)
			pause_cpu();
		_exit(12);
	}
	say("%s\n", t_status(t_wait(pid)));
}

/* A fatal signal in one thread ends all. */
TEST(killed)
{
	pid_t pid;

	pid = t_fork();
	if (pid == 0) {
		start(sleep_for_ever, 0);
		while (!started)
			pause_cpu();
		*no_address = 1;
	}
	say("%s\n", t_status(t_wait(pid)));
}

static volatile pthread_t signalled;

static void
mark(int sig)
{
	(void)sig;
	signalled = pthread_self();
}

static void *
wait_signal(void *arg)
{
	(void)arg;
	started = 1;
	while (!signalled)
		pause_cpu();
	return NULL;
}

/* pthread_kill reaches that thread and no other. */
TEST(signal)
{
	pthread_t t;

	signal(SIGUSR1, mark);
	t = start(wait_signal, 0);
	while (!started)
		pause_cpu();
	EXPECT(0, pthread_kill(t, SIGUSR1));
	pthread_join(t, NULL);
	say("%d\n", signalled == t);
}

/* futex: the value must match, a wait may time out, a wake counts. */
TEST(futex)
{
	struct timespec ts = {0, 2000000};
	int word = 5;

	FAILS(EAGAIN, syscall(SYS_futex, &word, FUTEX_WAIT, 4, NULL));
	FAILS(ETIMEDOUT, syscall(SYS_futex, &word, FUTEX_WAIT, 5, &ts));
	EXPECT(0, syscall(SYS_futex, &word, FUTEX_WAKE, 10));
	FAILS(EINVAL, syscall(SYS_futex, (char *)&word + 1, FUTEX_WAIT, 5, 0));
	FAILS(EFAULT, syscall(SYS_futex, 4096L, FUTEX_WAIT, 5, NULL));
	FAILS(ENOSYS, syscall(SYS_futex, &word, 100, 5, NULL));
	ts.tv_nsec = -1;
	FAILS(EINVAL, syscall(SYS_futex, &word, FUTEX_WAIT, 5, &ts));
	say("done\n");
}

/* Two processes meet at a futex in shared memory. */
TEST(futex_shared)
{
	volatile int *w = (volatile int *)t_map_shared(1);
	pid_t pid;

	pid = t_fork();
	if (pid == 0) {
		while (w[0] == 0)
			syscall(SYS_futex, w, FUTEX_WAIT, 0, NULL);
		w[1] = w[0] + 1;
		t_exit();
	}
	usleep(20000);
	w[0] = 41;
	syscall(SYS_futex, w, FUTEX_WAKE, 1);
	t_reap(pid);
	say("%d\n", w[1]);
}

/* Uses pages and gives them up, while the others do the same to them. */
static void *
use_and_drop(void *arg)
{
	long id = (long)arg, bad = 0;

	for (int round = 0; round < 40; round++) {
		for (int k = 0; k < 8; k++) {
			volatile char *p = region + (k * 3 + id) % 8 * PAGE;

			bad += *p != 0 && *p != 7;
			*p = 7;
		}
		MUST(madvise(region, 8 * PAGE, MADV_DONTNEED));
	}
	return (void *)bad;
}

TEST(same_dontneed)
{
	region = t_map(8);
	EXPECT(0, run_all(use_and_drop));
	MUST(madvise(region, 8 * PAGE, MADV_DONTNEED));
	for (int i = 0; i < 8; i++)
		EXPECT(0, region[i * PAGE]);
}
