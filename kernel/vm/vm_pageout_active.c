/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The age of active pages.
 *
 * act_count goes up when the page tables say that a page was used, and down
 * at each visit that finds it unused; near zero the page becomes inactive.
 */
#include <pmap/pmap.h>
#include <vm/vm_object.h>
#include <vm/vm_pageout.h>

#define STATS_FULL 4 /* every so many visits of vm_pageout_stats see all */

/* Looks whether the page was used, and ages it. True: it was. The page is
 * hard-busy and in an object. */
static bool
age_page(vm_page_t m)
{
	int refs = 0;

	if (atomic_load_int(&m->object->ref_count) != 0)
		refs =
		    pmap_ts_referenced(m) + ((m->flags & PG_REFERENCED) != 0);
	atomic_clear_uint(&m->flags, PG_REFERENCED);
	if (refs != 0)
		m->act_count = MIN(m->act_count + ACT_ADVANCE + refs, ACT_MAX);
	else
		m->act_count -= MIN(m->act_count, ACT_DECLINE);
	return refs != 0;
}

/* Deactivates a page that is hard-busy, which ends. While memory is wanted
 * still, it is unmapped as well, and cached if it turns out clean: true. */
static bool
retire_page(vm_page_t m, bool wanted)
{
	if (wanted) {
		vm_page_protect(m, VM_PROT_NONE);
		if (m->dirty == 0 && m->hold_count == 0 &&
		    m->valid == VM_PAGE_BITS_ALL) {
			vm_page_cache(m);
			return true;
		}
	}
	vm_page_deactivate(m);
	vm_page_wakeup(m);
	return false;
}

/* One active page, hard-busy; the busy is gone afterwards. True: it is not
 * active any more. */
static bool
scan_page(struct pageout_pass *pp, vm_page_t m, bool wanted)
{
	if (m->wire_count != 0 || m->object == NULL) {
		vm_page_unqueue(m);
		vm_page_wakeup(m);
		return false;
	}
	if (age_page(m) || m->act_count > pp->pass * 2 * ACT_INIT) {
		vm_page_requeue(m);
		vm_page_wakeup(m);
		return false;
	}
	if (retire_page(m, wanted))
		pp->done++;
	cnt_inc(v_pddeact);
	return true;
}

/* See vm_pageout.h. */
int64_t
vm_pageout_scan_active(struct pageout_pass *pp, int64_t want, int64_t avail)
{
	int64_t share = pq_share(want), found = 0;
	uint32_t color = vm_page_lastcolor;

	for (int i = 0; i < (int)vm_page_colors && found < want; i++) {
		uint16_t queue = PQ_ACTIVE + (++color & (vm_page_colors - 1));
		struct pq_scan scan;
		int64_t n = 0;
		vm_page_t m;

		if (vm_page_queues[queue].lcnt == 0)
			continue;
		pq_scan_begin(&scan, queue);
		while (n < share &&
		    (m = pq_scan_next(&scan, &pp->skipped)) != NULL) {
			n += scan_page(pp, m, found + n < avail);
			lwkt_yield();
		}
		pq_scan_end(&scan);
		found += n;
	}
	return found;
}

/* Ages some pages of each active queue, and every few times all of them, if
 * there are few inactive ones: so that their ages mean something when memory
 * gets short. Pages that have not been used for long are unmapped and become
 * inactive. */
void
vm_pageout_stats(void)
{
	static uint32_t visit;
	struct pageout_pass pp = {0};
	int64_t left;

	if (vmstats.v_free_count + vmstats.v_inactive_count +
		vmstats.v_cache_count >=
	    vmstats.v_inactive_target + vmstats.v_cache_max +
		vmstats.v_free_min)
		return;
	visit++;
	for (uint16_t q = PQ_ACTIVE; q < PQ_ACTIVE + PQ_L2_SIZE; q++) {
		struct pq_scan scan;
		vm_page_t m;

		if (vm_page_queues[q].lcnt == 0)
			continue;
		pq_scan_begin(&scan, q);
		left = scan.left;
		if (visit % STATS_FULL != 0)
			left = left * vmstats.v_free_target /
				vmstats.v_page_count +
			    1;
		while (left-- > 0 &&
		    (m = pq_scan_next(&scan, &pp.skipped)) != NULL) {
			scan_page(&pp, m, false);
			lwkt_yield();
		}
		pq_scan_end(&scan);
	}
}
