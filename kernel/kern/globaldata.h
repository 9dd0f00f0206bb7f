/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a CPU knows of itself, found through %gs:0.
 *
 * (c) only this CPU writes it, in a critical section where an interrupt
 *     could write it too; (a) atomic, any CPU; (k) constant after start.
 */
#ifndef KERN_GLOBALDATA_H
#define KERN_GLOBALDATA_H

#include <kern/atomic.h>
#include <kern/cdefs.h>
#include <kern/types.h>
#include <kern/vmmeter.h>

struct thread;
struct pmap;
struct runq;
struct spinlock;
struct trace_rec;
struct cpu_md; /* descriptors and stacks, amd64/cpu_md.h */

/* gd_reqflags: work to be done when the critical section or trap ends. */
#define RQF_RESCHED 0x01U /* the scheduler wants this CPU's thread off */
#define RQF_TIMER   0x02U /* a clock tick came in a critical section */
#define RQF_WAKEUP  0x04U /* another CPU put a thread on our run queue */
#define RQF_UART    0x08U /* console characters wait */
#define RQF_BLK	    0x20U /* a disk or its timer interrupted */

#define GD_SPINHELD 12 /* spinlocks a CPU may hold at once */

struct globaldata {
	struct globaldata *gd_self;    /* (k) must be first: %gs:0 */
	struct thread *gd_curthread;   /* (c) must be second: %gs:8 */
	uint64_t gd_user_rsp;	       /* (c) %gs:16, SYSCALL entry scratch */
	uint64_t gd_kstack_top;	       /* (c) %gs:24, current thread's */
	uint32_t gd_cpuid;	       /* (k) 0 .. ncpus-1 */
	uint32_t gd_spinword;	       /* (k) gd_cpuid + 1: a lock of ours */
	uint32_t gd_apicid;	       /* (k) */
	volatile uint32_t gd_reqflags; /* (a) RQF_* */
	uint32_t gd_intr_nesting;      /* (c) depth of interrupt handlers */
	uint64_t gd_spinlocks;	       /* (c) spinlocks held */
	const struct spinlock *gd_spinheld[GD_SPINHELD + 1]; /* (c) oldest
							      * first, from 1 */
	struct thread *gd_idlethread;			     /* (k) */
	struct runq *gd_runq;		 /* (k) its own lock inside */
	struct pmap *gd_pmap;		 /* (c) address space loaded in CR3 */
	struct cpu_md *gd_md;		 /* (k) */
	volatile uint64_t gd_halt_since; /* (c) when it halted; 0: it runs */
	volatile uint64_t gd_idle_ns;	 /* (c) time spent halted */
	uint64_t gd_ticks;		 /* (c) clock ticks seen */
	struct trace_rec *gd_trace;	 /* (k) kern/trace.h's ring */
	uint64_t gd_trace_next;		 /* (c) records ever claimed in it */
	struct vmmeter gd_cnt;		 /* (c) counters, kern/vmmeter.h */
	uint16_t gd_quick_color;	 /* (c) page colour seed */
} __cachealigned;

extern struct globaldata *globaldata_array[MAXCPU];
extern uint32_t ncpus; /* CPUs that run; constant once secondaries started */

/* This CPU. The answer goes stale when the thread sleeps, since it may wake
 * elsewhere; volatile, so that the compiler does not carry it across. */
static inline struct globaldata *
mycpu_get(void)
{
	struct globaldata *gd;

	__asm__ __volatile__("movq %%gs:0, %0" : "=r"(gd));
	return gd;
}
#define mycpu	mycpu_get()
#define mycpuid (mycpu->gd_cpuid)

/* A field of this CPU's, read, written or added to by one instruction, so that
 * no interrupt and no move to another CPU comes between. */
#define mycpu_at_(field) "i"(offsetof(struct globaldata, field))
#define mycpu_read(field)                                       \
	({                                                      \
		__typeof__(((struct globaldata *)0)->field) v_; \
		__asm__ __volatile__("mov %%gs:%c1, %0"         \
				     : "=r"(v_)                 \
				     : mycpu_at_(field)         \
				     : "memory");               \
		v_;                                             \
	})
#define mycpu_write(field, v)                                        \
	__asm__ __volatile__(                                        \
	    "mov %0, %%gs:%c1"                                       \
	    :                                                        \
	    : "r"((__typeof__(((struct globaldata *)0)->field))(v)), \
	    mycpu_at_(field)                                         \
	    : "memory")
#define mycpu_dec(field)                        \
	__asm__ __volatile__("decq %%gs:%c0"    \
			     :                  \
			     : mycpu_at_(field) \
			     : "memory", "cc")
/* What was there before n was added. */
#define mycpu_fetchadd(field, n)                                      \
	({                                                            \
		__typeof__(((struct globaldata *)0)->field) v_ = (n); \
		__asm__ __volatile__("xadd %0, %%gs:%c1"              \
				     : "+r"(v_)                       \
				     : mycpu_at_(field)               \
				     : "memory", "cc");               \
		v_;                                                   \
	})

/* Is any of these RQF_* asked of this CPU? */
static inline bool
mycpu_asked(uint32_t flags)
{
	bool any;

	__asm__ __volatile__(
	    "testl %2, %%gs:%c1"
	    : "=@ccnz"(any)
	    : "i"(offsetof(struct globaldata, gd_reqflags)), "er"(flags)
	    : "memory");
	return any;
}

/* The running thread: never stale, so the compiler may keep it. */
static inline struct thread *
curthread_get(void)
{
	struct thread *td;

	__asm__("movq %%gs:8, %0" : "=r"(td));
	return td;
}
#define curthread curthread_get()

#define CPU_FOREACH(gd)                                                   \
	for (uint32_t cpu_i_ = 0;                                         \
	     cpu_i_ < ncpus && ((gd) = globaldata_array[cpu_i_]) != NULL; \
	     cpu_i_++)

#endif
