/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Map backings: making them, sharing them, ending them.
 *
 * Nothing here locks a backing. A head is guarded by its map's lock; a node
 * does not change from the moment that somebody can see it; and a reference
 * is added only by one who owns one already, so that it cannot be on its way
 * to 0 at the same time.
 */
#include <kern/kmalloc.h>
#include <kern/trace.h>
#include <vm/vm_map.h>

static MALLOC_DEFINE(M_MAP_BACKING, "map_backing");

/* How many pages the object of this entry has to have. */
static vm_pindex_t
entry_object_size(vm_map_entry_t entry)
{
	if (entry->maptype == VM_MAPTYPE_VPAGETABLE)
		return VPT_OBJECT_SIZE;
	return OFF_TO_IDX(entry->end - entry->start);
}

/*
 * Gives an entry that has no object a new, empty one. However large the
 * entry, it gets a single object: nothing here cuts ranges into partitions.
 * Exclusive lock; may sleep.
 */
void
vm_map_entry_allocate_object(vm_map_entry_t entry)
{
	KKASSERT(entry->ba.backing_ba == NULL);
	entry->ba.object =
	    vm_object_allocate(OBJT_DEFAULT, entry_object_size(entry));
	entry->ba.offset = 0;
}

/*
 * Whether a write needs no copy of the head's object at all: the one
 * reference is this entry's, so nobody else can see its pages. Only of the
 * head can that be said (I7). Nobody adds a reference meanwhile, since all
 * who could need this map's lock.
 */
static bool
shadow_unneeded(vm_object_t source)
{
	return source->ref_count == 1 && source->handle == NULL &&
	    OBJT_IS_ANON(source->type);
}

/*
 * Puts a new object in front of the entry's, in whose place the head goes
 * on as a node. The node takes over both references that the head had. With
 * addref the new object gets a second one before anyone can see it.
 */
static void
shadow_push(vm_map_entry_t entry, bool addref)
{
	/* LAB 2.2a: what does the node take over, and what is new? */
	struct vm_map_backing *ba;
	vm_object_t source = entry->ba.object, result;

	if (OBJT_IS_ANON(source->type))
		vm_object_clear_flag(source, OBJ_ONEMAPPING);
	ba = kmalloc(sizeof(*ba), &M_MAP_BACKING, M_WAITOK);
	result = vm_object_allocate(OBJT_DEFAULT, entry_object_size(entry));
	if (addref) {
		vm_object_reference_quick(result);
		vm_object_clear_flag(result, OBJ_ONEMAPPING);
	}
	*ba = entry->ba;
	ba->refs = 1;
	ba->flags = 0;
	SCHED_POINT("vm.backing_shadow");
	entry->ba.backing_ba = ba;
	entry->ba.object = result;
	entry->ba.offset = 0;
	cnt_inc(v_shadow);
	trace(TR_SHADOW, source->id, result->id, result->size, 0);
	/* END LAB 2.2a */
}

/*
 * Gives a NEEDS_COPY entry an object that it may write into: a new one in
 * front of the one it has, or the one it has when nobody else uses it. That
 * one is then mapped once again, and munmap may free parts of it.
 */
void
vm_map_entry_shadow(vm_map_entry_t entry, bool addref)
{
	vm_object_t source = entry->ba.object;

	KKASSERT(source != NULL);
	if (!shadow_unneeded(source)) {
		shadow_push(entry, addref);
	} else if (addref) {
		vm_object_reference_quick(source);
		vm_object_clear_flag(source, OBJ_ONEMAPPING);
	} else {
		vm_object_set_flag(source, OBJ_ONEMAPPING);
	}
	entry->eflags &= ~MAP_ENTRY_NEEDS_COPY;
}

/*
 * What a copy of a head owns. The original owns the like, and its map is
 * locked exclusively, so nothing of it can end meanwhile (I5).
 */
void
vm_map_backing_ref(struct vm_map_backing *ba)
{
	/* LAB 2.2b: what does a copy of a head own? */
	if (ba->backing_ba != NULL)
		atomic_add_long(&ba->backing_ba->refs, 1);
	SCHED_POINT("vm.backing_ref");
	if (ba->object != NULL)
		vm_object_reference_quick(ba->object);
	/* END LAB 2.2b */
}

/*
 * A loop, because chains get long. Who takes refs to 0 is alone with the
 * node: nobody points at it any more, so nobody can come upon it.
 */
void
vm_map_backing_drop(struct vm_map_backing *ba)
{
	/* LAB 2.2c: how far down does the end of a reference reach? */
	struct vm_map_backing *next;

	while (ba != NULL) {
		SCHED_POINT("vm.backing_drop");
		if (atomic_fetchadd_long(&ba->refs, -1) != 1)
			break;
		next = ba->backing_ba;
		vm_object_deallocate(ba->object);
		kfree(ba, &M_MAP_BACKING);
		ba = next;
	}
	/* END LAB 2.2c */
}

/*
 * The map's lock keeps the chain, so that only the tail's token is needed,
 * and only because its type is asked for.
 */
vm_object_t
vm_map_entry_file(vm_map_entry_t entry, vm_ooffset_t *offp)
{
	/* LAB 2.1a: to the tail by pointers; whose token is needed? */
	struct vm_map_backing *ba = &entry->ba;
	vm_ooffset_t off = ba->offset;

	if (entry->maptype == VM_MAPTYPE_SUBMAP || ba->object == NULL)
		return NULL;
	while (ba->backing_ba != NULL) {
		ba = ba->backing_ba;
		off += ba->offset;
	}
	vm_object_hold_shared(ba->object);
	if (OBJT_IS_ANON(ba->object->type)) {
		vm_object_drop(ba->object);
		return NULL;
	}
	*offp = off;
	return ba->object;
	/* END LAB 2.1a */
}
