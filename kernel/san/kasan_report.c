/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What KASAN found, in words: which memory it is, whose, since when and until
 * when. Then the ordinary post-mortem.
 */
#include <kern/kmalloc.h>
#include <kern/kprintf.h>
#include <kern/panic.h>
#include <san/kasan_var.h>
#include <vm/vm_page.h>

#include <amd64/cpufunc.h>

static struct kasan_access found; /* written once, by who found it first */
static uint32_t reported;

/* Where the bad byte lies beside or in `what' of size bytes at start. */
static void
print_place(const char *start, size_t size, const char *what, const char *name)
{
	int64_t off = (int64_t)(found.ka_addr - (uint64_t)start);

	if (off < 0)
		kprintf("    %ld bytes before", -off);
	else if (off < (int64_t)size)
		kprintf("    %ld bytes into", off);
	else
		kprintf("    %ld bytes behind", off - (int64_t)size);
	kprintf(" the %lu bytes at %p of %s \"%s\"\n", size, start, what, name);
}

/* Both stacks; what was not freed has only one. */
static void
print_stacks(uint32_t alloc, uint32_t free)
{
	kasan_stack_print("\nAllocated", alloc);
	if (found.ka_kind == KASAN_FREED || found.ka_kind == KASAN_ZFREED ||
	    found.ka_kind == KASAN_FREED_PAGE)
		kasan_stack_print("\nFreed", free);
}

/* A small block of kmalloc's. Between two blocks, the nearer one is meant. */
static void
print_block(char *start, size_t room)
{
	const struct kasan_meta *km, *next;
	uint64_t end = (uint64_t)start + room;

	km = (const struct kasan_meta *)(start + room) - 1;
	next = (const struct kasan_meta *)(start + 2 * room) - 1;
	if (found.ka_kind == KASAN_REDZONE &&
	    end - found.ka_addr <
		found.ka_addr - (uint64_t)start - km->km_size &&
	    (end & PAGE_MASK) + room <= PAGE_SIZE && next->km_room == room) {
		start += room;
		km = next;
	}
	if (km->km_room != room) {
		kprintf("    in kmalloc's memory, never allocated\n");
		return;
	}
	print_place(start, km->km_size, "kmalloc", km->km_type->ks_name);
	print_stacks(km->km_alloc, km->km_free);
}

/* An object of a zone, by the zone's page. */
static void
print_object(const struct kasan_page *kp)
{
	const char *base = kp->kp_base;
	size_t stride = zone_stride(kp->kp_zone);
	size_t n = (found.ka_addr - (uint64_t)base) / stride;
	char *p = (char *)(uintptr_t)base + n * stride;
	const uint32_t *ids = zone_ids(kp->kp_zone, p);

	print_place(p, kp->kp_zone->z_size, "the zone", kp->kp_zone->z_name);
	print_stacks(ids[0], ids[1]);
}

/* Which memory it is. */
static void
report_memory(void)
{
	const struct kasan_page *kp = kasan_page_of((void *)found.ka_addr);
	size_t room;
	char *start;

	if (found.ka_kind == KASAN_GLOBAL) {
		kasan_global_print(found.ka_addr);
	} else if (found.ka_kind == KASAN_FREED_PAGE) {
		kprintf("    in a page on the free queues\n");
		print_stacks(kp->kp_alloc, kp->kp_free);
	} else if (kp->kp_zone != NULL) {
		print_object(kp);
	} else if (kp->kp_type != NULL) {
		print_place(
		    kp->kp_base, kp->kp_size, "kmalloc", kp->kp_type->ks_name);
		print_stacks(kp->kp_alloc, kp->kp_free);
	} else if (kmalloc_block(found.ka_addr, &start, &room)) {
		print_block(start, room);
	}
}

/* The class of the mistake, by the shadow. */
static const char *
kind_name(uint8_t kind)
{
	switch (kind) {
	case KASAN_GLOBAL:
		return "out of bounds of a variable";
	case KASAN_REDZONE:
		return "out of bounds of kmalloc's memory";
	case KASAN_ZREDZONE:
		return "out of bounds of a zone's object";
	case KASAN_FREED:
		return "use after free of kmalloc's memory";
	case KASAN_ZFREED:
		return "use after free of a zone's object";
	case KASAN_FREED_PAGE:
		return "use after free of a page";
	default:
		return "wild access";
	}
}

/* See kasan_var.h. One CPU reports; another that finds something too waits to
 * be stopped. */
void
kasan_report(
    struct kasan_access *ka, const char *what, uint64_t rip, uint64_t rbp)
{
	kasan_on = false;
	while (atomic_swap_uint(&reported, 1) != 0)
		cpu_pause();
	found = *ka;
	if (what != NULL)
		panic_at(rip, rbp, report_memory, "KASAN: %s, %#lx", what,
		    found.ka_addr);
	panic_at(rip, rbp, report_memory, "KASAN: %s: %s of %lu bytes at %#lx",
	    kind_name(found.ka_kind), found.ka_write ? "write" : "read",
	    found.ka_size, found.ka_addr);
}
