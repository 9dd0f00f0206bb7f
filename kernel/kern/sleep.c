/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sleep and wakeup. A thread that will sleep on an address joins the list
 * of the address's bucket first (it is armed: from here on no wakeup is
 * lost), and goes to sleep when it is still there. Whoever takes it off the
 * list, under the bucket's spinlock, is the one who wakes it: a wakeup, a
 * signal, its deadline, or the thread itself.
 */
#include <kern/sched.h>

#include <linux/errno.h>

#include <amd64/frame.h>
#include <amd64/machdep.h>
#include <kern/proc.h>
#include <san/witness.h>

#define SLP_BUCKETS 128

static struct slpq {
	struct spinlock sq_spin;
	struct threadlist sq_list; /* all idents that hash here; FIFO */
} __cachealigned slpqs[SLP_BUCKETS];

/* Boot CPU, before anything can sleep. */
void
sleep_init(void)
{
	for (int i = 0; i < SLP_BUCKETS; i++) {
		spin_init(&slpqs[i].sq_spin, "sleepq");
		TAILQ_INIT(&slpqs[i].sq_list);
	}
}

static struct slpq *
slpq_of(const void *ident)
{
	uintptr_t a = (uintptr_t)ident;

	return &slpqs[(a >> 3 ^ a >> 10 ^ a >> 17) % SLP_BUCKETS];
}

/* Locks the bucket of what the thread is queued on and returns it; NULL,
 * nothing locked, when it is not queued. */
static struct slpq *
slpq_lock_of(struct thread *td)
{
	struct slpq *sq;
	const void *ident;

	for (;;) {
		ident = __atomic_load_n(&td->td_wchan, __ATOMIC_ACQUIRE);
		if (ident == NULL)
			return NULL;
		sq = slpq_of(ident);
		spin_lock(&sq->sq_spin);
		if (td->td_wchan == ident)
			return sq;
		spin_unlock(&sq->sq_spin);
	}
}

/* Takes a thread off its bucket, which is locked, and when it sleeps makes
 * it runnable, with the result of its tsleep(). */
static void
slpq_remove(struct slpq *sq, struct thread *td, int result)
{
	bool asleep = td->td_asleep;

	TAILQ_REMOVE(&sq->sq_list, td, td_sleepq);
	td->td_wakeres = result;
	td->td_asleep = false;
	/* A thread that was only armed may go to sleep elsewhere from here
	 * on, under another bucket's lock. */
	__atomic_store_n(&td->td_wchan, NULL, __ATOMIC_RELEASE);
	if (asleep) {
		atomic_clear_uint(&td->td_flags, TDF_SLEEPINTR);
		thread_setrunnable(td);
	}
}

/* Arms the running thread: see kern/thread.h. Replaces an earlier arming.
 * Never sleeps; may be called with a spinlock held. */
void
tsleep_interlock(const void *ident, int flags)
{
	struct thread *td = curthread;
	struct slpq *sq = slpq_of(ident);

	KKASSERT(ident != NULL && (flags & ~(PCATCH | PINTERLOCKED)) == 0);
	tsleep_remove(td);
	SCHED_POINT("sleep.arm");
	spin_lock(&sq->sq_spin);
	td->td_wchan = ident;
	td->td_wakeres = 0;
	TAILQ_INSERT_TAIL(&sq->sq_list, td, td_sleepq);
	spin_unlock(&sq->sq_spin);
	SCHED_POINT("sleep.armed");
}

/* Disarms the running thread, if it is armed. */
void
tsleep_remove(struct thread *td)
{
	struct slpq *sq = slpq_lock_of(td);

	KKASSERT(td == curthread);
	if (sq == NULL)
		return;
	slpq_remove(sq, td, 0);
	spin_unlock(&sq->sq_spin);
}

/*
 * Sleeps until wakeup(ident), at most timo_ns (0: without end), with PCATCH
 * until a signal waits. The thread has none of its tokens meanwhile and all
 * of them on return. Must not hold a spinlock. 0, EWOULDBLOCK or EINTR.
 */
int
tsleep(const void *ident, int flags, const char *wmesg, uint64_t timo_ns)
{
	struct thread *td = curthread;
	struct slpq *sq;

	if (unlikely(mycpu->gd_spinlocks != 0))
		panic("sleeping on %s with spinlock %s held", wmesg,
		    mycpu->gd_spinheld[mycpu->gd_spinlocks]->name);
	witness_may_sleep(wmesg);
	KASSERT(td != mycpu->gd_idlethread,
	    ("the idle thread sleeps on %s", wmesg));
	if ((flags & PINTERLOCKED) == 0)
		tsleep_interlock(ident, flags);
	SCHED_POINT("sleep.sleep");
	crit_enter();
	sq = slpq_of(ident);
	spin_lock(&sq->sq_spin);
	if (td->td_wchan != ident) {
		/* Woken since it was armed. */
		KASSERT(td->td_wchan == NULL,
		    ("armed for another ident than slept on: %s", wmesg));
		spin_unlock(&sq->sq_spin);
		crit_exit();
		return td->td_wakeres;
	}
	td->td_wmesg = wmesg;
	td->td_asleep = true;
	td->td_state = TDS_SLEEPING;
	if (flags & PCATCH)
		atomic_set_uint(&td->td_flags, TDF_SLEEPINTR);
	if (timo_ns != 0)
		timeout_arm(td, nanotime() + timo_ns);
	spin_unlock(&sq->sq_spin);

	/* A signal that came before TDF_SLEEPINTR was seen is found here, a
	 * later one interrupts us. */
	if ((flags & PCATCH) && td->td_proc != NULL && signal_pending(td))
		thread_interrupt(td);
	SCHED_POINT("sleep.switch");
	lwkt_switch();
	crit_exit();
	if (timo_ns != 0)
		timeout_disarm(td);
	td->td_wmesg = NULL;
	return td->td_wakeres;
}

/* tsleep() with a spinlock as the interlock: released once the thread is
 * armed, and held again on return. The only one held. */
int
ssleep(const void *ident, struct spinlock *spin, int flags, const char *wmesg,
    uint64_t timo_ns)
{
	int error;

	tsleep_interlock(ident, flags);
	spin_unlock(spin);
	error = tsleep(ident, flags | PINTERLOCKED, wmesg, timo_ns);
	spin_lock(spin);
	return error;
}

/* Wakes, in the order they came, all threads on ident or only the first. */
static void
wakeup_max(const void *ident, bool all)
{
	struct slpq *sq = slpq_of(ident);
	struct thread *td, *next;

	SCHED_POINT("sleep.wakeup");
	spin_lock(&sq->sq_spin);
	TAILQ_FOREACH_SAFE (td, &sq->sq_list, td_sleepq, next) {
		if (td->td_wchan != ident)
			continue;
		slpq_remove(sq, td, 0);
		if (!all)
			break;
	}
	spin_unlock(&sq->sq_spin);
}

/* Wakes every thread that sleeps on ident or is armed for it. Any context,
 * but not under a sleep queue's or run queue's lock. */
void
wakeup(const void *ident)
{
	wakeup_max(ident, true);
}

/* Wakes the one that came first. */
void
wakeup_one(const void *ident)
{
	wakeup_max(ident, false);
}

/* Ends the thread's sleep with EINTR if it is one with PCATCH. When it runs
 * in user mode on another CPU, makes it come into the kernel to look at its
 * flags. The caller sees to it that the thread does not go away. */
void
thread_interrupt(struct thread *td)
{
	struct slpq *sq = slpq_lock_of(td);
	uint32_t cpu;

	if (sq != NULL) {
		if (td->td_asleep && (td->td_flags & TDF_SLEEPINTR))
			slpq_remove(sq, td, EINTR);
		spin_unlock(&sq->sq_spin);
		return;
	}
	cpu = td->td_cpu;
	if (td != curthread && td->td_oncpu && cpu != mycpuid)
		ipi_send(cpu, VEC_WAKEUP);
}

/* The thread's deadline has passed; it stays alive while we look. */
void
sleep_expired(struct thread *td)
{
	struct slpq *sq = slpq_lock_of(td);

	if (sq == NULL)
		return;
	if (td->td_asleep)
		slpq_remove(sq, td, EWOULDBLOCK);
	spin_unlock(&sq->sq_spin);
}
