/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The pager of physical memory objects: pages that are made when they are
 * first touched, never paged, and not tracked by page queues.
 */
#include <pmap/pmap.h>
#include <vm/vm_pager.h>

/* The pages were all there was. */
static void
phys_pager_dealloc(vm_object_t object)
{
	KKASSERT(object->swblock_count == 0);
}

/* A page of zeroes, off the queues and out of the reverse maps for good. It
 * counts as dirty: nothing else holds its data. */
static int
phys_pager_getpage(vm_object_t object, vm_page_t *mp, int seqaccess)
{
	vm_page_t m = *mp;

	(void)object;
	(void)seqaccess;
	pmap_zero_page(m->phys_addr);
	vm_page_unqueue(m);
	atomic_set_uint(&m->flags, PG_UNMANAGED);
	m->valid = VM_PAGE_BITS_ALL;
	vm_page_dirty(m);
	return VM_PAGER_OK;
}

/* Nobody pages such memory out. */
static void
phys_pager_putpages(
    vm_object_t object, vm_page_t *m, int count, int flags, int *rtvals)
{
	(void)m;
	(void)count;
	(void)flags;
	(void)rtvals;
	panic("pageout of physical object %u", object->id);
}

/* Every page can be had. */
static bool
phys_pager_haspage(vm_object_t object, vm_pindex_t pindex)
{
	return pindex < object->size;
}

const struct pagerops physpagerops = {
    .pgo_dealloc = phys_pager_dealloc,
    .pgo_getpage = phys_pager_getpage,
    .pgo_putpages = phys_pager_putpages,
    .pgo_haspage = phys_pager_haspage,
};
