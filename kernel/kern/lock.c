/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sleepable shared/exclusive locks.
 *
 * Who waits sleeps on the lock and looks again when it is woken. A waiting
 * exclusive request holds back new sharers, and when an exclusive holder
 * leaves, the sharers that waited then go before the next exclusive one
 * (lk_pass): neither kind can starve the other.
 *
 * As long as nobody waits the count is changed by a compare-and-set alone. Who
 * has to look at more than the count sets lk_slow, the other half of its word:
 * then all compare-and-sets fail, and everybody comes by lk_spin, until nobody
 * waits any more.
 *
 * A thread's list td_locks has one element for each level it holds, the
 * newest last; it answers whether a thread shares a lock, which the lock
 * itself does not know.
 */
#include <kern/lock.h>

#include <linux/errno.h>

#include <amd64/machdep.h>
#include <san/witness.h>

/* Makes a free lock; name must stay. */
void
lockinit(struct lock *lk, const char *name)
{
	spin_init(&lk->lk_spin, LOCK_SPIN_NAME);
	lk->lk_word = 0;
	lk->lk_exclwait = 0;
	lk->lk_sharewait = 0;
	lk->lk_pass = 0;
	lk->lk_owner = NULL;
	lk->lk_upgrader = NULL;
	lk->lk_name = name;
}

/* Asserts that nobody holds the lock or waits for it. */
void
lockuninit(struct lock *lk)
{
	KASSERT(
	    lk->lk_count == 0 && lk->lk_exclwait == 0 && lk->lk_sharewait == 0,
	    ("lock %s: destroyed in use, count %d", lk->lk_name, lk->lk_count));
}

/* Takes the newest level of this lock out of the list; panics when there is
 * none. */
static inline void
lock_forget(struct thread *td, const struct lock *lk)
{
	int i = td->td_nlocks - 1;

	while (i >= 0 && td->td_locks[i] != lk)
		i--;
	KASSERT(i >= 0, ("lock %s: released, not held", lk->lk_name));
	td->td_nlocks--;
	for (; i < td->td_nlocks; i++)
		td->td_locks[i] = td->td_locks[i + 1];
	witness_gone(WK_LOCK, lk);
}

/* How many levels of the lock the thread's list has. The thread itself, or
 * a stopped one. */
static int
lock_listed(const struct thread *td, const struct lock *lk)
{
	int n = 0;

	for (int i = 0; i < td->td_nlocks; i++)
		n += td->td_locks[i] == lk;
	return n;
}

/* Wakes those that may have it now, if anybody waits. lk_spin held. */
static void
lock_wake(struct lock *lk)
{
	if (lk->lk_exclwait != 0 || lk->lk_sharewait != 0)
		wakeup(lk);
}

/*
 * One wait on the lock; lk_spin held, and dropped meanwhile. EBUSY at once
 * with LK_NOWAIT, EWOULDBLOCK past the deadline (0: none), else 0: look
 * again.
 */
static int
lock_wait(struct lock *lk, int flags, uint64_t deadline)
{
	uint64_t now = 0;

	if (flags & LK_NOWAIT)
		return EBUSY;
	if (deadline != 0) {
		now = nanotime();
		if (now >= deadline)
			return EWOULDBLOCK;
	}
	ssleep(lk, &lk->lk_spin, 0, lk->lk_name,
	    deadline != 0 ? deadline - now : 0);
	return 0;
}

/* Takes a shared level; lk_spin held. An exclusive owner gets one more
 * exclusive level instead. */
static int
lock_shared(struct lock *lk, struct thread *td, int flags, uint64_t deadline)
{
	bool again = lock_listed(td, lk) != 0;
	int error = 0;

	if (lk->lk_owner == td) {
		lk->lk_count--;
		return 0;
	}
	if (again || (lk->lk_count >= 0 && lk->lk_exclwait == 0)) {
		lk->lk_count++;
		return 0;
	}
	lk->lk_sharewait++;
	while (lk->lk_count < 0 || (lk->lk_exclwait != 0 && lk->lk_pass == 0)) {
		error = lock_wait(lk, flags, deadline);
		if (error != 0)
			break;
	}
	lk->lk_sharewait--;
	if (error == 0) {
		lk->lk_count++;
		if (lk->lk_pass > 0)
			lk->lk_pass--;
	} else if (lk->lk_pass > lk->lk_sharewait) {
		/* Nobody is left to use our passage: let exclusives go. */
		lk->lk_pass = lk->lk_sharewait;
		lock_wake(lk);
	}
	return error;
}

/* Takes an exclusive level; lk_spin held. */
static int
lock_exclusive(struct lock *lk, struct thread *td, int flags, uint64_t deadline)
{
	int error = 0;

	if (lk->lk_owner == td) {
		lk->lk_count--;
		return 0;
	}
	KASSERT(lock_listed(td, lk) == 0,
	    ("lock %s: wanted exclusively, held shared", lk->lk_name));
	lk->lk_exclwait++;
	while (lk->lk_count != 0 || lk->lk_pass != 0) {
		error = lock_wait(lk, flags, deadline);
		if (error != 0)
			break;
	}
	lk->lk_exclwait--;
	if (error == 0) {
		lk->lk_count = -1;
		lk->lk_owner = td;
	} else if (lk->lk_exclwait == 0) {
		lock_wake(lk); /* sharers that stood back for us */
	}
	return error;
}

/* Gives one level up; lk_spin held. */
static void
lock_release(struct lock *lk, struct thread *td)
{
	if (lk->lk_count < 0) {
		KASSERT(lk->lk_owner == td,
		    ("lock %s: released by %s, held by %s", lk->lk_name,
			td->td_name, lk->lk_owner->td_name));
		if (++lk->lk_count < 0)
			return;
		lk->lk_owner = NULL;
		lk->lk_pass = lk->lk_sharewait;
		lock_wake(lk);
	} else {
		lk->lk_count--;
		if (lk->lk_count == 0 || lk->lk_upgrader != NULL)
			lock_wake(lk);
	}
}

/* Turns the thread's only shared level into an exclusive one. On failure
 * the level is gone. lk_spin held. */
static int
lock_upgrade(struct lock *lk, struct thread *td, int flags, uint64_t deadline)
{
	int error = 0;

	if (lk->lk_owner == td)
		return 0;
	KASSERT(lock_listed(td, lk) == 1,
	    ("lock %s: upgraded with %d levels", lk->lk_name,
		lock_listed(td, lk)));
	if (lk->lk_upgrader != NULL) {
		lock_release(lk, td);
		lock_forget(td, lk);
		return EBUSY;
	}
	lk->lk_upgrader = td;
	lk->lk_exclwait++;
	while (lk->lk_count != 1 || lk->lk_pass != 0) {
		error = lock_wait(lk, flags, deadline);
		if (error != 0)
			break;
	}
	lk->lk_exclwait--;
	lk->lk_upgrader = NULL;
	if (error == 0) {
		lk->lk_count = -1;
		lk->lk_owner = td;
		return 0;
	}
	lock_release(lk, td);
	lock_forget(td, lk);
	if (lk->lk_exclwait == 0)
		lock_wake(lk);
	return error;
}

/* Turns an exclusive level, which must be the only one, into a shared one;
 * lk_spin held. */
static void
lock_downgrade(struct lock *lk, struct thread *td)
{
	KASSERT(lk->lk_owner == td && lk->lk_count == -1,
	    ("lock %s: downgraded at count %d", lk->lk_name, lk->lk_count));
	lk->lk_owner = NULL;
	lk->lk_count = 1;
	lk->lk_pass = lk->lk_sharewait;
	lock_wake(lk);
}

/* Tells the witness that the lock may be waited for, without a limit. */
static inline void
lock_witness(struct lock *lk, int type)
{
	if (type == LK_SHARED || type == LK_EXCLUSIVE || type == LK_UPGRADE)
		witness_want(WK_LOCK, lk, lk->lk_name);
}

/* Takes the first level or one more shared one, or gives such a level up,
 * without lk_spin; false when it takes more than that. */
static bool
lock_fast(struct lock *lk, struct thread *td, int type)
{
	uint64_t word = lk->lk_word;

	switch (type) {
	case LK_SHARED:
		if (word >= LKW_SHARED_MAX ||
		    !atomic_cmpset_ulong(&lk->lk_word, word, word + 1))
			return false;
		lock_note(td, lk);
		return true;
	case LK_EXCLUSIVE:
		if (!atomic_cmpset_ulong(&lk->lk_word, 0, LKW_EXCLUSIVE))
			return false;
		lk->lk_owner = td;
		lock_note(td, lk);
		return true;
	case LK_RELEASE:
		if (word == LKW_EXCLUSIVE && lk->lk_owner == td) {
			lk->lk_owner = NULL;
			if (!atomic_cmpset_ulong(&lk->lk_word, word, 0)) {
				lk->lk_owner = td;
				return false;
			}
		} else if (word - 1 >= LKW_SHARED_MAX ||
		    !atomic_cmpset_ulong(&lk->lk_word, word, word - 1)) {
			return false;
		}
		lock_forget(td, lk);
		return true;
	default:
		return false;
	}
}

/* The same, and all else, under lk_spin; as lockmgr_timed(). */
static __noinline int
lock_slow(struct lock *lk, struct thread *td, int flags, uint64_t timo_ns)
{
	uint64_t deadline = 0;
	int error = 0;

	if (flags & LK_TIMELOCK)
		deadline = nanotime() + timo_ns;
	spin_lock(&lk->lk_spin);
	atomic_swap_uint(&lk->lk_slow, 1); /* now the count is ours */
	switch (flags & LK_TYPEMASK) {
	case LK_SHARED:
		error = lock_shared(lk, td, flags, deadline);
		if (error == 0)
			lock_note(td, lk);
		break;
	case LK_EXCLUSIVE:
		error = lock_exclusive(lk, td, flags, deadline);
		if (error == 0)
			lock_note(td, lk);
		break;
	case LK_UPGRADE:
		error = lock_upgrade(lk, td, flags, deadline);
		break;
	case LK_DOWNGRADE:
		lock_downgrade(lk, td);
		break;
	case LK_RELEASE:
		lock_forget(td, lk);
		lock_release(lk, td);
		break;
	default:
		panic("lock %s: flags %x", lk->lk_name, flags);
	}
	if (lk->lk_exclwait == 0 && lk->lk_sharewait == 0)
		atomic_store_uint(&lk->lk_slow, 0);
	spin_unlock(&lk->lk_spin);
	return error;
}

/* See kern/lock.h. Sleeps unless LK_NOWAIT or LK_RELEASE; then no spinlock
 * may be held. timo_ns counts with LK_TIMELOCK. */
int
lockmgr_timed(struct lock *lk, int flags, uint64_t timo_ns)
{
	struct thread *td = curthread;
	int error = 0;

	if ((flags & (LK_NOWAIT | LK_TIMELOCK)) == 0)
		lock_witness(lk, flags & LK_TYPEMASK);
	SCHED_POINT("lock.request");
	if (!lock_fast(lk, td, flags & LK_TYPEMASK))
		error = lock_slow(lk, td, flags, timo_ns);
	SCHED_POINT("lock.done");
	return error;
}

/* How td holds the lock: 0, LK_SHARED or LK_EXCLUSIVE. Certain when td is
 * the running thread. */
int
lockstatus(struct lock *lk, struct thread *td)
{
	if (lk->lk_owner == td && td != NULL)
		return LK_EXCLUSIVE;
	return lock_listed(td, lk) ? LK_SHARED : 0;
}

/* Whether the running thread holds the lock exclusively. */
bool
lockheld_excl(struct lock *lk)
{
	return lk->lk_owner == curthread;
}
