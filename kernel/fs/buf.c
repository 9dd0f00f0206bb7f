/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The buffer cache: which buffer stands for which block, and its memory.
 */
#include <linux/errno.h>

#include <fs/buf.h>
#include <fs/vnode.h>
#include <kern/kprintf.h>
#include <san/witness.h>
#include <pmap/pmap.h>
#include <vm/vm_kern.h>
#include <vm/vm_object.h>
#include <vm/vm_pager.h>

#define BUF_MIN	  64
#define BUF_MAX	  256
#define BUF_PAGES 128 /* of RAM for each buffer */
#define BUF_HASH  256

struct spinlock buf_spin = SPINLOCK_INITIALIZER("buf");
struct buf *bufs;
int nbuf;

static MALLOC_DEFINE(M_BUF, "buf");
static LIST_HEAD(, buf) buf_hash[BUF_HASH];			    /* (S) */
static TAILQ_HEAD(, buf) buf_lru = TAILQ_HEAD_INITIALIZER(buf_lru); /* (S) */

/* Makes the buffers and the clean map, a page for each. Boot. */
void
bufinit(void)
{
	vm_size_t size;

	nbuf = (int)MIN(vmstats.v_page_count / BUF_PAGES, BUF_MAX);
	nbuf = MAX(nbuf, BUF_MIN);
	size = (vm_size_t)nbuf * PAGE_SIZE;
	clean_sva = kva_alloc(size);
	KASSERT(clean_sva != 0, ("no kernel addresses for buffers"));
	clean_eva = clean_sva + size;
	bufs = kmalloc((size_t)nbuf * sizeof(*bufs), &M_BUF, M_WAITOK | M_ZERO);
	for (int i = 0; i < nbuf; i++) {
		bufs[i].b_kvabase = clean_sva + (vm_offset_t)i * PAGE_SIZE;
		TAILQ_INSERT_TAIL(&buf_lru, &bufs[i], b_freelist);
	}
}

/* Locks an unlocked buffer for the running thread. buf_spin is held. */
void
buf_take(struct buf *bp)
{
	KKASSERT((bp->b_flags & B_LOCKED) == 0);
	TAILQ_REMOVE(&buf_lru, bp, b_freelist);
	atomic_set_uint(&bp->b_flags, B_LOCKED);
	bp->b_owner = curthread;
	witness_got(WK_BUF, bp, "buffer", false);
}

/* Unlocks a buffer; it is the last to be given to another block, or the
 * first if it stands for none. Any context. */
void
buf_release(struct buf *bp)
{
	uint32_t flags;

	spin_lock(&buf_spin);
	flags = bp->b_flags;
	KKASSERT(flags & B_LOCKED);
	witness_gone(WK_BUF, bp);
	bp->b_owner = NULL;
	atomic_clear_uint(&bp->b_flags, B_LOCKED | B_WANTED | B_ASYNC);
	if (bp->b_vp == NULL)
		TAILQ_INSERT_HEAD(&buf_lru, bp, b_freelist);
	else
		TAILQ_INSERT_TAIL(&buf_lru, bp, b_freelist);
	if (flags & B_WANTED)
		wakeup(bp);
	spin_unlock(&buf_spin);
}

/* Sleeps while a buffer is locked. buf_spin is held, and given up meanwhile:
 * afterwards the buffer may stand for another block. */
void
buf_wait(struct buf *bp)
{
	atomic_set_uint(&bp->b_flags, B_WANTED);
	ssleep(bp, &buf_spin, 0, "bufwait", 0);
}

/* The part of its page that a buffer is. */
static uint8_t
buf_bits(const struct buf *bp)
{
	return vm_page_bits(
	    (int)(bp->b_loffset & PAGE_MASK), (int)bp->b_bcount);
}

/* The buffer's bytes are good, and so is that part of the page. Locked. */
void
buf_set_valid(struct buf *bp)
{
	if (bp->b_flags & B_CACHE)
		return;
	vm_page_busy_wait(bp->b_page, false, "bufval");
	bp->b_page->valid |= buf_bits(bp);
	vm_page_wakeup(bp->b_page);
	atomic_set_uint(&bp->b_flags, B_CACHE);
}

/* Takes the page away from a locked buffer. It stays in the disk's object,
 * or goes when no part of it is worth anything. Sleeps. */
static void
buf_free_page(struct buf *bp)
{
	vm_page_t m = bp->b_page;
	vm_object_t object;

	if (m == NULL)
		return;
	pmap_qremove(bp->b_kvabase, 1);
	object = m->object;
	vm_object_hold(object);
	vm_page_busy_wait(m, true, "buffre");
	if (bp->b_flags & B_INVAL)
		m->valid &= (uint8_t)~buf_bits(bp);
	vm_page_unwire(m, false);
	if (m->wire_count == 0 && m->valid == 0)
		vm_page_free(m);
	else
		vm_page_wakeup(m);
	vm_object_drop(object);
	bp->b_page = NULL;
	bp->b_data = NULL;
}

/* The oldest unlocked buffer that can be had without writing and, when
 * paged, whose page can be given away; locked, or NULL. buf_spin is held. */
static struct buf *
take_oldest(bool paged)
{
	struct buf *bp;

	TAILQ_FOREACH (bp, &buf_lru, b_freelist) {
		if ((bp->b_flags & B_DELWRI) == 0 &&
		    (!paged || bp->b_page != NULL))
			break;
	}
	if (bp != NULL)
		buf_take(bp);
	return bp;
}

/* A locked buffer stands for nothing any more. buf_spin is held. */
static void
buf_unname(struct buf *bp)
{
	if (bp->b_vp != NULL) {
		LIST_REMOVE(bp, b_hash);
		bp->b_vp = NULL;
	}
}

/* See buf.h. When memory is short, a buffer that nobody uses gives its own:
 * the pageout daemon may be waiting for this very block to be written. */
vm_page_t
bio_page_alloc(vm_object_t object, vm_pindex_t pindex)
{
	struct buf *bp;
	vm_page_t m;

	m = vm_page_alloc(object, pindex, VM_ALLOC_NORMAL | VM_ALLOC_NULL_OK);
	if (m == NULL)
		m = vm_page_alloc(
		    object, pindex, VM_ALLOC_SYSTEM | VM_ALLOC_NULL_OK);
	if (m != NULL || vm_page_lookup(object, pindex) != NULL)
		return m;
	spin_lock(&buf_spin);
	bp = take_oldest(true);
	if (bp != NULL)
		buf_unname(bp);
	spin_unlock(&buf_spin);
	if (bp == NULL) {
		tsleep(&buf_lru, 0, "biopage", 10000000);
		return NULL;
	}
	atomic_set_uint(&bp->b_flags, B_INVAL);
	buf_free_page(bp);
	atomic_clear_uint(&bp->b_flags, B_INVAL | B_CACHE);
	buf_release(bp);
	return vm_page_alloc(
	    object, pindex, VM_ALLOC_INTERRUPT | VM_ALLOC_NULL_OK);
}

/* Gives a locked buffer, which has a block now, the page for it. Sleeps. */
static void
buf_get_page(struct buf *bp)
{
	vm_object_t object = bp->b_vp->v_object;
	vm_pindex_t pindex = OFF_TO_IDX(bp->b_loffset);
	uint8_t bits = buf_bits(bp);
	vm_page_t m;

	vm_object_hold(object);
	do {
		m = vm_page_lookup_busy_wait(object, pindex, false, "bufpag");
		if (m == NULL)
			m = bio_page_alloc(object, pindex);
	} while (m == NULL);
	vm_page_wire(m);
	if ((m->valid & bits) == bits)
		atomic_set_uint(&bp->b_flags, B_CACHE);
	vm_page_wakeup(m);
	vm_object_drop(object);
	bp->b_page = m;
	pmap_qenter(bp->b_kvabase, &m, 1);
	bp->b_data = (char *)bp->b_kvabase + (bp->b_loffset & PAGE_MASK);
}

static uint32_t
hash_of(const struct vnode *devvp, uint64_t loffset, uint32_t size)
{
	return (uint32_t)(loffset / size + devvp->v_rdev) % BUF_HASH;
}

/* The buffer that stands for a block, or NULL. buf_spin is held. */
static struct buf *
buf_find(struct vnode *devvp, uint64_t loffset, uint32_t size)
{
	struct buf *bp;

	LIST_FOREACH (bp, &buf_hash[hash_of(devvp, loffset, size)], b_hash) {
		if (bp->b_vp == devvp && bp->b_loffset == loffset)
			break;
	}
	KKASSERT(bp == NULL || bp->b_bcount == size);
	return bp;
}

/* All buffers want to be written: writes the oldest. One whose write fails
 * becomes the newest; when all have, the oldest is given up. buf_spin is held
 * and given up. */
static void
write_oldest(void)
{
	struct buf *bp = TAILQ_FIRST(&buf_lru);

	if (bp == NULL) {
		/* All are in use: one of them will be released. */
		spin_unlock(&buf_spin);
		tsleep(&buf_lru, 0, "bufnone", 1000000);
		return;
	}
	buf_take(bp);
	spin_unlock(&buf_spin);
	if (bp->b_flags & B_ERROR) {
		kprintf("%s: block at %lu cannot be written and is lost\n",
		    bp->b_bio.bio_dev->bd_name, bp->b_loffset);
		atomic_clear_uint(&bp->b_flags, B_DELWRI);
		brelse(bp);
	} else {
		bwrite(bp);
	}
}

struct buf *
getblk(struct vnode *devvp, uint64_t loffset, uint32_t size)
{
	struct buf *bp;

	KKASSERT(size >= BLK_SECTOR && size <= PAGE_SIZE &&
	    loffset % size == 0 && devvp->v_object != NULL);
again:
	witness_want(WK_BUF, NULL, "buffer");
	spin_lock(&buf_spin);
	bp = buf_find(devvp, loffset, size);
	if (bp != NULL) {
		if (bp->b_flags & B_LOCKED) {
			if (bp->b_owner == curthread) {
				spin_unlock(&buf_spin);
				return NULL;
			}
			buf_wait(bp);
			spin_unlock(&buf_spin);
			goto again;
		}
		buf_take(bp);
		spin_unlock(&buf_spin);
		return bp;
	}
	bp = take_oldest(false);
	if (bp == NULL) {
		write_oldest();
		goto again;
	}
	buf_unname(bp);
	if (bp->b_page != NULL) {
		/* Letting go of the old page sleeps: another may come and
		 * find our block missing, too. */
		spin_unlock(&buf_spin);
		buf_free_page(bp);
		atomic_clear_uint(&bp->b_flags, B_CACHE | B_ERROR);
		buf_release(bp);
		goto again;
	}
	bp->b_vp = devvp;
	bp->b_loffset = loffset;
	bp->b_bcount = size;
	LIST_INSERT_HEAD(&buf_hash[hash_of(devvp, loffset, size)], bp, b_hash);
	spin_unlock(&buf_spin);
	bp->b_bio.bio_dev = blk_lookup_rdev(devvp->v_rdev);
	buf_get_page(bp);
	return bp;
}

/* Gives a buffer back; what B_INVAL says is forgotten goes with it. Sleeps
 * only for that. */
void
brelse(struct buf *bp)
{
	KKASSERT(bp->b_owner == curthread);
	if (bp->b_flags & B_INVAL) {
		buf_free_page(bp);
		spin_lock(&buf_spin);
		buf_unname(bp);
		spin_unlock(&buf_spin);
		atomic_clear_uint(
		    &bp->b_flags, B_INVAL | B_CACHE | B_DELWRI | B_ERROR);
	}
	buf_release(bp);
}

void
binval(struct vnode *devvp, uint64_t loffset, uint32_t size)
{
	struct buf *bp;

	spin_lock(&buf_spin);
	while ((bp = buf_find(devvp, loffset, size)) != NULL &&
	    (bp->b_flags & B_LOCKED) != 0) {
		KKASSERT(bp->b_owner != curthread);
		buf_wait(bp);
	}
	if (bp != NULL)
		buf_take(bp);
	spin_unlock(&buf_spin);
	if (bp != NULL) {
		atomic_set_uint(&bp->b_flags, B_INVAL);
		brelse(bp);
	}
}

/* The disk's object is made and stays as long as somebody refers to the
 * vnode. Pages of an earlier use are of no use: the disk may have been
 * written to since. ENXIO when there is no such disk, EBUSY when it is in
 * use. */
int
bopen(struct vnode *devvp)
{
	struct blkdev *bd = blk_lookup_rdev(devvp->v_rdev);
	vm_object_t object;

	if (bd == NULL)
		return ENXIO;
	if (atomic_swap_uint(&bd->bd_claimed, 1) != 0)
		return EBUSY;
	vn_lock(devvp);
	vnode_pager_setsize(devvp, bd->bd_sectors * BLK_SECTOR);
	vn_unlock(devvp);
	object = vnode_pager_reference(devvp);
	vm_object_page_remove(object, 0, 0, false);
	vm_object_deallocate(object);
	return 0;
}

void
bclose(struct vnode *devvp)
{
	struct buf *bp;

	for (int i = 0; i < nbuf; i++) {
		bp = &bufs[i];
		spin_lock(&buf_spin);
		while (bp->b_vp == devvp && (bp->b_flags & B_LOCKED) != 0)
			buf_wait(bp);
		if (bp->b_vp != devvp) {
			spin_unlock(&buf_spin);
			continue;
		}
		buf_take(bp);
		spin_unlock(&buf_spin);
		atomic_set_uint(&bp->b_flags, B_INVAL);
		brelse(bp);
	}
	vm_object_page_remove(devvp->v_object, 0, 0, false);
	atomic_store_uint(&blk_lookup_rdev(devvp->v_rdev)->bd_claimed, 0);
}
