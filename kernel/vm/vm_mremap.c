/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mremap. The order of the checks is that of Linux (mm/mremap.c) since 6.17:
 * nothing is unmapped before all that can be wrong has been looked at.
 */
#include <linux/errno.h>
#include <linux/mman.h>

#include <kern/proc.h>
#include <kern/syscalls.h>
#include <vm/vm_map.h>
#include <vm/vm_mmap.h>

/* One call: all lengths are rounded to pages. */
struct mremap {
	vm_map_t map;
	vm_offset_t old; /* where it is */
	vm_size_t oldlen;
	vm_offset_t new; /* where it goes */
	vm_size_t newlen;
	int flags;
};

/* The last entry of what Linux would call the same mapping as entry. */
static vm_map_entry_t
area_last(vm_map_entry_t entry)
{
	vm_map_entry_t next;

	while ((next = vm_map_next(entry)) != NULL &&
	    vm_map_same_area(entry, next))
		entry = next;
	return entry;
}

/* A move that leaves the length alone may take several mappings along. */
static bool
moves_only(struct mremap *mr)
{
	return (mr->flags & MREMAP_FIXED) && mr->oldlen == mr->newlen;
}

/*
 * Whether what is mapped can be moved or resized so (Linux's check_prep_vma):
 * 0 or an errno. The part that a shrink cuts off may be anything. Lock held;
 * the old address is mapped.
 */
static int
check_resize(struct mremap *mr)
{
	vm_map_entry_t entry;
	vm_size_t len = MIN(mr->oldlen, mr->newlen);

	vm_map_lookup_entry(mr->map, mr->old, &entry);
	if (entry->maptype != VM_MAPTYPE_NORMAL)
		return EINVAL;
	if (mr->oldlen == 0 && entry->inheritance != VM_INHERIT_SHARE)
		return EINVAL;
	if (len > area_last(entry)->end - mr->old && !moves_only(mr))
		return EFAULT;
	if (mr->newlen > mr->oldlen &&
	    !vm_map_may_grow(mr->map, mr->newlen - mr->oldlen))
		return ENOMEM;
	return 0;
}

/* Entries that old..old+oldlen touches. Lock held. */
static int
count_entries(struct mremap *mr)
{
	vm_map_entry_t entry;
	int n = 0;

	for (entry = vm_map_entry_from(mr->map, mr->old);
	     entry != NULL && entry->start < mr->old + mr->oldlen;
	     entry = vm_map_next(entry))
		n++;
	return n;
}

/* MREMAP_DONTUNMAP: what has moved leaves fresh mappings behind. */
static void
leave_behind(struct mremap *mr)
{
	vm_offset_t at, end = mr->new + mr->oldlen;
	vm_map_entry_t entry;
	int rv;

	for (at = mr->new; at < end; at = entry->end) {
		if (!vm_map_lookup_entry(mr->map, at, &entry))
			panic("mremap: nothing at 0x%lx", at);
		rv = vm_map_insert_like(mr->map, entry, at - entry->start,
		    at - mr->new + mr->old,
		    MIN(entry->end, end) - mr->new + mr->old);
		KKASSERT(rv == KERN_SUCCESS);
	}
	/* The lock has gone with the pages. */
	for (entry = vm_map_entry_from(mr->map, mr->old);
	     entry != NULL && entry->start < mr->old + mr->oldlen;
	     entry = vm_map_next(entry))
		entry->eflags &= ~MAP_ENTRY_USER_WIRED;
}

/* munmap, with its check of the range: 0 or EINVAL. Exclusive lock. */
static int
unmap_range(vm_map_t map, vm_offset_t start, vm_size_t len)
{
	if (start > VM_MAX_USER_ADDRESS || len > VM_MAX_USER_ADDRESS - start)
		return EINVAL;
	vm_map_delete(map, start, start + len);
	return 0;
}

/* Makes the mapping that ends at end longer, up to limit. The place is free.
 * 0 or ENOMEM. Exclusive lock. */
static int
extend(vm_map_t map, vm_offset_t end, vm_offset_t limit)
{
	vm_map_entry_t entry;

	vm_map_lookup_entry(map, end - 1, &entry);
	return vm_errno(
	    vm_map_insert_like(map, entry, end - entry->start, end, limit));
}

/*
 * Moves the mapping to its new place, which is free, and makes it as long as
 * asked; a mapping of length 0 is duplicated. 0 or ENOMEM. Exclusive lock.
 */
static int
move(struct mremap *mr)
{
	vm_map_t map = mr->map;
	vm_map_entry_t entry;
	int error = 0;

	/* From here on nothing shall fail, so make sure of entries. */
	if (map->nentries + count_entries(mr) + 4 > VM_MAX_MAP_COUNT)
		return ENOMEM;
	if (mr->oldlen == 0) {
		vm_map_lookup_entry(map, mr->old, &entry);
		return vm_errno(vm_map_insert_like(map, entry,
		    mr->old - entry->start, mr->new, mr->new + mr->newlen));
	}
	vm_map_move(map, mr->old, mr->old + mr->oldlen, mr->new);
	if (mr->newlen > mr->oldlen)
		error = extend(map, mr->new + mr->oldlen, mr->new + mr->newlen);
	KKASSERT(error == 0);
	if (mr->flags & MREMAP_DONTUNMAP)
		leave_behind(mr);
	return 0;
}

/*
 * Moves all that old..old+oldlen holds to as many places in the new range,
 * where it takes the place of what is there; holes stay holes, with what the
 * new range has in them. 0 or ENOMEM. Exclusive lock.
 */
static int
move_all(struct mremap *mr)
{
	vm_map_t map = mr->map;
	vm_offset_t end = mr->old + mr->oldlen;
	struct mremap part = *mr;
	vm_map_entry_t entry;

	if (map->nentries + count_entries(mr) + 4 > VM_MAX_MAP_COUNT)
		return ENOMEM;
	entry = vm_map_entry_from(map, mr->old);
	while (entry != NULL && entry->start < end) {
		part.old = MAX(entry->start, part.old);
		part.new = part.old - mr->old + mr->new;
		part.oldlen = vm_map_covered(map, part.old, end) - part.old;
		vm_map_delete(map, part.new, part.new + part.oldlen);
		vm_map_move(map, part.old, part.old + part.oldlen, part.new);
		if (mr->flags & MREMAP_DONTUNMAP)
			leave_behind(&part);
		part.old += part.oldlen;
		entry = vm_map_entry_from(map, part.old);
	}
	return 0;
}

/* MREMAP_FIXED or MREMAP_DONTUNMAP: 0 or an errno. Exclusive lock. */
static int
mremap_to(struct mremap *mr)
{
	vm_map_t map = mr->map;
	int error;

	error = check_resize(mr);
	if (error != 0)
		return error;
	if (moves_only(mr))
		return move_all(mr);
	if (mr->flags & MREMAP_FIXED) {
		/* A mapping of length 0 may lie in its own way. */
		vm_map_delete(map, mr->new, mr->new + mr->newlen);
		if (vm_map_covered(map, mr->old, mr->old + 1) == mr->old)
			return EFAULT;
	}
	if (mr->oldlen > mr->newlen) {
		error = unmap_range(
		    map, mr->old + mr->newlen, mr->oldlen - mr->newlen);
		if (error != 0)
			return error;
		mr->oldlen = mr->newlen;
	}
	if ((mr->flags & MREMAP_FIXED) == 0 &&
	    vm_map_findspace(map, mr->new, mr->newlen, PAGE_SIZE, &mr->new) !=
		KERN_SUCCESS)
		return ENOMEM;
	return move(mr);
}

/* Makes a mapping longer, in place or elsewhere: 0 or an errno, and the place
 * in mr->new. Exclusive lock. */
static int
mremap_grow(struct mremap *mr)
{
	vm_map_t map = mr->map;
	vm_map_entry_t entry, next;
	vm_offset_t end = mr->old + mr->oldlen, newend = mr->old + mr->newlen;
	int error;

	error = check_resize(mr);
	if (error != 0)
		return error;
	vm_map_lookup_entry(map, mr->old, &entry);
	entry = area_last(entry);
	next = vm_map_next(entry);
	if (end == entry->end && newend > end && newend <= map->max_addr &&
	    (next == NULL || next->start >= newend)) {
		mr->new = mr->old;
		return extend(map, end, newend);
	}
	if ((mr->flags & MREMAP_MAYMOVE) == 0)
		return ENOMEM;
	if (vm_map_findspace(map, 0, mr->newlen, PAGE_SIZE, &mr->new) !=
	    KERN_SUCCESS)
		return ENOMEM;
	return move(mr);
}

/* Once nothing that the call touches is in transition: does it. 0 or an
 * errno. Exclusive lock. */
static int
mremap_locked(struct mremap *mr)
{
	vm_map_entry_t entry;

	if (!vm_map_lookup_entry(mr->map, mr->old, &entry))
		return EFAULT;
	if (mr->flags & (MREMAP_FIXED | MREMAP_DONTUNMAP))
		return mremap_to(mr);
	if (mr->oldlen < mr->newlen)
		return mremap_grow(mr);
	mr->new = mr->old;
	if (mr->oldlen == mr->newlen)
		return 0;
	return unmap_range(
	    mr->map, mr->old + mr->newlen, mr->oldlen - mr->newlen);
}

/* The range start, start + len without going round the end of all. */
static bool
drain(vm_map_t map, vm_offset_t start, vm_size_t len)
{
	if (start >= map->max_addr)
		return false;
	return vm_map_transition_drain(
	    map, start, start + MIN(len, map->max_addr - start));
}

/* The checks that need no look at the map, in Linux's order: 0 or an errno. */
static int
check_params(struct mremap *mr)
{
	int flags = mr->flags;

	if (flags & ~(MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP))
		return EINVAL;
	if ((mr->old & PAGE_MASK) != 0 || mr->newlen == 0 ||
	    mr->newlen > VM_MAX_USER_ADDRESS)
		return EINVAL;
	if ((flags & (MREMAP_FIXED | MREMAP_DONTUNMAP)) == 0)
		return 0;
	if (mr->new > VM_MAX_USER_ADDRESS - mr->newlen ||
	    (mr->new &PAGE_MASK) != 0 || (flags & MREMAP_MAYMOVE) == 0)
		return EINVAL;
	if ((flags & MREMAP_DONTUNMAP) && mr->oldlen != mr->newlen)
		return EINVAL;
	if (mr->old + mr->oldlen > mr->new && mr->new + mr->newlen > mr->old)
		return EINVAL;
	if ((flags & MREMAP_FIXED) && mr->new < VM_MIN_USER_ADDRESS)
		return EPERM;
	return 0;
}

/*
 * mremap(2): the new address or an errno: EINVAL, EFAULT, ENOMEM, EPERM.
 */
long
sys_mremap(
    uintptr_t addr, size_t oldlen, size_t newlen, int flags, uintptr_t newaddr)
{
	vm_map_t map = &curproc->p_vmspace->vm_map;
	struct mremap mr = {
	    map, addr, round_page(oldlen), newaddr, round_page(newlen), flags};
	int error;

	error = check_params(&mr);
	if (error != 0)
		return -error;

	vm_map_lock(map);
	do {
		/* Waiting for the second lets the first begin anew. */
		while (drain(map, mr.old, mr.oldlen))
			;
	} while ((flags & MREMAP_FIXED) && drain(map, mr.new, mr.newlen));
	error = mremap_locked(&mr);
	vm_map_unlock(map);
	if (error != 0)
		return -error;
	/* Locked memory stays so, and what is new of it becomes so. */
	vm_map_rewire(map, mr.new, mr.new + mr.newlen);
	return mr.new;
}
