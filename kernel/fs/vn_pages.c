/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading and writing a file through the pages of its object, so that they
 * and every mapping of the file see the same bytes.
 *
 * The user's side of a copy may fault, on the very page that is copied even.
 * So a page is busy only until it is valid (and, for a write, has its place
 * on the disk); during the copy it is held, and the file's v_iolock keeps it
 * from being cut off. It may be written to the disk meanwhile; so it is made
 * dirty when the copy is done. Where the page is the only place that the
 * bytes have, it is dirty before, too: then nobody frees it.
 */
#include <linux/errno.h>

#include <amd64/machdep.h>
#include <fs/vnode.h>
#include <kern/kstring.h>
#include <vm/swap_pager.h>
#include <vm/vm_pageout.h>

/*
 * Dirty pages of a file system in memory can go nowhere: the last free pages
 * are left to others. As long as others' pages can go to swap there is hope,
 * for a second; without being one of those for whom processes are killed.
 */
static bool
room_for_one(void)
{
	for (uint32_t i = 0; i < HZ; i++) {
		if (vmstats.v_free_count + vmstats.v_cache_count >
		    vmstats.v_free_min + vmstats.v_free_reserved)
			return true;
		if (swap_space(NULL) == 0)
			return false;
		pagedaemon_kick();
		tsleep(&vmstats, 0, "vnroom", TICK_NS);
	}
	return false;
}

/* May there be one more dirty page? Always if it can go to a disk. The object
 * is held; may sleep. */
static bool
may_add(struct vnode *vp, vm_object_t object, vm_pindex_t pindex)
{
	return vp->v_ops->vop_putpage != NULL ||
	    vm_page_lookup(object, pindex) != NULL || room_for_one();
}

/* n bytes at off, in a valid and busy page, are going to be written. */
static int
prepare_write(struct vnode *vp, vm_page_t m, uint64_t off, size_t n)
{
	uint8_t fresh = VM_PAGE_BITS_ALL;
	int error = 0;

	if (vp->v_ops->vop_reserve != NULL) {
		fresh = 0;
		error = vp->v_ops->vop_reserve(vp, off, n, &fresh);
	}
	if (fresh != 0) {
		atomic_set_uchar(&m->dirty, fresh);
		vm_object_set_writeable_dirty(m->object);
	}
	return error;
}

/*
 * The page at off of a vnode's object: valid, held (vm_page_unhold), not busy;
 * ready for n bytes to be written, unless n is 0. The object is referenced.
 * ENOSPC, or EIO from the pager. May sleep.
 */
static int
object_page_get(
    struct vnode *vp, vm_object_t object, uint64_t off, size_t n, vm_page_t *mp)
{
	vm_pindex_t pindex = OFF_TO_IDX(off);
	int rv = VM_PAGER_OK, error = 0;
	vm_page_t m;

	vm_object_hold(object);
	if (n != 0 && !may_add(vp, object, pindex)) {
		vm_object_drop(object);
		return ENOSPC;
	}
	m = vm_page_grab(object, pindex, VM_ALLOC_NORMAL | VM_ALLOC_RETRY);
	if (m->valid != VM_PAGE_BITS_ALL) {
		vm_object_pip_add(object, 1);
		rv = vm_pager_get_page(object, &m, 1);
		vm_object_pip_wakeup(object);
	}
	if (rv != VM_PAGER_OK) {
		vm_page_free(m);
		vm_object_drop(object);
		return EIO;
	}
	if (n != 0)
		error = prepare_write(vp, m, off, n);
	if (error == 0)
		vm_page_hold(m);
	vm_page_activate(m);
	vm_page_wakeup(m);
	vm_object_drop(object);
	*mp = m;
	return error;
}

int
vn_page_in(struct vnode *vp, uint64_t off)
{
	vm_object_t object = vnode_pager_reference(vp);
	vm_page_t m;
	int error;

	error = object_page_get(vp, object, off, 0, &m);
	if (error == 0)
		vm_page_unhold(m);
	vm_object_deallocate(object);
	return error;
}

/* Copies at most one page at the uio's offset. *donep: bytes, also when a
 * fault cut them short. */
static int
page_io(struct vnode *vp, vm_object_t object, struct uio *uio, size_t n,
    size_t *donep)
{
	uint64_t at = (uint64_t)uio->uio_offset;
	size_t off = at & PAGE_MASK, resid = uio->uio_resid;
	vm_page_t m;
	int error;

	*donep = 0;
	error = object_page_get(vp, object, at, uio->uio_write ? n : 0, &m);
	if (error != 0)
		return error;
	error = uiomove((char *)PHYS_TO_DMAP(VM_PAGE_TO_PHYS(m)) + off, n, uio);
	*donep = resid - uio->uio_resid;
	if (uio->uio_write && *donep != 0) {
		vm_page_set_dirty(m, (int)off, (int)*donep);
		vm_object_set_writeable_dirty(object);
	}
	vm_page_unhold(m);
	return error;
}

/* The write half: a chunk that goes beyond the end makes the file longer
 * first, so that the page is inside it, and a fault takes back what was not
 * written. */
static int
write_chunk(struct vnode *vp, vm_object_t object, struct uio *uio, size_t n,
    void (*grow)(struct vnode *vp, uint64_t size))
{
	uint64_t off = (uint64_t)uio->uio_offset, old = vp->v_size;
	size_t done;
	int error;

	if (off + n > old)
		grow(vp, off + n);
	error = page_io(vp, object, uio, n, &done);
	if (done < n && off + n > old)
		grow(vp, done > 0 ? MAX(off + done, old) : old);
	return error;
}

/*
 * Moves uio_resid bytes at uio_offset: a read stops at the end of the file, a
 * write lets it grow. v_iolock is held, shared for a read, exclusive for a
 * write; v_lock is not. An error after some bytes were moved leaves them counted in the uio.
 */
int
vn_rdwr_pages(struct vnode *vp, struct uio *uio,
    void (*grow)(struct vnode *vp, uint64_t size))
{
	vm_object_t object;
	size_t n, done;
	uint64_t off;
	int error = 0;

	if (uio->uio_resid == 0)
		return 0;
	if (!uio->uio_write && (uint64_t)uio->uio_offset >= vp->v_size)
		return 0;
	object = vnode_pager_reference(vp);
	if (object == NULL)
		return EIO;
	while (uio->uio_resid > 0 && error == 0) {
		off = (uint64_t)uio->uio_offset;
		n = PAGE_SIZE - (off & PAGE_MASK);
		n = MIN(n, uio->uio_resid);
		if (uio->uio_write) {
			error = write_chunk(vp, object, uio, n, grow);
		} else {
			if (off >= vp->v_size)
				break;
			n = MIN(n, vp->v_size - off);
			error = page_io(vp, object, uio, n, &done);
		}
	}
	vm_object_deallocate(object);
	return error;
}
