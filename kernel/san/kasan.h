/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * KASAN, the address sanitizer: every access that the compiler sees is looked
 * up in a shadow, a byte for each eight bytes of the direct map's RAM and of
 * the kernel's data, which says whether they may be touched now. This is what
 * the allocators tell it, and nothing at all in other builds.
 */
#ifndef SAN_KASAN_H
#define SAN_KASAN_H

#include <kern/types.h>

struct malloc_type;
struct vm_page;
struct zone;

#ifdef KASAN

/* So many objects a zone keeps free before it reuses the one freed first. */
#define KASAN_ZONE_KEEP 16
/* Free pages are given out in the order in which they were freed. */
#define KASAN_FIFO true

/* Takes the shadow's memory out of phys_avail. Boot CPU, before mem=. */
void kasan_boot(void);

/* Would the CPU's own instructions, which the compiler does not see, be right
 * to read or write n bytes at p? */
void kasan_read(const void *p, size_t n) __attribute__((access(none, 1)));
void kasan_write(const void *p, size_t n) __attribute__((access(none, 1)));

/* A page leaves or enters the free queues. */
void kasan_page_alloc(struct vm_page *m);
void kasan_page_free(struct vm_page *m);

/* What kmalloc has to allocate for a request of size bytes. */
size_t kasan_room(size_t size);
/* A page becomes a slab: nothing in it may be touched. */
void kasan_slab(void *page);
/* Of a block of `room' bytes the first size are given out. */
void kasan_kmalloc(
    void *p, size_t size, size_t room, const struct malloc_type *type);
/* How many bytes the owner of the block asked for. */
size_t kasan_size(const void *p, size_t room);
/* p is about to be freed: must be alive. */
void kasan_kfree_check(void *p);
/* Poisons a block and calls release for those that leave the quarantine: p
 * itself when it is pages. */
void kasan_kfree(void *p, size_t room, struct malloc_type *type,
    void (*release)(void *p, struct malloc_type *type));
/* Empties the quarantine; false when it was empty. */
bool kasan_drain(void (*release)(void *p, struct malloc_type *type));

/* Memory enters a zone; an object is given out; one comes back. ids are two
 * words behind the object. */
void kasan_zone_grow(struct zone *z, void *mem, int npages);
void kasan_zalloc(struct zone *z, void *p, uint32_t *ids);
void kasan_zfree(struct zone *z, void *p, uint32_t *ids);

#else

#define KASAN_ZONE_KEEP 0
#define KASAN_FIFO	false

#define kasan_boot()			   ((void)0)
#define kasan_read(p, n)		   ((void)0)
#define kasan_write(p, n)		   ((void)0)
#define kasan_page_alloc(m)		   ((void)0)
#define kasan_page_free(m)		   ((void)0)
#define kasan_room(size)		   (size)
#define kasan_slab(page)		   ((void)0)
#define kasan_size(p, room)		   (room)
#define kasan_drain(release)		   false
#define kasan_zalloc(z, p, ids)		   ((void)0)
#define kasan_zfree(z, p, ids)		   ((void)0)
#define kasan_kfree_check(p)		   ((void)0)
#define kasan_kmalloc(p, size, room, type) ((void)0)
#define kasan_zone_grow(z, mem, npages)	   ((void)0)

#endif

#endif
