/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel's own page tables: its image with each section's rights, all
 * RAM by large pages at DMAP_BASE, an empty KVA window, and a few fixed
 * pages of device registers at the very top. No page is both writable and
 * executable under any of its addresses.
 *
 * Every address space shares these by copying the upper half of the PML4,
 * whose entries are all made here and never change.
 */
#include <kern/bootopt.h>
#include <pmap/pmap.h>

#include <amd64/cpu_md.h>
#include <amd64/cpufunc.h>
#include <amd64/multiboot.h>

#define PML4_INDEX(va) (((va) >> 39) & 511)
#define PDP_INDEX(va)  (((va) >> 30) & 511)
#define PD_INDEX(va)   (((va) >> 21) & 511)
#define PT_INDEX(va)   (((va) >> 12) & 511)
#define LARGE_PAGE     0x200000UL

/* Kernel entries are global, and born accessed and dirty: nothing looks at
 * their A and M bits. */
#define PG_KERNEL   (X86_PG_V | X86_PG_A | X86_PG_M | X86_PG_G)
#define PG_TABLE    (X86_PG_V | X86_PG_RW | X86_PG_A)
#define FIXMAP_BASE 0xffffffffffe00000UL /* the last 2 MiB */

pt_entry_t *kernel_pml4;
vm_paddr_t kernel_pml4_pa;

static pt_entry_t *fixmap_pt;
static int fixmap_used;

/*
 * The table below entry e, made when there is none.
 */
static pt_entry_t *
next_table(pt_entry_t *e)
{
	if (*e == 0)
		*e = DMAP_TO_PHYS(boot_alloc(1)) | PG_TABLE;
	return (pt_entry_t *)PHYS_TO_DMAP(*e & X86_PG_FRAME);
}

/*
 * The page directory (2 MiB an entry) that covers va, made as needed.
 */
static pt_entry_t *
page_dir(vm_offset_t va)
{
	pt_entry_t *pdp = next_table(&kernel_pml4[PML4_INDEX(va)]);

	return next_table(&pdp[PDP_INDEX(va)]);
}

/*
 * The page table (4 KiB an entry) that covers va, made as needed.
 */
static pt_entry_t *
page_table(vm_offset_t va)
{
	return next_table(&page_dir(va)[PD_INDEX(va)]);
}

/*
 * The rights of a page of the image, by its linked address; 0 for the guard
 * page below the boot stack.
 */
static pt_entry_t
image_rights(vm_offset_t va)
{
	if (va < (vm_offset_t)text_start)
		return PG_KERNEL | X86_PG_NX; /* boot code: has run */
	if (va < (vm_offset_t)text_end)
		return PG_KERNEL;
	if (va < (vm_offset_t)data_start)
		return PG_KERNEL | X86_PG_NX;
	if (va == (vm_offset_t)boot_stack - PAGE_SIZE)
		return 0;
	return PG_KERNEL | X86_PG_NX | X86_PG_RW;
}

/*
 * Maps the large page at pa into the direct map, or, where the kernel's
 * image lies in it, its small pages, so that text and read-only data are
 * read-only here as well.
 */
static void
map_direct(vm_paddr_t pa)
{
	vm_paddr_t first = (vm_paddr_t)kernel_start_pa;
	vm_paddr_t last = (vm_paddr_t)kernel_end - KERNBASE;
	vm_offset_t va = PHYS_TO_DMAP(pa);
	pt_entry_t *pd = page_dir(va), *pt;

	if (pd[PD_INDEX(va)] != 0)
		return;
	if (pa >= last || pa + LARGE_PAGE <= first) {
		pd[PD_INDEX(va)] =
		    pa | PG_KERNEL | X86_PG_RW | X86_PG_NX | X86_PG_PS;
		return;
	}
	pt = page_table(va);
	for (int i = 0; i < 512; i++, pa += PAGE_SIZE) {
		pt_entry_t rights = PG_KERNEL | X86_PG_RW | X86_PG_NX;

		if (pa >= first && pa < last &&
		    pa + KERNBASE < (vm_offset_t)data_start)
			rights &= ~X86_PG_RW;
		pt[i] = pa | rights;
	}
}

/*
 * Builds the tables and loads them. Boot CPU, after physmem_init(); runs on
 * the first page tables.
 */
void
kvm_init(void)
{
	vm_offset_t va;

	kernel_pml4 = boot_alloc(1);
	kernel_pml4_pa = DMAP_TO_PHYS(kernel_pml4);

	for (int i = 0; i < bootinfo.bi_mmaps; i++) {
		vm_paddr_t pa = bootinfo.bi_mmap[i].base & ~(LARGE_PAGE - 1);
		vm_paddr_t end =
		    bootinfo.bi_mmap[i].base + bootinfo.bi_mmap[i].size;

		/* ACPI's tables are memory to us; the rest is devices'. */
		if (bootinfo.bi_mmap[i].type != BI_RAM &&
		    bootinfo.bi_mmap[i].type != BI_ACPI &&
		    bootinfo.bi_mmap[i].type != BI_NVS)
			continue;
		for (; pa < end && pa < DMAP_SIZE; pa += LARGE_PAGE)
			map_direct(pa);
	}

	va = (vm_offset_t)kernel_start_pa + KERNBASE;
	for (; va < (vm_offset_t)kernel_end; va += PAGE_SIZE) {
		pt_entry_t rights = image_rights(va);

		if (rights != 0)
			page_table(va)[PT_INDEX(va)] = (va - KERNBASE) | rights;
	}
	next_table(&kernel_pml4[PML4_INDEX(KVA_BASE)]);
	fixmap_pt = page_table(FIXMAP_BASE);

	write_cr3(kernel_pml4_pa);
}

/*
 * Maps a page of device registers, uncached, for the life of the kernel.
 * Boot CPU only.
 */
void *
fixmap(vm_paddr_t pa)
{
	int i = fixmap_used++;

	if (i == 512)
		boot_die("too many interrupt controllers");
	fixmap_pt[i] = trunc_page(pa) | PG_KERNEL | X86_PG_RW | X86_PG_NX |
	    X86_PG_PCD | X86_PG_PWT;
	return (void *)(FIXMAP_BASE + i * PAGE_SIZE + (pa & PAGE_MASK));
}
