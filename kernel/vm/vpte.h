/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Entries of virtual page tables, as DragonFly's vkernels have them: what
 * translates a page of a VM_MAPTYPE_VPAGETABLE mapping to a page of its
 * object. Four levels of 512 entries in pages of the object itself; programs
 * write them, and the kernel writes VPTE_A and VPTE_M, by compare-and-set.
 */
#ifndef VM_VPTE_H
#define VM_VPTE_H

#include <kern/types.h>

typedef uint64_t vpte_t;

#define VPTE_V	     0x001UL /* valid */
#define VPTE_RW	     0x002UL /* may be written */
#define VPTE_U	     0x004UL /* the program's own business, */
#define VPTE_A	     0x020UL /* the kernel used it */
#define VPTE_M	     0x040UL /* the kernel used it for writing */
#define VPTE_PS	     0x080UL /* no level below: the rest is linear */
#define VPTE_G	     0x100UL /* and so are these three */
#define VPTE_WIRED   0x200UL
#define VPTE_MANAGED 0x400UL
#define VPTE_NX	     0x800UL		  /* may not be executed */
#define VPTE_FRAME   0x000ffffffffff000UL /* index in the object << 12 */

#define VPTE_PAGE_BITS	9 /* of the index, one level */
#define VPTE_PAGE_MASK	511UL
#define VPTE_INDEX_BITS 36 /* four levels; the root is none of them */

#endif
