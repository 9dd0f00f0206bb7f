/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The pageout daemon's work on inactive, cached and held pages.
 *
 * A page that was used goes back to the active ones. A clean one goes to the
 * cache, where it is as good as free and still keeps its data. A dirty one
 * has to be written first, which is much dearer: so it goes round the queue
 * once more before that (PG_WINATCFLS), unless memory is shorter than that.
 * When it has been written it is a clean page, for a later pass.
 *
 * Each pass begins with the colours that allocation will come to next: when
 * there are fewer free pages than colours, it would have to search for long
 * else.
 */
#include <pmap/pmap.h>
#include <vm/vm_object.h>
#include <vm/vm_pageout.h>

/* Ends the busy of a page that stays inactive, as the last one in line. */
static int64_t
leave(vm_page_t m)
{
	vm_page_requeue(m);
	vm_page_wakeup(m);
	return 0;
}

/* Was the page used since the last look? Then it is active. An object
 * without references has nobody who could have used it in earnest. */
static bool
reactivate(vm_page_t m)
{
	int refs;

	if (atomic_load_int(&m->object->ref_count) == 0) {
		atomic_clear_uint(&m->flags, PG_REFERENCED);
		pmap_clear_reference(m);
		return false;
	}
	SCHED_POINT("vm.pageout_referenced");
	refs = pmap_ts_referenced(m);
	if (m->flags & PG_REFERENCED) {
		atomic_clear_uint(&m->flags, PG_REFERENCED);
		refs++;
	}
	if (refs == 0)
		return false;
	vm_page_activate(m);
	m->act_count = MIN(m->act_count + refs + ACT_ADVANCE, ACT_MAX);
	cnt_inc(v_reactivated);
	vm_page_wakeup(m);
	return true;
}

/* Frees a page without data. */
static int64_t
free_invalid(struct pageout_pass *pp, vm_page_t m)
{
	vm_object_t object = m->object;

	if (!vm_object_hold_try(object)) {
		pp->skipped++;
		return leave(m);
	}
	vm_page_protect(m, VM_PROT_NONE);
	vm_page_free(m);
	vm_object_drop(object);
	cnt_inc(v_dfree);
	return 1;
}

/* Does what is to be done with one inactive page, hard-busy; the busy is
 * gone afterwards. How many pages it has freed, cached or begun to write. */
static int64_t
pageout_page(struct pageout_pass *pp, vm_page_t m)
{
	if (m->wire_count != 0 || m->object == NULL) {
		vm_page_unqueue(m);
		vm_page_wakeup(m);
		return 0;
	}
	/* Held: somebody reads or writes it by its address. */
	if (m->hold_count != 0)
		return leave(m);
	if (reactivate(m))
		return 0;
	if (m->valid == 0)
		return free_invalid(pp, m);
	SCHED_POINT("vm.pageout_test");
	vm_page_test_dirty(m);
	if (m->dirty == 0 && (m->flags & PG_NEED_COMMIT) == 0) {
		vm_page_cache(m);
		return 1;
	}
	if ((m->flags & PG_WINATCFLS) == 0 && pp->pass == 0) {
		atomic_set_uint(&m->flags, PG_WINATCFLS);
		return leave(m);
	}
	if (pp->launder <= 0)
		return leave(m);
	return vm_pageout_clean(pp, m);
}

/* One inactive queue. */
static int64_t
scan_queue(struct pageout_pass *pp, uint16_t queue, int64_t want)
{
	struct pq_scan scan;
	int64_t found = 0;
	vm_page_t m;

	if (vm_page_queues[queue].lcnt == 0)
		return 0;
	pq_scan_begin(&scan, queue);
	while (
	    found < want && (m = pq_scan_next(&scan, &pp->skipped)) != NULL) {
		found += pageout_page(pp, m);
		lwkt_yield();
	}
	pq_scan_end(&scan);
	return found;
}

/* See vm_pageout.h. */
int64_t
vm_pageout_scan_inactive(struct pageout_pass *pp, int64_t want)
{
	int64_t share = pq_share(want), found = 0;
	uint32_t color = vm_page_lastcolor;

	for (int i = 0; i < (int)vm_page_colors && found < want; i++) {
		found += scan_queue(pp,
		    PQ_INACTIVE + (++color & (vm_page_colors - 1)),
		    MIN(share, want - found));
	}
	pp->done += found;
	return found;
}

/* Frees cached pages until there are enough free ones for those who cannot
 * take from the cache themselves. */
void
vm_pageout_scan_cache(void)
{
	uint32_t color = vm_page_lastcolor;

	while (vmstats.v_free_count <
		(vmstats.v_free_min + vmstats.v_free_target) / 2 &&
	    vm_page_cache_free(++color & (vm_page_colors - 1)) >= 0)
		cnt_inc(v_dfree);
}

/* Pages that were freed while held, and whose last hold ended just before
 * they came to their queue. */
void
vm_pageout_scan_hold(void)
{
	for (uint16_t q = PQ_HOLD; q < PQ_HOLD + PQ_L2_SIZE; q++) {
		struct vpgqueues *pq = &vm_page_queues[q];
		vm_page_t m;

		if (pq->lcnt == 0)
			continue;
		spin_lock(&pq->spin);
		TAILQ_FOREACH (m, &pq->pl, pageq) {
			if (m->hold_count == 0)
				break;
		}
		if (m != NULL)
			vm_page_hold(m);
		spin_unlock(&pq->spin);
		if (m != NULL)
			vm_page_unhold(m);
	}
}
