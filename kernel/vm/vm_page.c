/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The life of a physical page: from the RAM map to the free queues, into an
 * object, between objects, and back.
 */
#include <kern/inject.h>
#include <kern/kprintf.h>
#include <kern/kstring.h>
#include <kern/rbtree.h>
#include <kern/trace.h>
#include <pmap/pmap.h>
#include <vm/swap_pager.h>
#include <vm/vm_kern.h>
#include <vm/vm_object.h>
#include <vm/vm_page.h>

struct vm_page *vm_page_array;
int64_t vm_page_array_size;
vm_pindex_t first_page;

/* So many pages there are of each colour, unless RAM is large. */
#define PAGES_PER_COLOR 16

struct phys_range phys_avail[PHYS_RANGES_MAX];
int phys_avail_count;

RB_GENERATE(vm_page_rb_tree, vm_page, rb_entry, rb_vm_page_compare)

/* Orders an object's pages by index. */
int
rb_vm_page_compare(struct vm_page *a, struct vm_page *b)
{
	if (a->pindex < b->pindex)
		return -1;
	return a->pindex > b->pindex;
}

/* The vm_page of a physical address, or NULL when VM does not manage it. */
vm_page_t
vm_page_by_phys(vm_paddr_t pa)
{
	vm_pindex_t pfn = pa >> PAGE_SHIFT;

	if (pfn < first_page ||
	    pfn - first_page >= (vm_pindex_t)vm_page_array_size)
		return NULL;
	return &vm_page_array[pfn - first_page];
}

/* Takes the memory of vm_page_array out of the RAM map, from the end of the
 * largest range, and returns it by its direct-map address. */
static void *
steal_boot_memory(size_t bytes)
{
	struct phys_range *best = &phys_avail[0];

	for (int i = 1; i < phys_avail_count; i++) {
		if (phys_avail[i].end - phys_avail[i].start >
		    best->end - best->start)
			best = &phys_avail[i];
	}
	KASSERT(best->end - best->start > bytes,
	    ("too little RAM for the page array: %lu bytes wanted", bytes));
	best->end -= bytes;
	return (void *)PHYS_TO_DMAP(best->end);
}

/* Sets the thresholds below which kinds of allocation stop. */
static void
init_thresholds(void)
{
	int64_t pages = vmstats.v_page_count;

	vmstats.v_interrupt_free_min = 16;
	vmstats.v_free_reserved = 64 + pages / 512;
	vmstats.v_free_min = vmstats.v_free_reserved + pages / 128;
	vmstats.v_free_target = vmstats.v_free_min * 2;
	vmstats.v_cache_min = vmstats.v_free_target;
	vmstats.v_cache_max = vmstats.v_cache_min * 2;
	vmstats.v_inactive_target = pages / 4;
}

/* Builds vm_page_array and hands every page of phys_avail to the free
 * queues, lowest address first out. Boot CPU, before kmalloc. */
void
vm_page_startup(void)
{
	vm_paddr_t lo, hi;
	size_t bytes;

	KKASSERT(phys_avail_count > 0);
	vm_page_queues_init();
	lo = phys_avail[0].start;
	hi = phys_avail[phys_avail_count - 1].end;
	first_page = lo >> PAGE_SHIFT;
	vm_page_array_size = (int64_t)((hi - lo) >> PAGE_SHIFT);
	bytes = round_page((size_t)vm_page_array_size * sizeof(struct vm_page));
	vm_page_array = steal_boot_memory(bytes);
	memset(vm_page_array, 0, bytes);
	while (vm_page_colors > PAGES_PER_COLOR &&
	    vm_page_array_size / vm_page_colors < PAGES_PER_COLOR)
		vm_page_colors /= 2;

	for (int64_t i = 0; i < vm_page_array_size; i++) {
		vm_page_t m = &vm_page_array[i];
		vm_pindex_t pfn = first_page + (vm_pindex_t)i;

		spin_init(&m->spin, "vm_page");
		m->phys_addr = pfn << PAGE_SHIFT;
		m->pc =
		    (pfn ^ pfn / PQ_L2_SIZE ^ pfn / PQ_L2_SIZE / PQ_L2_SIZE) &
		    (vm_page_colors - 1);
		pmap_page_init(m);
		/* Until it turns out to be RAM: nobody's, for ever. */
		m->busy_count = PBUSY_LOCKED;
		m->flags = PG_FICTITIOUS;
	}
	for (int r = phys_avail_count - 1; r >= 0; r--) {
		vm_paddr_t pa = phys_avail[r].end;

		while (pa > phys_avail[r].start) {
			pa -= PAGE_SIZE;
			vm_page_free_toq(vm_page_by_phys(pa));
			vmstats.v_page_count++;
		}
	}
	init_thresholds();
}

/* Sorts a page into its object's tree; false if it has one at m->pindex. Most
 * objects are filled upward, each page behind the last: there the place is
 * known. The gap is then the one behind m. */
static bool
page_link(vm_object_t object, vm_page_t m)
{
	vm_page_t last = object->last_page, next;
	bool in_gap = vm_object_in_gap(object, m->pindex);

	if (in_gap && m->pindex == object->gap_start && last != NULL)
		RB_INSERT_BEHIND(
		    vm_page_rb_tree, &object->rb_memq, last, m, rb_entry);
	else if (RB_INSERT(vm_page_rb_tree, &object->rb_memq, m) != NULL)
		return false;
	if (!in_gap) {
		next = RB_NEXT(vm_page_rb_tree, &object->rb_memq, m);
		object->gap_end = next != NULL ? next->pindex : VM_PINDEX_MAX;
	}
	object->gap_start = m->pindex + 1;
	object->last_page = m;
	return true;
}

/* Puts a hard-busy page into an object; false if it has one at pindex. The
 * object's token is held exclusively. */
static inline bool
vm_page_insert_try(vm_page_t m, vm_object_t object, vm_pindex_t pindex)
{
	ASSERT_LWKT_TOKEN_HELD_EXCL(&object->token);
	KKASSERT(vm_page_is_hardbusy(m) && m->object == NULL);
	SCHED_POINT("vm.page_insert");
	m->pindex = pindex;
	if (!page_link(object, m))
		return false;
	m->object = object;
	object->resident_page_count++;
	SCHED_POINT("vm.page_inserted");
	object->generation++;
	if (unlikely(object->swblock_count != 0))
		swap_pager_page_inserted(m);
	vm_page_hash_enter(m);
	return true;
}

static void __noreturn
insert_failed(vm_object_t object, vm_pindex_t pindex)
{
	panic("vm_page_insert: object %u has a page at %lu already", object->id,
	    pindex);
}

/* Puts a hard-busy page into an object that has none at pindex. The
 * object's token is held exclusively. */
void
vm_page_insert(vm_page_t m, vm_object_t object, vm_pindex_t pindex)
{
	if (!vm_page_insert_try(m, object, pindex))
		insert_failed(object, pindex);
}

/* Takes a hard-busy page out of its object. The object's token is held
 * exclusively. Mappings are the caller's business, before. */
void
vm_page_remove(vm_page_t m)
{
	vm_object_t object = m->object;

	if (object == NULL)
		return;
	ASSERT_LWKT_TOKEN_HELD_EXCL(&object->token);
	KKASSERT(vm_page_is_hardbusy(m));
	SCHED_POINT("vm.page_remove");
	RB_REMOVE(vm_page_rb_tree, &object->rb_memq, m);
	if (object->last_page == m)
		object->last_page = NULL;
	object->resident_page_count--;
	object->generation++;
	m->object = NULL;
	SCHED_POINT("vm.page_removed");
	if (m->flags & PG_SWAPPED)
		atomic_clear_uint(&m->flags, PG_SWAPPED);
}

/* Moves a hard-busy page. Dirty becomes all ones: whatever copy the old
 * object had elsewhere is not the new object's, and if it was on swap it is
 * gone. Both tokens exclusive; the page's mappings must be gone or meant to
 * stay. */
void
vm_page_rename(vm_page_t m, vm_object_t object, vm_pindex_t pindex)
{
	swap_pager_unswapped(m);
	vm_page_remove(m);
	vm_page_insert(m, object, pindex);
	if (m->queue - m->pc == PQ_CACHE)
		vm_page_deactivate(m); /* there all are clean */
	vm_page_dirty(m);
}

/* Is it known without a search that there is no page at pindex? Not unless the
 * object's token is the newest that is held, which this looks at on the way. */
static inline bool
page_missing(vm_object_t object, vm_pindex_t pindex)
{
	return lwkt_token_newest(&object->token) &&
	    vm_object_in_gap(object, pindex);
}

/* The object's page at pindex, or NULL, from its tree. */
static vm_page_t
page_find(vm_object_t object, vm_pindex_t pindex)
{
	vm_page_t m;

	ASSERT_LWKT_TOKEN_HELD(&object->token);
	m = RB_ROOT(&object->rb_memq);
	while (m != NULL && m->pindex != pindex) {
		if (pindex < m->pindex)
			m = RB_LEFT(m, rb_entry);
		else
			m = RB_RIGHT(m, rb_entry);
	}
	return m;
}

/* The object's page at pindex, in whatever state, or NULL. The object's
 * token is held, shared will do. */
vm_page_t
vm_page_lookup(vm_object_t object, vm_pindex_t pindex)
{
	return page_missing(object, pindex) ? NULL : page_find(object, pindex);
}

/* vm_page_lookup_busy_try() where there may be a page. */
static __noinline vm_page_t
page_find_busy_try(
    vm_object_t object, vm_pindex_t pindex, bool also_soft, bool *errorp)
{
	vm_page_t m = page_find(object, pindex);

	*errorp = m != NULL && vm_page_busy_try(m, also_soft);
	if (m != NULL && !*errorp)
		vm_page_hash_enter(m);
	return m;
}

/* Looks up and hard-busies. *errorp true: the page is there but busy, and
 * is returned without having been busied. */
vm_page_t
vm_page_lookup_busy_try(
    vm_object_t object, vm_pindex_t pindex, bool also_soft, bool *errorp)
{
	*errorp = false;
	if (page_missing(object, pindex))
		return NULL;
	return page_find_busy_try(object, pindex, also_soft, errorp);
}

/* Looks up and hard-busies, sleeping while the page is busy; the token is
 * lost in each sleep, so the lookup is done again after it. */
vm_page_t
vm_page_lookup_busy_wait(
    vm_object_t object, vm_pindex_t pindex, bool also_soft, const char *wmesg)
{
	vm_page_t m;
	bool busy;

	for (;;) {
		m = vm_page_lookup_busy_try(object, pindex, also_soft, &busy);
		if (!busy)
			return m;
		vm_page_sleep_busy(m, also_soft, wmesg);
	}
}

/* A new hard-busy page of the object, contents unknown, valid and dirty 0.
 * NULL when memory is short for this class of request, or the index is
 * taken and flags has NULL_OK. Token exclusive; never sleeps. */
vm_page_t
vm_page_alloc(vm_object_t object, vm_pindex_t pindex, int flags)
{
	vm_page_t m;

	if (inject(INJECT_PAGE))
		return NULL;
	m = vm_page_queue_alloc(
	    vm_page_color(pindex + object->pg_color), flags);
	if (m == NULL)
		return NULL;
	m->flags = 0;
	m->valid = 0;
	m->dirty = 0;
	m->act_count = 0;
	if (!vm_page_insert_try(m, object, pindex)) {
		if ((flags & VM_ALLOC_NULL_OK) == 0)
			insert_failed(object, pindex);
		vm_page_free_toq(m);
		return NULL;
	}
	trace(TR_PGALLOC, object->id, pindex, m->phys_addr, m->pc);
	return m;
}

/* The page at pindex hard-busy, allocated when there is none (then not
 * valid, or with VM_ALLOC_ZERO zeroed and valid). With VM_ALLOC_RETRY it
 * sleeps until that works; without, NULL when it would have to. Token
 * exclusive. */
vm_page_t
vm_page_grab(vm_object_t object, vm_pindex_t pindex, int flags)
{
	vm_page_t m;
	bool busy;

	for (;;) {
		m = vm_page_lookup_busy_try(object, pindex, true, &busy);
		if (m != NULL && !busy)
			return m;
		if (m == NULL) {
			m = vm_page_alloc(object, pindex,
			    flags & ~(VM_ALLOC_ZERO | VM_ALLOC_RETRY));
			if (m != NULL)
				break;
			if ((flags & VM_ALLOC_RETRY) == 0)
				return NULL;
			vm_wait("vmpgrab");
		} else if (flags & VM_ALLOC_RETRY) {
			vm_page_sleep_busy(m, true, "vmpgrab");
		} else {
			return NULL;
		}
	}
	if (flags & VM_ALLOC_ZERO) {
		pmap_zero_page(m->phys_addr);
		m->valid = VM_PAGE_BITS_ALL;
	}
	return m;
}

/* Frees a hard-busy page. Nothing may map or wire it; the token of its
 * object, if any, is held exclusively. A fictitious page is its pager's. */
void
vm_page_free(vm_page_t m)
{
	KASSERT(vm_page_is_hardbusy(m),
	    ("vm_page_free: page %#lx is not hard-busy", m->phys_addr));
	KASSERT((m->busy_count & PBUSY_MASK) == 0,
	    ("vm_page_free: page %#lx is soft-busy (%#x)", m->phys_addr,
		m->busy_count));
	KASSERT((m->flags & PG_MAPPED) == 0,
	    ("vm_page_free: page %#lx is still mapped", m->phys_addr));
	KASSERT(m->wire_count == 0,
	    ("vm_page_free: page %#lx is wired %u times", m->phys_addr,
		m->wire_count));
	vm_page_remove(m);
	if (m->flags & PG_FICTITIOUS) {
		vm_page_wakeup(m);
		return;
	}
	trace(TR_PGFREE, m->phys_addr, 0, 0, 0);
	cnt_inc(v_pgfree);
	vm_page_free_toq(m);
	vm_page_free_wakeup();
}

/* The valid/dirty bits of bytes base .. base + size - 1 of a page, every
 * 512-byte block that they touch. */
uint8_t
vm_page_bits(int base, int size)
{
	int first, last;

	KKASSERT(base >= 0 && size >= 0 && base + size <= (int)PAGE_SIZE);
	if (size == 0)
		return 0;
	first = base >> DEV_BSHIFT;
	last = (base + size - 1) >> DEV_BSHIFT;
	return (uint8_t)((2U << last) - (1U << first));
}

/* Marks bytes as changed. Hard-busy; or held, by one who has just changed
 * them. */
void
vm_page_set_dirty(vm_page_t m, int base, int size)
{
	atomic_set_uchar(&m->dirty, vm_page_bits(base, size));
}

/* Zeroes the blocks that hold no data, and with setvalid calls them valid.
 * Hard-busy. */
void
vm_page_zero_invalid(vm_page_t m, bool setvalid)
{
	char *va = (char *)PHYS_TO_DMAP(m->phys_addr);

	for (int i = 0; i < (int)PAGE_SIZE / DEV_BSIZE; i++) {
		if ((m->valid & (1U << i)) == 0)
			memset(va + i * DEV_BSIZE, 0, DEV_BSIZE);
	}
	if (setvalid)
		m->valid = VM_PAGE_BITS_ALL;
}

/* The page is as its backing store has it. Hard-busy, and write-protected
 * before, else a change in between is lost. */
void
vm_page_undirty(vm_page_t m)
{
	SCHED_POINT("vm.page_undirty");
	atomic_store_uchar(&m->dirty, 0);
}

/* Asks the hardware: a modified mapping makes the page dirty. */
void
vm_page_test_dirty(vm_page_t m)
{
	SCHED_POINT("vm.page_test_dirty");
	if (m->dirty != VM_PAGE_BITS_ALL && pmap_is_modified(m))
		vm_page_dirty(m);
}

/* Reduces what every mapping of a hard-busy page permits. Hard busy is what
 * keeps a new mapping from appearing behind the back of this. */
void
vm_page_protect(vm_page_t m, vm_prot_t prot)
{
	KASSERT(vm_page_is_hardbusy(m),
	    ("vm_page_protect: page %#lx is not hard-busy", m->phys_addr));
	SCHED_POINT("vm.page_protect");
	if (prot == VM_PROT_NONE) {
		if (m->flags & PG_MAPPED)
			pmap_page_protect(m, VM_PROT_NONE);
	} else if ((prot & VM_PROT_WRITE) == 0 && (m->flags & PG_WRITEABLE)) {
		pmap_page_protect(m, prot);
	}
}
