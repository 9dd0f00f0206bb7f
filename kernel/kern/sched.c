/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The scheduler: one run queue a CPU, 32 priorities, first come first
 * served within one. A thread is placed when it becomes runnable and never
 * stolen afterwards, so that a run depends on nothing but what threads do.
 *
 * A thread that becomes runnable may still be on its way off a CPU
 * (td_oncpu): then it goes to that CPU's queue, which cannot be served
 * before the way is finished.
 */
#include <kern/sched.h>

#include <amd64/cpufunc.h>
#include <amd64/frame.h>
#include <amd64/machdep.h>
#include <dev/blk.h>
#include <dev/uart.h>
#include <san/kcsan.h>
#include <san/witness.h>

#define SLICE_TICKS 2 /* clock ticks before equals get their turn */
#define STUCK_TICKS (30 * (int)HZ) /* with somebody waiting: it loops */

static struct runq runqs[MAXCPU];
volatile cpumask_t sched_online;

/* Makes the queues. Boot CPU, running thread0, before anything can sleep;
 * thread_init() follows. */
void
sched_init(void)
{
	for (int cpu = 0; cpu < MAXCPU; cpu++) {
		spin_init(&runqs[cpu].rq_spin, "runq");
		for (int pri = 0; pri < NPRI; pri++)
			TAILQ_INIT(&runqs[cpu].rq_list[pri]);
	}
	sleep_init();
	timeout_init();
}

/* What this CPU has counted so far. */
static inline struct usage
usage_clock(void)
{
	const struct vmmeter *cnt = &mycpu->gd_cnt;

	return (struct usage){nanotime(), cnt->v_tok_shared, cnt->v_tok_excl};
}

/* Adds to `used' what has been counted between two times. */
static inline void
usage_between(
    struct usage *used, const struct usage *from, const struct usage *to)
{
	used->ns += to->ns - from->ns;
	used->tok_shared += to->tok_shared - from->tok_shared;
	used->tok_excl += to->tok_excl - from->tok_excl;
}

/* See kern/thread.h. */
void
usage_add(struct usage *used, const struct usage *more)
{
	static const struct usage zero;

	usage_between(used, &zero, more);
}

/* See kern/thread.h. */
struct usage
thread_usage(struct thread *td)
{
	struct usage used, now;

	if (td == curthread) {
		used = td->td_used;
		now = usage_clock();
		usage_between(&used, &td->td_since, &now);
		return used;
	}
	/* another CPU may be switching from it or to it: a turn off, then */
	used = data_race(td->td_used);
	if (td->td_oncpu)
		used.ns += nanotime() - data_race(td->td_since.ns);
	return used;
}

/* Opens this CPU for threads; see kern/thread.h for who must be running.
 * Panics when CPU 0's idle thread cannot be made. */
void
sched_init_cpu(struct globaldata *gd)
{
	struct thread *td = curthread, *idle = td;
	struct runq *rq = &runqs[gd->gd_cpuid];

	if (td == &thread0) {
		idle = thread_create_idle(gd->gd_cpuid);
		KASSERT(idle != NULL, ("no memory for an idle thread"));
		idle->td_state = TDS_RUNNABLE;
		idle->td_oncpu = 0;
	}
	gd->gd_idlethread = idle;
	rq->rq_curr = td;
	gd->gd_runq = rq;
	td->td_since = usage_clock();
	atomic_set_uint(&sched_online, CPUMASK(gd->gd_cpuid));
}

/* Appends a thread to its priority's list. The queue's lock is held. */
static void
runq_insert(struct runq *rq, struct thread *td)
{
	TAILQ_INSERT_TAIL(&rq->rq_list[td->td_pri], td, td_runq);
	rq->rq_bitmap |= 1U << td->td_pri;
	rq->rq_count++;
}

/* Takes a thread off its list. The queue's lock is held. */
static void
runq_remove(struct runq *rq, struct thread *td)
{
	struct threadlist *list = &rq->rq_list[td->td_pri];

	TAILQ_REMOVE(list, td, td_runq);
	if (TAILQ_EMPTY(list))
		rq->rq_bitmap &= ~(1U << td->td_pri);
	rq->rq_count--;
}

/* How many threads want the CPU; a hint without the queue's lock. So the
 * thread that runs may end meanwhile, and is not looked into. */
static uint32_t
runq_load(const struct runq *rq)
{
	const struct thread *curr = rq->rq_curr;

	return rq->rq_count +
	    (curr != NULL &&
		curr != globaldata_array[rq - runqs]->gd_idlethread);
}

/* Chooses a CPU for a thread that nobody else can wake: the one it is still
 * on, its last one when that is free, else the least loaded. */
static uint32_t
sched_place(const struct thread *td)
{
	cpumask_t mask = td->td_affinity & sched_online;
	uint32_t best = td->td_cpu, load, bestload = UINT32_MAX;

	if (td->td_oncpu || sched_online == 0)
		return best;
	if (mask == 0)
		mask = sched_online;
	if (td->td_state != TDS_NEW && (mask & CPUMASK(best)))
		bestload = runq_load(&runqs[best]);
	for (uint32_t cpu = 0; cpu < MAXCPU && bestload > 0; cpu++) {
		if ((mask & CPUMASK(cpu)) == 0)
			continue;
		load = runq_load(&runqs[cpu]);
		if (load < bestload) {
			best = cpu;
			bestload = load;
		}
	}
	return best;
}

/* Asks a CPU to reschedule; an IPI gets another one out of user mode or out
 * of its halt. The CPU's queue lock is held, so that the request cannot
 * cross with the switch that answers it. */
static void
sched_kick(uint32_t cpu)
{
	struct globaldata *gd = globaldata_array[cpu];

	if (gd->gd_reqflags & RQF_RESCHED)
		return;
	atomic_set_uint(&gd->gd_reqflags, RQF_RESCHED);
	if (cpu != mycpuid)
		ipi_send(cpu, VEC_WAKEUP);
}

/* Puts a thread in TDS_NEW, or one in TDS_SLEEPING that the caller alone has
 * taken off what it slept on, on a run queue. Any context but one that
 * holds a run queue; never sleeps. */
void
thread_setrunnable(struct thread *td)
{
	struct runq *rq;
	uint32_t cpu;

	crit_enter();
	cpu = sched_place(td);
	rq = &runqs[cpu];
	spin_lock(&rq->rq_spin);
	KASSERT(td->td_state == TDS_NEW || td->td_state == TDS_SLEEPING,
	    ("thread %s made runnable in state %d", td->td_name, td->td_state));
	td->td_cpu = cpu;
	td->td_state = TDS_RUNNABLE;
	runq_insert(rq, td);
	/* Who runs may just now begin or end to wait for a token, better than
	 * usual; it leaves the CPU soon, or when its slice ends. */
	if (rq->rq_curr != NULL && td->td_pri < data_race(rq->rq_curr->td_pri))
		sched_kick(cpu);
	spin_unlock(&rq->rq_spin);
	crit_exit();
}

/* The next thread to run, off its list; the idle thread when there is none.
 * The queue's lock is held. */
static struct thread *
runq_choose(struct runq *rq, struct globaldata *gd)
{
	struct thread *td;

	if (rq->rq_bitmap == 0)
		return gd->gd_idlethread;
	td = TAILQ_FIRST(&rq->rq_list[__builtin_ctz(rq->rq_bitmap)]);
	runq_remove(rq, td);
	return td;
}

/* See kern/sched.h. Panics when a spinlock is held. */
void
sched_switch(void)
{
	struct thread *td = curthread, *next;
	struct globaldata *gd;
	struct runq *rq;
	struct usage now;

	crit_enter();
	gd = mycpu;
	if (unlikely(gd->gd_spinlocks != 0))
		panic("switch with spinlock %s held",
		    gd->gd_spinheld[gd->gd_spinlocks]->name);
	rq = gd->gd_runq;
	spin_lock(&rq->rq_spin);
	if (td->td_state == TDS_RUNNING) {
		td->td_state = TDS_RUNNABLE;
		if (td == gd->gd_idlethread) {
			/* chosen by default, never queued */
		} else if ((td->td_affinity & CPUMASK(gd->gd_cpuid)) == 0) {
			atomic_set_uint(&td->td_flags, TDF_MIGRATE);
			td->td_state = TDS_SLEEPING;
		} else {
			runq_insert(rq, td);
		}
	}
	atomic_clear_uint(&gd->gd_reqflags, RQF_RESCHED);
	next = runq_choose(rq, gd);
	next->td_state = TDS_RUNNING;
	if (next->td_slice <= 0)
		next->td_slice = SLICE_TICKS;
	rq->rq_curr = next;
	if (next == td) {
		spin_unlock(&rq->rq_spin);
		crit_exit();
		return;
	}
	now = usage_clock();
	usage_between(&td->td_used, &td->td_since, &now);
	next->td_since = now;
	next->td_oncpu = 1;
	spin_unlock(&rq->rq_spin);
	cnt_inc(v_swtch);

	cpu_disable_intr();
	gd->gd_curthread = next;
	cpu_switch_md(td, next);
	thread_start_hook(cpu_switch(td, next));
}

/* See kern/thread.h. From here on prev may run elsewhere, or be freed. */
void
thread_start_hook(struct thread *prev)
{
	bool migrate = (prev->td_flags & TDF_MIGRATE) != 0;

	if (migrate)
		atomic_clear_uint(&prev->td_flags, TDF_MIGRATE);
	atomic_store_uint(&prev->td_oncpu, 0);
	cpu_enable_intr();
	if (migrate)
		thread_setrunnable(prev);
	crit_exit();
}

/* Leaves the CPU like sched_switch(), without the thread's tokens, which it
 * has again on return: whatever they guard may have changed. */
void
lwkt_switch(void)
{
	struct thread *td = curthread;

	if (td->td_ntoks > 0)
		lwkt_relalltokens(td);
	sched_switch();
	if (td->td_ntoks > 0)
		lwkt_getalltokens(td);
}

/* Lets threads of equal or better priority on this CPU go first, if there
 * are any, and other CPUs by a PAUSE, so that it may stand in a wait loop.
 * Gives up tokens like lwkt_switch() when it switches. */
void
lwkt_yield(void)
{
	const struct thread *td = curthread;
	const struct runq *rq = mycpu->gd_runq;

	cpu_pause();
	if (rq != NULL && rq->rq_bitmap != 0 &&
	    (int)__builtin_ctz(rq->rq_bitmap) <= td->td_pri)
		lwkt_switch();
}

/* In a long loop of a system call, where a sleep would do no harm: gives way
 * when the scheduler asks for it, since nobody takes the CPU away from the
 * kernel. Gives up tokens like lwkt_switch() when it switches. */
void
lwkt_user_yield(void)
{
	if (unlikely(mycpu->gd_reqflags & RQF_RESCHED))
		lwkt_switch();
}

/* On the way to user mode, interrupts enabled: gives way when asked to. A
 * system call that forgot a token or a lock is found here. */
void
sched_userret(void)
{
	const struct thread *td = curthread;

	if (td->td_ntoks != 0 || td->td_nlocks != 0 || td->td_critcount != 0) {
		panic("to user mode with %d tokens, %d locks, "
		      "%d critical sections",
		    td->td_ntoks, td->td_nlocks, td->td_critcount);
	}
	witness_holds_nothing("a thread goes to user mode with a lock held");
	while ((mycpu->gd_reqflags & RQF_RESCHED) ||
	    unlikely((td->td_affinity & CPUMASK(mycpuid)) == 0))
		lwkt_switch();
}

/* The clock's work, in a critical section: ends slices when somebody as
 * good waits, and wakes sleepers whose time is up. The PAUSE gives other
 * CPUs their turn under QEMU's -icount, where a loop without one (threads
 * that yield to each other, a program that polls) would keep it for long.
 * They may keep it for a tick, too, and then the next one is due at once:
 * `again', and without a pause, or ticks would be all that happens here. A
 * thread that is to go and does not, in the kernel, ends it all at last. */
static void
sched_tick(bool again)
{
	struct globaldata *gd = mycpu;
	struct runq *rq = gd->gd_runq;
	struct thread *td = curthread;

	gd->gd_ticks++;
	if (rq == NULL)
		return;
	timeout_run();
	if (td == gd->gd_idlethread)
		return;
	if (!again)
		cpu_pause();
	if (--td->td_slice > 0)
		return;
	spin_lock(&rq->rq_spin);
	if (rq->rq_bitmap != 0 &&
	    (int)__builtin_ctz(rq->rq_bitmap) <= td->td_pri)
		sched_kick(gd->gd_cpuid);
	else
		td->td_slice = SLICE_TICKS;
	spin_unlock(&rq->rq_spin);
	if (td->td_slice < -STUCK_TICKS)
		panic("a thread has kept CPU %u from others for %d s: a loop "
		      "in the kernel?",
		    gd->gd_cpuid, STUCK_TICKS / (int)HZ);
}

/* A wakeup IPI came. Who sent it set RQF_RESCHED beforehand, and the way
 * back from the interrupt, to user mode or to the idle loop, looks there. */
void
sched_ipi(void)
{
	cpu_ccfence();
}

/* Does what interrupts left behind while the running thread was in a
 * critical section; the thread has just left it. */
void
crit_splz(void)
{
	struct thread *td = curthread;
	struct globaldata *gd = mycpu;
	bool again = false;
	uint32_t req;

	do {
		td->td_critcount++;
		cpu_ccfence();
		req = gd->gd_reqflags & ~RQF_RESCHED;
		atomic_clear_uint(&gd->gd_reqflags, req);
		if (req & RQF_TIMER)
			sched_tick(again);
		again = true;
		if (req & RQF_WAKEUP)
			sched_ipi();
		if (req & RQF_UART)
			uart_input();
		if (req & RQF_BLK)
			blk_intr();
		cpu_ccfence();
		td->td_critcount--;
	} while (gd->gd_reqflags & ~RQF_RESCHED);
}

/* Ends the account of a halt; interrupts disabled. */
void
idle_end(void)
{
	struct globaldata *gd = mycpu;

	if (gd->gd_halt_since != 0) {
		gd->gd_idle_ns += nanotime() - gd->gd_halt_since;
		gd->gd_halt_since = 0;
	}
}

/* See kern/thread.h. With interrupts disabled nothing can come between the
 * look and the halt. */
void
idle_loop(void)
{
	struct thread *td = curthread;
	struct globaldata *gd;

	while (td != mycpu->gd_idlethread)
		tsleep(&thread0, 0, "thread0", 0);
	gd = mycpu;
	for (;;) {
		cpu_disable_intr();
		if (gd->gd_reqflags == 0 && gd->gd_runq->rq_count == 0) {
			gd->gd_halt_since = nanotime();
			cpu_idle_halt();
			continue;
		}
		cpu_enable_intr();
		if (gd->gd_reqflags & ~RQF_RESCHED)
			crit_splz();
		sched_switch();
	}
}

/* See kern/thread.h. */
void
thread_setaffinity(struct thread *td, cpumask_t mask)
{
	struct runq *rq;
	bool requeue = false;

	KKASSERT(mask & sched_online);
	if (td == curthread) {
		td->td_affinity = mask;
		if ((mask & CPUMASK(mycpuid)) == 0)
			lwkt_switch();
		return;
	}
	for (;;) {
		rq = &runqs[atomic_load_int(&td->td_cpu)];
		spin_lock(&rq->rq_spin);
		if (rq == &runqs[td->td_cpu])
			break;
		spin_unlock(&rq->rq_spin);
	}
	td->td_affinity = mask;
	if ((mask & CPUMASK(td->td_cpu)) != 0) {
		/* it is where it may be */
	} else if (td->td_state == TDS_RUNNABLE && !td->td_oncpu) {
		runq_remove(rq, td);
		td->td_state = TDS_SLEEPING;
		requeue = true;
	} else if (td->td_state == TDS_RUNNING) {
		sched_kick(td->td_cpu);
	}
	spin_unlock(&rq->rq_spin);
	if (requeue)
		thread_setrunnable(td);
}
