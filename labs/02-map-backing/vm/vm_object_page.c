/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Operations on a range of an object's pages: throwing them away, writing
 * them back, growing the range, advice about it.
 */
#include <linux/mman.h>

#include <pmap/pmap.h>
#include <vm/swap_pager.h>
#include <vm/vm_object.h>

/* The page with the lowest index at or above pindex, or NULL. The token is
 * held, shared will do. Scans that may sleep go from page to page by this,
 * since no pointer into the tree survives a sleep. */
vm_page_t
vm_object_next_page(vm_object_t object, vm_pindex_t pindex)
{
	struct vm_page key;

	ASSERT_LWKT_TOKEN_HELD(&object->token);
	key.pindex = pindex;
	return RB_NFIND(vm_page_rb_tree, &object->rb_memq, &key);
}

/* Unmaps and frees one page, which the caller has hard-busy. Wired pages
 * cannot go: they are unmapped and hold no data any more. With clean_only
 * whatever holds data that is nowhere else stays. */
static void
page_remove(vm_page_t m, bool clean_only)
{
	if (m->wire_count != 0) {
		vm_page_protect(m, VM_PROT_NONE);
		if (!clean_only)
			m->valid = 0;
		vm_page_wakeup(m);
		return;
	}
	if (clean_only && m->valid != 0) {
		vm_page_test_dirty(m);
		if ((m->valid & m->dirty) || (m->flags & PG_NEED_COMMIT)) {
			vm_page_wakeup(m);
			return;
		}
	}
	vm_page_protect(m, VM_PROT_NONE);
	vm_page_free(m);
}

/* Frees the pages start <= pindex < end, or to the very last, even beyond
 * the object's size, when end is 0; those on swap, too, unless only clean
 * ones are meant. Takes the token; waits for busy pages. */
void
vm_object_page_remove(
    vm_object_t object, vm_pindex_t start, vm_pindex_t end, bool clean_only)
{
	vm_pindex_t pindex = start;
	int count = 0;
	vm_page_t m;

	vm_object_hold(object);
	KASSERT(object->type != OBJT_PHYS,
	    ("vm_object_page_remove: object %u is physical", object->id));
	vm_object_pip_add(object, 1);
	while ((m = vm_object_next_page(object, pindex)) != NULL &&
	    (end == 0 || m->pindex < end)) {
		pindex = m->pindex;
		if (vm_page_busy_try(m, true)) {
			vm_page_sleep_busy(m, true, "vmopar");
			continue;
		}
		KKASSERT(m->object == object);
		page_remove(m, clean_only);
		pindex++;
		if ((++count & 63) == 0)
			lwkt_yield();
	}
	if (!clean_only)
		swap_pager_freespace(
		    object, start, (end == 0 ? ~(vm_pindex_t)0 : end) - start);
	vm_object_pip_wakeup(object);
	vm_object_drop(object);
}

/* Writes the dirty ones of the pages start <= pindex < end (0: all to the
 * last) of a vnode's object back to the file. A page is made read-only
 * first: what is written to it from then on makes it dirty again. A page
 * whose write fails stays dirty. Takes the token; may sleep. */
void
vm_object_page_clean(vm_object_t object, vm_pindex_t start, vm_pindex_t end)
{
	vm_pindex_t pindex = start;
	vm_page_t m;
	int rtval;

	if (object->type != OBJT_VNODE ||
	    (object->flags & OBJ_MIGHTBEDIRTY) == 0)
		return;
	vm_object_hold(object);
	vm_object_pip_add(object, 1);
	while ((m = vm_object_next_page(object, pindex)) != NULL &&
	    (end == 0 || m->pindex < end)) {
		pindex = m->pindex;
		if (vm_page_busy_try(m, true)) {
			vm_page_sleep_busy(m, true, "vmopcl");
			continue;
		}
		KKASSERT(m->object == object);
		vm_page_protect(m, VM_PROT_READ);
		vm_page_test_dirty(m);
		if (m->dirty & m->valid)
			vm_pager_put_pages(object, &m, 1, 0, &rtval);
		vm_page_wakeup(m);
		pindex++;
	}
	vm_object_pip_wakeup(object);
	vm_object_drop(object);
}

/* Tries to make prev also serve the next_size bytes after the entry of
 * prev_size bytes that begins at prev_pindex, which has nothing behind prev.
 * NULL (nothing allocated yet) always can. It goes only if nobody else uses
 * that range of the object, which holds when there is but one reference, or
 * when the range is new. The map is locked exclusively; may sleep. */
bool
vm_object_coalesce(vm_object_t prev, vm_pindex_t prev_pindex,
    vm_size_t prev_size, vm_size_t next_size)
{
	vm_pindex_t next_pindex = prev_pindex + (prev_size >> PAGE_SHIFT);
	vm_pindex_t next_end = next_pindex + (next_size >> PAGE_SHIFT);
	bool done = false;

	if (prev == NULL)
		return true;
	vm_object_hold(prev);
	if (OBJT_IS_ANON(prev->type) &&
	    (prev->ref_count == 1 || prev->size == next_pindex)) {
		/* Pages of an earlier use of the range must not come back. */
		if (next_pindex < prev->size)
			vm_object_page_remove(
			    prev, next_pindex, next_end, false);
		if (next_end > prev->size)
			prev->size = next_end;
		done = true;
	}
	vm_object_drop(prev);
	return done;
}

/* Follows advice about one resident page that the caller has hard-busy.
 * Pages in an unusual state are left alone. MADV_FREE makes the page clean
 * without unmapping it: memory that is freed is often used again soon, and
 * then costs no fault, while the kernel may take it without writing it. */
static void
madvise_page(vm_page_t m, int advice)
{
	if (m->wire_count != 0 ||
	    (m->flags & (PG_UNMANAGED | PG_NEED_COMMIT)) ||
	    m->valid != VM_PAGE_BITS_ALL)
		return;
	switch (advice) {
	case MADV_WILLNEED:
		vm_page_activate(m);
		break;
	case MADV_COLD:
	case MADV_DONTNEED:
		vm_page_deactivate(m);
		break;
	case MADV_FREE:
		pmap_clear_modify(m);
		vm_page_undirty(m);
		swap_pager_unswapped(m);
		m->act_count = 0;
		vm_page_deactivate(m);
		break;
	}
}

/* MADV_FREE only works on memory that nobody else may be looking at. */
static bool
madvise_applies(vm_object_t object, int advice)
{
	return advice != MADV_FREE ||
	    (OBJT_IS_ANON(object->type) && (object->flags & OBJ_ONEMAPPING));
}

/* Follows MADV_WILLNEED (activates), MADV_COLD (deactivates) or MADV_FREE
 * for count pages of the object, as far as they are resident; what is on
 * swap only, MADV_FREE gives up. Pages in objects behind this one are not
 * looked for: they are others' as well. The caller's reference keeps the
 * object. May sleep. */
void
vm_object_madvise(
    vm_object_t object, vm_pindex_t pindex, vm_pindex_t count, int advice)
{
	vm_page_t m;

	if (object == NULL)
		return;
	vm_object_hold(object);
	for (vm_pindex_t end = pindex + count;
	     pindex < end && madvise_applies(object, advice); pindex++) {
		/* Asleep we lose the token: the page is looked up again. */
		while ((m = vm_page_lookup(object, pindex)) != NULL &&
		    vm_page_busy_try(m, true))
			vm_page_sleep_busy(m, true, "madvpo");
		if (m != NULL) {
			madvise_page(m, advice);
			vm_page_wakeup(m);
		} else if (advice == MADV_FREE) {
			swap_pager_freespace(object, pindex, 1);
		}
	}
	vm_object_drop(object);
}
