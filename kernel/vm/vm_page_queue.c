/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Page queues: five kinds of PQ_L2_SIZE queues, one a colour. Colours keep
 * neighbouring pages of an object apart in the caches, and keep CPUs apart
 * from each other: each CPU allocates from its own slice of the colours
 * first and looks wider only when that is empty. Of little RAM there are
 * fewer colours, so that there are some pages of each.
 */
#include <kern/kstring.h>
#include <san/kasan.h>
#include <vm/vm_object.h>
#include <vm/vm_page.h>
#include <vm/vm_pageout.h>

struct vpgqueues vm_page_queues[PQ_COUNT];
struct vmstats vmstats;
uint32_t vm_page_colors = PQ_L2_SIZE;
volatile uint16_t vm_page_lastcolor;

/* Gives every queue its lock and empty list; boot. */
void
vm_page_queues_init(void)
{
	for (int i = 0; i < PQ_COUNT; i++) {
		spin_init(&vm_page_queues[i].spin, "vm_page_queue");
		TAILQ_INIT(&vm_page_queues[i].pl);
	}
}

/* The kind of a queue number: PQ_FREE, PQ_INACTIVE, ... or PQ_NONE. */
static inline uint16_t
queue_kind(uint16_t queue)
{
	if (queue == PQ_NONE)
		return PQ_NONE;
	return ((queue - PQ_FREE) & ~PQ_L2_MASK) + PQ_FREE;
}

/* The total that counts the pages of a queue's kind. */
static inline volatile int64_t *
queue_total(uint16_t queue)
{
	static volatile int64_t held; /* nobody asks */
	static volatile int64_t *const totals[] = {
	    &vmstats.v_free_count,
	    &vmstats.v_inactive_count,
	    &vmstats.v_active_count,
	    &vmstats.v_cache_count,
	    &held,
	};

	return totals[(uint32_t)(queue - PQ_FREE) / PQ_L2_SIZE];
}

/* Takes a page off its queue, of this kind; m->spin held, the queue's lock
 * too. */
static inline void
queue_remove_locked(vm_page_t m, uint16_t kind)
{
	struct vpgqueues *pq = &vm_page_queues[m->queue];

	TAILQ_REMOVE(&pq->pl, m, pageq);
	pq->lcnt--;
	atomic_subtract_long(queue_total(kind), 1);
	m->queue = PQ_NONE;
}

/* Takes a page off whatever queue it is on; m->spin held. */
static __noinline void
queue_remove(vm_page_t m)
{
	if (m->queue != PQ_NONE) {
		struct vpgqueues *pq = &vm_page_queues[m->queue];

		SCHED_POINT("vm.queue_remove");
		spin_lock(&pq->spin);
		queue_remove_locked(m, m->queue);
		spin_unlock(&pq->spin);
	}
}

/* Puts an off-queue page on the queue of its colour; m->spin held. */
static inline __attribute__((always_inline)) void
queue_insert(vm_page_t m, uint16_t kind, bool athead)
{
	struct vpgqueues *pq = &vm_page_queues[kind + m->pc];

	KKASSERT(m->queue == PQ_NONE);
	SCHED_POINT("vm.queue_insert");
	spin_lock(&pq->spin);
	if (athead)
		TAILQ_INSERT_HEAD(&pq->pl, m, pageq);
	else
		TAILQ_INSERT_TAIL(&pq->pl, m, pageq);
	m->queue = kind + m->pc;
	pq->lcnt++;
	atomic_add_long(queue_total(kind), 1);
	spin_unlock(&pq->spin);
}

/* Looks at one queue for a page that can be had; comes back with it off
 * the queue and hard-busy. Locks go against their order here (queue, then
 * page), so pages that are locked are passed over. */
static inline vm_page_t
queue_probe(uint16_t kind, uint16_t color)
{
	struct vpgqueues *pq = &vm_page_queues[kind + color];
	vm_page_t m;

	if (pq->lcnt == 0)
		return NULL;
	SCHED_POINT("vm.queue_probe");
	spin_lock(&pq->spin);
	TAILQ_FOREACH (m, &pq->pl, pageq) {
		if (!spin_trylock(&m->spin))
			continue;
		/* A lockless lookup may soft-busy a free page for a moment. */
		SCHED_POINT("vm.queue_busy");
		if (!vm_page_busy_try(m, true)) {
			queue_remove_locked(m, kind);
			spin_unlock(&m->spin);
			break;
		}
		spin_unlock(&m->spin);
	}
	spin_unlock(&pq->spin);
	SCHED_POINT("vm.queue_probed");
	return m;
}

/* Searches one kind's queues around the colour asked for, whose own is empty:
 * aligned windows of 16, 32, 64, ... queues, each from its beginning. */
static __noinline vm_page_t
queue_widen(uint16_t kind, uint16_t color)
{
	vm_page_t m = NULL;
	uint32_t probes = 0;

	for (uint32_t set = 16; m == NULL && set <= vm_page_colors; set <<= 1) {
		const struct vpgqueues *first, *end, *pq;

		first = &vm_page_queues[kind + (color & ~(set - 1))];
		end = first + set;
		for (pq = first; pq < end; pq++) {
			if (pq->lcnt == 0)
				continue;
			m = queue_probe(
			    kind, (uint16_t)(pq - &vm_page_queues[kind]));
			if (m != NULL)
				break;
		}
		probes += (uint32_t)(pq - first);
	}
	cnt_add(v_pqprobes, probes);
	return m;
}

/* Searches one kind's queues: first the colour asked for. */
static vm_page_t
queue_find(uint16_t kind, uint16_t color)
{
	vm_page_t m = queue_probe(kind, color);

	cnt_inc(v_pqprobes);
	return m != NULL ? m : queue_widen(kind, color);
}

/* Frees one page of the cache queues, so that the free queues have it; its
 * colour, or -1 when there is none that can be freed without waiting. */
int
vm_page_cache_free(uint16_t color)
{
	vm_page_t m;

	while (vmstats.v_cache_count > 0 &&
	    (m = queue_find(PQ_CACHE, color)) != NULL) {
		vm_object_t object = m->object;

		KKASSERT(m->dirty == 0 && (m->flags & PG_MAPPED) == 0);
		SCHED_POINT("vm.cache_free");
		if (m->hold_count == 0 && m->wire_count == 0 &&
		    vm_object_hold_try(object)) {
			vm_page_free(m);
			vm_object_drop(object);
			return m->pc;
		}
		vm_page_deactivate(m);
		vm_page_wakeup(m);
	}
	return -1;
}

/* May an allocation have one of the free pages that are left? */
static bool
alloc_permitted(int flags)
{
	int64_t left = vmstats.v_free_count;

	if (likely(left > vmstats.v_free_reserved))
		return true;
	if (flags & VM_ALLOC_INTERRUPT)
		return left > 0;
	return ((flags & VM_ALLOC_SYSTEM) || vm_oom_victim()) &&
	    left > vmstats.v_interrupt_free_min;
}

/* A page from the free queues, hard-busy and in no object, or NULL when the
 * class of the request (VM_ALLOC_*) may not have one. Never sleeps. */
vm_page_t
vm_page_queue_alloc(uint16_t color, int flags)
{
	int from = color;
	vm_page_t m;

	while (!alloc_permitted(flags)) {
		/* The cache may only be raided where tokens may be tried. */
		if ((flags & VM_ALLOC_INTERRUPT) ||
		    (from = vm_page_cache_free(color)) < 0)
			return NULL;
	}
	m = queue_find(PQ_FREE, (uint16_t)from);
	if (m != NULL) {
		KKASSERT(m->object == NULL && m->wire_count == 0);
		kasan_page_alloc(m);
		cnt_inc(v_pgalloc);
		if ((flags & VM_ALLOC_INTERRUPT) == 0)
			vm_page_lastcolor = color;
		if (unlikely(vm_paging_needed()))
			pagedaemon_wakeup();
	}
	return m;
}

/* Puts a page on a free queue: first, since it is in the caches; under KASAN
 * last. On PQ_HOLD somebody may still look at it. m->spin held. */
static void
free_insert(vm_page_t m, uint16_t kind)
{
	if (kind == PQ_FREE)
		kasan_page_free(m);
	queue_insert(m, kind, !KASAN_FIFO);
}

/* Puts a page that is in no object, off every queue and hard-busy on the
 * free queue of its colour (PQ_HOLD while held), and ends the busy. */
void
vm_page_free_toq(vm_page_t m)
{
	KKASSERT(m->object == NULL && vm_page_is_hardbusy(m));
	SCHED_POINT("vm.page_free");
	spin_lock(&m->spin);
	queue_remove(m);
	m->valid = 0;
	m->dirty = 0;
	m->act_count = 0;
	m->flags = 0;
	free_insert(m, m->hold_count ? PQ_HOLD : PQ_FREE);
	spin_unlock(&m->spin);
	SCHED_POINT("vm.page_freed");
	vm_page_wakeup(m);
}

/* Marks a page as just used: to the end of the active queue. The page is
 * busied, hard or soft. */
void
vm_page_activate(vm_page_t m)
{
	SCHED_POINT("vm.page_activate");
	spin_lock(&m->spin);
	if (queue_kind(m->queue) != PQ_ACTIVE) {
		if (m->queue != PQ_NONE)
			queue_remove(m);
		if (m->wire_count == 0 && (m->flags & PG_UNMANAGED) == 0)
			queue_insert(m, PQ_ACTIVE, false);
	}
	if (m->act_count < ACT_INIT)
		m->act_count = ACT_INIT;
	spin_unlock(&m->spin);
}

/* Marks a page as a candidate for reuse. The page is busied. */
void
vm_page_deactivate(vm_page_t m)
{
	SCHED_POINT("vm.page_deactivate");
	spin_lock(&m->spin);
	if (queue_kind(m->queue) != PQ_INACTIVE && m->wire_count == 0 &&
	    (m->flags & PG_UNMANAGED) == 0) {
		queue_remove(m);
		queue_insert(m, PQ_INACTIVE, false);
	}
	spin_unlock(&m->spin);
}

/* Makes a page the last of its queue. The page is busied. */
void
vm_page_requeue(vm_page_t m)
{
	uint16_t kind;

	spin_lock(&m->spin);
	kind = queue_kind(m->queue);
	if (kind != PQ_NONE) {
		queue_remove(m);
		queue_insert(m, kind, false);
	}
	spin_unlock(&m->spin);
}

/* Makes a clean page reusable at once while it keeps its data: unmaps it
 * and moves it to the cache. Needs the hard busy, which ends here. A page
 * that turns out dirty is deactivated instead. */
void
vm_page_cache(vm_page_t m)
{
	KKASSERT(vm_page_is_hardbusy(m));
	if (m->wire_count != 0 || (m->flags & PG_UNMANAGED)) {
		vm_page_wakeup(m);
		return;
	}
	vm_page_protect(m, VM_PROT_NONE);
	SCHED_POINT("vm.page_cache");
	if (m->dirty != 0) {
		vm_page_deactivate(m);
	} else {
		spin_lock(&m->spin);
		queue_remove(m);
		queue_insert(m, PQ_CACHE, false);
		spin_unlock(&m->spin);
	}
	vm_page_wakeup(m);
}

/* One wiring more; the first takes the page off its queue. The page is
 * busied, or the caller holds a wiring already. */
void
vm_page_wire(vm_page_t m)
{
	if (m->flags & PG_FICTITIOUS)
		return;
	SCHED_POINT("vm.page_wire");
	if (atomic_fetchadd_uint(&m->wire_count, 1) == 0) {
		spin_lock(&m->spin);
		queue_remove(m);
		spin_unlock(&m->spin);
		atomic_add_long(&vmstats.v_wire_count, 1);
	}
}

/* One wiring less; after the last the page goes on the active or inactive
 * queue. The page is busied. */
void
vm_page_unwire(vm_page_t m, bool activate)
{
	uint32_t was;

	if (m->flags & PG_FICTITIOUS)
		return;
	SCHED_POINT("vm.page_unwire");
	was = atomic_fetchadd_uint(&m->wire_count, (uint32_t)-1);
	KASSERT(
	    was > 0, ("vm_page_unwire: page %#lx is not wired", m->phys_addr));
	if (was > 1)
		return;
	atomic_subtract_long(&vmstats.v_wire_count, 1);
	SCHED_POINT("vm.page_unwired");
	if (m->object == NULL || (m->flags & PG_UNMANAGED))
		return;
	if (activate)
		vm_page_activate(m);
	else
		vm_page_deactivate(m);
}

/* Keeps the page's memory from being given to another while it is looked
 * at, though its object may lose it. */
void
vm_page_hold(vm_page_t m)
{
	SCHED_POINT("vm.page_hold");
	atomic_add_int(&m->hold_count, 1);
}

/* The last unhold of a page freed meanwhile lets it go. */
void
vm_page_unhold(vm_page_t m)
{
	int was = atomic_fetchadd_int(&m->hold_count, -1);

	KKASSERT(was > 0);
	if (was > 1)
		return;
	SCHED_POINT("vm.page_unhold");
	spin_lock(&m->spin);
	if (m->hold_count == 0 && queue_kind(m->queue) == PQ_HOLD) {
		queue_remove(m);
		free_insert(m, PQ_FREE);
	}
	spin_unlock(&m->spin);
}

/* Takes a page off the queues for good; it is busied. */
void
vm_page_unqueue(vm_page_t m)
{
	spin_lock(&m->spin);
	queue_remove(m);
	spin_unlock(&m->spin);
}

/* Takes this very page from the free queues, hard-busy; false when it is
 * not free. For runs of contiguous pages. */
bool
vm_page_queue_take(vm_page_t m)
{
	bool taken = false;

	spin_lock(&m->spin);
	if (queue_kind(m->queue) == PQ_FREE && !vm_page_busy_try(m, true)) {
		queue_remove(m);
		taken = true;
	}
	spin_unlock(&m->spin);
	if (taken) {
		kasan_page_alloc(m);
		cnt_inc(v_pgalloc);
		if (unlikely(vm_paging_needed()))
			pagedaemon_wakeup();
	}
	return taken;
}
