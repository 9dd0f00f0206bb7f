/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of the pmap share among themselves.
 *
 * An index of a pmap is locked either by the lock bit of its pv or, while
 * it has none, by a placemarker. Order: an index before the index of the
 * page table that holds its entry (leaf, PT, PD, PDP, PML4); never two of
 * one level. The locks are held across sleep. Spinlocks come after them:
 * pm_spin, and m->spin after it.
 */
#ifndef PMAP_PMAP_VAR_H
#define PMAP_PMAP_VAR_H

#include <kern/kmalloc.h>
#include <kern/trace.h>
#include <pmap/pmap.h>
#include <san/witness.h>
#include <vm/vm_kern.h>
#include <vm/vm_page.h>

#define NPTE	 512UL /* entries of a table */
#define PDRSHIFT 21
#define NBPDR	 (1UL << PDRSHIFT) /* bytes that a PT page maps */
#define NUPML4E	 256		   /* entries of the PML4 that are the user's */

enum pv_level { PVL_PTE, PVL_PT, PVL_PD, PVL_PDP, PVL_PML4 };

extern struct zone pv_zone;

RB_PROTOTYPE(pv_entry_rb_tree, pv_entry, pv_entry, pv_entry_compare);

/* The range of the index space that an index lies in. */
static inline enum pv_level
pv_level(vm_pindex_t pindex)
{
	if (pindex < PV_PT(0))
		return PVL_PTE;
	if (pindex < PV_PD(0))
		return PVL_PT;
	if (pindex < PV_PDP(0))
		return PVL_PD;
	return pindex < PV_PML4 ? PVL_PDP : PVL_PML4;
}

/* What the lock of an index is called; the order stands in lock_order.h. */
static inline const char *
pv_lock_name(vm_pindex_t pindex)
{
	static const char *const names[] = {
	    [PVL_PTE] = "pv leaf",
	    [PVL_PT] = "pv PT",
	    [PVL_PD] = "pv PD",
	    [PVL_PDP] = "pv PDP",
	    [PVL_PML4] = "pv PML4",
	};

	return names[pv_level(pindex)];
}

/* The first index of a level. */
static inline vm_pindex_t
pv_base(enum pv_level level)
{
	switch (level) {
	case PVL_PTE:
		return 0;
	case PVL_PT:
		return PV_PT(0);
	case PVL_PD:
		return PV_PD(0);
	case PVL_PDP:
		return PV_PDP(0);
	default:
		return PV_PML4;
	}
}

/* The index of the page table that holds this index's entry. */
static inline vm_pindex_t
pv_parent(vm_pindex_t pindex)
{
	enum pv_level level = pv_level(pindex);

	return pv_base(level + 1) + ((pindex - pv_base(level)) >> 9);
}

/* The first address that the entry of this index maps. */
static inline vm_offset_t
pv_va(vm_pindex_t pindex)
{
	enum pv_level level = pv_level(pindex);

	return (pindex - pv_base(level)) << (PAGE_SHIFT + 9 * (int)level);
}

/* The entry of index pindex in pvp, the locked pv of its page table. */
static inline pt_entry_t *
pv_pte(pv_entry_t pvp, vm_pindex_t pindex)
{
	pt_entry_t *table =
	    (pt_entry_t *)PHYS_TO_DMAP(VM_PAGE_TO_PHYS(pvp->pv_m));

	return &table[(pindex - pv_base(pv_level(pindex))) & (NPTE - 1)];
}

/* Do the A and M bits of an entry for this address belong to the page? Not
 * in the clean map. */
static inline bool
pmap_track_modified(vm_offset_t va)
{
	return va < clean_sva || va >= clean_eva;
}

/* An entry, read once: the CPUs' table walkers and other CPUs change it. */
static inline pt_entry_t
pte_load(pt_entry_t *ptep)
{
	return __atomic_load_n(ptep, __ATOMIC_ACQUIRE);
}

/* A page table's wire_count is 1 plus the entries in it. */
static inline void
pv_wire(pv_entry_t pvp)
{
	atomic_add_uint(&pvp->pv_m->wire_count, 1);
}

/* One entry less; the 1 itself stays. */
static inline void
pv_unwire(pv_entry_t pvp)
{
	uint32_t n = atomic_fetchadd_uint(&pvp->pv_m->wire_count, (uint32_t)-1);

	KASSERT(
	    n > 1, ("page table %#lx: wire_count was %u", pvp->pv_pindex, n));
}

/* The pv found last of this index's level, or inserted last, in a variable that
 * may be NULL; NULL: levels above PT have none. pm_spin held. */
static inline pv_entry_t *
pv_hint(pmap_t pmap, vm_pindex_t pindex)
{
	switch (pv_level(pindex)) {
	case PVL_PTE:
		return &pmap->pm_pvhint_pte;
	case PVL_PT:
		return &pmap->pm_pvhint_pt;
	default:
		return NULL;
	}
}

/* pmap_pv.c */
pv_entry_t pv_search(
    pmap_t pmap, vm_pindex_t pindex, pv_entry_t *hint); /* pm_spin */
pv_entry_t pv_nfind(pmap_t pmap, vm_pindex_t pindex);	/* pm_spin */
/* The pv of an index, or NULL. pm_spin held. */
static inline pv_entry_t
pv_lookup(pmap_t pmap, vm_pindex_t pindex)
{
	pv_entry_t *hint = pv_hint(pmap, pindex);

	if (hint != NULL && *hint != NULL && (*hint)->pv_pindex == pindex)
		return *hint;
	return pv_search(pmap, pindex, hint);
}
bool pv_hold_try(pv_entry_t pv);
void pv_wait(pv_entry_t pv);
void pv_put(pv_entry_t pv);
void pv_free(pv_entry_t pv, pv_entry_t pvp);
pv_entry_t pv_alloc(pmap_t pmap, vm_pindex_t pindex, int flags, bool *isnew);
pv_entry_t pv_get(pmap_t pmap, vm_pindex_t pindex, vm_pindex_t **pmarkp);
pv_entry_t pv_get_try(
    pmap_t pmap, vm_pindex_t pindex, vm_pindex_t **pmarkp, bool *busyp);
void pv_placemarker_wait(vm_pindex_t *pmark);
void pv_placemarker_wakeup(vm_pindex_t *pmark);

/* pmap_ptpage.c */
vm_page_t pmap_ptpage_alloc(int flags);
pv_entry_t pmap_allocpte(pmap_t pmap, vm_pindex_t pindex, int flags);
void pmap_pt_prune(pv_entry_t pv);
void pmap_pt_put(pv_entry_t pv);
pt_entry_t *pmap_pte(pmap_t pmap, vm_offset_t va);
pt_entry_t pmap_pte_peek(pmap_t pmap, vm_offset_t va);

/* pmap_remove.c */
void pmap_account_gone(pmap_t pmap, pt_entry_t opte);
void pmap_fold(vm_page_t m, vm_offset_t va, pt_entry_t opte);
void pmap_unlink_page(pv_entry_t pv);
void pmap_remove_pv(pv_entry_t pv, pv_entry_t pt_pv, bool inval);
void pmap_remove_unmanaged(
    pmap_t pmap, pv_entry_t pt_pv, vm_offset_t va, bool inval);

#endif
