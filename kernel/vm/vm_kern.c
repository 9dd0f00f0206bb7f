/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory for the kernel itself: pages and runs of pages by way of the
 * direct map, ranges of the KVA window, stacks with a guard page.
 */
#include <amd64/cpufunc.h>
#include <kern/inject.h>
#include <kern/kstring.h>
#include <pmap/pmap.h>
#include <san/kcsan.h>
#include <vm/vm_kern.h>
#include <vm/vm_page.h>
#include <vm/vm_pageout.h>

/*
 * The window is one bit a page, first fit. One gigabyte is many times what
 * stacks, device registers and buffers will ever ask for.
 */
#define KVA_PAGES (1UL << 18)

static struct spinlock kva_spin = SPINLOCK_INITIALIZER("kva");
static uint64_t kva_used[KVA_PAGES / 64]; /* kva_spin */
static uint64_t kva_hint;		  /* kva_spin; no free bit below */
vm_offset_t clean_sva, clean_eva;
int64_t kmem_pool_pages;
static volatile int64_t kmem_rover; /* hint: where the last run was found */

/* Nothing to set up beyond what is static; the page hash lives here because
 * it needs memory and everything after needs it. Boot. */
void
kmem_init(void)
{
	vm_page_hash_init();
}

/* May the kernel have so many pages more? The last ones are the pageout
 * daemon's, and some of them his who dies to make room. */
static bool
kmem_allowed(int npages)
{
	int64_t keep = vmstats.v_interrupt_free_min;

	if (inject(INJECT_PAGE))
		return false;
	if (vmstats.v_free_count - npages >= keep || vm_is_pagedaemon())
		return true;
	return vm_oom_victim() && vmstats.v_free_count - npages >= keep / 2;
}

/* A page for the kernel: wired, in no object, on no queue, not busy. */
static void
kmem_page_setup(vm_page_t m)
{
	m->flags = PG_UNMANAGED;
	m->wire_count = 1;
	atomic_add_long(&vmstats.v_wire_count, 1);
	vm_page_wakeup(m);
}

/* Back to the free queues. */
static void
kmem_page_release(vm_page_t m)
{
	KASSERT(m->wire_count == 1 && m->object == NULL &&
		(m->flags & PG_UNMANAGED) != 0,
	    ("page %#lx does not belong to the kernel", m->phys_addr));
	while (vm_page_busy_try(m, true))
		cpu_pause();
	m->wire_count = 0;
	atomic_subtract_long(&vmstats.v_wire_count, 1);
	cnt_inc(v_pgfree);
	vm_page_free_toq(m);
}

/* One page, zeroed when asked; NULL when memory is short. Never sleeps. */
vm_page_t
kmem_page_alloc1(bool zero)
{
	vm_page_t m = NULL;

	if (kmem_allowed(1))
		m = vm_page_queue_alloc(
		    vm_page_color(mycpu->gd_quick_color++), VM_ALLOC_INTERRUPT);
	if (m == NULL)
		return NULL;
	kmem_page_setup(m);
	if (zero)
		pmap_zero_page(m->phys_addr);
	return m;
}

/* Gives such a page back and wakes who waits for memory. */
void
kmem_page_free1(vm_page_t m)
{
	kmem_page_release(m);
	vm_page_free_wakeup();
}

/* Takes npages free pages that follow each other, from index `at' on; all
 * or nothing. */
static bool
take_run(int64_t at, int npages)
{
	for (int i = 0; i < npages; i++) {
		if (!vm_page_queue_take(&vm_page_array[at + i])) {
			while (--i >= 0)
				vm_page_free_toq(&vm_page_array[at + i]);
			return false;
		}
	}
	return true;
}

/* The first run of npages free pages with its frame number a multiple of
 * align, at index from or above, below index end; -1 when there is none. */
static int64_t
find_run(int64_t from, int64_t end, int npages, int align)
{
	vm_pindex_t mask = (vm_pindex_t)align - 1;

	for (int64_t i = from; i + npages <= end; i++) {
		/* a hint: who takes it looks again, with the page locked */
		uint16_t queue = data_race(vm_page_array[i].queue);

		if (((first_page + (vm_pindex_t)i) & mask) != 0 ||
		    queue < PQ_FREE || queue >= PQ_INACTIVE)
			continue;
		if (take_run(i, npages))
			return i;
	}
	return -1;
}

/* npages contiguous pages by their direct-map address, contents unknown;
 * NULL when there is no such run. Never sleeps. */
void *
kmem_page_alloc(int npages, int align)
{
	int64_t at, rover = kmem_rover;

	if (npages == 1 && align == 1) {
		vm_page_t m = kmem_page_alloc1(false);

		return m == NULL ? NULL : (void *)PHYS_TO_DMAP(m->phys_addr);
	}
	if (!kmem_allowed(npages))
		return NULL;
	at = find_run(rover, vm_page_array_size, npages, align);
	if (at < 0)
		at = find_run(
		    0, MIN(rover + npages, vm_page_array_size), npages, align);
	if (at < 0)
		return NULL;
	kmem_rover = at;
	for (int i = 0; i < npages; i++)
		kmem_page_setup(&vm_page_array[at + i]);
	return (void *)PHYS_TO_DMAP(vm_page_array[at].phys_addr);
}

/* Frees what kmem_page_alloc returned. */
void
kmem_page_free(void *va, int npages)
{
	vm_page_t m = vm_page_by_phys(DMAP_TO_PHYS((vm_offset_t)va));

	KKASSERT(m != NULL);
	for (int i = 0; i < npages; i++)
		kmem_page_release(m + i);
	vm_page_free_wakeup();
}

static inline bool
kva_test(uint64_t page)
{
	return (kva_used[page / 64] >> (page % 64)) & 1;
}

static inline void
kva_flip(uint64_t page, uint64_t npages)
{
	for (; npages > 0; npages--, page++)
		kva_used[page / 64] ^= 1UL << (page % 64);
}

/* The lowest free range of so many bytes, with the page tables it will need
 * in place; 0 when the window is full or memory short. */
vm_offset_t
kva_alloc(vm_size_t size)
{
	uint64_t npages = round_page(size) >> PAGE_SHIFT, run = 0;
	vm_offset_t va = 0;

	spin_lock(&kva_spin);
	for (uint64_t p = kva_hint; p < KVA_PAGES; p++) {
		run = kva_test(p) ? 0 : run + 1;
		if (run == npages) {
			uint64_t first = p + 1 - npages;

			kva_flip(first, npages);
			if (first == kva_hint)
				kva_hint = p + 1;
			va = KVA_BASE + (first << PAGE_SHIFT);
			break;
		}
	}
	spin_unlock(&kva_spin);
	if (va != 0 && pmap_growkernel(va, size) != 0) {
		kva_free(va, size);
		va = 0;
	}
	return va;
}

/* Gives a range back; nothing is mapped in it any more. */
void
kva_free(vm_offset_t va, vm_size_t size)
{
	uint64_t first = (va - KVA_BASE) >> PAGE_SHIFT;
	uint64_t npages = round_page(size) >> PAGE_SHIFT;

	spin_lock(&kva_spin);
	KKASSERT(kva_test(first) && kva_test(first + npages - 1));
	kva_flip(first, npages);
	kva_hint = MIN(kva_hint, first);
	spin_unlock(&kva_spin);
}

/* Unmaps and frees npages pages that were mapped side by side. */
static void
unmap_pages(vm_offset_t va, int npages)
{
	for (; npages > 0; npages--, va += PAGE_SIZE) {
		vm_paddr_t pa = pmap_extract(&kernel_pmap, va);

		pmap_kremove(va, 1);
		kmem_page_free1(vm_page_by_phys(pa));
	}
}

/* Maps new pages at va, where the page tables are there; zeroed if asked.
 * False, and nothing mapped, when memory is short. */
static bool
map_pages(vm_offset_t va, int npages, bool zero)
{
	for (int i = 0; i < npages; i++) {
		vm_page_t m = kmem_page_alloc1(zero);

		if (m == NULL) {
			unmap_pages(va, i);
			return false;
		}
		pmap_kenter(va + (vm_offset_t)i * PAGE_SIZE, m->phys_addr,
		    X86_PG_RW | X86_PG_NX);
	}
	return true;
}

/* See vm_kern.h. */
void *
kmem_alloc_mapped(int npages)
{
	vm_offset_t va = kva_alloc((vm_size_t)npages << PAGE_SHIFT);

	if (va != 0 && !map_pages(va, npages, false)) {
		kva_free(va, (vm_size_t)npages << PAGE_SHIFT);
		va = 0;
	}
	return (void *)va;
}

/* Frees such pages. Interrupts every CPU once a page. */
void
kmem_free_mapped(void *va, int npages)
{
	unmap_pages((vm_offset_t)va, npages);
	kva_free((vm_offset_t)va, (vm_size_t)npages << PAGE_SHIFT);
}

/* size bytes of mapped stack whose lowest address is returned, with an
 * unmapped page below that: running off the end faults. 0 when short. */
vm_offset_t
kmem_alloc_stack(vm_size_t size)
{
	vm_offset_t guard = kva_alloc(size + PAGE_SIZE);
	vm_offset_t stack = guard + PAGE_SIZE;

	if (guard == 0)
		return 0;
	if (!map_pages(stack, (int)(size >> PAGE_SHIFT), true)) {
		kva_free(guard, size + PAGE_SIZE);
		return 0;
	}
	atomic_add_long(&kmem_pool_pages, (int64_t)(size >> PAGE_SHIFT));
	return stack;
}

/* Frees such a stack; no CPU runs on it. Interrupts every CPU once a page
 * (shootdown), so callers keep a few for the next thread. */
void
kmem_free_stack(vm_offset_t stack, vm_size_t size)
{
	unmap_pages(stack, (int)(size >> PAGE_SHIFT));
	kva_free(stack - PAGE_SIZE, size + PAGE_SIZE);
	atomic_subtract_long(&kmem_pool_pages, (int64_t)(size >> PAGE_SHIFT));
}

/* Maps device registers uncached, for good; any alignment. */
void *
kmem_map_device(vm_paddr_t pa, vm_size_t size)
{
	vm_paddr_t first = trunc_page(pa);
	vm_size_t len = round_page(pa + size) - first;
	vm_offset_t va = kva_alloc(len);

	KASSERT(va != 0, ("no kernel addresses for a device at %#lx", pa));
	for (vm_size_t off = 0; off < len; off += PAGE_SIZE)
		pmap_kenter(va + off, first + off,
		    X86_PG_RW | X86_PG_NX | X86_PG_PCD | X86_PG_PWT);
	return (void *)(va + (pa - first));
}
