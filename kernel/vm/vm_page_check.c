/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vm_check() of pages: queues, totals, busy words, wirings and the objects
 * that pages say they belong to. Quiet points only.
 */
#include <fs/ramfs.h>
#include <vm/vm_check.h>
#include <vm/vm_object.h>
#include <vm/vm_page.h>

/* Each queue's length and the queue number of its members. */
static void
check_queues(void)
{
	for (int q = PQ_FREE; q < PQ_COUNT; q++) {
		struct vpgqueues *pq = &vm_page_queues[q];
		int64_t n = 0;
		vm_page_t m;

		spin_lock(&pq->spin);
		TAILQ_FOREACH (m, &pq->pl, pageq) {
			n++;
			if (m->queue != q)
				break;
		}
		spin_unlock(&pq->spin);
		if (m != NULL)
			vm_check_fail("page %#lx is on queue %d, says %d",
			    m->phys_addr, q, m->queue);
		else if (n != pq->lcnt)
			vm_check_fail("queue %d holds %ld pages, says %ld", q,
			    n, pq->lcnt);
	}
}

/* One page by itself: what its state permits. */
static void
check_page(vm_page_t m)
{
	bool isfree = m->queue >= PQ_FREE && m->queue < PQ_INACTIVE;

	if (m->busy_count != 0)
		vm_check_fail("page %#lx is busy at rest (%#x)", m->phys_addr,
		    m->busy_count);
	if (isfree &&
	    (m->object != NULL || m->wire_count != 0 || m->hold_count != 0 ||
		(m->flags & PG_MAPPED) != 0))
		vm_check_fail("page %#lx is free, yet object %p, wired %u, "
			      "held %d, flags %#x",
		    m->phys_addr, (void *)m->object, m->wire_count,
		    m->hold_count, m->flags);
	if (m->wire_count != 0 && m->queue != PQ_NONE)
		vm_check_fail("page %#lx is wired %u times and on queue %d",
		    m->phys_addr, m->wire_count, m->queue);
	if (m->object == NULL && m->queue == PQ_NONE && m->wire_count == 0)
		vm_check_fail("page %#lx is lost: no object, no queue, "
			      "not wired",
		    m->phys_addr);
	if (m->hold_count < 0)
		vm_check_fail(
		    "page %#lx has hold_count %d", m->phys_addr, m->hold_count);
}

/* A page in an object is the one that the object finds at its index. */
static void
check_membership(vm_page_t m)
{
	vm_object_t object = m->object;

	vm_object_hold_shared(object);
	if (vm_page_lookup(object, m->pindex) != m)
		vm_check_fail("page %#lx says object %u index %lu, which has "
			      "another",
		    m->phys_addr, object->id, m->pindex);
	if (m->pindex >= object->size && m->wire_count == 0)
		vm_check_fail("page %#lx at index %lu is beyond object %u's "
			      "size %lu",
		    m->phys_addr, m->pindex, object->id, object->size);
	if (object->type == OBJT_VNODE &&
	    !ramfs_intact(object->handle, (uint64_t)m->pindex << PAGE_SHIFT,
		(const void *)PHYS_TO_DMAP(m->phys_addr)))
		vm_check_fail("page %#lx at index %lu of object %u is not what "
			      "the initramfs has",
		    m->phys_addr, m->pindex, object->id);
	vm_object_drop(object);
}

/* Every page against every rule, and the totals against the sums. */
void
vm_page_check(void)
{
	int64_t total = 0, wired = 0, kinds[5] = {0};

	check_queues();
	for (int64_t i = 0; i < vm_page_array_size; i++) {
		vm_page_t m = &vm_page_array[i];

		if (m->flags & PG_FICTITIOUS)
			continue;
		total++;
		wired += m->wire_count != 0;
		if (m->queue != PQ_NONE)
			kinds[(m->queue - PQ_FREE) / PQ_L2_SIZE]++;
		check_page(m);
		if (m->object != NULL)
			check_membership(m);
	}
	if (total != vmstats.v_page_count)
		vm_check_fail("%ld pages found, v_page_count is %ld", total,
		    vmstats.v_page_count);
	if (wired != vmstats.v_wire_count)
		vm_check_fail("%ld pages are wired, v_wire_count is %ld", wired,
		    vmstats.v_wire_count);
	if (kinds[0] != vmstats.v_free_count ||
	    kinds[1] != vmstats.v_inactive_count ||
	    kinds[2] != vmstats.v_active_count ||
	    kinds[3] != vmstats.v_cache_count)
		vm_check_fail("queues hold %ld free %ld inactive %ld active "
			      "%ld cache; the totals say %ld %ld %ld %ld",
		    kinds[0], kinds[1], kinds[2], kinds[3],
		    vmstats.v_free_count, vmstats.v_inactive_count,
		    vmstats.v_active_count, vmstats.v_cache_count);
}
