/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The shadow, and the calls that the compiler puts before each access.
 *
 * It has two parts: RAM by its direct-map address, from the first page that
 * the firmware says is RAM and ours to the last; and the kernel's own data.
 * What is mapped elsewhere (stacks, device registers) is not checked.
 */
#include <kern/kstring.h>
#include <pmap/pmap.h>
#include <san/kasan_var.h>
#include <vm/vm_kern.h>
#include <vm/vm_page.h>

#include <amd64/machdep.h>

extern char rodata_start[], kernel_end[];

#define SCALE 3 /* a byte for 2^3 */

static struct shadow_range {
	uint64_t start, size;
	uint8_t *shadow;
} ram, image; /* (k) */

static struct kasan_page *pages; /* one for each page of RAM */
volatile bool kasan_on;		 /* false again when something was found */

/* Takes bytes from the end of the largest range that the first page tables
 * map. */
static void *
steal(size_t bytes)
{
	struct phys_range *best = NULL;

	bytes = round_page(bytes);
	for (int i = 0; i < phys_avail_count; i++) {
		struct phys_range *r = &phys_avail[i];

		if (r->end <= 4UL << 30 &&
		    (best == NULL ||
			r->end - r->start > best->end - best->start))
			best = r;
	}
	if (best == NULL || best->end - best->start < 2 * bytes)
		panic("no room for the shadow: %lu bytes", bytes);
	best->end -= bytes;
	return memset((void *)PHYS_TO_DMAP(best->end), 0, bytes);
}

/* memset() without a look at the shadow. */
static void
fill(uint8_t *s, uint8_t byte, size_t n)
{
	uint64_t word = byte * 0x0101010101010101UL;
	size_t words = n / 8, rest = n % 8;

	__asm__ __volatile__("rep stosq"
			     : "+D"(s), "+c"(words)
			     : "a"(word)
			     : "memory");
	__asm__ __volatile__("rep stosb"
			     : "+D"(s), "+c"(rest)
			     : "a"(word)
			     : "memory");
}

/* See kasan.h. */
void
kasan_boot(void)
{
	vm_paddr_t lo = phys_avail[0].start;
	vm_paddr_t hi = phys_avail[phys_avail_count - 1].end;

	ram.start = PHYS_TO_DMAP(lo);
	ram.size = hi - lo;
	ram.shadow = steal(ram.size >> SCALE);
	pages = steal((ram.size >> PAGE_SHIFT) * sizeof(*pages));
	image.start = (uint64_t)rodata_start;
	image.size = (uint64_t)kernel_end - image.start;
	image.shadow = steal(image.size >> SCALE);
	kasan_global_init();
	kasan_on = true;
}

/* The shadow byte of an address. */
inline uint8_t *
kasan_shadow(uint64_t addr)
{
	if (addr - ram.start < ram.size)
		return ram.shadow + ((addr - ram.start) >> SCALE);
	if (addr - image.start < image.size)
		return image.shadow + ((addr - image.start) >> SCALE);
	return NULL;
}

/* See kasan_var.h. */
struct kasan_page *
kasan_page_of(const void *p)
{
	uint64_t off = (uint64_t)p - ram.start;

	return off < ram.size ? &pages[off >> PAGE_SHIFT] : NULL;
}

/* No byte of p .. p + n - 1 may be touched; nor of the last eight. */
void
kasan_poison(const void *p, size_t n, uint8_t kind)
{
	uint8_t *s = kasan_shadow((uint64_t)p);

	if (s != NULL && n > 0)
		fill(s, kind, howmany(n, 1UL << SCALE));
}

/* All n bytes may be touched; of the last eight no more than belong to it. */
void
kasan_unpoison(const void *p, size_t n)
{
	uint8_t *s = kasan_shadow((uint64_t)p);

	if (s == NULL)
		return;
	fill(s, 0, n >> SCALE);
	if (n % (1UL << SCALE) != 0)
		s[n >> SCALE] = n % (1UL << SCALE);
}

/* See kasan.h. A page that somebody still holds stays readable. */
void
kasan_page_alloc(struct vm_page *m)
{
	const void *va = (void *)PHYS_TO_DMAP(m->phys_addr);
	struct kasan_page *kp = kasan_page_of(va);

	*kp = (struct kasan_page){.kp_alloc = kasan_stack_save()};
	kasan_unpoison(va, PAGE_SIZE);
}

/* See kasan.h. */
void
kasan_page_free(struct vm_page *m)
{
	const void *va = (void *)PHYS_TO_DMAP(m->phys_addr);

	kasan_page_of(va)->kp_free = kasan_stack_save();
	kasan_poison(va, PAGE_SIZE, KASAN_FREED_PAGE);
}

/* The first byte of an access that may not be touched; 0 when there is none. */
static uint64_t
first_bad(uint64_t addr, size_t n)
{
	const uint8_t *s;

	for (uint64_t a = addr; a < addr + n; a = (a | 7) + 1) {
		uint64_t last = MIN(a | 7, addr + n - 1);

		s = kasan_shadow(a);
		if (s == NULL)
			return 0;
		/* Eight times eight good bytes at once. */
		if (((uintptr_t)s & 7) == 0 && a + 64 <= addr + n &&
		    *(const uint64_t *)(const void *)s == 0) {
			a = (a | 7) + 56;
			continue;
		}
		if (*s == 0)
			continue;
		if (*s >= 8)
			return a;
		if ((last & 7) >= *s)
			return MAX(a, (a & ~7UL) + *s);
	}
	return 0;
}

/* An access that touches more than one byte of the shadow, or one that is not
 * 0: goes through them one by one. */
static __noinline void
check_slowly(uint64_t addr, size_t n, bool write, uint64_t rip, uint64_t rbp)
{
	struct kasan_access ka = {.ka_size = n, .ka_write = write};

	ka.ka_addr = first_bad(addr, n);
	if (ka.ka_addr == 0)
		return;
	/* Behind the end of the object, not in it. */
	ka.ka_kind = *kasan_shadow(ka.ka_addr);
	if (ka.ka_kind < 8)
		ka.ka_kind = kasan_shadow(ka.ka_addr)[1];
	kasan_report(&ka, NULL, rip, rbp);
}

/* The access is wrong unless the shadow allows it. */
static inline void
check(uint64_t addr, size_t n, bool write, uint64_t rip, uint64_t rbp)
{
	const uint8_t *s;

	if (!kasan_on || n == 0)
		return;
	s = kasan_shadow(addr);
	if (s != NULL && (*s != 0 || (addr & 7) + n > 8))
		check_slowly(addr, n, write, rip, rbp);
}

#define CALLER_RIP ((uint64_t)__builtin_return_address(0) - 1)
#define CALLER_RBP (*(uint64_t *)__builtin_frame_address(0))

#define ACCESS(name, write)                                     \
	void __asan_##name##1_noabort(uint64_t addr);           \
	void __asan_##name##2_noabort(uint64_t addr);           \
	void __asan_##name##4_noabort(uint64_t addr);           \
	void __asan_##name##8_noabort(uint64_t addr);           \
	void __asan_##name##16_noabort(uint64_t addr);          \
	void __asan_##name##N_noabort(uint64_t addr, size_t n); \
	void __asan_##name##1_noabort(uint64_t addr)            \
	{                                                       \
		check(addr, 1, write, CALLER_RIP, CALLER_RBP);  \
	}                                                       \
	void __asan_##name##2_noabort(uint64_t addr)            \
	{                                                       \
		check(addr, 2, write, CALLER_RIP, CALLER_RBP);  \
	}                                                       \
	void __asan_##name##4_noabort(uint64_t addr)            \
	{                                                       \
		check(addr, 4, write, CALLER_RIP, CALLER_RBP);  \
	}                                                       \
	void __asan_##name##8_noabort(uint64_t addr)            \
	{                                                       \
		check(addr, 8, write, CALLER_RIP, CALLER_RBP);  \
	}                                                       \
	void __asan_##name##16_noabort(uint64_t addr)           \
	{                                                       \
		check(addr, 16, write, CALLER_RIP, CALLER_RBP); \
	}                                                       \
	void __asan_##name##N_noabort(uint64_t addr, size_t n)  \
	{                                                       \
		check(addr, n, write, CALLER_RIP, CALLER_RBP);  \
	}

ACCESS(load, false)
ACCESS(store, true)

/* Called before a function that does not return; only of use to those who
 * poison stacks. */
void __asan_handle_no_return(void);
void
__asan_handle_no_return(void)
{
}

/* See kasan.h. */
void
kasan_read(const void *p, size_t n)
{
	check((uint64_t)p, n, false, CALLER_RIP, CALLER_RBP);
}

/* See kasan.h. */
void
kasan_write(const void *p, size_t n)
{
	check((uint64_t)p, n, true, CALLER_RIP, CALLER_RBP);
}
