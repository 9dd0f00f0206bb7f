/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Address spaces: their making and end, which one a CPU has loaded, and
 * looking at them.
 */
#include <amd64/cpufunc.h>
#include <amd64/machdep.h>
#include <kern/kstring.h>
#include <pmap/pmap_var.h>
#include <vm/vm_kern.h>

struct pmap kernel_pmap;

/* The fields that do not depend on a page table. */
static void
pmap_pinit_common(pmap_t pmap)
{
	memset(pmap, 0, sizeof(*pmap));
	spin_init(&pmap->pm_spin, "pmap");
	RB_INIT(&pmap->pm_pvroot);
	for (int i = 0; i < PM_PLACEMARKS; i++)
		pmap->pm_placemarks[i] = PM_NOPLACEMARK;
}

/*
 * Makes kernel_pmap out of the page tables that this CPU runs on, whose
 * upper half is complete at the level of the PML4. Boot CPU, before any
 * other runs.
 */
void
pmap_bootstrap(void)
{
	pmap_t pmap = &kernel_pmap;

	pmap_pinit_common(pmap);
	pmap->pm_pml4_pa = read_cr3() & X86_PG_FRAME;
	pmap->pm_pml4 = (pt_entry_t *)PHYS_TO_DMAP(pmap->pm_pml4_pa);
	KASSERT(pmap->pm_pml4[(KVA_BASE >> 39) & (NPTE - 1)] & X86_PG_V,
	    ("the kernel address window has no page table"));
	pmap->pm_active = CPUMASK(mycpuid);
	mycpu->gd_pmap = pmap;
}

/* Makes the zone of pv entries. After kmalloc_init. */
void
pmap_init(void)
{
	zinit(&pv_zone, "PV ENTRY", sizeof(struct pv_entry), NULL);
}

/* See pmap.h. */
void
pmap_pinit(pmap_t pmap)
{
	pv_entry_t pv;
	vm_page_t m;
	bool isnew;

	pmap_pinit_common(pmap);
	m = pmap_ptpage_alloc(M_WAITOK);
	pmap->pm_pml4_pa = VM_PAGE_TO_PHYS(m);
	pmap->pm_pml4 = (pt_entry_t *)PHYS_TO_DMAP(pmap->pm_pml4_pa);
	for (unsigned int i = NUPML4E; i < NPTE; i++)
		pmap->pm_pml4[i] = kernel_pmap.pm_pml4[i];

	pv = pv_alloc(pmap, PV_PML4, M_WAITOK, &isnew);
	pv->pv_m = m;
	pv->pv_flags = PV_FLAG_PGTABLE;
	pmap->pm_pmlpv = pv;
	pv_put(pv);
}

/*
 * See pmap.h. No thread will load it again, so this CPU leaves it here. What
 * is left is page tables, which come in the tree bottom up; one who removed
 * mappings by page may still hold the lock of one, and we wait for him. May
 * sleep.
 */
void
pmap_release(pmap_t pmap)
{
	vm_page_t m;
	pv_entry_t pv;

	crit_enter();
	pmap_deactivate(pmap);
	crit_exit();
	KASSERT(pmap != &kernel_pmap && pmap->pm_active == 0,
	    ("pmap_release: still loaded on CPUs %#x", pmap->pm_active));
	KASSERT(pmap->pm_resident == 0 && pmap->pm_wired == 0,
	    ("pmap_release: %ld pages still mapped, %ld wired",
		pmap->pm_resident, pmap->pm_wired));
	for (;;) {
		vm_pindex_t pindex;

		spin_lock(&pmap->pm_spin);
		pindex = pv_nfind(pmap, 0)->pv_pindex;
		spin_unlock(&pmap->pm_spin);
		pv = pv_get(pmap, pindex, NULL);
		if (pv == NULL)
			continue;
		KASSERT(pv->pv_m->wire_count == 1,
		    ("pmap_release: page table %#lx has %u entries", pindex,
			pv->pv_m->wire_count - 1));
		if (pindex == PV_PML4)
			break;
		pmap_pt_prune(pv);
	}
	KKASSERT(pmap->pm_ptpages == 0);
	m = pv->pv_m;
	pv->pv_m = NULL;
	pv_free(pv, NULL);
	kmem_page_free1(m);
	pmap->pm_pml4 = NULL;
	pmap->pm_pmlpv = NULL;
}

/*
 * See pmap.h. The bit in pm_active comes first: an invalidation that begins
 * after it counts us in; one that began before holds CPULOCK_EXCL, and we
 * load the tables only after it is done: the lock is free, or the next has it,
 * as pm_invgen tells. The free lock alone might not be seen for long, if one
 * CPU invalidates without a pause. The old space's bit goes last, when none of
 * its translations are left here.
 */
void
pmap_activate(pmap_t pmap)
{
	struct globaldata *gd = mycpu;
	cpumask_t me = CPUMASK(gd->gd_cpuid);
	pmap_t old = gd->gd_pmap;
	uint32_t gen;

	if (old == pmap)
		return;
	atomic_set_uint(&pmap->pm_active, me);
	gen = atomic_load_uint(&pmap->pm_invgen);
	SCHED_POINT("pmap.activate");
	while ((atomic_load_uint(&pmap->pm_cpulock) & CPULOCK_EXCL) &&
	    atomic_load_uint(&pmap->pm_invgen) == gen) {
		pmap_inval_poll();
		cpu_pause();
	}
	SCHED_POINT("pmap.activate_load");
	write_cr3(pmap->pm_pml4_pa);
	gd->gd_pmap = pmap;
	SCHED_POINT("pmap.activated");
	if (old != NULL && old != &kernel_pmap)
		atomic_clear_uint(&old->pm_active, me);
}

/* See pmap.h. */
void
pmap_deactivate(pmap_t pmap)
{
	if (mycpu->gd_pmap == pmap)
		pmap_activate(&kernel_pmap);
}

/* See pmap.h. Takes no lock, and looks at nothing beyond the direct map. */
int
pmap_walk(pmap_t pmap, vm_offset_t va, pt_entry_t levels[4])
{
	pt_entry_t *table = pmap->pm_pml4;
	int n = 0;

	for (int shift = 39; shift >= PAGE_SHIFT; shift -= 9) {
		pt_entry_t pte = pte_load(&table[(va >> shift) & (NPTE - 1)]);

		levels[n++] = pte;
		if ((pte & X86_PG_V) == 0 || (pte & X86_PG_PS) != 0 ||
		    (pte & X86_PG_FRAME) >= DMAP_SIZE)
			break;
		table = (pt_entry_t *)PHYS_TO_DMAP(pte & X86_PG_FRAME);
	}
	return n;
}

/* See pmap.h. The kernel's page tables are never freed. */
vm_paddr_t
pmap_extract(pmap_t pmap, vm_offset_t va)
{
	pt_entry_t levels[4], pte;
	vm_offset_t mask = PAGE_MASK;

	if (va < VM_MAX_USER_ADDRESS) {
		pte = pmap_pte_peek(pmap, va);
	} else {
		int n = pmap_walk(pmap, va, levels);

		pte = levels[n - 1];
		if (n < 4 && (pte & X86_PG_PS) == 0)
			return 0;
		mask = (1UL << (PAGE_SHIFT + 9 * (4 - n))) - 1;
	}
	if ((pte & X86_PG_V) == 0)
		return 0;
	return (pte & X86_PG_FRAME & ~mask) | (va & mask);
}

/* See pmap.h. Tentative, unless the caller keeps the mapping from changing;
 * never sleeps. */
int
pmap_mincore(pmap_t pmap, vm_offset_t va)
{
	pt_entry_t pte = pmap_pte_peek(pmap, va);
	int val = 0x1;
	vm_page_t m;

	if ((pte & X86_PG_V) == 0)
		return 0;
	if ((pte & X86_PG_MANAGED) == 0)
		return val;
	m = pte & X86_PG_DEVICE ? NULL : vm_page_by_phys(pte & X86_PG_FRAME);
	if ((pte & X86_PG_A) || (m != NULL && (m->flags & PG_REFERENCED)))
		val |= 0x2;
	if ((pte & X86_PG_M) || (m != NULL && m->dirty != 0))
		val |= 0x4;
	return val;
}

/* See pmap.h. The leaf's lock keeps the mapping, and so the page's identity,
 * until the page is soft-busy. May sleep for that lock. */
vm_page_t
pmap_fault_page_quick(pmap_t pmap, vm_offset_t va, vm_prot_t prot)
{
	pt_entry_t need = X86_PG_V | X86_PG_U, pte;
	vm_page_t m = NULL;
	pv_entry_t pv;

	if (pmap == &kernel_pmap || va >= VM_MAX_USER_ADDRESS)
		return NULL;
	if (prot & VM_PROT_WRITE)
		need |= X86_PG_RW;
	pv = pv_get(pmap, PV_PTE(va), NULL);
	if (pv == NULL)
		return NULL;
	pte = pte_load(pmap_pte(pmap, va));
	if ((pte & (need | X86_PG_DEVICE)) == need &&
	    ((prot & VM_PROT_EXECUTE) == 0 || (pte & X86_PG_NX) == 0) &&
	    !vm_page_sbusy_try(pv->pv_m)) {
		m = pv->pv_m;
		/* As if written through the mapping: nobody will set M. */
		if (prot & VM_PROT_WRITE)
			vm_page_dirty(m);
	}
	pv_put(pv);
	return m;
}

/* See pmap.h. */
void
pmap_foreach(pmap_t pmap, void (*fn)(void *arg, vm_offset_t va, pt_entry_t pte),
    void *arg)
{
	pv_entry_t pv;

	for (pv = pv_nfind(pmap, PV_PT(0));
	     pv != NULL && pv_level(pv->pv_pindex) == PVL_PT;
	     pv = RB_NEXT(pv_entry_rb_tree, &pmap->pm_pvroot, pv)) {
		vm_offset_t va = pv_va(pv->pv_pindex);

		for (unsigned int i = 0; i < NPTE; i++, va += PAGE_SIZE) {
			pt_entry_t pte = pte_load(pv_pte(pv, PV_PTE(va)));

			if (pte & X86_PG_V)
				fn(arg, va, pte);
		}
	}
}

/* Both pages are whole and do not overlap. */
void
pmap_copy_page(vm_paddr_t src, vm_paddr_t dst)
{
	pagecopy((void *)PHYS_TO_DMAP(src), (void *)PHYS_TO_DMAP(dst));
}
