/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Taking mappings away, and rights from them, by address.
 */
#include <pmap/pmap_var.h>

/*
 * A walk over what is mapped in a range. fn gets each leaf locked, by its pv
 * (managed) or else by a placemarker, and its page table locked; it releases
 * the leaf, not the page table.
 */
struct pmap_scan {
	pmap_t pmap;
	vm_offset_t eva;
	void (*fn)(struct pmap_scan *scan, pv_entry_t pv, vm_pindex_t *pmark,
	    pv_entry_t pt_pv, vm_offset_t va);
	bool inval;	/* other CPUs may have it cached */
	uint64_t pages; /* leaves that fn was called for */
};

/* Hands A and M bits of an entry that was m's at va, and is gone or has lost
 * them, on to the page, unless they are of no account. */
void
pmap_fold(vm_page_t m, vm_offset_t va, pt_entry_t opte)
{
	if (!pmap_track_modified(va))
		return;
	SCHED_POINT("pmap.fold");
	if (opte & X86_PG_M)
		vm_page_dirty(m);
	if ((opte & X86_PG_A) && (m->flags & PG_REFERENCED) == 0)
		atomic_set_uint(&m->flags, PG_REFERENCED);
}

/* Counts a mapping that is no more. */
void
pmap_account_gone(pmap_t pmap, pt_entry_t opte)
{
	atomic_subtract_long(&pmap->pm_resident, 1);
	if (opte & X86_PG_W)
		atomic_subtract_long(&pmap->pm_wired, 1);
}

/* Takes a locked leaf pv off its page's list; its entry is gone and folded
 * already, so that who finds the list empty knows all there is to know. */
void
pmap_unlink_page(pv_entry_t pv)
{
	vm_page_t m = pv->pv_m;

	SCHED_POINT("pmap.unlink");
	spin_lock(&m->spin);
	pv->pv_m = NULL;
	TAILQ_REMOVE(&m->md.pv_list, pv, pv_list);
	if (TAILQ_EMPTY(&m->md.pv_list))
		atomic_clear_uint(&m->flags, PG_MAPPED | PG_WRITEABLE);
	spin_unlock(&m->spin);
	SCHED_POINT("pmap.unlinked");
}

/* Takes an entry away, from this CPU's page tables only when inval is false:
 * then no other CPU uses them. */
static pt_entry_t
pmap_take_pte(pmap_t pmap, vm_offset_t va, pt_entry_t *ptep, bool inval)
{
	pt_entry_t opte;

	SCHED_POINT("pmap.take");
	if (inval)
		opte = pmap_inval_smp(pmap, va, 1, ptep, 0);
	else
		opte = atomic_swap_ulong(ptep, 0);
	SCHED_POINT("pmap.taken");
	KASSERT(opte & X86_PG_V, ("nothing mapped at %#lx: %#lx", va, opte));
	pmap_account_gone(pmap, opte);
	return opte;
}

/* Removes a managed mapping: its pv is locked and consumed, the page table's
 * is locked and stays. */
void
pmap_remove_pv(pv_entry_t pv, pv_entry_t pt_pv, bool inval)
{
	vm_pindex_t pindex = pv->pv_pindex;
	pt_entry_t opte;

	opte = pmap_take_pte(
	    pv->pv_pmap, pv_va(pindex), pv_pte(pt_pv, pindex), inval);
	KASSERT((opte & X86_PG_MANAGED) &&
		(opte & X86_PG_FRAME) == VM_PAGE_TO_PHYS(pv->pv_m),
	    ("%#lx: entry %#lx, pv says page %#lx", pv_va(pindex), opte,
		VM_PAGE_TO_PHYS(pv->pv_m)));
	SCHED_POINT("pmap.remove_fold");
	pmap_fold(pv->pv_m, pv_va(pindex), opte);
	pmap_unlink_page(pv);
	pv_free(pv, pt_pv);
}

/* Removes a mapping that has no pv; the caller holds its placemarker. */
void
pmap_remove_unmanaged(pmap_t pmap, pv_entry_t pt_pv, vm_offset_t va, bool inval)
{
	pmap_take_pte(pmap, va, pv_pte(pt_pv, PV_PTE(va)), inval);
	SCHED_POINT("pmap.remove_unmanaged");
	pv_unwire(pt_pv);
}

/*
 * The first page table, locked, that maps anything in [*vap, eva); *vap
 * moves up to where it begins. NULL when there is none.
 */
static pv_entry_t
pmap_scan_pt(pmap_t pmap, vm_offset_t *vap, vm_offset_t eva)
{
	for (;;) {
		pv_entry_t pv;
		bool locked;

		spin_lock(&pmap->pm_spin);
		pv = pv_nfind(pmap, PV_PT(*vap));
		if (pv == NULL || pv->pv_pindex > PV_PT(eva - 1)) {
			spin_unlock(&pmap->pm_spin);
			return NULL;
		}
		locked = pv_hold_try(pv);
		spin_unlock(&pmap->pm_spin);
		if (locked) {
			*vap = MAX(*vap, pv_va(pv->pv_pindex));
			return pv;
		}
		pv_wait(pv);
	}
}

/*
 * Walks one page table, locked, from va to end; releases it. Where to go on:
 * end, or an address that has to be tried again because its leaf was locked
 * (the leaf comes before the page table in the order of locks, so we may
 * not wait for it here).
 */
static vm_offset_t
pmap_scan_leaves(
    struct pmap_scan *scan, pv_entry_t pt_pv, vm_offset_t va, vm_offset_t end)
{
	pt_entry_t *ptep = pv_pte(pt_pv, PV_PTE(va));

	for (; va < end; va += PAGE_SIZE, ptep++) {
		vm_pindex_t *pmark;
		pv_entry_t pv;
		bool busy;

		/* Unlocked: what is being entered meanwhile may be missed,
		 * as if it came a little later. */
		if (pte_load(ptep) == 0)
			continue;
		pmark = NULL;
		SCHED_POINT("pmap.scan_seen");
		pv = pv_get_try(scan->pmap, PV_PTE(va), &pmark, &busy);
		if (busy) {
			pmap_pt_put(pt_pv);
			if (pv != NULL)
				pv_wait(pv);
			else
				pv_placemarker_wait(pmark);
			return va;
		}
		if (pte_load(ptep) == 0) {
			KKASSERT(pv == NULL);
			pv_placemarker_wakeup(pmark);
			continue;
		}
		SCHED_POINT("pmap.scan_locked");
		scan->pages++;
		scan->fn(scan, pv, pmark, pt_pv, va);
	}
	/* Without shootdown the tables stay as well, for pmap_release. */
	if (scan->inval)
		pmap_pt_put(pt_pv);
	else
		pv_put(pt_pv);
	return end;
}

/* Calls scan->fn for each leaf mapped in [sva, scan->eva). May sleep. */
static void
pmap_scan(struct pmap_scan *scan, vm_offset_t sva)
{
	vm_offset_t va = trunc_page(sva), end;
	pv_entry_t pt_pv;

	KASSERT(scan->pmap != &kernel_pmap && scan->eva <= VM_MAX_USER_ADDRESS,
	    ("not user addresses: %#lx-%#lx", sva, scan->eva));
	while (va < scan->eva) {
		pt_pv = pmap_scan_pt(scan->pmap, &va, scan->eva);
		if (pt_pv == NULL)
			break;
		end = (va + NBPDR) & ~(NBPDR - 1);
		va = pmap_scan_leaves(scan, pt_pv, va, MIN(end, scan->eva));
	}
}

/* For pmap_remove: takes the mapping away. */
static void
pmap_remove_leaf(struct pmap_scan *scan, pv_entry_t pv, vm_pindex_t *pmark,
    pv_entry_t pt_pv, vm_offset_t va)
{
	if (pv != NULL) {
		pmap_remove_pv(pv, pt_pv, scan->inval);
	} else {
		pmap_remove_unmanaged(scan->pmap, pt_pv, va, scan->inval);
		pv_placemarker_wakeup(pmark);
	}
}

/* Removes all mappings in [sva, eva), and page tables left empty. What is
 * entered at the same time may stay: the caller's map lock is what keeps
 * faults out. May sleep. */
void
pmap_remove(pmap_t pmap, vm_offset_t sva, vm_offset_t eva)
{
	struct pmap_scan scan = {
	    .pmap = pmap,
	    .eva = eva,
	    .fn = pmap_remove_leaf,
	    .inval = true,
	};

	pmap_scan(&scan, sva);
	if (scan.pages != 0)
		trace(TR_REMOVE, (uint64_t)pmap, sva, eva, scan.pages);
}

/* See pmap.h. Plain exchanges, and this CPU forgets everything at the end;
 * unless some thread still leaves the kernel on another CPU: then as
 * pmap_remove does. The page tables stay until pmap_release. */
void
pmap_remove_pages(pmap_t pmap, vm_offset_t sva, vm_offset_t eva)
{
	struct pmap_scan scan = {
	    .pmap = pmap,
	    .eva = eva,
	    .fn = pmap_remove_leaf,
	};

	crit_enter();
	SCHED_POINT("pmap.remove_pages");
	scan.inval = (pmap->pm_active & ~CPUMASK(mycpuid)) != 0;
	crit_exit();
	if (!scan.inval)
		atomic_set_uint(&pmap->pm_flags, PMAP_SWEPT);
	pmap_scan(&scan, sva);
	if (!scan.inval)
		pmap_inval_smp(pmap, sva, (eva - sva) >> PAGE_SHIFT, NULL, 0);
	if (scan.pages != 0)
		trace(TR_REMOVE, (uint64_t)pmap, sva, eva, scan.pages);
}

/* Write-protects a leaf. The bits are folded before they are cleared, since
 * pmap_clearbit does not wait for the lock of an entry that cannot write. */
static void
pmap_protect_leaf(struct pmap_scan *scan, pv_entry_t pv, vm_pindex_t *pmark,
    pv_entry_t pt_pv, vm_offset_t va)
{
	pt_entry_t *ptep = pv_pte(pt_pv, PV_PTE(va));
	pt_entry_t opte, npte, clear = X86_PG_RW;

	if (pv != NULL)
		clear |= X86_PG_M | X86_PG_A;
	do {
		opte = pte_load(ptep);
		npte = opte & ~clear;
		if (pv != NULL)
			pmap_fold(pv->pv_m, va, opte);
		SCHED_POINT("pmap.protect_tentative");
	} while (npte != opte &&
	    !pmap_inval_smp_cmpset(scan->pmap, va, ptep, opte, npte));
	if (pv != NULL)
		pv_put(pv);
	else
		pv_placemarker_wakeup(pmark);
}

/* See pmap.h. May sleep. */
void
pmap_protect(pmap_t pmap, vm_offset_t sva, vm_offset_t eva, vm_prot_t prot)
{
	struct pmap_scan scan = {
	    .pmap = pmap,
	    .eva = eva,
	    .fn = pmap_protect_leaf,
	    .inval = true,
	};

	if ((prot & (VM_PROT_READ | VM_PROT_EXECUTE)) == 0) {
		pmap_remove(pmap, sva, eva);
		return;
	}
	if (prot & VM_PROT_WRITE)
		return;
	pmap_scan(&scan, sva);
	if (scan.pages != 0)
		trace(TR_PROTECT, (uint64_t)pmap, sva, eva, prot);
}

/* For pmap_change_wiring: marks the mapping wired. */
static void
pmap_wire_leaf(struct pmap_scan *scan, pv_entry_t pv, vm_pindex_t *pmark,
    pv_entry_t pt_pv, vm_offset_t va)
{
	pt_entry_t *ptep = pv_pte(pt_pv, PV_PTE(va));

	if ((pte_load(ptep) & X86_PG_W) == 0) {
		/* The CPU ignores this bit: nothing to invalidate. */
		atomic_set_ulong(ptep, X86_PG_W);
		atomic_add_long(&scan->pmap->pm_wired, 1);
	}
	if (pv != NULL)
		pv_put(pv);
	else
		pv_placemarker_wakeup(pmark);
}

/* And not wired. */
static void
pmap_unwire_leaf(struct pmap_scan *scan, pv_entry_t pv, vm_pindex_t *pmark,
    pv_entry_t pt_pv, vm_offset_t va)
{
	pt_entry_t *ptep = pv_pte(pt_pv, PV_PTE(va));

	if ((pte_load(ptep) & X86_PG_W) != 0) {
		atomic_clear_ulong(ptep, X86_PG_W);
		atomic_subtract_long(&scan->pmap->pm_wired, 1);
	}
	if (pv != NULL)
		pv_put(pv);
	else
		pv_placemarker_wakeup(pmark);
}

/* Marks the mapping of va, if there is one, wired or not. The page's own
 * wire_count is the caller's business. May sleep. */
void
pmap_change_wiring(pmap_t pmap, vm_offset_t va, bool wired)
{
	struct pmap_scan scan = {
	    .pmap = pmap,
	    .eva = trunc_page(va) + PAGE_SIZE,
	    .fn = wired ? pmap_wire_leaf : pmap_unwire_leaf,
	    .inval = true,
	};

	pmap_scan(&scan, va);
}
