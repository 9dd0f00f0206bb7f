/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Disks as files: read and written at any byte, by way of a few pages of the
 * kernel's, and never cached. A write that does not cover whole sectors reads
 * them first; bd_lock keeps two such writes apart.
 */
#include <linux/errno.h>
#include <linux/fs.h>

#include <dev/blk.h>
#include <fs/vnode.h>
#include <kern/kstring.h>
#include <kern/uaccess.h>

#define BOUNCE (4 * PAGE_SIZE) /* the most in one transfer */

/*
 * A stretch of bytes within the disk, and the sectors around it.
 */
struct stretch {
	uint64_t sector; /* the first */
	size_t head;	 /* bytes of it before the stretch */
	size_t bytes;	 /* the stretch */
	size_t span;	 /* bytes of all its sectors, at most BOUNCE */
};

/*
 * What to do next of a transfer; nothing at the disk's end.
 */
static struct stretch
next_stretch(const struct blkdev *bd, const struct uio *uio)
{
	uint64_t off = (uint64_t)uio->uio_offset;
	uint64_t size = bd->bd_sectors * BLK_SECTOR;
	struct stretch s = {
	    .sector = off / BLK_SECTOR, .head = off % BLK_SECTOR};

	if (off < size) {
		s.bytes = MIN(uio->uio_resid, size - off);
		s.bytes = MIN(s.bytes, BOUNCE - s.head);
		s.span = roundup2(s.head + s.bytes, (size_t)BLK_SECTOR);
	}
	return s;
}

/* vop_read of a disk. Sleeps; holds no lock. EIO, or 0 at the end. */
int
bdev_read(struct vnode *vp, struct uio *uio, int ioflag)
{
	struct blkdev *bd = blk_lookup_rdev(vp->v_rdev);
	struct stretch s;
	char *buf;
	int error = 0;

	if (bd == NULL)
		return ENXIO;
	buf = kmalloc(BOUNCE, &M_TEMP, M_WAITOK);
	while (error == 0 && uio->uio_resid > 0) {
		s = next_stretch(bd, uio);
		if (s.bytes == 0)
			break;
		error = blk_rw(bd, BIO_READ, s.sector, buf, s.span);
		if (error == 0)
			error = uiomove(buf + s.head, s.bytes, uio);
	}
	kfree(buf, &M_TEMP);
	return error;
}

/* Writes one stretch, whose bytes stand in buf where they belong, and keeps
 * what is around them in the first and the last sector. */
static int
write_stretch(struct blkdev *bd, const struct stretch *s, char *buf)
{
	size_t end = s->head + s->bytes, last = s->span - BLK_SECTOR;
	char *old = NULL;
	int error = 0;

	lockmgr(&bd->bd_lock, LK_EXCLUSIVE);
	if (s->bytes != s->span)
		old = kmalloc(BLK_SECTOR, &M_TEMP, M_WAITOK);
	if (s->head != 0) {
		error = blk_rw(bd, BIO_READ, s->sector, old, BLK_SECTOR);
		memcpy(buf, old, s->head);
	}
	if (error == 0 && end != s->span) {
		error = blk_rw(bd, BIO_READ, s->sector + last / BLK_SECTOR, old,
		    BLK_SECTOR);
		memcpy(buf + end, old + (end - last), s->span - end);
	}
	if (error == 0)
		error = blk_rw(bd, BIO_WRITE, s->sector, buf, s->span);
	lockmgr(&bd->bd_lock, LK_RELEASE);
	kfree(old, &M_TEMP);
	return error;
}

/* vop_write of a disk. Sleeps. What an error kept from the disk counts as
 * not written. EIO; EPERM: read-only; ENOSPC at the end. */
int
bdev_write(struct vnode *vp, struct uio *uio, int ioflag)
{
	struct blkdev *bd = blk_lookup_rdev(vp->v_rdev);
	struct uio before;
	struct stretch s;
	char *buf;
	int error = 0;

	if (bd == NULL)
		return ENXIO;
	if (bd->bd_rdonly)
		return EPERM;
	buf = kmalloc(BOUNCE, &M_TEMP, M_WAITOK);
	while (error == 0 && uio->uio_resid > 0) {
		before = *uio;
		s = next_stretch(bd, uio);
		error = s.bytes == 0
		    ? ENOSPC
		    : uiomove_whole(buf + s.head, s.bytes, uio);
		if (error == 0)
			error = write_stretch(bd, &s, buf);
		if (error != 0)
			*uio = before;
	}
	kfree(buf, &M_TEMP);
	return error;
}

/* fsync of a disk: what was written stays, whatever comes. */
int
bdev_fsync(struct vnode *vp)
{
	struct blkdev *bd = blk_lookup_rdev(vp->v_rdev);

	return bd == NULL ? ENXIO : blk_rw(bd, BIO_FLUSH, 0, NULL, 0);
}

/* vop_ioctl of a disk: its size, and the like. */
int
bdev_ioctl(struct vnode *vp, unsigned long cmd, uintptr_t arg)
{
	struct blkdev *bd = blk_lookup_rdev(vp->v_rdev);
	uint64_t size;
	int word;

	if (bd == NULL)
		return ENXIO;
	size = bd->bd_sectors * BLK_SECTOR;
	switch (cmd) {
	case BLKGETSIZE64:
		return copyout(&size, (void *)arg, sizeof(size));
	case BLKGETSIZE:
		return copyout(
		    &bd->bd_sectors, (void *)arg, sizeof(bd->bd_sectors));
	case BLKSSZGET:
		word = BLK_SECTOR;
		return copyout(&word, (void *)arg, sizeof(word));
	case BLKROGET:
		word = bd->bd_rdonly;
		return copyout(&word, (void *)arg, sizeof(word));
	case BLKFLSBUF:
		return bdev_fsync(vp);
	default:
		return ENOTTY;
	}
}

/* vop_open of a disk: ENXIO when there is none. lseek wants its size. */
int
bdev_open(struct vnode *vp, struct file *fp)
{
	struct blkdev *bd = blk_lookup_rdev(vp->v_rdev);

	if (bd == NULL)
		return ENXIO;
	vn_lock(vp);
	vp->v_size = bd->bd_sectors * BLK_SECTOR;
	vn_unlock(vp);
	return 0;
}
