/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory that its user has locked (mlock).
 *
 * An entry marked USER_WIRED with a wired_count has all its pages present,
 * mapped and wired. The mark without the count means that the user wants it
 * locked but it cannot be had at present: no access is allowed, or a page
 * could not be brought in. Linux keeps such a wish too, and wires the pages
 * when they can be touched again.
 */
#include <vm/vm_fault.h>
#include <vm/vm_map.h>

/*
 * Unwires an entry's pages, if they are wired, but leaves the mark: the
 * entry is about to be changed, moved or taken away. Exclusive lock; may
 * sleep.
 */
void
vm_map_entry_suspend(vm_map_t map, vm_map_entry_t entry)
{
	if (entry->wired_count == 0)
		return;
	entry->wired_count = 0;
	vm_fault_unwire(map, entry);
}

/*
 * Makes everything that pages need before they are wired: a shadow if they
 * may be written, an object at least. Exclusive lock; may sleep.
 */
static void
wire_prepare(vm_map_entry_t entry)
{
	if ((entry->eflags & MAP_ENTRY_NEEDS_COPY) &&
	    (entry->protection & VM_PROT_WRITE))
		vm_map_entry_shadow(entry, false);
	else if (vm_map_entry_object(entry) == NULL)
		vm_map_entry_allocate_object(entry);
}

/*
 * Wires one entry, which is in transition. vm_fault_wire gives up the lock
 * while it faults the pages in; the transition keeps the entry as it is,
 * though others may meanwhile cut it. KERN_*.
 */
static int
wire_entry(vm_map_t map, vm_map_entry_t entry)
{
	vm_offset_t start = entry->start, end = entry->end;
	int rv;

	entry->eflags |= MAP_ENTRY_USER_WIRED;
	if (entry->wired_count != 0)
		return KERN_SUCCESS;
	if (entry->maptype != VM_MAPTYPE_NORMAL &&
	    entry->maptype != VM_MAPTYPE_VPAGETABLE)
		return KERN_INVALID_ARGUMENT;
	if (entry->protection == VM_PROT_NONE)
		return KERN_PROTECTION_FAILURE;
	wire_prepare(entry);
	entry->wired_count = 1;
	rv = vm_fault_wire(map, entry, true, 0);
	if (rv != KERN_SUCCESS) {
		/* It has undone what it did. Mind the pieces. */
		for (entry = vm_map_entry_from(map, start);
		     entry != NULL && entry->start < end;
		     entry = vm_map_next(entry))
			entry->wired_count = 0;
	}
	return rv;
}

/* Takes the user's lock off one entry, which is in transition. */
static void
unwire_entry(vm_map_t map, vm_map_entry_t entry)
{
	entry->eflags &= ~MAP_ENTRY_USER_WIRED;
	vm_map_entry_suspend(map, entry);
}

/*
 * Wires start..end for its user, or, with new_pageable, ends that.
 * KERN_INVALID_ADDRESS: there is a hole and nothing was done. Another KERN_*:
 * some entry could not be wired (the first one's reason); all the others
 * are, and it stays marked. Takes the lock; may sleep long.
 */
int
vm_map_unwire(
    vm_map_t map, vm_offset_t start, vm_offset_t end, bool new_pageable)
{
	vm_map_entry_t entry;
	vm_offset_t at;
	int rv = KERN_SUCCESS, rv1;

	if (start >= end)
		return KERN_SUCCESS;
	vm_map_lock(map);
	entry = vm_map_clip_range(map, start, end);
	if (entry == NULL) {
		vm_map_unlock(map);
		return KERN_INVALID_ADDRESS;
	}
	/*
	 * By address, not by pointer: the entry at hand may have been cut
	 * while the lock was away. It cannot have gone.
	 */
	for (at = start; at < end; at = entry->end) {
		if (!vm_map_lookup_entry(map, at, &entry))
			panic("vm_map_unwire: the entry at 0x%lx has gone", at);
		if (new_pageable) {
			unwire_entry(map, entry);
			continue;
		}
		rv1 = wire_entry(map, entry);
		if (rv == KERN_SUCCESS)
			rv = rv1;
	}
	if (!vm_map_lookup_entry(map, start, &entry))
		panic("vm_map_unwire: the entry at 0x%lx has gone", start);
	vm_map_unclip_range(map, entry, start, end);
	vm_map_unlock(map);
	return rv;
}

/*
 * Wires again, as far as possible, what start..end holds of marked entries
 * that are not wired. Takes the lock; may sleep long.
 */
void
vm_map_rewire(vm_map_t map, vm_offset_t start, vm_offset_t end)
{
	vm_map_entry_t entry;
	vm_offset_t s, e;

	while (start < end) {
		vm_map_lock_read(map);
		entry = vm_map_entry_from(map, start);
		while (entry != NULL && entry->start < end &&
		    ((entry->eflags & MAP_ENTRY_USER_WIRED) == 0 ||
			entry->wired_count != 0))
			entry = vm_map_next(entry);
		if (entry == NULL || entry->start >= end) {
			vm_map_unlock_read(map);
			return;
		}
		s = MAX(start, entry->start);
		e = MIN(end, entry->end);
		vm_map_unlock_read(map);
		(void)vm_map_unwire(map, s, e, false);
		start = e;
	}
}
