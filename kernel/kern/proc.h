/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Processes: what threads share by default, and what a parent waits for.
 *
 *  (p) p_token of the process, (l) proc_token (the tree of processes),
 *  (k) constant, (t) the thread itself.
 * Order: proc_token, then a p_token, parent's before child's.
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

#define NSIG	 64
#define MAXCOMM	 16
#define SIGBIT(s) (1UL << ((s)-1))

struct ksigaction {
	uint64_t sa_handler; /* user address, SIG_DFL 0, SIG_IGN 1 */
	uint64_t sa_flags;   /* Linux SA_* */
	uint64_t sa_restorer;
	uint64_t sa_mask;
};

/* Dispositions: shared with CLONE_SIGHAND, else copied. */
struct sigacts {
	struct ksigaction sa[NSIG];
	int refs; /* (A) */
};

/* What a handler's siginfo_t will say. */
struct ksiginfo {
	int signo, code;
	uint64_t addr; /* SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP */
	int pid, uid, status;
};

enum p_state { PS_EMBRYO, PS_ACTIVE, PS_STOPPED, PS_ZOMBIE };

struct proc {
	struct lwkt_token p_token;
	LIST_ENTRY(proc) p_hash;	/* (l) by pid */
	TAILQ_ENTRY(proc) p_all;	/* (l) */
	LIST_ENTRY(proc) p_sibling;	/* (l) */
	LIST_HEAD(, proc) p_children;	/* (l) */
	LIST_HEAD(, thread) p_threads;	/* (p) */
	int p_nthreads;			/* (p) */
	struct proc *p_parent;		/* (l) */
	int p_pid;			/* (k) */
	int p_pgid, p_sid;		/* (l) */
	enum p_state p_state;		/* (p) */
	uint32_t p_flags;		/* (A) P_* */
	struct vmspace *p_vmspace;	/* (t: changed by exec with one thread;
					 * others: vmspace_hold under p_token) */
	struct filedesc *p_fd;		/* shared with CLONE_FILES */
	struct sigacts *p_sigacts;	/* shared with CLONE_SIGHAND */
	uint64_t p_sigpend;		/* (p) process-directed */
	struct ksiginfo p_siginfo[NSIG]; /* (p) newest of each pending */
	struct vnode *p_cwd, *p_root;	/* (p) */
	struct vnode *p_text;		/* (p) executable */
	uint32_t p_umask;		/* (p) */
	int p_exitstatus;		/* (p) as wait4 returns it */
	int p_exitsig;			/* (k) to the parent: SIGCHLD or 0 */
	char p_comm[MAXCOMM];		/* (p) */
	char *p_args;			/* (p) argv strings, for procfs */
	size_t p_argslen;
	uint64_t p_alarm_ns;		/* (p) setitimer/alarm deadline */
	uint64_t p_utime_ns, p_stime_ns, p_cutime_ns; /* (p) */
	uint64_t p_minflt;		/* (A) */
	uint64_t p_rlim_stack;		/* (p) bytes */
	int p_holds;			/* (A) PHOLD: keeps struct proc */
};

#define P_VFORK	   0x0001U /* parent sleeps until we exec or exit */
#define P_EXITING  0x0002U
#define P_STOPPED  0x0004U
#define P_CONTINUED 0x0008U
#define P_EXECED   0x0010U
#define P_WAITED   0x0020U
#define P_STOPREPORT 0x0040U

extern struct lwkt_token proc_token;
TAILQ_HEAD(proclist, proc);
extern struct proclist allproc; /* (l) */
extern struct proc *initproc;	/* pid 1 */
#define curproc (curthread->td_proc)

void proc_init(void);
/* Makes pid 1 and execs path with the module's cpio as root. */
void proc_start_init(void);
struct proc *pfind(int pid); /* held (PHOLD), or NULL; prele it */
void phold(struct proc *p);
void prele(struct proc *p);
int proc_count(void);

/* --- fork, exec, exit --- */
long do_fork(uint64_t clone_flags, uint64_t stack, void *parent_tid,
    void *child_tid, uint64_t tls);
void proc_exit(int status) __noreturn; /* all threads; wait4's status */
void thread_exit_user(int status) __noreturn; /* this thread; last: exit */
int kern_execve(const char *path, char *const argv[], char *const envp[]);

/* --- signals --- */
void ksignal(struct proc *p, const struct ksiginfo *ksi); /* to a process */
void ksignal_thread(struct thread *td, const struct ksiginfo *ksi);
/* A trap's signal: cannot be blocked or ignored (then it kills). */
void trapsignal(struct thread *td, int signo, int code, uint64_t addr);
/* On the way to user mode, frame complete: takes stop, kill and handlers.
 * amd64/signal_md.c builds the user's frame. */
void signal_userret(struct trapframe *tf);
bool signal_pending(struct thread *td); /* unblocked one waits: for PCATCH */
int sendsig(struct trapframe *tf, const struct ksigaction *sa,
    const struct ksiginfo *ksi, uint64_t oldmask); /* amd64; EFAULT */
long sys_rt_sigreturn(void);

#endif
