/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Shadow objects: how copy-on-write looks before the rework.
 *
 * A copy of memory is made by putting an empty object in front of the
 * original: what the front lacks is looked for behind it. The link downward
 * (backing_object) owns a reference; there is none upward.
 *
 * OBJ_ONSHADOW in the shadow says that what it shadows is no vnode's object:
 * such a link changes under the backing object's token, while the token of a
 * much used file is taken shared at most. Until part 2 nothing but vm_check
 * reads it.
 */
#include <kern/trace.h>
#include <vm/vm_object.h>

/* Makes backing the backing object of shadow, which has none. The shadow
 * takes over a reference on it from the caller. Tokens exclusive; a vnode's
 * is not needed. */
void
vm_object_shadow_link(vm_object_t shadow, vm_object_t backing)
{
	KKASSERT(shadow->backing_object == NULL &&
	    (shadow->flags & OBJ_ONSHADOW) == 0);
	SCHED_POINT("vm.shadow_link");
	shadow->backing_object = backing;
	if (backing->type == OBJT_VNODE)
		return;
	ASSERT_LWKT_TOKEN_HELD_EXCL(&backing->token);
	/* LAB 1.3i: the shadow is on nobody's list now. */
	LIST_INSERT_HEAD(&backing->shadow_head, shadow, shadow_list);
	backing->shadow_count++;
	/* END LAB 1.3i */
	backing->generation++;
	vm_object_set_flag(shadow, OBJ_ONSHADOW);
}

/* Undoes the link. The reference on the old backing object becomes the
 * caller's. */
void
vm_object_shadow_unlink(vm_object_t shadow)
{
	vm_object_t backing = shadow->backing_object;

	KKASSERT(backing != NULL);
	if (shadow->flags & OBJ_ONSHADOW) {
		ASSERT_LWKT_TOKEN_HELD_EXCL(&backing->token);
		/* LAB 1.3j: so it need not come off one. */
		KKASSERT(backing->shadow_count > 0);
		LIST_REMOVE(shadow, shadow_list);
		backing->shadow_count--;
		/* END LAB 1.3j */
		backing->generation++;
		vm_object_clear_flag(shadow, OBJ_ONSHADOW);
	}
	SCHED_POINT("vm.shadow_unlink");
	shadow->backing_object = NULL;
}

/* Holds the backing object of an object whose token the caller has: a
 * vnode shared, anything else exclusively. Taking the second token may give
 * up the first, so the link is looked at again. NULL: there is none. */
vm_object_t
vm_object_hold_backing(vm_object_t object)
{
	vm_object_t backing;

	while ((backing = object->backing_object) != NULL) {
		if (backing->type == OBJT_VNODE)
			vm_object_hold_shared(backing);
		else
			vm_object_hold(backing);
		if (backing == object->backing_object)
			break;
		vm_object_drop(backing);
	}
	return backing;
}

/* Whether a write needs no copy of this object at all: the one reference is
 * the caller's, so nobody else can see its pages. */
static bool
shadow_unneeded(vm_object_t source)
{
	return source->ref_count == 1 && source->handle == NULL &&
	    OBJT_IS_ANON(source->type);
}

/* Takes a temporary reference on the source, so that nobody believes that
 * it can be collapsed while we sleep for memory. True, and no reference,
 * when the source can be written to as it is. Leaves an anonymous source
 * held. */
static bool
shadow_prepare(vm_object_t source, bool addref)
{
	if (source->type == OBJT_VNODE) {
		vm_object_reference_quick(source);
		return false;
	}
	vm_object_hold(source);
	vm_object_chain_wait(source, false);
	if (shadow_unneeded(source)) {
		/* LAB 1.5: the one reference is this entry's. What
		 * follows for munmap? See OBJ_ONEMAPPING, and who clears it. */
		if (addref) {
			vm_object_reference_locked(source);
			vm_object_clear_flag(source, OBJ_ONEMAPPING);
		}
		/* END LAB 1.5 */
		vm_object_drop(source);
		return true;
	}
	vm_object_reference_locked(source);
	return false;
}

/* Puts a new object of size pages in front of *objectp and replaces the
 * caller's pointer and offset by it. The caller's reference on the source
 * becomes the new object's link. With addref the new object gets a second
 * reference before anyone can see it: added later, a collapse could come in
 * between and take the single one for the whole truth. Exclusive map; may
 * sleep. */
void
vm_object_shadow(
    vm_object_t *objectp, vm_ooffset_t *offset, vm_pindex_t size, bool addref)
{
	vm_object_t source = *objectp, result;

	KKASSERT(source != NULL);
	if (shadow_prepare(source, addref))
		return;
	vm_object_clear_flag(source, OBJ_ONEMAPPING);

	SCHED_POINT("vm.shadow_new");
	result = vm_object_allocate(OBJT_DEFAULT, size);
	vm_object_hold(result);
	if (addref) {
		vm_object_reference_locked(result);
		vm_object_clear_flag(result, OBJ_ONEMAPPING);
	}
	if (source->type != OBJT_VNODE) {
		/* The source's token is older than the result's, and the
		 * wait may lose both; nobody else knows the result. */
		vm_object_chain_wait(source, false);
	}
	vm_object_shadow_link(result, source);
	result->backing_object_offset = *offset;
	cnt_inc(v_shadow);
	trace(TR_SHADOW, source->id, result->id, size, 0);
	vm_object_drop(result);

	/* The temporary reference goes; the caller's stays, as the link. */
	if (source->type != OBJT_VNODE) {
		vm_object_deallocate_locked(source);
		vm_object_drop(source);
	} else {
		vm_object_deallocate(source);
	}
	*offset = 0;
	*objectp = result;
}
