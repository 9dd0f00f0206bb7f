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

extern const struct pagerops defaultpagerops, vnodepagerops, physpagerops,
    devicepagerops;
extern const struct pagerops *const pagertab[OBJT_COUNT]; /* by objtype_t */

int vm_pager_get_page(vm_object_t object, vm_page_t *mp, int seqaccess);
bool vm_pager_has_page(vm_object_t object, vm_pindex_t pindex);
void vm_pager_put_pages(
    vm_object_t object, vm_page_t *m, int count, int flags, int *rtvals);
void vm_pager_deallocate(vm_object_t object);

/* Device pager. One object a device, while it is mapped. */
struct cdevsw;
/* The device's object, referenced once more; creates it. NULL when the device
 * has no memory somewhere in size bytes from off on, or not for such an
 * access. May sleep. */
vm_object_t dev_pager_alloc(
    const struct cdevsw *d, vm_size_t size, vm_prot_t prot, vm_ooffset_t off);

/* Vnode pager. One object a file, made at its first mapping and kept, with
 * its pages, until the vnode ends; each reference on it owns one on the
 * vnode. */
struct vnode;
/* The object of a file, referenced once more; creates it. The caller has a
 * reference on the vnode. May sleep. */
vm_object_t vnode_pager_reference(struct vnode *vp);
/* Gives the file another size: sets v_size, frees the pages beyond, zeroes
 * what is beyond in the last one. v_lock exclusive. May sleep. */
void vnode_pager_setsize(struct vnode *vp, uint64_t newsize);
/* The vnode ends, nobody refers to it: writes its pages back, frees them and
 * the object. May sleep. */
void vnode_pager_reclaim(struct vnode *vp);
/* The file at the tail of the chain, referenced, so that it does not end
 * while a fault reads from it; NULL: anonymous. The map is locked, the head's
 * object held, shared will do. Takes the tail's token, shared. */
struct vm_map_backing;
struct vnode *vnode_pager_lock(struct vm_map_backing *ba);

#endif
