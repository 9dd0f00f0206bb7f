/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Deadlines of sleeping threads. Each CPU keeps those that were armed on it
 * in the order they expire, and looks at its clock tick: a deadline is kept
 * to a tick (amd64/machdep.h, HZ), never early.
 */
#include <kern/sched.h>

#include <amd64/cpufunc.h>
#include <amd64/machdep.h>

static struct timoq {
	struct spinlock tq_spin;
	struct threadlist tq_list; /* earliest first; equals as they came */
} __cachealigned timoqs[MAXCPU];

/* Boot CPU, before anything can sleep. */
void
timeout_init(void)
{
	for (int i = 0; i < MAXCPU; i++) {
		spin_init(&timoqs[i].tq_spin, "timeouts");
		TAILQ_INIT(&timoqs[i].tq_list);
	}
}

/* Sets the running thread's deadline, in nanotime(), never 0. In a critical
 * section, so that it stays on this CPU; takes a spinlock. */
void
timeout_arm(struct thread *td, uint64_t deadline_ns)
{
	struct timoq *tq = &timoqs[mycpuid];
	struct thread *at;

	td->td_timocpu = mycpuid;
	spin_lock(&tq->tq_spin);
	td->td_wakens = deadline_ns;
	TAILQ_FOREACH_REVERSE (at, &tq->tq_list, threadlist, td_timoq)
		if (at->td_wakens <= deadline_ns)
			break;
	if (at != NULL)
		TAILQ_INSERT_AFTER(&tq->tq_list, at, td, td_timoq);
	else
		TAILQ_INSERT_HEAD(&tq->tq_list, td, td_timoq);
	spin_unlock(&tq->tq_spin);
}

/* Clears the running thread's deadline. When another CPU is just acting on
 * it, waits the moment until that is over. */
void
timeout_disarm(struct thread *td)
{
	struct timoq *tq = &timoqs[td->td_timocpu];

	spin_lock(&tq->tq_spin);
	if (td->td_wakens != 0) {
		TAILQ_REMOVE(&tq->tq_list, td, td_timoq);
		td->td_wakens = 0;
	}
	spin_unlock(&tq->tq_spin);
	while (atomic_load_uint(&td->td_timobusy))
		cpu_pause();
}

/* Wakes the threads of this CPU's queue whose deadline has passed. From the
 * clock tick. The queue's lock comes after a sleep queue's, so it is not
 * held over the wakeup; td_timobusy keeps the thread meanwhile. */
void
timeout_run(void)
{
	struct timoq *tq = &timoqs[mycpuid];
	struct thread *td;
	uint64_t now;

	if (TAILQ_EMPTY(&tq->tq_list))
		return;
	now = nanotime();
	spin_lock(&tq->tq_spin);
	while (
	    (td = TAILQ_FIRST(&tq->tq_list)) != NULL && td->td_wakens <= now) {
		TAILQ_REMOVE(&tq->tq_list, td, td_timoq);
		td->td_wakens = 0;
		td->td_timobusy = 1;
		spin_unlock(&tq->tq_spin);
		sleep_expired(td);
		atomic_store_uint(&td->td_timobusy, 0);
		spin_lock(&tq->tq_spin);
	}
	spin_unlock(&tq->tq_spin);
}
