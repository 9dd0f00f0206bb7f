/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The end of a reference, and of an object.
 *
 * With the last reference the object's pages go, and then its reference on
 * the object behind it, which may end too, and so on down: a loop, because
 * chains get long. With the last reference but one, if the one that stays is
 * a shadow's link, the object is worth nothing to anybody else any more and
 * the shadow takes it in. That step goes upward, against the order in which
 * chains are locked; so it gives up when the shadow is chain-locked.
 *
 * This is how one process's exit shortens another process's chain.
 */
#include <fs/vnode.h>
#include <kern/kmalloc.h>
#include <kern/shm.h>
#include <kern/trace.h>
#include <vm/vm_object.h>
#include <vm/vm_pager.h>

/* What is being deallocated, and whether the loop itself holds it (then it
 * also drops it) or the caller does. */
struct dealloc_state {
	vm_object_t object;
	bool must_drop;
	struct vm_object_dealloc_list *dlist;
};

/* What a step of the loop has found. */
enum dealloc_step {
	DS_DONE,  /* the reference is gone, nothing follows from it */
	DS_AGAIN, /* look again: tokens were lost, or ds->object is another */
	DS_SKIP,  /* the step does not apply, or gave up */
};

/* Takes one off ref_count. The token is held, or it is a vnode's object. */
static void
deref(vm_object_t object)
{
	uint32_t id = object->id;
	int refs = atomic_fetchadd_int(&object->ref_count, -1) - 1;

	SCHED_POINT("vm.object_deref");
	KKASSERT(refs >= 0);
	trace(TR_OBJ_DEREF, id, (uint64_t)refs, 0, 0);
}

/* The next object to deallocate is held by the loop; its token is newer
 * than that of the one before, which is dropped if the loop held it. */
static void
dealloc_advance(struct dealloc_state *ds, vm_object_t next)
{
	if (ds->must_drop) {
		if (next != NULL)
			lwkt_token_swap();
		vm_object_drop(ds->object);
	}
	ds->object = next;
	ds->must_drop = true;
}

/* Drops a reference on a vnode's object, and the one on the vnode that goes
 * with it. Without any the object stays, with its pages, as a cache of the
 * file, for as long as the vnode lives. Our reference on the vnode keeps
 * both until the end, so no token is needed; and none may be held, because
 * the vnode's end takes the object's exclusively. */
static void
vndeallocate(vm_object_t object)
{
	struct vnode *vp = object->handle;

	deref(object);
	vrele(vp);
}

/* Is the object's other reference the link of its only shadow? */
static bool
only_shadow_left(vm_object_t object)
{
	return object->ref_count == 2 && object->shadow_count == 1 &&
	    object->handle == NULL && OBJT_IS_ANON(object->type);
}

/* At 2 -> 1 with a shadow left: merges the object into that shadow. Waiting
 * for paging comes before the chain lock, so that the collapse need not be
 * a quick one. */
static enum dealloc_step
collapse_upward(struct dealloc_state *ds)
{
	vm_object_t object = ds->object, upper;

	upper = LIST_FIRST(&object->shadow_head);
	KKASSERT(upper != NULL);
	vm_object_hold(upper);
	while (vm_object_pip_count(upper) != 0 ||
	    vm_object_pip_count(object) != 0) {
		vm_object_pip_wait(upper, "objde1");
		vm_object_pip_wait(object, "objde2");
	}

	/*
	 * Somebody goes down through the upper object and will want this
	 * one next: waiting for him here could be for ever.
	 */
	SCHED_POINT("vm.collapse_upward");
	if (upper->chainlk & (CHAINLK_EXCL | CHAINLK_MASK)) {
		vm_object_drop(upper);
		cnt_inc(v_upward_giveup);
		return DS_SKIP;
	}
	vm_object_chain_acquire(upper, false);

	/* Both the hold and the waits may have slept. */
	if (!only_shadow_left(object) ||
	    LIST_FIRST(&object->shadow_head) != upper) {
		vm_object_chain_release(upper);
		vm_object_drop(upper);
		return DS_AGAIN;
	}

	/*
	 * The reference goes now: with it the collapse would find two. From
	 * here on only the shadow keeps the object, so nothing may sleep
	 * until the collapse, which looks again at everything, has begun.
	 */
	deref(object);
	if (upper->handle != NULL || !OBJT_IS_ANON(upper->type)) {
		vm_object_chain_release(upper);
		vm_object_drop(upper);
		return DS_DONE;
	}

	/* An extra reference keeps the upper object from ending meanwhile;
	 * the loop's next turn gives it back, formally. */
	atomic_add_int(&upper->ref_count, 1);
	cnt_inc(v_upward);
	vm_object_collapse(upper, &ds->dlist);
	vm_object_chain_release(upper);
	dealloc_advance(ds, upper);
	return DS_AGAIN;
}

/* At 1 -> 0: unlinks the object from what it shadows, ends it, and goes on
 * with the reference that its link owned. */
static enum dealloc_step
dealloc_last(struct dealloc_state *ds)
{
	vm_object_t object = ds->object, below;

	/*
	 * A fault that gave up its map lock for I/O may still be on its way
	 * through this object.
	 */
	vm_object_chain_wait(object, false);
	below = vm_object_hold_backing(object);
	if (object->ref_count != 1 ||
	    (object->chainlk & (CHAINLK_EXCL | CHAINLK_MASK))) {
		if (below != NULL)
			vm_object_drop(below);
		return DS_AGAIN;
	}
	if (below != NULL)
		vm_object_shadow_unlink(object);
	deref(object);
	vm_object_terminate(object);
	dealloc_advance(ds, below);
	return below != NULL ? DS_AGAIN : DS_DONE;
}

/* Looks at the object once and does what its counts ask for. */
static enum dealloc_step
dealloc_one(struct dealloc_state *ds)
{
	vm_object_t object = ds->object;
	enum dealloc_step step;

	if (object->type == OBJT_VNODE) {
		/* The end of a chain: what we hold is a shared token. */
		KKASSERT(ds->must_drop);
		dealloc_advance(ds, NULL);
		vndeallocate(object);
		return DS_DONE;
	}
	ASSERT_LWKT_TOKEN_HELD_EXCL(&object->token);
	KASSERT(object->ref_count > 0,
	    ("object %u deallocated too many times", object->id));
	if (object->ref_count == 2 && object->shadow_count == 0) {
		/* The reference that stays is a mapping, and so the only
		 * one: munmap may free pages again. */
		if (OBJT_IS_ANON(object->type))
			vm_object_set_flag(object, OBJ_ONEMAPPING);
		deref(object);
		return DS_DONE;
	}
	if (only_shadow_left(object)) {
		step = collapse_upward(ds);
		if (step != DS_SKIP)
			return step;
	}
	if (object->ref_count > 1) {
		deref(object);
		return DS_DONE;
	}
	return dealloc_last(ds);
}

/* Drops a reference on an object that is not a vnode's. The caller holds it
 * exclusively and still does afterwards, though the object may have ended.
 * May sleep. */
void
vm_object_deallocate_locked(vm_object_t object)
{
	struct dealloc_state ds = {object, false, NULL};
	struct vm_object_dealloc_list *dl;

	for (;;) {
		while (ds.object != NULL && dealloc_one(&ds) == DS_AGAIN)
			;
		if (ds.must_drop && ds.object != NULL)
			vm_object_drop(ds.object);
		if ((dl = ds.dlist) == NULL)
			break;
		/* Held already, by whoever put it there. */
		ds.dlist = dl->next;
		ds.object = dl->object;
		ds.must_drop = true;
		kfree(dl, &M_TEMP);
		lwkt_gettoken(&ds.object->token);
	}
}

/* Deallocates and drops the objects on a list and empties it. */
void
vm_object_deallocate_list(struct vm_object_dealloc_list **dlistp)
{
	struct vm_object_dealloc_list *dl;

	while ((dl = *dlistp) != NULL) {
		*dlistp = dl->next;
		lwkt_gettoken(&dl->object->token);
		vm_object_deallocate_locked(dl->object);
		vm_object_drop(dl->object);
		kfree(dl, &M_TEMP);
	}
}

/* Drops a reference. Where the count cannot get near the values that mean
 * something, one atomic is enough: an object that hundreds of processes show
 * would otherwise be everybody's bottleneck at exit. */
void
vm_object_deallocate(vm_object_t object)
{
	uint32_t id;
	int refs;

	if (object == NULL)
		return;
	if (object->type == OBJT_VNODE) {
		vndeallocate(object);
		return;
	}
	id = object->id;
	refs = object->ref_count;
	while (refs > 3) {
		SCHED_POINT("vm.object_deref_try");
		if (atomic_fcmpset_int(&object->ref_count, &refs, refs - 1)) {
			trace(TR_OBJ_DEREF, id, (uint64_t)refs - 1, 0, 0);
			return;
		}
	}
	vm_object_hold(object);
	vm_object_deallocate_locked(object);
	vm_object_drop(object);
}

/* Frees every page. Pages that are wired are left to who wired them, out of
 * the object. A busy page is waited for. */
static void
terminate_pages(vm_object_t object)
{
	vm_page_t m;
	int count = 0;

	while ((m = vm_object_next_page(object, 0)) != NULL) {
		if (vm_page_busy_try(m, true)) {
			vm_page_sleep_busy(m, true, "vmotrm");
			continue;
		}
		KKASSERT(m->object == object);
		if (m->wire_count == 0) {
			vm_page_free(m);
		} else {
			vm_page_remove(m);
			vm_page_wakeup(m);
		}
		if ((++count & 63) == 0)
			lwkt_yield();
	}
}

/* Ends an object to which no references are left: waits for paging, frees
 * the pages, tells the pager. The caller holds it exclusively; the memory
 * goes with the last hold. May sleep. */
void
vm_object_terminate(vm_object_t object)
{
	ASSERT_LWKT_TOKEN_HELD_EXCL(&object->token);
	KKASSERT((object->hold_count & HOLD_DEAD) == 0);
	vm_object_set_flag(object, OBJ_DEAD);
	vm_object_pip_wait(object, "objtrm");
	KASSERT(object->ref_count == 0,
	    ("object %u ends with %d references", object->id,
		object->ref_count));
	KKASSERT(object->shadow_count == 0 && object->backing_object == NULL);
	trace(TR_OBJ_DEAD, object->id, (uint64_t)object->resident_page_count, 0,
	    0);
	if (object->type == OBJT_VNODE)
		vm_object_page_clean(object, 0, 0);
	terminate_pages(object);
	vm_pager_deallocate(object);
	if (OBJ_IS_SHM(object))
		shm_object_end(object);
	KKASSERT(object->resident_page_count == 0);

	spin_lock(&vm_object_list_spin);
	TAILQ_REMOVE(&vm_object_list, object, object_list);
	spin_unlock(&vm_object_list_spin);
	atomic_subtract_long(&vm_object_count, 1);
	SCHED_POINT("vm.object_dead");
	atomic_set_uint(&object->hold_count, HOLD_DEAD);
}
