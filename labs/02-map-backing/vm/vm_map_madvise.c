/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Advice on ranges, with Linux's meanings: some of it is no mere advice.
 *
 * MADV_DONTNEED promises that private memory reads as if freshly mapped. An
 * object that is the entry's alone is emptied. Where the pages belong to
 * others too, or lie further down a chain, that cannot be; so the entry then
 * gets what a fresh mapping would have: no object, or the bare file.
 */
#include <linux/errno.h>
#include <linux/mman.h>

#include <vm/vm_map.h>

/* What a piece of advice is to be done with. */
enum advice_kind {
	ADV_INVALID,
	ADV_NOTHING, /* nothing that this VM could make use of */
	ADV_EFLAGS,  /* sets or clears a flag of the entry */
	ADV_OBJECT,  /* goes to the objects */
	ADV_DISCARD, /* MADV_DONTNEED */
	ADV_REMOVE,  /* MADV_REMOVE */
	ADV_VPT,     /* virtual page tables */
};

static enum advice_kind
advice_kind(int behav)
{
	switch (behav) {
	case MADV_MERGEABLE:
	case MADV_UNMERGEABLE:
	case MADV_HUGEPAGE:
	case MADV_NOHUGEPAGE:
		return ADV_NOTHING;
	case MADV_NORMAL:
	case MADV_RANDOM:
	case MADV_SEQUENTIAL:
	case MADV_DONTFORK:
	case MADV_DOFORK:
	case MADV_WIPEONFORK:
	case MADV_KEEPONFORK:
	case MADV_DONTDUMP:
	case MADV_DODUMP:
		return ADV_EFLAGS;
	case MADV_WILLNEED:
	case MADV_FREE:
	case MADV_COLD:
	case MADV_PAGEOUT:
		return ADV_OBJECT;
	case MADV_DONTNEED:
	case MADV_DONTNEED_LOCKED:
		return ADV_DISCARD;
	case MADV_REMOVE:
		return ADV_REMOVE;
	case MADV_INVAL:
	case MADV_SETMAP:
		return ADV_VPT;
	default:
		return ADV_INVALID;
	}
}

/* Whether the entry is private memory that no file is behind. */
static bool
entry_is_private_anon(vm_map_entry_t entry)
{
	vm_ooffset_t off;
	vm_object_t object;

	if (entry->inheritance == VM_INHERIT_SHARE)
		return false;
	object = vm_map_entry_file(entry, &off);
	if (object == NULL)
		return true;
	vm_object_drop(object);
	return false;
}

/*
 * Empties s..e of a private entry's own object, if that is enough for the
 * range to be as new: true. The object is anonymous, the pages are unmapped.
 */
static bool
discard_pages(vm_map_entry_t entry, vm_offset_t s, vm_offset_t e)
{
	vm_object_t object = entry->ba.object;
	vm_pindex_t first = OFF_TO_IDX(entry->ba.offset + (s - entry->start));

	if (entry->ba.backing_ba != NULL)
		return false;
	if (object->ref_count != 1 &&
	    ((entry->eflags & MAP_ENTRY_NEEDS_COPY) ||
		(object->flags & OBJ_ONEMAPPING) == 0))
		return false;
	vm_object_page_remove(object, first, first + OFF_TO_IDX(e - s), false);
	return true;
}

/*
 * Makes the entry, all of it, what a fresh mapping would be: of the file at
 * the bottom of its chain, or of nothing. Exclusive lock; may sleep.
 */
static void
discard_object(vm_map_t map, vm_map_entry_t entry)
{
	struct vm_map_backing old = entry->ba;
	vm_object_t file;
	vm_ooffset_t off = 0;

	file = vm_map_entry_file(entry, &off);
	if (file != NULL) {
		vm_object_reference_quick(file);
		vm_object_drop(file);
		entry->eflags |= MAP_ENTRY_COW | MAP_ENTRY_NEEDS_COPY;
	} else {
		entry->eflags &= ~(MAP_ENTRY_COW | MAP_ENTRY_NEEDS_COPY);
	}
	entry->ba = (struct vm_map_backing){.object = file, .offset = off};
	vm_object_deallocate(old.object);
	vm_map_backing_drop(old.backing_ba);
	vm_map_simplify_entry(map, entry);
}

/*
 * MADV_DONTNEED on s..e of an entry, which may be cut, or joined with others,
 * for it. Exclusive lock; may sleep.
 */
static void
advise_discard(vm_map_t map, vm_map_entry_t entry, vm_offset_t s, vm_offset_t e)
{
	vm_object_t object = entry->ba.object;

	vm_map_entry_suspend(map, entry);
	pmap_remove(map->pmap, s, e);
	if (object == NULL || entry->inheritance == VM_INHERIT_SHARE ||
	    !OBJT_IS_ANON(object->type) || discard_pages(entry, s, e))
		return;
	vm_map_clip_start(map, entry, s);
	vm_map_clip_end(map, entry, e);
	discard_object(map, entry);
}

/* MADV_REMOVE: takes the pages out of shared memory, for everybody. */
static int
advise_remove(vm_map_entry_t entry, vm_offset_t s, vm_offset_t e)
{
	vm_object_t object = entry->ba.object;
	vm_pindex_t first = OFF_TO_IDX(entry->ba.offset + (s - entry->start));

	if (entry->eflags & MAP_ENTRY_USER_WIRED)
		return EINVAL;
	if (entry->inheritance != VM_INHERIT_SHARE)
		return entry_is_private_anon(entry) ? EINVAL : EACCES;
	if ((entry->max_protection & VM_PROT_WRITE) == 0)
		return EACCES;
	if (object == NULL)
		return 0;
	/* No file system here can punch holes. */
	if (!OBJT_IS_ANON(object->type))
		return EOPNOTSUPP;
	vm_object_hold(object);
	vm_object_page_remove(object, first, first + OFF_TO_IDX(e - s), false);
	vm_object_drop(object);
	return 0;
}

/* Advice that the entry itself remembers; it has been cut to size. */
static int
advise_eflags(vm_map_entry_t entry, int behav)
{
	const vm_eflags_t behav_mask =
	    MAP_ENTRY_BEHAV_SEQ | MAP_ENTRY_BEHAV_RANDOM;

	switch (behav) {
	case MADV_NORMAL:
		entry->eflags &= ~behav_mask;
		break;
	case MADV_RANDOM:
		entry->eflags &= ~behav_mask;
		entry->eflags |= MAP_ENTRY_BEHAV_RANDOM;
		break;
	case MADV_SEQUENTIAL:
		entry->eflags &= ~behav_mask;
		entry->eflags |= MAP_ENTRY_BEHAV_SEQ;
		break;
	case MADV_DONTFORK:
		entry->eflags |= MAP_ENTRY_NOFORK;
		break;
	case MADV_DOFORK:
		entry->eflags &= ~MAP_ENTRY_NOFORK;
		break;
	case MADV_WIPEONFORK:
		if (!entry_is_private_anon(entry))
			return EINVAL;
		entry->eflags |= MAP_ENTRY_WIPEONFORK;
		break;
	case MADV_KEEPONFORK:
		entry->eflags &= ~MAP_ENTRY_WIPEONFORK;
		break;
	case MADV_DONTDUMP:
		entry->eflags |= MAP_ENTRY_NOCOREDUMP;
		break;
	case MADV_DODUMP:
		entry->eflags &= ~MAP_ENTRY_NOCOREDUMP;
		break;
	}
	return 0;
}

/* Advice for the objects, s..e of an entry. The lock is shared. */
static int
advise_object(
    vm_map_t map, vm_map_entry_t entry, vm_offset_t s, vm_offset_t e, int behav)
{
	vm_object_t object = entry->ba.object;
	vm_pindex_t first = OFF_TO_IDX(entry->ba.offset + (s - entry->start));

	if (behav == MADV_FREE && !entry_is_private_anon(entry))
		return EINVAL;
	if (behav != MADV_WILLNEED && (entry->eflags & MAP_ENTRY_USER_WIRED))
		return EINVAL;
	if (object == NULL)
		return 0;
	/* Until it is copied, it is another's memory as well; and with
	 * something behind it, what was there before would be seen again. */
	if (behav == MADV_FREE &&
	    ((entry->eflags & MAP_ENTRY_NEEDS_COPY) ||
		entry->ba.backing_ba != NULL))
		return 0;
	vm_object_madvise(object, first, OFF_TO_IDX(e - s),
	    behav == MADV_PAGEOUT ? MADV_COLD : behav);
	if (behav == MADV_WILLNEED)
		pmap_object_init_pt(map->pmap, s, entry->protection, object,
		    first, e - s, MAP_PREFAULT);
	return 0;
}

/* MADV_SETMAP: another root of the virtual page table, for s..e of an entry.
 * EINVAL: it is not for such an entry, or its pages are locked. Exclusive
 * lock; may sleep. */
static int
advise_setmap(vm_map_t map, vm_map_entry_t entry, vm_offset_t s, vm_offset_t e,
    uint64_t value)
{
	if (entry->maptype != VM_MAPTYPE_VPAGETABLE ||
	    (entry->eflags & MAP_ENTRY_USER_WIRED))
		return EINVAL;
	vm_map_clip_start(map, entry, s);
	vm_map_clip_end(map, entry, e);
	entry->aux.master_pde = value;
	pmap_remove(map->pmap, s, e);
	vm_map_simplify_entry(map, entry);
	return 0;
}

/* MADV_INVAL: what is mapped in s..e of an entry is to be looked up in the
 * table again. The lock is shared with faults, hence the interlock: see
 * vm_fault.c. EINVAL: the pages are locked. May sleep. */
static int
advise_inval(vm_map_t map, vm_map_entry_t entry, vm_offset_t s, vm_offset_t e)
{
	struct vm_map_ilock ilock;

	if (entry->eflags & MAP_ENTRY_USER_WIRED)
		return EINVAL;
	vm_map_interlock(map, &ilock, s, e);
	pmap_remove(map->pmap, s, e);
	vm_map_deinterlock(map, &ilock);
	return 0;
}

/* One entry's share, s..e, of the advice. The entry may be gone afterwards.
 * An errno. */
static int
advise_entry(vm_map_t map, vm_map_entry_t entry, vm_offset_t s, vm_offset_t e,
    int behav, uint64_t value)
{
	enum advice_kind kind = advice_kind(behav);
	int error;

	/* Advice about pages by their address is not for what is not
	 * linear. */
	if (entry->maptype != VM_MAPTYPE_NORMAL &&
	    (kind == ADV_DISCARD || kind == ADV_REMOVE || kind == ADV_OBJECT))
		return 0;
	switch (kind) {
	case ADV_DISCARD:
		if (behav == MADV_DONTNEED &&
		    (entry->eflags & MAP_ENTRY_USER_WIRED))
			return EINVAL;
		advise_discard(map, entry, s, e);
		return 0;
	case ADV_REMOVE:
		return advise_remove(entry, s, e);
	case ADV_EFLAGS:
		vm_map_clip_start(map, entry, s);
		vm_map_clip_end(map, entry, e);
		error = advise_eflags(entry, behav);
		vm_map_simplify_entry(map, entry);
		return error;
	case ADV_OBJECT:
		return advise_object(map, entry, s, e, behav);
	case ADV_VPT:
		if (behav == MADV_SETMAP)
			return advise_setmap(map, entry, s, e, value);
		return advise_inval(map, entry, s, e);
	default:
		return 0;
	}
}

/*
 * madvise(2) on start..end. As in Linux: holes are passed over, and ENOMEM
 * tells of them when all the rest is done; what an entry cannot do ends it
 * at once, with EINVAL mostly. Takes the lock; may sleep.
 */
int
vm_map_madvise(
    vm_map_t map, vm_offset_t start, vm_offset_t end, int behav, uint64_t value)
{
	enum advice_kind kind = advice_kind(behav);
	vm_offset_t at = start, e;
	vm_map_entry_t entry;
	int error = 0, hole = 0;

	if (kind == ADV_INVALID)
		return EINVAL;
	/* Changes of entries, and of objects that entries rely on. */
	if (kind == ADV_EFLAGS || kind == ADV_DISCARD || behav == MADV_SETMAP) {
		vm_map_lock(map);
		while (vm_map_transition_drain(map, start, end))
			;
	} else {
		vm_map_lock_read(map);
	}
	while (at < end) {
		entry = vm_map_entry_from(map, at);
		if (entry == NULL || entry->start > at) {
			hole = ENOMEM;
			if (entry == NULL || entry->start >= end)
				break;
			at = entry->start;
		}
		e = MIN(end, entry->end);
		error = advise_entry(map, entry, at, e, behav, value);
		if (error != 0)
			break;
		at = e;
	}
	vm_map_unlock(map);
	if (behav == MADV_DONTNEED_LOCKED)
		vm_map_rewire(map, start, end);
	return error != 0 ? error : hole;
}
