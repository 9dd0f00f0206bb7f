/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stacks, which grow down when something just below them is touched.
 *
 * A stack entry knows how far below its start the stack may grow
 * (aux.avail_ssize). Growing puts a new entry below it, with the rest of the
 * allowance; so for all entries of one stack, start - avail_ssize is the same
 * address. The room is kept free of mmap's own choices, but not of
 * MAP_FIXED: so growth looks for what is below, and keeps a gap from it.
 */
#include <vm/vm_map.h>

/* Linux never lets mmap begin lower than this far below the top, whatever the
 * stack's limit: a sixth of the address space stays (mmap_base). */
#define STACK_MAX (VM_MAX_USER_ADDRESS / 6 * 5)

/* The least room that mmap leaves to a stack, as Linux does. */
#define STACK_MIN_ROOM (128UL << 20)

/*
 * Makes the stack of a fresh program: it ends at top, has SGROWSIZ bytes now,
 * and may grow to max_ssize. mmap's search begins below its room. Takes the
 * lock; may sleep. KERN_NO_SPACE: something is in the way.
 */
int
vm_map_stack(
    struct vmspace *vm, vm_offset_t top, vm_size_t max_ssize, vm_prot_t prot)
{
	vm_map_t map = &vm->vm_map;
	vm_map_entry_t entry;
	vm_size_t init_ssize;
	int rv;

	top = trunc_page(top);
	max_ssize = MIN(trunc_page(max_ssize), trunc_page(STACK_MAX));
	max_ssize = MAX(max_ssize, PAGE_SIZE);
	init_ssize = MIN(max_ssize, SGROWSIZ);
	if (top > map->max_addr || top < map->min_addr + max_ssize)
		return KERN_INVALID_ADDRESS;

	vm_map_lock(map);
	if (!vm_map_range_free(map, top - max_ssize, top)) {
		vm_map_unlock(map);
		return KERN_NO_SPACE;
	}
	rv = vm_map_insert(map, NULL, 0, top - init_ssize, top,
	    VM_MAPTYPE_NORMAL, VM_SUBSYS_STACK, prot, VM_PROT_ALL,
	    MAP_IS_STACK);
	if (rv == KERN_SUCCESS) {
		vm_map_lookup_entry(map, top - init_ssize, &entry);
		entry->aux.avail_ssize = max_ssize - init_ssize;
		vm->vm_stack_top = top;
		vm->vm_stack_max = max_ssize;
		vm->vm_mmap_top =
		    top - MAX(max_ssize, STACK_MIN_ROOM) - STACK_GUARD_GAP;
	}
	vm_map_unlock(map);
	return rv;
}

/*
 * How low the stack entry can grow towards addr, given what is below it: the
 * new start, or 0 when even addr's page is out of reach. Lock held.
 */
static vm_offset_t
growstack_start(vm_map_entry_t entry, vm_offset_t addr)
{
	vm_map_entry_t prev = vm_map_prev(entry);
	vm_offset_t limit, start;

	limit = entry->start - entry->aux.avail_ssize;
	if (prev != NULL) {
		/*
		 * The gap is for what an overrun could damage: neither
		 * another stack, which keeps its own distance, nor memory
		 * that cannot be touched anyway.
		 */
		if ((prev->eflags & MAP_ENTRY_STACK) ||
		    prev->protection == VM_PROT_NONE)
			limit = MAX(limit, prev->end);
		else
			limit = MAX(limit, prev->end + STACK_GUARD_GAP);
	}
	addr = trunc_page(addr);
	if (addr < limit)
		return 0;
	/* A program's own stacks grow as little as it can see in Linux. */
	if (entry->id != VM_SUBSYS_STACK)
		return addr;
	start = entry->start - roundup2(entry->start - addr, SGROWSIZ);
	if (start < limit || start > entry->start)
		start = limit;
	return start;
}

/*
 * A fault found nothing at addr: if that is room of a stack of the running
 * address space, maps the stack down to it. KERN_SUCCESS: done, or somebody
 * else has mapped addr: look up again. KERN_INVALID_ADDRESS: no stack may
 * grow there; KERN_NO_SPACE: one might, but something is in its way. No lock
 * held; may sleep.
 */
int
vm_map_growstack(vm_map_t map, vm_offset_t addr)
{
	vm_map_entry_t stack, new;
	vm_offset_t start, end;
	vm_prot_t prot, max;
	bool use_read_lock = true, wire = false;
	int rv;

	/* Peeking at another's memory must not change it. */
	if (map->pmap != mycpu->gd_pmap)
		return KERN_INVALID_ADDRESS;
again:
	if (use_read_lock)
		vm_map_lock_read(map);
	else
		vm_map_lock(map);

	rv = KERN_SUCCESS;
	if (vm_map_lookup_entry(map, addr, &stack))
		goto done;
	stack = stack == NULL ? vm_map_first(map) : vm_map_next(stack);
	rv = KERN_INVALID_ADDRESS;
	if (stack == NULL || (stack->eflags & MAP_ENTRY_STACK) == 0 ||
	    addr < stack->start - stack->aux.avail_ssize)
		goto done;
	start = growstack_start(stack, addr);
	rv = KERN_NO_SPACE;
	if (start == 0)
		goto done;
	if (use_read_lock && vm_map_lock_upgrade(map) != 0) {
		use_read_lock = false;
		goto again;
	}
	use_read_lock = false;

	end = stack->start;
	prot = stack->protection;
	max = stack->max_protection;
	rv = vm_map_insert(map, NULL, 0, start, end, VM_MAPTYPE_NORMAL,
	    stack->id, prot, max, MAP_IS_STACK);
	if (rv == KERN_SUCCESS) {
		new = vm_map_prev(stack);
		KKASSERT(new->start == start &&new->end == end);
		new->aux.avail_ssize = stack->aux.avail_ssize - (end - start);
		new->eflags |= stack->eflags &MAP_ENTRY_ADVICE;
		wire = (stack->eflags & MAP_ENTRY_USER_WIRED) != 0;
		vm_map_simplify_entry(map, new);
	}
done:
	vm_map_unlock(map);
	if (wire)
		(void)vm_map_unwire(map, start, end, false);
	return rv;
}
