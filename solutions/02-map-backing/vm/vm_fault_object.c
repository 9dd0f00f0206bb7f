/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The heart of a fault: down the chain of backings to the page.
 *
 * The chain is the map's, which is locked; so the next backing is found by
 * following a pointer, and all that is locked on the way are the objects, for
 * their pages. The walk goes hand over hand: the next object is held before
 * the current one's token is dropped; the head's is held to the end. At the
 * front a page that is missing is allocated at once, even for a read: this
 * placeholder is where a copy would go, and being busy it makes others who
 * fault on the same index wait. Should the page be found further down and
 * only be read, it is freed again.
 *
 * Tokens are tried shared first. Where that is not enough (allocating,
 * freeing and renaming pages take the token exclusively) the pass is taken
 * back and begun anew with the exclusive token; the head remembers that for
 * the next fault.
 *
 * Reading a page in is waited for with the map locked; anything else that has
 * to be waited for, with nothing held, and then the pass begins anew.
 */
#include <kern/trace.h>
#include <pmap/pmap.h>
#include <vm/swap_pager.h>
#include <vm/vm_faultstate.h>

/* Is the current level's token a shared one? */
static bool
level_is_shared(struct faultstate *fs)
{
	return fs->ba == fs->first_ba ? fs->first_shared : fs->shared;
}

/* Takes the pass back, to be begun anew with the current level's token
 * exclusive. Below the front that takes the front's exclusive as well. */
static int
retry_exclusive(struct faultstate *fs)
{
	fs->first_shared = false;
	if (fs->ba != fs->first_ba)
		fs->shared = false;
	return vm_fault_unwind(fs, KERN_TRY_AGAIN);
}

/* Might the current level's pager have the page? Anonymous memory that was
 * never paged out has nothing with its pager. A fault that wires does not
 * ask unless the entry is wired already. */
static bool
try_pager(struct faultstate *fs)
{
	return fs->ba->object->type != OBJT_DEFAULT &&
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

/* LAB 2.6c previous: at which level is it said what the next fault needs? */
/* Remembers in the head whether the next fault should begin with the
 * exclusive token. Only what happened at the head itself says so: a page that
 * was found further down is copied to the front if it is written to. */
static void
note_lock_mode(struct faultstate *fs, bool exclusive)
{
	uint32_t flags = fs->first_ba->flags;

	if (fs->ba != fs->first_ba)
		return;
	if (exclusive && (flags & VM_MAP_BACK_EXCL_HEUR) == 0)
		atomic_set_uint(&fs->first_ba->flags, VM_MAP_BACK_EXCL_HEUR);
	else if (!exclusive && (flags & VM_MAP_BACK_EXCL_HEUR) != 0)
		atomic_clear_uint(&fs->first_ba->flags, VM_MAP_BACK_EXCL_HEUR);
}

/* END LAB 2.6c */
/* Allocates a page at the current level, to be filled by its pager or, at
 * the front, to hold the place. FAULT_DOWN: it is fs->m, busy, not valid. */
static int
alloc_page(struct faultstate *fs)
{
	/* LAB 2.6b previous: it was not. */
	note_lock_mode(fs, true);
	/* END LAB 2.6b */
	if (level_is_shared(fs))
		return retry_exclusive(fs);
	if (fs->pindex >= fs->ba->object->size)
		return vm_fault_unwind(fs, KERN_FAILURE);
	fs->m = vm_page_alloc(
	    fs->ba->object, fs->pindex, VM_ALLOC_NORMAL | VM_ALLOC_NULL_OK);
	if (fs->m == NULL)
		return vm_fault_wait_memory(fs);
	return FAULT_DOWN;
}

/* LAB 2.5a previous: which token does looking up a swap block take? */
/* Is there nothing at this level, which lies behind the front and has pages
 * on swap? Asking costs a look at the object's tree; allocating a page, for
 * the pager to say no, the exclusive token and a page. */
static bool
level_is_empty(struct faultstate *fs)
{
	return fs->m == NULL && fs->ba != fs->first_ba &&
	    fs->ba->object->type == OBJT_SWAP &&
	    !vm_pager_has_page(fs->ba->object, fs->pindex);
}

/* END LAB 2.5a */
/* Looks for the page at the current level. FAULT_FOUND, FAULT_DOWN, or the
 * pass has been taken back. */
static int
search_level(struct faultstate *fs)
{
	bool busy;
	int result;

	/* Nobody but the end of the file itself kills an object that an
	 * entry of a locked map names. */
	if (fs->ba->object->flags & OBJ_DEAD)
		return vm_fault_unwind(fs, KERN_PROTECTION_FAILURE);

	fs->m =
	    vm_page_lookup_busy_try(fs->ba->object, fs->pindex, true, &busy);
	if (busy)
		return wait_busy_page(fs);
	/* LAB 2.6a previous: was the shared token enough? */
	if (fs->m != NULL && fs->m->valid == VM_PAGE_BITS_ALL)
		note_lock_mode(fs, false);
	/* END LAB 2.6a */
	if (fs->m != NULL && fs->m->valid == VM_PAGE_BITS_ALL &&
	    (fs->m->flags & PG_RAM) == 0)
		return FAULT_FOUND;
	if (fs->m != NULL)
		atomic_clear_uint(&fs->m->flags, PG_RAM);

	/* LAB 2.5b previous: where is the first moment to know? */
	if (level_is_empty(fs))
		return FAULT_DOWN;
	/* END LAB 2.5b */
	if (fs->m == NULL) {
		if (!try_pager(fs) && fs->ba != fs->first_ba)
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
	if (fs->ba != fs->first_ba)
		vm_fault_scrap_page(fs);
	return FAULT_DOWN;
}

/* Goes one level down. Waiting for the next token loses the others; the
 * map's lock keeps the chain, and the placeholder the index. */
static void
descend(struct faultstate *fs, struct vm_map_backing *next)
{
	/* LAB 2.3a: hand over hand: which token may go, and when? */
	if (fs->ba == fs->first_ba)
		fs->first_m = fs->m;
	fs->m = NULL;

	if (fs->shared)
		vm_object_hold_shared(next->object);
	else
		vm_object_hold(next->object);
	SCHED_POINT("vm.fault_descend");
	fs->pindex += OFF_TO_IDX(next->offset);
	fs->depth++;

	if (fs->ba != fs->first_ba) {
		vm_object_pip_wakeup(fs->ba->object);
		lwkt_token_swap();
		vm_object_drop(fs->ba->object);
	}
	fs->ba = next;
	vm_object_pip_add(next->object, 1);
	/* END LAB 2.3a */
}

/* There is no such page anywhere: the placeholder becomes it, zeroed. */
static void
zero_fill(struct faultstate *fs)
{
	if (fs->ba != fs->first_ba)
		vm_fault_to_front(fs);
	SCHED_POINT("vm.fault_zero");
	pmap_zero_page(fs->m->phys_addr);
	fs->m->valid = VM_PAGE_BITS_ALL;
	cnt_inc(v_zfod);
	trace(TR_ZFOD, fs->ba->object->id, fs->pindex, fs->m->phys_addr, 0);
}

/* From the front down to the page. KERN_SUCCESS: it is fs->m, hard-busy. */
static int
walk_chain(struct faultstate *fs)
{
	struct vm_map_backing *next;
	int result;

	while ((result = search_level(fs)) == FAULT_DOWN) {
		next = fs->ba->backing_ba;
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
	vm_object_pip_wakeup(fs->first_ba->object);
	SCHED_POINT("vm.fault_finish");
	if (fs->ba != fs->first_ba)
		vm_object_drop(fs->ba->object);
	KKASSERT(vm_page_is_hardbusy(fs->m));
	if (fs->m->valid != VM_PAGE_BITS_ALL)
		vm_page_zero_invalid(fs->m, true);
}

/*
 * One pass: makes the page of (first_ba, first_pindex) present, copying it to
 * the front when it is to be written. The first object is held, in the mode
 * of first_shared, and stays so; the map is locked shared.
 *
 * KERN_SUCCESS: fs->m is the page, hard-busy; fs->prot is how it may be
 * mapped; the map has been locked since the lookup; when fs->ba is not the
 * first one its object still has paging in progress, until
 * vm_fault_unlock_things. Anything else: only the first object is still
 * held; KERN_TRY_AGAIN means to begin with the lookup again.
 */
int
vm_fault_object(struct faultstate *fs, vm_prot_t fault_type)
{
	int result;

	ASSERT_LWKT_TOKEN_HELD(&fs->first_ba->object->token);
	cnt_inc(v_fault_passes);
	fs->prot = fs->first_prot;
	vm_object_pip_add(fs->first_ba->object, 1);

	result = walk_chain(fs);
	SCHED_POINT("vm.fault_found");
	if (result == KERN_SUCCESS && fs->ba != fs->first_ba) {
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
	if (result == KERN_SUCCESS)
		finish_page(fs);
	else if (result == KERN_TRY_AGAIN)
		cnt_inc(v_fault_retry);
	return result;
}
