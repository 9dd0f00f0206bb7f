/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Page faults: bringing the right page in and mapping it.
 */
#ifndef VM_VM_FAULT_H
#define VM_VM_FAULT_H

#include <vm/vm_map.h>

#define VM_FAULT_NORMAL	       0x0
#define VM_FAULT_CHANGE_WIRING 0x1
#define VM_FAULT_USER_WIRE     0x2
#define VM_FAULT_BURST	       0x4 /* neighbours may be mapped, too */
#define VM_FAULT_DIRTY	       0x8 /* the page will be written at once */
#define VM_FAULT_USERMODE      0x20
#define VM_FAULT_WIRE_MASK     (VM_FAULT_CHANGE_WIRING | VM_FAULT_USER_WIRE)

/* vm.shared_fault: tokens and chain locks are tried shared first. */
extern bool vm_shared_fault; /* (k) after boot */
void vm_fault_init(void);    /* boot: reads the options */

/* Resolves a fault at va (any byte). May sleep; no token, no spinlock, no
 * map lock held. KERN_SUCCESS, KERN_INVALID_ADDRESS (nothing mapped),
 * KERN_PROTECTION_FAILURE, KERN_FAILURE (pager error, beyond end of file).
 * Grows a stack. Returns with exactly the tokens held at entry. */
int vm_fault(vm_map_t map, vm_offset_t va, vm_prot_t fault_type, int flags);
/* The page behind va of a map (any process's), made present for prot, held
 * hard-busy when *busyp comes back true, else held only (vm_page_hold):
 * release by vm_page_wakeup or vm_page_unhold. NULL and *errorp. */
vm_page_t vm_fault_page(vm_map_t map, vm_offset_t va, vm_prot_t prot, int flags,
    int *errorp, bool *busyp);
int vm_fault_wire(
    vm_map_t map, vm_map_entry_t entry, bool user_wire, int kmflags);
void vm_fault_unwire(vm_map_t map, vm_map_entry_t entry);

#endif
