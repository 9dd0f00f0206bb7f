/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * VM objects: making them, references, holds, paging in progress.
 *
 * Two counts keep an object. ref_count counts those who name it (map
 * entries, the objects that shadow it, handles): at 0 its pages go.
 * hold_count counts those who look at it right now: at 0 its memory goes,
 * if the object has ended by then.
 */
#include <fs/vnode.h>
#include <kern/kmalloc.h>
#include <kern/trace.h>
#include <vm/vm_object.h>

MALLOC_DEFINE(M_VM_OBJECT, "vm_object");

struct spinlock vm_object_list_spin = SPINLOCK_INITIALIZER("vm_object_list");
struct object_q vm_object_list = TAILQ_HEAD_INITIALIZER(vm_object_list);
int64_t vm_object_count;

static uint32_t vm_object_lastid; /* (A) */

/* A step between the colours of one object's first page and the next's, so
 * that small objects do not all live in the same few queues. Prime. */
#define OBJ_COLOR_STEP 23

/* Nothing to be made at boot but the list, which is static; called so that
 * the order of boot stays visible. */
void
vm_object_init(void)
{
	KKASSERT(TAILQ_EMPTY(&vm_object_list));
}

/* Makes an object of size pages with one reference, the caller's. It is on
 * the list of objects but nobody else can know it. Sleeps for memory. */
vm_object_t
vm_object_allocate(objtype_t type, vm_pindex_t size)
{
	struct globaldata *gd = mycpu;
	vm_object_t object;

	object = kmalloc(sizeof(*object), &M_VM_OBJECT, M_WAITOK | M_ZERO);
	lwkt_token_init(&object->token, "vmobj");
	/* LAB 1.3d: nothing to prepare any more. */
	LIST_INIT(&object->shadow_head);
	/* END LAB 1.3d */
	RB_INIT(&object->rb_memq);
	object->gap_end = VM_PINDEX_MAX;
	RB_INIT(&object->swblock_root);
	object->id = atomic_fetchadd_uint(&vm_object_lastid, 1) + 1;
	object->type = type;
	object->size = size;
	object->ref_count = 1;
	if (OBJT_IS_ANON(type))
		object->flags = OBJ_ONEMAPPING;
	object->pg_color = gd->gd_quick_color;
	gd->gd_quick_color += OBJ_COLOR_STEP;

	spin_lock(&vm_object_list_spin);
	TAILQ_INSERT_TAIL(&vm_object_list, object, object_list);
	spin_unlock(&vm_object_list_spin);
	atomic_add_long(&vm_object_count, 1);
	trace(TR_OBJ_NEW, object->id, type, size, 0);
	return object;
}

/* One reference more, and with it one on the vnode behind, if any. */
static void
vm_object_addref(vm_object_t object)
{
	int refs = atomic_fetchadd_int(&object->ref_count, 1) + 1;

	SCHED_POINT("vm.object_ref");
	if (object->type == OBJT_VNODE)
		vref(object->handle);
	trace(TR_OBJ_REF, object->id, (uint64_t)refs, 0, 0);
}

/* A reference on an object that has no chain below it: no collapse can be
 * misled, so no token is needed. The caller owns a reference already. */
void
vm_object_reference_quick(vm_object_t object)
{
	KASSERT(!OBJT_IS_ANON(object->type),
	    ("vm_object_reference_quick: object %u is anonymous", object->id));
	vm_object_addref(object);
}

/* A reference on any object. The token is held, and the caller has just
 * made sure by vm_object_chain_wait that nobody chain-locks it: the delicate
 * tests of collapse and deallocation look at ref_count under that lock. */
void
vm_object_reference_locked(vm_object_t object)
{
	ASSERT_LWKT_TOKEN_HELD(&object->token);
	KASSERT((object->chainlk & (CHAINLK_EXCL | CHAINLK_MASK)) == 0,
	    ("vm_object_reference_locked: object %u is chain-locked (%#x)",
		object->id, object->chainlk));
	vm_object_addref(object);
}

/* A reference on an object that the caller knows by its handle only, unless
 * it is about to end. The token is held exclusively, and lost while asleep. */
bool
vm_object_reference_alive(vm_object_t object)
{
	ASSERT_LWKT_TOKEN_HELD_EXCL(&object->token);
	vm_object_chain_wait(object, false);
	if ((object->flags & OBJ_DEAD) || object->ref_count == 0)
		return false;
	vm_object_reference_locked(object);
	return true;
}

/* A reference by the very thread that chain-locks the object. */
void
vm_object_reference_locked_chain_held(vm_object_t object)
{
	ASSERT_LWKT_TOKEN_HELD(&object->token);
	vm_object_addref(object);
}

/* Keeps the memory of an object that some reference, or the token of the
 * object it was found in, keeps at this moment. */
void
vm_object_hold_nolock(vm_object_t object)
{
	atomic_add_uint(&object->hold_count, 1);
}

/* Ends a hold. The holder that finds itself the last of an ended object
 * frees it; in any other case the object may not be touched any more, as
 * somebody else may just be doing that. */
static inline void
drop_hold(vm_object_t object)
{
	uint32_t was;

	SCHED_POINT("vm.object_drop");
	was = atomic_fetchadd_uint(&object->hold_count, (uint32_t)-1);
	KKASSERT((was & ~HOLD_DEAD) != 0);
	if (unlikely(was == (HOLD_DEAD | 1))) {
		lwkt_token_uninit(&object->token);
		kfree(object, &M_VM_OBJECT);
	}
}

/* One hold, which came without the token, less. */
void
vm_object_drop_nolock(vm_object_t object)
{
	drop_hold(object);
}

/* Holds the object with its token, exclusively. The count comes first: the
 * token may have to be waited for. */
void
vm_object_hold(vm_object_t object)
{
	vm_object_hold_nolock(object);
	SCHED_POINT("vm.object_hold");
	lwkt_gettoken(&object->token);
}

/* Holds the object with its token, shared. */
void
vm_object_hold_shared(vm_object_t object)
{
	vm_object_hold_nolock(object);
	SCHED_POINT("vm.object_hold_shared");
	lwkt_gettoken_shared(&object->token);
}

/* Holds the object exclusively if that needs no waiting. */
bool
vm_object_hold_try(vm_object_t object)
{
	vm_object_hold_nolock(object);
	SCHED_POINT("vm.object_hold_try");
	if (lwkt_trytoken(&object->token))
		return true;
	vm_object_drop_nolock(object);
	return false;
}

/* Gives the token back, which must be the newest, and then the hold: in
 * this order, because without the hold the token may be gone. */
void
vm_object_drop(vm_object_t object)
{
	lwkt_reltoken(&object->token);
	drop_hold(object);
}

/* From a shared hold to an exclusive one. Not atomic: look again at
 * whatever the token guards. */
void
vm_object_upgrade(vm_object_t object)
{
	lwkt_reltoken(&object->token);
	SCHED_POINT("vm.object_upgrade");
	lwkt_gettoken(&object->token);
}

/* Paging is in progress: until the matching vm_object_pip_wakeup the object
 * is not collapsed away and does not end. */
void
vm_object_pip_add(vm_object_t object, uint32_t n)
{
	SCHED_POINT("vm.pip_add");
	atomic_add_uint(&object->paging_in_progress, n);
	cnt_inc(v_pip);
}

/* One activity less. The count and the sleepers' bit are one word, and the
 * step to 0 clears both at once: after it the object may be gone. */
void
vm_object_pip_wakeup(vm_object_t object)
{
	uint32_t pip = atomic_load_uint(&object->paging_in_progress), npip;

	SCHED_POINT("vm.pip_wakeup");
	do {
		KKASSERT((pip & ~PIP_WAITING) != 0);
		npip = pip == (PIP_WAITING | 1) ? 0 : pip - 1;
	} while (!atomic_fcmpset_uint(&object->paging_in_progress, &pip, npip));
	cnt_inc(v_pip);
	SCHED_POINT("vm.pip_ended");
	if (pip == (PIP_WAITING | 1))
		wakeup(&object->paging_in_progress);
}

/* Sleeps until no paging is in progress. The object's token is held, and
 * lost while asleep; the object is held. */
void
vm_object_pip_wait(vm_object_t object, const char *wmesg)
{
	uint32_t pip;

	ASSERT_LWKT_TOKEN_HELD(&object->token);
	while (vm_object_pip_count(object) != 0) {
		tsleep_interlock(&object->paging_in_progress, 0);
		SCHED_POINT("vm.pip_armed");
		pip = atomic_load_uint(&object->paging_in_progress);
		SCHED_POINT("vm.pip_looked");
		if ((pip & ~PIP_WAITING) != 0 &&
		    atomic_cmpset_uint(
			&object->paging_in_progress, pip, pip | PIP_WAITING))
			tsleep(&object->paging_in_progress, PINTERLOCKED, wmesg,
			    0);
		else
			tsleep_remove(curthread);
	}
}

/* Sets OBJ_* flags. */
void
vm_object_set_flag(vm_object_t object, uint16_t flags)
{
	atomic_set_ushort(&object->flags, flags);
}

/* Clears OBJ_* flags. */
void
vm_object_clear_flag(vm_object_t object, uint16_t flags)
{
	atomic_clear_ushort(&object->flags, flags);
}

/* Notes that pages of the object may become dirty through mappings. Looks
 * first: this is on the path of every write fault, and the word is shared
 * by all who fault on the object. */
void
vm_object_set_writeable_dirty(vm_object_t object)
{
	const uint16_t both = OBJ_WRITEABLE | OBJ_MIGHTBEDIRTY;

	if ((object->flags & both) != both)
		vm_object_set_flag(object, both);
}
