/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The pager of anonymous memory that has been paged out.
 *
 * Pages are written in clusters of neighbours, to blocks that are neighbours
 * too, and so can be read in clusters. A page gets a new block whenever it is
 * written, for that reason.
 */
#include <linux/errno.h>

#include <kern/trace.h>
#include <vm/swap_pager.h>
#include <vm/vm_pageout.h>

/* The object ends: nobody will ask for its pages again. */
static void
swap_pager_dealloc(vm_object_t object)
{
	swap_pager_freespace(object, 0, ~(vm_pindex_t)0);
	KKASSERT(object->swblock_count == 0);
}

/* A page that may be read along with the one before it: its block follows,
 * it is not resident, and there is memory for luxury. Hard-busy, or NULL. */
static vm_page_t
neighbour(vm_object_t object, vm_pindex_t pindex, swblk_t blk)
{
	if (pindex >= object->size || vm_page_count_min(0) ||
	    swap_meta_lookup(object, pindex) != blk)
		return NULL;
	return vm_page_alloc(
	    object, pindex, VM_ALLOC_NORMAL | VM_ALLOC_NULL_OK);
}

/* Ends the reading of the pages after the first: without an error they wait
 * on the inactive queue for somebody to want them. */
static void
finish_neighbours(vm_page_t *m, int n, int error)
{
	for (int i = 1; i < n; i++) {
		if (error != 0) {
			vm_page_free(m[i]);
			continue;
		}
		m[i]->valid = VM_PAGE_BITS_ALL;
		vm_page_undirty(m[i]);
		vm_page_deactivate(m[i]);
		vm_page_wakeup(m[i]);
	}
}

/* See struct pagerops. Pages that follow on swap as well as in the object
 * are read too. Should that fail, the fault may be theirs: the page is tried
 * alone. */
static int
swap_pager_getpage(vm_object_t object, vm_page_t *mp, int seqaccess)
{
	vm_page_t m[SWAP_CLUSTER] = {*mp};
	vm_pindex_t pindex = (*mp)->pindex;
	swblk_t blk;
	int n, error;

	(void)seqaccess;
	KKASSERT((*mp)->object == object);
	if ((*mp)->valid == VM_PAGE_BITS_ALL)
		return VM_PAGER_OK;
	blk = swap_meta_lookup(object, pindex);
	if (blk == SWAPBLK_NONE)
		return VM_PAGER_FAIL;
	for (n = 1; n < SWAP_CLUSTER; n++) {
		m[n] = neighbour(object, pindex + n, blk + n);
		if (m[n] == NULL)
			break;
	}
	error = swap_read(blk, m, n);
	finish_neighbours(m, n, error);
	if (error != 0 && n > 1)
		error = swap_read(blk, m, 1);
	if (error != 0)
		return VM_PAGER_ERROR;
	KKASSERT(swap_meta_lookup(object, pindex) == blk);
	m[0]->valid = VM_PAGE_BITS_ALL;
	vm_page_undirty(m[0]);
	trace(TR_SWAPIN, object->id, pindex, blk, n);
	return VM_PAGER_OK;
}

/* Enters the blocks from blk on for n pages. How many it had memory for; the
 * other blocks are given back. */
static int
assign(vm_object_t object, vm_page_t *m, int n, swblk_t blk)
{
	int i;

	for (i = 0; i < n; i++) {
		if (!swap_meta_enter(object, m[i]->pindex, blk + i))
			break;
		atomic_set_uint(&m[i]->flags, PG_SWAPPED);
	}
	if (i < n)
		swap_free(blk + i, n - i);
	return i;
}

/*
 * Stores as many of the pages as one transfer takes; how many, 0: swap is
 * full, or there is no memory for the tree. A page counts as clean from now
 * on, so that whatever is written to it during the transfer makes it dirty
 * again; a failure does the same.
 */
static int
put_cluster(vm_object_t object, vm_page_t *m, int count)
{
	struct swap_io *io = swap_io_get();
	int n = MIN(count, SWAP_CLUSTER);
	swblk_t blk = swap_alloc(&n);

	if (blk != SWAPBLK_NONE)
		n = assign(object, m, n, blk);
	if (n == 0) {
		swap_io_put(io);
		return 0;
	}
	for (int i = 0; i < n; i++) {
		vm_page_undirty(m[i]);
		vm_page_busy_soften(m[i]);
	}
	vm_object_pip_add(object, 1);
	trace(TR_SWAPOUT, object->id, m[0]->pindex, blk, n);
	swap_write(io, blk, m, n);
	return n;
}

/* See swap_pager.h. Sleeps until a transfer can be begun. */
void
swap_pager_putpages(
    vm_object_t object, vm_page_t *m, int count, int flags, int *rtvals)
{
	int i = 0, n;

	(void)flags;
	ASSERT_LWKT_TOKEN_HELD_EXCL(&object->token);
	while (i < count && (n = put_cluster(object, m + i, count - i)) > 0) {
		while (n-- > 0)
			rtvals[i++] = VM_PAGER_PEND;
	}
	while (i < count)
		rtvals[i++] = VM_PAGER_FAIL;
}

/* See struct pagerops. */
static bool
swap_pager_haspage(vm_object_t object, vm_pindex_t pindex)
{
	return swap_meta_lookup(object, pindex) != SWAPBLK_NONE;
}

const struct pagerops swappagerops = {
    .pgo_dealloc = swap_pager_dealloc,
    .pgo_getpage = swap_pager_getpage,
    .pgo_putpages = swap_pager_putpages,
    .pgo_haspage = swap_pager_haspage,
};
