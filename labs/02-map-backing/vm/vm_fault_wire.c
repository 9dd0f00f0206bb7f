/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Wiring: the pages of an entry are faulted in, mapped and kept.
 */
#include <kern/proc.h>
#include <vm/vm_fault.h>

/* Takes one wiring off a page. It cannot go away before its busy bit is had:
 * it is wired. */
static void
unwire_page(vm_page_t m)
{
	vm_page_busy_wait(m, false, "vmwrpg");
	vm_page_unwire(m, true);
	vm_page_wakeup(m);
}

/* Takes the wiring off a page of an entry that is not mapped any more: a
 * file's, that was cut off by a truncation. Being wired it stayed in its
 * object, without data. The map is locked exclusively. */
static void
unwire_unmapped(vm_map_entry_t entry, vm_offset_t va)
{
	struct vm_map_backing *ba;
	vm_ooffset_t offset = va - entry->start;
	vm_pindex_t pindex;
	vm_page_t m = NULL;

	for (ba = &entry->ba; ba != NULL && m == NULL; ba = ba->backing_ba) {
		offset += ba->offset;
		pindex = OFF_TO_IDX(offset);
		vm_object_hold(ba->object);
		m = vm_page_lookup(ba->object, pindex);
		if (m != NULL && m->wire_count != 0) {
			bool cut_off = m->valid == 0;

			unwire_page(m);
			if (cut_off)
				vm_object_page_remove(
				    ba->object, pindex, pindex + 1, true);
		}
		vm_object_drop(ba->object);
	}
}

/* Takes the wiring off what the entry shows at va. The map is locked
 * exclusively; may sleep. */
static void
unwire_va(vm_map_t map, vm_map_entry_t entry, vm_offset_t va)
{
	vm_paddr_t pa = pmap_extract(map->pmap, va);
	vm_page_t m;

	if (pa == 0) {
		unwire_unmapped(entry, va);
		return;
	}
	pmap_change_wiring(map->pmap, va, false);
	/* A device's pages count no wirings, and may have addresses that the
	 * page array covers. */
	if (entry->ba.object->type == OBJT_DEVICE)
		return;
	m = vm_page_by_phys(pa);
	if (m != NULL)
		unwire_page(m);
}

/* Wires the pages of an entry that is marked wired and in transition. The
 * map's exclusive lock is given up meanwhile, since each page takes a fault;
 * the entry may be cut in pieces then, but none of them goes. On failure,
 * KERN_*, what was wired is unwired again; the marks are the caller's
 * business. */
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
		result = KERN_FAILURE;
		if (!long_loop_over())
			result = vm_fault(map, va, prot, flags);
		if (result != KERN_SUCCESS)
			break;
	}
	vm_map_lock(map);
	if (result == KERN_SUCCESS)
		return result;
	while (va > start) {
		va -= PAGE_SIZE;
		if (vm_map_lookup_entry(map, va, &entry))
			unwire_va(map, entry, va);
	}
	return result;
}

/* Unwires the pages of an entry. The map is locked exclusively. May sleep
 * for busy pages. */
void
vm_fault_unwire(vm_map_t map, vm_map_entry_t entry)
{
	for (vm_offset_t va = entry->start; va < entry->end; va += PAGE_SIZE)
		unwire_va(map, entry, va);
}
