/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vm_check() of page tables: what the pv's, the lists of pages and the
 * counts say, against what the tables hold. Quiet points only; changes
 * nothing.
 */
#include <pmap/pmap_var.h>
#include <vm/vm_check.h>

/* What a walk of one pmap's tables counted. */
struct check {
	pmap_t pmap;
	int64_t leaves, wired, ptpages, managed;
};

/* The pv of an index, by the tree alone: the hint is under suspicion too. */
static pv_entry_t
check_find(pmap_t pmap, vm_pindex_t pindex)
{
	pv_entry_t pv = pv_nfind(pmap, pindex);

	return pv != NULL && pv->pv_pindex == pindex ? pv : NULL;
}

/* A leaf that says it is managed, and its pv and page. */
static void
check_managed(struct check *ck, vm_offset_t va, pt_entry_t pte, pv_entry_t pv)
{
	vm_page_t m;
	pv_entry_t scan;

	if (pv == NULL || (m = pv->pv_m) == NULL) {
		vm_check_fail("pmap %p: %#lx maps %#lx without a pv",
		    (void *)ck->pmap, va, pte & X86_PG_FRAME);
		return;
	}
	if (VM_PAGE_TO_PHYS(m) != (pte & X86_PG_FRAME) ||
	    ((pte & X86_PG_DEVICE) == 0 &&
		vm_page_by_phys(pte & X86_PG_FRAME) != m)) {
		vm_check_fail("pmap %p: %#lx maps %#lx, its pv has page %#lx",
		    (void *)ck->pmap, va, pte & X86_PG_FRAME,
		    VM_PAGE_TO_PHYS(m));
		return;
	}
	TAILQ_FOREACH (scan, &m->md.pv_list, pv_list) {
		if (scan == pv)
			break;
	}
	if (scan == NULL)
		vm_check_fail("pmap %p: pv of %#lx is not on page %#lx's list",
		    (void *)ck->pmap, va, VM_PAGE_TO_PHYS(m));
	if ((m->flags & PG_MAPPED) == 0)
		vm_check_fail("page %#lx is mapped at %#lx, flags %#x",
		    VM_PAGE_TO_PHYS(m), va, m->flags);
	if ((pte & X86_PG_RW) && (m->flags & PG_WRITEABLE) == 0)
		vm_check_fail("page %#lx is writeable at %#lx, flags %#x",
		    VM_PAGE_TO_PHYS(m), va, m->flags);
}

/* A leaf by itself, and what goes with it. */
static void
check_leaf(struct check *ck, vm_offset_t va, pt_entry_t pte)
{
	pv_entry_t pv = check_find(ck->pmap, PV_PTE(va));

	ck->leaves++;
	if (pte & X86_PG_W)
		ck->wired++;
	if ((pte & X86_PG_U) == 0 || (pte & (X86_PG_PS | X86_PG_G)) != 0)
		vm_check_fail(
		    "pmap %p: %#lx has entry %#lx", (void *)ck->pmap, va, pte);
	if (pte & X86_PG_MANAGED) {
		ck->managed++;
		check_managed(ck, va, pte, pv);
	} else if (pv != NULL) {
		vm_check_fail("pmap %p: %#lx has a pv, its entry %#lx is not "
			      "managed",
		    (void *)ck->pmap, va, pte);
	}
}

/*
 * One table, of the index given, and all below it. n entries of it are
 * looked at: all, but of the PML4 only the user's.
 */
static void
check_table(
    struct check *ck, vm_pindex_t pindex, pt_entry_t *table, unsigned int n)
{
	enum pv_level level = pv_level(pindex);
	pv_entry_t pv = check_find(ck->pmap, pindex);
	uint32_t used = 0;

	for (unsigned int i = 0; i < n; i++) {
		pt_entry_t pte = pte_load(&table[i]);
		vm_pindex_t child =
		    pv_base(level - 1) + ((pindex - pv_base(level)) << 9) + i;

		if (pte == 0)
			continue;
		used++;
		if ((pte & X86_PG_V) == 0) {
			vm_check_fail("pmap %p: %#lx has entry %#lx",
			    (void *)ck->pmap, pv_va(child), pte);
		} else if (level == PVL_PT) {
			check_leaf(ck, pv_va(child), pte);
		} else {
			ck->ptpages++;
			check_table(ck, child,
			    (pt_entry_t *)PHYS_TO_DMAP(pte & X86_PG_FRAME),
			    NPTE);
		}
	}
	if (pv == NULL || pv->pv_m == NULL ||
	    PHYS_TO_DMAP(VM_PAGE_TO_PHYS(pv->pv_m)) != (vm_offset_t)table)
		vm_check_fail("pmap %p: table %#lx has no pv, or another's",
		    (void *)ck->pmap, pindex);
	else if (pv->pv_m->wire_count != used + 1)
		vm_check_fail("pmap %p: table %#lx has %u entries, "
			      "wire_count %u",
		    (void *)ck->pmap, pindex, used, pv->pv_m->wire_count);
	if (used == 0 && level != PVL_PML4 && pmap_dynamic_delete &&
	    (ck->pmap->pm_flags & PMAP_SWEPT) == 0)
		vm_check_fail(
		    "pmap %p: table %#lx is empty", (void *)ck->pmap, pindex);
}

/* The tree: order, states, and as many pv's as the tables ask for; that
 * each is where it belongs has been seen from the tables' side. */
static void
check_tree(struct check *ck)
{
	int64_t leaves = 0, tables = 0;
	pmap_t pmap = ck->pmap;
	bool hint_pt = pmap->pm_pvhint_pt == NULL;
	bool hint_pte = pmap->pm_pvhint_pte == NULL;
	pv_entry_t pv, prev = NULL;

	RB_FOREACH (pv, pv_entry_rb_tree, &pmap->pm_pvroot) {
		bool leaf = pv_level(pv->pv_pindex) == PVL_PTE;

		if (leaf)
			leaves++;
		else
			tables++;
		if (prev != NULL && prev->pv_pindex >= pv->pv_pindex)
			vm_check_fail("pmap %p: pv %#lx is before pv %#lx",
			    (void *)pmap, prev->pv_pindex, pv->pv_pindex);
		if (pv->pv_pmap != pmap || pv->pv_hold != 1 ||
		    (pv->pv_flags == PV_FLAG_PGTABLE) == leaf)
			vm_check_fail("pmap %p: pv %#lx has pmap %p, hold %#x, "
				      "flags %#x",
			    (void *)pmap, pv->pv_pindex, (void *)pv->pv_pmap,
			    pv->pv_hold, pv->pv_flags);
		hint_pt |= pv == pmap->pm_pvhint_pt &&
		    pv_level(pv->pv_pindex) == PVL_PT;
		hint_pte |= pv == pmap->pm_pvhint_pte && leaf;
		prev = pv;
	}
	if (leaves != ck->managed || tables != ck->ptpages + 1)
		vm_check_fail("pmap %p: %ld leaf pv's for %ld leaves, %ld for "
			      "%ld tables",
		    (void *)pmap, leaves, ck->managed, tables, ck->ptpages + 1);
	if (!hint_pt || !hint_pte)
		vm_check_fail(
		    "pmap %p: a hint is not in the tree", (void *)pmap);
}

/* Counts and locks, which are the same for every pmap. */
static void
check_counts(struct check *ck)
{
	pmap_t pmap = ck->pmap;

	if (pmap->pm_resident != ck->leaves || pmap->pm_wired != ck->wired ||
	    pmap->pm_ptpages != ck->ptpages)
		vm_check_fail("pmap %p: resident %ld, is %ld; wired %ld, is "
			      "%ld; page tables %ld, are %ld",
		    (void *)pmap, pmap->pm_resident, ck->leaves, pmap->pm_wired,
		    ck->wired, pmap->pm_ptpages, ck->ptpages);
	for (int i = 0; i < PM_PLACEMARKS; i++) {
		if (pmap->pm_placemarks[i] != PM_NOPLACEMARK)
			vm_check_fail("pmap %p: placemarker %d holds %#lx",
			    (void *)pmap, i, pmap->pm_placemarks[i]);
	}
	if (pmap->pm_cpulock != 0)
		vm_check_fail("pmap %p: pm_cpulock is %#x", (void *)pmap,
		    pmap->pm_cpulock);
}

/* Counts what the kernel address window maps, below one table. pm_ptpages
 * has the tables below the one that boot made. */
static void
check_kernel_table(struct check *ck, pt_entry_t *table, int level)
{
	for (unsigned int i = 0; i < NPTE; i++) {
		pt_entry_t pte = pte_load(&table[i]);

		if ((pte & X86_PG_V) == 0)
			continue;
		if (level == PVL_PT) {
			ck->leaves++;
			if ((pte & X86_PG_G) == 0 || (pte & X86_PG_U) != 0)
				vm_check_fail("kernel entry %#lx", pte);
			continue;
		}
		ck->ptpages++;
		check_kernel_table(ck,
		    (pt_entry_t *)PHYS_TO_DMAP(pte & X86_PG_FRAME), level - 1);
	}
}

/* See pmap.h. */
void
pmap_check(pmap_t pmap)
{
	struct check ck = {.pmap = pmap};

	if (pmap == &kernel_pmap) {
		pt_entry_t e = pmap->pm_pml4[(KVA_BASE >> 39) & (NPTE - 1)];

		check_kernel_table(
		    &ck, (pt_entry_t *)PHYS_TO_DMAP(e & X86_PG_FRAME), PVL_PDP);
		check_counts(&ck);
		return;
	}
	for (unsigned int i = NUPML4E; i < NPTE; i++) {
		if (pmap->pm_pml4[i] != kernel_pmap.pm_pml4[i])
			vm_check_fail("pmap %p: PML4 entry %u is %#lx, the "
				      "kernel's is %#lx",
			    (void *)pmap, i, pmap->pm_pml4[i],
			    kernel_pmap.pm_pml4[i]);
	}
	check_table(&ck, PV_PML4, pmap->pm_pml4, NUPML4E);
	check_tree(&ck);
	check_counts(&ck);
}

/* See pmap.h. */
void
pmap_check_page(vm_page_t m)
{
	pv_entry_t pv;

	TAILQ_FOREACH (pv, &m->md.pv_list, pv_list) {
		pt_entry_t *ptep;

		if (pv->pv_m != m || pv_level(pv->pv_pindex) != PVL_PTE ||
		    check_find(pv->pv_pmap, pv->pv_pindex) != pv) {
			vm_check_fail("page %#lx: a pv of pmap %p, index %#lx, "
				      "is on its list",
			    VM_PAGE_TO_PHYS(m), (void *)pv->pv_pmap,
			    pv->pv_pindex);
			return;
		}
		ptep = pmap_pte(pv->pv_pmap, pv_va(pv->pv_pindex));
		if (ptep == NULL ||
		    (*ptep & X86_PG_FRAME) != VM_PAGE_TO_PHYS(m))
			vm_check_fail("page %#lx is not mapped at %#lx, as its "
				      "list says",
			    VM_PAGE_TO_PHYS(m), pv_va(pv->pv_pindex));
	}
	if (TAILQ_EMPTY(&m->md.pv_list)
		? (m->flags & (PG_MAPPED | PG_WRITEABLE)) != 0
		: (m->flags & PG_MAPPED) == 0)
		vm_check_fail("page %#lx has %s mappings, flags %#x",
		    VM_PAGE_TO_PHYS(m),
		    TAILQ_EMPTY(&m->md.pv_list) ? "no" : "some", m->flags);
}
