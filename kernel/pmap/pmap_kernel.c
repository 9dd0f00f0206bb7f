/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Mappings of the KVA window: stacks, device registers. They have no pv's,
 * are global, and are the same in every address space, whose upper halves
 * are copies of one PML4. The page tables stay once they are made.
 */
#include <linux/errno.h>

#include <pmap/pmap_var.h>
#include <vm/vm_kern.h>

/* Guards the upper levels of the window; leaves are their users' own. */
static struct spinlock kpt_spin = SPINLOCK_INITIALIZER("kpt");

/* What is always set in a kernel leaf: nobody looks at its A and M. */
#define PG_KLEAF (X86_PG_V | X86_PG_A | X86_PG_M | X86_PG_G)

/*
 * The table that entry e points to, made when there is none; NULL when
 * memory is short. Allocates before it takes the lock: under it nothing
 * else is locked.
 */
static pt_entry_t *
kpt_next(pt_entry_t *e)
{
	if ((pte_load(e) & X86_PG_V) == 0) {
		vm_page_t m = kmem_page_alloc1(true);

		if (m == NULL)
			return NULL;
		spin_lock(&kpt_spin);
		if ((*e & X86_PG_V) == 0) {
			atomic_store_ulong(e,
			    VM_PAGE_TO_PHYS(m) | X86_PG_V | X86_PG_RW |
				X86_PG_A);
			atomic_add_long(&kernel_pmap.pm_ptpages, 1);
			atomic_add_long(&kmem_pool_pages, 1);
			m = NULL;
		}
		spin_unlock(&kpt_spin);
		if (m != NULL)
			kmem_page_free1(m);
	}
	return (pt_entry_t *)PHYS_TO_DMAP(*e & X86_PG_FRAME);
}

/* The leaf entry of an address of the window; NULL when memory for a page
 * table is short. */
static pt_entry_t *
kpte_alloc(vm_offset_t va)
{
	pt_entry_t *table = kernel_pmap.pm_pml4;

	KASSERT(va - KVA_BASE < KVA_SIZE,
	    ("%#lx is not in the kernel address window", va));
	for (int shift = 39; shift > PAGE_SHIFT; shift -= 9) {
		table = kpt_next(&table[(va >> shift) & (NPTE - 1)]);
		if (table == NULL)
			return NULL;
	}
	return &table[PV_PTE(va) & (NPTE - 1)];
}

/* See pmap.h. */
int
pmap_growkernel(vm_offset_t va, vm_size_t size)
{
	vm_offset_t end = va + size;

	for (va &= ~(NBPDR - 1); va < end; va += NBPDR) {
		if (kpte_alloc(va) == NULL)
			return ENOMEM;
	}
	return 0;
}

/* Maps one page. Panics when that needs a page table and no memory is left:
 * pmap_growkernel asks before. Never sleeps. */
void
pmap_kenter(vm_offset_t va, vm_paddr_t pa, uint64_t pte_bits)
{
	pt_entry_t *ptep = kpte_alloc(va), opte;
	pt_entry_t npte = trunc_page(pa) | PG_KLEAF | pte_bits;

	KASSERT(ptep != NULL, ("no memory for a kernel page table"));
	opte = pte_load(ptep);
	if (opte == 0) {
		atomic_store_ulong(ptep, npte);
		atomic_add_long(&kernel_pmap.pm_resident, 1);
	} else if (opte != npte) {
		pmap_inval_smp(&kernel_pmap, va, 1, ptep, npte);
	}
}

/* Unmaps npages; on return no CPU uses them any more. What is not mapped is
 * skipped. Never sleeps, but waits for the other CPUs. */
void
pmap_kremove(vm_offset_t va, int npages)
{
	int64_t gone = 0;

	for (int i = 0; i < npages; i++) {
		vm_offset_t at = va + (vm_offset_t)i * PAGE_SIZE;
		pt_entry_t *ptep = pmap_pte(&kernel_pmap, at);

		KASSERT(at - KVA_BASE < KVA_SIZE,
		    ("%#lx is not in the kernel address window", at));
		if (ptep != NULL && atomic_swap_ulong(ptep, 0) != 0)
			gone++;
	}
	if (gone != 0) {
		atomic_subtract_long(&kernel_pmap.pm_resident, gone);
		pmap_inval_smp(&kernel_pmap, va, (uint64_t)npages, NULL, 0);
	}
}

/* Maps pages, which the caller keeps wired, readable and writable. */
void
pmap_qenter(vm_offset_t va, vm_page_t *pages, int count)
{
	for (int i = 0; i < count; i++, va += PAGE_SIZE)
		pmap_kenter(va, VM_PAGE_TO_PHYS(pages[i]),
		    X86_PG_RW | X86_PG_NX | PAT_TO_PTE(pages[i]->pat_mode));
}

/* Unmaps what pmap_qenter mapped. */
void
pmap_qremove(vm_offset_t va, int count)
{
	pmap_kremove(va, count);
}
