/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The trace ring: the last VM events of each CPU, kept for post-mortems,
 * /proc/trace and the figures of the book. Recording takes no lock: a slot
 * is claimed in a per-CPU ring by one instruction. A fault records five events,
 * so that is in line.
 */
#ifndef KERN_TRACE_H
#define KERN_TRACE_H

#include <kern/globaldata.h>
#include <kern/thread.h>
#include <kern/types.h>

#include <amd64/cpufunc.h>

/* One list: the enumeration and the names come from it. The four words of
 * an event are described beside it. */
#define TRACE_EVENTS(X)                                                  \
	X(FAULT)      /* map, va, prot, pc */                            \
	X(FAULT_DONE) /* va, page phys, depth found, result */           \
	X(ZFOD)	      /* object id, pindex, phys, 0 */                   \
	X(COW)	      /* from object id, to object id, pindex, phys */   \
	X(ENTER)      /* pmap, va, pte, wired */                         \
	X(REMOVE)     /* pmap, sva, eva, pages */                        \
	X(PROTECT)    /* pmap, sva, eva, prot */                         \
	X(INVAL)      /* pmap, va, pages, cpumask */                     \
	X(SHADOW)     /* source id, new id, size, 0 */                   \
	X(COLLAPSE)   /* object id, backing id, pages moved, 0 */        \
	X(BYPASS)     /* object id, old backing id, new backing id, 0 */ \
	X(SPLIT)      /* old id, new id, pages, 0 */                     \
	X(OBJ_NEW)    /* id, type, size, 0 */                            \
	X(OBJ_REF)    /* id, new ref_count, 0, 0 */                      \
	X(OBJ_DEREF)  /* id, new ref_count, 0, 0 */                      \
	X(OBJ_DEAD)   /* id, resident, 0, 0 */                           \
	X(MAP)	      /* map, start, end, prot */                        \
	X(UNMAP)      /* map, start, end, 0 */                           \
	X(CLIP)	      /* map, entry start, at, 0 */                      \
	X(FORK)	      /* parent pid, child pid, 0, 0 */                  \
	X(EXEC)	      /* pid, entry, 0, 0 */                             \
	X(EXIT)	      /* pid, status, 0, 0 */                            \
	X(SWAPIN)     /* object id, pindex, block, pages */              \
	X(SWAPOUT)    /* object id, pindex, block, pages */              \
	X(PGALLOC)    /* object id, pindex, phys, queue */               \
	X(PGFREE)     /* phys, 0, 0, 0 */

#define X(name) TR_##name,
enum trace_event { TRACE_EVENTS(X) TR_COUNT };
#undef X

struct trace_rec {
	uint64_t tr_seq; /* global order */
	uint64_t tr_ns;	 /* nanotime(); in the ring rdtsc() */
	int32_t tr_event;
	int32_t tr_tid;
	uint64_t tr_w[4];
	uint32_t tr_cpu; /* in the ring 0 */
};

#define TRACE_SLOTS 1024U /* a CPU; a power of two */

extern struct trace_rec trace_ring0[TRACE_SLOTS]; /* the boot CPU's */
extern volatile uint64_t trace_seq; /* (a) records ever made, all CPUs */

/* Records an event. Any context; never sleeps. Stores become visible in their
 * order (SDM vol. 3, 8.2.2): a tr_seq of 0 says that the rest is being
 * written. */
static inline void
trace(enum trace_event ev, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
	struct trace_rec *r = mycpu_read(gd_trace) +
	    mycpu_fetchadd(gd_trace_next, 1) % TRACE_SLOTS;

	atomic_store_ulong(&r->tr_seq, 0);
	cpu_ccfence();
	rdtsc_to(&r->tr_ns);
	r->tr_event = ev;
	r->tr_tid = curthread->td_tid;
	r->tr_w[0] = a;
	r->tr_w[1] = b;
	r->tr_w[2] = c;
	r->tr_w[3] = d;
	atomic_store_ulong(&r->tr_seq, atomic_fetchadd_ulong(&trace_seq, 1));
}

/* Prints the newest n records of all CPUs, oldest first, by kprintf. */
void trace_dump(int n);
/* Copies up to max of the newest records, oldest first; how many. */
int trace_read(struct trace_rec *buf, int max);
const char *trace_name(int event);

#endif
