/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The vnode pager: the pages of a file.
 *
 * A file has one object, whoever maps it. It is made at the first use and
 * stays until the vnode ends, with ref_count 0 in between. Each reference on
 * it owns a reference on the vnode, so that a mapped file's vnode does not
 * end.
 *
 * While a page is resident it, not the file system's storage, is the file:
 * reading and writing go through it, and so does every mapping.
 *
 * A fault takes no lock of the vnode: the thread may have one already, when
 * it faults on the buffer of a read or write. What keeps a truncation off is
 * the page's busy bit: vnode_pager_setsize waits for it.
 */
#include <fs/vnode.h>
#include <kern/kstring.h>
#include <vm/vm_map_backing.h>
#include <vm/vm_pager.h>

/* Ends an object that was made in vain: nobody has seen it. */
static void
discard_object(vm_object_t object)
{
	vm_object_hold(object);
	object->ref_count = 0;
	vm_object_terminate(object);
	vm_object_drop(object);
}

/* The file's object with one reference more, for the caller, who has one on
 * the vnode. May sleep. Making the object may sleep too, and give up v_token:
 * so another may have been made meanwhile. */
vm_object_t
vnode_pager_reference(struct vnode *vp)
{
	vm_object_t object, made = NULL;

	lwkt_gettoken(&vp->v_token);
	if (vp->v_object == NULL)
		made = vm_object_allocate(OBJT_VNODE, 0);
	object = vp->v_object;
	if (object == NULL) {
		object = made;
		made = NULL;
		object->handle = vp;
		object->size = OFF_TO_IDX(round_page(vp->v_size));
		vref(vp);
		vp->v_object = object;
	} else {
		vm_object_reference_quick(object);
	}
	lwkt_reltoken(&vp->v_token);
	if (made != NULL)
		discard_object(made);
	return object;
}

/* Is there nothing but zeroes up to the end of the page? */
static bool
zero_to_end(const char *p)
{
	while (((uintptr_t)p & PAGE_MASK) % sizeof(uint64_t) != 0) {
		if (*p++ != 0)
			return false;
	}
	while (((uintptr_t)p & PAGE_MASK) != 0) {
		if (*(const uint64_t *)(const void *)p != 0)
			return false;
		p += sizeof(uint64_t);
	}
	return true;
}

/* Zeroes what the last page has beyond the end of the file, if it is
 * resident and has anything there. It is unmapped for that: whoever wrote
 * there by a mapping does not see it change under his hands. The object is
 * held exclusively; waits for the page. */
static void
zero_tail(vm_object_t object, uint64_t size)
{
	size_t off = size & PAGE_MASK;
	char *tail;
	vm_page_t m;

	if (off == 0)
		return;
	m = vm_page_lookup_busy_wait(object, OFF_TO_IDX(size), true, "vsetsz");
	if (m == NULL)
		return;
	tail = (char *)PHYS_TO_DMAP(m->phys_addr) + off;
	if (m->valid != 0 && !zero_to_end(tail)) {
		vm_page_protect(m, VM_PROT_NONE);
		vm_page_activate(m); /* not cached any more */
		memset(tail, 0, PAGE_SIZE - off);
		vm_page_set_dirty(m, (int)off, (int)(PAGE_SIZE - off));
		vm_object_set_writeable_dirty(object);
	}
	vm_page_wakeup(m);
}

/* Gives the file another size. The object's size changes before its pages
 * are looked at, so that no fault makes new ones beyond the end meanwhile.
 * v_lock is held exclusively; may sleep. */
void
vnode_pager_setsize(struct vnode *vp, uint64_t newsize)
{
	vm_pindex_t newpages = OFF_TO_IDX(round_page(newsize));
	uint64_t oldsize;
	vm_object_t object;

	lwkt_gettoken(&vp->v_token);
	oldsize = vp->v_size;
	vp->v_size = newsize;
	object = vp->v_object;
	if (object != NULL) {
		vm_object_hold(object);
		object->size = newpages;
		if (newsize < oldsize)
			vm_object_page_remove(object, newpages, 0, false);
		zero_tail(object, MIN(newsize, oldsize));
		vm_object_drop(object);
	}
	lwkt_reltoken(&vp->v_token);
}

/* The vnode has no references any more, and so neither has its object: ends
 * it. */
void
vnode_pager_reclaim(struct vnode *vp)
{
	vm_object_t object = vp->v_object;

	if (object == NULL)
		return;
	vm_object_hold(object);
	KKASSERT(object->ref_count == 0 && object->handle == vp);
	vm_object_terminate(object);
	vm_object_drop(object);
}

/* The file at the tail of a chain, referenced; NULL when there is none. The
 * map is locked, which keeps the chain, and the head's object is held, shared
 * will do; the tail's is held shared here, if it is another one, to be asked
 * what it is. */
struct vnode *
vnode_pager_lock(struct vm_map_backing *ba)
{
	/* LAB 2.1d: what does the caller get when the tail is no file? */
	struct vm_map_backing *tail = ba;
	struct vnode *vp = NULL;

	ASSERT_LWKT_TOKEN_HELD(&ba->object->token);
	while (tail->backing_ba != NULL)
		tail = tail->backing_ba;
	if (tail != ba)
		vm_object_hold_shared(tail->object);
	if (tail->object->type == OBJT_VNODE &&
	    (tail->object->flags & OBJ_DEAD) == 0) {
		vp = tail->object->handle;
		vref(vp);
	}
	if (tail != ba)
		vm_object_drop(tail->object);
	return vp;
	/* END LAB 2.1d */
}

/* The object ends: the vnode has none any more. */
static void
vnode_pager_dealloc(vm_object_t object)
{
	struct vnode *vp = object->handle;

	if (vp != NULL) {
		KKASSERT(vp->v_object == object);
		vp->v_object = NULL;
	}
	object->handle = NULL;
	object->type = OBJT_DEAD;
}

/* Has the file system fill a page. What lies beyond the end of the file in
 * the last page is zeroes; pages wholly beyond do not exist. */
static int
vnode_pager_getpage(vm_object_t object, vm_page_t *mp, int seqaccess)
{
	struct vnode *vp = object->handle;
	vm_page_t m = *mp;
	uint64_t off = (uint64_t)IDX_TO_OFF(m->pindex), size;
	char *va = (char *)PHYS_TO_DMAP(m->phys_addr);

	(void)seqaccess;
	if (m->pindex >= object->size || vp->v_ops->vop_getpage == NULL)
		return VM_PAGER_BAD;
	cnt_inc(v_vnodein);
	if (vp->v_ops->vop_getpage(vp, off, va) != 0)
		return VM_PAGER_ERROR;
	size = vp->v_size;
	if (size < off + PAGE_SIZE && size > off)
		memset(va + (size - off), 0, PAGE_SIZE - (size - off));
	m->valid = VM_PAGE_BITS_ALL;
	vm_page_undirty(m);
	cnt_inc(v_vnodepgsin);
	return VM_PAGER_OK;
}

/* Has the file system store a page: from its first dirty block of 512 bytes
 * to its last, even beyond the end of the file: when it was cut there, what is
 * zeroes now may be something else on the disk. The dirty bits are taken before the
 * transfer begins, so that what is changed during it makes the page dirty
 * anew; after a failure they are put back. A file system without storage of
 * its own keeps the page as it is. */
static int
vnode_pager_putpage(struct vnode *vp, vm_page_t m)
{
	uint64_t base = (uint64_t)IDX_TO_OFF(m->pindex);
	uint8_t dirty = m->dirty;
	size_t off, end;

	if (vp->v_ops->vop_putpage == NULL)
		return VM_PAGER_FAIL;
	if (base >= vp->v_size)
		return VM_PAGER_BAD;
	if (dirty == 0)
		return VM_PAGER_OK;
	vm_page_undirty(m);
	off = (size_t)__builtin_ctz(dirty) << DEV_BSHIFT;
	end = (size_t)(32 - __builtin_clz(dirty)) << DEV_BSHIFT;
	cnt_inc(v_vnodeout);
	if (vp->v_ops->vop_putpage(vp, base + off,
		(char *)PHYS_TO_DMAP(m->phys_addr) + off, end - off) != 0) {
		atomic_set_uchar(&m->dirty, dirty);
		return VM_PAGER_ERROR;
	}
	cnt_inc(v_vnodepgsout);
	return VM_PAGER_OK;
}

/* Nobody can write to the pages by a mapping: see vm_pager_put_pages. */
static void
vnode_pager_putpages(
    vm_object_t object, vm_page_t *m, int count, int flags, int *rtvals)
{
	(void)flags;
	for (int i = 0; i < count; i++)
		rtvals[i] = vnode_pager_putpage(object->handle, m[i]);
}

/* Every page up to the end of the file can be had. */
static bool
vnode_pager_haspage(vm_object_t object, vm_pindex_t pindex)
{
	return pindex < object->size;
}

const struct pagerops vnodepagerops = {
    .pgo_dealloc = vnode_pager_dealloc,
    .pgo_getpage = vnode_pager_getpage,
    .pgo_putpages = vnode_pager_putpages,
    .pgo_haspage = vnode_pager_haspage,
};
