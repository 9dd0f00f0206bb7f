/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Moving mappings to other addresses (mremap).
 *
 * An entry is moved by giving it other addresses: the object and the offset
 * stay, so no page and no reference changes hands. Only the PTEs are taken
 * out, and faults put them in again at the new place.
 */
#include <vm/vm_map.h>

/*
 * Whether b, the entry after a, continues it so that Linux would have one
 * mapping for both. Clipping, stack growth, forks and MADV_DONTNEED leave
 * more entries than that behind. Lock held.
 */
bool
vm_map_same_area(vm_map_entry_t a, vm_map_entry_t b)
{
	vm_eflags_t mask =
	    MAP_ENTRY_ADVICE | MAP_ENTRY_STACK | MAP_ENTRY_USER_WIRED;
	vm_object_t afile, bfile;
	vm_ooffset_t aoff = 0, boff = 0;

	if (a->end != b->start || a->maptype != b->maptype ||
	    a->protection != b->protection ||
	    a->max_protection != b->max_protection ||
	    a->inheritance != b->inheritance ||
	    (a->eflags & mask) != (b->eflags & mask))
		return false;

	/*
	 * Held one after the other; the entries keep the objects, so that
	 * comparing the addresses afterwards means something.
	 */
	afile = vm_map_entry_file(a, &aoff);
	if (afile != NULL)
		vm_object_drop(afile);
	bfile = vm_map_entry_file(b, &boff);
	if (bfile != NULL)
		vm_object_drop(bfile);
	if (afile != bfile)
		return false;
	if (afile == NULL) {
		if (a->inheritance != VM_INHERIT_SHARE)
			return true;
		/* Shared memory without a file is a file to Linux. */
		if (vm_map_entry_object(a) != vm_map_entry_object(b))
			return false;
		aoff = vm_map_entry_offset(a);
		boff = vm_map_entry_offset(b);
	}
	return aoff + (vm_ooffset_t)(a->end - a->start) == boff;
}

/*
 * Moves the entries of start..end, which they cover without a hole, by as
 * much as dst is away from start. The two ranges do not overlap and the new
 * one is empty; nothing in start..end is in transition. What was wired is
 * left marked, for a vm_map_rewire after the lock is gone. Exclusive lock;
 * may sleep.
 */
void
vm_map_move(vm_map_t map, vm_offset_t start, vm_offset_t end, vm_offset_t dst)
{
	vm_map_entry_t entry, next;
	vm_offset_t moved_end = dst + (end - start);

	KKASSERT(vm_map_covered(map, start, end) == end);
	vm_map_lookup_entry(map, start, &entry);
	vm_map_clip_start(map, entry, start);
	for (; entry != NULL && entry->start < end; entry = next) {
		vm_map_clip_end(map, entry, end);
		/* Above end is nothing of ours, moved or not. */
		next = vm_map_next(entry);
		vm_map_entry_suspend(map, entry);
		pmap_remove(map->pmap, entry->start, entry->end);

		vm_map_entry_unlink(map, entry);
		entry->start = entry->start - start + dst;
		entry->end = entry->end - start + dst;
		/* It may grow as before, but has no room set aside. */
		if (entry->eflags & MAP_ENTRY_STACK) {
			entry->aux.avail_ssize = MIN(entry->aux.avail_ssize,
			    entry->start - map->min_addr);
			entry->id = VM_SUBSYS_MMAP;
		}
		vm_map_entry_link(map, entry);
	}
	vm_map_freehint_hole(map, start);
	for (entry = vm_map_entry_from(map, dst);
	     entry != NULL && entry->start < moved_end;
	     entry = vm_map_next(entry))
		vm_map_simplify_entry(map, entry);
}
