/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where a mapping goes when its address does not matter.
 *
 * A user map is filled from the top down, as Linux does: vm_mmap_top, which
 * leaves the stack its room, is where the search begins. Without help each
 * search would walk over all that was placed before. So the map remembers,
 * for the last few lengths asked for, where a search for that length may
 * begin; a new hole moves the mark up again. The marks are hints: a search
 * that fails with one is repeated without.
 */
#include <vm/vm_map.h>

/*
 * The lowest address the entry lays claim to: its start, or, of the main
 * stack, as far down as it may grow. Any stack wants a gap below it.
 */
vm_offset_t
vm_map_entry_floor(vm_map_entry_t entry)
{
	vm_size_t claim = STACK_GUARD_GAP;

	if ((entry->eflags & MAP_ENTRY_STACK) == 0)
		return entry->start;
	if (entry->id == VM_SUBSYS_STACK)
		claim = MAX(claim, entry->aux.avail_ssize);
	return entry->start > claim ? entry->start - claim : 0;
}

/*
 * Whether start..end lies within the map, holds no entry and no room of a
 * stack to grow. Lock held.
 */
bool
vm_map_range_free(vm_map_t map, vm_offset_t start, vm_offset_t end)
{
	vm_map_entry_t entry;

	if (start < map->min_addr || end > map->max_addr || start >= end)
		return false;
	entry = vm_map_entry_from(map, start);
	return entry == NULL || vm_map_entry_floor(entry) >= end;
}

/* The slot for this length and alignment, or NULL. */
static struct vm_map_freehint *
freehint_find(vm_map_t map, vm_size_t length, vm_size_t align)
{
	struct vm_map_freehint *fh;

	for (fh = map->freehint; fh < &map->freehint[VM_MAP_FFCOUNT]; fh++) {
		if (fh->start != 0 && fh->length == length &&
		    fh->align == align)
			return fh;
	}
	return NULL;
}

/* Remembers that the next search may begin at start. */
static void
freehint_update(
    vm_map_t map, vm_offset_t start, vm_size_t length, vm_size_t align)
{
	struct vm_map_freehint *fh;

	fh = freehint_find(map, length, align);
	if (fh == NULL) {
		fh = &map->freehint[map->freehint_newindex];
		map->freehint_newindex =
		    (map->freehint_newindex + 1) % VM_MAP_FFCOUNT;
		fh->length = length;
		fh->align = align;
	}
	fh->start = start;
}

/*
 * The hole that addr lies in came to be, or grew: searches for what fits must
 * begin above it again. Exclusive lock.
 */
void
vm_map_freehint_hole(vm_map_t map, vm_offset_t addr)
{
	struct vm_map_freehint *fh;
	vm_map_entry_t prev, next;
	vm_offset_t hole_start, hole_end;

	if (vm_map_lookup_entry(map, addr, &prev))
		return;
	next = prev == NULL ? vm_map_first(map) : vm_map_next(prev);
	hole_start = prev == NULL ? map->min_addr : prev->end;
	hole_end = next == NULL ? map->max_addr : next->start;
	for (fh = map->freehint; fh < &map->freehint[VM_MAP_FFCOUNT]; fh++) {
		if (fh->start != 0 && fh->length <= hole_end - hole_start &&
		    fh->start < hole_end)
			fh->start = hole_end;
	}
}

/*
 * The highest gap of length bytes at or above low and wholly below high; 0
 * when there is none. Lock held.
 */
vm_offset_t
vm_map_search_down(vm_map_t map, vm_offset_t low, vm_offset_t high,
    vm_size_t length, vm_size_t align)
{
	vm_map_entry_t entry, next;
	vm_offset_t addr, bottom;

	/* entry: the last one that starts below high. */
	if (!vm_map_lookup_entry(map, high, &entry) || entry->start < high) {
		next = entry == NULL ? vm_map_first(map) : vm_map_next(entry);
	} else {
		next = entry;
		entry = vm_map_prev(entry);
	}
	if (next != NULL)
		high = MIN(high, vm_map_entry_floor(next));
	for (;;) {
		bottom = entry == NULL ? low : MAX(low, entry->end);
		if (high >= length) {
			addr = (high - length) & ~(align - 1);
			if (addr >= bottom)
				return addr;
		}
		if (entry == NULL || high <= low)
			return 0;
		high = MIN(high, vm_map_entry_floor(entry));
		entry = vm_map_prev(entry);
	}
}

/* The lowest gap at or above low; 0 when there is none. Lock held. */
static vm_offset_t
search_up(vm_map_t map, vm_offset_t low, vm_size_t length, vm_size_t align)
{
	vm_map_entry_t entry;
	vm_offset_t addr;

	entry = vm_map_entry_from(map, low);
	for (;;) {
		addr = roundup2(low, align);
		if (addr < low || addr + length < addr ||
		    addr + length > map->max_addr)
			return 0;
		if (entry == NULL || vm_map_entry_floor(entry) >= addr + length)
			return addr;
		low = MAX(low, entry->end);
		entry = vm_map_next(entry);
	}
}

/* Where mmap's search in a user's map begins. */
static vm_offset_t
mmap_top(vm_map_t map)
{
	return container_of(map, struct vmspace, vm_map)->vm_mmap_top;
}

/*
 * Finds room for length bytes at a multiple of align (a power of two, at
 * least a page). A user's map: at the hint, when it is not 0 and that is
 * free, else as high as possible below vm_mmap_top, else anywhere. The
 * kernel's: as low as possible from the hint up. *addrp gets the address;
 * KERN_NO_SPACE. Exclusive lock: nobody else may take the place.
 */
int
vm_map_findspace(vm_map_t map, vm_offset_t hint, vm_size_t length,
    vm_size_t align, vm_offset_t *addrp)
{
	struct vm_map_freehint *fh;
	vm_offset_t addr, top;

	if (length == 0 || length > map->max_addr - map->min_addr)
		return KERN_NO_SPACE;
	if (map->system_map) {
		addr = search_up(map, MAX(hint, map->min_addr), length, align);
		*addrp = addr;
		return addr == 0 ? KERN_NO_SPACE : KERN_SUCCESS;
	}
	if (hint != 0 && (hint & (align - 1)) == 0 && hint + length > hint &&
	    vm_map_range_free(map, hint, hint + length)) {
		*addrp = hint;
		return KERN_SUCCESS;
	}

	top = MIN(mmap_top(map), map->max_addr);
	addr = 0;
	fh = freehint_find(map, length, align);
	if (fh != NULL && fh->start < top)
		addr = vm_map_search_down(
		    map, VM_MMAP_MIN, fh->start, length, align);
	if (addr == 0)
		addr = vm_map_search_down(map, VM_MMAP_MIN, top, length, align);
	if (addr == 0)
		addr = vm_map_search_down(
		    map, VM_MMAP_MIN, map->max_addr, length, align);
	if (addr == 0)
		return KERN_NO_SPACE;
	freehint_update(map, addr + length, length, align);
	*addrp = addr;
	return KERN_SUCCESS;
}
