/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The block layer: disks, and transfers between them and physical memory.
 *
 * A transfer (struct bio) names sectors of 512 bytes and up to
 * BIO_MAXSEGS pieces of physical memory, each a whole number of sectors
 * and within one page. It belongs to the driver from blk_submit until
 * bio_done is called, which happens in interrupt context or in a critical
 * section: it may wake threads and take spinlocks, never sleep.
 *
 * Two drivers: virtio-blk (vda, vdb, ...), the everyday disk, and the
 * deterministic disk (dda, ddb, ...), a host file behind a PCI memory BAR
 * whose completions come from virtual time.
 */
#ifndef DEV_BLK_H
#define DEV_BLK_H

#include <sys/queue.h>

#include <kern/thread.h>
#include <kern/types.h>

#define BLK_SECTOR  512
#define BIO_MAXSEGS 32

enum bio_op { BIO_READ, BIO_WRITE, BIO_FLUSH };

struct blkdev;

struct bio_seg {
	vm_paddr_t pa; /* bytes */
	uint32_t len;  /* bytes, multiple of BLK_SECTOR */
};

struct bio {
	TAILQ_ENTRY(bio) bio_link; /* the driver's, while it owns the bio */
	struct blkdev *bio_dev;
	enum bio_op bio_op;
	uint64_t bio_sector; /* first, of BLK_SECTOR bytes */
	int bio_nsegs;
	struct bio_seg bio_segs[BIO_MAXSEGS];
	int bio_error; /* result: 0 or EIO, set before bio_done */
	void (*bio_done)(struct bio *bio);
	void *bio_arg;		      /* the submitter's */
	volatile uint32_t bio_isdone; /* bio_wait's */
	uint64_t bio_when;	      /* deterministic disk: due, ns */
};

struct blkdev {
	TAILQ_ENTRY(blkdev) bd_link; /* all disks; boot only */
	const char *bd_name;	     /* (k) "vda", "dda" */
	uint64_t bd_sectors;	     /* (k) */
	bool bd_rdonly;		     /* (k) */
	/* Starts a transfer; never sleeps; checks nothing (blk_submit did). */
	void (*bd_strategy)(struct blkdev *bd, struct bio *bio);
	void *bd_softc;
	/* errors to inject, by boot option; see dev/blk_inject.c */
	uint64_t bd_reads, bd_writes; /* (A) transfers begun */
};

void blk_init(void); /* probes PCI; registers disks and their /dev nodes */
void blk_register(struct blkdev *bd);
struct blkdev *blk_lookup(const char *name); /* NULL when there is none */
/* Hands a transfer over; out of range or read-only completes with EIO. */
void blk_submit(struct bio *bio);
/* For a submitter that waits: sets bio_done itself, sleeps, returns
 * bio_error. No spinlock held; tokens are given up meanwhile. */
int bio_wait(struct bio *bio);
/* The driver's last word on a transfer. */
void biodone(struct bio *bio, int error);
/* Synchronous transfer of a kernel buffer (direct map, any alignment of
 * length to sectors); 0 or EIO. */
int blk_rw(
    struct blkdev *bd, enum bio_op op, uint64_t sector, void *buf, size_t len);

#endif
