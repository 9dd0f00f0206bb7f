/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * VM objects: what holds the pages of a file, a device, or anonymous memory.
 *
 * An object knows its pages and its pager, and of other objects nothing:
 * which objects stand behind which in a chain is the maps' business (see
 * vm_map_backing.h).
 *
 *  (T) the object's token, exclusive to change, shared to read. A thread
 *	that sleeps loses its tokens and has them back afterwards: objects are
 *	soft-locked, and after anything that can sleep what (T) guards must be
 *	looked at again
 *  (L) the object_list spinlock
 *  (A) atomic; (k) constant
 *
 * Order: map lock, then tokens from the front object of a chain downward. A
 * new reference may be added only by one who owns a reference already, or
 * under the token by one who found the object by its handle.
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
	struct vm_page_rb_tree rb_memq;	    /* (T) resident pages by pindex */
	/* (T) The page inserted last, NULL if it has gone since; and the gap
	 * behind it: no page has an index from gap_start to below gap_end. */
	vm_page_t last_page;
	vm_pindex_t gap_start, gap_end;
	uint32_t id;		     /* (k) for chain dumps; never reused */
	int generation;		     /* (T) */
	vm_pindex_t size;	     /* (T) pages */
	int ref_count;		     /* (A; 1 -> 0 also T) */
	objtype_t type;		     /* (T) */
	uint16_t flags;		     /* (A) OBJ_* */
	uint16_t pg_color;	     /* (k) colour of page 0 */
	uint32_t paging_in_progress; /* (A) PIP: don't end it */
	int64_t resident_page_count; /* (T) */
	void *handle;		     /* (k) vnode, device; or NULL */
	uint32_t hold_count;	     /* (A) keeps the memory, not the life */
	int64_t swblock_count;	     /* (T) swap metadata blocks */
	RB_HEAD(swblock_rb_tree, swblock) swblock_root; /* (T) by index */
	union {
		struct {			   /* OBJT_DEVICE */
			struct pglist devp_pglist; /* (T) its fake pages */
			TAILQ_ENTRY(vm_object) devp_list; /* dev_pager_lock */
		} devp;
	} un_pager;
};

#define OBJ_ACTIVE	 0x0004
#define OBJ_DEAD	 0x0008
#define OBJ_NOSPLIT	 0x0010 /* munmap does not free parts of it */
#define OBJ_WRITEABLE	 0x0080 /* pages have been mapped writable */
#define OBJ_MIGHTBEDIRTY 0x0100
#define OBJ_ONEMAPPING	 0x2000 /* each page is mapped by one entry at most */

/* Greater than every index. */
#define VM_PINDEX_MAX (~(vm_pindex_t)0)

/* The size of an object whose pages a virtual page table may place anywhere:
 * the greatest that DragonFly gave them, in pages. */
#define VPT_OBJECT_SIZE 0x7fffffffUL

/* Set by the object's end: the holder that takes the count to 0 frees it. */
#define HOLD_DEAD 0x80000000U

/* Somebody sleeps until the count is 0. */
#define PIP_WAITING 0x80000000U

#define OBJT_IS_ANON(t) ((t) == OBJT_DEFAULT || (t) == OBJT_SWAP)

extern struct spinlock vm_object_list_spin;
TAILQ_HEAD(object_q, vm_object);
extern struct object_q vm_object_list; /* (L) */
extern int64_t vm_object_count;	       /* (A) live objects */

/* Is it known, without a look at the tree, that the object has no page of this
 * index? Token held. */
static inline bool
vm_object_in_gap(const struct vm_object *object, vm_pindex_t pindex)
{
	return pindex >= object->gap_start && pindex < object->gap_end;
}

/* --- vm_object.c: life, references, holds --- */
void vm_object_init(void);
/* A new object, one reference, OBJ_ONEMAPPING when anonymous; may sleep for
 * memory. size in pages. */
vm_object_t vm_object_allocate(objtype_t type, vm_pindex_t size);
/* Another reference by one who owns one; takes no token. */
void vm_object_reference_quick(vm_object_t object);
/* For one who found the object by its handle, and owns no reference that
 * would keep it: false, and none, when it is about to end. Token held. */
bool vm_object_reference_alive(vm_object_t object);
/* Hold = hold_count + exclusive token; the memory stays. */
void vm_object_hold(vm_object_t object);
void vm_object_hold_shared(vm_object_t object);
bool vm_object_hold_try(vm_object_t object);
void vm_object_hold_nolock(vm_object_t object); /* hold_count only */
/* Ends a hold; the object's token must be the newest one held. */
void vm_object_drop(vm_object_t object);
/* Ends a hold taken by vm_object_hold_nolock. */
void vm_object_drop_nolock(vm_object_t object);
void vm_object_upgrade(vm_object_t object); /* hold shared -> exclusive:
						 * gives the token up between */
void vm_object_pip_add(vm_object_t object, uint32_t n);
void vm_object_pip_wakeup(vm_object_t object); /* one less, wakes at 0 */
void vm_object_pip_wait(vm_object_t object, const char *wmesg); /* token */
#define vm_object_pip_count(o) \
	(atomic_load_uint(&(o)->paging_in_progress) & ~PIP_WAITING)
void vm_object_set_flag(vm_object_t object, uint16_t flags);
void vm_object_clear_flag(vm_object_t object, uint16_t flags);
/* Pages of the object are about to be mapped writable. No token needed. */
void vm_object_set_writeable_dirty(vm_object_t object);

/* --- vm_object_dealloc.c: the end of a reference and of an object --- */
/* Drops a reference; may sleep; at 1 -> 0 terminates the object. No token
 * held. NULL is allowed. */
void vm_object_deallocate(vm_object_t object);
/* Frees the pages and ends the object; ref_count is 0, token exclusive; the
 * memory goes with the last hold. May sleep. */
void vm_object_terminate(vm_object_t object);

/* --- vm_object_page.c: an object's pages --- */
/* The page with the lowest index >= pindex, in whatever state, or NULL.
 * Token held. */
vm_page_t vm_object_next_page(vm_object_t object, vm_pindex_t pindex);
/* Frees pages start <= pindex < end (end 0: to the last). clean_only keeps
 * dirty ones. Takes the token; may sleep. */
void vm_object_page_remove(
    vm_object_t object, vm_pindex_t start, vm_pindex_t end, bool clean_only);
/* Writes the dirty pages start <= pindex < end (end 0: to the last) of a
 * vnode object back. Takes the token; may sleep. */
void vm_object_page_clean(
    vm_object_t object, vm_pindex_t start, vm_pindex_t end);
/* Grows prev (sizes in bytes), behind which is nothing, so that one entry may
 * cover both ranges; true when done. Exclusive map. */
bool vm_object_coalesce(vm_object_t prev, vm_pindex_t prev_pindex,
    vm_size_t prev_size, vm_size_t next_size);
/* MADV_WILLNEED, MADV_COLD, MADV_FREE on the object's own pages. */
void vm_object_madvise(
    vm_object_t object, vm_pindex_t pindex, vm_pindex_t count, int advice);

#endif
