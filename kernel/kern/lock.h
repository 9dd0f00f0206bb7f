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
	struct spinlock lk_spin; /* guards the rest */
	union {
		volatile uint64_t lk_word; /* both at once */
		struct {
			volatile int lk_count;	   /* > 0 sharers, < 0
						* exclusive depth */
			volatile uint32_t lk_slow; /* only under lk_spin */
		};
	};
	int lk_exclwait;  /* exclusive and upgrade requests waiting */
	int lk_sharewait; /* shared requests waiting */
	int lk_pass;	  /* waiting sharers that go before them */
	struct thread *volatile lk_owner; /* exclusive holder */
	struct thread *lk_upgrader; /* sharer that waits to be the only one */
	const char *lk_name;	    /* (k) */
};

/* Words of which lk_slow is 0: nobody waits. */
#define LKW_SHARED_MAX 0x7fffffffUL /* at most so many sharers */
#define LKW_EXCLUSIVE  0xffffffffUL /* one exclusive level */

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
int lockmgr_timed(struct lock *lk, int flags, uint64_t timo_ns);
static inline int
lockmgr(struct lock *lk, int flags)
{
	KKASSERT((flags & LK_TIMELOCK) == 0);
	return lockmgr_timed(lk, flags, 0);
}

/* Enters one more level into the running thread's list. */
static inline void
lock_note(struct thread *td, const struct lock *lk)
{
	KASSERT(td->td_nlocks < (int)nitems(td->td_locks),
	    ("lock %s: thread holds %d already", lk->lk_name, td->td_nlocks));
	td->td_locks[td->td_nlocks++] = lk;
	witness_got(WK_LOCK, lk, lk->lk_name, lk->lk_count > 0);
}

/* lockmgr(lk, LK_SHARED). Every fault does this to its map, and the other below,
 * so the case that nobody waits is in line. */
static inline void
lock_share(struct lock *lk)
{
	uint64_t word = lk->lk_word;

	witness_want(WK_LOCK, lk, lk->lk_name);
	SCHED_POINT("lock.share");
	if (likely(word < LKW_SHARED_MAX &&
		atomic_cmpset_ulong(&lk->lk_word, word, word + 1)))
		lock_note(curthread, lk);
	else
		lockmgr(lk, LK_SHARED);
	SCHED_POINT("lock.shared");
}

/* lockmgr(lk, LK_RELEASE) of a shared level. */
static inline void
lock_unshare(struct lock *lk)
{
	struct thread *td = curthread;
	uint64_t word = lk->lk_word;
	int n = td->td_nlocks - 1;

	SCHED_POINT("lock.unshare");
	if (likely(n >= 0 && td->td_locks[n] == lk &&
		word - 1 < LKW_SHARED_MAX &&
		atomic_cmpset_ulong(&lk->lk_word, word, word - 1))) {
		td->td_nlocks = n;
		witness_gone(WK_LOCK, lk);
	} else {
		lockmgr(lk, LK_RELEASE);
	}
	SCHED_POINT("lock.unshared");
}

int lockstatus(struct lock *lk, struct thread *td); /* 0, LK_SHARED,
						      * LK_EXCLUSIVE: td's */
bool lockheld_excl(struct lock *lk);		    /* by the running thread */

#endif
