/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The end of a reference, and of an object.
 *
 * With the last reference the object's pages go. What stands behind it in
 * some chain is no business of the object's: the backing that named it owns
 * the way down (vm_map_backing_drop).
 */
#include <fs/vnode.h>
#include <kern/kmalloc.h>
#include <kern/shm.h>
#include <kern/trace.h>
#include <vm/vm_object.h>
#include <vm/vm_pager.h>

/* Takes one off ref_count: how many are left. The token is held, or others
 * are known to be left, or it is a vnode's object. */
static int
deref(vm_object_t object)
{
	uint32_t id = object->id;
	int refs;

	SCHED_POINT("vm.object_deref");
	refs = atomic_fetchadd_int(&object->ref_count, -1) - 1;
	KASSERT(refs >= 0, ("object %u deallocated too many times", id));
	trace(TR_OBJ_DEREF, id, (uint64_t)refs, 0, 0);
	return refs;
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

/* Drops a reference. One atomic is enough unless it is the last: that one
 * goes under the token, which keeps off who finds the object by its handle
 * (vm_object_reference_alive). Nobody else can add one then (I5). */
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
	while (refs > 1) {
		SCHED_POINT("vm.object_deref_try");
		if (atomic_fcmpset_int(&object->ref_count, &refs, refs - 1)) {
			trace(TR_OBJ_DEREF, id, (uint64_t)refs - 1, 0, 0);
			return;
		}
	}
	vm_object_hold(object);
	if (deref(object) == 0)
		vm_object_terminate(object);
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
