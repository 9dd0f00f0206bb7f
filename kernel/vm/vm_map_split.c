/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Splitting an object at fork.
 *
 * Clipping leaves several entries with one object, each showing another
 * part of it. After a fork such an object would be shadowed as a whole by
 * each entry, and kept as a whole by any one of them. So before an entry is
 * copied it gets an object of its own, into which its pages move.
 */
#include <kern/trace.h>
#include <vm/swap_pager.h>
#include <vm/vm_map.h>

/* An object whose pages each appear in one entry only, and that more than
 * one entry (or something else) refers to. */
static bool
splittable(vm_object_t object)
{
	return object->ref_count > 1 && OBJT_IS_ANON(object->type) &&
	    (object->flags & (OBJ_NOSPLIT | OBJ_ONEMAPPING)) == OBJ_ONEMAPPING;
}

/* Gives the new object what the old one shadows. Both are chain-locked, and
 * so is the backing object while a link is added to it. */
static void
split_backing(vm_object_t oobject, vm_object_t nobject, vm_pindex_t start)
{
	vm_object_t backing = vm_object_hold_backing(oobject);

	if (backing == NULL)
		return;
	if (backing->type == OBJT_VNODE) {
		vm_object_reference_quick(backing);
	} else {
		vm_object_chain_wait(backing, false);
		vm_object_reference_locked(backing);
		vm_object_clear_flag(backing, OBJ_ONEMAPPING);
	}
	vm_object_shadow_link(nobject, backing);
	nobject->backing_object_offset =
	    oobject->backing_object_offset + IDX_TO_OFF(start);
	vm_object_drop(backing);
}

/* Moves the pages start .. start + size - 1 to index 0 and on of the new
 * object. They stay busy: until all are there nobody shall find one. Waits
 * for pages that are busy. */
static uint64_t
split_pages(vm_object_t oobject, vm_object_t nobject, vm_pindex_t start,
    vm_pindex_t size)
{
	vm_pindex_t pindex = start;
	uint64_t moved = 0;
	vm_page_t m;

	while ((m = vm_object_next_page(oobject, pindex)) != NULL &&
	    m->pindex < start + size) {
		pindex = m->pindex;
		if (vm_page_busy_try(m, true)) {
			vm_page_sleep_busy(m, true, "vmpg");
			continue;
		}
		KKASSERT(m->object == oobject);
		/* Mappings do not change: same page, same address. */
		vm_page_rename(m, nobject, pindex - start);
		pindex++;
		moved++;
	}
	for (m = vm_object_next_page(nobject, 0); m != NULL;
	     m = vm_object_next_page(nobject, m->pindex + 1))
		vm_page_wakeup(m);
	return moved;
}

/* Prepares an entry's object for being shared by a fork: on return
 * entry->object has one reference more, for the copy of the entry, and may be
 * another object. The reference is added here because added later a collapse
 * could come in between. The map is locked exclusively; the caller holds
 * oobject, the entry's, exclusively and, if it is anonymous, has it
 * chain-locked exclusively; it keeps both. May sleep. */
void
vm_map_split(vm_map_entry_t entry, vm_object_t oobject)
{
	vm_pindex_t start, size;
	vm_object_t nobject;
	uint64_t moved;

	if (!OBJT_IS_ANON(oobject->type)) {
		vm_object_reference_quick(oobject);
		vm_object_clear_flag(oobject, OBJ_ONEMAPPING);
		return;
	}

	/* Each fork is a chance to shorten the chain. */
	vm_object_collapse(oobject, NULL);
	if (!splittable(oobject)) {
		vm_object_reference_locked_chain_held(oobject);
		vm_object_clear_flag(oobject, OBJ_ONEMAPPING);
		return;
	}

	/* Linear: a virtual page table, and the pages it names, may lie
	 * elsewhere in the object, and stay there. So it is until part 6. */
	start = OFF_TO_IDX(entry->offset);
	size = OFF_TO_IDX(entry->end - entry->start);
	nobject = vm_object_allocate(OBJT_DEFAULT, size);
	vm_object_hold(nobject);
	vm_object_reference_locked(nobject);
	vm_object_chain_acquire(nobject, false);
	split_backing(oobject, nobject, start);
	moved = split_pages(oobject, nobject, start, size);
	if (oobject->type == OBJT_SWAP)
		swap_pager_copy(oobject, nobject, start, false);

	/* Two entries will show the new object's pages. The old one keeps
	 * its flag: what is left in it is still seen once. */
	vm_object_clear_flag(nobject, OBJ_ONEMAPPING);
	entry->object.vm_object = nobject;
	entry->offset = 0;
	cnt_inc(v_split);
	trace(TR_SPLIT, oobject->id, nobject->id, moved, 0);

	vm_object_chain_release(nobject);
	vm_object_drop(nobject);
	vm_object_deallocate_locked(oobject);
}
