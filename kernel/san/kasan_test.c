/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Planted bugs for KASAN. The comments in brackets name the lines that its
 * report must name: the grader looks for them.
 */
#include <kern/kmalloc.h>
#include <kern/kstring.h>
#include <pmap/pmap.h>
#include <san/san_test.h>
#include <vm/vm_kern.h>
#include <vm/vm_page.h>

MALLOC_DEFINE(M_SANTEST, "santest");

static struct zone test_zone;
static volatile char table[24];
static volatile int sink;

/* Not inline, so that it stands in the stacks. */
static __noinline char *
test_alloc(size_t size)
{
	return kmalloc(size, &M_SANTEST, M_WAITOK | M_ZERO); /* [alloc] */
}

static __noinline void
test_free(char *p)
{
	kfree(p, &M_SANTEST); /* [free] */
}

/* A write into freed memory that nobody else has got since. */
static void
uaf(void)
{
	char *p = test_alloc(100);

	test_free(p);
	test_free(test_alloc(100));
	*(volatile uint64_t *)(p + 16) = 1; /* [uaf] */
}
SAN_TEST("kasan_uaf", uaf);

/* One byte behind the end, far from the next block. */
static void
oob(void)
{
	volatile char *p = test_alloc(100);

	p[100] = 1; /* [oob] */
}
SAN_TEST("kasan_oob", oob);

/* One byte before the beginning. */
static void
under(void)
{
	volatile char *p;

	test_alloc(40);
	p = test_alloc(40);
	sink = p[-1]; /* [under] */
}
SAN_TEST("kasan_under", under);

/* Behind a run of pages. */
static void
big(void)
{
	volatile char *p = test_alloc(2 * PAGE_SIZE);

	p[2 * PAGE_SIZE] = 1; /* [big] */
}
SAN_TEST("kasan_big", big);

/* What the compiler does not see: a string instruction. */
static void
copy(void)
{
	char *p = test_alloc(50), *q = test_alloc(64);

	memcpy(p, q, 51); /* [copy] */
}
SAN_TEST("kasan_copy", copy);

static void
twice(void)
{
	char *p = test_alloc(30);

	test_free(p);
	kfree(p, &M_SANTEST); /* [twice] */
}
SAN_TEST("kasan_twice", twice);

static void
global(void)
{
	volatile int i = sizeof(table);

	table[i] = 1; /* [global] */
}
SAN_TEST("kasan_global", global);

static __noinline void
test_page_free(vm_page_t m)
{
	kmem_page_free1(m); /* [page free] */
}

/* A page, by its direct-map address, when it has gone back to the queues. */
static void
page(void)
{
	vm_page_t m = kmem_page_alloc1(true); /* [page alloc] */
	volatile char *p = (char *)PHYS_TO_DMAP(m->phys_addr);

	test_page_free(m);
	sink = p[123]; /* [page] */
}
SAN_TEST("kasan_page", page);

static __noinline void
test_zfree(void *p)
{
	zfree(&test_zone, p); /* [zone free] */
}

static void
zone(void)
{
	volatile uint32_t *p;

	zinit(&test_zone, "santest zone", 72, NULL);
	p = zalloc(&test_zone, M_WAITOK); /* [zone alloc] */
	test_zfree((void *)(uintptr_t)p);
	sink = p[4]; /* [zone] */
}
SAN_TEST("kasan_zone", zone);

/* The word behind an object. */
static void
zoob(void)
{
	volatile uint64_t *p;

	zinit(&test_zone, "santest zone", 64, NULL);
	p = zalloc(&test_zone, M_WAITOK); /* [zoob alloc] */
	p[8] = 1;			  /* [zoob] */
}
SAN_TEST("kasan_zoob", zoob);
