/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory for the kernel itself.
 *
 * kmem_page_*: runs of physically contiguous pages, reached through the
 * direct map. kva_*: ranges of the KVA window, without pages behind them.
 * The stack calls put the two together with an unmapped guard page.
 */
#ifndef VM_VM_KERN_H
#define VM_VM_KERN_H

#include <vm/vm_types.h>

/* npages contiguous wired pages, not zeroed, or NULL; never sleeps, may be
 * called under a spinlock. align in pages, a power of two, 1 for any. */
void *kmem_page_alloc(int npages, int align);
void kmem_page_free(void *va, int npages);
/* Single pages, the common case, for page tables too; physical address and
 * vm_page by PHYS. Zeroed when asked. NULL when memory is short. */
vm_page_t kmem_page_alloc1(bool zero);
void kmem_page_free1(vm_page_t m);

/* Pages that the kernel's allocators hold: slabs, zones, stacks, page tables
 * of the window. What is alive in them is accounted for by owner; how many
 * they are depends on how much was ever alive at once. Atomic. */
extern int64_t kmem_pool_pages;

/* A range of the KVA window, whole pages, nothing mapped; 0 when it is
 * full. Takes a spinlock only. */
vm_offset_t kva_alloc(vm_size_t size);
void kva_free(vm_offset_t va, vm_size_t size);

/* The clean map: the part of the window where buffers map their pages. What is
 * written through it is told by other means than the M bits of its entries,
 * which count for nothing. Constant once fs/buf.c has set it. */
extern vm_offset_t clean_sva, clean_eva;

/* npages pages, mapped side by side wherever they are, not zeroed; NULL when
 * memory or addresses are short. Never sleeps. */
void *kmem_alloc_mapped(int npages);
void kmem_free_mapped(void *va, int npages);

/* size bytes of stack with an unmapped page below; 0 when memory is short. */
vm_offset_t kmem_alloc_stack(vm_size_t size);
void kmem_free_stack(vm_offset_t stack, vm_size_t size);

void *kmem_map_device(vm_paddr_t pa, vm_size_t size); /* uncached, forever */

void kmem_init(void); /* after vm_page_startup and pmap_bootstrap */

/* The RAM map as boot found it (amd64/machdep fills it before
 * vm_page_startup): page-aligned, sorted, without the kernel and modules. */
struct phys_range {
	vm_paddr_t start, end;
};
#define PHYS_RANGES_MAX 32
extern struct phys_range phys_avail[PHYS_RANGES_MAX];
extern int phys_avail_count;

#endif
