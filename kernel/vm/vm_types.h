/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Constants every file of the VM shares: protections, results, inheritance.
 */
#ifndef VM_VM_TYPES_H
#define VM_VM_TYPES_H

#include <kern/types.h>

/* Protections: the values of PROT_READ, PROT_WRITE, PROT_EXEC. */
#define VM_PROT_NONE	0x00
#define VM_PROT_READ	0x01
#define VM_PROT_WRITE	0x02
#define VM_PROT_EXECUTE 0x04
#define VM_PROT_RW	(VM_PROT_READ | VM_PROT_WRITE)
#define VM_PROT_ALL	(VM_PROT_RW | VM_PROT_EXECUTE)
/* vm_fault_page only: write even where the entry is read-only, by a copy. */
#define VM_PROT_OVERRIDE_WRITE 0x08

/* What a fork does with an entry. */
#define VM_INHERIT_SHARE 0
#define VM_INHERIT_COPY	 1
#define VM_INHERIT_NONE	 2

/* Results of map and fault functions (Mach's names). */
#define KERN_SUCCESS		0
#define KERN_INVALID_ADDRESS	1
#define KERN_PROTECTION_FAILURE 2
#define KERN_NO_SPACE		3
#define KERN_INVALID_ARGUMENT	4
#define KERN_FAILURE		5 /* the pager failed: SIGBUS */
#define KERN_RESOURCE_SHORTAGE	6
#define KERN_TRY_AGAIN		7 /* internal to vm_fault */

int vm_errno(int kern_result); /* the errno that a system call returns */

struct vm_page;
struct vm_object;
struct vm_map;
struct vm_map_entry;
struct vmspace;
struct vnode;
struct pmap;
typedef struct vm_page *vm_page_t;
typedef struct vm_object *vm_object_t;
typedef struct vm_map *vm_map_t;
typedef struct vm_map_entry *vm_map_entry_t;
typedef struct pmap *pmap_t;

#endif
