/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Zones: objects of one size whose memory never becomes anything else.
 * What a constructor made, and whatever a reader without a lock may still
 * look at, stays as the object's last user left it: the zone's own word is
 * behind the object, not in it.
 */
#include <kern/inject.h>
#include <kern/kmalloc.h>

#include <kern/kstring.h>
#include <san/kasan_var.h>
#include <san/witness.h>
#include <vm/vm_kern.h>
#include <vm/vm_page.h>

#define ZONE_ALIGN     16
#define ZONE_MAX_PAGES 8

/* Behind each object: the next free one, or while it is allocated the mark
 * that says so, which belongs to the zone. */
struct ztail {
	void *zt_next;
#ifdef KASAN
	uint32_t zt_ids[2]; /* who allocated it, who freed it */
#endif
};
#define ZONE_MARK(z) ((void *)((uintptr_t)(z) ^ 0x5a5a5a5a5a5a5a5aUL))

static struct spinlock zones_spin = SPINLOCK_INITIALIZER("zones");
static LIST_HEAD(, zone) zones = LIST_HEAD_INITIALIZER(zones); /* zones_spin,
								* only grows */

/* Makes an empty zone; name must stay and be unique among zones and owners.
 * ctor (may be NULL) sees each object once, when its memory comes in. */
void
zinit(struct zone *z, const char *name, size_t size, void (*ctor)(void *))
{
	memset(z, 0, sizeof(*z));
	spin_init(&z->z_spin, "zone");
	z->z_name = name;
	z->z_size = roundup2(size, ZONE_ALIGN);
	z->z_ctor = ctor;
	z->z_type.ks_name = name;
	spin_lock(&zones_spin);
	LIST_INSERT_HEAD(&zones, z, z_link);
	spin_unlock(&zones_spin);
}

/* The zone after z, or the first; NULL at the end. Zones never go. */
struct zone *
zone_next(const struct zone *z)
{
	return z == NULL ? LIST_FIRST(&zones) : LIST_NEXT(z, z_link);
}

static inline struct ztail *
ztail(const struct zone *z, void *p)
{
	return (struct ztail *)((char *)p + z->z_size);
}

/* Bytes from one object to the next. */
static size_t
zstride(const struct zone *z)
{
	return roundup2(z->z_size + sizeof(struct ztail), ZONE_ALIGN);
}

#ifdef KASAN
/* See san/kasan_var.h. */
uint32_t *
zone_ids(const struct zone *z, void *p)
{
	return ztail(z, p)->zt_ids;
}

/* See san/kasan_var.h. */
size_t
zone_stride(const struct zone *z)
{
	return zstride(z);
}
#endif

/* How many pages at a time: the fewest of which less than an eighth is
 * wasted. */
static int
zone_pages(const struct zone *z)
{
	size_t stride = zstride(z), bytes;
	int n;

	for (n = 1; n < ZONE_MAX_PAGES; n++) {
		bytes = n * PAGE_SIZE;
		if (bytes >= stride && bytes % stride < bytes / 8)
			break;
	}
	KASSERT(n * PAGE_SIZE >= stride,
	    ("zone %s: objects of %lu bytes", z->z_name, z->z_size));
	return n;
}

/* Adds memory to the zone; false when there is none. Never sleeps. The
 * object at the lowest address is given out first. */
static bool
zone_grow(struct zone *z)
{
	int npages = zone_pages(z), n;
	size_t stride = zstride(z);
	char *mem = kmem_page_alloc(npages, 1), *p;

	/* Fewer pages in a row waste more, but can be had more often. */
	while (mem == NULL && (size_t)(npages - 1) * PAGE_SIZE >= stride)
		mem = kmem_page_alloc(--npages, 1);
	if (mem == NULL)
		return false;
	atomic_add_long(&kmem_pool_pages, npages);
	n = npages * PAGE_SIZE / stride;
	for (p = mem; p < mem + n * stride; p += stride) {
		if (z->z_ctor != NULL)
			z->z_ctor(p);
		ztail(z, p)->zt_next = p + stride; /* the last one's below */
	}
	kasan_zone_grow(z, mem, npages);
	spin_lock(&z->z_spin);
#ifdef KASAN
	if (z->z_free == NULL)
		z->z_last = mem + (n - 1) * stride;
#endif
	ztail(z, mem + (n - 1) * stride)->zt_next = z->z_free;
	z->z_free = mem;
	z->z_total += n;
	spin_unlock(&z->z_spin);
	return true;
}

/* The free object p is taken, z_spin held and released. */
static inline void *
zone_take(struct zone *z, void *p)
{
	z->z_free = ztail(z, p)->zt_next;
	ztail(z, p)->zt_next = ZONE_MARK(z);
	kasan_zalloc(z, p, ztail(z, p)->zt_ids);
	z->z_inuse++;
	spin_unlock(&z->z_spin);
	return p;
}

/* zalloc() where there may be no free object, or it is not to be had. */
static __noinline void *
zalloc_slow(struct zone *z, int flags)
{
	int keep = KASAN_ZONE_KEEP;
	void *p;

	if (inject(INJECT_KMALLOC)) {
		if (flags & M_NOWAIT)
			return NULL;
		vm_wait(z->z_name);
	}
	for (;;) {
		spin_lock(&z->z_spin);
		p = z->z_free;
		if (p != NULL && (z->z_total - z->z_inuse > keep || keep == 0))
			return zone_take(z, p);
		spin_unlock(&z->z_spin);
		if (zone_grow(z))
			continue;
		if (keep != 0) {
			keep = 0;
			continue;
		}
		if (flags & M_NOWAIT)
			return NULL;
		vm_wait(z->z_name);
	}
}

/* An object as its last user, or the constructor, left it; zeroed with
 * M_ZERO, which a zone with a constructor does not allow. M_WAITOK sleeps
 * until there is memory; M_NOWAIT returns NULL then, and is legal under a
 * spinlock. */
void *
zalloc(struct zone *z, int flags)
{
	int how = flags & (M_WAITOK | M_NOWAIT);
	void *p = NULL;

	KASSERT((how == M_WAITOK || how == M_NOWAIT) &&
		!((flags & M_ZERO) && z->z_ctor != NULL),
	    ("zalloc(%s): flags %x", z->z_name, flags));
	if (flags & M_WAITOK)
		witness_may_sleep(z->z_name);
	if (likely(inject_kinds == 0 && KASAN_ZONE_KEEP == 0)) {
		spin_lock(&z->z_spin);
		p = z->z_free;
		if (likely(p != NULL))
			zone_take(z, p);
		else
			spin_unlock(&z->z_spin);
	}
	if (unlikely(p == NULL))
		p = zalloc_slow(z, flags);
	if ((flags & M_ZERO) && p != NULL)
		memset(p, 0, z->z_size);
	return p;
}

/* Puts an object on the free list: first, since it is in the caches; under
 * KASAN last, so that it stays free for long. z_spin held. */
static void
free_put(struct zone *z, void *p)
{
#ifdef KASAN
	ztail(z, p)->zt_next = NULL;
	if (z->z_free == NULL)
		z->z_free = p;
	else
		ztail(z, z->z_last)->zt_next = p;
	z->z_last = p;
#else
	ztail(z, p)->zt_next = z->z_free;
	z->z_free = p;
#endif
}

/* Gives an object of this zone back. Never sleeps. */
void
zfree(struct zone *z, void *p)
{
	witness_freed(p, z->z_size);
	spin_lock(&z->z_spin);
	if (ztail(z, p)->zt_next != ZONE_MARK(z))
		panic("zfree(%s): %p is not allocated", z->z_name, p);
	kasan_zfree(z, p, ztail(z, p)->zt_ids);
	free_put(z, p);
	z->z_inuse--;
	spin_unlock(&z->z_spin);
}
