/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Mapping pages at user addresses.
 */
#include <pmap/pmap_var.h>

/* The entry that maps m with these rights: born accessed, never modified. */
static inline pt_entry_t
pmap_make_pte(vm_page_t m, vm_prot_t prot, bool wired)
{
	pt_entry_t pte = VM_PAGE_TO_PHYS(m) | X86_PG_V | X86_PG_U | X86_PG_A |
	    PAT_TO_PTE(m->pat_mode);

	if (prot & VM_PROT_WRITE)
		pte |= X86_PG_RW;
	if ((prot & VM_PROT_EXECUTE) == 0)
		pte |= X86_PG_NX;
	if (wired)
		pte |= X86_PG_W;
	if ((m->flags & PG_UNMANAGED) == 0)
		pte |= X86_PG_MANAGED;
	if (m->flags & PG_FICTITIOUS)
		pte |= X86_PG_DEVICE;
	return pte;
}

/* Says that m may be written through a mapping; before the mapping can. */
static void
pmap_page_writeable(vm_page_t m)
{
	SCHED_POINT("pmap.enter_writeable");
	spin_lock(&m->spin);
	if ((m->flags & PG_WRITEABLE) == 0)
		atomic_set_uint(&m->flags, PG_WRITEABLE);
	spin_unlock(&m->spin);
}

/* Puts a locked pv without a page on m's list of mappings. */
static void
pmap_link_page(pv_entry_t pv, vm_page_t m, pt_entry_t npte)
{
	uint32_t flags = PG_MAPPED;

	if (npte & X86_PG_RW)
		flags |= PG_WRITEABLE;
	KKASSERT(pv->pv_m == NULL);
	spin_lock(&m->spin);
	pv->pv_m = m;
	TAILQ_INSERT_TAIL(&m->md.pv_list, pv, pv_list);
	if ((m->flags & flags) != flags)
		atomic_set_uint(&m->flags, flags);
	spin_unlock(&m->spin);
}

/* Counts a mapping that now is. */
static void
pmap_account_new(pmap_t pmap, pt_entry_t npte)
{
	atomic_add_long(&pmap->pm_resident, 1);
	if (npte & X86_PG_W)
		atomic_add_long(&pmap->pm_wired, 1);
}

/*
 * The page stays, its rights or its wiring change. The leaf is locked and
 * the page busy; A and M may still be changed by CPUs and by
 * pmap_ts_referenced.
 */
static void
pmap_enter_same(
    pmap_t pmap, vm_offset_t va, vm_page_t m, pt_entry_t *ptep, pt_entry_t npte)
{
	pt_entry_t opte, keep = X86_PG_A;

	if (npte & X86_PG_RW) {
		pmap_page_writeable(m);
		keep |= X86_PG_M;
	}
	do {
		opte = pte_load(ptep);
		SCHED_POINT("pmap.enter_tentative");
	} while (
	    !pmap_inval_smp_cmpset(pmap, va, ptep, opte, npte | (opte & keep)));
	SCHED_POINT("pmap.enter_changed");
	pmap_fold(m, va, opte & ~keep);
	if ((opte ^ npte) & X86_PG_W)
		atomic_add_long(&pmap->pm_wired, npte & X86_PG_W ? 1 : -1);
}

/*
 * Maps a managed page. The order, when another page is mapped there: its
 * entry is swapped to zero on all CPUs and it loses the pv; then the new
 * page gets the pv; then the new entry is stored. So a pv on a page's list
 * never stands for another page's entry, which the reverse operations rely
 * on. With M_NOWAIT it gives up, false, where it would sleep or where
 * anything is mapped.
 */
static bool
pmap_enter_managed(
    pmap_t pmap, vm_offset_t va, vm_page_t m, pt_entry_t npte, int flags)
{
	pv_entry_t pv, pt_pv;
	pt_entry_t opte, *ptep;
	bool isnew;

	pv = pv_alloc(pmap, PV_PTE(va), flags, &isnew);
	if (pv == NULL)
		return false;
	if (!isnew && (flags & M_NOWAIT)) {
		pv_put(pv);
		return false;
	}
	SCHED_POINT("pmap.enter_leaf");
	pt_pv = pmap_allocpte(pmap, PV_PT(va), flags);
	if (pt_pv == NULL) {
		KKASSERT(isnew);
		pv_free(pv, NULL);
		return false;
	}
	if (isnew)
		pv_wire(pt_pv);
	ptep = pv_pte(pt_pv, PV_PTE(va));
	opte = pte_load(ptep);
	SCHED_POINT("pmap.enter_looked");
	KASSERT(isnew == ((opte & X86_PG_MANAGED) == 0),
	    ("pmap_enter: %#lx has entry %#lx and a %s pv", va, opte,
		isnew ? "new" : "old"));

	if (((opte ^ npte) & ~(X86_PG_A | X86_PG_M)) == 0)
		goto done; /* another thread's fault was faster */
	if (!isnew && pv->pv_m == m && ((opte ^ npte) & X86_PG_FRAME) == 0) {
		pmap_enter_same(pmap, va, m, ptep, npte);
		goto done;
	}
	if (opte != 0) {
		if (flags & M_NOWAIT) {
			pv_free(pv, pt_pv);
			pmap_pt_put(pt_pv);
			return false;
		}
		opte = pmap_inval_smp(pmap, va, 1, ptep, 0);
		pmap_account_gone(pmap, opte);
		SCHED_POINT("pmap.enter_swapped");
		if (opte & X86_PG_MANAGED) {
			pmap_fold(pv->pv_m, va, opte);
			SCHED_POINT("pmap.enter_folded");
			pmap_unlink_page(pv);
		} else {
			pv_unwire(pt_pv); /* the new pv has its own */
		}
	}
	SCHED_POINT("pmap.enter_link");
	pmap_link_page(pv, m, npte);
	SCHED_POINT("pmap.enter_linked");
	pmap_account_new(pmap, npte);
	SCHED_POINT("pmap.enter_store");
	/* From empty to valid: nothing to invalidate. */
	opte = atomic_swap_ulong(ptep, npte);
	KASSERT(opte == 0, ("pmap_enter: %#lx became %#lx", va, opte));
	SCHED_POINT("pmap.enter_stored");
done:
	pv_put(pv);
	pv_put(pt_pv); /* it holds this entry at least */
	return true;
}

/*
 * Maps a page that no pv may stand for. The leaf's index is locked by a
 * placemarker; a managed page that is mapped there goes first.
 */
static __noinline void
pmap_enter_unmanaged(pmap_t pmap, vm_offset_t va, vm_page_t m, pt_entry_t npte)
{
	pv_entry_t pv, pt_pv;
	vm_pindex_t *pmark;
	pt_entry_t opte, *ptep;

	while ((pv = pv_get(pmap, PV_PTE(va), &pmark)) != NULL) {
		pt_pv = pv_get(pmap, PV_PT(va), NULL);
		pmap_remove_pv(pv, pt_pv, true);
		pmap_pt_put(pt_pv);
	}
	pt_pv = pmap_allocpte(pmap, PV_PT(va), M_WAITOK);
	ptep = pv_pte(pt_pv, PV_PTE(va));
	opte = pte_load(ptep);
	SCHED_POINT("pmap.enter_unmanaged");
	if (((opte ^ npte) & ~(X86_PG_A | X86_PG_M)) != 0) {
		if (opte != 0) {
			opte = pmap_inval_smp(pmap, va, 1, ptep, 0);
			pmap_account_gone(pmap, opte);
		} else {
			pv_wire(pt_pv);
		}
		pmap_account_new(pmap, npte);
		atomic_swap_ulong(ptep, npte);
	}
	pv_placemarker_wakeup(pmark);
	pv_put(pt_pv);
}

/* See pmap.h. */
void
pmap_enter(pmap_t pmap, vm_offset_t va, vm_page_t m, vm_prot_t prot, bool wired,
    vm_map_entry_t entry)
{
	pt_entry_t npte = pmap_make_pte(m, prot, wired);

	va = trunc_page(va);
	KASSERT(pmap != &kernel_pmap && va < VM_MAX_USER_ADDRESS,
	    ("pmap_enter: %#lx is not a user address", va));
	KASSERT((m->busy_count & (PBUSY_LOCKED | PBUSY_MASK)) != 0,
	    ("pmap_enter: page %#lx is not busy", m->phys_addr));
	trace(TR_ENTER, (uint64_t)pmap, va, npte, wired);
	if (m->flags & PG_UNMANAGED)
		pmap_enter_unmanaged(pmap, va, m, npte);
	else
		pmap_enter_managed(pmap, va, m, npte, M_WAITOK);
}

/* See pmap.h. */
bool
pmap_enter_quick(pmap_t pmap, vm_offset_t va, vm_page_t m, vm_prot_t prot)
{
	pt_entry_t npte =
	    pmap_make_pte(m, prot & ~(vm_prot_t)VM_PROT_WRITE, false);

	va = trunc_page(va);
	KASSERT(pmap != &kernel_pmap && va < VM_MAX_USER_ADDRESS,
	    ("pmap_enter_quick: %#lx is not a user address", va));
	KASSERT((m->busy_count & (PBUSY_LOCKED | PBUSY_MASK)) != 0,
	    ("pmap_enter_quick: page %#lx is not busy", m->phys_addr));
	if (m->flags & PG_UNMANAGED)
		return false;
	if (!pmap_enter_managed(pmap, va, m, npte, M_NOWAIT))
		return false;
	trace(TR_ENTER, (uint64_t)pmap, va, npte, false);
	return true;
}

/* An optimisation that does nothing: faults will map what is needed. */
void
pmap_copy(pmap_t dst, pmap_t src, vm_offset_t dst_va, vm_size_t len,
    vm_offset_t src_va)
{
}
