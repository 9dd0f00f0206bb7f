/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which pager serves an object, by its type.
 */
#include <kern/inject.h>
#include <vm/swap_pager.h>

static const struct pagerops deadpagerops;

const struct pagerops *const pagertab[OBJT_COUNT] = {
    [OBJT_DEFAULT] = &defaultpagerops,
    [OBJT_SWAP] = &swappagerops,
    [OBJT_VNODE] = &vnodepagerops,
    [OBJT_PHYS] = &physpagerops,
    [OBJT_DEVICE] = &devicepagerops,
    [OBJT_DEAD] = &deadpagerops,
};

/* A dead object keeps nothing. */
static void
dead_pager_dealloc(vm_object_t object)
{
	(void)object;
}

/* A dead object has no page. */
static int
dead_pager_getpage(vm_object_t object, vm_page_t *mp, int seqaccess)
{
	(void)object;
	(void)mp;
	(void)seqaccess;
	return VM_PAGER_BAD;
}

/* A dead object takes no page. */
static void
dead_pager_putpages(
    vm_object_t object, vm_page_t *m, int count, int flags, int *rtvals)
{
	(void)object;
	(void)m;
	(void)flags;
	for (int i = 0; i < count; i++)
		rtvals[i] = VM_PAGER_BAD;
}

/* A dead object has nothing anywhere. */
static bool
dead_pager_haspage(vm_object_t object, vm_pindex_t pindex)
{
	(void)object;
	(void)pindex;
	return false;
}

static const struct pagerops deadpagerops = {
    .pgo_dealloc = dead_pager_dealloc,
    .pgo_getpage = dead_pager_getpage,
    .pgo_putpages = dead_pager_putpages,
    .pgo_haspage = dead_pager_haspage,
};

/* The operations of an object's pager. */
static const struct pagerops *
pager_of(vm_object_t object)
{
	KKASSERT(pagertab[object->type] != NULL);
	return pagertab[object->type];
}

/* Fills the page *mp, which is in the object and hard-busy. The object is
 * held exclusively and has paging in progress; may sleep. */
int
vm_pager_get_page(vm_object_t object, vm_page_t *mp, int seqaccess)
{
	KKASSERT(vm_page_is_hardbusy(*mp));
	if (inject(INJECT_PAGER))
		return VM_PAGER_ERROR;
	return pager_of(object)->pgo_getpage(object, mp, seqaccess);
}

/* Whether the pager itself has the page's data. Object held; does not
 * sleep. */
bool
vm_pager_has_page(vm_object_t object, vm_pindex_t pindex)
{
	return pager_of(object)->pgo_haspage(object, pindex);
}

/* Stores count hard-busy pages, which nobody can write to meanwhile;
 * rtvals[i] says how it went. What was stored is not dirty any more. The
 * object is held and has paging in progress; may sleep. */
void
vm_pager_put_pages(
    vm_object_t object, vm_page_t *m, int count, int flags, int *rtvals)
{
	if (!inject(INJECT_PAGER)) {
		pager_of(object)->pgo_putpages(object, m, count, flags, rtvals);
		return;
	}
	for (int i = 0; i < count; i++)
		rtvals[i] = VM_PAGER_ERROR;
}

/* The object ends; it has no pages any more and is held exclusively. */
void
vm_pager_deallocate(vm_object_t object)
{
	pager_of(object)->pgo_dealloc(object);
}
