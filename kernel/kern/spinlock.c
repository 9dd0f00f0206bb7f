/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Spinlocks, as far as they are not in line: waiting, and what is rare.
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

/* This CPU holds more spinlocks than any code should. */
void
spin_too_many(const struct spinlock *spin)
{
	panic("spinlock %s: this CPU holds %lu already", spin->name,
	    mycpu->gd_spinlocks);
}

/* Waits for the lock, pausing, and takes it; panics when that is hopeless:
 * our own CPU has it, or the wait exceeds every reason. */
void
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

/* Releases a lock that is not the newest of this CPU's. */
void
spin_unlock_older(struct spinlock *spin)
{
	struct globaldata *gd = mycpu;
	uint32_t i;

	KASSERT(spin->lock == gd->gd_cpuid + 1,
	    ("spinlock %s: released by CPU %u, word is %u", spin->name,
		gd->gd_cpuid, spin->lock));
	for (i = gd->gd_spinlocks; gd->gd_spinheld[i] != spin; i--)
		KKASSERT(i > 0);
	for (; i < gd->gd_spinlocks; i++)
		gd->gd_spinheld[i] = gd->gd_spinheld[i + 1];
	gd->gd_spinlocks--;
	witness_gone(WK_SPIN, spin);
	atomic_store_uint(&spin->lock, 0);
	SCHED_POINT("spin.unlocked_older");
	crit_exit();
}
