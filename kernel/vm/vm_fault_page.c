/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Getting at the page behind an address without mapping it: for reading and
 * writing another process's memory.
 */
#include <linux/errno.h>

#include <vm/vm_faultstate.h>

/* One pass of a fault, up to the page. On KERN_SUCCESS fs->m is hard-busy,
 * and nothing else is held. */
static int
page_pass(
    struct faultstate *fs, vm_offset_t va, vm_prot_t prot, bool *growstack)
{
	bool write = (prot & VM_PROT_WRITE) != 0;
	int result;

	result = vm_fault_lookup(fs, va, prot, growstack);
	if (result != KERN_SUCCESS)
		return result;
	vm_fault_hold_first(fs);
	if (fs->wired)
		prot = fs->first_prot;
	if (fs->entry->maptype == VM_MAPTYPE_VPAGETABLE)
		result = vm_fault_vpagetable(fs, prot);
	if (result == KERN_SUCCESS)
		result = vm_fault_object(fs, prot);
	if (result == KERN_SUCCESS) {
		if (fs->m->flags & PG_FICTITIOUS) {
			/* A device: there is nothing in the direct map. */
			vm_fault_release_page(fs);
			result = KERN_FAILURE;
		} else if (write && (fs->prot & VM_PROT_WRITE) == 0) {
			vm_fault_release_page(fs);
			result = KERN_PROTECTION_FAILURE;
		} else if (write) {
			/* The writing will go by the direct map. What the
			 * process has mapped there may be the page from
			 * before the copy. */
			vm_page_dirty(fs->m);
			pmap_remove(fs->map->pmap, trunc_page(va),
			    trunc_page(va) + PAGE_SIZE);
		}
		vm_fault_unlock_things(fs);
	}
	vm_fault_drop_first(fs);
	return result;
}

/* The page behind va of a map, present for prot. For reading, a page that
 * is mapped already is found by its PTE. To be written, it comes back
 * hard-busy (*busyp true; release by vm_page_wakeup), dirty and not mapped at
 * va; otherwise held (vm_page_unhold). VM_PROT_OVERRIDE_WRITE copies where
 * the entry is read-only. NULL, and KERN_* in *errorp, where a fault would
 * fail. No lock or token is held; may sleep. */
vm_page_t
vm_fault_page(vm_map_t map, vm_offset_t va, vm_prot_t prot, int flags,
    int *errorp, bool *busyp)
{
	struct faultstate fs;
	bool growstack = true;
	vm_page_t m;

	KKASSERT((flags & VM_FAULT_WIRE_MASK) == 0);
	*busyp = false;
	*errorp = KERN_SUCCESS;
	if ((prot & VM_PROT_WRITE) == 0) {
		m = pmap_fault_page_quick(map->pmap, trunc_page(va), prot);
		if (m != NULL) {
			vm_page_hold(m);
			vm_page_sbusy_drop(m);
			return m;
		}
	}

	vm_fault_setup(&fs, map, flags);
	do {
		fs.map = map;
		*errorp = page_pass(&fs, va, prot, &growstack);
	} while (*errorp == KERN_TRY_AGAIN);
	if (*errorp != KERN_SUCCESS)
		return NULL;

	m = fs.m;
	if (prot & VM_PROT_WRITE) {
		*busyp = true;
	} else {
		vm_page_hold(m);
		vm_page_wakeup(m);
	}
	return m;
}
