/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Physical pages. One vm_page for each page of RAM the kernel may give out,
 * in vm_page_array, which is never freed: a stale pointer still points at a
 * vm_page (the lockless lookup relies on it).
 *
 * Who locks what:
 *  (B) hard-busy page and, for object/pindex, the object's token exclusive
 *  (O) the object's token, exclusive to change
 *  (S) the page's spinlock m->spin; with it the queue's spinlock when it is
 *	on a queue; order: m->spin, then the queue's
 *  (A) atomic operations only
 *  (k) constant
 */
#ifndef VM_VM_PAGE_H
#define VM_VM_PAGE_H

#include <sys/queue.h>
#include <sys/tree.h>

#include <kern/thread.h>
#include <pmap/pmap_md.h>
#include <vm/vm_types.h>

struct vm_page {
	TAILQ_ENTRY(vm_page) pageq; /* (S) on vm_page_queues[queue] */
	RB_ENTRY(vm_page) rb_entry; /* (O) object's tree of pages */
	struct spinlock spin;
	struct vm_object *object;     /* (B,O) NULL: not in an object */
	vm_pindex_t pindex;	      /* (B,O) pages */
	vm_paddr_t phys_addr;	      /* (k) bytes */
	struct md_page md;	      /* pmap's: pmap/pmap_md.h */
	uint16_t queue;		      /* (S) PQ_* base plus colour */
	uint16_t pc;		      /* (k) colour, 0 .. PQ_L2_SIZE-1 */
	uint8_t act_count;	      /* hint, unlocked */
	uint8_t pat_mode;	      /* (k) memory type */
	uint8_t valid;		      /* (B) bit per 512 bytes: holds data */
	uint8_t dirty;		      /* (B, or A from the pmap) bit per 512 */
	uint32_t flags;		      /* (A) PG_* */
	uint32_t wire_count;	      /* (A) wirings; never paged while > 0 */
	volatile uint32_t busy_count; /* (A) PBUSY_* word */
	int32_t hold_count;	      /* (A) keeps the memory, not the data */
};

/*
 * The busy word. PBUSY_LOCKED is the hard busy: one owner, who may change
 * object, pindex, valid, dirty, and may free the page. The low bits count
 * soft busies: they pin object, pindex and valid, and any number may exist.
 * A hard-busy page takes no new soft busy. PBUSY_WANTED: somebody sleeps on
 * the page; set only by cmpset after tsleep_interlock.
 */
#define PBUSY_LOCKED	 0x80000000U
#define PBUSY_WANTED	 0x40000000U
#define PBUSY_SWAPINPROG 0x20000000U
#define PBUSY_MASK	 0x1fffffffU

#define PG_MAPPED      0x0001U /* some pmap maps it: exact, set under m->spin */
#define PG_WRITEABLE   0x0002U /* some mapping may write: exact likewise */
#define PG_REFERENCED  0x0004U /* used since the pageout daemon last looked */
#define PG_ZERO	       0x0008U /* known to hold zeroes (while free) */
#define PG_FICTITIOUS  0x0010U /* no RAM behind it: a device page */
#define PG_UNMANAGED   0x0020U /* kept off the queues and out of the pv's */
#define PG_NOSYNC      0x0040U
#define PG_RAM	       0x0080U /* read-ahead mark */
#define PG_WINATCFLS   0x0100U /* inactive twice before it is cleaned */
#define PG_SWAPPED     0x0200U /* swap holds a copy too */
#define PG_CLEANCHK    0x0400U
#define PG_NEED_COMMIT 0x0800U
#define PG_MARKER      0x1000U /* no page: a place in a queue, vm_pageout.h */

#define VM_PAGE_BITS_ALL 0xffU
#define DEV_BSIZE	 512
#define DEV_BSHIFT	 9

#define VM_PAGE_TO_PHYS(m) ((m)->phys_addr)

/*
 * Page queues. Five kinds, PQ_L2_SIZE of each, one a colour, each with its
 * own lock; queue number = kind's base + colour.
 */
#define PQ_L2_SIZE  2048
#define PQ_L2_MASK  (PQ_L2_SIZE - 1)
#define PQ_NONE	    0
#define PQ_FREE	    1
#define PQ_INACTIVE (PQ_FREE + PQ_L2_SIZE)
#define PQ_ACTIVE   (PQ_INACTIVE + PQ_L2_SIZE)
#define PQ_CACHE    (PQ_ACTIVE + PQ_L2_SIZE)
#define PQ_HOLD	    (PQ_CACHE + PQ_L2_SIZE)
#define PQ_COUNT    (PQ_HOLD + PQ_L2_SIZE)

TAILQ_HEAD(pglist, vm_page);

struct vpgqueues {
	struct spinlock spin; /* guards pl and lcnt */
	struct pglist pl;
	volatile int64_t lcnt; /* pages on pl; 0 may be seen without */
} __cachealigned;

extern struct vpgqueues vm_page_queues[PQ_COUNT];
extern struct vm_page *vm_page_array; /* (k) */
extern int64_t vm_page_array_size;    /* (k) pages in it */
extern vm_pindex_t first_page;	      /* (k) frame number of element 0 */

RB_HEAD(vm_page_rb_tree, vm_page);
RB_PROTOTYPE(vm_page_rb_tree, vm_page, rb_entry, rb_vm_page_compare);
int rb_vm_page_compare(struct vm_page *a, struct vm_page *b);

/* Totals of pages by place; each is (A). free + cache + inactive + active
 * + hold + wired-or-off-queue = vm_page_count. */
struct vmstats {
	int64_t v_page_count; /* (k) pages in vm_page_array handed to VM */
	volatile int64_t v_free_count; /* on PQ_FREE queues */
	volatile int64_t v_cache_count;
	volatile int64_t v_inactive_count;
	volatile int64_t v_active_count;
	volatile int64_t v_wire_count; /* pages with wire_count > 0 */
	int64_t v_free_reserved; /* (k) only interrupts and the daemon below */
	int64_t v_free_min;	 /* (k) allocation sleeps below */
	int64_t v_free_target;	 /* (k) the daemon works up to this */
	int64_t v_interrupt_free_min; /* (k) below: the daemon's alone */
	int64_t v_cache_min;	      /* (k) cached pages wanted besides */
	int64_t v_cache_max;	      /* (k) more are not worth having */
	int64_t v_inactive_target;    /* (k) inactive pages wanted */
};
extern struct vmstats vmstats;
extern uint32_t vm_page_colors; /* (k) of PQ_L2_SIZE, a power of 2 */
extern volatile uint16_t vm_page_lastcolor; /* hint: asked for last */

/* vm_page_alloc flags. Which reserve may be dipped into, and modifiers. */
#define VM_ALLOC_NORMAL	   0x0001 /* above v_free_reserved */
#define VM_ALLOC_SYSTEM	   0x0002 /* above v_interrupt_free_min */
#define VM_ALLOC_INTERRUPT 0x0004 /* to the last page */
#define VM_ALLOC_ZERO	   0x0008 /* prefer a zeroed page: see PG_ZERO */
#define VM_ALLOC_NULL_OK   0x0010 /* NULL, not panic, when index is taken */
#define VM_ALLOC_RETRY	   0x0020 /* vm_page_grab: sleep until it works */

/* --- vm_page.c: life of a page in an object --- */
void vm_page_startup(void); /* boot: from the RAM map to the free queues */
/* A new hard-busy page at pindex, with valid and dirty 0; object's token
 * exclusive. NULL when memory is short (then vm_wait()) or, with NULL_OK,
 * when a page is there already. Never sleeps. */
vm_page_t vm_page_alloc(vm_object_t object, vm_pindex_t pindex, int flags);
/* Frees a hard-busy, unwired, unmapped page: out of its object and to a
 * free queue (or PQ_HOLD while held). Object's token exclusive if any. */
void vm_page_free(vm_page_t m);
void vm_page_insert(vm_page_t m, vm_object_t object, vm_pindex_t pindex);
void vm_page_remove(vm_page_t m); /* hard-busy; out of the object */
/* Moves a hard-busy page to another object and index; both tokens
 * exclusive; dirty becomes all ones: the new object has no other copy. */
void vm_page_rename(vm_page_t m, vm_object_t object, vm_pindex_t pindex);
vm_page_t vm_page_lookup(vm_object_t object, vm_pindex_t pindex); /* token */
/* Lookup and hard-busy; *errorp true and the page returned NOT busied when
 * it is there but busy. also_soft: a soft busy counts as busy too. */
vm_page_t vm_page_lookup_busy_try(
    vm_object_t object, vm_pindex_t pindex, bool also_soft, bool *errorp);
/* The same, sleeping until it is not busy (loses the token meanwhile and
 * looks again). NULL when there is no page. */
vm_page_t vm_page_lookup_busy_wait(
    vm_object_t object, vm_pindex_t pindex, bool also_soft, const char *wmesg);
vm_page_t vm_page_grab(vm_object_t object, vm_pindex_t pindex, int flags);
void vm_page_set_dirty(vm_page_t m, int base, int size);
void vm_page_zero_invalid(vm_page_t m, bool setvalid);
uint8_t vm_page_bits(int base, int size);
/* The whole page has changed. Busy, or its object held; from the pmap without
 * either: an atomic store of all ones loses nothing. */
static inline void
vm_page_dirty(vm_page_t m)
{
	SCHED_POINT("vm.page_dirty");
	atomic_store_uchar(&m->dirty, VM_PAGE_BITS_ALL);
}
void vm_page_undirty(vm_page_t m);    /* none */
void vm_page_test_dirty(vm_page_t m); /* folds the pmap's M bits in */
/* Hard-busy. VM_PROT_READ: no mapping may write from here on, M bits folded
 * into dirty. VM_PROT_NONE: no mapping at all. */
void vm_page_protect(vm_page_t m, vm_prot_t prot);
/* --- vm_wait.c: running short --- */
/* Sleeps until pages are free, a second at most: look again. */
void vm_wait(const char *wmesg);
void vm_wait_catch(const char *wmesg); /* ended by a signal, too */
bool vm_wait_anyone(void);
void vm_wait_wakeup(void);
void vm_page_free_wakeup(void);		  /* a page was freed: wake who waits */
vm_page_t vm_page_by_phys(vm_paddr_t pa); /* NULL when not in the array */

/* --- vm_page_busy.c: the busy word --- */
/* Does this value of the word stand in the way? */
static inline bool
vm_page_busy_blocks(uint32_t bc, bool also_soft)
{
	if (bc & PBUSY_LOCKED)
		return true;
	return also_soft && (bc & (PBUSY_MASK | PBUSY_SWAPINPROG)) != 0;
}

/* Takes the hard busy without sleeping. TRUE means that it failed. With
 * also_soft a page that others hold soft-busy fails too. */
static inline bool
vm_page_busy_try(vm_page_t m, bool also_soft)
{
	uint32_t bc = m->busy_count;

	for (;;) {
		SCHED_POINT("vm.page_busy");
		if (vm_page_busy_blocks(bc, also_soft))
			return true;
		if (atomic_fcmpset_uint(
			&m->busy_count, &bc, bc | PBUSY_LOCKED)) {
			witness_got(WK_PAGE, m, "page", false);
			return false;
		}
	}
}
void vm_page_busy_wait(vm_page_t m, bool also_soft, const char *wmesg);
void vm_page_wakeup(vm_page_t m);      /* ends the hard busy, wakes waiters */
void vm_page_busy_soften(vm_page_t m); /* from hard busy to soft */
bool vm_page_sbusy_try(vm_page_t m);   /* TRUE = FAILED (hard-busy) */
void vm_page_sbusy_drop(vm_page_t m);
/* Sleeps until the page's busy state may have changed; the object's token
 * is lost meanwhile. The page may be another's afterwards: look again. */
void vm_page_sleep_busy(vm_page_t m, bool also_soft, const char *wmesg);
#define vm_page_is_hardbusy(m) (((m)->busy_count & PBUSY_LOCKED) != 0)

/* --- vm_page_queue.c: queues, colours and the widening search --- */
void vm_page_queues_init(void);
vm_page_t vm_page_queue_alloc(uint16_t color, int vm_alloc_flags);
bool vm_page_queue_take(vm_page_t m); /* this one, if it is free */
void vm_page_free_toq(vm_page_t m);   /* off-queue page to its free queue */
void vm_page_activate(vm_page_t m);   /* hard- or soft-busy */
void vm_page_deactivate(vm_page_t m);
void vm_page_requeue(vm_page_t m); /* to the end of its queue; busy */
void vm_page_cache(vm_page_t m);   /* hard-busy, clean, unmapped; unbusies */
int vm_page_cache_free(uint16_t color); /* frees one; its colour, -1 */
void vm_page_wire(vm_page_t m);
void vm_page_unwire(vm_page_t m, bool activate);
void vm_page_hold(vm_page_t m);
void vm_page_unhold(vm_page_t m);
void vm_page_unqueue(vm_page_t m);
/* The colour to allocate a page from: of this CPU's slice of the colours, by the
 * page's place among its like. */
static inline uint16_t
vm_page_color(uint64_t place)
{
	uint32_t slice = vm_page_colors / ncpus;

	return (mycpu_read(gd_cpuid) * slice + place % slice) &
	    (vm_page_colors - 1);
}

/* --- vm_page_hash.c: one slot a page, read without a lock --- */
void vm_page_hash_init(void);
/* A page of (object, pindex), soft-busied, or NULL. Takes no lock; the
 * object must be held by the caller so that its address is not reused. */
vm_page_t vm_page_hash_get(vm_object_t object, vm_pindex_t pindex);
void vm_page_hash_enter(vm_page_t m);

#endif
