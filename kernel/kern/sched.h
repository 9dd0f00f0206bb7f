/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of the scheduler share: run queues, timeouts, and the
 * switch beneath lwkt_switch(). Others use kern/thread.h.
 */
#ifndef KERN_SCHED_H
#define KERN_SCHED_H

#include <kern/thread.h>

TAILQ_HEAD(threadlist, thread);

/*
 * One CPU's run queue: a list for each priority, and a bit for each list
 * that has somebody. The running thread is not on a list. Readers may look
 * at rq_bitmap, rq_count and rq_curr without the lock, as a hint.
 */
struct runq {
	struct spinlock rq_spin;	 /* guards the rest */
	struct threadlist rq_list[NPRI]; /* first come, first served */
	volatile uint32_t rq_bitmap;	 /* bit n: rq_list[n] is not empty */
	volatile uint32_t rq_count;	 /* threads on the lists */
	struct thread *volatile rq_curr; /* who has the CPU */
} __cachealigned;

extern volatile cpumask_t sched_online; /* (a) CPUs that take threads */

/*
 * Leaves the CPU to whom the scheduler thinks fit; returns when the running
 * thread is chosen again. In TDS_RUNNING it stays runnable; in TDS_SLEEPING
 * somebody must thread_setrunnable() it. It must hold no token, for nobody
 * gives them up here: that is lwkt_switch().
 */
void sched_switch(void);

/* kern/timeout.c: deadlines of sleeping threads. Disarming waits out an
 * expiry that is under way, so that the thread may go away afterwards. */
void timeout_init(void);
void timeout_arm(struct thread *td, uint64_t deadline_ns);
void timeout_disarm(struct thread *td);
void timeout_run(void); /* this CPU's, from its clock tick */

/* kern/sleep.c: td's deadline has passed. */
void sleep_expired(struct thread *td);
void sleep_init(void);

#endif
