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
 *  (T) the object's token, exclusive to change, shared to read. A thread
 *	that sleeps loses its tokens and has them back afterwards: objects are
 *	soft-locked, and after anything that can sleep what (T) guards must be
 *	looked at again
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
	/* (T) The page inserted last, NULL if it has gone since; and the gap
	 * behind it: no page has an index from gap_start to below gap_end. */
	vm_page_t last_page;
	vm_pindex_t gap_start, gap_end;
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
#define OBJ_NOSPLIT	 0x0010 /* vm_map_split leaves it alone */
#define OBJ_WRITEABLE	 0x0080 /* pages have been mapped writable */
#define OBJ_MIGHTBEDIRTY 0x0100
#define OBJ_ONEMAPPING	 0x2000 /* each page is mapped by one entry at most */
#define OBJ_ONSHADOW	 0x4000 /* I am on backing_object's shadow_head */

/* Greater than every index. */
#define VM_PINDEX_MAX (~(vm_pindex_t)0)

/* The size of an object whose pages a virtual page table may place anywhere:
 * the greatest that DragonFly gave them, in pages. */
#define VPT_OBJECT_SIZE 0x7fffffffUL

/* Set by the object's end: the holder that takes the count to 0 frees it. */
#define HOLD_DEAD 0x80000000U

/* Somebody sleeps until the count is 0. */
#define PIP_WAITING 0x80000000U

/* The chain lock: one exclusive holder or a count of sharers, of a chain of
 * anonymous objects. Whoever holds it may sleep. */
#define CHAINLK_EXCL	0x80000000U
#define CHAINLK_WAIT	0x40000000U
#define CHAINLK_EXCLREQ 0x20000000U
#define CHAINLK_MASK	0x1fffffffU

#define OBJT_IS_ANON(t) ((t) == OBJT_DEFAULT || (t) == OBJT_SWAP)

extern struct spinlock vm_object_list_spin;
TAILQ_HEAD(object_q, vm_object);
extern struct object_q vm_object_list; /* (L) */
extern int64_t vm_object_count;	       /* (A) live objects */

/* Objects whose deallocation a collapse left for its caller to do, so that
 * long chains do not recurse. Each is held, without its token. */
struct vm_object_dealloc_list {
	struct vm_object_dealloc_list *next;
	vm_object_t object;
};

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
/* Another reference on an object that is not anonymous by one who owns one;
 * takes no token. */
void vm_object_reference_quick(vm_object_t object);
/* Another reference; token held (shared will do), nobody chain-locks the
 * object: vm_object_chain_wait first. A collapse must not see a reference
 * appear. */
void vm_object_reference_locked(vm_object_t object);
/* The same for one who holds the chain lock itself. */
void vm_object_reference_locked_chain_held(vm_object_t object);
/* For one who found the object by its handle, and owns no reference that
 * would keep it: false, and none, when it is about to end. Token held, lost
 * while asleep. */
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
/* Drops a reference; may sleep; at 2 -> 1 may collapse upward, at 1 -> 0
 * terminates the object and goes on with its backing. No token held.
 * NULL is allowed. */
void vm_object_deallocate(vm_object_t object);
void vm_object_deallocate_locked(vm_object_t object); /* token held, kept */
void vm_object_deallocate_list(struct vm_object_dealloc_list **dlistp);
/* Frees the pages and ends the object; ref_count is 0, token exclusive; the
 * memory goes with the last hold. May sleep. */
void vm_object_terminate(vm_object_t object);

/* --- vm_object_page.c: an object's pages --- */
/* The page with the lowest index >= pindex, in whatever state, or NULL.
 * Token held. */
vm_page_t vm_object_next_page(vm_object_t object, vm_pindex_t pindex);
/* The page that the chain from front down shows at pindex, or NULL, and the
 * object it is in, which is held too unless it is front. Front held. */
vm_page_t vm_object_find_page(
    vm_object_t front, vm_pindex_t pindex, vm_object_t *objectp);
/* Frees pages start <= pindex < end (end 0: to the last). clean_only keeps
 * dirty ones. Takes the token; may sleep. */
void vm_object_page_remove(
    vm_object_t object, vm_pindex_t start, vm_pindex_t end, bool clean_only);
/* Writes the dirty pages start <= pindex < end (end 0: to the last) of a
 * vnode object back. Takes the token; may sleep. */
void vm_object_page_clean(
    vm_object_t object, vm_pindex_t start, vm_pindex_t end);
/* Grows prev (sizes in bytes) so that one entry may cover both ranges; true
 * when done. Exclusive map. */
bool vm_object_coalesce(vm_object_t prev, vm_pindex_t prev_pindex,
    vm_size_t prev_size, vm_size_t next_size);
/* MADV_WILLNEED, MADV_COLD, MADV_FREE on the chain from object down. */
void vm_object_madvise(
    vm_object_t object, vm_pindex_t pindex, vm_pindex_t count, int advice);

/* --- vm_object_chain.c: the chain lock --- */
void vm_object_chain_acquire(vm_object_t object, bool shared);
void vm_object_chain_release(vm_object_t object);
/* Releases every object from first down to and including stop. */
void vm_object_chain_release_all(vm_object_t first, vm_object_t stop);
/* Sleeps while the lock is taken; the token is held and lost meanwhile. */
void vm_object_chain_wait(vm_object_t object, bool shared);

/* --- vm_object_shadow.c: shadow objects and the links between them --- */
/* On the first write to a NEEDS_COPY entry: *object and *offset become a
 * new object of size pages on top, unless the object is anonymous,
 * handle-free and the caller's alone. addref: with two references. Consumes
 * the caller's reference on the old object. */
void vm_object_shadow(
    vm_object_t *object, vm_ooffset_t *offset, vm_pindex_t size, bool addref);
/* On and off the backing object's list of shadows; both tokens exclusive.
 * Vnodes keep no list: linking to one needs no token of it. */
void vm_object_shadow_link(vm_object_t shadow, vm_object_t backing);
void vm_object_shadow_unlink(vm_object_t shadow);
/* Holds the object's backing object (a vnode's shared); NULL when it has
 * none. The object's token is held. */
vm_object_t vm_object_hold_backing(vm_object_t object);

/* --- vm_object_collapse.c --- */
/* Token exclusive and chain-locked; collapses and bypasses downward until
 * nothing more goes. Objects to be deallocated go on *dlistp; NULL: it does
 * that itself. */
void vm_object_collapse(
    vm_object_t object, struct vm_object_dealloc_list **dlistp);

#endif
