/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of KASAN share.
 */
#ifndef SAN_KASAN_VAR_H
#define SAN_KASAN_VAR_H

#include <kern/cdefs.h>
#include <kern/types.h>
#include <san/kasan.h>

/*
 * A shadow byte: 0, all eight bytes may be touched; 1 to 7, only so many of
 * them; these, none.
 */
#define KASAN_GLOBAL	 0xf9 /* behind a variable */
#define KASAN_REDZONE	 0xfa /* around kmalloc's blocks */
#define KASAN_ZREDZONE	 0xfc /* around a zone's objects */
#define KASAN_FREED	 0xfd /* freed by kfree() */
#define KASAN_ZFREED	 0xfe /* freed by zfree() */
#define KASAN_FREED_PAGE 0xff /* on the free queues */

/* At the end of each of kmalloc's small blocks, and its redzone. Owned by the
 * block's owner, then by the quarantine (kasan_heap.c). */
struct kasan_meta {
	struct kasan_meta *km_next; /* the quarantine's list */
	const struct malloc_type *km_type;
	uint32_t km_size; /* bytes asked for */
	uint32_t km_alloc, km_free;
	uint32_t km_room; /* bytes from the block's start to its end */
};

/* For each page of the VM's. Written by who allocates or frees the page. */
struct kasan_page {
	uint32_t kp_alloc, kp_free;
	const void *kp_base;		   /* run of a zone or of kmalloc */
	const struct zone *kp_zone;	   /* the zone */
	const struct malloc_type *kp_type; /* or kmalloc's owner, and */
	size_t kp_size;			   /* what he asked for */
};

/* What a planted or a real bug did. */
struct kasan_access {
	uint64_t ka_addr; /* the first byte that was wrong */
	size_t ka_size;	  /* of the whole access */
	bool ka_write;
	uint8_t ka_kind; /* KASAN_* */
};

/* kasan_shadow.c */
extern volatile bool kasan_on;
uint8_t *kasan_shadow(uint64_t addr);			  /* NULL: has none */
void kasan_poison(const void *p, size_t n, uint8_t kind); /* aligned to 8 */
void kasan_unpoison(const void *p, size_t n);
struct kasan_page *kasan_page_of(const void *p); /* NULL: no page */

/* kasan_stack.c: stacks by number; 0 is none. */
uint32_t kasan_stack_save(void);
void kasan_stack_print(const char *what, uint32_t id);

/* kasan_global.c */
void kasan_global_init(void);
void kasan_global_print(uint64_t addr);

/* kmalloc.c: the block that addr lies in; false when it is no slab's. */
bool kmalloc_block(uint64_t addr, char **startp, size_t *sizep);
/* zone.c: the two words behind an object, and the bytes from one to the next. */
uint32_t *zone_ids(const struct zone *z, void *p);
size_t zone_stride(const struct zone *z);

/* kasan_report.c: ends the machine. rip and rbp are the access's. */
void kasan_report(struct kasan_access *ka, const char *what, uint64_t rip,
    uint64_t rbp) __noreturn;

#endif
