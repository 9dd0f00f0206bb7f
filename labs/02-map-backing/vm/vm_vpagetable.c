/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Page tables in software: where a fault on a VM_MAPTYPE_VPAGETABLE mapping
 * finds the index of its page.
 *
 * Such a mapping is not linear. The table that its program keeps in pages of
 * the mapped object says which page of that object appears at each address; a
 * vkernel runs its processes on it. The kernel walks the table as the CPU
 * walks its own, and leaves the same traces in it.
 *
 * This is the mechanism as DragonFly had it before part 6 of the rework. It
 * shares code that takes every entry for a linear one, which is wrong for
 * this type: each such place says "linear" in a comment.
 */
#include <pmap/pmap.h>
#include <vm/vm_faultstate.h>
#include <vm/vpte.h>

/* Whether an entry lets such an access through. KERN_*. */
static int
vpte_permits(vpte_t vpte, vm_prot_t fault_type)
{
	if ((vpte & VPTE_V) == 0)
		return KERN_INVALID_ADDRESS;
	if ((fault_type & VM_PROT_WRITE) && (vpte & VPTE_RW) == 0)
		return KERN_PROTECTION_FAILURE;
	if ((fault_type & VM_PROT_EXECUTE) && (vpte & VPTE_NX))
		return KERN_PROTECTION_FAILURE;
	return KERN_SUCCESS;
}

/*
 * Reads an entry of the table page fs->m and marks it as used, if it permits
 * the access: looked at and marked in one step, as its program may change it
 * at any time. M goes into every level, directories included. The page is
 * hard-busy.
 */
static vpte_t
vpte_fetch(struct faultstate *fs, vm_pindex_t slot, vm_prot_t fault_type)
{
	vpte_t *table = (vpte_t *)PHYS_TO_DMAP(VM_PAGE_TO_PHYS(fs->m));
	vpte_t marks = VPTE_A, vpte;

	if (fault_type & VM_PROT_WRITE)
		marks |= VPTE_M;
	vpte = atomic_load_ulong(&table[slot]);
	while (vpte_permits(vpte, fault_type) == KERN_SUCCESS &&
	    (vpte & marks) != marks) {
		if (atomic_fcmpset_ulong(&table[slot], &vpte, vpte | marks)) {
			vm_page_dirty(fs->m);
			return vpte | marks;
		}
	}
	return vpte;
}

/* Makes fs look at another page of the first object. */
static void
vpt_seek(struct faultstate *fs, vm_pindex_t pindex)
{
	fs->first_pindex = pindex;
	fs->ba = fs->first_ba;
	fs->pindex = pindex;
	fs->first_m = NULL;
	fs->m = NULL;
}

/*
 * One level: the entry in this slot of the table page at index frame of the
 * object. The page is faulted in for writing, because of the marks. KERN_*;
 * what is not KERN_SUCCESS has taken the pass back.
 */
static int
vpt_level(struct faultstate *fs, vm_pindex_t frame, vm_pindex_t slot,
    vm_prot_t fault_type, vpte_t *vpte)
{
	int result;

	vpt_seek(fs, frame);
	result = vm_fault_object(fs, VM_PROT_RW);
	if (result != KERN_SUCCESS)
		return result;
	KKASSERT(fs->ba == fs->first_ba);
	*vpte = vpte_fetch(fs, slot, fault_type);
	if ((fs->m->flags & PG_REFERENCED) == 0)
		atomic_set_uint(&fs->m->flags, PG_REFERENCED);
	vm_page_wakeup(fs->m);
	return KERN_SUCCESS;
}

/*
 * Translates fs->first_pindex, which counts pages from the beginning of the
 * mapping (and of the offset it was made with), to the index of the page in
 * the object, and reduces fs->first_prot to what the table's last entry
 * permits. A page that is only read is not to be mapped writable before M is
 * set: the first write must fault, to set it.
 *
 * fs comes from vm_fault_lookup; its first object is held. To keep the
 * answer true until the page is mapped, the caller has an interlock on the
 * address. KERN_INVALID_ADDRESS, KERN_PROTECTION_FAILURE: the table has no
 * such page or not for such an access; what is not KERN_SUCCESS leaves the
 * map unlocked and only the first object held. May sleep.
 */
int
vm_fault_vpagetable(struct faultstate *fs, vm_prot_t fault_type)
{
	vpte_t vpte = fs->entry->aux.master_pde;
	vm_pindex_t index = fs->first_pindex;
	int bits = VPTE_INDEX_BITS, result;

	/* A table that its program may not write keeps its marks. */
	if ((fs->first_prot & VM_PROT_WRITE) == 0) {
		vm_fault_unlock_map(fs);
		return KERN_PROTECTION_FAILURE;
	}
	for (;;) {
		result = vpte_permits(vpte, fault_type);
		if (result != KERN_SUCCESS) {
			vm_fault_unlock_map(fs);
			return result;
		}
		if ((vpte & VPTE_PS) || bits == 0)
			break;
		bits -= VPTE_PAGE_BITS;
		result = vpt_level(fs, OFF_TO_IDX(vpte & VPTE_FRAME),
		    (index >> bits) & VPTE_PAGE_MASK, fault_type, &vpte);
		if (result != KERN_SUCCESS)
			return result;
	}
	if ((fault_type & VM_PROT_WRITE) == 0 &&
	    (vpte & (VPTE_RW | VPTE_M)) != (VPTE_RW | VPTE_M))
		fs->first_prot &= ~VM_PROT_WRITE;
	if (vpte & VPTE_NX)
		fs->first_prot &= ~VM_PROT_EXECUTE;
	vpt_seek(
	    fs, OFF_TO_IDX(vpte & VPTE_FRAME) + (index & ((1UL << bits) - 1)));
	return KERN_SUCCESS;
}
