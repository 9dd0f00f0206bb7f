/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The heart of a fault: down the chain of objects to the page.
 *
 * The walk goes hand over hand: the next object is held and chain-locked
 * before the current one's token is dropped; the chain locks of all levels
 * passed are kept to the end. At the front a page that is missing is
 * allocated at once, even for a read: this placeholder is where a copy would
 * go, and being busy it makes others who fault on the same index wait. Should
 * the page be found further down and only be read, it is freed again.
 *
 * Locks are tried shared first. Where that is not enough (allocating,
 * freeing and renaming pages take the token exclusively) the pass is taken
 * back and begun anew with the exclusive token.
 *
 * Anything that has to be waited for is waited for with nothing held, and
 * then the pass begins anew.
 */
#include <kern/trace.h>
#include <pmap/pmap.h>
#include <vm/swap_pager.h>
#include <vm/vm_faultstate.h>

/* Is the current level's token a shared one? */
static bool
level_is_shared(struct faultstate *fs)
{
	return fs->object == fs->first_object ? fs->first_shared : fs->shared;
}

/* Takes the pass back, to be begun anew with the current level's token
 * exclusive. Below the front that takes the front's exclusive as well. */
static int
retry_exclusive(struct faultstate *fs)
{
	fs->first_shared = false;
	if (fs->object != fs->first_object)
		fs->shared = false;
	return vm_fault_unwind(fs, KERN_TRY_AGAIN);
}

/* Might the current level's pager have the page? Anonymous memory that was
 * never paged out has nothing with its pager. A fault that wires does not
 * ask unless the entry is wired already. */
static bool
try_pager(struct faultstate *fs)
{
	return fs->object->type != OBJT_DEFAULT &&
	    ((fs->fault_flags & VM_FAULT_WIRE_MASK) == 0 || fs->wired);
}

/* Waits, with everything given back, for a page that somebody else has
 * busy. */
static int
wait_busy_page(struct faultstate *fs)
{
	vm_page_t m = fs->m;

	fs->m = NULL;
	vm_fault_unwind(fs, 0);
	vm_page_sleep_busy(m, true, "vmpfw");
	return KERN_TRY_AGAIN;
}

/* Allocates a page at the current level, to be filled by its pager or, at
 * the front, to hold the place. FAULT_DOWN: it is fs->m, busy, not valid. */
static int
alloc_page(struct faultstate *fs)
{
	if (level_is_shared(fs))
		return retry_exclusive(fs);
	if (fs->pindex >= fs->object->size)
		return vm_fault_unwind(fs, KERN_FAILURE);
	fs->m = vm_page_alloc(
	    fs->object, fs->pindex, VM_ALLOC_NORMAL | VM_ALLOC_NULL_OK);
	if (fs->m == NULL)
		return vm_fault_wait_memory(fs);
	return FAULT_DOWN;
}

/* Looks for the page at the current level. FAULT_FOUND, FAULT_DOWN, or the
 * pass has been taken back. */
static int
search_level(struct faultstate *fs)
{
	bool busy;
	int result;

	/* Nobody but the end of the file itself kills an object we have
	 * chain-locked. */
	if (fs->object->flags & OBJ_DEAD)
		return vm_fault_unwind(fs, KERN_PROTECTION_FAILURE);

	fs->m = vm_page_lookup_busy_try(fs->object, fs->pindex, true, &busy);
	if (busy)
		return wait_busy_page(fs);
	if (fs->m != NULL && fs->m->valid == VM_PAGE_BITS_ALL &&
	    (fs->m->flags & PG_RAM) == 0)
		return FAULT_FOUND;
	if (fs->m != NULL)
		atomic_clear_uint(&fs->m->flags, PG_RAM);

	if (fs->m == NULL) {
		if (!try_pager(fs) && fs->object != fs->first_object)
			return FAULT_DOWN;
		result = alloc_page(fs);
		if (result != FAULT_DOWN)
			return result;
	} else if (level_is_shared(fs)) {
		/* Filling it may insert further pages; getting rid of it
		 * takes the exclusive token anyway. */
		vm_fault_release_page(fs);
		return retry_exclusive(fs);
	}
	if (try_pager(fs))
		return vm_fault_pagein(fs);
	if (fs->object != fs->first_object)
		vm_fault_scrap_page(fs);
	return FAULT_DOWN;
}

/* Goes one level down. The chain lock of the current level keeps the link
 * while the next token and lock are waited for. */
static void
descend(struct faultstate *fs, vm_object_t next)
{
	if (fs->object == fs->first_object)
		fs->first_m = fs->m;
	fs->m = NULL;

	if (fs->shared)
		vm_object_hold_shared(next);
	else
		vm_object_hold(next);
	vm_object_chain_acquire(next, fs->shared);
	SCHED_POINT("vm.fault_descend");
	KKASSERT(next == fs->object->backing_object);
	fs->pindex += OFF_TO_IDX(fs->object->backing_object_offset);
	fs->depth++;

	if (fs->object != fs->first_object) {
		vm_object_pip_wakeup(fs->object);
		lwkt_token_swap();
		vm_object_drop(fs->object);
	}
	fs->object = next;
	vm_object_pip_add(next, 1);
}

/* There is no such page anywhere: the placeholder becomes it, zeroed. */
static void
zero_fill(struct faultstate *fs)
{
	if (fs->object != fs->first_object)
		vm_fault_to_front(fs);
	SCHED_POINT("vm.fault_zero");
	pmap_zero_page(fs->m->phys_addr);
	fs->m->valid = VM_PAGE_BITS_ALL;
	cnt_inc(v_zfod);
	trace(TR_ZFOD, fs->object->id, fs->pindex, fs->m->phys_addr, 0);
}

/* From the front down to the page. KERN_SUCCESS: it is fs->m, hard-busy. */
static int
walk_chain(struct faultstate *fs)
{
	vm_object_t next;
	int result;

	while ((result = search_level(fs)) == FAULT_DOWN) {
		next = fs->object->backing_object;
		if (next == NULL) {
			zero_fill(fs);
			return KERN_SUCCESS;
		}
		descend(fs, next);
	}
	return result == FAULT_FOUND ? KERN_SUCCESS : result;
}

/* Is the page going to be written, which makes what swap has of it worthless?
 * Giving that up takes the exclusive token. */
static bool
drops_swap(struct faultstate *fs)
{
	return (fs->prot & VM_PROT_WRITE) &&
	    (fs->fault_flags & VM_FAULT_DIRTY) && (fs->m->flags & PG_SWAPPED);
}

/* The page is at hand and its place is secured: last touches, and then only
 * the page's busy bit and the placeholder protect what we have found. */
static void
finish_page(struct faultstate *fs)
{
	vm_page_activate(fs->m);
	if (fs->prot & VM_PROT_WRITE) {
		vm_object_set_writeable_dirty(fs->m->object);
		/* It is about to be written: spare the others asking the
		 * hardware later. */
		if (fs->fault_flags & VM_FAULT_DIRTY) {
			vm_page_dirty(fs->m);
			swap_pager_unswapped(fs->m);
		}
	}
	vm_object_pip_wakeup(fs->first_object);
	vm_object_chain_release_all(fs->first_object, fs->object);
	SCHED_POINT("vm.fault_finish");
	if (fs->object != fs->first_object)
		vm_object_drop(fs->object);
	KKASSERT(vm_page_is_hardbusy(fs->m));
	if (fs->m->valid != VM_PAGE_BITS_ALL)
		vm_page_zero_invalid(fs->m, true);
}

/*
 * One pass: makes the page of (first_object, first_pindex) present, copying
 * it to the front when it is to be written. The first object is held, in
 * the mode of first_shared, and stays so; the map is locked shared.
 *
 * KERN_SUCCESS: fs->m is the page, hard-busy; fs->prot is how it may be
 * mapped; the map is locked and has not changed since the lookup; when
 * fs->object is not the first one it still has paging in progress, until
 * vm_fault_unlock_things. Anything else: only the first object is still
 * held; KERN_TRY_AGAIN means to begin with the lookup again.
 */
int
vm_fault_object(struct faultstate *fs, vm_prot_t fault_type)
{
	int result;

	ASSERT_LWKT_TOKEN_HELD(&fs->first_object->token);
	cnt_inc(v_fault_passes);
	fs->prot = fs->first_prot;
	vm_object_chain_acquire(fs->first_object, fs->shared);
	vm_object_pip_add(fs->first_object, 1);

	result = walk_chain(fs);
	SCHED_POINT("vm.fault_found");
	if (result == KERN_SUCCESS && fs->object != fs->first_object) {
		/* Not the front's page: copied to be written, or else
		 * shared, and then nobody may write to it here. */
		if (fault_type & VM_PROT_WRITE)
			vm_fault_cow(fs);
		else
			fs->prot &= ~VM_PROT_WRITE;
	}
	if (result == KERN_SUCCESS && drops_swap(fs) && level_is_shared(fs)) {
		vm_page_wakeup(fs->m);
		fs->m = NULL;
		result = retry_exclusive(fs);
	}
	if (result == KERN_SUCCESS && !fs->lookup_still_valid)
		result = vm_fault_relock_map(fs);
	if (result == KERN_SUCCESS)
		finish_page(fs);
	else if (result == KERN_TRY_AGAIN)
		cnt_inc(v_fault_retry);
	return result;
}
