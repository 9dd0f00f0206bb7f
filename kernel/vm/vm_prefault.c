/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Mapping around a fault: who has touched a page will touch its neighbours,
 * and those that are in memory already only lack their PTEs.
 *
 * As in DragonFly there are two ways. With the tokens shared, as mostly, only
 * the pages of an object without a backing object are mapped: files, memory
 * that was never forked. With both exclusive the chains are walked, and
 * neighbours that are nowhere are filled with zeroes.
 */
#include <kern/bootopt.h>
#include <kern/proc.h>
#include <vm/vm_faultstate.h>

BOOTOPT(bo_prefault_pages, "vm.prefault_pages", "8",
    "pages that a fault maps around its own, at most");
BOOTOPT(bo_fast_fault, "vm.fast_fault", "1", "they may be new pages of zeroes");

#define PREFAULT_MAX 1024U

static unsigned int vm_prefault_pages; /* (k) after boot */
static bool vm_fast_fault;	       /* (k) after boot */

/* Reads the boot options; boot CPU. */
void
vm_prefault_init(void)
{
	vm_prefault_pages =
	    (unsigned int)MIN(bootopt_u64(&bo_prefault_pages), PREFAULT_MAX);
	vm_fast_fault = bootopt_bool(&bo_fast_fault);
}

/* The index in the first object of the page at an address. */
static vm_pindex_t
prefault_index(struct faultstate *fs, vm_offset_t va)
{
	return OFF_TO_IDX(va - fs->entry->start + fs->entry->offset);
}

/* Whether a page can be mapped as it is: whole, and RAM. The page is
 * busied. */
static bool
prefault_ready(struct faultstate *fs, vm_page_t m, vm_prot_t prot)
{
	if (m->valid != VM_PAGE_BITS_ALL || (m->flags & PG_FICTITIOUS))
		return false;
	return (m->flags & PG_SWAPPED) == 0 || (prot & VM_PROT_WRITE) == 0 ||
	    (fs->fault_flags & VM_FAULT_DIRTY) == 0;
}

/* Maps a hard-busy page, which must not be on a cache queue then, and ends
 * its busy. May sleep. */
static void
prefault_enter(
    struct faultstate *fs, vm_offset_t va, vm_page_t m, vm_prot_t prot)
{
	if (m->queue - m->pc == PQ_CACHE)
		vm_page_deactivate(m);
	if (prot & VM_PROT_WRITE) {
		vm_object_set_writeable_dirty(m->object);
		if (fs->fault_flags & VM_FAULT_DIRTY)
			vm_page_dirty(m);
	}
	pmap_enter(fs->map->pmap, va, m, prot, false, fs->entry);
	cnt_inc(v_prefault);
	vm_page_wakeup(m);
}

/* One neighbour where the tokens may be shared: no page is made or moved.
 * False: no more of them. */
static bool
prefault_quick(struct faultstate *fs, vm_offset_t va)
{
	vm_object_t object = fs->first_object;
	vm_pindex_t pindex = prefault_index(fs, va);
	vm_prot_t prot = fs->prot;
	bool busy, mapped;
	vm_page_t m;

	/* Read-only pages take but a soft busy: the same program is often
	 * started by several at once. */
	if ((prot & VM_PROT_WRITE) == 0) {
		m = vm_page_lookup(object, pindex);
		if (m == NULL || vm_page_sbusy_try(m))
			return false;
		mapped =
		    prefault_ready(fs, m, prot) && m->queue - m->pc != PQ_CACHE;
		if (mapped) {
			pmap_enter(
			    fs->map->pmap, va, m, prot, false, fs->entry);
			cnt_inc(v_prefault);
		}
		vm_page_sbusy_drop(m);
		if (mapped)
			return true;
	}
	m = vm_page_lookup_busy_try(object, pindex, true, &busy);
	if (m == NULL || busy)
		return false;
	if (!prefault_ready(fs, m, prot)) {
		vm_page_wakeup(m);
		return false;
	}
	prefault_enter(fs, va, m, prot);
	return true;
}

/* A new page of zeroes in the first object, hard-busy; NULL when that is not
 * wanted or memory is short. The object's token is exclusive. */
static vm_page_t
prefault_zero(struct faultstate *fs, vm_pindex_t pindex)
{
	vm_page_t m;

	if (!vm_fast_fault || (fs->prot & VM_PROT_WRITE) == 0 ||
	    vmstats.v_free_count < vmstats.v_free_min ||
	    pindex >= fs->first_object->size)
		return NULL;
	m = vm_page_alloc(
	    fs->first_object, pindex, VM_ALLOC_NORMAL | VM_ALLOC_NULL_OK);
	if (m == NULL)
		return NULL;
	pmap_zero_page(m->phys_addr);
	m->valid = VM_PAGE_BITS_ALL;
	vm_page_deactivate(m);
	cnt_inc(v_zfod);
	return m;
}

/* One neighbour, through the chain, whose first object is held exclusively
 * and chain-locked. Stops where only a pager could tell. False: no more of
 * them. */
static bool
prefault_chain(struct faultstate *fs, vm_offset_t va)
{
	vm_object_t front = fs->first_object, object = front, next;
	vm_pindex_t index = prefault_index(fs, va), pindex = index;
	vm_prot_t prot = fs->prot;
	bool busy = false;
	vm_page_t m;

	while ((m = vm_page_lookup_busy_try(object, pindex, true, &busy)) ==
	    NULL) {
		if (object->type != OBJT_DEFAULT)
			break;
		next = object->backing_object;
		if (next == NULL) {
			m = prefault_zero(fs, index);
			prot = fs->prot;
			break;
		}
		/* The chain lock keeps the link. */
		next = vm_object_hold_backing(object);
		vm_object_chain_acquire(next, false);
		pindex += OFF_TO_IDX(object->backing_object_offset);
		if (object != front) {
			lwkt_token_swap();
			vm_object_drop(object);
		}
		object = next;
		prot &= ~VM_PROT_WRITE;
	}
	if (object != front) {
		vm_object_chain_release_all(front->backing_object, object);
		vm_object_drop(object);
	}
	if (m == NULL)
		return false;
	if (busy)
		return true;
	if (!prefault_ready(fs, m, prot))
		vm_page_wakeup(m);
	else
		prefault_enter(fs, va, m, prot);
	return true;
}

/* Maps neighbours of the page at va: one after it, one before, the next after,
 * and so on; each way until something is mapped already or the entry ends. */
static __noinline void
prefault_around(struct faultstate *fs, vm_offset_t va, bool chain)
{
	bool ended[2] = {false, false}, more = true;
	vm_map_entry_t entry = fs->entry;
	vm_offset_t at;

	if (fs->wired || (fs->fault_flags & VM_FAULT_WIRE_MASK) ||
	    entry->maptype != VM_MAPTYPE_NORMAL ||
	    mycpu->gd_pmap != fs->map->pmap ||
	    (!chain && fs->first_object->backing_object != NULL))
		return;
	if (chain)
		vm_object_chain_acquire(fs->first_object, false);
	for (unsigned int i = 0; i < vm_prefault_pages && more; i++) {
		if (ended[0] && ended[1])
			break;
		if (ended[i & 1])
			continue;
		at = (i & 1) ? va - (i / 2 + 1) * PAGE_SIZE
			     : va + (i / 2 + 1) * PAGE_SIZE;
		if (at < entry->start || at >= entry->end) {
			ended[i & 1] = true;
			continue;
		}
		/* Where no page can be had there is none mapped. */
		if (!chain &&
		    vm_page_lookup(fs->first_object, prefault_index(fs, at)) ==
			NULL)
			break;
		if (pmap_extract(fs->map->pmap, at) != 0) {
			ended[i & 1] = true;
			continue;
		}
		more = chain ? prefault_chain(fs, at) : prefault_quick(fs, at);
	}
	if (chain)
		vm_object_chain_release(fs->first_object);
}

/* Maps neighbours of a page that was just mapped. The map is locked since the
 * lookup and the first object is held, in the mode of first_shared; the page
 * itself is not busy any more. May sleep. */
void
vm_prefault(struct faultstate *fs, vm_offset_t va)
{
	bool chain = !fs->first_shared && !fs->shared;

	va = trunc_page(va);
	/* Who touches new memory upward has no page there yet. */
	if (!chain && va + PAGE_SIZE < fs->entry->end &&
	    vm_object_in_gap(
		fs->first_object, prefault_index(fs, va + PAGE_SIZE)))
		return;
	prefault_around(fs, va, chain);
}
