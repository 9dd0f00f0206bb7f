/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The tree that says where an object's pages are on swap.
 *
 * It changes under the object's exclusive token and never sleeps in between,
 * with the one exception of swap_pager_copy. The pageout daemon enters blocks
 * when there is next to no memory left; what a swblock takes it has from the
 * last pages, which nobody else may touch (vm_kern.c).
 */
#include <kern/kmalloc.h>
#include <vm/swap_pager.h>
#include <vm/vm_check.h>

static struct zone swblock_zone;

/* Orders an object's swblocks by index. */
static int
swblock_compare(struct swblock *a, struct swblock *b)
{
	if (a->swb_index < b->swb_index)
		return -1;
	return a->swb_index > b->swb_index;
}

RB_GENERATE_STATIC(swblock_rb_tree, swblock, swb_entry, swblock_compare)

/* Boot, after kmalloc_init. */
void
swap_meta_init(void)
{
	zinit(&swblock_zone, "swblock", sizeof(struct swblock), NULL);
}

/* The swblock of a page; NULL: none of its pages has a block. */
static struct swblock *
swblock_find(vm_object_t object, vm_pindex_t pindex)
{
	struct swblock key = {.swb_index = pindex & ~SWAP_META_MASK};

	ASSERT_LWKT_TOKEN_HELD(&object->token);
	if (object->swblock_count == 0)
		return NULL;
	return RB_FIND(swblock_rb_tree, &object->swblock_root, &key);
}

/* The first swblock that holds a page at or above pindex. */
static struct swblock *
swblock_from(vm_object_t object, vm_pindex_t pindex)
{
	struct swblock key = {.swb_index = pindex & ~SWAP_META_MASK};

	ASSERT_LWKT_TOKEN_HELD(&object->token);
	return RB_NFIND(swblock_rb_tree, &object->swblock_root, &key);
}

/* A new, empty swblock in the tree; NULL when memory is short. */
static struct swblock *
swblock_make(vm_object_t object, vm_pindex_t pindex)
{
	struct swblock *swb = zalloc(&swblock_zone, M_NOWAIT);

	if (swb == NULL)
		return NULL;
	swb->swb_index = pindex & ~SWAP_META_MASK;
	swb->swb_count = 0;
	for (int i = 0; i < SWAP_META_PAGES; i++)
		swb->swb_pages[i] = SWAPBLK_NONE;
	RB_INSERT(swblock_rb_tree, &object->swblock_root, swb);
	object->swblock_count++;
	return swb;
}

/* Takes a block out, without freeing it; a swblock that is empty then goes.
 * A resident page is no longer marked. */
static swblk_t
slot_take(vm_object_t object, struct swblock *swb, int slot)
{
	swblk_t blk = swb->swb_pages[slot];
	vm_page_t m;

	KKASSERT(blk != SWAPBLK_NONE);
	if (object->resident_page_count != 0) {
		m = vm_page_lookup(object, swb->swb_index + slot);
		if (m != NULL)
			atomic_clear_uint(&m->flags, PG_SWAPPED);
	}
	swb->swb_pages[slot] = SWAPBLK_NONE;
	if (--swb->swb_count == 0) {
		RB_REMOVE(swblock_rb_tree, &object->swblock_root, swb);
		object->swblock_count--;
		zfree(&swblock_zone, swb);
	}
	return blk;
}

/* See swap_pager.h. */
swblk_t
swap_meta_lookup(vm_object_t object, vm_pindex_t pindex)
{
	struct swblock *swb = swblock_find(object, pindex);

	return swb == NULL ? SWAPBLK_NONE
			   : swb->swb_pages[pindex & SWAP_META_MASK];
}

/* See swap_pager.h. */
bool
swap_meta_enter(vm_object_t object, vm_pindex_t pindex, swblk_t blk)
{
	struct swblock *swb = swblock_find(object, pindex);
	int slot = pindex & SWAP_META_MASK;

	ASSERT_LWKT_TOKEN_HELD_EXCL(&object->token);
	KKASSERT(OBJT_IS_ANON(object->type));
	if (swb == NULL)
		swb = swblock_make(object, pindex);
	if (swb == NULL)
		return false;
	object->type = OBJT_SWAP;
	if (swb->swb_pages[slot] != SWAPBLK_NONE)
		swap_free(swb->swb_pages[slot], 1);
	else
		swb->swb_count++;
	swb->swb_pages[slot] = blk;
	return true;
}

/* See swap_pager.h. */
void
swap_meta_free(vm_object_t object, vm_pindex_t pindex)
{
	struct swblock *swb = swblock_find(object, pindex);
	int slot = pindex & SWAP_META_MASK;

	ASSERT_LWKT_TOKEN_HELD_EXCL(&object->token);
	if (swb != NULL && swb->swb_pages[slot] != SWAPBLK_NONE)
		swap_free(slot_take(object, swb, slot), 1);
}

/* See swap_pager.h. */
void
swap_pager_freespace(vm_object_t object, vm_pindex_t start, vm_pindex_t count)
{
	vm_pindex_t end = start + MIN(count, ~start), pindex;
	struct swblock *swb;

	pindex = start;
	while (object->swblock_count != 0 && pindex < end &&
	    (swb = swblock_from(object, pindex)) != NULL) {
		vm_pindex_t first = swb->swb_index;

		for (pindex = MAX(pindex, first);
		     pindex < MIN(end, first + SWAP_META_PAGES); pindex++)
			swap_meta_free(object, pindex);
	}
}

/* See swap_pager.h. */
void
swap_pager_page_inserted(vm_page_t m)
{
	if (m->object->swblock_count != 0 &&
	    swap_meta_lookup(m->object, m->pindex) != SWAPBLK_NONE)
		atomic_set_uint(&m->flags, PG_SWAPPED);
}

/* What swap_pager_copy does with one block of src, whose place in dst is
 * at. False when memory is short; nothing has changed then. */
static bool
copy_slot(vm_object_t src, struct swblock *swb, int slot, vm_object_t dst,
    vm_pindex_t at)
{
	bool wanted = at < dst->size && vm_page_lookup(dst, at) == NULL &&
	    swap_meta_lookup(dst, at) == SWAPBLK_NONE;

	if (wanted && !swap_meta_enter(dst, at, swb->swb_pages[slot]))
		return false;
	if (wanted)
		slot_take(src, swb, slot);
	else
		swap_free(slot_take(src, swb, slot), 1);
	return true;
}

/* See swap_pager.h. Goes by index from block to block, since nothing but the
 * index is still good after a sleep. */
void
swap_pager_copy(
    vm_object_t src, vm_object_t dst, vm_pindex_t base, bool destroy)
{
	vm_pindex_t pindex = base;
	struct swblock *swb;
	int slot;

	ASSERT_LWKT_TOKEN_HELD_EXCL(&src->token);
	ASSERT_LWKT_TOKEN_HELD_EXCL(&dst->token);
	while (pindex - base < dst->size &&
	    (swb = swblock_from(src, pindex)) != NULL) {
		pindex = MAX(pindex, swb->swb_index);
		if (pindex - base >= dst->size)
			break;
		slot = pindex & SWAP_META_MASK;
		if (swb->swb_pages[slot] != SWAPBLK_NONE &&
		    !copy_slot(src, swb, slot, dst, pindex - base)) {
			vm_wait("swpcpy");
			continue;
		}
		pindex++;
	}
	if (destroy)
		swap_pager_freespace(src, 0, ~(vm_pindex_t)0);
}

/* See swap_pager.h. */
bool
swap_meta_find_dev(vm_object_t object, vm_pindex_t *pindexp, uint32_t dev)
{
	vm_pindex_t pindex = *pindexp;
	struct swblock *swb;

	while ((swb = swblock_from(object, pindex)) != NULL) {
		vm_pindex_t end = swb->swb_index + SWAP_META_PAGES;

		for (pindex = MAX(pindex, swb->swb_index); pindex < end;
		     pindex++) {
			swblk_t blk = swb->swb_pages[pindex & SWAP_META_MASK];

			if (blk != SWAPBLK_NONE && SWBLK_DEV(blk) == dev) {
				*pindexp = pindex;
				return true;
			}
		}
	}
	return false;
}

/* See swap_pager.h. */
int64_t
swap_meta_foreach(vm_object_t object,
    void (*fn)(void *arg, vm_object_t object, vm_pindex_t pindex, swblk_t blk),
    void *arg)
{
	struct swblock *swb;
	int64_t swblocks = 0;

	RB_FOREACH (swb, swblock_rb_tree, &object->swblock_root) {
		int count = 0;

		for (int i = 0; i < SWAP_META_PAGES; i++) {
			if (swb->swb_pages[i] == SWAPBLK_NONE)
				continue;
			fn(arg, object, swb->swb_index + i, swb->swb_pages[i]);
			count++;
		}
		if (count != swb->swb_count || count == 0)
			vm_check_fail("swblock %lu of object %u has %d blocks, "
				      "says %d",
			    swb->swb_index, object->id, count, swb->swb_count);
		swblocks++;
	}
	return swblocks;
}
