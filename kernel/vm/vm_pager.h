/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pagers: where an object's pages come from when they are not resident, and
 * where they go. One operations table a type of object.
 */
#ifndef VM_VM_PAGER_H
#define VM_VM_PAGER_H

#include <vm/vm_object.h>

/* Results of a pager call. */
#define VM_PAGER_OK    0
#define VM_PAGER_BAD   1 /* outside the pager's range */
#define VM_PAGER_FAIL  2 /* the pager has no such page: look further down */
#define VM_PAGER_PEND  3
#define VM_PAGER_ERROR 4 /* I/O error */
#define VM_PAGER_AGAIN 5

struct pagerops {
	void (*pgo_dealloc)(vm_object_t object);
	/* Fills the hard-busy page; may sleep; object held, PIP taken. On
	 * VM_PAGER_OK m->valid is complete. *mp may be replaced (device). */
	int (*pgo_getpage)(vm_object_t object, vm_page_t *mp, int seqaccess);
	void (*pgo_putpages)(vm_object_t object, vm_page_t *m, int count,
	    int flags, int *rtvals);
	bool (*pgo_haspage)(vm_object_t object, vm_pindex_t pindex);
};

extern const struct pagerops *const pagertab[OBJT_COUNT];

int vm_pager_get_page(vm_object_t object, vm_page_t *mp, int seqaccess);
bool vm_pager_has_page(vm_object_t object, vm_pindex_t pindex);
void vm_pager_put_pages(
    vm_object_t object, vm_page_t *m, int count, int flags, int *rtvals);
void vm_pager_deallocate(vm_object_t object);

/* Vnode pager: the object of a file, referenced once more; creates it. */
struct vnode;
vm_object_t vnode_pager_reference(struct vnode *vp);
/* File size changed: pages beyond are freed, the partial one zeroed. */
void vnode_pager_setsize(struct vnode *vp, uint64_t newsize);

#endif
