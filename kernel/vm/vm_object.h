/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * VM objects before the rework: what backs a range of an address space.
 *
 * An anonymous object may be a shadow: what it lacks is looked for in its
 * backing_object, at backing_object_offset, and so on down the chain. The
 * link owns one reference on the object below. Objects below know the
 * shadows above them (shadow_head), so that the last reference but one can
 * collapse upward.
 *
 *  (T) the object's token, exclusive to change, shared to read
 *  (L) the object_list spinlock
 *  (C) the chain lock
 *  (A) atomic; (k) constant
 *
 * Order: map lock, then tokens from the front object downward; chain locks
 * downward likewise. A new reference may be added only by one who owns a
 * reference already, or under the token after chain_wait.
 */
#ifndef VM_VM_OBJECT_H
#define VM_VM_OBJECT_H

#include <vm/vm_page.h>

typedef enum {
	OBJT_DEFAULT, /* anonymous, nothing on swap yet */
	OBJT_SWAP,    /* anonymous, with swap metadata */
	OBJT_VNODE,   /* a file's pages; handle is the struct vnode */
	OBJT_DEVICE,  /* fake pages of a device */
	OBJT_PHYS,    /* pages that are never paged */
	OBJT_DEAD,    /* being destroyed */
	OBJT_COUNT
} objtype_t;

struct vm_object {
	struct lwkt_token token;	    /* see the rules of tokens */
	TAILQ_ENTRY(vm_object) object_list; /* (L) all objects */
	LIST_HEAD(, vm_object) shadow_head; /* (T) objects that shadow me */
	LIST_ENTRY(vm_object) shadow_list;  /* (T of backing_object) */
	struct vm_page_rb_tree rb_memq;	    /* (T) resident pages by pindex */
	uint32_t id;		     /* (k) for chain dumps; never reused */
	int generation;		     /* (T) */
	vm_pindex_t size;	     /* (T) pages */
	int ref_count;		     /* (A; at <= 3 also T) */
	int shadow_count;	     /* (T) length of shadow_head */
	objtype_t type;		     /* (T) */
	uint16_t flags;		     /* (A) OBJ_* */
	uint16_t pg_color;	     /* (k) colour of page 0 */
	uint32_t paging_in_progress; /* (A) PIP: don't collapse or free */
	int64_t resident_page_count; /* (T) */
	struct vm_object *backing_object;   /* (T) owns one reference on it */
	vm_ooffset_t backing_object_offset; /* (T) bytes into it */
	void *handle;			    /* (k) vnode, device; or NULL */
	uint32_t hold_count;   /* (A) keeps the memory, not the life */
	uint32_t chainlk;      /* (A) CHAINLK_* */
	int64_t swblock_count; /* (T) swap metadata blocks */
};

#define OBJ_ACTIVE	 0x0004
#define OBJ_DEAD	 0x0008
#define OBJ_NOSPLIT	 0x0010 /* vm_map_split leaves it alone */
#define OBJ_PIPWNT	 0x0040 /* somebody sleeps until PIP is 0 */
#define OBJ_MIGHTBEDIRTY 0x0100
#define OBJ_ONEMAPPING	 0x2000 /* each page is mapped by one entry at most */
#define OBJ_ONSHADOW	 0x4000 /* I am on backing_object's shadow_head */

/* The chain lock. */
#define CHAINLK_EXCL	0x80000000U
#define CHAINLK_WAIT	0x40000000U
#define CHAINLK_EXCLREQ 0x20000000U
#define CHAINLK_MASK	0x1fffffffU

extern struct spinlock vm_object_list_spin;
TAILQ_HEAD(object_q, vm_object);
extern struct object_q vm_object_list; /* (L) */
extern int64_t vm_object_count;	       /* (A) live objects */

/* --- vm_object.c: life, references, holds --- */
void vm_object_init(void);
/* A new object, one reference, OBJ_ONEMAPPING; may sleep for memory. */
vm_object_t vm_object_allocate(objtype_t type, vm_pindex_t size);
/* Another reference by one who owns one; takes no token. */
void vm_object_reference_quick(vm_object_t object);
void vm_object_reference_locked(vm_object_t object); /* token held */
/* Token held; waits while somebody chain-locks the object, so that a
 * collapse never sees a reference appear. */
void vm_object_reference_locked_chain_held(vm_object_t object);
/* Drops a reference; may sleep; at 2 -> 1 may collapse upward, at 1 -> 0
 * terminates the object and goes on with its backing. No token held. */
void vm_object_deallocate(vm_object_t object);
void vm_object_deallocate_locked(vm_object_t object); /* token held, kept */
/* Hold = hold_count + exclusive token; the memory stays. */
void vm_object_hold(vm_object_t object);
void vm_object_hold_shared(vm_object_t object);
bool vm_object_hold_try(vm_object_t object);
void vm_object_hold_nolock(vm_object_t object); /* hold_count only */
void vm_object_drop(vm_object_t object);
void vm_object_upgrade(vm_object_t object); /* hold shared -> exclusive:
						 * gives the token up between */
void vm_object_pip_add(vm_object_t object, uint32_t n);
void vm_object_pip_wakeup(vm_object_t object); /* one less, wakes at 0 */
void vm_object_pip_wait(vm_object_t object, const char *wmesg); /* token */
/* Frees pages start <= pindex < end (end 0: to the last). clean_only keeps
 * dirty ones. Token exclusive. */
void vm_object_page_remove(
    vm_object_t object, vm_pindex_t start, vm_pindex_t end, bool clean_only);
void vm_object_set_flag(vm_object_t object, uint16_t flags);
void vm_object_clear_flag(vm_object_t object, uint16_t flags);
/* Grows prev_object by next_size so that one entry may cover both; true
 * when done. Exclusive map. */
bool vm_object_coalesce(vm_object_t prev, vm_pindex_t prev_pindex,
    vm_size_t prev_size, vm_size_t next_size);
/* MADV_DONTNEED, MADV_FREE, MADV_WILLNEED on the chain from object down. */
void vm_object_madvise(
    vm_object_t object, vm_pindex_t pindex, vm_pindex_t count, int advice);

/* --- vm_object_chain.c: the chain lock --- */
void vm_object_chain_acquire(vm_object_t object, bool shared);
void vm_object_chain_release(vm_object_t object);
void vm_object_chain_release_all(vm_object_t first, vm_object_t stop);
void vm_object_chain_acquire_all(vm_object_t first, vm_object_t stop);
void vm_object_chain_wait(vm_object_t object, bool shared);

/* --- vm_object_shadow.c: shadow, collapse, bypass --- */
/* On the first write to a NEEDS_COPY entry: object, offset and length become
 * a new object on top, unless the object is anonymous, handle-free and the
 * caller's alone. addref: make it with two references. Consumes the
 * caller's reference on the old object. */
void vm_object_shadow(
    vm_object_t *object, vm_ooffset_t *offset, vm_size_t length, bool addref);
/* Token exclusive and chain-locked; collapses and bypasses downward until
 * nothing more goes. */
void vm_object_collapse(vm_object_t object);
void vm_object_shadow_link(vm_object_t shadow, vm_object_t backing);
void vm_object_shadow_unlink(vm_object_t shadow);

#endif
