/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Copying an address space.
 *
 * Private memory is copied by sharing: the copy's head names the same object
 * and points at the same node behind it. Both entries are marked NEEDS_COPY,
 * and whoever writes first puts an object of his own in front. For that the
 * parent's PTEs must lose their right to write.
 */
#include <vm/vm_map.h>

/*
 * Makes dst_entry, which is linked and has nothing behind it, a copy of
 * src_entry. Both maps are locked exclusively, so there is no fault under way
 * in either; may sleep.
 */
static void
vm_map_copy_entry(vm_map_t src_map, vm_map_t dst_map, vm_map_entry_t src_entry,
    vm_map_entry_t dst_entry)
{
	vm_object_t object = src_entry->ba.object;

	/*
	 * A write to a wired page must never fault, so such pages cannot be
	 * shared until they are written.
	 */
	if (src_entry->wired_count != 0) {
		vm_fault_copy_entry(dst_map, src_map, dst_entry, src_entry);
		return;
	}
	if (object != NULL)
		vm_object_hold(object);
	/* With NEEDS_COPY it is write-protected already. */
	if ((src_entry->eflags & MAP_ENTRY_NEEDS_COPY) == 0)
		pmap_protect(src_map->pmap, src_entry->start, src_entry->end,
		    VM_PROT_HW(src_entry->protection) & ~VM_PROT_WRITE);
	SCHED_POINT("vm.fork_protected");
	if (object != NULL) {
		/* LAB 2.2g: parent and child show the same chain from now on,
		 * and who writes first makes room for himself. */
		LAB_TODO(2, 2);
		/* END LAB 2.2g */
	}
	pmap_copy(dst_map->pmap, src_map->pmap, dst_entry->start,
	    dst_entry->end - dst_entry->start, src_entry->start);
	if (object != NULL)
		vm_object_drop(object);
}

/*
 * Sees to it that the entry has an object that two maps can share, and makes
 * the second map's references. Exclusive lock; may sleep.
 */
static void
fork_share_object(vm_map_entry_t entry)
{
	if (entry->ba.object == NULL)
		vm_map_entry_allocate_object(entry);
	if (entry->eflags & MAP_ENTRY_NEEDS_COPY) {
		vm_map_entry_shadow(entry, true);
	} else {
		vm_object_reference_quick(entry->ba.object);
		vm_object_clear_flag(entry->ba.object, OBJ_ONEMAPPING);
	}
	if (entry->ba.backing_ba != NULL)
		atomic_add_long(&entry->ba.backing_ba->refs, 1);
}

/* A child's entry: like the parent's, but nothing of it wired. */
static vm_map_entry_t
fork_new_entry(vm_map_t new_map, vm_map_entry_t old_entry)
{
	vm_map_entry_t new_entry;

	new_entry = vm_map_entry_create();
	*new_entry = *old_entry;
	new_entry->eflags &= ~MAP_ENTRY_USER_WIRED;
	new_entry->wired_count = 0;
	return new_entry;
}

/* Gives the child its part in one of the parent's entries, or none. Both
 * maps are locked exclusively; may sleep. */
static void
vmspace_fork_entry(vm_map_t old_map, vm_map_t new_map, vm_map_entry_t old_entry)
{
	vm_map_entry_t new_entry;

	KKASSERT(old_entry->maptype == VM_MAPTYPE_NORMAL ||
	    old_entry->maptype == VM_MAPTYPE_VPAGETABLE);
	if (old_entry->eflags & MAP_ENTRY_NOFORK)
		return;

	switch (old_entry->inheritance) {
	case VM_INHERIT_NONE:
		return;
	case VM_INHERIT_SHARE:
		fork_share_object(old_entry);
		new_entry = fork_new_entry(new_map, old_entry);
		vm_map_entry_link(new_map, new_entry);
		pmap_copy(new_map->pmap, old_map->pmap, new_entry->start,
		    new_entry->end - new_entry->start, old_entry->start);
		break;
	case VM_INHERIT_COPY:
		new_entry = fork_new_entry(new_map, old_entry);
		new_entry->ba = (struct vm_map_backing){.backing_ba = NULL};
		vm_map_entry_link(new_map, new_entry);
		if (old_entry->eflags & MAP_ENTRY_WIPEONFORK)
			new_entry->eflags &=
			    ~(MAP_ENTRY_COW | MAP_ENTRY_NEEDS_COPY);
		else
			vm_map_copy_entry(
			    old_map, new_map, old_entry, new_entry);
		break;
	default:
		panic("vmspace_fork_entry: inheritance %d",
		    old_entry->inheritance);
	}
	new_map->size += new_entry->end - new_entry->start;
}

/*
 * A new address space that holds what vm1's entries let a child inherit;
 * with one user. Nobody else knows it yet. May sleep; vm1's map is not
 * locked.
 */
struct vmspace *
vmspace_fork(struct vmspace *vm1)
{
	vm_map_t old_map = &vm1->vm_map, new_map;
	vm_map_entry_t entry;
	struct vmspace *vm2;

	vm2 = vmspace_alloc();
	new_map = &vm2->vm_map;

	/*
	 * The exclusive lock waits for the faults that are under way: none of
	 * them maps a page for writing that is a copy's by then.
	 */
	lwkt_gettoken(&old_map->token);
	vm_map_lock(old_map);
	while (vm_map_transition_drain(
	    old_map, old_map->min_addr, old_map->max_addr))
		;
	lwkt_gettoken(&new_map->token);
	vm_map_lock(new_map);

	vm2->vm_brk_start = vm1->vm_brk_start;
	vm2->vm_brk = vm1->vm_brk;
	vm2->vm_stack_top = vm1->vm_stack_top;
	vm2->vm_stack_max = vm1->vm_stack_max;
	vm2->vm_mmap_top = vm1->vm_mmap_top;

	RB_FOREACH (entry, vm_map_rb_tree, &old_map->rb_root)
		vmspace_fork_entry(old_map, new_map, entry);

	vm_map_unlock(new_map);
	vm_map_unlock(old_map);
	lwkt_reltoken(&new_map->token);
	lwkt_reltoken(&old_map->token);
	return vm2;
}
