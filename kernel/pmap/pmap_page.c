/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The reverse operations: on all mappings of a page, by its list of pv's.
 *
 * What makes them work: the caller has the page hard-busy, so that no new
 * mapping can appear; a pv leaves the list, or comes to it, only under
 * m->spin, and while its entry is empty, so under m->spin a pv's entry is
 * this page's or zero; and who takes an entry away folds its bits before
 * the pv leaves the list, so that an empty list means that all is known.
 */
#include <pmap/pmap_var.h>

#define TS_REFERENCED_MAX 5

/* A page's part of the pmap, once for each vm_page. */
void
pmap_page_init(vm_page_t m)
{
	TAILQ_INIT(&m->md.pv_list);
}

/* The leaf entry of a pv on a page's list; m->spin held or the pv locked. */
static pt_entry_t *
pv_leaf_pte(pv_entry_t pv)
{
	pt_entry_t *ptep = pmap_pte(pv->pv_pmap, pv_va(pv->pv_pindex));

	KASSERT(ptep != NULL, ("no page table for %#lx", pv_va(pv->pv_pindex)));
	return ptep;
}

/*
 * Locks a pv found on m's list. m->spin is held and released. False when
 * that took waiting for another's lock: then the pv may be gone, and the
 * list has to be looked at again.
 */
static bool
pv_lock_from_list(vm_page_t m, pv_entry_t pv)
{
	bool locked = pv_hold_try(pv);

	spin_unlock(&m->spin);
	SCHED_POINT("pmap.list_locked");
	if (!locked) {
		pv_wait(pv);
		return false;
	}
	KKASSERT(pv->pv_m == m);
	return true;
}

/* Removes m from pmap, but for its wired mappings there; or from everywhere,
 * without exception, when pmap is NULL. */
static void
pmap_remove_from(vm_page_t m, pmap_t pmap)
{
	pv_entry_t pv, pt_pv;

	for (;;) {
		SCHED_POINT("pmap.remove_scan");
		spin_lock(&m->spin);
		TAILQ_FOREACH (pv, &m->md.pv_list, pv_list) {
			if (pmap == NULL ||
			    (pv->pv_pmap == pmap &&
				(pte_load(pv_leaf_pte(pv)) & X86_PG_W) == 0))
				break;
		}
		if (pv == NULL)
			break;
		if (!pv_lock_from_list(m, pv))
			continue;
		if (pmap != NULL && (pte_load(pv_leaf_pte(pv)) & X86_PG_W)) {
			pv_put(pv); /* became wired before we had it locked */
			continue;
		}
		SCHED_POINT("pmap.remove_page");
		pt_pv = pv_get(pv->pv_pmap, pv_parent(pv->pv_pindex), NULL);
		KKASSERT(pt_pv != NULL);
		pmap_remove_pv(pv, pt_pv, true);
		pmap_pt_put(pt_pv);
	}
	KKASSERT(pmap != NULL || (m->flags & (PG_MAPPED | PG_WRITEABLE)) == 0);
	spin_unlock(&m->spin);
}

/* Removes every mapping of m. */
void
pmap_remove_all(vm_page_t m)
{
	if (m->flags & PG_UNMANAGED)
		return;
	KKASSERT(vm_page_is_hardbusy(m));
	pmap_remove_from(m, NULL);
}

/* Removes the mappings of m in one address space that are not wired. */
void
pmap_remove_specific(pmap_t pmap, vm_page_t m)
{
	if ((m->flags & PG_UNMANAGED) == 0)
		pmap_remove_from(m, pmap);
}

/*
 * Is the bit set in any of m's entries? They are read unlocked. The answer
 * no is of use only to one who knows that no CPU can set the bit, and that
 * nobody is taking an entry away at the moment: see the top.
 */
static bool
pmap_testbit(vm_page_t m, pt_entry_t bit)
{
	pv_entry_t pv;

	if (m->flags & (PG_FICTITIOUS | PG_UNMANAGED))
		return false;
	SCHED_POINT("pmap.testbit");
	spin_lock(&m->spin);
	TAILQ_FOREACH (pv, &m->md.pv_list, pv_list) {
		if (pmap_track_modified(pv_va(pv->pv_pindex)) &&
		    (pte_load(pv_leaf_pte(pv)) & bit) != 0)
			break;
	}
	spin_unlock(&m->spin);
	return pv != NULL;
}

/*
 * Clears bits (RW and M, or M, or A) in the entry of a locked pv on all CPUs;
 * an M that goes with RW is folded, what goes alone is forgotten.
 */
static void
pmap_clear_pte(pv_entry_t pv, pt_entry_t bits)
{
	pt_entry_t opte, *ptep = pv_leaf_pte(pv);

	do {
		opte = pte_load(ptep);
		SCHED_POINT("pmap.clear_tentative");
	} while ((opte & bits) != 0 &&
	    !pmap_inval_smp_cmpset(
		pv->pv_pmap, pv_va(pv->pv_pindex), ptep, opte, opte & ~bits));
	SCHED_POINT("pmap.cleared");
	if (bits & X86_PG_RW)
		pmap_fold(pv->pv_m, pv_va(pv->pv_pindex), opte & bits);
}

/*
 * Clears RW (and M with it, which makes the page dirty) or M in all of m's
 * entries. The list is walked anew after each entry that had to be locked.
 * An entry that is zero is being taken away by one who has its bits and has
 * not folded them: waiting for that lock as well makes the result exact.
 */
static void
pmap_clearbit(vm_page_t m, pt_entry_t bit)
{
	pt_entry_t bits = bit | X86_PG_M, pte;
	pv_entry_t pv;

	KKASSERT(vm_page_is_hardbusy(m));
	for (;;) {
		SCHED_POINT("pmap.clear_scan");
		spin_lock(&m->spin);
		TAILQ_FOREACH (pv, &m->md.pv_list, pv_list) {
			pte = pte_load(pv_leaf_pte(pv));
			if (pte == 0 || (pte & bit) != 0)
				break;
		}
		if (pv == NULL)
			break;
		if (pv_lock_from_list(m, pv)) {
			pmap_clear_pte(pv, bits);
			pv_put(pv);
		}
	}
	if (bit == X86_PG_RW)
		atomic_clear_uint(&m->flags, PG_WRITEABLE);
	spin_unlock(&m->spin);
}

/* Reduces what all mappings of m permit: without WRITE to reading, without
 * anything to nothing. */
void
pmap_page_protect(vm_page_t m, vm_prot_t prot)
{
	if ((prot & VM_PROT_WRITE) != 0)
		return;
	if ((prot & (VM_PROT_READ | VM_PROT_EXECUTE)) == 0)
		pmap_remove_all(m);
	else if ((m->flags & PG_UNMANAGED) == 0)
		pmap_clearbit(m, X86_PG_RW);
}

/* Did a mapping write to m since M was last cleared? Tentative while m is
 * mapped: see pmap_testbit. */
bool
pmap_is_modified(vm_page_t m)
{
	return pmap_testbit(m, X86_PG_M);
}

/* Forgets that m was written. With a shootdown: a CPU that has the entry
 * cached as modified would not set M again. */
void
pmap_clear_modify(vm_page_t m)
{
	if ((m->flags & (PG_FICTITIOUS | PG_UNMANAGED)) == 0)
		pmap_clearbit(m, X86_PG_M);
}

/*
 * Clears A in up to max of m's entries that have it; how many. With a
 * shootdown: a CPU that has the entry cached would set A again only after it
 * had forgotten it by itself, at an instant that nobody can foretell. Each
 * entry is looked at once, though the list is walked anew after each clearing.
 */
static int
pmap_clear_accessed(vm_page_t m, int max)
{
	pv_entry_t pv;
	int n = 0, seen = 0, i;

	if (m->flags & (PG_FICTITIOUS | PG_UNMANAGED))
		return 0;
	while (n < max) {
		SCHED_POINT("pmap.accessed");
		spin_lock(&m->spin);
		i = 0;
		TAILQ_FOREACH (pv, &m->md.pv_list, pv_list) {
			if (i++ >= seen &&
			    pmap_track_modified(pv_va(pv->pv_pindex)) &&
			    (pte_load(pv_leaf_pte(pv)) & X86_PG_A) != 0)
				break;
		}
		if (pv == NULL) {
			spin_unlock(&m->spin);
			break;
		}
		if (pv_lock_from_list(m, pv)) {
			seen = i;
			pmap_clear_pte(pv, X86_PG_A);
			pv_put(pv);
			n++;
		}
	}
	return n;
}

/* How many mappings used m since this was last asked, at most 5; those that
 * were counted are asked anew the next time. */
int
pmap_ts_referenced(vm_page_t m)
{
	return pmap_clear_accessed(m, TS_REFERENCED_MAX);
}

/* Forgets that m was used, by any mapping. */
void
pmap_clear_reference(vm_page_t m)
{
	pmap_clear_accessed(m, INT32_MAX);
}
