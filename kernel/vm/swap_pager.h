/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Swap: where anonymous pages go that memory has no room for.
 *
 * Each page of an OBJT_SWAP object may have a block on a swap device. Which
 * one, says the object's tree of swblocks. A page that is resident and has a
 * block as well is marked PG_SWAPPED; its block holds the same data, unless
 * the page is dirty. The first block makes an OBJT_DEFAULT object one of
 * OBJT_SWAP, for the rest of its life.
 *
 *  (T) the object's token, exclusive to change, shared to read
 *  (S) swap_spin
 *  (L) swap_lock, held by swapon and swapoff
 *  (k) constant while sw_bd is set
 */
#ifndef VM_SWAP_PAGER_H
#define VM_SWAP_PAGER_H

#include <dev/blk.h>
#include <vm/vm_pager.h>

/* A block: one page on one device. The device's index is in the high bits,
 * the page's number on it in the low ones. */
typedef uint32_t swblk_t;
#define SWAPBLK_NONE	  ((swblk_t)-1)
#define SWBLK(dev, page)  ((swblk_t)(dev) << 28 | (swblk_t)(page))
#define SWBLK_DEV(blk)	  ((blk) >> 28)
#define SWBLK_PAGE(blk)	  ((blk)&0x0fffffffU)
#define SWAP_DEVS	  8
#define SWAP_DEV_MAXPAGES 0x0fffffffU
#define SWAP_CLUSTER	  BIO_MAXSEGS /* pages in one transfer, at most */

/* The blocks of SWAP_META_PAGES neighbouring pages of an object. */
#define SWAP_META_PAGES 32
#define SWAP_META_MASK	((vm_pindex_t)SWAP_META_PAGES - 1)

struct swblock {
	RB_ENTRY(swblock) swb_entry; /* (T) object's swblock_root */
	vm_pindex_t swb_index;	     /* (T) of the first page */
	int swb_count;		     /* (T) blocks that there are; never 0 */
	swblk_t swb_pages[SWAP_META_PAGES]; /* (T) */
};

/* A device that is, or is not (sw_bd NULL), swapped to. */
struct swdev {
	struct blkdev *sw_bd; /* (L,S) */
	int sw_prio;	      /* (k) the higher one is filled first */
	uint32_t sw_npages;   /* (k) page 0, the header, included */
	uint32_t sw_nfree;    /* (S) pages to be had */
	uint32_t sw_nbad;     /* (S) pages that are never used again */
	uint32_t sw_rover;    /* (S) where the next search begins */
	bool sw_closing;      /* (S) swapoff: nothing is given out any more */
	uint64_t *sw_used;    /* (S) a bit a page: not to be had */
	uint64_t *sw_bad;     /* (S) a bit a page: an error was seen there */
};
extern struct swdev swap_devs[SWAP_DEVS];
extern struct spinlock swap_spin;

/* --- swap_alloc.c: the blocks of the devices --- */
/* Takes up to *np blocks that follow each other; how many in *np.
 * SWAPBLK_NONE when swap is full. Never sleeps. */
swblk_t swap_alloc(int *np);
void swap_free(swblk_t blk, int n); /* never sleeps */
/* An error was seen there: once they are free they stay out of use. */
void swap_retire(swblk_t blk, int n);
/* Pages that could still be had, and with totalp how many there are. */
int64_t swap_space(int64_t *totalp);
/* The sector where a block begins. */
#define SWBLK_SECTOR(blk) ((uint64_t)SWBLK_PAGE(blk) * (PAGE_SIZE / BLK_SECTOR))

/* --- swap_meta.c: which block a page has --- */
void swap_meta_init(void); /* boot */
/* The block of a page, or SWAPBLK_NONE. Token held. */
swblk_t swap_meta_lookup(vm_object_t object, vm_pindex_t pindex);
/* Gives a page a block in place of the one it had, which is freed. False
 * when there is no memory for the tree. Token exclusive; never sleeps. */
bool swap_meta_enter(vm_object_t object, vm_pindex_t pindex, swblk_t blk);
/* Frees the blocks of count pages; none of them is PG_SWAPPED any more.
 * Token exclusive; never sleeps. */
void swap_pager_freespace(
    vm_object_t object, vm_pindex_t start, vm_pindex_t count);
/* The block of one page, if it has one, is freed. Token exclusive. */
void swap_meta_free(vm_object_t object, vm_pindex_t pindex);
/* The page's block, if it has one, is freed: the page has changed. Hard-busy,
 * or the object's token exclusive. */
static inline void
swap_pager_unswapped(vm_page_t m)
{
	if (unlikely((m->flags & PG_SWAPPED) != 0))
		swap_meta_free(m->object, m->pindex);
}
/* Moves the blocks of src from index base on to dst, from 0 to its end,
 * where dst has no page, neither resident nor on swap; the others in the
 * range are freed, with destroy all others too. Both tokens exclusive, and
 * lost when it has to sleep for memory. */
void swap_pager_copy(
    vm_object_t src, vm_object_t dst, vm_pindex_t base, bool destroy);
/* A page has come into its object: marks it if it has a block there. */
void swap_pager_page_inserted(vm_page_t m);
/* The first page at or above pindex whose block is on the device; false:
 * none. Token held. */
bool swap_meta_find_dev(vm_object_t object, vm_pindex_t *pindexp, uint32_t dev);
/* Calls fn for every block; how many swblocks there are. vm_check finds one
 * whose count is wrong. Token held. */
int64_t swap_meta_foreach(vm_object_t object,
    void (*fn)(void *arg, vm_object_t object, vm_pindex_t pindex, swblk_t blk),
    void *arg);

/* --- swap_pager.c --- */
extern const struct pagerops swappagerops;
/* pgo_putpages for anonymous objects. The pages are hard-busy; those that
 * come back as VM_PAGER_PEND are soft-busy until they are stored. */
void swap_pager_putpages(
    vm_object_t object, vm_page_t *m, int count, int flags, int *rtvals);

/* --- swap_io.c: transfers --- */
/* Reads n pages from blk on; 0 or EIO. Pages hard-busy; sleeps. */
int swap_read(swblk_t blk, vm_page_t *m, int n);
/* A place for a write; sleeps until there is one. */
struct swap_io;
struct swap_io *swap_io_get(void);
void swap_io_put(struct swap_io *io);
/* Begins to write n soft-busy pages of one object with paging in progress,
 * whose end gives all that back, and io. */
void swap_write(struct swap_io *io, swblk_t blk, vm_page_t *m, int n);
int swap_writes_pending(void);
/* Sleeps until fewer than n writes are pending. */
void swap_write_wait(int n);

/* --- swap_sys.c --- */
void swap_boot(void); /* boot option swap=; after blk_init */
struct sbuf;
void swap_show(struct sbuf *sb); /* /proc/swaps */

void swap_check(void); /* vm_check_swap.c */

#endif
