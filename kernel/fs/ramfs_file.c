/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ramfs: the contents of regular files, and symlinks and devices.
 *
 * There is no vop_putpage: the pages of the vnode's object are the only
 * place of what was written, and stay dirty until the file is gone.
 */
#include <linux/errno.h>

#include <amd64/machdep.h>
#include <fs/ramfs.h>
#include <kern/kstring.h>
#include <vm/vm_pager.h>

/* Gives the file another size. v_iolock exclusive; takes v_lock. What the archive has beyond
 * it must not come back when the file grows again. */
static void
ramfs_setsize(struct vnode *vp, uint64_t size)
{
	struct ramfs_node *rn = vp->v_data;

	vn_lock(vp);
	rn->rn_datalen = MIN(rn->rn_datalen, size);
	rn->rn_size = size;
	vnode_pager_setsize(vp, size);
	vn_unlock(vp);
}

/* vop_read; v_iolock shared. */
static int
ramfs_read(struct vnode *vp, struct uio *uio, int ioflag)
{
	return vn_rdwr_pages(vp, uio, NULL);
}

/* vop_write; v_iolock exclusive. */
static int
ramfs_write(struct vnode *vp, struct uio *uio, int ioflag)
{
	struct ramfs_node *rn = vp->v_data;
	uint64_t left = (uint64_t)INT64_MAX - (uint64_t)uio->uio_offset;
	size_t over = 0;
	int error;

	ramfs_pin(vp);
	if (uio->uio_resid > left) {
		over = uio->uio_resid - left;
		uio->uio_resid = left;
	}
	error = vn_rdwr_pages(vp, uio, ramfs_setsize);
	uio->uio_resid += over;
	rn->rn_mtime = rn->rn_ctime = (int64_t)walltime();
	return error;
}

/* vop_truncate; v_iolock exclusive. */
static int
ramfs_truncate(struct vnode *vp, uint64_t size)
{
	struct ramfs_node *rn = vp->v_data;

	ramfs_pin(vp);
	if (size != vp->v_size)
		ramfs_setsize(vp, size);
	rn->rn_mtime = rn->rn_ctime = (int64_t)walltime();
	return 0;
}

/* vop_open: whoever opens for writing may map it shared and write so. */
static int
ramfs_open(struct vnode *vp, struct file *fp)
{
	if (FWRITABLE(fp))
		ramfs_pin(vp);
	return 0;
}

/* vop_getpage: from the archive, zeroes beyond. No lock: rn_data never
 * changes, and a truncation that runs beside us cuts the page off, or its
 * end, when we are done with it. */
static int
ramfs_getpage(struct vnode *vp, uint64_t off, void *kaddr)
{
	struct ramfs_node *rn = vp->v_data;
	uint64_t len = rn->rn_datalen;
	size_t n = 0;

	if (off < len) {
		n = MIN(len - off, PAGE_SIZE);
		memcpy(kaddr, rn->rn_data + off, n);
	}
	if (n < PAGE_SIZE)
		bzero((char *)kaddr + n, PAGE_SIZE - n);
	return 0;
}

/*
 * Does the page at off of a file, at kaddr, have what the archive has? What may
 * have been written to has not to. Quiescent.
 */
bool
ramfs_intact(struct vnode *vp, uint64_t off, const void *kaddr)
{
	struct ramfs_node *rn = vp->v_data;

	if (vp->v_ops != &ramfs_regops || rn->rn_pinned || rn->rn_nlink == 0 ||
	    off >= rn->rn_datalen)
		return true;
	return memcmp(kaddr, rn->rn_data + off,
		   MIN(rn->rn_datalen - off, PAGE_SIZE)) == 0;
}

/* vop_readlink; v_lock shared. */
static int
ramfs_readlink(struct vnode *vp, char *buf, size_t size, size_t *lenp)
{
	struct ramfs_node *rn = vp->v_data;

	*lenp = MIN(size, rn->rn_size);
	memcpy(buf, rn->rn_target, *lenp);
	return 0;
}

const struct vnodeops ramfs_regops = {
    .vop_getattr = ramfs_getattr,
    .vop_setattr = ramfs_setattr,
    .vop_truncate = ramfs_truncate,
    .vop_read = ramfs_read,
    .vop_write = ramfs_write,
    .vop_getpage = ramfs_getpage,
    .vop_open = ramfs_open,
    .vop_inactive = ramfs_inactive,
    .vop_name = ramfs_name,
};

const struct vnodeops ramfs_lnkops = {
    .vop_readlink = ramfs_readlink,
    .vop_getattr = ramfs_getattr,
    .vop_setattr = ramfs_setattr,
    .vop_inactive = ramfs_inactive,
    .vop_name = ramfs_name,
};

/* Character devices by their number, FIFOs, and block devices, which cannot
 * be opened. */
const struct vnodeops ramfs_blkops = {
    .vop_getattr = ramfs_getattr,
    .vop_setattr = ramfs_setattr,
    .vop_read = bdev_read,
    .vop_write = bdev_write,
    .vop_ioctl = bdev_ioctl,
    .vop_open = bdev_open,
    .vop_inactive = ramfs_inactive,
    .vop_name = ramfs_name,
};

const struct vnodeops ramfs_devops = {
    .vop_getattr = ramfs_getattr,
    .vop_setattr = ramfs_setattr,
    .vop_read = cdev_read,
    .vop_write = cdev_write,
    .vop_ioctl = cdev_ioctl,
    .vop_poll = cdev_poll,
    .vop_open = cdev_open,
    .vop_inactive = ramfs_inactive,
    .vop_name = ramfs_name,
};
