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
		*var_map = entry->ba.sub_map;
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
	if (entry->ba.object == NULL && !map->system_map) {
		if (use_read_lock && vm_map_lock_upgrade(map) != 0) {
			use_read_lock = false;
			goto again;
		}
		use_read_lock = false;
		vm_map_entry_allocate_object(entry);
	}

	*out_entry = entry;
	*object = entry->ba.object;
	*pindex = OFF_TO_IDX(va - entry->start + entry->ba.offset);
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
