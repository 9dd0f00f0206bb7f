/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Spinlocks. Taking one enters a critical section, so that no interrupt on
 * this CPU can want it meanwhile; each CPU keeps a list of those it holds,
 * for the assertions and for the post-mortem.
 */
#include <kern/thread.h>

#include <amd64/cpufunc.h>
#include <amd64/machdep.h>
#include <kern/panic.h>
#include <san/witness.h>

/* No spinlock is held for a thousandth of this: a longer wait is a deadlock,
 * and said so beats a silent hang. */
#define SPIN_LIMIT_NS 20000000000UL
#define SPIN_LOOK     4096U /* pauses between looks at the clock */

/* Makes a free spinlock; name must stay. */
void
spin_init(struct spinlock *spin, const char *name)
{
	spin->name = name;
	atomic_store_uint(&spin->lock, 0);
}

/* Notes that this CPU holds the lock. In its critical section. */
static void
spin_note(struct globaldata *gd, const struct spinlock *spin)
{
	KASSERT(gd->gd_spinlocks < GD_SPINHELD,
	    ("spinlock %s: this CPU holds %u already", spin->name,
		gd->gd_spinlocks));
	gd->gd_spinheld[gd->gd_spinlocks++] = spin;
	witness_got(WK_SPIN, spin, spin->name, false);
}

/* Waits for the lock, pausing, and takes it; panics when that is hopeless:
 * our own CPU has it, or the wait exceeds every reason. */
static __attribute__((noinline)) void
spin_contested(struct spinlock *spin, uint32_t me)
{
	uint64_t start = 0, now;
	uint32_t word;

	for (uint32_t n = 1;; n++) {
		word = atomic_load_uint(&spin->lock);
		if (word == 0 && atomic_cmpset_uint(&spin->lock, 0, me))
			return;
		KASSERT(word != me,
		    ("spinlock %s: taken twice by CPU %u", spin->name, me - 1));
		cpu_pause();
		if (n % SPIN_LOOK != 0 || panicking)
			continue;
		now = nanotime();
		if (start == 0)
			start = now;
		else if (now - start > SPIN_LIMIT_NS)
			panic("spinlock %s: CPU %u waits for CPU %u",
			    spin->name, me - 1, word - 1);
	}
}

/* Takes the lock and enters a critical section. Never sleeps; must not be
 * held by this CPU. */
void
spin_lock(struct spinlock *spin)
{
	struct globaldata *gd;

	crit_enter();
	witness_want(WK_SPIN, spin, spin->name);
	gd = mycpu;
	SCHED_POINT("spin.lock");
	if (!atomic_cmpset_uint(&spin->lock, 0, gd->gd_cpuid + 1))
		spin_contested(spin, gd->gd_cpuid + 1);
	spin_note(gd, spin);
}

/* Takes the lock if it is free; else false, and no critical section. */
bool
spin_trylock(struct spinlock *spin)
{
	struct globaldata *gd;

	crit_enter();
	gd = mycpu;
	SCHED_POINT("spin.trylock");
	if (!atomic_cmpset_uint(&spin->lock, 0, gd->gd_cpuid + 1)) {
		crit_exit();
		return false;
	}
	spin_note(gd, spin);
	return true;
}

/* Releases a lock that is not the newest of this CPU's. */
static __attribute__((noinline, cold)) void
spin_unlock_older(struct spinlock *spin)
{
	struct globaldata *gd = mycpu;
	uint32_t i;

	KASSERT(spin->lock == gd->gd_cpuid + 1,
	    ("spinlock %s: released by CPU %u, word is %u", spin->name,
		gd->gd_cpuid, spin->lock));
	i = gd->gd_spinlocks;
	while (gd->gd_spinheld[--i] != spin)
		KKASSERT(i > 0);
	gd->gd_spinlocks--;
	for (; i < gd->gd_spinlocks; i++)
		gd->gd_spinheld[i] = gd->gd_spinheld[i + 1];
	witness_gone(WK_SPIN, spin);
	atomic_store_uint(&spin->lock, 0);
	SCHED_POINT("spin.unlocked_older");
	crit_exit();
}

/* Releases a lock that this CPU holds, in any order with others, and leaves
 * its critical section, which may run what interrupts left behind. */
void
spin_unlock(struct spinlock *spin)
{
	struct globaldata *gd = mycpu;
	uint32_t i = gd->gd_spinlocks - 1;

	if (unlikely(
		spin->lock != gd->gd_cpuid + 1 || gd->gd_spinheld[i] != spin)) {
		spin_unlock_older(spin);
		return;
	}
	gd->gd_spinlocks = i;
	witness_gone(WK_SPIN, spin);
	atomic_store_uint(&spin->lock, 0);
	SCHED_POINT("spin.unlocked");
	crit_exit();
}
