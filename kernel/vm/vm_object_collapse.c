/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Shortening a chain: an object takes in the one behind it, or steps around
 * it.
 *
 * Collapse: nobody else refers to the backing object, so its pages move up
 * and it ends. Where both have a page the front's is the newer and wins.
 * Bypass: others do refer to it, but the front hides every page it has; so
 * the front links to the one behind, and drops its reference.
 * Quick collapse: paging is in progress somewhere, so the objects must stay,
 * but pages that nobody is busy with can move up already.
 */
#include <kern/kmalloc.h>
#include <kern/trace.h>
#include <vm/swap_pager.h>
#include <vm/vm_object.h>

/* What became of one page of the backing object. */
enum page_fate { PF_LEFT, PF_MOVED, PF_FREED, PF_RESTART };

/* Only anonymous objects that have not ended and that nobody finds by a
 * handle may be merged. */
static bool
collapsible(vm_object_t object)
{
	return OBJT_IS_ANON(object->type) && object->handle == NULL &&
	    (object->flags & OBJ_DEAD) == 0;
}

/* Where the front object shows page pindex of the backing one; false when
 * it lies outside of the front. */
static bool
front_index(vm_object_t object, vm_pindex_t pindex, vm_pindex_t *front)
{
	vm_pindex_t skip = OFF_TO_IDX(object->backing_object_offset);

	*front = pindex - skip;
	return pindex >= skip && *front < object->size;
}

/* Does the front have the page itself, resident or with its pager? */
static bool
front_has_page(vm_object_t object, vm_pindex_t front)
{
	return vm_page_lookup(object, front) != NULL ||
	    vm_pager_has_page(object, front);
}

/* Moves one page of the backing object up, or frees it when the front does
 * not need it. A mapped page may stay mapped through the move. In a quick
 * collapse a page that is busy, wired or not valid is left; otherwise a busy
 * one is waited for, and as anything may have happened meanwhile the scan
 * has to be started again. */
static enum page_fate
collapse_page(vm_object_t object, vm_object_t backing, vm_page_t m, bool quick)
{
	vm_pindex_t front;

	if (vm_page_busy_try(m, true)) {
		if (quick)
			return PF_LEFT;
		vm_page_sleep_busy(m, true, "vmocol");
		return PF_RESTART;
	}
	KKASSERT(m->object == backing);
	if (quick &&
	    (m->valid == 0 || m->wire_count != 0 ||
		(m->flags & PG_NEED_COMMIT))) {
		vm_page_wakeup(m);
		return PF_LEFT;
	}
	if (!front_index(object, m->pindex, &front) ||
	    front_has_page(object, front)) {
		vm_page_protect(m, VM_PROT_NONE);
		vm_page_free(m);
		return PF_FREED;
	}
	SCHED_POINT("vm.collapse_move");
	vm_page_rename(m, object, front);
	vm_page_wakeup(m);
	return PF_MOVED;
}

/* Goes over the pages of the backing object. Returns how many moved. Both
 * tokens exclusive, both chain-locked; sleeps unless quick. */
static uint64_t
collapse_pages(vm_object_t object, vm_object_t backing, bool quick)
{
	vm_pindex_t pindex = 0;
	uint64_t moved = 0;
	vm_page_t m;

	while ((m = vm_object_next_page(backing, pindex)) != NULL) {
		pindex = m->pindex + 1;
		switch (collapse_page(object, backing, m, quick)) {
		case PF_MOVED:
			moved++;
			break;
		case PF_RESTART:
			pindex = 0;
			break;
		case PF_LEFT:
		case PF_FREED:
			break;
		}
	}
	return moved;
}

/* Moves up what can be moved without waiting, while somebody pages in one
 * of the two. The references that we add keep a concurrent fault from
 * moving pages on its own account meanwhile. */
static void
vm_object_qcollapse(vm_object_t object, vm_object_t backing)
{
	if (backing->ref_count != 1)
		return;
	atomic_add_int(&backing->ref_count, 2);
	SCHED_POINT("vm.qcollapse");
	cnt_add(v_qcollapse, collapse_pages(object, backing, true));
	atomic_subtract_int(&backing->ref_count, 2);
}

/* Does the front hide every page of the backing object that it could see?
 * A page of the front that is not valid (yet) hides only if the pager has
 * the data; an object that has pages on swap is not looked into. */
static bool
all_shadowed(vm_object_t object, vm_object_t backing)
{
	vm_page_t m, fm;
	vm_pindex_t front;

	if (backing->type != OBJT_DEFAULT)
		return false;
	for (m = vm_object_next_page(backing, 0); m != NULL;
	     m = vm_object_next_page(backing, m->pindex + 1)) {
		if (!front_index(object, m->pindex, &front))
			continue;
		fm = vm_page_lookup(object, front);
		if ((fm == NULL || fm->valid == 0) &&
		    !vm_pager_has_page(object, front))
			return false;
	}
	return true;
}

/* Takes the backing object in: its last reference is the front's link.
 * Afterwards the front shadows what it shadowed, with the reference that
 * the backing object had on it. Both chain-locked, both held. */
static void
collapse_backing(vm_object_t object, vm_object_t backing)
{
	vm_object_t below;
	uint64_t moved;

	/* No new page gets into a dead object, and no fault goes through. */
	vm_object_set_flag(backing, OBJ_DEAD);
	SCHED_POINT("vm.collapse_dead");
	moved = collapse_pages(object, backing, false);
	if (backing->type == OBJT_SWAP)
		swap_pager_copy(backing, object,
		    OFF_TO_IDX(object->backing_object_offset), true);

	SCHED_POINT("vm.collapse_unlink");
	vm_object_shadow_unlink(object);
	below = vm_object_hold_backing(backing);
	if (below != NULL) {
		vm_object_shadow_unlink(backing);
		vm_object_shadow_link(object, below);
		vm_object_drop(below);
	}
	object->backing_object_offset += backing->backing_object_offset;

	/* Nobody could refer to it anew: that needs the chain lock. */
	KASSERT(backing->ref_count == 1,
	    ("object %u got a reference while it collapsed", backing->id));
	SCHED_POINT("vm.collapse_deref");
	atomic_subtract_int(&backing->ref_count, 1);
	vm_object_terminate(backing);
	cnt_inc(v_collapse);
	trace(TR_COLLAPSE, object->id, backing->id, moved, 0);
}

/* Steps around the backing object. The front's reference on it is left for
 * the caller to drop, when this chain is in order again: more may follow from
 * that. */
static void
bypass_backing(vm_object_t object, vm_object_t backing)
{
	vm_object_t below = vm_object_hold_backing(backing);

	if (below != NULL && below->type != OBJT_VNODE) {
		/* May lose every token; the chain locks keep the links. */
		vm_object_chain_wait(below, false);
		vm_object_reference_locked(below);
	} else if (below != NULL) {
		vm_object_reference_quick(below);
	}
	SCHED_POINT("vm.bypass_unlink");
	vm_object_shadow_unlink(object);
	if (below != NULL) {
		vm_object_shadow_link(object, below);
		vm_object_drop(below);
	}
	object->backing_object_offset += backing->backing_object_offset;
	cnt_inc(v_bypass);
	trace(TR_BYPASS, object->id, backing->id, below != NULL ? below->id : 0,
	    0);
}

/* Puts an object, whose token is the newest, on the list of those to be
 * deallocated, and keeps the hold for that. */
static void
dealloc_later(vm_object_t object, struct vm_object_dealloc_list **dlistp)
{
	struct vm_object_dealloc_list *dl;

	lwkt_reltoken(&object->token);
	dl = kmalloc(sizeof(*dl), &M_TEMP, M_WAITOK);
	dl->object = object;
	dl->next = *dlistp;
	*dlistp = dl;
}

/* Holds and chain-locks the backing object if it can be merged with the
 * object; NULL: there is nothing to collapse. */
static vm_object_t
lock_backing(vm_object_t object)
{
	vm_object_t backing;

	for (;;) {
		if (!OBJT_IS_ANON(object->type))
			return NULL;
		backing = object->backing_object;
		if (backing == NULL || !OBJT_IS_ANON(backing->type))
			return NULL;
		vm_object_hold(backing);
		if (backing == object->backing_object) {
			vm_object_chain_acquire(backing, false);
			if (backing == object->backing_object)
				break;
			vm_object_chain_release(backing);
		}
		vm_object_drop(backing);
	}
	if (collapsible(object) && collapsible(backing))
		return backing;
	vm_object_chain_release(backing);
	vm_object_drop(backing);
	return NULL;
}

/* Collapses and bypasses below object until nothing more goes. The caller
 * holds it with the token exclusive and has it chain-locked exclusively, and
 * owns a reference on it besides. May sleep. */
void
vm_object_collapse(vm_object_t object, struct vm_object_dealloc_list **dlistp)
{
	struct vm_object_dealloc_list *dlist = NULL;
	vm_object_t backing;

	ASSERT_LWKT_TOKEN_HELD_EXCL(&object->token);
	KKASSERT(
	    !OBJT_IS_ANON(object->type) || (object->chainlk & CHAINLK_EXCL));
	if (dlistp == NULL)
		dlistp = &dlist;

	while ((backing = lock_backing(object)) != NULL) {
		bool more = true;

		if (vm_object_pip_count(object) != 0 ||
		    vm_object_pip_count(backing) != 0) {
			vm_object_qcollapse(object, backing);
			more = false;
		} else if (backing->ref_count == 1) {
			collapse_backing(object, backing);
		} else if (all_shadowed(object, backing)) {
			bypass_backing(object, backing);
			vm_object_chain_release(backing);
			dealloc_later(backing, dlistp);
			continue;
		} else {
			more = false;
		}
		vm_object_chain_release(backing);
		vm_object_drop(backing);
		if (!more)
			break;
	}
	vm_object_deallocate_list(&dlist);
}
