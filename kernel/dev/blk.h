/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The block layer: disks, and transfers between them and physical memory.
 *
 * A transfer (struct bio) names sectors of 512 bytes and up to
 * BIO_MAXSEGS pieces of physical memory, each a whole number of sectors
 * and within one page. It belongs to the driver from blk_submit until
 * bio_done is called, which happens in a critical section: it may wake
 * threads and take spinlocks, never sleep. Nothing of the bio is touched
 * after that call.
 *
 * Two drivers: virtio-blk (vda, vdb, ...), the everyday disk, and the
 * deterministic disk (dda, ddb, ...), a host file behind a PCI memory BAR
 * whose completions come from virtual time. Programs reach both as block
 * devices in /dev.
 *
 * (k) constant after boot; (a) atomic; (i) inject_spin, dev/blk_inject.c
 */
#ifndef DEV_BLK_H
#define DEV_BLK_H

#include <sys/queue.h>

#include <kern/lock.h>
#include <kern/types.h>

#define BLK_SECTOR  512
#define BIO_MAXSEGS 32

enum bio_op { BIO_READ, BIO_WRITE, BIO_FLUSH };

struct blkdev;
struct sbuf;

struct bio_seg {
	vm_paddr_t pa; /* bytes; RAM, multiple of BLK_SECTOR */
	uint32_t len;  /* bytes, multiple of BLK_SECTOR */
};

/* The submitter fills bio_dev, bio_op, bio_sector, the segments (none for a
 * flush) and bio_done; after bio_done it may submit it again. */
struct bio {
	TAILQ_ENTRY(bio) bio_link; /* the driver's, while it owns the bio */
	struct blkdev *bio_dev;
	enum bio_op bio_op;
	uint64_t bio_sector; /* first, of BLK_SECTOR bytes */
	int bio_nsegs;
	struct bio_seg bio_segs[BIO_MAXSEGS];
	int bio_error; /* result: 0 or EIO, set before bio_done */
	void (*bio_done)(struct bio *bio);
	void *bio_arg;			  /* the submitter's */
	volatile uint32_t bio_isdone;	  /* (a) bio_wait's */
	uint64_t bio_when;		  /* blk_timer_add: due, nanotime() */
	void (*bio_due)(struct bio *bio); /* blk_timer_add */
};
TAILQ_HEAD(biolist, bio);

struct blkdev {
	TAILQ_ENTRY(blkdev) bd_link; /* (k) all disks */
	const char *bd_name;	     /* (k) "vda", "dda" */
	uint64_t bd_rdev;	     /* (k) MKDEV(major, minor) of its node */
	uint64_t bd_sectors;	     /* (k) */
	bool bd_rdonly;		     /* (k) */
	/* Starts a transfer; never sleeps; checks nothing (blk_submit did).
	 * In a critical section. */
	void (*bd_strategy)(struct blkdev *bd, struct bio *bio);
	void *bd_softc;		      /* (k) the driver's */
	struct lock bd_lock;	      /* fs/bdev.c: writes by /dev */
	volatile uint32_t bd_claimed; /* (a) 1: mounted, or swapped to */
	volatile uint64_t bd_latency; /* (a) ns; see blk_inject.c */
	int bd_inject;		      /* (i) rules that there are */
	uint64_t bd_reads, bd_writes; /* (a) transfers begun */
	uint64_t bd_flushes;	      /* (a) likewise */
	uint64_t bd_errors;	      /* (a) transfers failed */
};

/* Probes PCI. Boot, before other CPUs run (see pci_init()). */
void blk_init(void);
void blk_register(struct blkdev *bd);
struct blkdev *blk_lookup(const char *name); /* NULL when there is none */
struct blkdev *blk_lookup_rdev(uint64_t rdev);
struct blkdev *blk_next(struct blkdev *bd); /* NULL: the first */
/* Hands a transfer over; out of range or read-only completes with EIO,
 * before this returns. Any context that may take a spinlock. */
void blk_submit(struct bio *bio);
/* For a submitter that waits: sets bio_done itself, submits, sleeps, returns
 * bio_error. No spinlock held; tokens are given up meanwhile. */
int bio_wait(struct bio *bio);
/* The driver's last word on a transfer: 0 or any errno. In a critical
 * section, no spinlock held. */
void biodone(struct bio *bio, int error);
/* Appends a piece of memory to a bio: whole sectors within one page. */
void bio_add(struct bio *bio, vm_paddr_t pa, uint32_t len);
/* Synchronous transfer of kernel memory, mapped anywhere; len a multiple of
 * BLK_SECTOR (flush: 0). 0 or EIO. Sleeps; no spinlock held. */
int blk_rw(
    struct blkdev *bd, enum bio_op op, uint64_t sector, void *buf, size_t len);
void blk_show(struct sbuf *sb); /* /proc/disks: a line for each */

/* RQF_BLK: what disks' interrupts left to do. In a critical section. */
void blk_intr(void);

/* --- For drivers --- */
void virtio_blk_init(void); /* probe */
void detdisk_init(void);
void virtio_blk_poll(void); /* looks whether transfers have ended */
/* An interrupt's whole work: has blk_intr() called soon. In the interrupt. */
void blk_notify(void *unused);

/* blk_timer.c: calls due(bio), in a critical section on CPU 0, when the time
 * has come; equals in the order they were added. Any context that may take a
 * spinlock. */
void blk_timer_init(void);
void blk_timer_add(
    struct bio *bio, uint64_t when_ns, void (*due)(struct bio *bio));
void blk_timer_run(void);

/* blk_inject.c */
void blk_inject_init(void); /* after the disks: the boot option */
/* Is the transfer to fail? Then it is taken, and ends later with EIO. */
bool blk_inject(struct bio *bio);
/* One command, as the file says; EINVAL, ENODEV or ENOSPC. */
int blk_control(const char *command);

#endif
