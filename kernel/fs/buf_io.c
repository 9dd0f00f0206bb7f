/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The buffer cache: transfers.
 */
#include <linux/errno.h>

#include <fs/buf.h>
#include <fs/vnode.h>
#include <san/witness.h>
#include <vm/vm_page.h>

/* The transfer of a locked buffer's bytes. */
static struct bio *
buf_bio(struct buf *bp, enum bio_op op)
{
	struct bio *bio = &bp->b_bio;

	bio->bio_op = op;
	bio->bio_sector = bp->b_loffset / BLK_SECTOR;
	bio->bio_nsegs = 0;
	bio_add(bio, VM_PAGE_TO_PHYS(bp->b_page) + (bp->b_loffset & PAGE_MASK),
	    bp->b_bcount);
	return bio;
}

int
bread(struct vnode *devvp, uint64_t loffset, uint32_t size, struct buf **bpp)
{
	struct buf *bp = getblk(devvp, loffset, size);
	int error;

	*bpp = NULL;
	if (bp == NULL)
		return EIO;
	if ((bp->b_flags & B_CACHE) == 0) {
		error = bio_wait(buf_bio(bp, BIO_READ));
		if (error != 0) {
			atomic_set_uint(&bp->b_flags, B_INVAL);
			brelse(bp);
			return error;
		}
		buf_set_valid(bp);
	}
	*bpp = bp;
	return 0;
}

/* A write begins: the bytes are good, and what the disk gets is the newest.
 * Nobody can change them before the buffer is released. */
static struct bio *
begin_write(struct buf *bp)
{
	KKASSERT(bp->b_owner == curthread);
	buf_set_valid(bp);
	atomic_clear_uint(&bp->b_flags, B_DELWRI | B_ERROR);
	return buf_bio(bp, BIO_WRITE);
}

/* A write failed: the buffer keeps what the disk did not take. */
static void
write_failed(struct buf *bp)
{
	atomic_set_uint(&bp->b_flags, B_DELWRI | B_ERROR);
}

int
bwrite(struct buf *bp)
{
	int error;

	error = bio_wait(begin_write(bp));
	if (error != 0)
		write_failed(bp);
	brelse(bp);
	return error;
}

/* bio_done of bawrite. In a critical section. */
static void
write_done(struct bio *bio)
{
	struct buf *bp = container_of(bio, struct buf, b_bio);

	if (bio->bio_error != 0)
		write_failed(bp);
	buf_release(bp);
}

void
bawrite(struct buf *bp)
{
	struct bio *bio = begin_write(bp);

	bio->bio_done = write_done;
	spin_lock(&buf_spin);
	bp->b_owner = NULL;
	witness_handover(WK_BUF, bp);
	atomic_set_uint(&bp->b_flags, B_ASYNC);
	spin_unlock(&buf_spin);
	blk_submit(bio);
}

void
bdwrite(struct buf *bp)
{
	buf_set_valid(bp);
	atomic_set_uint(&bp->b_flags, B_DELWRI);
	brelse(bp);
}

/* Locks the buffer if it is the disk's and wants to be written; waits for
 * whoever has it. */
static bool
take_dirty(struct buf *bp, struct vnode *devvp)
{
	bool take;

	spin_lock(&buf_spin);
	while (bp->b_vp == devvp && (bp->b_flags & B_LOCKED) != 0)
		buf_wait(bp);
	take = bp->b_vp == devvp && (bp->b_flags & B_DELWRI) != 0;
	if (take)
		buf_take(bp);
	spin_unlock(&buf_spin);
	return take;
}

int
bflush(struct vnode *devvp)
{
	struct buf *bp;
	int error = 0;

	for (bp = bufs; bp < bufs + nbuf; bp++) {
		if (take_dirty(bp, devvp))
			bawrite(bp);
	}
	for (bp = bufs; bp < bufs + nbuf; bp++) {
		spin_lock(&buf_spin);
		while (bp->b_vp == devvp && (bp->b_flags & B_ASYNC) != 0)
			buf_wait(bp);
		if (bp->b_vp == devvp && (bp->b_flags & B_ERROR) != 0) {
			atomic_clear_uint(&bp->b_flags, B_ERROR);
			error = EIO;
		}
		spin_unlock(&buf_spin);
	}
	return error;
}
