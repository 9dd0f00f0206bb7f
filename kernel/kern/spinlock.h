/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Spinlocks. Taking one enters a critical section, so that no interrupt on
 * this CPU can want it meanwhile; each CPU keeps a list of those it holds,
 * for the assertions and for the post-mortem.
 *
 * A fault takes and releases ten of them, so the case that nobody else has the
 * lock is here, in line; the others are in spinlock.c.
 */
#ifndef KERN_SPINLOCK_H
#define KERN_SPINLOCK_H

#include <kern/thread.h>
#include <san/witness.h>

void spin_init(struct spinlock *spin, const char *name);
void spin_contested(struct spinlock *spin, uint32_t me) __keeps_regs;
void spin_unlock_older(struct spinlock *spin) __keeps_regs;
void spin_too_many(const struct spinlock *spin) __noreturn;

/* Notes that this CPU holds the lock. In its critical section. */
static inline void
spin_note(const struct spinlock *spin)
{
	uint64_t i = mycpu_read(gd_spinlocks) + 1;

	if (unlikely(i > GD_SPINHELD))
		spin_too_many(spin);
	__asm__ __volatile__("movq %0, %%gs:%c2(,%1,8)"
			     :
			     : "r"(spin), "r"(i), mycpu_at_(gd_spinheld)
			     : "memory");
	mycpu_write(gd_spinlocks, i);
	witness_got(WK_SPIN, spin, spin->name, false);
}

/* Takes the lock off the list if it is the newest; else false. */
static inline bool
spin_forget(const struct spinlock *spin)
{
	bool newest;

	__asm__ __volatile__(
	    "cmpq %1, %%gs:%c3(,%2,8)"
	    : "=@ccz"(newest)
	    : "r"(spin), "r"(mycpu_read(gd_spinlocks)), mycpu_at_(gd_spinheld)
	    : "memory");
	if (likely(newest))
		mycpu_dec(gd_spinlocks);
	return newest;
}

/* Takes the lock and enters a critical section. Never sleeps; must not be
 * held by this CPU. */
static inline void
spin_lock(struct spinlock *spin)
{
	uint32_t me;

	crit_enter();
	witness_want(WK_SPIN, spin, spin->name);
	me = mycpu_read(gd_spinword);
	SCHED_POINT("spin.lock");
	if (unlikely(!atomic_cmpset_uint(&spin->lock, 0, me)))
		call_keeping_regs(spin_contested, spin, me);
	spin_note(spin);
}

/* Takes the lock if it is free; else false, and no critical section. */
static inline bool
spin_trylock(struct spinlock *spin)
{
	uint32_t me;

	crit_enter();
	me = mycpu_read(gd_spinword);
	SCHED_POINT("spin.trylock");
	if (unlikely(!atomic_cmpset_uint(&spin->lock, 0, me))) {
		crit_exit();
		return false;
	}
	spin_note(spin);
	return true;
}

/* Releases a lock that this CPU holds, in any order with others, and leaves
 * its critical section, which may run what interrupts left behind. */
static inline void
spin_unlock(struct spinlock *spin)
{
	struct thread *td = curthread;

	if (unlikely(!spin_forget(spin))) {
		call_keeping_regs(spin_unlock_older, spin, 0);
		return;
	}
	witness_gone(WK_SPIN, spin);
	atomic_store_uint(&spin->lock, 0);
	SCHED_POINT("spin.unlocked");
	/* crit_exit(), of a section that there is: spin_lock() entered it. */
	if (crit_leave(td) && unlikely(mycpu_asked(~RQF_RESCHED)))
		call_keeping_regs(crit_splz, 0, 0);
}

#endif
