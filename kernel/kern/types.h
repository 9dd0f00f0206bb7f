/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel's basic types and the sizes every part agrees on.
 */
#ifndef KERN_TYPES_H
#define KERN_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef long ssize_t;

typedef uint64_t vm_offset_t; /* a virtual address, bytes */
typedef uint64_t vm_paddr_t;  /* a physical address, bytes */
typedef uint64_t vm_size_t;   /* a length, bytes */
typedef uint64_t vm_pindex_t; /* a page number within an object, pages */
typedef int64_t vm_ooffset_t; /* an offset into an object, bytes */
typedef uint8_t vm_prot_t;    /* VM_PROT_*, vm/vm_types.h */
typedef uint16_t vm_eflags_t; /* MAP_ENTRY_*, vm/vm_map.h */
typedef uint8_t vm_inherit_t; /* VM_INHERIT_* */
typedef uint8_t vm_maptype_t; /* VM_MAPTYPE_* */

#define PAGE_SHIFT 12
#define PAGE_SIZE  4096UL
#define PAGE_MASK  (PAGE_SIZE - 1)

#define trunc_page(x)	((uint64_t)(x) & ~PAGE_MASK)
#define round_page(x)	(((uint64_t)(x) + PAGE_MASK) & ~PAGE_MASK)
#define OFF_TO_IDX(off) ((vm_pindex_t)((uint64_t)(off) >> PAGE_SHIFT))
#define IDX_TO_OFF(idx) ((vm_ooffset_t)((uint64_t)(idx) << PAGE_SHIFT))

#define MAXCPU 16

typedef uint32_t cpumask_t; /* bit n is CPU n; MAXCPU <= 32 */

#define CPUMASK(n) ((cpumask_t)1 << (n))

/*
 * Address space layout, amd64, four-level paging (SDM vol. 3, 4.5).
 */
#define VM_MIN_USER_ADDRESS 0x0000000000001000UL
#define VM_MAX_USER_ADDRESS 0x00007ffffffff000UL
#define DMAP_BASE	    0xffff800000000000UL /* all RAM, NX */
#define DMAP_SIZE	    0x0000008000000000UL /* one PML4 slot */
#define KVA_BASE	    0xffffa00000000000UL /* stacks, MMIO, windows */
#define KVA_SIZE	    0x0000008000000000UL /* one PML4 slot */
#define KERNBASE	    0xffffffff80000000UL /* the kernel's image */

#define PHYS_TO_DMAP(pa) ((vm_offset_t)(pa) + DMAP_BASE)
#define DMAP_TO_PHYS(va) ((vm_paddr_t)(va)-DMAP_BASE)

#endif
