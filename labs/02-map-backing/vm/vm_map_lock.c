/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The map's lock, entries in transition, and interlocks over ranges.
 */
#include <san/witness.h>
#include <vm/vm_map.h>

#define ILOCK_WAITING 0x0001

/* Takes the map's lock exclusively. May sleep. */
void
vm_map_lock_(vm_map_t map)
{
	SCHED_POINT("vm.map_lock");
	lockmgr(&map->lock, LK_EXCLUSIVE);
}

/* Takes the map's lock shared. May sleep. */
void
vm_map_lock_read(vm_map_t map)
{
	SCHED_POINT("vm.map_lock_read");
	lock_share(&map->lock);
}

/* Gives up an exclusive lock. */
void
vm_map_unlock(vm_map_t map)
{
	lockmgr(&map->lock, LK_RELEASE);
	SCHED_POINT("vm.map_unlocked");
}

/* Gives up a shared lock. */
void
vm_map_unlock_read(vm_map_t map)
{
	lock_unshare(&map->lock);
	SCHED_POINT("vm.map_unlocked_read");
}

/*
 * Makes a shared lock exclusive. 0: done, and nobody else had it in between.
 * Otherwise the lock is lost and all that was learnt under it too.
 */
int
vm_map_lock_upgrade(vm_map_t map)
{
	SCHED_POINT("vm.map_upgrade");
	return lockmgr(&map->lock, LK_UPGRADE);
}

/* Makes an exclusive lock shared, without letting a writer in between. */
void
vm_map_lock_downgrade(vm_map_t map)
{
	lockmgr(&map->lock, LK_DOWNGRADE);
}

/*
 * Sleeps until somebody ends a transition in this map. The lock, exclusive,
 * is given up meanwhile and held again on return; the caller has marked the
 * entry it waits for MAP_ENTRY_NEEDS_WAKEUP.
 */
void
vm_map_transition_wait(vm_map_t map)
{
	tsleep_interlock(map, 0);
	vm_map_unlock(map);
	SCHED_POINT("vm.map_transition");
	tsleep(map, PINTERLOCKED, "vment", 0);
	vm_map_lock(map);
}

/*
 * Sees to it that no entry of start..end is in transition. True when it had
 * to sleep for that: the map may then be another. Exclusive lock.
 */
bool
vm_map_transition_drain(vm_map_t map, vm_offset_t start, vm_offset_t end)
{
	vm_map_entry_t entry;
	bool slept = false;

	entry = vm_map_entry_from(map, start);
	while (entry != NULL && entry->start < end) {
		if ((entry->eflags & MAP_ENTRY_IN_TRANSITION) == 0) {
			entry = vm_map_next(entry);
			continue;
		}
		entry->eflags |= MAP_ENTRY_NEEDS_WAKEUP;
		vm_map_transition_wait(map);
		slept = true;
		entry = vm_map_entry_from(map, start);
	}
	return slept;
}

/*
 * Keeps other holders of an interlock out of ran_beg..ran_end until
 * vm_map_deinterlock. il is the caller's, usually on its stack. Sleeps while
 * the range overlaps another's; tokens are lost then. The map is locked
 * shared at least, or else cannot go away.
 */
void
vm_map_interlock(vm_map_t map, struct vm_map_ilock *il, vm_offset_t ran_beg,
    vm_offset_t ran_end)
{
	struct vm_map_ilock *scan;

	il->ran_beg = ran_beg;
	il->ran_end = ran_end;
	il->flags = 0;

	SCHED_POINT("vm.map_interlock");
	witness_want(WK_RANGE, il, "map range");
	spin_lock(&map->ilock_spin);
	scan = map->ilock_base;
	while (scan != NULL) {
		if (ran_end > scan->ran_beg && ran_beg < scan->ran_end) {
			scan->flags |= ILOCK_WAITING;
			ssleep(scan, &map->ilock_spin, 0, "ilock", 0);
			scan = map->ilock_base;
		} else {
			scan = scan->next;
		}
	}
	il->next = map->ilock_base;
	map->ilock_base = il;
	spin_unlock(&map->ilock_spin);
	witness_got(WK_RANGE, il, "map range", false);
}

/* Ends an interlock and lets those in who wait for it. Never sleeps. */
void
vm_map_deinterlock(vm_map_t map, struct vm_map_ilock *il)
{
	struct vm_map_ilock **scanp;
	int flags;

	witness_gone(WK_RANGE, il);
	spin_lock(&map->ilock_spin);
	for (scanp = &map->ilock_base; *scanp != il; scanp = &(*scanp)->next)
		KASSERT(*scanp != NULL, ("vm_map_deinterlock: no such ilock"));
	*scanp = il->next;
	flags = il->flags;
	spin_unlock(&map->ilock_spin);
	SCHED_POINT("vm.map_deinterlocked");
	if (flags & ILOCK_WAITING)
		wakeup(il);
}
