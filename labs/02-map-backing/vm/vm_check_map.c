/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vm_check() of address spaces: the entries by themselves, and the page
 * tables against the entries and the objects behind them. Each PTE must map
 * the very page that a fault would find, with no more rights than a fault
 * would give. Quiet points only.
 */
#include <kern/atomic.h>
#include <vm/vm_check.h>
#include <vm/vm_map.h>

/* What the callback for PTEs works on. */
struct leaf_arg {
	struct vmspace *vm;
	int64_t wired; /* PTEs of wired entries */
};

/*
 * Says what a fault at va would find: the page nearest to the front of the
 * chain, and whether that is in the front object. NULL: none.
 */
static vm_page_t
chain_page(vm_map_entry_t entry, vm_offset_t va, bool *front)
{
	struct vm_map_backing *ba;
	vm_ooffset_t offset = va - entry->start;
	struct vm_page key;
	vm_page_t m;

	*front = true;
	for (ba = &entry->ba; ba != NULL && ba->object != NULL;
	     ba = ba->backing_ba) {
		offset += ba->offset;
		key.pindex = OFF_TO_IDX(offset);
		m = RB_FIND(vm_page_rb_tree, &ba->object->rb_memq, &key);
		if (m != NULL && m->valid != 0)
			return m;
		*front = false;
	}
	return NULL;
}

/*
 * The same where a virtual page table decides: its program may have changed it
 * since, so any page of the chain will do.
 */
static vm_page_t
virtual_page(vm_map_entry_t entry, pt_entry_t pte, bool *front)
{
	vm_page_t m = vm_page_by_phys(pte & X86_PG_FRAME);
	struct vm_map_backing *ba;

	*front = false;
	if (m == NULL)
		return NULL;
	for (ba = &entry->ba; ba != NULL; ba = ba->backing_ba) {
		if (m->object == ba->object)
			break;
	}
	*front = ba == &entry->ba;
	return ba != NULL ? m : NULL;
}

/* The rights in a PTE against what the entry allows at this moment. */
static void
check_leaf_rights(
    vm_map_entry_t entry, vm_offset_t va, pt_entry_t pte, bool front)
{
	vm_prot_t prot = VM_PROT_HW(entry->protection);

	if ((prot & VM_PROT_READ) == 0)
		vm_check_fail("%#lx is mapped, but may not be read", va);
	if ((pte & X86_PG_RW) &&
	    ((prot & VM_PROT_WRITE) == 0 || !front ||
		(entry->eflags & MAP_ENTRY_NEEDS_COPY)))
		vm_check_fail("%#lx can be written, but its entry has prot %d, "
			      "eflags %#x, and the page is in %s object",
		    va, entry->protection, entry->eflags,
		    front ? "the front" : "a backing");
	if ((pte & X86_PG_NX) == 0 && (prot & VM_PROT_EXECUTE) == 0)
		vm_check_fail("%#lx can be executed, but its entry has prot %d",
		    va, entry->protection);
	if (((pte & X86_PG_W) != 0) != (entry->wired_count != 0))
		vm_check_fail("%#lx is%s wired in the page table, wired_count "
			      "is %d",
		    va, pte & X86_PG_W ? "" : " not", entry->wired_count);
}

/* One PTE. */
static void
check_leaf(void *arg, vm_offset_t va, pt_entry_t pte)
{
	struct leaf_arg *la = arg;
	vm_map_entry_t entry;
	vm_page_t m;
	bool front;

	if (!vm_map_lookup_entry(&la->vm->vm_map, va, &entry)) {
		vm_check_fail("%#lx is in the page table, not in the map", va);
		return;
	}
	if (pte & X86_PG_DEVICE) {
		la->wired += (pte & X86_PG_W) != 0;
		return;
	}
	if (entry->maptype == VM_MAPTYPE_VPAGETABLE)
		m = virtual_page(entry, pte, &front);
	else
		m = chain_page(entry, va, &front);
	if (m == NULL)
		vm_check_fail("%#lx maps %#lx, but no object has the page", va,
		    pte & X86_PG_FRAME);
	else if (VM_PAGE_TO_PHYS(m) != (pte & X86_PG_FRAME))
		vm_check_fail("%#lx maps %#lx, but object %u has %#lx", va,
		    pte & X86_PG_FRAME, m->object->id, VM_PAGE_TO_PHYS(m));
	check_leaf_rights(entry, va, pte, front);
	if (entry->wired_count != 0) {
		la->wired++;
		if (m != NULL && m->wire_count == 0)
			vm_check_fail("%#lx is wired, its page %#lx not", va,
			    VM_PAGE_TO_PHYS(m));
	}
}

/* The flags and counts of one entry. */
static void
check_entry(vm_map_t map, vm_map_entry_t entry)
{
	vm_object_t object = entry->ba.object;
	vm_pindex_t end;

	if (entry->start >= entry->end || (entry->start & PAGE_MASK) != 0 ||
	    (entry->end & PAGE_MASK) != 0 ||
	    (entry->ba.offset & PAGE_MASK) != 0)
		vm_check_fail("entry %#lx-%#lx, offset %#lx: bad bounds",
		    entry->start, entry->end, entry->ba.offset);
	if (entry->start < map->min_addr || entry->end > map->max_addr)
		vm_check_fail("entry %#lx-%#lx is outside its map",
		    entry->start, entry->end);
	if (entry->eflags & (MAP_ENTRY_IN_TRANSITION | MAP_ENTRY_NEEDS_WAKEUP))
		vm_check_fail(
		    "entry %#lx is in transition at rest", entry->start);
	if ((entry->eflags & MAP_ENTRY_NEEDS_COPY) &&
	    (entry->eflags & MAP_ENTRY_COW) == 0)
		vm_check_fail(
		    "entry %#lx is NEEDS_COPY without COW", entry->start);
	if (entry->protection & ~entry->max_protection)
		vm_check_fail("entry %#lx has prot %d, at most %d allowed",
		    entry->start, entry->protection, entry->max_protection);
	if (entry->wired_count < 0 || entry->wired_count > 1 ||
	    (entry->wired_count == 1 &&
		(entry->eflags & MAP_ENTRY_USER_WIRED) == 0))
		vm_check_fail("entry %#lx has wired_count %d, eflags %#x",
		    entry->start, entry->wired_count, entry->eflags);
	if (object == NULL) {
		if (entry->eflags & MAP_ENTRY_NEEDS_COPY)
			vm_check_fail("entry %#lx is NEEDS_COPY, but has no "
				      "object",
			    entry->start);
		return;
	}
	/* A file's mapping may reach beyond its end; so may shared memory
	 * that mremap made longer. */
	end = OFF_TO_IDX(entry->ba.offset + (entry->end - entry->start));
	if (OBJT_IS_ANON(object->type) && entry->maptype == VM_MAPTYPE_NORMAL &&
	    entry->inheritance != VM_INHERIT_SHARE && end > object->size)
		vm_check_fail("entry %#lx ends at page %lu of object %u, which "
			      "has %lu",
		    entry->start, end, object->id, object->size);
}

/* All entries of a map: order, number, size. */
static void
check_entries(vm_map_t map)
{
	vm_map_entry_t entry;
	vm_offset_t last = 0;
	vm_size_t size = 0;
	int n = 0;

	RB_FOREACH (entry, vm_map_rb_tree, &map->rb_root) {
		if (entry->start < last)
			vm_check_fail("entry %#lx begins before the one below "
				      "it ends (%#lx)",
			    entry->start, last);
		last = entry->end;
		size += entry->end - entry->start;
		n++;
		check_entry(map, entry);
	}
	if (n != map->nentries)
		vm_check_fail(
		    "a map has %d entries, nentries is %d", n, map->nentries);
	if (size != map->size)
		vm_check_fail("a map's entries have %#lx bytes, size is %#lx",
		    size, map->size);
}

/* What of a map is wired must be mapped too, every page of it. */
static void
check_wired(struct vmspace *vm, int64_t wired)
{
	vm_map_entry_t entry;
	int64_t want = 0;

	RB_FOREACH (entry, vm_map_rb_tree, &vm->vm_map.rb_root) {
		if (entry->wired_count != 0)
			want += OFF_TO_IDX(entry->end - entry->start);
	}
	if (wired != want || vm->vm_pmap.pm_wired != want)
		vm_check_fail("a map has %ld wired pages, %ld of them mapped, "
			      "pm_wired is %ld",
		    want, wired, vm->vm_pmap.pm_wired);
}

/* One address space. It is held, and its map is not locked by anybody. */
static void
check_vmspace(struct vmspace *vm)
{
	struct leaf_arg la = {.vm = vm};

	vm_map_lock_read(&vm->vm_map);
	check_entries(&vm->vm_map);
	pmap_foreach(&vm->vm_pmap, check_leaf, &la);
	check_wired(vm, la.wired);
	vm_map_unlock_read(&vm->vm_map);
	pmap_check(&vm->vm_pmap);
}

/* The first space from vm on that is not on its way out, held. The list is
 * locked. */
static struct vmspace *
hold_from(struct vmspace *vm)
{
	uint32_t n;

	for (; vm != NULL; vm = TAILQ_NEXT(vm, vm_list)) {
		n = atomic_load_uint(&vm->vm_holdcnt);
		while (n != 0) {
			if (atomic_fcmpset_uint(&vm->vm_holdcnt, &n, n + 1))
				return vm;
		}
	}
	return NULL;
}

/* Checks every address space. May sleep for locks. */
void
vm_map_check_all(void)
{
	struct vmspace *vm, *next;
	int64_t n = 0;

	spin_lock(&vmspace_list_spin);
	vm = hold_from(TAILQ_FIRST(&vmspace_list));
	spin_unlock(&vmspace_list_spin);
	for (; vm != NULL; vm = next) {
		check_vmspace(vm);
		n++;
		spin_lock(&vmspace_list_spin);
		next = hold_from(TAILQ_NEXT(vm, vm_list));
		spin_unlock(&vmspace_list_spin);
		vmspace_drop(vm);
	}
	if (n != vmspace_count())
		vm_check_fail("%ld address spaces are on the list, %ld exist",
		    n, vmspace_count());
}
