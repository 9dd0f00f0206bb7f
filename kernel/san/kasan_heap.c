/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What kmalloc and the zones tell KASAN, and the quarantine: a freed small
 * block is kept from being reused until so many bytes were freed after it, so
 * that who still uses it meets poison. Pages have their quarantine in the free
 * queues, which give out the page that was freed first; zones likewise.
 */
#include <kern/kmalloc.h>
#include <kern/thread.h>
#include <san/kasan_var.h>
#include <vm/vm_page.h>

/* A block with a kasan_meta; SLAB_MAX of kmalloc.c. */
#define SMALL_MAX 1024
/* At least so much behind a run of pages. */
#define BIG_REDZONE 16
/* The quarantine's part of memory, at most. */
#define QUARANTINE_SHARE 64
#define QUARANTINE_MAX	 (1UL << 20)

static struct spinlock quarantine_spin = SPINLOCK_INITIALIZER("quarantine");
static struct kasan_meta *oldest, *newest; /* quarantine_spin */
static size_t bytes;			   /* quarantine_spin: in it */

/* See kasan.h. */
size_t
kasan_room(size_t size)
{
	size_t room = roundup2(MAX(size, 1), 16UL) + sizeof(struct kasan_meta);

	return room <= SMALL_MAX ? room : MAX(size, SMALL_MAX) + BIG_REDZONE;
}

/* The end of a small block, NULL of a run of pages. room is the class's. */
static struct kasan_meta *
meta_of(const void *p, size_t room)
{
	if (((uintptr_t)p & PAGE_MASK) == 0)
		return NULL;
	return (struct kasan_meta *)((char *)(uintptr_t)p + room) - 1;
}

/* See kasan.h. */
void
kasan_slab(void *page)
{
	kasan_poison(page, PAGE_SIZE, KASAN_REDZONE);
}

/* See kasan.h. */
void
kasan_kmalloc(void *p, size_t size, size_t room, const struct malloc_type *type)
{
	struct kasan_meta *km = meta_of(p, room);
	struct kasan_page *kp;

	kasan_poison(p, room, KASAN_REDZONE);
	kasan_unpoison(p, MAX(size, 1));
	if (km != NULL) {
		km->km_type = type;
		km->km_size = (uint32_t)size;
		km->km_room = (uint32_t)room;
		km->km_alloc = kasan_stack_save();
		km->km_free = 0;
		return;
	}
	for (size_t off = 0; off < room; off += PAGE_SIZE) {
		kp = kasan_page_of((char *)p + off);
		if (kp == NULL)
			return; /* mapped elsewhere */
		kp->kp_base = p;
		kp->kp_type = type;
		kp->kp_size = size;
	}
}

/* See kasan.h. */
size_t
kasan_size(const void *p, size_t room)
{
	struct kasan_page *kp = kasan_page_of(p);

	if (meta_of(p, room) != NULL)
		return meta_of(p, room)->km_size;
	return kp != NULL ? kp->kp_size : room - BIG_REDZONE;
}

/* See kasan.h. */
void
kasan_kfree_check(void *p)
{
	struct kasan_access ka = {.ka_addr = (uint64_t)p};
	const uint8_t *s = kasan_shadow((uint64_t)p);

	if (!kasan_on || s == NULL || *s < 8)
		return;
	ka.ka_kind = *s;
	kasan_report(&ka,
	    *s == KASAN_FREED || *s == KASAN_FREED_PAGE
		? "freed twice"
		: "free of what was never allocated",
	    (uint64_t)__builtin_return_address(0) - 1,
	    *(uint64_t *)__builtin_frame_address(0));
}

/* Takes the oldest block out while more than max bytes are held. */
static struct kasan_meta *
evict(size_t max)
{
	struct kasan_meta *km;

	spin_lock(&quarantine_spin);
	km = bytes > max ? oldest : NULL;
	if (km != NULL) {
		oldest = km->km_next;
		bytes -= km->km_room;
	}
	spin_unlock(&quarantine_spin);
	return km;
}

/* Lets blocks go until no more than max bytes are held; did any? */
static bool
shrink(size_t max, void (*release)(void *p, struct malloc_type *type))
{
	struct kasan_meta *km;
	bool any = false;

	while ((km = evict(max)) != NULL) {
		release((char *)(km + 1) - km->km_room,
		    (struct malloc_type *)(uintptr_t)km->km_type);
		any = true;
	}
	return any;
}

/* See kasan.h. */
bool
kasan_drain(void (*release)(void *p, struct malloc_type *type))
{
	return shrink(0, release);
}

/* See kasan.h. */
void
kasan_kfree(void *p, size_t room, struct malloc_type *type,
    void (*release)(void *p, struct malloc_type *type))
{
	struct kasan_meta *km = meta_of(p, room);
	size_t ram = (size_t)vmstats.v_page_count << PAGE_SHIFT;

	if (km == NULL) {
		release(p, type);
		return;
	}
	kasan_poison(p, room, KASAN_FREED);
	km->km_type = type;
	km->km_free = kasan_stack_save();
	km->km_next = NULL;
	spin_lock(&quarantine_spin);
	if (oldest == NULL)
		oldest = km;
	else
		newest->km_next = km;
	newest = km;
	bytes += room;
	spin_unlock(&quarantine_spin);
	shrink(MIN(ram / QUARANTINE_SHARE, QUARANTINE_MAX), release);
}

/* See kasan.h. */
void
kasan_zone_grow(struct zone *z, void *mem, int npages)
{
	struct kasan_page *kp;

	kasan_poison(mem, (size_t)npages * PAGE_SIZE, KASAN_ZREDZONE);
	for (int i = 0; i < npages; i++) {
		kp = kasan_page_of((char *)mem + i * PAGE_SIZE);
		kp->kp_base = mem;
		kp->kp_zone = z;
	}
}

/* See kasan.h. */
void
kasan_zalloc(struct zone *z, void *p, uint32_t *ids)
{
	ids[0] = kasan_stack_save();
	ids[1] = 0;
	kasan_unpoison(p, z->z_size);
}

/* See kasan.h. */
void
kasan_zfree(struct zone *z, void *p, uint32_t *ids)
{
	ids[1] = kasan_stack_save();
	kasan_poison(p, z->z_size, KASAN_ZFREED);
}
