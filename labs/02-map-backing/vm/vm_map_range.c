/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Changing rights and inheritance of ranges, and taking ranges out.
 */
#include <kern/trace.h>
#include <vm/vm_map.h>

/* Brings a range within the map's bounds. */
static void
range_check(vm_map_t map, vm_offset_t *start, vm_offset_t *end)
{
	*start = MAX(*start, map->min_addr);
	*end = MIN(*end, map->max_addr);
	*start = MIN(*start, *end);
}

/*
 * Where the first hole at or above start begins; end, if there is none below
 * end. Lock held.
 */
vm_offset_t
vm_map_covered(vm_map_t map, vm_offset_t start, vm_offset_t end)
{
	vm_map_entry_t entry;

	if (!vm_map_lookup_entry(map, start, &entry))
		return start;
	while (start < end && entry != NULL && entry->start <= start) {
		start = entry->end;
		entry = vm_map_next(entry);
	}
	return MIN(start, end);
}

/*
 * How far from start the range is mapped and may have these rights, and why
 * no further: KERN_SUCCESS when it is end. Exclusive lock.
 */
static int
protect_reach(vm_map_t map, vm_offset_t start, vm_offset_t end, vm_prot_t prot,
    vm_offset_t *reach)
{
	vm_map_entry_t entry;

	*reach = start;
	entry = vm_map_entry_from(map, start);
	while (*reach < end) {
		if (entry == NULL || entry->start > *reach)
			return KERN_INVALID_ADDRESS;
		if (entry->maptype == VM_MAPTYPE_SUBMAP)
			return KERN_INVALID_ARGUMENT;
		if ((prot & entry->max_protection) != prot)
			return KERN_PROTECTION_FAILURE;
		*reach = entry->end;
		entry = vm_map_next(entry);
	}
	*reach = end;
	return KERN_SUCCESS;
}

/*
 * Brings the page table down to the entry's new rights; faults do the rest.
 * Writing stays forbidden where it has to begin with a copy.
 */
static void
protect_pmap(vm_map_t map, vm_map_entry_t entry, vm_prot_t old_prot)
{
	vm_prot_t prot = VM_PROT_HW(entry->protection);

	if (entry->eflags & MAP_ENTRY_COW)
		prot &= ~VM_PROT_WRITE;
	if (VM_PROT_HW(old_prot) & ~entry->protection & VM_PROT_EXECUTE)
		pmap_remove(map->pmap, entry->start, entry->end);
	else
		pmap_protect(map->pmap, entry->start, entry->end, prot);
}

/*
 * Sets the rights of start..end; with set_max also the most that may ever be
 * granted. As Linux's mprotect does, it changes what comes before the first
 * entry that does not allow it and before the first hole, and then tells
 * which it was: KERN_PROTECTION_FAILURE, KERN_INVALID_ADDRESS. Wired memory
 * is unwired before and wired again afterwards, with the new rights, since a
 * wired page must be the one that a write would end in. Takes the lock; may
 * sleep.
 */
int
vm_map_protect(vm_map_t map, vm_offset_t start, vm_offset_t end,
    vm_prot_t new_prot, bool set_max)
{
	vm_map_entry_t entry;
	vm_offset_t reach;
	vm_prot_t old_prot;
	bool rewire = false;
	int rv;

	vm_map_lock(map);
	do {
		rv = protect_reach(map, start, end, new_prot, &reach);
	} while (vm_map_transition_drain(map, start, reach));
	if (reach == start)
		goto done;

	vm_map_lookup_entry(map, start, &entry);
	vm_map_clip_start(map, entry, start);
	for (; entry != NULL && entry->start < reach;
	     entry = vm_map_next(entry)) {
		vm_map_clip_end(map, entry, reach);
		old_prot = entry->protection;
		if (set_max) {
			entry->max_protection = new_prot;
			entry->protection = new_prot & old_prot;
		} else {
			entry->protection = new_prot;
		}
		if (entry->protection != old_prot) {
			if (entry->eflags & MAP_ENTRY_USER_WIRED) {
				vm_map_entry_suspend(map, entry);
				rewire = true;
			}
			protect_pmap(map, entry, old_prot);
		}
		vm_map_simplify_entry(map, entry);
	}
done:
	vm_map_unlock(map);
	if (rewire)
		vm_map_rewire(map, start, reach);
	return rv;
}

/*
 * Unmaps an entry's pages and, where they can be nobody else's, frees them
 * now: an object that was cut in pieces would else keep them as long as one
 * piece is mapped. Not so with shared memory, which mremap can bring into
 * view again. Exclusive lock; may sleep.
 */
static void
delete_pages(vm_map_t map, vm_map_entry_t entry)
{
	vm_object_t object = entry->ba.object;
	vm_pindex_t first, last;

	if (object == NULL)
		return;
	if (!OBJT_IS_ANON(object->type)) {
		vm_object_hold_shared(object);
		pmap_remove(map->pmap, entry->start, entry->end);
		vm_object_drop(object);
		return;
	}
	vm_object_hold(object);
	pmap_remove(map->pmap, entry->start, entry->end);
	if (object->ref_count != 1 && entry->inheritance != VM_INHERIT_SHARE &&
	    (object->flags & (OBJ_NOSPLIT | OBJ_ONEMAPPING)) ==
		OBJ_ONEMAPPING) {
		/* Linear: with a virtual page table these are not the pages
		 * that were mapped. Until part 6 they go all the same. */
		first = OFF_TO_IDX(entry->ba.offset);
		last = first + OFF_TO_IDX(entry->end - entry->start);
		vm_object_page_remove(object, first, last, false);
		if (last >= object->size && first < object->size)
			object->size = first;
	}
	vm_object_drop(object);
}

/*
 * Takes an entry out of the map and gives its references back. Its pages are
 * unmapped already. Exclusive lock; may sleep.
 */
static void
entry_delete(vm_map_t map, vm_map_entry_t entry)
{
	vm_map_entry_unlink(map, entry);
	map->size -= entry->end - entry->start;
	if (entry->maptype == VM_MAPTYPE_NORMAL ||
	    entry->maptype == VM_MAPTYPE_VPAGETABLE)
		vm_object_deallocate(entry->ba.object);
	vm_map_entry_dispose(entry);
}

/*
 * Takes start..end out of the map, holes or not. KERN_SUCCESS always. The
 * lock is held exclusively, and given up where an entry is in transition:
 * then what others mapped meanwhile below the point it had come to stays.
 * May sleep.
 */
int
vm_map_delete(vm_map_t map, vm_offset_t start, vm_offset_t end)
{
	vm_map_entry_t entry, next;
	vm_offset_t hole = start;
	bool deleted = false;

	KKASSERT(lockheld_excl(&map->lock));
	trace(TR_UNMAP, (uintptr_t)map, start, end, 0);
	lwkt_gettoken(&map->token);
again:
	entry = vm_map_entry_from(map, start);
	if (entry != NULL && entry->start < start)
		vm_map_clip_start(map, entry, start);
	for (; entry != NULL && entry->start < end; entry = next) {
		if (entry->eflags & MAP_ENTRY_IN_TRANSITION) {
			entry->eflags |= MAP_ENTRY_NEEDS_WAKEUP;
			start = entry->start;
			vm_map_transition_wait(map);
			goto again;
		}
		vm_map_clip_end(map, entry, end);
		next = vm_map_next(entry);

		/* With the PTEs gone nobody would find the wired pages. */
		if (entry->wired_count != 0)
			vm_map_entry_suspend(map, entry);
		delete_pages(map, entry);
		/* The page frames may be used anew only after that. */
		entry_delete(map, entry);
		deleted = true;
	}
	if (deleted)
		vm_map_freehint_hole(map, hole);
	lwkt_reltoken(&map->token);
	return KERN_SUCCESS;
}

/* vm_map_delete with the lock taken here. May sleep. */
int
vm_map_remove(vm_map_t map, vm_offset_t start, vm_offset_t end)
{
	int rv;

	vm_map_lock(map);
	range_check(map, &start, &end);
	rv = vm_map_delete(map, start, end);
	vm_map_unlock(map);
	return rv;
}
