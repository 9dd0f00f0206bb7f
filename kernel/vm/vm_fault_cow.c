/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The copy in copy-on-write: a page that was found behind the front is to
 * be written.
 *
 * Normally its contents are copied into the placeholder. But when nobody
 * else can see the object it is in, and never will, the page itself can
 * move to the front.
 */
#include <kern/trace.h>
#include <pmap/pmap.h>
#include <vm/vm_faultstate.h>

/* Can only this fault see the object that the page was found in? It must be
 * the one right behind the front, with no other shadow, reference or handle;
 * and the map must be what it was. Both tokens must be exclusive. */
static bool
virtual_copy_test(struct faultstate *fs)
{
	vm_object_t object = fs->object;

	return !fs->first_shared && !fs->shared &&
	    fs->map_generation == fs->map->timestamp &&
	    object->shadow_count == 1 && object->ref_count == 1 &&
	    object->handle == NULL && OBJT_IS_ANON(object->type) &&
	    object == fs->first_object->backing_object;
}

/* May the page move instead of being copied? That takes the map exclusively,
 * which can only be had, without waiting, if the fault has given it up for
 * reading. True: the map is locked exclusively, and counts as changed for
 * everybody else. */
static bool
virtual_copy_ok(struct faultstate *fs)
{
	if (fs->lookup_still_valid || !virtual_copy_test(fs))
		return false;
	if (lockmgr(&fs->map->lock, LK_EXCLUSIVE | LK_NOWAIT) != 0)
		return false;
	if (!virtual_copy_test(fs)) {
		vm_map_unlock(fs->map);
		return false;
	}
	fs->map_generation = ++fs->map->timestamp;
	return true;
}

/* Moves the page into the place that the placeholder has kept. Both are
 * busy, and both objects' tokens are held: nobody sees the gap. */
static void
virtual_copy(struct faultstate *fs)
{
	vm_page_remove(fs->first_m);
	SCHED_POINT("vm.cow_moved");
	vm_page_rename(fs->m, fs->first_object, fs->first_pindex);
	vm_page_free(fs->first_m);
	fs->first_m = fs->m;
	fs->m = NULL;
	vm_map_lock_downgrade(fs->map);
	fs->lookup_still_valid = true;
	cnt_inc(v_cow_optim);
}

/* Copies the page. The original is taken out of this address space: not all
 * who write to user memory do it through the page tables, and those who do
 * must not go on seeing the old page there. Others keep it mapped. */
static void
copy_page(struct faultstate *fs)
{
	KKASSERT(!fs->first_shared);
	SCHED_POINT("vm.cow_copy");
	pmap_copy_page(fs->m->phys_addr, fs->first_m->phys_addr);
	fs->first_m->valid = VM_PAGE_BITS_ALL;
	vm_page_dirty(fs->first_m); /* there is no other copy of it */
	SCHED_POINT("vm.cow_copied");
	pmap_remove_specific(fs->map->pmap, fs->m);
	trace(TR_COW, fs->object->id, fs->first_object->id, fs->first_pindex,
	    fs->first_m->phys_addr);
	vm_fault_release_page(fs);
}

/* Makes fs->m, found behind the front, a page of the front, and brings the
 * walk back there. Never fails; does not sleep but in the pmap. */
void
vm_fault_cow(struct faultstate *fs)
{
	if (virtual_copy_ok(fs))
		virtual_copy(fs);
	else
		copy_page(fs);
	cnt_inc(v_cow_faults);
	vm_fault_to_front(fs);
}
