/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading and writing a file through the pages of its object, so that they
 * and every mapping of the file see the same bytes.
 *
 * The user's side of a copy may fault, on the very page that is copied even.
 * So a page is busy only until it is valid (and, for a write, marked dirty);
 * during the copy it is held, and the file's v_iolock keeps it from being cut
 * off.
 */
#include <linux/errno.h>

#include <fs/vnode.h>
#include <kern/kstring.h>
#include <vm/vm_pager.h>

/*
 * The page at pindex of a vnode's object: valid, held (vm_page_unhold), not
 * busy; dirty when it is to be written. The object is referenced. ENOSPC when
 * there is no memory for one more, EIO from the pager. May sleep.
 */
static int
object_page_get(
    vm_object_t object, vm_pindex_t pindex, bool dirty, vm_page_t *mp)
{
	vm_page_t m;
	int rv = VM_PAGER_OK;

	vm_object_hold(object);
	if (dirty && vm_page_lookup(object, pindex) == NULL &&
	    vmstats.v_free_count <=
		vmstats.v_free_min + vmstats.v_free_reserved) {
		/* Dirty pages of a file system in memory can go nowhere:
		 * leave the last ones to others. */
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
	if (dirty)
		vm_page_dirty(m);
	vm_page_hold(m);
	vm_page_activate(m);
	vm_page_wakeup(m);
	vm_object_drop(object);
	*mp = m;
	return 0;
}

/* Copies at most one page at the uio's offset. *donep: bytes, also when a
 * fault cut them short. */
static int
page_io(vm_object_t object, struct uio *uio, size_t n, size_t *donep)
{
	size_t off = (size_t)uio->uio_offset & PAGE_MASK;
	size_t resid = uio->uio_resid;
	vm_page_t m;
	int error;

	*donep = 0;
	error = object_page_get(
	    object, OFF_TO_IDX(uio->uio_offset), uio->uio_write, &m);
	if (error != 0)
		return error;
	error = uiomove((char *)PHYS_TO_DMAP(VM_PAGE_TO_PHYS(m)) + off, n, uio);
	vm_page_unhold(m);
	*donep = resid - uio->uio_resid;
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
	error = page_io(object, uio, n, &done);
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
			error = page_io(object, uio, n, &done);
		}
	}
	vm_object_deallocate(object);
	return error;
}
