/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The fork of wired memory: its pages are copied at once.
 */
#include <vm/vm_fault.h>
#include <vm/vm_map.h>

/*
 * A new page of the object, hard-busy and complete, with the contents of the
 * frame at pa. The object's token is held; may sleep until memory is free.
 */
static vm_page_t
copy_page(vm_object_t object, vm_pindex_t pindex, vm_paddr_t pa)
{
	vm_page_t m;

	while ((m = vm_page_alloc(object, pindex, VM_ALLOC_NORMAL)) == NULL)
		vm_wait("vmcopy");
	pmap_copy_page(pa, VM_PAGE_TO_PHYS(m));
	m->valid = VM_PAGE_BITS_ALL;
	vm_page_dirty(m);
	return m;
}

/*
 * The object for the copies: new, and on top of the file that src_entry maps,
 * if it maps one. The file still matters when the copies are thrown away.
 * Both maps are locked exclusively; may sleep.
 */
static vm_object_t
copy_object(vm_map_entry_t dst_entry, vm_map_entry_t src_entry)
{
	vm_ooffset_t offset;
	vm_object_t file;

	file = vm_map_entry_file(src_entry, &offset);
	if (file == NULL) {
		vm_map_entry_allocate_object(dst_entry);
		dst_entry->eflags &= ~MAP_ENTRY_NEEDS_COPY;
	} else {
		vm_object_reference_quick(file);
		vm_object_drop(file);
		dst_entry->ba.object = file;
		dst_entry->ba.offset = offset;
		dst_entry->eflags |= MAP_ENTRY_COW;
		vm_map_entry_shadow(dst_entry, false);
	}
	return dst_entry->ba.object;
}

/*
 * Gives dst_entry, whose head is empty, an object of its own with copies of all
 * pages of src_entry, which is wired. The pages are found by their mappings:
 * wired ones are mapped, wherever in the chain they are. The copies are
 * mapped too, but not wired. Both maps are locked exclusively; may sleep.
 *
 * The copies lie in their object in the order of their addresses. That is
 * linear: of a mapping with a virtual page table the copy has the pages, but
 * not the table. Part 6 has such entries copied on write instead.
 */
void
vm_fault_copy_entry(vm_map_t dst_map, vm_map_t src_map,
    vm_map_entry_t dst_entry, vm_map_entry_t src_entry)
{
	vm_object_t object;
	vm_offset_t va;
	vm_paddr_t pa;
	vm_page_t m;

	object = copy_object(dst_entry, src_entry);
	vm_object_hold(object);
	for (va = dst_entry->start; va < dst_entry->end; va += PAGE_SIZE) {
		pa = pmap_extract(src_map->pmap, va);
		/* A truncated file's page is gone although it was wired. */
		if (pa == 0)
			continue;
		m = copy_page(object, OFF_TO_IDX(va - dst_entry->start), pa);
		pmap_enter(dst_map->pmap, va, m,
		    VM_PROT_HW(dst_entry->protection), false, dst_entry);
		vm_page_activate(m);
		vm_page_wakeup(m);
	}
	vm_object_drop(object);
}
