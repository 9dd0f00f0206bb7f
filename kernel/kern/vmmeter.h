/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Event counters, one set a CPU. VMMETER_FIELDS is the one list: the
 * structure, /proc/vmstat's names and their order come from it. A CPU adds
 * to its own set only; a reader sums all sets and tolerates being a few
 * events behind a running CPU.
 */
#ifndef KERN_VMMETER_H
#define KERN_VMMETER_H

#include <kern/types.h>

#define VMMETER_FIELDS(X)                                              \
	X(v_syscall)	    /* system calls */                         \
	X(v_trap)	    /* traps, page faults included */          \
	X(v_intr)	    /* device and timer interrupts */          \
	X(v_ipi)	    /* inter-processor interrupts sent */      \
	X(v_swtch)	    /* context switches */                     \
	X(v_forks)	    /* fork */                                 \
	X(v_vforks)	    /* vfork */                                \
	X(v_clones)	    /* threads made by clone */                \
	X(v_execs)	    /* execve that succeeded */                \
	X(v_vm_faults)	    /* vm_fault calls */                       \
	X(v_fault_passes)   /* walks of the chain, retries included */ \
	X(v_fault_retry)    /* passes that had to start again */       \
	X(v_zfod)	    /* pages filled with zeroes on demand */   \
	X(v_prefault)	    /* pages mapped around a fault's */        \
	X(v_cow_faults)	    /* pages copied on write */                \
	X(v_cow_optim)	    /* pages moved up instead of copied */     \
	X(v_vnodein)	    /* pager reads from vnodes */              \
	X(v_vnodepgsin)	    /* pages so read */                        \
	X(v_vnodeout)	    /* pager writes to vnodes */               \
	X(v_vnodepgsout)    /* pages so written */                     \
	X(v_swapin)	    /* pager reads from swap */                \
	X(v_swappgsin)	    /* pages so read */                        \
	X(v_swapout)	    /* pager writes to swap */                 \
	X(v_swappgsout)	    /* pages so written */                     \
	X(v_pdwakeups)	    /* passes of the pageout daemon */         \
	X(v_pdpages)	    /* pages it looked at */                   \
	X(v_pddeact)	    /* pages it made inactive */               \
	X(v_reactivated)    /* inactive pages found in use */          \
	X(v_dfree)	    /* pages it freed */                       \
	X(v_oomkills)	    /* processes killed for their memory */    \
	X(v_injected)	    /* failures by fault_inject= */            \
	X(v_pgalloc)	    /* vm_page_alloc that succeeded */         \
	X(v_pgfree)	    /* pages freed */                          \
	X(v_pqprobes)	    /* page queues looked at by allocation */  \
	X(v_hash_hit)	    /* vm_page_hash_get hits */                \
	X(v_hash_miss)	    /* and misses */                           \
	X(v_tok_shared)	    /* tokens taken shared */                  \
	X(v_tok_excl)	    /* tokens taken exclusively */             \
	X(v_tok_wait)	    /* token acquisitions that had to wait */  \
	X(v_chainlk)	    /* atomics on chain locks */               \
	X(v_pip)	    /* atomics on paging_in_progress */        \
	X(v_shadow)	    /* shadow objects made */                  \
	X(v_collapse)	    /* backing objects collapsed */            \
	X(v_qcollapse)	    /* pages moved by qcollapse */             \
	X(v_bypass)	    /* backing objects bypassed */             \
	X(v_upward)	    /* upward collapses at deallocation */     \
	X(v_upward_giveup)  /* upward walks that gave up */            \
	X(v_split)	    /* vm_map_split that moved pages */        \
	X(v_clip)	    /* map entries clipped */                  \
	X(v_simplify)	    /* map entries merged */                   \
	X(v_map_timedlock)  /* map locks lost to the timed relock */   \
	X(v_pv_alloc)	    /* pv entries made */                      \
	X(v_pv_free)	    /* and freed */                            \
	X(v_pmap_inval)	    /* TLB invalidations begun */              \
	X(v_pmap_shootdown) /* of them those that needed other CPUs */ \
	X(v_cpulock)	    /* CPULOCK_EXCL acquisitions */            \
	X(v_placemark_wait) /* waits for a placemarker */

#define X(name) uint64_t name;
struct vmmeter {
	VMMETER_FIELDS(X)
};
#undef X

#define VMMETER_COUNT (sizeof(struct vmmeter) / sizeof(uint64_t))
extern const char *const vmmeter_names[];
void vmmeter_sum(struct vmmeter *sum); /* all CPUs, without a lock */
void vmmeter_foreach(
    void (*fn)(void *arg, const char *name, uint64_t value), void *arg);

/* Counts n events on this CPU. One instruction on %gs-relative memory: an
 * interrupt cannot tear it and a migration cannot misplace it. */
#define cnt_add(field, n)                                              \
	__asm__ __volatile__("addq %0, %%gs:%c1"                       \
			     :                                         \
			     : "er"((uint64_t)(n)),                    \
			     "i"(offsetof(struct globaldata, gd_cnt) + \
				 offsetof(struct vmmeter, field))      \
			     : "memory", "cc")
#define cnt_inc(field) cnt_add(field, 1)

#endif
