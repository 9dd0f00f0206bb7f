/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Processes: what threads share by default, and what a parent waits for.
 *
 *  (p) p_token of the process, (l) proc_token (the tree of processes and
 *  what wait4 looks at), (k) constant, (t) the thread itself, (A) atomic.
 *
 * A token that must be waited for is a point where the tokens already held
 * are lost for a while. So nothing here takes a p_token while it relies on
 * proc_token, with one exception: notify_parent() (kern/exit.c) takes the
 * parent's p_token under proc_token and then looks again at who the parent
 * is, because a child's SIGCHLD and its change of state must be seen
 * together.
 */
#ifndef KERN_PROC_H
#define KERN_PROC_H

#include <sys/queue.h>

#include <kern/kmalloc.h>
#include <kern/thread.h>
#include <vm/vm_types.h>

struct filedesc;
struct trapframe;
struct vnode;
struct vmspace;

#define NSIGNAL	  64 /* Linux's _NSIG; asm/signal.h has NSIG for old times */
#define MAXCOMM	  16 /* with the zero byte, as Linux's TASK_COMM_LEN */
#define NRLIMIT	  16 /* RLIM_NLIMITS */
#define SIGBIT(s) (1UL << ((s)-1))

struct ksigaction {
	uint64_t sa_handler; /* user address, SIG_DFL 0, SIG_IGN 1 */
	uint64_t sa_flags;   /* Linux SA_* */
	uint64_t sa_restorer;
	uint64_t sa_mask;
};

/* Dispositions: shared with CLONE_SIGHAND, else copied. */
struct sigacts {
	struct spinlock spin;	       /* guards sa */
	struct ksigaction sa[NSIGNAL]; /* of signal n: [n - 1] */
	int refs;		       /* (A) */
};

/* What a handler's siginfo_t will say. */
struct ksiginfo {
	int signo, code;
	uint64_t addr; /* SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP */
	int pid, uid, status;
};

/* A pending signal: real-time ones queue, others are there once, and the
 * first one's information is kept. */
struct sigent {
	TAILQ_ENTRY(sigent) se_link; /* (p) */
	struct ksiginfo se_info;
};
TAILQ_HEAD(sigq, sigent);

/* A system call that a signal cut short and that goes on with what is left
 * of its time: kern/time.c and kern/futex.c. */
struct restart_block {
	long (*rb_func)(struct restart_block *rb);
	uint64_t rb_deadline; /* by nanotime() */
	void *rb_uaddr;	      /* futex word, or where to store the rest */
	uint32_t rb_val, rb_bitset;
	int rb_op;
};

/* What only a thread of a process has. */
struct lwp {
	struct sigq l_sigq;		/* (p) with td_sigpend */
	int *l_set_child_tid;		/* (t) user address, until first run */
	bool l_killable;		/* (t) sleeps for SIGKILL's like only */
	struct restart_block l_restart; /* (t) */
};

/* A soft and a hard limit, as struct rlimit64. */
struct krlimit {
	uint64_t cur, max;
};

enum p_state { PS_EMBRYO, PS_ACTIVE, PS_STOPPED, PS_ZOMBIE };

struct proc {
	struct lwkt_token p_token;
	LIST_ENTRY(proc) p_hash;	/* (l) by pid */
	TAILQ_ENTRY(proc) p_all;	/* (l) ascending by pid */
	TAILQ_ENTRY(proc) p_sibling;	/* (l) */
	TAILQ_HEAD(, proc) p_children;	/* (l) oldest first, as wait4 goes */
	LIST_HEAD(, thread) p_threads;	/* (p) alive */
	LIST_HEAD(, thread) p_zthreads; /* (p) exited, to be reaped */
	volatile int p_nthreads;	/* (p) on p_threads; 1 is known without:
					 * the running thread is alone */
	struct thread *p_single;	/* (p) all other threads must exit */
	struct proc *p_parent;		/* (l) */
	int p_pid;			/* (k) its first thread's td_tid */
	int p_pgid, p_sid;		/* (l) */
	enum p_state p_state;		/* (l) */
	uint32_t p_flags;		/* (A) P_* */
	struct vmspace *p_vmspace;	/* (t: changed by exec with one thread;
					 * others: vmspace_hold under p_token) */
	struct filedesc *p_fd;		/* shared with CLONE_FILES */
	struct sigacts *p_sigacts;	/* shared with CLONE_SIGHAND */
	volatile uint64_t p_sigpend;	/* (p) process-directed; the
					 * threads look without */
	struct sigq p_sigq;		/* (p) with p_sigpend */
	int p_nstopped;			/* (p) threads that stand still */
	int p_stopsig;			/* (p) what stopped it */
	uint32_t p_contgen;		/* (p) SIGCONTs that came */
	struct vnode *p_cwd, *p_root;	/* (p) */
	struct vnode *p_text;		/* (p) executable */
	uint32_t p_umask;		/* (p) */
	uint32_t p_persona;		/* (p) personality(2) */
	int p_exitstatus;		/* (p) as wait4 returns it */
	int p_exitsig;			/* (l) to the parent, if it is one */
	char p_comm[MAXCOMM];		/* (p) */
	char *p_args;			/* (p) argv strings, for procfs */
	size_t p_argslen;
	TAILQ_ENTRY(proc) p_timerq;	/* itimer spinlock, kern/itimer.c */
	uint64_t p_alarm_ns;		/* the same; deadline, 0 none */
	uint64_t p_alarm_interval;	/* the same; ns */
	struct usage p_used;		/* (p) by threads that exited */
	struct usage p_cused;		/* (l) by children waited for */
	uint64_t p_minflt;		/* (A) */
	uint64_t p_cminflt;		/* (l) */
	uint64_t p_start_ns;		/* (k) nanotime() at fork */
	struct krlimit p_rlim[NRLIMIT]; /* (p) */
	uint32_t p_holds;		/* (A) PHOLD: keeps struct proc */
};

#define P_VFORK	     0x0001U /* parent sleeps until we exec or exit */
#define P_EXITING    0x0002U
#define P_STOPPED    0x0004U /* (p) threads stop before user mode */
#define P_CONTINUED  0x0008U /* (l) for wait4's WCONTINUED */
#define P_EXECED     0x0010U
#define P_AUTOREAP   0x0020U	 /* (l) the parent ignores SIGCHLD */
#define P_STOPREPORT 0x0040U	 /* (l) for wait4's WUNTRACED */
#define P_LOWMEMKILL 0x0080U	 /* killed for its memory: vm/vm_oom.c */
#define PHOLD_WAIT   0x80000000U /* in p_holds: somebody waits for 0 */

extern struct lwkt_token proc_token;
TAILQ_HEAD(proclist, proc);
extern struct proclist allproc; /* (l) */
extern struct proc *initproc;	/* pid 1 */
#define curproc (curthread->td_proc)

MALLOC_DECLARE(M_PROC);

/* --- proc.c, init.c --- */
void proc_init(void);
/* Makes pid 1 and execs boot option init= with the root file system. */
void proc_start_init(void);
struct proc *pfind(int pid);	 /* held (PHOLD), or NULL; prele it */
struct proc *pfind_tid(int tid); /* the same, by any thread's number */
/* The process's thread of that number or NULL; p_token held. */
struct thread *proc_thread(struct proc *p, int tid);
void phold(struct proc *p);
void prele(struct proc *p);
int proc_count(void);
/* Every process that match says yes to, held, in kmalloc'd memory of M_PROC
 * (free it by procs_release); *countp how many. */
struct proc **procs_collect(
    bool (*match)(struct proc *p, int arg), int arg, int *countp);
void procs_release(struct proc **list, int count);
struct proc *proc_alloc(void);	/* one hold, not in any list */
void proc_free(struct proc *p); /* never was in a list, or reaped */
void proc_link(struct proc *p, struct proc *parent); /* proc_token held */
void proc_reap(struct proc *p);	    /* a zombie that its caller alone owns */
void proc_autoreap(struct proc *p); /* proc_token held */
void proc_reap_all(void);	    /* those that nobody waits for, now */
struct thread *proc_thread_create(struct proc *p, const char *name);
void proc_thread_destroy(struct thread *td);
void proc_reap_threads(struct proc *p);	 /* those on p_zthreads */
struct usage proc_usage(struct proc *p); /* all threads'; p_token */

/* --- fork, exec, exit --- */
long do_fork(uint64_t clone_flags, uint64_t stack, void *parent_tid,
    void *child_tid, uint64_t tls);
void vfork_done(struct proc *p);       /* exec and exit: the parent may go on */
void proc_exit(int status) __noreturn; /* all threads; wait4's status */
void thread_exit_user(int status) __noreturn; /* this thread; last: exit */
/* All other threads of the running process end before it returns 0; EAGAIN:
 * another thread is at it, and this one must exit. */
int proc_single(struct proc *p);
void notify_parent(struct proc *p, int code);
int kern_execve(const char *path, char *const argv[], char *const envp[]);
void futex_exit(struct thread *td); /* robust list and clear_tid */

/* --- signals: signal.c, signal_deliver.c --- */
void ksignal(struct proc *p, const struct ksiginfo *ksi); /* to a process */
void ksignal_thread(struct thread *td, const struct ksiginfo *ksi);
int ksignal_pgrp(int pgid, const struct ksiginfo *ksi); /* how many */
/* To all that match says yes to (under proc_token), those forked meanwhile
 * included; signo 0 only counts them. */
int ksignal_match(bool (*match)(struct proc *p, int arg), int arg,
    const struct ksiginfo *ksi);
/* The same for a caller that holds p_token; ent is consumed. True: it was
 * stopped and goes on, and the caller owes a notify_parent(CLD_CONTINUED),
 * without p_token. */
bool ksignal_locked(struct proc *p, struct thread *td, struct sigent *ent);
struct sigent *sigent_alloc(const struct ksiginfo *ksi);
void sigent_free(struct sigent *ent);
/* Takes the next of the signals in set off the running thread's or its
 * process's queue; false: none. p_token held. */
bool sig_dequeue(uint64_t set, struct ksiginfo *ksi);
/* Drops the pending signals in set. p_token held. */
void sig_flush(volatile uint64_t *pend, struct sigq *q, uint64_t set);
uint64_t sig_pending_set(struct thread *td); /* blocked ones too; no lock */
bool sig_fatal_pending(struct thread *td);   /* no lock */
/* In each round of a loop that may last long: gives others the CPU when they
 * are due, as a sleep would. True: the process is to die, so break off. */
bool long_loop_over(void);
bool sig_default_ignored(int signo);
bool sig_default_stops(int signo);
/* The running thread's mask; finds out what that unblocks. */
void signal_setmask(uint64_t mask);
/* For calls with a mask of their own: until the handler has run, or
 * signal_restoremask() when none will. */
void signal_setmask_temp(uint64_t mask);
void signal_restoremask(void);
/* A trap's signal: cannot be blocked or ignored (then it kills). */
void trapsignal(struct thread *td, int signo, int code, uint64_t addr);
/* On the way to user mode, frame complete: takes stop, kill and handlers.
 * amd64/signal_md.c builds the user's frame. */
void signal_userret(struct trapframe *tf);
bool signal_pending(struct thread *td); /* unblocked one waits: for PCATCH */
int sendsig(struct trapframe *tf, const struct ksigaction *sa,
    const struct ksiginfo *ksi, uint64_t oldmask); /* amd64; EFAULT */
long sys_rt_sigreturn(void);
/* Whether sp lies on the running thread's alternate stack. */
bool sig_on_altstack(uint64_t sp);
void ksiginfo_to_user(const struct ksiginfo *ksi, void *siginfo);
struct sigacts *sigacts_alloc(void);
struct sigacts *sigacts_copy(struct sigacts *sa);
void sigacts_free(struct sigacts *sa); /* one reference less */
void sigacts_get(struct sigacts *sa, int signo, struct ksigaction *act);

/* --- jobctl.c --- */
/* Whether nobody could continue the group; takes proc_token. */
bool pgrp_orphaned(int pgid);
/* A process left the group (gone, which still exists) or a parent ended (gone
 * NULL): if that orphans a group with stopped members, they get SIGHUP and
 * SIGCONT. */
void pgrp_hangup(int pgid, const struct proc *gone);

/* --- itimer.c --- */
void itimer_init(void);
void itimer_cancel(struct proc *p); /* at exit: it will not fire again */

#endif
