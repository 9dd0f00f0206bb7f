/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Threads, critical sections, spinlocks, tokens, sleep and wakeup.
 *
 * The rules of waiting, which the whole VM leans on:
 *  - a spinlock is held for a few instructions, never across a sleep, and
 *    puts its holder in a critical section;
 *  - a token (DragonFly's LWKT token) serialises its holders only while
 *    they run: a thread that sleeps gives up all its tokens and has them
 *    all again before it continues, so every call that can sleep is a
 *    point after which everything guarded by a token must be looked at
 *    again;
 *  - a lock (kern/lock.h) stays held across sleep.
 * Order: locks, then tokens, then page busy, then spinlocks; in full, and
 * checked: kern/lock_order.h.
 *
 * The kernel is not preempted: a thread leaves its CPU when it sleeps,
 * blocks on a token, exits, or returns to user mode with RQF_RESCHED set.
 */
#ifndef KERN_THREAD_H
#define KERN_THREAD_H

#include <sys/queue.h>

#include <kern/cdefs.h>
#include <kern/globaldata.h>
#include <kern/sched_point.h>
#include <kern/types.h>

struct lwp;
struct proc;
struct thread;
struct trapframe;
struct vmspace;

/*
 * Spinlocks: exclusive, not recursive. The word is 0 or 1 + owner's CPU.
 */
struct spinlock {
	volatile uint32_t lock;
	const char *name;
};
#define SPINLOCK_INITIALIZER(n) \
	{                       \
		0, n            \
	}

/* kern/spinlock.h has the calls. */

/*
 * Tokens. t_count: the low bits count shared references; TOKEN_EXCL set:
 * one exclusive owner, and t_ref says which reference of which thread holds
 * it; TOKEN_WAIT set: threads are queued for it (kern/token.c), and nobody
 * takes it past them. An exclusive owner may take the token again, shared
 * or exclusive; a shared holder may take it shared again. Asking for
 * exclusive while holding it only shared is a bug and panics. Released last
 * in, first out.
 */
#define TOKEN_EXCL 0x80000000U
#define TOKEN_WAIT 0x40000000U

struct lwkt_token;

struct lwkt_tokref {
	struct lwkt_token *tr_tok; /* the owner thread's business only */
	struct thread *tr_owner;   /* likewise */
	uint32_t tr_count;	   /* likewise: what it added, 1 or
				      * TOKEN_EXCL; 0 when recursive under
				      * our own exclusive */
};

struct lwkt_token {
	volatile uint32_t t_count;	    /* (a) */
	struct lwkt_tokref *volatile t_ref; /* exclusive holder's, else NULL */
	const char *t_desc;		    /* (k) for post-mortems */
	uint64_t t_collisions;		    /* hint, unlocked */
};
#define LWKT_TOKEN_INITIALIZER(d) \
	{                         \
		0, NULL, d, 0     \
	}
#define LWKT_MAXTOKENS 32

void lwkt_token_init(struct lwkt_token *tok, const char *desc);
void lwkt_token_uninit(struct lwkt_token *tok);	   /* asserts that it is free */
void lwkt_gettoken(struct lwkt_token *tok);	   /* exclusive; may sleep */
void lwkt_gettoken_shared(struct lwkt_token *tok); /* may sleep */
bool lwkt_trytoken(struct lwkt_token *tok);	   /* exclusive; never sleeps */
void lwkt_reltoken(struct lwkt_token *tok);	   /* must be the newest held */
/* Exchanges the two newest tokens so that the older can be released. */
void lwkt_token_swap(void);
/* For the scheduler: give up, and get back, all the thread's tokens. */
void lwkt_relalltokens(struct thread *td);
void lwkt_getalltokens(struct thread *td);
bool lwkt_token_listed(const struct lwkt_token *tok) __keeps_regs;
int lwkt_cnttoken(const struct lwkt_token *tok, const struct thread *td);
int lwkt_numtokens(void); /* that the running thread holds */

/*
 * Threads. (s) scheduler lock of the thread's CPU (gd_runq's lock);
 * (t) only the thread itself; (k) constant; (w) the sleep queue's lock;
 * (o) the timeout queue's lock, kern/timeout.c; (a) atomic.
 */
enum td_state {
	TDS_NEW,      /* being made */
	TDS_RUNNABLE, /* on a run queue */
	TDS_RUNNING,  /* on a CPU */
	TDS_SLEEPING, /* on a sleep queue */
	TDS_DEAD,     /* exited, waiting for its memory to be freed */
};

struct md_thread {	 /* what cpu_switch saves; offsets known to swtch.S */
	uint64_t md_rsp; /* kernel stack pointer while off the CPU */
	uint64_t md_fsbase;  /* user %fs base */
	uint64_t md_gsbase;  /* user %gs base */
	uint64_t md_onfault; /* unused by amd64/trap.c's table, reserved */
	void *md_fpu;	     /* FXSAVE area, 512 bytes, 16-aligned; or NULL */
};

/* What a thread has used, or several have: CPU time and tokens. The tokens are
 * its CPU's counters while it ran, so that taking one counts nothing more. */
struct usage {
	uint64_t ns;
	uint64_t tok_shared, tok_excl; /* taken */
};
void usage_add(struct usage *used, const struct usage *more);
/* The thread's, its current turn included. Another CPU's thread may be a turn
 * off, and its turn's tokens are not in it. */
struct usage thread_usage(struct thread *td);

struct thread {
	struct md_thread td_md;	       /* (t) must be first */
	TAILQ_ENTRY(thread) td_runq;   /* (s) */
	TAILQ_ENTRY(thread) td_sleepq; /* (w) */
	TAILQ_ENTRY(thread) td_allq;   /* allthreads spinlock */
	LIST_ENTRY(thread) td_plist;   /* proc's threads, p_token */
	enum td_state td_state;	       /* (s) */
	volatile uint32_t td_flags;    /* (a) TDF_* */
	int td_pri;		       /* (s) 0 best .. 31 idle */
	int td_cpu;		       /* (s) whose run queue */
	cpumask_t td_affinity;	       /* (s) CPUs it may run on */
	int td_critcount;	       /* (t) */
	int td_tid;		       /* (k) */
	const void *td_wchan;	       /* (w) what it sleeps on */
	const char *td_wmesg;	       /* (w) */
	bool td_asleep;		       /* (w) in tsleep, not just armed */
	int td_wakeres;		       /* (w) 0, EINTR or EWOULDBLOCK */
	TAILQ_ENTRY(thread) td_timoq;  /* (o) */
	uint64_t td_wakens;	       /* (o) deadline, 0 none */
	uint32_t td_timocpu;	       /* (t) whose timeout queue */
	volatile uint32_t td_timobusy; /* (o) expiry is looking at it */
	volatile uint32_t td_oncpu;    /* (a) 1 until its state is saved */
	int td_slice;		       /* (t) ticks left */
	int td_ntoks;		       /* (t) tokens held */
	struct lwkt_tokref td_toks[LWKT_MAXTOKENS]; /* (t) oldest first */
	int td_nlocks;		    /* (t) kern/lock.h locks held */
	const void *td_locks[16];   /* (t) the newest of them */
	char td_name[20];	    /* (t) */
	vm_offset_t td_kstack;	    /* (k) lowest address */
	vm_size_t td_kstack_size;   /* (k) bytes */
	struct trapframe *td_frame; /* (t) user registers, at trap */
	struct proc *td_proc;	    /* (k) NULL for kernel threads */
	void (*td_func)(void *);    /* (k) kernel thread entry */
	void *td_arg;		    /* (k) */
	/* per-thread process state, kern/proc.h's business (t): */
	struct lwp *td_lwp;	      /* (k) NULL: kernel thread */
	volatile uint64_t td_sigmask; /* (t); read by who sends signals */
	uint64_t td_oldsigmask;	      /* restored after sigsuspend */
	volatile uint64_t td_sigpend; /* p_token; (t) looks without */
	void *td_clear_tid;	      /* user address, CLONE_CHILD_CLEARTID */
	void *td_robust_list;	      /* user address */
	uint64_t td_sigalt_sp, td_sigalt_size;
	uint32_t td_sigalt_flags;
	struct usage td_used;  /* (s) until it last left a CPU */
	struct usage td_since; /* (s) the CPU's when it last got one */
};

#define TDF_USER       0x0001U /* has user context: FPU, fs base, pmap */
#define TDF_SLEEPINTR  0x0002U /* sleeping with PCATCH */
#define TDF_SIGPENDING 0x0004U /* look at signals before user mode */
#define TDF_NORESCHED  0x0008U /* idle thread */
#define TDF_OLDMASK    0x0010U /* td_oldsigmask to be restored */
#define TDF_EXITING    0x0020U
#define TDF_AUTOREAP   0x0040U /* freed by the reaper after thread_exit */
#define TDF_MIGRATE    0x0080U /* leaving its CPU for one of td_affinity */

#define PRI_TOKEN   4  /* while queued for a token: see kern/token.c */
#define PRI_KERN    8  /* kernel threads */
#define PRI_USER    16 /* threads of processes */
#define PRI_IDLE    31 /* idle threads only */
#define NPRI	    32
#define KSTACK_SIZE (4 * PAGE_SIZE)

/* Whether the running thread's newest token is this one. */
static inline bool
lwkt_token_newest(const struct lwkt_token *tok)
{
	const struct thread *td = curthread;
	int n = td->td_ntoks;

	return n > 0 && td->td_toks[n - 1].tr_tok == tok;
}

/* Whether the running thread holds the token in any way: mostly it is the
 * newest. */
static inline bool
lwkt_token_held_any(const struct lwkt_token *tok)
{
	return likely(lwkt_token_newest(tok)) ||
	    (call_keeping_regs(lwkt_token_listed, tok, 0) & 0xff) != 0;
}

/* Whether the running thread holds the token exclusively. The answer cannot
 * change under it. */
static inline bool
lwkt_token_held_excl(const struct lwkt_token *tok)
{
	const struct lwkt_tokref *ref = tok->t_ref;
	const struct thread *td = curthread;

	return ref >= td->td_toks && ref < td->td_toks + LWKT_MAXTOKENS;
}
#define ASSERT_LWKT_TOKEN_HELD(tok)	 KKASSERT(lwkt_token_held_any(tok))
#define ASSERT_LWKT_TOKEN_HELD_EXCL(tok) KKASSERT(lwkt_token_held_excl(tok))

/* Critical sections nest; leaving the outermost runs what interrupts left
 * in gd_reqflags (crit_splz). */
void crit_splz(void) __keeps_regs;
static inline void
crit_enter(void)
{
	curthread->td_critcount++;
	cpu_ccfence();
}
/* One level less; whether it was the outermost. */
static inline bool
crit_leave(struct thread *td)
{
	bool outermost;

	__asm__ __volatile__("decl %0"
			     : "+m"(td->td_critcount), "=@ccz"(outermost)
			     :
			     : "memory");
	return outermost;
}
static inline void
crit_exit(void)
{
	struct thread *td = curthread;

	if (!crit_leave(td))
		KKASSERT(td->td_critcount > 0);
	else if (unlikely(mycpu_asked(~RQF_RESCHED)))
		call_keeping_regs(crit_splz, 0, 0);
}

/*
 * Making and ending threads. thread_create returns a thread in TDS_NEW with
 * its kernel stack (16 KiB plus a guard page) and, when p is given, a fresh
 * FPU area and TDF_USER; or NULL when memory is short. It never sleeps. The
 * scheduler puts a thread on the least loaded CPU of td_affinity, the lowest
 * of equals, when it starts, and when it wakes and its last CPU is busy.
 */
struct thread *thread_create(const char *name, struct proc *p);
/* A CPU's idle thread, in TDS_RUNNING as if it ran there already. */
struct thread *thread_create_idle(uint32_t cpu);
void thread_start_kernel(struct thread *td, void (*func)(void *), void *arg);
void thread_setrunnable(struct thread *td); /* TDS_NEW or woken, any CPU */
void thread_exit(void) __noreturn;	    /* tokens and locks must be gone */
/* Frees a TDS_NEW thread, or one that exits: sleeps until it is dead. */
void thread_reap(struct thread *td);
/* Frees now what the reaper has not come to yet, and waits for what it is at:
 * before counting leaks. */
void thread_reap_all(void);
/* Makes and starts a kernel thread that the reaper frees after its func
 * returned or called thread_exit. NULL when memory is short. */
struct thread *kthread_create(
    const char *name, void (*func)(void *), void *arg);
/* Moves the running thread to a CPU of the mask before it returns; another
 * thread moves when it next leaves its CPU or returns to user mode. The
 * mask must name a CPU that runs. */
void thread_setaffinity(struct thread *td, cpumask_t mask);

void sched_init(void);	/* boot CPU, first of all here */
void thread_init(void); /* boot CPU, after it and after kmalloc_init */
/* Each CPU, on it. CPU 0 runs thread0 and gets an idle thread made; another
 * must run the thread that thread_create_idle() made for it. */
void sched_init_cpu(struct globaldata *gd);
void lwkt_switch(void);	    /* pick and run the next thread; crit held or not */
void lwkt_yield(void);	    /* to equals and betters, if any */
void lwkt_user_yield(void); /* when asked to: for long loops */
void sched_userret(void);   /* on the way to user mode: reschedule if asked */
void sched_ipi(void);	    /* wakeup IPI arrived */
/* A CPU's idle thread; thread0 may come here too when the boot is over, and
 * then sleeps for ever. */
void idle_loop(void) __noreturn;
void idle_end(void); /* an interrupt ended the halt: first thing in it */

/*
 * Sleep and wakeup. tsleep_interlock arms first: a wakeup(ident) between it
 * and tsleep(.., PINTERLOCKED, ..) is not lost. tsleep releases all tokens
 * while asleep. timo_ns 0 means no timeout. Returns 0 when woken,
 * EWOULDBLOCK (= EAGAIN) at timeout, EINTR (PCATCH and a signal waits).
 */
#define PCATCH	     0x0100
#define PINTERLOCKED 0x0200
void tsleep_interlock(const void *ident, int flags);
void tsleep_remove(struct thread *td); /* disarm without having slept */
int tsleep(const void *ident, int flags, const char *wmesg, uint64_t timo_ns);
int ssleep(const void *ident, struct spinlock *spin, int flags,
    const char *wmesg, uint64_t timo_ns); /* drops and retakes spin */
void wakeup(const void *ident);
void wakeup_one(const void *ident);
void thread_interrupt(struct thread *td); /* breaks a PCATCH sleep: EINTR */

void thread_print_locks(struct thread *td); /* for the post-mortem */
int thread_count(void);			    /* not yet freed, for leak checks */

/* Prints who sleeps where and holding what, at most max threads. Only in a
 * post-mortem: it takes no lock, since no other CPU runs. */
void thread_print_sleepers(int max);

extern struct thread thread0;

/*
 * amd64/swtch.S: saves the callee-saved state of `from', loads `to'. Called
 * with interrupts disabled and no spinlock; cpu_switch_md (amd64/machdep.c)
 * switches FPU, fs base, TSS stack and pmap first. Returns the thread that
 * was switched away from, on the new stack.
 */
struct thread *cpu_switch(struct thread *from, struct thread *to);
void cpu_switch_md(struct thread *from, struct thread *to);
/* Lays out the stack of a new thread so that its first switch enters
 * thread_trampoline, which calls td->td_func(td->td_arg). */
void cpu_thread_init(struct thread *td);
void thread_trampoline(void);
/* End of a switch, on the new stack, interrupts disabled: enables them and
 * leaves the critical section that the switch was made in. */
void thread_start_hook(struct thread *prev);

#include <kern/spinlock.h> /* needs struct thread */

#endif
