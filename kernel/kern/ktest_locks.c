/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * selftest=locks: tokens, sleep and wakeup, locks and timeouts under
 * contention, on as many CPUs as there are. Each test starts a few threads
 * and waits until they are done.
 */
#include <kern/ktest.h>

#include <linux/errno.h>

#include <amd64/cpufunc.h>
#include <amd64/machdep.h>
#include <kern/bootopt.h>
#include <kern/kprintf.h>
#include <kern/kstring.h>
#include <kern/lock.h>

BOOTOPT(bo_selftest, "selftest", "", "test the kernel itself: locks");

static struct lwkt_token tok[2];
static struct lock lk;
static struct spinlock spin = SPINLOCK_INITIALIZER("ktest");
static volatile int running;	     /* threads of the test; by spin */
static volatile int inside, sharers; /* holders, as the test sees them */
static volatile uint32_t count;	     /* what the test is to reach */
static volatile int flag;
static const char *volatile complaint; /* the first thing that was wrong */

/* Notes what is wrong, for the test's record. */
static void
expect(bool ok, const char *what)
{
	if (!ok && complaint == NULL)
		complaint = what;
}

/* Ends a test's thread. */
static void
done(void)
{
	spin_lock(&spin);
	running--;
	wakeup((void *)&running);
	spin_unlock(&spin);
}

/* Starts n threads with their number as the argument, spread over the CPUs
 * by the scheduler, and waits for their end. */
static void
run(int n, void (*func)(void *))
{
	running = n;
	for (long i = 0; i < n; i++)
		if (kthread_create("ktest", func, (void *)i) == NULL)
			panic("ktest: no memory for a thread");
	spin_lock(&spin);
	while (running > 0)
		ssleep((void *)&running, &spin, 0, "ktest", 0);
	spin_unlock(&spin);
}

/* Adds to the count with two tokens, taken in one order or the other, and
 * sleeps with them now and then: nobody else may be inside while we run. */
static void
tokens_thread(void *arg)
{
	long me = (long)arg;
	uint32_t seen;

	for (int i = 0; i < 200; i++) {
		lwkt_gettoken(&tok[me & 1]);
		lwkt_gettoken(&tok[~me & 1]);
		expect(inside++ == 0, "two threads held a token");
		seen = count;
		cpu_pause();
		count = seen + 1;
		inside--;
		if (i % 16 == 0)
			tsleep(&seen, 0, "ktest", TICK_NS);
		expect(inside++ == 0, "a token was not there after a sleep");
		expect(lwkt_token_held_excl(&tok[0]), "not held after sleep");
		inside--;
		lwkt_reltoken(&tok[~me & 1]);
		lwkt_reltoken(&tok[me & 1]);
		lwkt_yield();
	}
	done();
}

/* Thread 0 wants the token exclusively a few times; the others hold it
 * shared and do not let go before another of them has it too, or a while
 * has passed: a kernel that lets them in past thread 0 starves it. */
static void
starve_thread(void *arg)
{
	uint64_t limit = nanotime() + 2000000000UL;

	for (int i = 0; arg == NULL && i < 50; i++) {
		lwkt_gettoken(&tok[0]);
		expect(sharers == 0, "exclusive beside a sharer");
		lwkt_reltoken(&tok[0]);
		lwkt_yield();
	}
	if (arg == NULL) {
		flag = 1;
		expect(nanotime() < limit, "an exclusive request starved");
	}
	while (!flag && nanotime() < limit) {
		lwkt_gettoken_shared(&tok[0]);
		atomic_add_int(&sharers, 1);
		for (int i = 0; i < 1000 && sharers == 1; i++)
			cpu_pause();
		lwkt_gettoken_shared(&tok[0]);
		lwkt_reltoken(&tok[0]);
		atomic_subtract_int(&sharers, 1);
		lwkt_reltoken(&tok[0]);
		lwkt_yield();
	}
	done();
}

/* Half the threads count up, half down again; each sleeps when it cannot.
 * A lost wakeup leaves somebody asleep, which its time limit shows. */
static void
wakeup_thread(void *arg)
{
	bool up = (long)arg & 1;

	for (int i = 0; i < 1000 && complaint == NULL; i++) {
		lwkt_gettoken(&tok[0]);
		while (count == (up ? 2U : 0U) && complaint == NULL) {
			tsleep_interlock((void *)&count, 0);
			lwkt_reltoken(&tok[0]);
			lwkt_yield();
			if (tsleep((void *)&count, PINTERLOCKED, "ktest",
				5000000000UL) != 0)
				expect(false, "a wakeup was lost");
			lwkt_gettoken(&tok[0]);
		}
		count += up ? 1U : -1U;
		wakeup((void *)&count);
		lwkt_reltoken(&tok[0]);
	}
	done();
}

/* All share, then all upgrade: one succeeds without anybody in between. */
static void
upgrade_thread(void *arg)
{
	uint32_t before;

	lockmgr(&lk, LK_SHARED);
	atomic_add_int(&sharers, 1);
	while (sharers < 4)
		lwkt_yield();
	before = count;
	if (lockmgr(&lk, LK_UPGRADE) == 0) {
		expect(count == before, "somebody wrote during an upgrade");
		atomic_add_int(&inside, 1);
	} else {
		expect(lockstatus(&lk, curthread) == 0,
		    "a failed upgrade kept the lock");
		lockmgr(&lk, LK_EXCLUSIVE);
	}
	count++;
	lockmgr(&lk, LK_DOWNGRADE);
	expect(lockmgr(&lk, LK_SHARED | LK_NOWAIT) == 0,
	    "a sharer cannot share again");
	lockmgr(&lk, LK_RELEASE);
	lockmgr(&lk, LK_RELEASE);
	done();
}

/* Thread 0 holds the lock for ten ticks, the other wants it for three. */
static void
timeout_thread(void *arg)
{
	uint64_t start = nanotime(), took;

	if (arg == NULL) {
		lockmgr(&lk, LK_EXCLUSIVE);
		flag = 1;
		expect(tsleep(&took, 0, "ktest", 10 * TICK_NS) == EWOULDBLOCK,
		    "a sleep ended by itself");
		expect(
		    nanotime() - start >= 10 * TICK_NS, "a sleep ended early");
		lockmgr(&lk, LK_RELEASE);
	} else {
		while (!flag)
			tsleep(&start, 0, "ktest", TICK_NS);
		start = nanotime();
		expect(lockmgr_timed(&lk, LK_SHARED | LK_TIMELOCK,
			   3 * TICK_NS) == EWOULDBLOCK,
		    "no timeout");
		took = nanotime() - start;
		expect(took >= 3 * TICK_NS, "a timeout came early");
		expect(took <= 6 * TICK_NS, "a timeout came late");
		expect(lockmgr(&lk, LK_SHARED) == 0, "no lock at the end");
		lockmgr(&lk, LK_RELEASE);
	}
	done();
}

/* A thread visits every CPU; its siblings do the same. */
static void
affinity_thread(void *arg)
{
	for (uint32_t i = 0; i < 4 * ncpus; i++) {
		thread_setaffinity(curthread, CPUMASK(i % ncpus));
		expect(mycpuid == i % ncpus, "on a CPU it may not run on");
	}
	done();
}

/* The tests: so many threads of the function, and what the counters must be
 * when they have ended. */
static const struct {
	const char *name;
	void (*func)(void *);
	int threads;
	uint32_t count;
	int inside;
} tests[] = {
    {"locks_tokens", tokens_thread, 8, 8 * 200, 0},
    {"locks_starve", starve_thread, 5, 0, 0},
    {"locks_wakeup", wakeup_thread, 4, 0, 0},
    {"locks_upgrade", upgrade_thread, 4, 4, 1},
    {"locks_timeout", timeout_thread, 2, 0, 0},
    {"locks_affinity", affinity_thread, 6, 0, 0},
};

/* Runs one test and writes its records. */
static void
run_test(size_t i)
{
	uint64_t start = nanotime();

	count = 0;
	inside = sharers = flag = 0;
	complaint = NULL;
	result_printf("{\"event\":\"begin\",\"test\":\"%s\"}\n", tests[i].name);
	run(tests[i].threads, tests[i].func);
	expect(count == tests[i].count, "an update was lost");
	expect(inside == tests[i].inside, "not as many inside as should be");
	expect(tok[0].t_count == 0 && tok[1].t_count == 0 && lk.lk_count == 0,
	    "not everything was released");
	result_printf("{\"event\":\"end\",\"test\":\"%s\","
		      "\"verdict\":\"exit\",\"code\":%d,"
		      "\"out\":\"%s\",\"ns\":%lu}\n",
	    tests[i].name, complaint != NULL, complaint ? complaint : "",
	    nanotime() - start);
}

/* See kern/ktest.h. */
void
ktest_run(void)
{
	const char *which = bootopt_str(&bo_selftest);

	if (*which == '\0')
		return;
	if (strcmp(which, "locks") != 0)
		boot_die("selftest=%s: there is only locks", which);
	lwkt_token_init(&tok[0], "ktest 0");
	lwkt_token_init(&tok[1], "ktest 1");
	lockinit(&lk, "ktest");
	for (size_t i = 0; i < nitems(tests); i++)
		run_test(i);
	result_printf("{\"event\":\"done\"}\n");
	cpu_poweroff(EXIT_ORDERLY);
}
