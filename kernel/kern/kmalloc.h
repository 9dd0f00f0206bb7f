/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Kernel memory by owner. Every byte has an owner (struct malloc_type), and
 * every owner its live count, so that a leak is reported by name.
 *
 * Small sizes come from power-of-two classes carved out of whole pages of
 * the direct map; larger ones are runs of contiguous pages. Zones hold
 * objects of one size and keep type: memory of a freed object stays such an
 * object (lockless readers rely on it).
 */
#ifndef KERN_KMALLOC_H
#define KERN_KMALLOC_H

#include <kern/thread.h>

struct malloc_type {
	const char *ks_name; /* (k) */
	int64_t ks_inuse;    /* (a) allocations alive */
	int64_t ks_bytes;    /* (a) bytes alive, rounded to the class */
};
/* Registers itself in a linker set; /proc/leaks walks the set. */
#define MALLOC_DEFINE(type, name)                                       \
	struct malloc_type type = {.ks_name = name};                    \
	static struct malloc_type *const mtset_##type __used __section( \
	    "set_malloc_types") = &type
#define MALLOC_DECLARE(type) extern struct malloc_type type

#define M_WAITOK 0x0001 /* may sleep for memory; never returns NULL */
#define M_NOWAIT 0x0002 /* may return NULL; legal under a spinlock */
#define M_ZERO	 0x0004

void *kmalloc(size_t size, struct malloc_type *type, int flags);
void *krealloc(void *p, size_t size, struct malloc_type *type, int flags);
void kfree(void *p, struct malloc_type *type); /* NULL is allowed */
char *kstrdup(const char *s, struct malloc_type *type);

MALLOC_DECLARE(M_TEMP);

struct zone {
	struct spinlock z_spin; /* guards the free list and counts */
	const char *z_name;	/* (k) */
	size_t z_size;		/* (k) bytes an object, rounded to 16 */
	void *z_free;		/* free list */
#ifdef KASAN
	void *z_last; /* its last object */
#endif
	int64_t z_inuse, z_total;
	void (*z_ctor)(void *);	   /* (k) once, when memory enters the zone */
	struct malloc_type z_type; /* what z_inuse was when somebody asked */
	LIST_ENTRY(zone) z_link;   /* all zones, zone list lock */
};
void zinit(struct zone *z, const char *name, size_t size, void (*ctor)(void *));
void *zalloc(struct zone *z, int flags); /* M_WAITOK or M_NOWAIT [|M_ZERO] */
void zfree(struct zone *z, void *p);
struct zone *zone_next(const struct zone *z); /* NULL: the first */

void kmalloc_init(void); /* after vm_page_startup */
/* Calls fn(name, live allocations, bytes) for each owner and zone, in a
 * fixed order (by name). */
void kmalloc_foreach(
    void (*fn)(void *arg, const char *name, int64_t inuse, int64_t bytes),
    void *arg);

#endif
