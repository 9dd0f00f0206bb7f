/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Transfers between pages and swap.
 *
 * Reads are waited for. Writes are not, by those who begin them: a small
 * number of them is under way at any time, so that the disk is kept busy
 * but not kept from reading, and their memory is static, since they are
 * wanted most when there is none to be had.
 */
#include <kern/kprintf.h>
#include <san/witness.h>
#include <vm/swap_pager.h>

#define SWAP_WRITES 4 /* under way at the same time */

struct swap_io {
	struct bio bio;
	swblk_t blk;
	int npages;
	vm_page_t pages[SWAP_CLUSTER];
	bool busy; /* swap_io_spin */
};

static struct spinlock swap_io_spin = SPINLOCK_INITIALIZER("swap io");
static struct swap_io swap_ios[SWAP_WRITES];
static int swap_ios_busy; /* swap_io_spin; its address: who waits sleeps */

/* Says what went wrong, as far as the disk knows. */
static void
report(const char *what, swblk_t blk, int n)
{
	kprintf("swap: %s: %s failed, pages %u to %u\n",
	    swap_devs[SWBLK_DEV(blk)].sw_bd->bd_name, what, SWBLK_PAGE(blk),
	    SWBLK_PAGE(blk) + (uint32_t)n - 1);
}

/* Fills in a transfer of whole pages. */
static void
bio_setup(struct bio *bio, enum bio_op op, swblk_t blk, vm_page_t *m, int n)
{
	bio->bio_dev = swap_devs[SWBLK_DEV(blk)].sw_bd;
	bio->bio_op = op;
	bio->bio_sector = SWBLK_SECTOR(blk);
	bio->bio_nsegs = 0;
	for (int i = 0; i < n; i++)
		bio_add(bio, m[i]->phys_addr, PAGE_SIZE);
}

/* Reads n neighbouring blocks into hard-busy pages. 0 or EIO; sleeps, and
 * tokens are lost meanwhile. */
int
swap_read(swblk_t blk, vm_page_t *m, int n)
{
	struct bio bio;
	int error;

	bio_setup(&bio, BIO_READ, blk, m, n);
	cnt_inc(v_swapin);
	cnt_add(v_swappgsin, n);
	error = bio_wait(&bio);
	if (error != 0)
		report("read", blk, n);
	return error;
}

/* A place for a write; sleeps until one is free, without tokens. */
struct swap_io *
swap_io_get(void)
{
	struct swap_io *io;

	spin_lock(&swap_io_spin);
	while (swap_ios_busy == SWAP_WRITES)
		ssleep(&swap_ios_busy, &swap_io_spin, 0, "swpio", 0);
	for (io = swap_ios; io->busy; io++)
		;
	io->busy = true;
	swap_ios_busy++;
	spin_unlock(&swap_io_spin);
	return io;
}

/* Gives the place back. Any context that may take a spinlock. */
void
swap_io_put(struct swap_io *io)
{
	spin_lock(&swap_io_spin);
	io->busy = false;
	swap_ios_busy--;
	spin_unlock(&swap_io_spin);
	wakeup(&swap_ios_busy);
}

/* The end of a write, in a critical section. Pages that could not be stored
 * are dirty again; their blocks will be given up at the next attempt, and
 * are not used again. The object may go with its last paging in progress. */
static void
swap_write_done(struct bio *bio)
{
	struct swap_io *io = bio->bio_arg;
	vm_object_t object = io->pages[0]->object;

	if (bio->bio_error != 0) {
		report("write", io->blk, io->npages);
		swap_retire(io->blk, io->npages);
	}
	for (int i = 0; i < io->npages; i++) {
		vm_page_t m = io->pages[i];

		if (bio->bio_error != 0) {
			vm_page_dirty(m);
			vm_page_activate(m);
		}
		vm_page_sbusy_drop(m);
	}
	vm_object_pip_wakeup(object);
	swap_io_put(io);
}

/* See swap_pager.h. Does not sleep. */
void
swap_write(struct swap_io *io, swblk_t blk, vm_page_t *m, int n)
{
	io->blk = blk;
	io->npages = n;
	for (int i = 0; i < n; i++) {
		io->pages[i] = m[i];
		witness_handover(WK_PAGE, m[i]);
	}
	bio_setup(&io->bio, BIO_WRITE, blk, m, n);
	io->bio.bio_done = swap_write_done;
	io->bio.bio_arg = io;
	cnt_inc(v_swapout);
	cnt_add(v_swappgsout, n);
	blk_submit(&io->bio);
}

/* How many writes are under way, or about to be. */
int
swap_writes_pending(void)
{
	return swap_ios_busy;
}

/* Sleeps until fewer than n are. */
void
swap_write_wait(int n)
{
	spin_lock(&swap_io_spin);
	while (swap_ios_busy >= n)
		ssleep(&swap_ios_busy, &swap_io_spin, 0, "swpwr", 0);
	spin_unlock(&swap_io_spin);
}
