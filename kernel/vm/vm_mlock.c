/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mlock and its kin, and msync.
 *
 * Everybody may lock as much as there is: the processes here are root's, whom
 * Linux does not hold to RLIMIT_MEMLOCK either.
 */
#include <linux/errno.h>
#include <linux/mman.h>

#include <kern/proc.h>
#include <kern/syscalls.h>
#include <vm/vm_map.h>

/*
 * Locks or unlocks start..end, from start up to the first hole. 0; ENOMEM for
 * a hole, or a page that may not be touched; EAGAIN for one that could not
 * be had.
 */
static int
lock_range(vm_map_t map, vm_offset_t start, vm_offset_t end, bool unlock)
{
	vm_offset_t reach;
	int rv;

	do {
		vm_map_lock_read(map);
		reach = vm_map_covered(map, start, end);
		vm_map_unlock_read(map);
		rv = vm_map_unwire(map, start, reach, unlock);
		/* A hole that was not there before: look again. */
	} while (rv == KERN_INVALID_ADDRESS);
	if (reach != end)
		return ENOMEM;
	switch (rv) {
	case KERN_SUCCESS:
		return 0;
	case KERN_RESOURCE_SHORTAGE:
		return EAGAIN;
	default:
		return ENOMEM;
	}
}

/* Rounds the range of an mlock call, of which any byte counts, to pages, and
 * does it. */
static long
mlock_common(uintptr_t addr, size_t len, bool unlock)
{
	vm_offset_t start = trunc_page(addr), end;

	len = round_page(len + (addr & PAGE_MASK));
	end = start + len;
	if (end < start)
		return -EINVAL;
	if (end == start)
		return 0;
	return -lock_range(&curproc->p_vmspace->vm_map, start, end, unlock);
}

/* mlock(2): 0, EINVAL, ENOMEM, EAGAIN. */
long
sys_mlock(uintptr_t addr, size_t len)
{
	return mlock_common(addr, len, false);
}

/*
 * mlock2(2). MLOCK_ONFAULT would lock pages only as they come in; they are
 * brought in at once, which keeps the promise too.
 */
long
sys_mlock2(uintptr_t addr, size_t len, int flags)
{
	if (flags & ~MLOCK_ONFAULT)
		return -EINVAL;
	return mlock_common(addr, len, false);
}

/* munlock(2): 0, EINVAL, ENOMEM. */
long
sys_munlock(uintptr_t addr, size_t len)
{
	return mlock_common(addr, len, true);
}

/* Does fn's work on every mapped range of the map, one after the other. */
static void
lock_all(vm_map_t map, bool unlock)
{
	vm_offset_t start = map->min_addr, end;
	vm_map_entry_t entry;

	for (;;) {
		vm_map_lock_read(map);
		entry = vm_map_entry_from(map, start);
		start = entry == NULL ? 0 : MAX(start, entry->start);
		end = entry == NULL ? 0 : entry->end;
		vm_map_unlock_read(map);
		if (start == end)
			return;
		/* Like Linux: what cannot be locked is passed over. */
		(void)vm_map_unwire(map, start, end, unlock);
		start = end;
	}
}

/* mlockall(2): 0 or EINVAL. */
long
sys_mlockall(int flags)
{
	vm_map_t map = &curproc->p_vmspace->vm_map;

	if (flags == 0 || (flags & ~(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT)) ||
	    flags == MCL_ONFAULT)
		return -EINVAL;
	vm_map_lock(map);
	if (flags & MCL_FUTURE)
		map->flags |= MAP_WIREFUTURE;
	else
		map->flags &= ~MAP_WIREFUTURE;
	vm_map_unlock(map);
	if (flags & MCL_CURRENT)
		lock_all(map, false);
	return 0;
}

/* munlockall(2): 0. */
long
sys_munlockall(void)
{
	vm_map_t map = &curproc->p_vmspace->vm_map;

	vm_map_lock(map);
	map->flags &= ~MAP_WIREFUTURE;
	vm_map_unlock(map);
	lock_all(map, true);
	return 0;
}

/* msync(2): 0, EINVAL, ENOMEM (holes), EBUSY (locked pages to invalidate). */
long
sys_msync(uintptr_t addr, size_t len, int flags)
{
	vm_offset_t end;

	if (flags & ~(MS_ASYNC | MS_INVALIDATE | MS_SYNC))
		return -EINVAL;
	if (addr & PAGE_MASK)
		return -EINVAL;
	if ((flags & MS_ASYNC) && (flags & MS_SYNC))
		return -EINVAL;
	end = addr + round_page(len);
	if (end < addr)
		return -ENOMEM;
	if (end == addr)
		return 0;
	return -vm_map_clean(&curproc->p_vmspace->vm_map, addr, end, flags);
}
