/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The pager of anonymous memory that was never paged out: it has nothing,
 * and so a page that no level of a chain holds is one of zeroes. The first
 * page that it puts away makes the object the swap pager's.
 */
#include <vm/swap_pager.h>

/* Nothing was kept, so nothing is to be given up. */
static void
default_pager_dealloc(vm_object_t object)
{
	KKASSERT(object->swblock_count == 0);
}

/* There is no such page here: look further down. */
static int
default_pager_getpage(vm_object_t object, vm_page_t *mp, int seqaccess)
{
	(void)object;
	(void)mp;
	(void)seqaccess;
	return VM_PAGER_FAIL;
}

/* No page is anywhere but in memory. */
static bool
default_pager_haspage(vm_object_t object, vm_pindex_t pindex)
{
	(void)object;
	(void)pindex;
	return false;
}

const struct pagerops defaultpagerops = {
    .pgo_dealloc = default_pager_dealloc,
    .pgo_getpage = default_pager_getpage,
    .pgo_putpages = swap_pager_putpages,
    .pgo_haspage = default_pager_haspage,
};
