/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pv entries: the tree of a pmap, the lock in each, and placemarkers, which
 * lock an index that has no pv.
 */
#include <kern/rbtree.h>
#include <pmap/pmap_var.h>

struct zone pv_zone;

/* The order of the tree: by index. */
static inline int
pv_entry_compare(struct pv_entry *a, struct pv_entry *b)
{
	if (a->pv_pindex < b->pv_pindex)
		return -1;
	return a->pv_pindex > b->pv_pindex;
}

RB_GENERATE(pv_entry_rb_tree, pv_entry, pv_entry, pv_entry_compare);

/* Live pv entries of all pmaps. */
int64_t
pmap_pv_inuse(void)
{
	return pv_zone.z_inuse;
}

/* What pv_lookup() does when the hint is not the pv itself: the hint's successor
 * answers most questions of a walk by ascending addresses, also the question
 * that ends in "there is none". */
pv_entry_t
pv_search(pmap_t pmap, vm_pindex_t pindex, pv_entry_t *hint)
{
	pv_entry_t pv, next;

	if (hint != NULL && *hint != NULL && (*hint)->pv_pindex < pindex) {
		next = RB_NEXT(pv_entry_rb_tree, &pmap->pm_pvroot, *hint);
		if (next == NULL || next->pv_pindex > pindex)
			return NULL;
		if (next->pv_pindex == pindex)
			return *hint = next;
	}
	pv = RB_ROOT(&pmap->pm_pvroot);
	while (pv != NULL && pv->pv_pindex != pindex) {
		if (pindex < pv->pv_pindex)
			pv = RB_LEFT(pv, pv_entry);
		else
			pv = RB_RIGHT(pv, pv_entry);
	}
	if (pv != NULL && hint != NULL)
		*hint = pv;
	return pv;
}

/* Puts a new pv in, which has just been looked for in vain. Mostly the hint is
 * the one next below. pm_spin held. */
static void
pv_insert(pmap_t pmap, pv_entry_t pv, pv_entry_t *hint)
{
	if (hint != NULL && *hint != NULL &&
	    (*hint)->pv_pindex + 1 == pv->pv_pindex)
		RB_INSERT_BEHIND(
		    pv_entry_rb_tree, &pmap->pm_pvroot, *hint, pv, pv_entry);
	else
		RB_INSERT(pv_entry_rb_tree, &pmap->pm_pvroot, pv);
	if (hint != NULL)
		*hint = pv;
}

/* The pv with the lowest index that is not below pindex, or NULL. pm_spin
 * held. */
pv_entry_t
pv_nfind(pmap_t pmap, vm_pindex_t pindex)
{
	pv_entry_t pv = RB_ROOT(&pmap->pm_pvroot), best = NULL;

	while (pv != NULL && pv->pv_pindex != pindex) {
		if (pindex < pv->pv_pindex) {
			best = pv;
			pv = RB_LEFT(pv, pv_entry);
		} else {
			pv = RB_RIGHT(pv, pv_entry);
		}
	}
	return pv != NULL ? pv : best;
}

/*
 * Adds a hold and, if the pv is not locked, locks it; whether it did. In
 * either case the hold stays. pm_spin or the page's m->spin is held: it is
 * what keeps the pv from being freed before the hold counts.
 */
bool
pv_hold_try(pv_entry_t pv)
{
	uint32_t count = atomic_load_uint(&pv->pv_hold);

	for (;;) {
		uint32_t lock = ~count & PV_HOLD_LOCKED;

		if (!atomic_fcmpset_uint(
			&pv->pv_hold, &count, (count + 1) | lock))
			continue;
		if (lock != 0)
			witness_got(
			    WK_PV, pv, pv_lock_name(pv->pv_pindex), false);
		return lock != 0;
	}
}

/* Somebody waited for the pv, or nobody has a hold of it any more. was is its
 * word before that. */
static __noinline void
pv_released(pv_entry_t pv, uint32_t was, uint32_t is)
{
	if (was & ~is & PV_HOLD_WAITING)
		wakeup(pv);
	if ((is & PV_HOLD_MASK) == 0) {
		KKASSERT((pv->pv_hold & PV_HOLD_DELETED) != 0);
		cnt_inc(v_pv_free);
		zfree(&pv_zone, pv);
	}
}

/* Gives up n holds and, if locked is set, the lock, waking who waits. The
 * last hold frees the pv. No spinlock held. */
static inline void
pv_release(pv_entry_t pv, uint32_t n, bool locked)
{
	uint32_t clear = locked ? PV_HOLD_LOCKED | PV_HOLD_WAITING : 0;
	uint32_t count = atomic_load_uint(&pv->pv_hold), ncount;

	SCHED_POINT("pmap.pv_release");
	if (locked)
		witness_gone(WK_PV, pv);
	do {
		KKASSERT((count & PV_HOLD_MASK) >= n);
		KKASSERT(!locked || (count & PV_HOLD_LOCKED) != 0);
		ncount = (count - n) & ~clear;
	} while (!atomic_fcmpset_uint(&pv->pv_hold, &count, ncount));

	SCHED_POINT("pmap.pv_released");
	if (unlikely((count & clear & PV_HOLD_WAITING) != 0 ||
		(ncount & PV_HOLD_MASK) == 0))
		pv_released(pv, count, ncount);
}

/*
 * Sleeps until the pv, of which the caller has a hold but not the lock, has
 * been unlocked, and drops the hold. The pv may be gone then: look again.
 */
void
pv_wait(pv_entry_t pv)
{
	uint32_t count;

	witness_want(WK_PV, pv, pv_lock_name(pv->pv_pindex));
	while (
	    ((count = atomic_load_uint(&pv->pv_hold)) & PV_HOLD_LOCKED) != 0) {
		/* Armed first: an unlock that comes before the waiter bit
		 * makes the cmpset fail, one that comes after it wakes us. */
		tsleep_interlock(pv, 0);
		SCHED_POINT("pmap.pv_armed");
		if (atomic_cmpset_uint(
			&pv->pv_hold, count, count | PV_HOLD_WAITING)) {
			SCHED_POINT("pmap.pv_sleep");
			tsleep(pv, PINTERLOCKED, "pvwait", 0);
			break;
		}
		tsleep_remove(curthread);
	}
	pv_release(pv, 1, false);
}

/* Unlocks a pv and drops the caller's hold. */
void
pv_put(pv_entry_t pv)
{
	KKASSERT(pv->pv_m != NULL || (pv->pv_hold & PV_HOLD_DELETED) != 0);
	pv_release(pv, 1, true);
}

/*
 * Takes a locked pv out of its pmap, and its entry's wiring off pvp (which
 * may be NULL: it wired nothing); unlocks and drops it. Its page has been
 * taken off already. Who waits for it will find that it is gone.
 */
void
pv_free(pv_entry_t pv, pv_entry_t pvp)
{
	pmap_t pmap = pv->pv_pmap;

	KKASSERT(pv->pv_m == NULL && (pv->pv_hold & PV_HOLD_LOCKED) != 0);
	SCHED_POINT("pmap.pv_free");
	spin_lock(&pmap->pm_spin);
	if (pmap->pm_pvhint_pt == pv)
		pmap->pm_pvhint_pt = NULL;
	if (pmap->pm_pvhint_pte == pv)
		pmap->pm_pvhint_pte = NULL;
	RB_REMOVE(pv_entry_rb_tree, &pmap->pm_pvroot, pv);
	atomic_set_uint(&pv->pv_hold, PV_HOLD_DELETED);
	spin_unlock(&pmap->pm_spin);
	if (pvp != NULL)
		pv_unwire(pvp);
	pv_release(pv, 2, true);
}

/*
 * The slot of an index. Each level has slots of its own, so that waiting
 * for one keeps to the order of levels; indexes of a level share them.
 */
static vm_pindex_t *
pmap_placemarker_hash(pmap_t pmap, vm_pindex_t pindex)
{
	int zone = MIN((int)pv_level(pindex), (int)PVL_PDP);

	return &pmap->pm_placemarks[zone * PM_PLACE_BASE +
	    (int)(pindex & (PM_PLACE_BASE - 1))];
}

/* Sleeps until the slot was released, unless it is free now. Holds no
 * spinlock. The index may be anybody's afterwards: look again. */
void
pv_placemarker_wait(vm_pindex_t *pmark)
{
	vm_pindex_t mark;

	/* Armed before looking, and the waiter bit set only on the very
	 * value seen: a release, or a release and a new owner, in between
	 * makes the cmpset fail, so no owner can be there that does not know
	 * of us. */
	tsleep_interlock(pmark, 0);
	SCHED_POINT("pmap.mark_armed");
	mark = atomic_load_ulong(pmark);
	SCHED_POINT("pmap.mark_looked");
	if (mark != PM_NOPLACEMARK &&
	    atomic_cmpset_ulong(pmark, mark, mark | PM_PLACEMARK_WAKEUP)) {
		SCHED_POINT("pmap.mark_sleep");
		cnt_inc(v_placemark_wait);
		tsleep(pmark, PINTERLOCKED, "pvplw", 0);
	} else {
		tsleep_remove(curthread);
	}
}

/* Releases a slot that the caller owns. */
void
pv_placemarker_wakeup(vm_pindex_t *pmark)
{
	vm_pindex_t mark;

	witness_gone(WK_PV, pmark);
	mark = atomic_swap_ulong(pmark, PM_NOPLACEMARK);
	KKASSERT(mark != PM_NOPLACEMARK);
	SCHED_POINT("pmap.mark_released");
	if ((mark & PM_PLACEMARK_WAKEUP) != 0)
		wakeup(pmark);
}

/*
 * The pv of an index, locked and held; a new one (isnew), in the tree and
 * without a page, when there was none. With M_NOWAIT it gives up, NULL,
 * where it would sleep: for the lock, for a placemarker, for memory.
 */
pv_entry_t
pv_alloc(pmap_t pmap, vm_pindex_t pindex, int flags, bool *isnew)
{
	pv_entry_t pv, pnew = NULL;
	vm_pindex_t *pmark;

	*isnew = false;
	if ((flags & M_NOWAIT) == 0)
		witness_want(WK_PV, pmap_placemarker_hash(pmap, pindex),
		    pv_lock_name(pindex));
	for (;;) {
		SCHED_POINT("pmap.pv_alloc");
		spin_lock(&pmap->pm_spin);
		pv = pv_lookup(pmap, pindex);
		if (pv != NULL) {
			bool locked = pv_hold_try(pv);

			spin_unlock(&pmap->pm_spin);
			if (locked)
				break;
			if (flags & M_NOWAIT) {
				pv_release(pv, 1, false);
				pv = NULL;
				break;
			}
			pv_wait(pv);
			continue;
		}
		pmark = pmap_placemarker_hash(pmap, pindex);
		if (((atomic_load_ulong(pmark) ^ pindex) &
			~PM_PLACEMARK_WAKEUP) == 0) {
			/* A marker is taken under pm_spin only, so who finds
			 * none here may insert without taking it. */
			spin_unlock(&pmap->pm_spin);
			if (flags & M_NOWAIT)
				break;
			pv_placemarker_wait(pmark);
		} else if (pnew == NULL &&
		    (pnew = zalloc(&pv_zone, M_NOWAIT)) == NULL) {
			spin_unlock(&pmap->pm_spin);
			pnew = zalloc(&pv_zone, flags);
			if (pnew == NULL)
				break;
		} else {
			pnew->pv_pmap = pmap;
			pnew->pv_pindex = pindex;
			pnew->pv_m = NULL;
			pnew->pv_flags = 0;
			pnew->pv_hold = PV_HOLD_LOCKED | 2;
			witness_got(WK_PV, pnew, pv_lock_name(pindex), false);
			pv_insert(pmap, pnew, pv_hint(pmap, pindex));
			spin_unlock(&pmap->pm_spin);
			cnt_inc(v_pv_alloc);
			*isnew = true;
			return pnew;
		}
	}
	if (pnew != NULL)
		zfree(&pv_zone, pnew);
	return pv;
}

/*
 * Locks an index. Its pv, locked and held, when it has one. Else NULL, and
 * the index is locked by a placemarker, returned in *pmarkp; with pmarkp
 * NULL it is not locked. May sleep.
 */
pv_entry_t
pv_get(pmap_t pmap, vm_pindex_t pindex, vm_pindex_t **pmarkp)
{
	vm_pindex_t *pmark = pmap_placemarker_hash(pmap, pindex), mark;
	pv_entry_t pv;

	witness_want(WK_PV, pmark, pv_lock_name(pindex));
	for (;;) {
		bool done;

		SCHED_POINT("pmap.pv_get");
		spin_lock(&pmap->pm_spin);
		pv = pv_lookup(pmap, pindex);
		if (pv != NULL) {
			done = pv_hold_try(pv);
			spin_unlock(&pmap->pm_spin);
			if (done)
				return pv;
			pv_wait(pv);
			continue;
		}
		if (pmarkp != NULL) {
			done =
			    atomic_cmpset_ulong(pmark, PM_NOPLACEMARK, pindex);
			*pmarkp = pmark;
		} else {
			mark = atomic_load_ulong(pmark);
			done = (mark & ~PM_PLACEMARK_WAKEUP) != pindex;
		}
		spin_unlock(&pmap->pm_spin);
		if (done && pmarkp != NULL)
			witness_got(WK_PV, pmark, pv_lock_name(pindex), false);
		if (done)
			return NULL;
		pv_placemarker_wait(pmark);
	}
}

/*
 * pv_get for one who holds a lock of a later level and must not sleep. When
 * *busyp comes back true nothing is locked, and the caller, after releasing
 * what it has, waits: pv_wait() for the pv returned, or when it is NULL
 * pv_placemarker_wait() for *pmarkp.
 */
pv_entry_t
pv_get_try(pmap_t pmap, vm_pindex_t pindex, vm_pindex_t **pmarkp, bool *busyp)
{
	pv_entry_t pv;

	SCHED_POINT("pmap.pv_get_try");
	spin_lock(&pmap->pm_spin);
	pv = pv_lookup(pmap, pindex);
	if (pv != NULL) {
		*busyp = !pv_hold_try(pv);
	} else {
		*pmarkp = pmap_placemarker_hash(pmap, pindex);
		*busyp = !atomic_cmpset_ulong(*pmarkp, PM_NOPLACEMARK, pindex);
		if (!*busyp)
			witness_got(
			    WK_PV, *pmarkp, pv_lock_name(pindex), false);
	}
	spin_unlock(&pmap->pm_spin);
	return pv;
}
