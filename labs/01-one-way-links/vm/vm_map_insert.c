/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * New ranges.
 */
#include <kern/trace.h>
#include <vm/vm_map.h>

/* The eflags that the cow argument asks for. */
static vm_eflags_t
insert_eflags(int cow)
{
	vm_eflags_t eflags = 0;

	if (cow & MAP_COPY_ON_WRITE)
		eflags |= MAP_ENTRY_COW | MAP_ENTRY_NEEDS_COPY;
	if (cow & MAP_NOFAULT_ARG)
		eflags |= MAP_ENTRY_NOFAULT;
	if (cow & MAP_IS_STACK)
		eflags |= MAP_ENTRY_STACK;
	return eflags;
}

/*
 * Whether new anonymous memory start..end may become part of prev's object:
 * it follows prev, is of the same kind, and the object, if there is one, can
 * be made longer (then it has been). Exclusive lock; may sleep.
 */
static bool
insert_coalesce(vm_map_entry_t prev, vm_offset_t start, vm_offset_t end,
    vm_maptype_t maptype, int id, vm_eflags_t eflags)
{
	if (prev == NULL || prev->end != start || prev->eflags != eflags ||
	    (eflags & MAP_ENTRY_STACK) || prev->wired_count != 0 ||
	    prev->id != id || prev->maptype != maptype ||
	    maptype != VM_MAPTYPE_NORMAL ||
	    prev->inheritance != VM_INHERIT_COPY)
		return false;
	return prev->object.vm_object == NULL ||
	    vm_object_coalesce(prev->object.vm_object, OFF_TO_IDX(prev->offset),
		prev->end - prev->start, end - start);
}

/* The references that coalescing and clipping make. The object is one that
 * an entry of a locked map names. May sleep. */
static void
insert_reference(vm_object_t object)
{
	vm_object_hold(object);
	vm_object_chain_wait(object, false);
	vm_object_reference_locked(object);
	vm_object_drop(object);
}

/*
 * An object that comes with a reference may have other users; then its pages
 * are no longer the business of one entry each. Only anonymous objects have
 * the flag.
 */
static void
insert_onemapping(vm_object_t object)
{
	vm_object_hold_shared(object);
	/* LAB 1.3k: a shadow owns a reference. */
	if (OBJT_IS_ANON(object->type) &&
	    (object->ref_count > 1 || object->shadow_count != 0))
		vm_object_clear_flag(object, OBJ_ONEMAPPING);
	/* END LAB 1.3k */
	vm_object_drop(object);
}

/*
 * Maps start..end to object from byte offset on, or, with a NULL object, to
 * new anonymous memory. That is made by lengthening the entry before, if it
 * is alike; or else its object, if possible: neighbours in one object cost
 * less and can become one entry later.
 *
 * On success the caller's reference on object belongs to the map.
 * KERN_INVALID_ADDRESS: out of the map's bounds; KERN_NO_SPACE: something is
 * mapped there, or the map has too many entries. Exclusive lock; may sleep.
 */
int
vm_map_insert(vm_map_t map, vm_object_t object, vm_ooffset_t offset,
    vm_offset_t start, vm_offset_t end, vm_maptype_t maptype, int id,
    vm_prot_t prot, vm_prot_t max, int cow)
{
	vm_map_entry_t entry, prev, next;
	vm_eflags_t eflags = insert_eflags(cow);

	KKASSERT(lockheld_excl(&map->lock));
	KKASSERT(
	    (cow & (MAP_IS_SHARED | MAP_COPY_ON_WRITE)) == 0 || object != NULL);
	if (start < map->min_addr || end > map->max_addr || start >= end)
		return KERN_INVALID_ADDRESS;
	if (vm_map_lookup_entry(map, start, &prev))
		return KERN_NO_SPACE;
	next = prev == NULL ? vm_map_first(map) : vm_map_next(prev);
	if (next != NULL && next->start < end)
		return KERN_NO_SPACE;
	if (map->nentries >= VM_MAX_MAP_COUNT)
		return KERN_NO_SPACE;

	trace(TR_MAP, (uintptr_t)map, start, end, prot);
	entry = vm_map_entry_create();
	lwkt_gettoken(&map->token);
	if (object != NULL) {
		insert_onemapping(object);
	} else if (insert_coalesce(prev, start, end, maptype, id, eflags)) {
		if (prev->protection == prot && prev->max_protection == max) {
			map->size += end - start;
			prev->end = end;
			vm_map_simplify_entry(map, prev);
			lwkt_reltoken(&map->token);
			vm_map_entry_dispose(entry);
			return KERN_SUCCESS;
		}
		object = prev->object.vm_object;
		offset = prev->offset + (prev->end - prev->start);
		if (object != NULL)
			insert_reference(object);
	}

	entry->start = start;
	entry->end = end;
	entry->id = id;
	entry->maptype = maptype;
	entry->eflags = eflags;
	entry->object.vm_object = object;
	entry->offset = object == NULL ? 0 : offset;
	entry->inheritance =
	    (cow & MAP_IS_SHARED) ? VM_INHERIT_SHARE : VM_INHERIT_COPY;
	entry->protection = prot;
	entry->max_protection = max;
	vm_map_entry_link(map, entry);
	map->size += end - start;

	if ((cow & (MAP_PREFAULT | MAP_PREFAULT_PARTIAL)) && object != NULL &&
	    maptype == VM_MAPTYPE_NORMAL)
		pmap_object_init_pt(map->pmap, start, prot, object,
		    OFF_TO_IDX(offset), end - start,
		    cow & MAP_PREFAULT_PARTIAL);
	lwkt_reltoken(&map->token);
	return KERN_SUCCESS;
}

/*
 * Maps start..end the way entry is mapped, with what would be found distance
 * bytes from its start; but fresh: private pages are not carried over, a
 * private mapping of a file begins again with the file's own. What mremap
 * lengthens a mapping with. If entry is locked by its user the new one is
 * marked so, for a vm_map_rewire. Exclusive lock; may sleep; KERN_*.
 */
int
vm_map_insert_like(vm_map_t map, vm_map_entry_t entry, int64_t distance,
    vm_offset_t start, vm_offset_t end)
{
	vm_eflags_t advice =
	    entry->eflags & (MAP_ENTRY_ADVICE | MAP_ENTRY_USER_WIRED);
	vm_object_t object;
	vm_ooffset_t offset = 0;
	vm_map_entry_t new;
	vm_size_t room; /* to grow, of a stack */
	int cow = 0, rv;

	if (entry->inheritance == VM_INHERIT_SHARE) {
		if (entry->object.vm_object == NULL)
			vm_map_entry_allocate_object(entry);
		object = entry->object.vm_object;
		offset = entry->offset;
		if (OBJT_IS_ANON(object->type))
			insert_reference(object);
		else
			vm_object_reference_quick(object);
		cow = MAP_IS_SHARED;
	} else {
		object = vm_map_entry_file(entry, &offset);
		if (object != NULL) {
			vm_object_reference_quick(object);
			vm_object_drop(object);
			cow = MAP_COPY_ON_WRITE;
		}
	}
	if (entry->eflags & MAP_ENTRY_STACK)
		cow |= MAP_IS_STACK;
	room = MIN(entry->aux.avail_ssize + distance, start - map->min_addr);
	rv = vm_map_insert(map, object, offset + distance, start, end,
	    entry->maptype, entry->id, entry->protection, entry->max_protection,
	    cow);
	if (rv != KERN_SUCCESS) {
		vm_object_deallocate(object);
		return rv;
	}
	/*
	 * An entry that was merely lengthened is no stack and has no advice:
	 * such an entry would have got a new one beside it.
	 */
	if ((advice != 0 || (cow & MAP_IS_STACK)) &&
	    vm_map_lookup_entry(map, start, &new)) {
		if (cow & MAP_IS_STACK)
			new->aux.avail_ssize = room;
		vm_map_clip_start(map, new, start);
		new->eflags |= advice;
		vm_map_simplify_entry(map, new);
	}
	return KERN_SUCCESS;
}
