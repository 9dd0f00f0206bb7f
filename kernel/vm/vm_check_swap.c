/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vm_check() of swap: the bitmaps of the devices against the blocks that the
 * objects have, and the pages' marks against both. Quiet points only.
 */
#include <kern/kmalloc.h>
#include <vm/swap_pager.h>
#include <vm/vm_check.h>

/* What the objects have of each device, a bit a page. */
struct swap_seen {
	uint64_t *map[SWAP_DEVS];
	uint32_t count[SWAP_DEVS];
};

/* One block of an object. */
static void
see_block(void *arg, vm_object_t object, vm_pindex_t pindex, swblk_t blk)
{
	struct swap_seen *seen = arg;
	uint32_t dev = SWBLK_DEV(blk), page = SWBLK_PAGE(blk);
	uint64_t bit = 1UL << (page % 64);
	vm_page_t m = vm_page_lookup(object, pindex);

	if (m != NULL && (m->flags & PG_SWAPPED) == 0)
		vm_check_fail("page %lu of object %u has swap block %#x, but "
			      "is not marked",
		    pindex, object->id, blk);
	if (pindex >= object->size)
		vm_check_fail("object %u has page %lu on swap, and size %lu",
		    object->id, pindex, object->size);
	if (dev >= SWAP_DEVS || seen->map[dev] == NULL ||
	    page >= swap_devs[dev].sw_npages) {
		vm_check_fail("page %lu of object %u has swap block %#x, which "
			      "is on no device",
		    pindex, object->id, blk);
		return;
	}
	if (seen->map[dev][page / 64] & bit)
		vm_check_fail("swap block %#x has two owners, one of them page "
			      "%lu of object %u",
		    blk, pindex, object->id);
	if ((swap_devs[dev].sw_used[page / 64] & bit) == 0)
		vm_check_fail("swap block %#x is free, and page %lu of object "
			      "%u's",
		    blk, pindex, object->id);
	seen->map[dev][page / 64] |= bit;
	seen->count[dev]++;
}

/* One object: its tree, its type and its pages. */
static void
check_object(struct swap_seen *seen, vm_object_t object)
{
	int64_t swblocks;
	vm_page_t m;

	swblocks = swap_meta_foreach(object, see_block, seen);
	if (swblocks != object->swblock_count)
		vm_check_fail("object %u has %ld swblocks, says %ld",
		    object->id, swblocks, object->swblock_count);
	if (object->swblock_count != 0 && object->type != OBJT_SWAP)
		vm_check_fail("object %u of type %d has pages on swap",
		    object->id, object->type);
	RB_FOREACH (m, vm_page_rb_tree, &object->rb_memq) {
		if ((m->flags & PG_SWAPPED) &&
		    swap_meta_lookup(object, m->pindex) == SWAPBLK_NONE)
			vm_check_fail("page %lu of object %u is marked "
				      "swapped, but has no block",
			    m->pindex, object->id);
	}
}

/* A device: what is neither free nor bad belongs to an object. */
static void
check_dev(struct swap_seen *seen, int dev)
{
	struct swdev *sw = &swap_devs[dev];
	uint32_t used = 0;

	for (uint32_t i = 1; i < sw->sw_npages; i++)
		used += (sw->sw_used[i / 64] >> (i % 64)) & 1;
	if (used + sw->sw_nfree != sw->sw_npages - 1)
		vm_check_fail("swap on %s: %u pages in use and %u free of %u",
		    sw->sw_bd->bd_name, used, sw->sw_nfree, sw->sw_npages - 1);
	if (seen->count[dev] + sw->sw_nbad != used)
		vm_check_fail("swap on %s: %u pages in use, %u of them "
			      "objects', %u bad",
		    sw->sw_bd->bd_name, used, seen->count[dev], sw->sw_nbad);
}

/* Checks all objects and devices. The daemon stands still. May sleep for
 * memory. */
void
swap_check(void)
{
	struct swap_seen seen = {0};
	vm_object_t object;

	for (int i = 0; i < SWAP_DEVS; i++) {
		if (swap_devs[i].sw_bd != NULL)
			seen.map[i] =
			    kmalloc(howmany(swap_devs[i].sw_npages, 64) *
				    sizeof(uint64_t),
				&M_TEMP, M_WAITOK | M_ZERO);
	}
	spin_lock(&vm_object_list_spin);
	object = TAILQ_FIRST(&vm_object_list);
	spin_unlock(&vm_object_list_spin);
	for (; object != NULL; object = TAILQ_NEXT(object, object_list)) {
		vm_object_hold_shared(object);
		check_object(&seen, object);
		vm_object_drop(object);
	}
	for (int i = 0; i < SWAP_DEVS; i++) {
		if (seen.map[i] != NULL)
			check_dev(&seen, i);
		kfree(seen.map[i], &M_TEMP);
	}
}
