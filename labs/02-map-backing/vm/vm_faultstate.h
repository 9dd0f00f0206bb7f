/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a fault knows about itself, between the files of vm_fault.
 *
 * first_ba is the head of the entry's chain; ba is the level that the walk has
 * come to. From the lookup until the page is mapped the map is locked shared,
 * so that both, and all in between, stay what they are. While a pass is under
 * way
 *  - the head's object is held throughout (held), ba's too when it is another;
 *  - paging is in progress on the head's object, and on ba's when it is
 *    another;
 *  - when ba is not the head, first_m is a hard-busy page of the head's
 *    object: the place where a copy would go, and the sign for everybody
 *    else that somebody is at work on this index.
 */
#ifndef VM_VM_FAULTSTATE_H
#define VM_VM_FAULTSTATE_H

#include <vm/vm_fault.h>

struct faultstate {
	vm_page_t m;		   /* the page found, hard-busy */
	struct vm_map_backing *ba; /* the level it is in */
	vm_pindex_t pindex;	   /* and its index in that object */
	vm_prot_t prot;		   /* to map it with */
	vm_page_t first_m;	   /* the placeholder, hard-busy, or NULL */
	struct vm_map_backing *first_ba; /* valid while the map is locked */
	vm_object_t held; /* first_ba's object, while we hold it */
	vm_pindex_t first_pindex;
	vm_prot_t first_prot;	 /* what the entry permits */
	vm_map_t map;		 /* maybe a submap of the one asked for */
	vm_map_entry_t entry;	 /* valid while lookup_still_valid */
	int fault_flags;	 /* VM_FAULT_* */
	int depth;		 /* levels down to ba */
	bool lookup_still_valid; /* the map is locked shared since then */
	bool wired;		 /* the entry is wired */
	bool hardfault;		 /* a pager had to read */
	bool msoftonly;		 /* m is soft-busy only (vm_fault_quick) */
	bool first_shared;	 /* first_ba's token is taken shared */
	bool shared;		 /* the tokens of those behind are */
	struct vnode *vp;	 /* the file at the bottom, referenced */
};

/* Results of one step of the walk. Others are KERN_* and end the pass. */
#define FAULT_FOUND (-1) /* fs->m is the page */
#define FAULT_DOWN  (-2) /* not at this level */

/* --- vm_fault_unwind.c: setting up and giving back --- */
void vm_fault_setup(struct faultstate *fs, vm_map_t map, int fault_flags);
int vm_fault_lookup(struct faultstate *fs, vm_offset_t va, vm_prot_t fault_type,
    bool *growstack);
void vm_fault_hold_first(struct faultstate *fs);
void vm_fault_drop_first(struct faultstate *fs);
void vm_fault_release_page(struct faultstate *fs);
void vm_fault_scrap_page(struct faultstate *fs);
void vm_fault_unlock_map(struct faultstate *fs);
void vm_fault_unlock_things(struct faultstate *fs);
void vm_fault_to_front(struct faultstate *fs);
int vm_fault_unwind(struct faultstate *fs, int result);
int vm_fault_wait_memory(struct faultstate *fs);

/* --- vm_fault_object.c: the walk --- */
int vm_fault_object(struct faultstate *fs, vm_prot_t fault_type);

/* --- vm_fault_pagein.c --- */
int vm_fault_pagein(struct faultstate *fs);

/* --- vm_vpagetable.c --- */
int vm_fault_vpagetable(struct faultstate *fs, vm_prot_t fault_type);

/* --- vm_fault_cow.c --- */
void vm_fault_cow(struct faultstate *fs);

/* --- vm_prefault.c --- */
void vm_prefault_init(void);
void vm_prefault(struct faultstate *fs, vm_offset_t va);

/* --- vm_fault_quick.c --- */
extern bool vm_fault_quick_enable; /* (k) after boot: is it to be tried? */
void vm_fault_quick_init(void);
bool vm_fault_quick(struct faultstate *fs);

#endif
