/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * munmap, mprotect and brk.
 */
#include <linux/errno.h>
#include <linux/mman.h>
#include <linux/resource.h>

#include <kern/proc.h>
#include <kern/syscalls.h>
#include <vm/vm_map.h>
#include <vm/vm_mmap.h>

/* Linux's PROT_SEM, which no x86 needs but which is let through. */
#define PROT_KNOWN (PROT_READ | PROT_WRITE | PROT_EXEC | PROT_SEM)

/* munmap(2): 0 or EINVAL. */
long
sys_munmap(uintptr_t addr, size_t len)
{
	if ((addr & PAGE_MASK) != 0 || addr > VM_MAX_USER_ADDRESS ||
	    len > VM_MAX_USER_ADDRESS - addr || len == 0)
		return -EINVAL;
	vm_map_remove(
	    &curproc->p_vmspace->vm_map, addr, addr + round_page(len));
	return 0;
}

/*
 * PROT_GROWSDOWN: the range begins where the stack does that holds addr or is
 * the next above it. 0 or an errno.
 */
static int
mprotect_growsdown(vm_map_t map, vm_offset_t *addr, vm_offset_t end)
{
	vm_map_entry_t entry, below;
	int error = 0;

	vm_map_lock_read(map);
	entry = vm_map_entry_from(map, *addr);
	if (entry == NULL || entry->start >= end)
		error = ENOMEM;
	else if ((entry->eflags & MAP_ENTRY_STACK) == 0)
		error = EINVAL;
	else
		*addr = entry->start;
	/* What it has grown by may stand in entries of its own. */
	while (error == 0 && vm_map_lookup_entry(map, *addr - 1, &below) &&
	    (below->eflags & MAP_ENTRY_STACK) != 0)
		*addr = below->start;
	vm_map_unlock_read(map);
	return error;
}

/*
 * mprotect(2): 0, EINVAL, ENOMEM (a hole) or EACCES; what comes before the
 * place that an error is about has been changed.
 */
long
sys_mprotect(uintptr_t addr, size_t len, int prot)
{
	vm_map_t map = &curproc->p_vmspace->vm_map;
	int grows = prot & (PROT_GROWSDOWN | PROT_GROWSUP);
	vm_offset_t start = addr, end;
	int error;

	prot &= ~grows;
	if (grows == (PROT_GROWSDOWN | PROT_GROWSUP))
		return -EINVAL;
	if (start & PAGE_MASK)
		return -EINVAL;
	if (len == 0)
		return 0;
	end = start + round_page(len);
	if (end <= start)
		return -ENOMEM;
	if (prot & ~PROT_KNOWN)
		return -EINVAL;
	if (grows & PROT_GROWSDOWN) {
		error = mprotect_growsdown(map, &start, end);
		if (error != 0)
			return -error;
	} else if (grows & PROT_GROWSUP) {
		/* No mapping of this architecture grows up. */
		vm_map_lock_read(map);
		error = vm_map_covered(map, start, start + PAGE_SIZE) == start
		    ? ENOMEM
		    : EINVAL;
		vm_map_unlock_read(map);
		return -error;
	}
	return -vm_errno(
	    vm_map_protect(map, start, end, prot & VM_PROT_ALL, false));
}

/*
 * Whether the heap may end at brk: within the limits and not nearer than a
 * page to what is above it. Lock held.
 */
static bool
brk_allowed(struct vmspace *vm, vm_offset_t old, vm_offset_t new)
{
	uint64_t limit = vm_rlimit(RLIMIT_DATA);

	if (new < old || new > VM_MAX_USER_ADDRESS)
		return false;
	if (limit != RLIM64_INFINITY && new - vm->vm_brk_start > limit)
		return false;
	return vm_map_may_grow(&vm->vm_map, new - old) &&
	    vm_map_range_free(&vm->vm_map, old, new + PAGE_SIZE);
}

/*
 * brk(2) as Linux has it: the end of the heap, which is the one asked for
 * only if that could be had.
 */
long
sys_brk(uintptr_t addr)
{
	struct vmspace *vm = curproc->p_vmspace;
	vm_map_t map = &vm->vm_map;
	vm_offset_t old, new = round_page(addr);
	bool wire = false;
	long result;

	vm_map_lock(map);
	old = round_page(vm->vm_brk);
	if (addr < vm->vm_brk_start || new < addr) {
		/* only asks */
	} else if (new <= old) {
		vm->vm_brk = addr;
		if (new < old)
			vm_map_delete(map, new, old);
	} else if (brk_allowed(vm, old, new) &&
	    vm_map_insert(map, NULL, 0, old, new, VM_MAPTYPE_NORMAL,
		VM_SUBSYS_BRK, VM_PROT_RW, VM_PROT_ALL, 0) == KERN_SUCCESS) {
		vm->vm_brk = addr;
		wire = (map->flags & MAP_WIREFUTURE) != 0;
	}
	result = vm->vm_brk;
	vm_map_unlock(map);
	if (wire)
		(void)vm_map_unwire(map, old, new, false);
	return result;
}
