/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Wiring: the pages of an entry are faulted in, mapped and kept.
 */
#include <vm/vm_fault.h>

/* Takes the wiring off what is mapped at va, if anything is. The page cannot
 * go away between the look at the PTE and its busy bit: it is wired. */
static void
unwire_page(pmap_t pmap, vm_offset_t va)
{
	vm_paddr_t pa = pmap_extract(pmap, va);
	vm_page_t m;

	if (pa == 0)
		return;
	pmap_change_wiring(pmap, va, false);
	m = vm_page_by_phys(pa);
	if (m == NULL)
		return;
	vm_page_busy_wait(m, false, "vmwrpg");
	vm_page_unwire(m, true);
	vm_page_wakeup(m);
}

/* Wires the pages of an entry that is marked wired and in transition. The
 * map's exclusive lock is given up meanwhile, since each page takes a fault;
 * the entry may be clipped then but stays. On failure, KERN_*, what was wired
 * is unwired again; the entry's marks are the caller's business. */
int
vm_fault_wire(vm_map_t map, vm_map_entry_t entry, bool user_wire, int kmflags)
{
	vm_offset_t start = entry->start, end = entry->end, va;
	vm_prot_t prot = user_wire ? VM_PROT_READ : VM_PROT_RW;
	int flags = user_wire ? VM_FAULT_USER_WIRE : VM_FAULT_CHANGE_WIRING;
	int result = KERN_SUCCESS;

	(void)kmflags;
	vm_map_unlock(map);
	for (va = start; va < end; va += PAGE_SIZE) {
		result = vm_fault(map, va, prot, flags);
		if (result != KERN_SUCCESS)
			break;
	}
	if (result != KERN_SUCCESS) {
		while (va > start) {
			va -= PAGE_SIZE;
			unwire_page(map->pmap, va);
		}
	}
	vm_map_lock(map);
	return result;
}

/* Unwires the pages of an entry. The map is locked exclusively. May sleep
 * for busy pages. */
void
vm_fault_unwire(vm_map_t map, vm_map_entry_t entry)
{
	for (vm_offset_t va = entry->start; va < entry->end; va += PAGE_SIZE)
		unwire_page(map->pmap, va);
}
