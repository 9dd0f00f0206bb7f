/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From an address to an object: what a fault asks the map first.
 *
 * Objects come late. An anonymous entry has none until it is touched, clipped
 * or forked; a copied one shares its object with the other copies until it
 * is written to. The lookup makes both good, for which it needs the lock
 * exclusively for a moment.
 */
#include <vm/vm_map.h>

/* How many pages the object of this entry has to have. */
static vm_pindex_t
entry_object_size(vm_map_entry_t entry)
{
	if (entry->maptype == VM_MAPTYPE_VPAGETABLE)
		return VPT_OBJECT_SIZE;
	return OFF_TO_IDX(entry->end - entry->start);
}

/*
 * Gives a NEEDS_COPY entry an object that it may write into: a new one on top
 * of the one it has, or the one it has when nobody else uses it. addref asks
 * for a second reference, made before anybody could take the object for a
 * private one. Exclusive lock; may sleep.
 */
void
vm_map_entry_shadow(vm_map_entry_t entry, bool addref)
{
	vm_object_shadow(&entry->object.vm_object, &entry->offset,
	    entry_object_size(entry), addref);
	entry->eflags &= ~MAP_ENTRY_NEEDS_COPY;
}

/*
 * Gives an entry that has no object a new, empty one. However large the
 * entry, it gets a single object: nothing here cuts ranges into partitions.
 * Exclusive lock; may sleep.
 */
void
vm_map_entry_allocate_object(vm_map_entry_t entry)
{
	entry->object.vm_object =
	    vm_object_allocate(OBJT_DEFAULT, entry_object_size(entry));
	entry->offset = 0;
}

/*
 * The bottom of an entry's chain, when that is a file or a device; held
 * shared. *offp is the byte offset into it of the entry's start. NULL for
 * anonymous memory. The map is locked, so the entry keeps its object.
 */
vm_object_t
vm_map_entry_file(vm_map_entry_t entry, vm_ooffset_t *offp)
{
	vm_object_t object, backing;
	vm_ooffset_t off = entry->offset;

	if (entry->maptype == VM_MAPTYPE_SUBMAP ||
	    (object = entry->object.vm_object) == NULL)
		return NULL;
	vm_object_hold_shared(object);
	while ((backing = object->backing_object) != NULL) {
		/*
		 * Waiting for the lower token gives up the upper one, so the
		 * link may be another afterwards.
		 */
		vm_object_hold_shared(backing);
		if (backing != object->backing_object) {
			vm_object_drop(backing);
			continue;
		}
		off += object->backing_object_offset;
		lwkt_token_swap();
		vm_object_drop(object);
		object = backing;
	}
	if (object->type == OBJT_DEFAULT || object->type == OBJT_SWAP) {
		vm_object_drop(object);
		return NULL;
	}
	*offp = off;
	return object;
}

/* Whether an access of fault_type is right for the entry, and with which
 * rights the page may then be mapped. KERN_*. */
static int
lookup_rights(
    vm_map_entry_t entry, vm_prot_t *fault_type, vm_prot_t *prot, bool *wired)
{
	if (*fault_type & VM_PROT_OVERRIDE_WRITE)
		*prot = VM_PROT_HW(entry->max_protection);
	else
		*prot = VM_PROT_HW(entry->protection);
	*fault_type &= VM_PROT_ALL;
	if ((*fault_type & *prot) != *fault_type)
		return KERN_PROTECTION_FAILURE;

	/* What is wired must never fault again, so take all it may need. */
	*wired = entry->wired_count != 0;
	if (*wired) {
		*prot = VM_PROT_HW(entry->protection);
		*fault_type = *prot;
	}

	/* A virtual page table has accessed bits to be written. */
	if (entry->maptype == VM_MAPTYPE_VPAGETABLE && (*prot & VM_PROT_WRITE))
		*fault_type |= VM_PROT_WRITE;
	return KERN_SUCCESS;
}

/*
 * Finds what is behind va, for an access of fault_type: the entry, its
 * object (made now, or shadowed now, if that is what the access takes), the
 * page's index in it, the rights to map it with, and whether it is wired.
 * A read of a NEEDS_COPY entry gets the object as it is and no right to write.
 *
 * KERN_SUCCESS: the map, which *var_map names (a submap perhaps), is locked
 * shared until vm_map_lookup_done. KERN_INVALID_ADDRESS: nothing is mapped;
 * KERN_PROTECTION_FAILURE: not for this access; the map is not locked.
 * No lock held on entry; may sleep.
 */
int
vm_map_lookup(vm_map_t *var_map, vm_offset_t va, vm_prot_t fault_type,
    vm_map_entry_t *out_entry, vm_object_t *object, vm_pindex_t *pindex,
    vm_prot_t *out_prot, bool *wired)
{
	vm_map_t map = *var_map;
	vm_map_entry_t entry;
	vm_prot_t want, prot;
	bool use_read_lock = true;
	int rv;

again:
	if (use_read_lock)
		vm_map_lock_read(map);
	else
		vm_map_lock(map);

	if (!vm_map_lookup_entry(map, va, &entry)) {
		rv = KERN_INVALID_ADDRESS;
		goto failed;
	}
	if (entry->maptype == VM_MAPTYPE_SUBMAP) {
		*var_map = entry->object.sub_map;
		vm_map_unlock_read(map);
		map = *var_map;
		use_read_lock = true;
		goto again;
	}
	want = fault_type;
	rv = lookup_rights(entry, &want, &prot, wired);
	if (rv != KERN_SUCCESS)
		goto failed;

	if (entry->eflags & MAP_ENTRY_NEEDS_COPY) {
		if (want & VM_PROT_WRITE) {
			if (use_read_lock && vm_map_lock_upgrade(map) != 0) {
				use_read_lock = false;
				goto again;
			}
			use_read_lock = false;
			vm_map_entry_shadow(entry, false);
		} else {
			prot &= ~VM_PROT_WRITE;
		}
	}
	if (entry->object.vm_object == NULL && !map->system_map) {
		if (use_read_lock && vm_map_lock_upgrade(map) != 0) {
			use_read_lock = false;
			goto again;
		}
		use_read_lock = false;
		vm_map_entry_allocate_object(entry);
	}

	*out_entry = entry;
	*object = entry->object.vm_object;
	*pindex = OFF_TO_IDX(va - entry->start + entry->offset);
	*out_prot = prot;
	if (!use_read_lock)
		vm_map_lock_downgrade(map);
	return KERN_SUCCESS;

failed:
	vm_map_unlock(map);
	return rv;
}

/* Ends what a successful vm_map_lookup began. */
void
vm_map_lookup_done(vm_map_t map, vm_map_entry_t entry)
{
	(void)entry;
	vm_map_unlock_read(map);
}
