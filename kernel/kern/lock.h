/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sleepable shared/exclusive locks, held across sleep (DragonFly's
 * lockmgr). Exclusive is recursive, and a shared request by the exclusive
 * owner is one more exclusive level. An exclusive request already waiting
 * holds back new sharers, except a thread that shares the lock already.
 */
#ifndef KERN_LOCK_H
#define KERN_LOCK_H

#include <kern/thread.h>

struct lock {
	struct spinlock lk_spin;    /* guards the rest */
	int lk_count;		    /* > 0 sharers, < 0 exclusive depth */
	int lk_exclwait;	    /* exclusive and upgrade requests waiting */
	int lk_sharewait;	    /* shared requests waiting */
	int lk_pass;		    /* waiting sharers that go before them */
	struct thread *lk_owner;    /* exclusive holder */
	struct thread *lk_upgrader; /* sharer that waits to be the only one */
	const char *lk_name;	    /* (k) */
};

/* The spinlocks of all of them are of one class. */
#define LOCK_SPIN_NAME "lock"
#define LOCK_INITIALIZER(n)                                                   \
	{                                                                     \
		.lk_spin = SPINLOCK_INITIALIZER(LOCK_SPIN_NAME), .lk_name = n \
	}

#define LK_SHARED     0x0001
#define LK_EXCLUSIVE  0x0002
#define LK_RELEASE    0x0003
#define LK_UPGRADE    0x0004 /* may lose the lock: see below */
#define LK_DOWNGRADE  0x0005
#define LK_TYPEMASK   0x000f
#define LK_NOWAIT     0x0010 /* EBUSY instead of sleeping */
#define LK_TIMELOCK   0x0020 /* lockmgr_timed: EWOULDBLOCK after timo_ns */
#define LK_CANRECURSE 0x0040 /* said by callers that mean to; always legal */

void lockinit(struct lock *lk, const char *name);
void lockuninit(struct lock *lk);
/*
 * 0, EBUSY (LK_NOWAIT), EWOULDBLOCK (LK_TIMELOCK). LK_UPGRADE, of the
 * thread's one shared level: 0 when it became exclusive without being
 * released in between; on every error (EBUSY also when another upgrade was
 * first) the shared level has been RELEASED.
 */
int lockmgr(struct lock *lk, int flags);
int lockmgr_timed(struct lock *lk, int flags, uint64_t timo_ns);
int lockstatus(struct lock *lk, struct thread *td); /* 0, LK_SHARED,
						      * LK_EXCLUSIVE: td's */
bool lockheld_excl(struct lock *lk);		    /* by the running thread */

#endif
