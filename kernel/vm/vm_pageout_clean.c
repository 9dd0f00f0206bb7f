/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writing dirty pages out.
 *
 * A page takes its neighbours along that are as dirty and as inactive as it
 * is: one transfer costs little more than one page, and on swap they come to
 * lie side by side.
 */
#include <vm/swap_pager.h>
#include <vm/vm_pageout.h>

/* May this page go along? It comes back hard-busy then, else NULL. The
 * object is held. */
static vm_page_t
companion(vm_object_t object, vm_pindex_t pindex)
{
	bool busy;
	vm_page_t p;

	if (pindex >= object->size)
		return NULL;
	p = vm_page_lookup_busy_try(object, pindex, true, &busy);
	if (p == NULL || busy)
		return NULL;
	vm_page_test_dirty(p);
	if (p->queue - p->pc != PQ_INACTIVE || p->dirty == 0 ||
	    p->valid != VM_PAGE_BITS_ALL || p->wire_count != 0 ||
	    p->hold_count != 0 || (p->flags & (PG_UNMANAGED | PG_REFERENCED))) {
		vm_page_wakeup(p);
		return NULL;
	}
	return p;
}

/* Collects the cluster around m: mc[*first] to mc[*last]. The object is
 * held. Clusters are aligned, so that they do not overlap by halves. */
static void
gather(vm_object_t object, vm_page_t m, vm_page_t *mc, int *first, int *last)
{
	int at = m->pindex % SWAP_CLUSTER;
	vm_pindex_t base = m->pindex - at;

	mc[at] = m;
	*first = *last = at;
	while (*first > 0 &&
	    (mc[*first - 1] = companion(object, base + *first - 1)) != NULL)
		--*first;
	while (*last < SWAP_CLUSTER - 1 &&
	    (mc[*last + 1] = companion(object, base + *last + 1)) != NULL)
		++*last;
}

/* Ends the busy of a page that the pager has not taken over. True: it has
 * been stored. */
static bool
finish(vm_page_t m, int result)
{
	switch (result) {
	case VM_PAGER_PEND:
		return true;
	case VM_PAGER_OK:
		vm_page_wakeup(m);
		return true;
	case VM_PAGER_BAD:
		/* Beyond the end of its file: nobody will miss it. */
		vm_page_undirty(m);
		break;
	default:
		/* Nowhere to go, now or ever: not to be looked at soon. */
		vm_page_activate(m);
		break;
	}
	vm_page_wakeup(m);
	return false;
}

/* Is it any use to try to write pages of the object? The emergency daemon is
 * there for the case that file systems wait for memory. */
static bool
worth_trying(const struct pageout_pass *pp, vm_object_t object)
{
	if (object->flags & OBJ_DEAD)
		return false;
	if (OBJT_IS_ANON(object->type))
		return swap_space(NULL) > 0;
	return !pp->emergency;
}

/* See vm_pageout.h. The page is write-protected before it is written: the
 * mapping may stay, for reading. */
int64_t
vm_pageout_clean(struct pageout_pass *pp, vm_page_t m)
{
	vm_object_t object = m->object;
	vm_page_t mc[SWAP_CLUSTER];
	int rtvals[SWAP_CLUSTER], first = 0, last = 0;
	int64_t done = 0;

	if (!worth_trying(pp, object)) {
		/* Out of the way of those that could go. */
		vm_page_activate(m);
		vm_page_wakeup(m);
		return 0;
	}
	if (!vm_object_hold_try(object)) {
		pp->skipped++;
		vm_page_requeue(m);
		vm_page_wakeup(m);
		return 0;
	}
	if (OBJT_IS_ANON(object->type))
		gather(object, m, mc, &first, &last);
	else
		mc[0] = m;
	vm_object_pip_add(object, 1);
	for (int i = first; i <= last; i++)
		vm_page_protect(mc[i], VM_PROT_READ);
	SCHED_POINT("vm.pageout_put");
	vm_pager_put_pages(
	    object, mc + first, last - first + 1, 0, rtvals + first);
	for (int i = first; i <= last; i++)
		done += finish(mc[i], rtvals[i]);
	vm_object_pip_wakeup(object);
	vm_object_drop(object);
	pp->launder -= done;
	return done;
}
