/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The registry of disks, and what happens to a transfer before and after
 * the driver has it.
 */
#include <linux/errno.h>

#include <dev/blk.h>
#include <dev/pci.h>
#include <fs/vnode.h>
#include <kern/inject.h>
#include <kern/kprintf.h>
#include <kern/kstring.h>
#include <kern/sbuf.h>
#include <pmap/pmap.h>

/* Filled at boot by one CPU; constant then. */
static TAILQ_HEAD(, blkdev) disks = TAILQ_HEAD_INITIALIZER(disks);

/*
 * See blk.h. Needs kmalloc, interrupts and the scheduler.
 */
void
blk_init(void)
{
	pci_init();
	blk_timer_init();
	detdisk_init();
	virtio_blk_init();
	blk_inject_init();
}

/*
 * Enters a disk, for ever. The driver has filled in what is (k).
 */
void
blk_register(struct blkdev *bd)
{
	lockinit(&bd->bd_lock, "disk");
	TAILQ_INSERT_TAIL(&disks, bd, bd_link);
	klog(KLOG_INFO, "%s: %lu sectors%s\n", bd->bd_name, bd->bd_sectors,
	    bd->bd_rdonly ? ", read-only" : "");
}

struct blkdev *
blk_next(struct blkdev *bd)
{
	return bd == NULL ? TAILQ_FIRST(&disks) : TAILQ_NEXT(bd, bd_link);
}

struct blkdev *
blk_lookup(const char *name)
{
	struct blkdev *bd;

	TAILQ_FOREACH (bd, &disks, bd_link) {
		if (strcmp(bd->bd_name, name) == 0)
			break;
	}
	return bd;
}

struct blkdev *
blk_lookup_rdev(uint64_t rdev)
{
	struct blkdev *bd;

	TAILQ_FOREACH (bd, &disks, bd_link) {
		if (bd->bd_rdev == rdev)
			break;
	}
	return bd;
}

/*
 * What no submitter may ask for: a device writes where it is told to, and
 * nothing would catch it. Returns the number of sectors.
 */
static uint64_t
check_segs(const struct bio *bio)
{
	uint64_t bytes = 0;

	KASSERT(bio->bio_op == BIO_FLUSH
		? bio->bio_nsegs == 0
		: bio->bio_nsegs > 0 && bio->bio_nsegs <= BIO_MAXSEGS,
	    ("a transfer of %d pieces", bio->bio_nsegs));
	for (int i = 0; i < bio->bio_nsegs; i++) {
		vm_paddr_t pa = bio->bio_segs[i].pa;
		uint32_t len = bio->bio_segs[i].len;

		KASSERT(len > 0 && (len | pa) % BLK_SECTOR == 0 &&
			(pa & PAGE_MASK) + len <= PAGE_SIZE,
		    ("a transfer of %#x bytes at %#lx", len, pa));
		KASSERT(pa < DMAP_SIZE &&
			pmap_extract(&kernel_pmap, PHYS_TO_DMAP(pa)) == pa,
		    ("a transfer at %#lx, which is not RAM", pa));
		bytes += len;
	}
	return bytes / BLK_SECTOR;
}

/*
 * See blk.h.
 */
void
blk_submit(struct bio *bio)
{
	struct blkdev *bd = bio->bio_dev;
	uint64_t sectors = check_segs(bio);

	bio->bio_error = 0;
	crit_enter();
	switch (bio->bio_op) {
	case BIO_READ:
		atomic_add_ulong(&bd->bd_reads, 1);
		break;
	case BIO_WRITE:
		atomic_add_ulong(&bd->bd_writes, 1);
		break;
	case BIO_FLUSH:
		atomic_add_ulong(&bd->bd_flushes, 1);
		break;
	}
	if (bio->bio_sector > bd->bd_sectors ||
	    sectors > bd->bd_sectors - bio->bio_sector ||
	    (bio->bio_op == BIO_WRITE && bd->bd_rdonly))
		biodone(bio, EIO);
	else if ((bd->bd_inject == 0 && inject_kinds == 0) || !blk_inject(bio))
		bd->bd_strategy(bd, bio);
	crit_exit();
}

/*
 * See blk.h.
 */
void
biodone(struct bio *bio, int error)
{
	if (error != 0)
		atomic_add_ulong(&bio->bio_dev->bd_errors, 1);
	bio->bio_error = error != 0 ? EIO : 0;
	bio->bio_done(bio);
}

/*
 * bio_wait's bio_done. The sleeper may be gone as soon as it can see
 * bio_isdone: only the address is used after.
 */
static void
wake_waiter(struct bio *bio)
{
	atomic_store_uint(&bio->bio_isdone, 1);
	wakeup(bio);
}

/*
 * See blk.h.
 */
int
bio_wait(struct bio *bio)
{
	bio->bio_done = wake_waiter;
	bio->bio_isdone = 0;
	blk_submit(bio);
	while (!atomic_load_uint(&bio->bio_isdone)) {
		tsleep_interlock(bio, 0);
		if (atomic_load_uint(&bio->bio_isdone)) {
			tsleep_remove(curthread);
			break;
		}
		tsleep(bio, PINTERLOCKED, "biowait", 0);
	}
	return bio->bio_error;
}

/*
 * See blk.h. There is room for it.
 */
void
bio_add(struct bio *bio, vm_paddr_t pa, uint32_t len)
{
	KKASSERT(bio->bio_nsegs < BIO_MAXSEGS);
	bio->bio_segs[bio->bio_nsegs++] = (struct bio_seg){pa, len};
}

/*
 * The physical address of kernel memory.
 */
static vm_paddr_t
kernel_pa(const void *va)
{
	vm_paddr_t pa = pmap_extract(&kernel_pmap, (vm_offset_t)va);

	KASSERT(pa != 0, ("%p is not mapped", va));
	return pa;
}

/*
 * blk_rw of a buffer that no piece may begin at: by way of a page that can.
 */
static int
rw_bounce(
    struct blkdev *bd, enum bio_op op, uint64_t sector, char *buf, size_t len)
{
	char *page = kmalloc(PAGE_SIZE, &M_TEMP, M_WAITOK);
	size_t n;
	int error = 0;

	for (; len > 0 && error == 0; buf += n, len -= n) {
		n = MIN(len, PAGE_SIZE);
		if (op == BIO_WRITE)
			memcpy(page, buf, n);
		error = blk_rw(bd, op, sector, page, n);
		if (error == 0 && op == BIO_READ)
			memcpy(buf, page, n);
		sector += n / BLK_SECTOR;
	}
	kfree(page, &M_TEMP);
	return error;
}

/*
 * See blk.h. As many pieces at a time as a transfer can have.
 */
int
blk_rw(
    struct blkdev *bd, enum bio_op op, uint64_t sector, void *buf, size_t len)
{
	struct bio bio = {.bio_dev = bd, .bio_op = op};
	char *p = buf;
	uint32_t n;
	int error;

	KASSERT(len % BLK_SECTOR == 0, ("a transfer of %#lx bytes", len));
	if ((uintptr_t)buf % BLK_SECTOR != 0)
		return rw_bounce(bd, op, sector, buf, len);
	do {
		bio.bio_sector = sector;
		bio.bio_nsegs = 0;
		while (len > 0 && bio.bio_nsegs < BIO_MAXSEGS) {
			n = (uint32_t)(PAGE_SIZE - ((uintptr_t)p & PAGE_MASK));
			n = (uint32_t)MIN(n, len);
			bio_add(&bio, kernel_pa(p), n);
			p += n;
			len -= n;
			sector += n / BLK_SECTOR;
		}
		if (bio.bio_nsegs == 0 && op != BIO_FLUSH)
			return 0;
		error = bio_wait(&bio);
	} while (error == 0 && len > 0);
	return error;
}

/*
 * See blk.h.
 */
void
blk_show(struct sbuf *sb)
{
	struct blkdev *bd;

	TAILQ_FOREACH (bd, &disks, bd_link)
		sbuf_printf(sb,
		    "%s sectors %lu readonly %d latency %lu reads %lu "
		    "writes %lu flushes %lu errors %lu\n",
		    bd->bd_name, bd->bd_sectors, bd->bd_rdonly, bd->bd_latency,
		    bd->bd_reads, bd->bd_writes, bd->bd_flushes, bd->bd_errors);
}

/*
 * See blk.h. Interrupts are disabled: the flag is this CPU's.
 */
void
blk_notify(void *unused)
{
	atomic_set_uint(&mycpu->gd_reqflags, RQF_BLK);
}

/*
 * See blk.h.
 */
void
blk_intr(void)
{
	blk_timer_run();
	virtio_blk_poll();
}
