/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The machine-dependent half of the VM: page tables of an address space,
 * and for each page the list of its mappings.
 *
 * One pv_entry stands for each managed leaf PTE and one for each page-table
 * page of every level below the top. All live in one integer space split in
 * ranges (leaf, PT, PD, PDP, PML4), sorted in a tree under pm_spin. A pv is
 * locked by a bit of its own pv_hold; order bottom up: leaf before PT
 * before PD. A leaf pv is also on its page's md.pv_list under m->spin.
 * A leaf index without a pv is locked by a placemarker.
 *
 * (P) pm_spin; (M) the page's m->spin; (A) atomic; (L) the pv's lock bit;
 * (k) constant while the pmap lives.
 */
#ifndef PMAP_PMAP_H
#define PMAP_PMAP_H

#include <sys/queue.h>
#include <sys/tree.h>

#include <amd64/machdep.h>
#include <kern/thread.h>
#include <vm/vm_types.h>

typedef uint64_t pt_entry_t;

/* PTE bits: SDM vol. 3, table 4-20; bits 9-11 are software's. */
#define X86_PG_V       0x001UL
#define X86_PG_RW      0x002UL
#define X86_PG_U       0x004UL
#define X86_PG_PWT     0x008UL
#define X86_PG_PCD     0x010UL
#define X86_PG_A       0x020UL
#define X86_PG_M       0x040UL
#define X86_PG_PS      0x080UL
#define X86_PG_G       0x100UL
#define X86_PG_W       0x200UL /* software: wired */
#define X86_PG_MANAGED 0x400UL /* software: has a pv, its M and A count */
#define X86_PG_DEVICE  0x800UL /* software: device page */
#define X86_PG_NX      0x8000000000000000UL
#define X86_PG_FRAME   0x000ffffffffff000UL

/* Memory types, vm_page.pat_mode: the two bits that choose one of the first
 * four PAT entries, as the CPU has them after reset (SDM vol. 3, 11.12.4).
 * X86_PG_PWT is bit 0 of the choice, X86_PG_PCD bit 1. */
#define PAT_WRITE_BACK	  0
#define PAT_WRITE_THROUGH 1
#define PAT_UNCACHED	  2 /* UC-: an MTRR may override */
#define PAT_UNCACHEABLE	  3
#define PAT_TO_PTE(mode)  ((pt_entry_t)((mode)&3) << 3)

/* The index space of pv_pindex. Leaf: va >> 12; and so on upward. */
#define NUPTE_TOTAL (1UL << 36)
#define NUPT_TOTAL  (1UL << 27)
#define NUPD_TOTAL  (1UL << 18)
#define NUPDP_TOTAL (1UL << 9)
#define PV_PTE(va)  ((vm_offset_t)(va) >> 12)
#define PV_PT(va)   (NUPTE_TOTAL + ((vm_offset_t)(va) >> 21))
#define PV_PD(va)   (NUPTE_TOTAL + NUPT_TOTAL + ((vm_offset_t)(va) >> 30))
#define PV_PDP(va) \
	(NUPTE_TOTAL + NUPT_TOTAL + NUPD_TOTAL + ((vm_offset_t)(va) >> 39))
#define PV_PML4 (NUPTE_TOTAL + NUPT_TOTAL + NUPD_TOTAL + NUPDP_TOTAL)

struct pv_entry {
	struct pmap *pv_pmap;	       /* (k) */
	vm_pindex_t pv_pindex;	       /* (k) */
	TAILQ_ENTRY(pv_entry) pv_list; /* (M) leaf: page's md.pv_list */
	RB_ENTRY(pv_entry) pv_entry;   /* (P) pm_pvroot */
	vm_page_t pv_m;		       /* (L) leaf: the page; else PT page */
	uint32_t pv_hold;	       /* (A) PV_HOLD_* word */
	uint32_t pv_flags;	       /* (L) */
};
typedef struct pv_entry *pv_entry_t;

/* pv_hold. Being in the tree is one hold; who uses a pv has another. A hold
 * may be added only under pm_spin (found in the tree) or under m->spin
 * (found on the page's list), or by one who has a hold. */
#define PV_HOLD_LOCKED	0x80000000U
#define PV_HOLD_WAITING 0x40000000U /* somebody sleeps for the lock */
#define PV_HOLD_DELETED 0x20000000U /* no longer in the tree */
#define PV_HOLD_MASK	0x1fffffffU

#define PV_FLAG_PGTABLE 0x0001U /* stands for a page-table page */

RB_HEAD(pv_entry_rb_tree, pv_entry);

/* Placemarkers: 16 for each of the four level zones. A slot holds the
 * locked pv index; PM_PLACEMARK_WAKEUP in it means that somebody sleeps. */
#define PM_PLACEMARKS	    64
#define PM_PLACE_BASE	    16
#define PM_NOPLACEMARK	    ((vm_pindex_t)-1)
#define PM_PLACEMARK_WAKEUP ((vm_pindex_t)1 << 62)

struct pmap {
	pt_entry_t *pm_pml4;	   /* (k) direct-map address */
	vm_paddr_t pm_pml4_pa;	   /* (k) what CR3 holds */
	struct pv_entry *pm_pmlpv; /* (k) pv of the PML4 page */
	struct spinlock pm_spin;
	struct pv_entry_rb_tree pm_pvroot; /* (P) */
	struct pv_entry *pm_pvhint_pt;	   /* hint, (P) */
	struct pv_entry *pm_pvhint_pte;	   /* hint, (P) */
	int64_t pm_resident;		   /* (A) leaf mappings, pages */
	int64_t pm_wired;		   /* (A) wired leaf mappings */
	int64_t pm_ptpages;		   /* (A) page-table pages below PML4 */
	volatile uint32_t pm_active;	   /* (A) CPUs that have it loaded; set
					 * before CR3 is, cleared always at
					 * switch-out */
	volatile uint32_t pm_cpulock; /* (A) CPULOCK_EXCL | readers' bits */
	volatile uint32_t pm_invgen;  /* (A) bumped by each invalidation */
	uint32_t pm_flags;	      /* (A) */
	vm_pindex_t pm_placemarks[PM_PLACEMARKS]; /* (A) */
};

#define CPULOCK_EXCL 0x80000000U
#define PMAP_SWEPT   0x0001U /* pmap_remove_pages left empty page tables */

extern struct pmap kernel_pmap;
extern int pmap_dynamic_delete; /* free PT pages when their last entry goes */

/* --- pmap.c, pmap_enter.c: mappings by address --- */
void pmap_bootstrap(void); /* adopts boot's kernel page tables */
void pmap_init(void);	   /* zones; after kmalloc_init */
/* An empty address space; M_WAITOK. */
void pmap_pinit(pmap_t pmap);
/* Frees an address space's page tables. No mapping is left, no other CPU has
 * it loaded (this one leaves it), and no thread has it for its own any more:
 * a switch would load it again. May sleep. */
void pmap_release(pmap_t pmap);
/* Loads pmap on this CPU in place of what was loaded, which is marked
 * unloaded; nothing to do when it is loaded already. A CPU's first call is
 * pmap_activate(&kernel_pmap). Interrupts disabled or critical. */
void pmap_activate(pmap_t pmap);
/* The same with kernel_pmap, if pmap is what this CPU has loaded. */
void pmap_deactivate(pmap_t pmap);

/* Maps m at va, a user address. m is at least soft-busy. prot with
 * VM_PROT_WRITE makes the PTE writable. wired: counts in pm_wired. entry may
 * be NULL. May sleep for memory; holds no spinlock on entry. Replaces what
 * was there. */
void pmap_enter(pmap_t pmap, vm_offset_t va, vm_page_t m, vm_prot_t prot,
    bool wired, vm_map_entry_t entry);
/* Prefault: like pmap_enter, but never writable or wired; gives up where it
 * would sleep or where something is mapped already. Whether it was done. */
bool pmap_enter_quick(pmap_t pmap, vm_offset_t va, vm_page_t m, vm_prot_t prot);
void pmap_remove(pmap_t pmap, vm_offset_t sva, vm_offset_t eva);
/* The same for an address space that no thread will use again (exit, exec):
 * without shootdown, if no other CPU has it loaded. */
void pmap_remove_pages(pmap_t pmap, vm_offset_t sva, vm_offset_t eva);
/* Reduces rights: without WRITE clears RW (M folded into dirty), without
 * READ removes. Never adds any. */
void pmap_protect(
    pmap_t pmap, vm_offset_t sva, vm_offset_t eva, vm_prot_t prot);
void pmap_change_wiring(pmap_t pmap, vm_offset_t va, bool wired);
/* Physical address behind va, 0 when nothing is mapped. Never sleeps. */
vm_paddr_t pmap_extract(pmap_t pmap, vm_offset_t va);
/* Page behind va when the PTE permits prot, held soft-busy; or NULL, as for
 * a device's page, which nobody can get at but through its mapping. */
vm_page_t pmap_fault_page_quick(pmap_t pmap, vm_offset_t va, vm_prot_t prot);
/* MINCORE_* bits of a mapped page: bit 0 in core, 1 referenced, 2 modified;
 * 0 when nothing is mapped. */
int pmap_mincore(pmap_t pmap, vm_offset_t va);
void pmap_copy(pmap_t dst, pmap_t src, vm_offset_t dst_va, vm_size_t len,
    vm_offset_t src_va); /* an optimisation: does nothing, as on pc64 */
void pmap_object_init_pt(pmap_t pmap, vm_offset_t va, vm_prot_t prot,
    vm_object_t object, vm_pindex_t pindex, vm_size_t size, int limit);

/* --- pmap_page.c: mappings by page; all need m hard-busy unless said, and
 * may sleep unless said --- */
void pmap_page_init(vm_page_t m); /* boot */
void pmap_page_protect(vm_page_t m, vm_prot_t prot);
void pmap_remove_all(vm_page_t m);
void pmap_remove_specific(pmap_t pmap, vm_page_t m); /* not wired ones */
bool pmap_is_modified(vm_page_t m); /* m->spin inside; busy not needed;
				     * never sleeps */
void pmap_clear_modify(vm_page_t m);
int pmap_ts_referenced(vm_page_t m); /* clears A, counts; stops after 5 */
void pmap_clear_reference(vm_page_t m);

/* --- pmap_kernel.c, kernel mappings: no pv, wired, not managed --- */
/* Makes the page tables for a range of the KVA window, so that pmap_kenter
 * needs no memory there: 0 or ENOMEM. Never sleeps. */
int pmap_growkernel(vm_offset_t va, vm_size_t size);
/* pte_bits: X86_PG_RW, X86_PG_NX, memory type. */
void pmap_kenter(vm_offset_t va, vm_paddr_t pa, uint64_t pte_bits);
void pmap_kremove(vm_offset_t va, int npages); /* with shootdown */
void pmap_qenter(vm_offset_t va, vm_page_t *pages, int count);
void pmap_qremove(vm_offset_t va, int count);

/* --- pmap_inval.c: changing PTEs that other CPUs may have cached --- */
/* Stores npte in *ptep (returning the old value) and invalidates npgs pages
 * from va on every CPU that has pmap loaded, all done on return; ptep may be
 * NULL: only invalidate. With ptep npgs is 1. Any context that may wait for
 * other CPUs; for a user's pmap no spinlock is held. */
pt_entry_t pmap_inval_smp(pmap_t pmap, vm_offset_t va, uint64_t npgs,
    pt_entry_t *ptep, pt_entry_t npte);
/* The same by compare-and-set; 0 when *ptep was not opte. */
int pmap_inval_smp_cmpset(pmap_t pmap, vm_offset_t va, pt_entry_t *ptep,
    pt_entry_t opte, pt_entry_t npte);
void pmap_inval_intr(void); /* the IPI: takes no lock, served at once */
/* For a wait loop with interrupts disabled that an originator of an
 * invalidation may depend on: serves the requests that are there. */
void pmap_inval_poll(void);

/* --- contents, through the direct map --- */
static inline void
pmap_zero_page(vm_paddr_t pa)
{
	pagezero((void *)PHYS_TO_DMAP(pa));
}
void pmap_copy_page(vm_paddr_t src, vm_paddr_t dst);

/* Walks the four levels for va without locks; levels[0] is the PML4's
 * entry. How many levels were there (1..4); post-mortem, vm_check. */
int pmap_walk(pmap_t pmap, vm_offset_t va, pt_entry_t levels[4]);
/* Calls fn for every valid leaf of user addresses, ascending; quiescent. */
void pmap_foreach(pmap_t pmap,
    void (*fn)(void *arg, vm_offset_t va, pt_entry_t pte), void *arg);
int64_t pmap_pv_inuse(void); /* live pv entries, all pmaps */
/* Checks pv tree, lists, counts and PTEs of one pmap against each other;
 * reports through vm_check_fail() (vm/vm_check.h). Quiescent. kernel_pmap is
 * allowed. */
void pmap_check(pmap_t pmap);
/* Checks one page's list of mappings and its flags. Quiescent. */
void pmap_check_page(vm_page_t m);

#endif
