/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * madvise, and faulting ranges in before they are touched.
 */
#include <linux/errno.h>
#include <linux/mman.h>

#include <kern/proc.h>
#include <kern/syscalls.h>
#include <vm/vm_fault.h>
#include <vm/vm_map.h>
#include <vm/vm_mmap.h>

/*
 * Faults in start..end for prot, page by page. The first failure's KERN_*,
 * with all before it present; KERN_FAILURE for a process that is to die. No
 * lock held; may sleep long.
 */
int
vm_populate(vm_map_t map, vm_offset_t start, vm_offset_t end, vm_prot_t prot)
{
	vm_offset_t va;
	int rv;

	for (va = start; va < end; va += PAGE_SIZE) {
		if (long_loop_over())
			return KERN_FAILURE;
		rv = vm_fault(map, va, prot, VM_FAULT_NORMAL);
		if (rv != KERN_SUCCESS)
			return rv;
	}
	return KERN_SUCCESS;
}

/*
 * How far from start one entry goes that has the right prot, by its name and
 * not just because the CPU cannot do otherwise: KERN_SUCCESS and *end.
 */
static int
populate_part(vm_map_t map, vm_offset_t start, vm_offset_t *end, vm_prot_t prot)
{
	vm_map_entry_t entry;
	int rv = KERN_SUCCESS;

	vm_map_lock_read(map);
	if (!vm_map_lookup_entry(map, start, &entry))
		rv = KERN_INVALID_ADDRESS;
	else if ((entry->protection & prot) != prot)
		rv = KERN_PROTECTION_FAILURE;
	else
		*end = MIN(*end, entry->end);
	vm_map_unlock_read(map);
	return rv;
}

/* MADV_POPULATE_READ and MADV_POPULATE_WRITE: 0 or an errno. */
static int
madvise_populate(vm_map_t map, vm_offset_t start, vm_offset_t end, int advice)
{
	vm_prot_t prot =
	    advice == MADV_POPULATE_WRITE ? VM_PROT_WRITE : VM_PROT_READ;
	vm_offset_t part;
	int rv = KERN_SUCCESS;

	for (; start < end && rv == KERN_SUCCESS; start = part) {
		part = end;
		rv = populate_part(map, start, &part, prot);
		if (rv == KERN_SUCCESS)
			rv = vm_populate(map, start, part, prot);
	}
	switch (rv) {
	case KERN_SUCCESS:
		return 0;
	case KERN_INVALID_ADDRESS:
		return ENOMEM;
	case KERN_PROTECTION_FAILURE:
		return EINVAL;
	default:
		return EFAULT;
	}
}

/* madvise(2): 0, EINVAL, ENOMEM (holes), EACCES, EFAULT, EOPNOTSUPP. */
long
sys_madvise(uintptr_t addr, size_t len, int advice)
{
	vm_map_t map = &curproc->p_vmspace->vm_map;
	bool populate =
	    advice == MADV_POPULATE_READ || advice == MADV_POPULATE_WRITE;
	vm_offset_t end;

	/* An empty range tells whether the advice is known. */
	if (advice == MADV_INVAL || advice == MADV_SETMAP ||
	    (!populate && vm_map_madvise(map, 0, 0, advice, 0) != 0))
		return -EINVAL;
	if ((addr & PAGE_MASK) != 0 || (len != 0 && round_page(len) == 0))
		return -EINVAL;
	end = addr + round_page(len);
	if (end < addr)
		return -EINVAL;
	if (end == addr)
		return 0;
	if (populate)
		return -madvise_populate(map, addr, end, advice);
	return -vm_map_madvise(map, addr, end, advice, 0);
}

/*
 * DragonFly's mcontrol(2): madvise with MADV_INVAL and MADV_SETMAP, and the
 * value that the latter takes. 0 or an errno, as madvise; EINVAL too for a
 * mapping without a virtual page table, or a locked one.
 */
long
sys_mcontrol(uintptr_t addr, size_t len, int behav, uint64_t value)
{
	vm_map_t map = &curproc->p_vmspace->vm_map;
	vm_offset_t end;

	if (behav != MADV_INVAL && behav != MADV_SETMAP)
		return sys_madvise(addr, len, behav);
	if ((addr & PAGE_MASK) != 0 ||
	    __builtin_add_overflow(addr, len, &end) || round_page(end) < end)
		return -EINVAL;
	return -vm_map_madvise(map, addr, round_page(end), behav, value);
}
