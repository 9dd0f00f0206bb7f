/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Page-table pages of user address spaces: made on demand with a pv each,
 * freed when their last entry goes; and finding an entry.
 */
#include <amd64/machdep.h>
#include <pmap/pmap_var.h>
#include <vm/vm_kern.h>

int pmap_dynamic_delete = 1;

/* A zeroed, wired page. With M_NOWAIT NULL when memory is short, else it
 * sleeps as long as it takes. */
vm_page_t
pmap_ptpage_alloc(int flags)
{
	vm_page_t m;

	while ((m = kmem_page_alloc1(true)) == NULL) {
		if (flags & M_NOWAIT)
			return NULL;
		vm_wait("pmappt");
	}
	return m;
}

/* pmap_allocpte() where there is no such pv, or somebody has locked it. */
static __noinline pv_entry_t
pmap_makept(pmap_t pmap, vm_pindex_t pindex, int flags)
{
	pv_entry_t pv, pvp;
	pt_entry_t opte;
	vm_page_t m;
	bool isnew;

	pv = pv_alloc(pmap, pindex, flags, &isnew);
	if (!isnew)
		return pv;
	KKASSERT(pv_va(pindex) < VM_MAX_USER_ADDRESS);
	m = pmap_ptpage_alloc(flags);
	if (m == NULL) {
		pv_free(pv, NULL);
		return NULL;
	}
	/* At most three levels deep: the PML4 is always there. */
	pvp = pmap_allocpte(pmap, pv_parent(pindex), flags);
	if (pvp == NULL) {
		kmem_page_free1(m);
		pv_free(pv, NULL);
		return NULL;
	}
	pv->pv_m = m;
	pv->pv_flags = PV_FLAG_PGTABLE;
	SCHED_POINT("pmap.pt_made");
	pv_wire(pvp);
	/* From empty to valid: no CPU can have the old entry cached. */
	opte = atomic_swap_ulong(pv_pte(pvp, pindex),
	    VM_PAGE_TO_PHYS(m) | X86_PG_V | X86_PG_RW | X86_PG_U | X86_PG_A);
	KASSERT(opte == 0, ("page table %#lx: entry was %#lx", pindex, opte));
	atomic_add_long(&pmap->pm_ptpages, 1);
	SCHED_POINT("pmap.pt_linked");
	pv_put(pvp);
	return pv;
}

/* The pv of the page-table page that was found last, locked and held, if it is
 * the one asked for and nobody has locked it. Mostly so: a fault wants the table
 * that the fault before it had. */
static inline pv_entry_t
pt_found_last(pmap_t pmap, vm_pindex_t pindex)
{
	pv_entry_t pv;
	uint32_t count;

	SCHED_POINT("pmap.pt_found_last");
	spin_lock(&pmap->pm_spin);
	pv = pmap->pm_pvhint_pt;
	if (pv != NULL && pv->pv_pindex == pindex) {
		count = atomic_load_uint(&pv->pv_hold);
		if ((count & PV_HOLD_LOCKED) != 0 ||
		    !atomic_cmpset_uint(
			&pv->pv_hold, count, (count + 1) | PV_HOLD_LOCKED))
			pv = NULL;
	} else {
		pv = NULL;
	}
	spin_unlock(&pmap->pm_spin);
	if (pv != NULL)
		witness_got(WK_PV, pv, pv_lock_name(pindex), false);
	return pv;
}

/*
 * The pv of a page-table page, locked and held, with its page, which is made
 * and entered in its parent when there was none. With M_NOWAIT it gives up,
 * NULL and nothing changed, where it would sleep. A lock of an index below
 * this one's level may be held.
 */
pv_entry_t
pmap_allocpte(pmap_t pmap, vm_pindex_t pindex, int flags)
{
	pv_entry_t pv = pt_found_last(pmap, pindex);

	return likely(pv != NULL) ? pv : pmap_makept(pmap, pindex, flags);
}

/*
 * Unlocks a page-table page, freed if it holds no entry, and likewise its
 * parents. May sleep for the locks of the levels above.
 */
void
pmap_pt_prune(pv_entry_t pv)
{
	pmap_t pmap = pv->pv_pmap;

	while (pv->pv_pindex != PV_PML4 && pv->pv_m->wire_count == 1) {
		pv_entry_t pvp = pv_get(pmap, pv_parent(pv->pv_pindex), NULL);
		vm_page_t m = pv->pv_m;
		pt_entry_t opte;

		/* One address is enough: INVLPG also forgets all that the
		 * CPU remembers of the upper levels (SDM vol. 3, 4.10.4.1),
		 * so no walker looks at the page any more after this. */
		KKASSERT(pvp != NULL);
		SCHED_POINT("pmap.pt_prune");
		opte = pmap_inval_smp(pmap, pv_va(pv->pv_pindex), 1,
		    pv_pte(pvp, pv->pv_pindex), 0);
		KASSERT((opte & X86_PG_FRAME) == VM_PAGE_TO_PHYS(m),
		    ("page table %#lx: entry was %#lx", pv->pv_pindex, opte));
		SCHED_POINT("pmap.pt_pruned");
		atomic_subtract_long(&pmap->pm_ptpages, 1);
		pv->pv_m = NULL;
		pv_free(pv, pvp);
		/* Only now: pmap_pte_peek() reads tables whose pv it finds
		 * in the tree. */
		kmem_page_free1(m);
		pv = pvp;
	}
	pv_put(pv);
}

/* pv_put for a page-table page that may have lost its last entry. */
void
pmap_pt_put(pv_entry_t pv)
{
	if (pmap_dynamic_delete)
		pmap_pt_prune(pv);
	else
		pv_put(pv);
}

/*
 * The leaf entry of va, or NULL when there is no page table or a large page
 * is mapped. Takes no lock: the caller keeps the page table from going, by
 * the lock of a leaf's index that is mapped, or by its page's m->spin.
 */
pt_entry_t *
pmap_pte(pmap_t pmap, vm_offset_t va)
{
	pt_entry_t *table = pmap->pm_pml4;

	for (int shift = 39;; shift -= 9) {
		pt_entry_t *ptep = &table[(va >> shift) & (NPTE - 1)];
		pt_entry_t pte;

		if (shift == PAGE_SHIFT)
			return ptep;
		pte = pte_load(ptep);
		if ((pte & X86_PG_V) == 0 ||
		    (shift < 39 && (pte & X86_PG_PS) != 0))
			return NULL;
		table = (pt_entry_t *)PHYS_TO_DMAP(pte & X86_PG_FRAME);
	}
}

/*
 * What a user address's leaf entry holds at this instant, 0 when there is
 * none. Never sleeps. A page table is freed only after its pv left the
 * tree, so pm_spin is enough to read it.
 */
pt_entry_t
pmap_pte_peek(pmap_t pmap, vm_offset_t va)
{
	pt_entry_t pte = 0;
	pv_entry_t pv;

	spin_lock(&pmap->pm_spin);
	pv = pv_lookup(pmap, PV_PT(va));
	if (pv != NULL && __atomic_load_n(&pv->pv_m, __ATOMIC_ACQUIRE) != NULL)
		pte = pte_load(pv_pte(pv, PV_PTE(va)));
	spin_unlock(&pmap->pm_spin);
	return pte;
}
