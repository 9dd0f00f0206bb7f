/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ext2: what is in files. The pages of a file's object are read from the disk
 * and written to it directly.
 */
#include <linux/errno.h>
#include <linux/fcntl.h>

#include <fs/ext2.h>
#include <kern/kstring.h>
#include <vm/vm_object.h>
#include <vm/vm_pager.h>

/* The blocks of a page that a range of bytes touches. */
struct blocks {
	uint64_t lbn;	/* the first */
	uint32_t count; /* of them */
};

static struct blocks
blocks_of(const struct ext2_mount *em, uint64_t off, uint64_t len)
{
	struct blocks b = {.lbn = off >> em->em_bshift};

	b.count = (uint32_t)(((off + len - 1) >> em->em_bshift) - b.lbn) + 1;
	return b;
}

/* One block of a file, or 0; takes e_lock shared. */
static int
bmap_locked(struct ext2_node *ip, uint64_t lbn, uint32_t *blkp)
{
	int error;

	lockmgr(&ip->e_lock, LK_SHARED);
	error = ext2_bmap(ip, lbn, blkp);
	lockmgr(&ip->e_lock, LK_RELEASE);
	return error;
}

/* Bytes within one block of the disk, both whole sectors. */
static int
block_rw(struct ext2_mount *em, enum bio_op op, uint32_t blk, size_t off,
    void *buf, size_t len)
{
	return blk_rw(
	    em->em_bd, op, (EXT2_OFF(em, blk) + off) / BLK_SECTOR, buf, len);
}

/* vop_getpage. Blocks that follow each other on the disk are read at once;
 * what has no block, or is beyond the end, is zeroes. */
static int
ext2_getpage(struct vnode *vp, uint64_t off, void *kaddr)
{
	struct ext2_node *ip = VTOE(vp);
	struct ext2_mount *em = ip->e_em;
	uint32_t blk[PAGE_SIZE / BLK_SECTOR], n, run;
	uint64_t size = vp->v_size;
	struct blocks b;
	char *at = kaddr;
	int error;

	if (off >= size) {
		bzero(kaddr, PAGE_SIZE);
		return 0;
	}
	b = blocks_of(em, off, MIN(size - off, PAGE_SIZE));
	for (n = 0; n < b.count; n++) {
		error = bmap_locked(ip, b.lbn + n, &blk[n]);
		if (error != 0)
			return EIO;
	}
	for (n = 0; n < b.count; n += run, at += (size_t)run << em->em_bshift) {
		size_t len;

		for (run = 1; n + run < b.count && blk[n] != 0 &&
		     blk[n + run] == blk[n] + run;
		     run++)
			continue;
		len = (size_t)run << em->em_bshift;
		if (blk[n] == 0) {
			bzero(at, len);
			continue;
		}
		error = block_rw(em, BIO_READ, blk[n], 0, at, len);
		if (error != 0)
			return error;
	}
	bzero(at, (size_t)((char *)kaddr + PAGE_SIZE - at));
	return 0;
}

/* Is a block's part of a page nothing but zeroes? Then it can stay a hole. */
static bool
all_zero(const char *p, size_t len)
{
	const uint64_t *w = (const uint64_t *)(const void *)p;

	for (; len > 0; len -= sizeof(*w)) {
		if (*w++ != 0)
			return false;
	}
	return true;
}

/* The last block of a file, of which the disk gets zeroes beyond the end,
 * whatever a mapping has left in the page: when the file grows they are read. */
static int
put_last(struct ext2_mount *em, uint32_t blk, const char *block, size_t len)
{
	int error;

	lockmgr(&em->em_bouncelock, LK_EXCLUSIVE);
	memcpy(em->em_bounce, block, len);
	bzero(em->em_bounce + len, em->em_bsize - len);
	error = block_rw(em, BIO_WRITE, blk, 0, em->em_bounce, em->em_bsize);
	lockmgr(&em->em_bouncelock, LK_RELEASE);
	return error;
}

/* The block that a part of a page, at `block', has on the disk; 0 when it
 * needs none: zeroes in a hole. *isnew: it had none so far. */
static int
block_for(struct vnode *vp, uint64_t lbn, const char *block, uint32_t *blkp,
    bool *isnew)
{
	struct ext2_node *ip = VTOE(vp);
	struct ext2_mount *em = ip->e_em;
	int error;

	*isnew = false;
	*blkp = 0;
	error = bmap_locked(ip, lbn, blkp);
	if (error != 0 || *blkp != 0 || all_zero(block, em->em_bsize))
		return error;
	lockmgr(&ip->e_lock, LK_EXCLUSIVE);
	error = ext2_bmap_alloc(ip, lbn, blkp, isnew);
	ext2_update(ip);
	lockmgr(&ip->e_lock, LK_RELEASE);
	return error;
}

/* Bytes of a page that belong next to each other on the disk. */
struct run {
	char *at;    /* in the page */
	uint64_t to; /* byte of the disk */
	size_t len;
};

/* Writes what a run has gathered, which is none then. */
static int
run_write(struct ext2_mount *em, struct run *r)
{
	size_t len = r->len;

	r->len = 0;
	return len == 0
	    ? 0
	    : blk_rw(em->em_bd, BIO_WRITE, r->to / BLK_SECTOR, r->at, len);
}

/* Adds bytes from..to of the part of a page at `block', or begins anew. */
static int
run_add(struct ext2_mount *em, struct run *r, char *block, uint32_t blk,
    size_t from, size_t to)
{
	uint64_t at = EXT2_OFF(em, blk) + from;
	int error = 0;

	if (r->len != 0 &&
	    (r->at + r->len != block + from || r->to + r->len != at))
		error = run_write(em, r);
	if (r->len == 0) {
		r->at = block + from;
		r->to = at;
	}
	r->len += to - from;
	return error;
}

/* Stores bytes start..end of a page, whose first byte is in block lbn. */
static int
put_blocks(struct vnode *vp, uint64_t lbn, char *page, size_t start, size_t end)
{
	struct ext2_mount *em = VTOE(vp)->e_em;
	size_t bsize = em->em_bsize, o, from, to;
	struct run r = {.len = 0};
	uint64_t size, at;
	uint32_t blk;
	bool isnew;
	int error = 0, e;

	for (o = start & ~(bsize - 1); o < end && error == 0; o += bsize) {
		from = MAX(start, o) - o;
		to = MIN(end - o, bsize);
		at = (lbn << em->em_bshift) + o;
		/* Truncation may cut it now; it frees a block only when the
		 * page, which we have busy, is gone. */
		size = atomic_load_ulong(&vp->v_size);
		if (at >= size)
			break;
		error =
		    block_for(vp, at >> em->em_bshift, page + o, &blk, &isnew);
		if (error != 0 || blk == 0)
			continue;
		if (size - at < bsize)
			error = put_last(em, blk, page + o, size - at);
		else if (isnew)
			error = run_add(em, &r, page + o, blk, 0, bsize);
		else
			error = run_add(em, &r, page + o, blk, from, to);
	}
	e = run_write(em, &r);
	return error != 0 ? error : e;
}

/* vop_putpage. A failure is kept for fsync to tell. Of a file that nobody can
 * open any more nothing is written. */
static int
ext2_putpage(struct vnode *vp, uint64_t off, const void *kaddr, size_t len)
{
	struct ext2_node *ip = VTOE(vp);
	size_t start = off & PAGE_MASK;
	char *page = (char *)(uintptr_t)kaddr - start;
	int error;

	if (ip->e_din.i_links_count == 0 && atomic_load_int(&vp->v_refs) == 0)
		return 0;
	error = put_blocks(
	    vp, (off - start) >> ip->e_em->em_bshift, page, start, start + len);
	if (error != 0)
		atomic_store_int(&ip->e_error, error);
	return error;
}

/* vop_reserve: a block for each that is about to be written. Those that the
 * file did not have are the page's to write: the disk still has what was
 * there before. */
static int
ext2_reserve(struct vnode *vp, uint64_t off, size_t n, uint8_t *fresh)
{
	struct ext2_node *ip = VTOE(vp);
	struct ext2_mount *em = ip->e_em;
	struct blocks b = blocks_of(em, off, n);
	uint32_t blk;
	bool isnew;
	int error = 0;

	for (uint32_t i = 0; i < b.count && error == 0; i++) {
		error = bmap_locked(ip, b.lbn + i, &blk);
		if (error != 0 || blk != 0)
			continue;
		lockmgr(&ip->e_lock, LK_EXCLUSIVE);
		error = ext2_bmap_alloc(ip, b.lbn + i, &blk, &isnew);
		lockmgr(&ip->e_lock, LK_RELEASE);
		if (error == 0 && isnew)
			*fresh |= vm_page_bits(
			    (int)(((b.lbn + i) << em->em_bshift) & PAGE_MASK),
			    (int)em->em_bsize);
	}
	return error;
}

/* A file beyond 2 GiB needs a feature that revision 0 has not. */
static int
allow_size(struct ext2_mount *em, uint64_t size)
{
	struct ext2_super *es = &em->em_super;

	if (size > em->em_maxsize)
		return EFBIG;
	if (size > INT32_MAX &&
	    (es->s_feature_ro_compat & EXT2_RO_COMPAT_LARGEFILE) == 0) {
		lockmgr(&em->em_lock, LK_EXCLUSIVE);
		es->s_feature_ro_compat |= EXT2_RO_COMPAT_LARGEFILE;
		em->em_sbdirty = true;
		lockmgr(&em->em_lock, LK_RELEASE);
	}
	return 0;
}

/* The file has another size, and pages accordingly. v_iolock exclusive; takes
 * v_lock. The inode is written by who calls. */
static void
set_size(struct vnode *vp, uint64_t size)
{
	struct ext2_node *ip = VTOE(vp);

	vn_lock(vp);
	vnode_pager_setsize(vp, size);
	vn_unlock(vp);
	lockmgr(&ip->e_lock, LK_EXCLUSIVE);
	ip->e_din.i_size = (uint32_t)size;
	ip->e_din.i_size_high = (uint32_t)(size >> 32);
	ip->e_dirty = true;
	lockmgr(&ip->e_lock, LK_RELEASE);
}

/* The file was written to, or cut: its times, and all that came with it. */
static int
touch(struct vnode *vp)
{
	struct ext2_node *ip = VTOE(vp);
	int error;

	lockmgr(&ip->e_lock, LK_EXCLUSIVE);
	ip->e_din.i_mtime = ip->e_din.i_ctime = ext2_now();
	ip->e_dirty = true;
	error = ext2_update(ip);
	lockmgr(&ip->e_lock, LK_RELEASE);
	return error;
}

/* Frees the blocks that are beyond the end. No page is there any more. */
static int
free_tail(struct vnode *vp)
{
	struct ext2_node *ip = VTOE(vp);
	uint32_t bsize = ip->e_em->em_bsize;
	int error;

	lockmgr(&ip->e_lock, LK_EXCLUSIVE);
	error = ext2_bmap_trunc(
	    ip, (vp->v_size + bsize - 1) >> ip->e_em->em_bshift);
	lockmgr(&ip->e_lock, LK_RELEASE);
	return error;
}

/* vop_truncate; v_iolock exclusive. What stays of the last page must be
 * zeroes, which only a page in memory can be made. */
int
ext2_truncate(struct vnode *vp, uint64_t size)
{
	uint64_t old = vp->v_size;
	int error, e;

	error = allow_size(VTOE(vp)->e_em, size);
	if (error == 0 && size < old && (size & PAGE_MASK) != 0)
		error = vn_page_in(vp, size);
	if (error != 0)
		return error;
	if (size != old)
		set_size(vp, size);
	if (size < old)
		error = free_tail(vp);
	e = touch(vp);
	return error != 0 ? error : e;
}

/* vop_read; v_iolock shared. */
static int
ext2_read(struct vnode *vp, struct uio *uio, int ioflag)
{
	return vn_rdwr_pages(vp, uio, NULL);
}

/* vop_write; v_iolock exclusive. What goes beyond the largest file is not
 * written; blocks that were allocated in vain go back. */
static int
ext2_write(struct vnode *vp, struct uio *uio, int ioflag)
{
	struct ext2_mount *em = VTOE(vp)->e_em;
	uint64_t off = (uint64_t)uio->uio_offset;
	size_t over = 0;
	int error, e;

	if (em->em_mp->mnt_rdonly)
		return EROFS;
	if (off >= em->em_maxsize)
		return uio->uio_resid == 0 ? 0 : EFBIG;
	if (uio->uio_resid > em->em_maxsize - off) {
		over = uio->uio_resid - (em->em_maxsize - off);
		uio->uio_resid -= over;
	}
	error = allow_size(em, off + uio->uio_resid);
	if (error == 0)
		error = vn_rdwr_pages(vp, uio, set_size);
	uio->uio_resid += over;
	if (error != 0)
		free_tail(vp);
	e = touch(vp);
	if (error == 0 && e == 0 && (ioflag & O_DSYNC))
		e = vn_fsync(vp);
	return error != 0 ? error : e;
}

int
ext2_clean(struct vnode *vp)
{
	struct ext2_node *ip = VTOE(vp);
	vm_object_t object;
	int error;

	if (vp->v_object != NULL) {
		object = vnode_pager_reference(vp);
		vm_object_page_clean(object, 0, 0);
		vm_object_deallocate(object);
	}
	lockmgr(&ip->e_lock, LK_EXCLUSIVE);
	error = ext2_update(ip);
	lockmgr(&ip->e_lock, LK_RELEASE);
	return error;
}

/* vop_fsync. All that is to be written of the file system goes along: the way
 * to the file, and what may claim its blocks on the disk. */
int
ext2_fsync(struct vnode *vp)
{
	struct ext2_node *ip = VTOE(vp);
	int error, e;

	if (ip->e_em->em_mp->mnt_rdonly)
		return atomic_swap_int(&ip->e_error, 0);
	lockmgr(&ip->e_lock, LK_EXCLUSIVE);
	error = ext2_update(ip);
	lockmgr(&ip->e_lock, LK_RELEASE);
	e = bflush(ip->e_em->em_devvp);
	if (error == 0)
		error = e;
	e = blk_rw(ip->e_em->em_bd, BIO_FLUSH, 0, NULL, 0);
	if (error == 0)
		error = e;
	e = atomic_swap_int(&ip->e_error, 0);
	return e != 0 ? e : error;
}

/* Is a symlink's text in the inode? Then it has no block, but the one of its
 * attributes. */
bool
ext2_short_link(const struct ext2_node *ip)
{
	uint32_t own = ip->e_din.i_file_acl != 0 ? ip->e_em->em_bsize : 0;

	return ip->e_din.i_blocks == own / BLK_SECTOR;
}

/* vop_readlink; v_lock shared. */
static int
ext2_readlink(struct vnode *vp, char *buf, size_t size, size_t *lenp)
{
	struct ext2_node *ip = VTOE(vp);
	struct ext2_mount *em = ip->e_em;
	uint32_t blk;
	struct buf *bp;
	int error;

	*lenp = MIN(size, ip->e_din.i_size);
	if (ext2_short_link(ip)) {
		if (ip->e_din.i_size > sizeof(ip->e_din.i_block))
			return ext2_error(em,
			    "symlink %u has %u bytes and no block", ip->e_ino,
			    ip->e_din.i_size);
		memcpy(buf, ip->e_din.i_block, *lenp);
		return 0;
	}
	error = bmap_locked(ip, 0, &blk);
	if (error == 0 && blk == 0)
		error = ext2_error(em, "symlink %u is a hole", ip->e_ino);
	if (error == 0)
		error = ext2_bread(em, blk, &bp);
	if (error != 0)
		return error;
	memcpy(buf, bp->b_data, *lenp);
	brelse(bp);
	return 0;
}

const struct vnodeops ext2_regops = {
    .vop_getattr = ext2_getattr,
    .vop_setattr = ext2_setattr,
    .vop_truncate = ext2_truncate,
    .vop_read = ext2_read,
    .vop_write = ext2_write,
    .vop_getpage = ext2_getpage,
    .vop_putpage = ext2_putpage,
    .vop_reserve = ext2_reserve,
    .vop_fsync = ext2_fsync,
    .vop_inactive = ext2_inactive,
    .vop_name = ext2_name,
};

const struct vnodeops ext2_lnkops = {
    .vop_readlink = ext2_readlink,
    .vop_getattr = ext2_getattr,
    .vop_setattr = ext2_setattr,
    .vop_inactive = ext2_inactive,
    .vop_name = ext2_name,
};

const struct vnodeops ext2_blkops = {
    .vop_getattr = ext2_getattr,
    .vop_setattr = ext2_setattr,
    .vop_read = bdev_read,
    .vop_write = bdev_write,
    .vop_ioctl = bdev_ioctl,
    .vop_open = bdev_open,
    .vop_inactive = ext2_inactive,
    .vop_name = ext2_name,
};

const struct vnodeops ext2_devops = {
    .vop_getattr = ext2_getattr,
    .vop_setattr = ext2_setattr,
    .vop_read = cdev_read,
    .vop_write = cdev_write,
    .vop_ioctl = cdev_ioctl,
    .vop_poll = cdev_poll,
    .vop_open = cdev_open,
    .vop_inactive = ext2_inactive,
    .vop_name = ext2_name,
};
