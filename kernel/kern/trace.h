/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The trace ring: the last VM events of each CPU, kept for post-mortems,
 * /proc/trace and the figures of the book. Recording takes no lock: a slot
 * is claimed in a per-CPU ring by one instruction.
 */
#ifndef KERN_TRACE_H
#define KERN_TRACE_H

#include <kern/types.h>

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
	uint64_t tr_ns;	 /* nanotime() */
	uint16_t tr_cpu;
	uint16_t tr_event;
	int32_t tr_tid;
	uint64_t tr_w[4];
};

void trace_init(void); /* needs kmalloc */
void trace(enum trace_event ev, uint64_t a, uint64_t b, uint64_t c, uint64_t d);
/* Prints the newest n records of all CPUs, oldest first, by kprintf. */
void trace_dump(int n);
/* Copies up to max of the newest records, oldest first; how many. */
int trace_read(struct trace_rec *buf, int max);
const char *trace_name(int event);

#endif
