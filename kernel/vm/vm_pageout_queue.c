/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Walking a page queue while others use it.
 *
 * The place is kept by a marker in the queue: the lock is given up for each
 * page. Pages are locked against the order here (queue, then page's busy
 * word), and so only tried.
 */
#include <kern/kstring.h>
#include <vm/vm_pageout.h>

/* See vm_pageout.h. */
int64_t
pq_share(int64_t n)
{
	return howmany(n, vm_page_colors);
}

/* Puts the marker at the head of the queue. */
void
pq_scan_begin(struct pq_scan *scan, uint16_t queue)
{
	struct vpgqueues *pq = &vm_page_queues[queue];

	memset(&scan->marker, 0, sizeof(scan->marker));
	scan->marker.flags = PG_FICTITIOUS | PG_MARKER;
	scan->marker.busy_count = PBUSY_LOCKED;
	scan->marker.queue = queue;
	spin_lock(&pq->spin);
	TAILQ_INSERT_HEAD(&pq->pl, &scan->marker, pageq);
	scan->left = pq->lcnt;
	spin_unlock(&pq->spin);
}

/* The next page that could be hard-busied; the caller ends the busy. Each
 * page that was there in the beginning comes once at most. */
vm_page_t
pq_scan_next(struct pq_scan *scan, int64_t *skipped)
{
	struct vpgqueues *pq = &vm_page_queues[scan->marker.queue];
	vm_page_t m;

	spin_lock(&pq->spin);
	while ((m = TAILQ_NEXT(&scan->marker, pageq)) != NULL) {
		if ((m->flags & PG_MARKER) == 0 && scan->left-- <= 0) {
			m = NULL;
			break;
		}
		TAILQ_REMOVE(&pq->pl, &scan->marker, pageq);
		TAILQ_INSERT_AFTER(&pq->pl, m, &scan->marker, pageq);
		if (m->flags & PG_MARKER)
			continue;
		cnt_inc(v_pdpages);
		if (!vm_page_busy_try(m, true))
			break;
		++*skipped;
	}
	spin_unlock(&pq->spin);
	return m;
}

/* Takes the marker away. */
void
pq_scan_end(struct pq_scan *scan)
{
	struct vpgqueues *pq = &vm_page_queues[scan->marker.queue];

	spin_lock(&pq->spin);
	TAILQ_REMOVE(&pq->pl, &scan->marker, pageq);
	spin_unlock(&pq->spin);
}
