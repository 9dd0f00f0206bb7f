/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Cutting entries in two where a range begins or ends, and joining what need
 * not be apart.
 *
 * The halves of a cut entry share its chain, each with a head of its own,
 * which owns references of its own and has an offset that says where in the
 * objects it begins. Cutting does not touch OBJ_ONEMAPPING: still each page is
 * one entry's.
 */
#include <kern/trace.h>
#include <vm/vm_map.h>

/* Whether the entry stands for an object, so that it can be cut and joined. */
static bool
entry_has_object(vm_map_entry_t entry)
{
	return entry->maptype == VM_MAPTYPE_NORMAL ||
	    entry->maptype == VM_MAPTYPE_VPAGETABLE;
}

/* Whether low and high, which follows it, can be one entry: the same rights
 * on adjacent parts of the same chain. */
static bool
can_simplify(vm_map_entry_t low, vm_map_entry_t high)
{
	vm_ooffset_t size = low->end - low->start;

	if (low->end != high->start || low->maptype != high->maptype ||
	    low->eflags != high->eflags ||
	    low->protection != high->protection ||
	    low->max_protection != high->max_protection ||
	    low->inheritance != high->inheritance || low->id != high->id ||
	    low->wired_count != high->wired_count)
		return false;
	/* LAB 2.2d: which heads show adjacent parts of the same? */
	LAB_TODO(2, 2);
	/* END LAB 2.2d */
	/* Two stacks are one when they may grow to the same address. */
	if ((low->eflags & MAP_ENTRY_STACK) &&
	    low->aux.avail_ssize + (vm_size_t)size != high->aux.avail_ssize)
		return false;
	/* Linear, as before part 6: that two virtual page tables have
	 * different roots is overlooked. */
	return true;
}

/* Frees an entry that has become part of a neighbour, and its references. */
static void
simplify_away(vm_map_t map, vm_map_entry_t entry)
{
	vm_map_entry_unlink(map, entry);
	if (entry->ba.object != NULL)
		vm_object_deallocate(entry->ba.object);
	vm_map_entry_dispose(entry);
	cnt_inc(v_simplify);
}

/*
 * Joins the entry with its neighbours where it can. The entry stays, longer
 * perhaps; the neighbours may be gone. Entries in transition are left alone.
 * Exclusive lock; may sleep.
 */
void
vm_map_simplify_entry(vm_map_t map, vm_map_entry_t entry)
{
	vm_map_entry_t prev, next;

	if ((entry->eflags & MAP_ENTRY_IN_TRANSITION) ||
	    !entry_has_object(entry))
		return;
	prev = vm_map_prev(entry);
	if (prev != NULL && can_simplify(prev, entry)) {
		vm_offset_t start = prev->start;
		vm_ooffset_t offset = prev->ba.offset;
		union vm_map_aux aux = prev->aux;

		simplify_away(map, prev);
		/* Still between the same neighbours: the tree stays in order. */
		entry->start = start;
		entry->ba.offset = offset;
		if (entry->eflags & MAP_ENTRY_STACK)
			entry->aux = aux;
	}
	next = vm_map_next(entry);
	if (next != NULL && can_simplify(entry, next)) {
		vm_offset_t end = next->end;

		simplify_away(map, next);
		entry->end = end;
	}
}

/*
 * An entry about to be cut gets its object now. Each part would get one of
 * its own later, and they could never be joined again.
 */
static void
clip_object(vm_map_t map, vm_map_entry_t entry)
{
	if (entry_has_object(entry) && entry->ba.object == NULL &&
	    !map->system_map)
		vm_map_entry_allocate_object(entry);
}

/* The references of the new half, whose head is the old one's copy. */
static void
clip_reference(vm_map_entry_t entry)
{
	if (entry_has_object(entry))
		vm_map_backing_ref(&entry->ba);
}

/*
 * Sees to it that the entry starts no lower than at: cuts off what is below,
 * as a new entry before it. Exclusive lock; may sleep.
 */
void
vm_map_clip_start(vm_map_t map, vm_map_entry_t entry, vm_offset_t at)
{
	vm_map_entry_t new;

	if (at <= entry->start)
		return;
	KKASSERT(at < entry->end);
	vm_map_simplify_entry(map, entry);
	clip_object(map, entry);
	trace(TR_CLIP, (uintptr_t)map, entry->start, at, 0);
	cnt_inc(v_clip);

	new = vm_map_entry_create();
	*new = *entry;
	new->end = at;
	/* LAB 2.2e: one offset is all that has to move: which one? */
	LAB_TODO(2, 2);
	/* END LAB 2.2e */
	if (entry->eflags & MAP_ENTRY_STACK)
		entry->aux.avail_ssize += at - entry->start;
	entry->start = at;
	vm_map_entry_link(map, new);
	clip_reference(new);
}

/*
 * Sees to it that the entry ends no higher than at: cuts off what is above,
 * as a new entry after it. Exclusive lock; may sleep.
 */
void
vm_map_clip_end(vm_map_t map, vm_map_entry_t entry, vm_offset_t at)
{
	vm_map_entry_t new;

	if (at >= entry->end)
		return;
	KKASSERT(at > entry->start);
	clip_object(map, entry);
	trace(TR_CLIP, (uintptr_t)map, entry->start, at, 0);
	cnt_inc(v_clip);

	new = vm_map_entry_create();
	*new = *entry;
	new->start = at;
	entry->end = at;
	/* LAB 2.2f: as when the start is cut off. */
	LAB_TODO(2, 2);
	/* END LAB 2.2f */
	if (entry->eflags & MAP_ENTRY_STACK)
		new->aux.avail_ssize += at - entry->start;
	vm_map_entry_link(map, new);
	clip_reference(new);
}

/*
 * Cuts entries so that whole ones cover start..end, and marks them
 * IN_TRANSITION: whoever wants to take them away waits, even when the lock
 * is given up for a time. The first of them; NULL when there is a hole, with
 * all marks taken back. Exclusive lock, which is given up while waiting for
 * entries in somebody else's transition.
 */
vm_map_entry_t
vm_map_clip_range(vm_map_t map, vm_offset_t start, vm_offset_t end)
{
	vm_map_entry_t first, entry;
	vm_offset_t at;

	do {
		if (vm_map_covered(map, start, end) != end)
			return NULL;
	} while (vm_map_transition_drain(map, start, end));

	/* The lock stays ours from here on, so there is no hole. */
	vm_map_lookup_entry(map, start, &first);
	vm_map_clip_start(map, first, start);
	entry = first;
	for (at = start; at < end; at = entry->end) {
		if (at != start)
			entry = vm_map_next(entry);
		vm_map_clip_end(map, entry, end);
		entry->eflags |= MAP_ENTRY_IN_TRANSITION;
	}
	return first;
}

/*
 * Ends what vm_map_clip_range began, with the same range and the entry that
 * now starts it: takes the marks away, wakes who waits for that, and joins
 * what can be joined. Exclusive lock; may sleep.
 */
void
vm_map_unclip_range(vm_map_t map, vm_map_entry_t start_entry, vm_offset_t start,
    vm_offset_t end)
{
	vm_map_entry_t entry;
	bool wake = false;

	KASSERT(start_entry->start == start,
	    ("vm_map_unclip_range: not the entry at 0x%lx", start));
	for (entry = start_entry; entry != NULL && entry->start < end;
	     entry = vm_map_next(entry)) {
		KKASSERT(entry->eflags & MAP_ENTRY_IN_TRANSITION);
		KKASSERT(entry->end <= end);
		if (entry->eflags & MAP_ENTRY_NEEDS_WAKEUP)
			wake = true;
		entry->eflags &=
		    ~(MAP_ENTRY_IN_TRANSITION | MAP_ENTRY_NEEDS_WAKEUP);
	}
	if (wake)
		wakeup(map);
	for (entry = start_entry; entry != NULL && entry->start < end;
	     entry = vm_map_next(entry))
		vm_map_simplify_entry(map, entry);
}
