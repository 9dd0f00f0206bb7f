/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The end of threads and processes, up to the zombie; kern/wait.c buries it.
 *
 * A process ends with its last thread. exit_group, a fatal signal and exec
 * make one thread the only one (p_single): the others see it on their way to
 * user mode, or have their sleep broken off, and exit by themselves.
 */
#include <linux/errno.h>

#include <asm/siginfo.h>
#include <asm/signal.h>

#include <fs/vnode.h>
#include <kern/file.h>
#include <kern/kmalloc.h>
#include <kern/proc.h>
#include <kern/syscalls.h>
#include <kern/trace.h>
#include <vm/vm_map.h>

/*
 * The running thread touches no user memory any more: this CPU leaves the
 * address space, and no switch loads it again for the thread.
 */
static void
thread_leave_vm(struct thread *td)
{
	crit_enter();
	atomic_clear_uint(&td->td_flags, TDF_USER);
	pmap_activate(&kernel_pmap);
	crit_exit();
}

/*
 * Takes the running thread off its process. p_token is held.
 */
static void
thread_unlink(struct thread *td, struct proc *p)
{
	struct usage used;

	ASSERT_LWKT_TOKEN_HELD_EXCL(&p->p_token);
	sig_flush(&td->td_sigpend, &td->td_lwp->l_sigq, ~0UL);
	used = thread_usage(td);
	usage_add(&p->p_used, &used);
	LIST_REMOVE(td, td_plist);
	LIST_INSERT_HEAD(&p->p_zthreads, td, td_plist);
	p->p_nthreads--;
}

/* See kern/proc.h. Sleeps until the others are gone and freed. */
int
proc_single(struct proc *p)
{
	struct thread *td, *self = curthread;

	lwkt_gettoken(&p->p_token);
	if (p->p_single != NULL && p->p_single != self) {
		lwkt_reltoken(&p->p_token);
		return EAGAIN;
	}
	p->p_single = self;
	LIST_FOREACH (td, &p->p_threads, td_plist) {
		if (td == self)
			continue;
		atomic_set_uint(&td->td_flags, TDF_SIGPENDING);
		thread_interrupt(td);
	}
	wakeup(&p->p_nstopped);
	for (;;) {
		tsleep_interlock(&p->p_threads, 0);
		if (p->p_nthreads == 1)
			break;
		tsleep(&p->p_threads, PINTERLOCKED, "single", 0);
	}
	tsleep_remove(self);
	lwkt_reltoken(&p->p_token);
	proc_reap_threads(p);
	return 0;
}

/*
 * Gives back what the process has besides its memory.
 */
static void
proc_release(struct proc *p)
{
	struct filedesc *fd;
	struct vnode *cwd, *root, *text;

	itimer_cancel(p);
	tty_exit(p);
	lwkt_gettoken(&p->p_token);
	fd = p->p_fd;
	cwd = p->p_cwd;
	root = p->p_root;
	text = p->p_text;
	p->p_fd = NULL;
	p->p_cwd = p->p_root = p->p_text = NULL;
	lwkt_reltoken(&p->p_token);
	if (fd != NULL)
		fd_free(fd);
	if (cwd != NULL)
		vrele(cwd);
	if (root != NULL)
		vrele(root);
	if (text != NULL)
		vrele_text(text);
}

/*
 * Gives the children to process 1, which is told of those that ended. The
 * groups of those that this process controlled may be orphaned by that, and
 * so may its own.
 */
static void
proc_orphan(struct proc *p)
{
	struct ksiginfo ksi = {.signo = SIGCHLD, .code = SI_KERNEL};
	struct proc *child, *parent;
	bool zombies = false, controls = false;
	int pgid;

	do {
		pgid = 0;
		lwkt_gettoken(&proc_token);
		child = TAILQ_FIRST(&p->p_children);
		if (child != NULL) {
			TAILQ_REMOVE(&p->p_children, child, p_sibling);
			TAILQ_INSERT_TAIL(
			    &initproc->p_children, child, p_sibling);
			child->p_parent = initproc;
			child->p_exitsig = SIGCHLD;
			if (child->p_state == PS_ZOMBIE)
				zombies = true;
			if (child->p_pgid != p->p_pgid &&
			    child->p_sid == p->p_sid)
				pgid = child->p_pgid;
		} else {
			parent = p->p_parent;
			controls = parent->p_pgid != p->p_pgid &&
			    parent->p_sid == p->p_sid;
		}
		lwkt_reltoken(&proc_token);
		if (pgid != 0)
			pgrp_hangup(pgid, NULL);
	} while (child != NULL);
	if (controls)
		pgrp_hangup(p->p_pgid, p);
	if (zombies) {
		ksignal(initproc, &ksi);
		wakeup(&initproc->p_children);
	}
}

/*
 * What the parent's SIGCHLD and its wait4 will say of this change of state;
 * false: the change is out of date, or the parent does not want a signal.
 * proc_token is held.
 */
static bool
change_state(struct proc *p, struct proc *parent, int code, bool *autoreap)
{
	struct ksigaction act;

	*autoreap = false;
	sigacts_get(parent->p_sigacts, SIGCHLD, &act);
	switch (code) {
	case CLD_STOPPED:
		if ((p->p_flags & P_STOPPED) == 0 || p->p_state == PS_ZOMBIE)
			return false;
		p->p_state = PS_STOPPED;
		atomic_clear_uint(&p->p_flags, P_CONTINUED);
		atomic_set_uint(&p->p_flags, P_STOPREPORT);
		return (act.sa_flags & SA_NOCLDSTOP) == 0;
	case CLD_CONTINUED:
		if (p->p_state == PS_ZOMBIE)
			return false;
		p->p_state = PS_ACTIVE;
		atomic_clear_uint(&p->p_flags, P_STOPREPORT);
		atomic_set_uint(&p->p_flags, P_CONTINUED);
		return (act.sa_flags & SA_NOCLDSTOP) == 0;
	default:
		p->p_state = PS_ZOMBIE;
		if (p->p_exitsig != SIGCHLD)
			return p->p_exitsig != 0 && p->p_exitsig <= NSIGNAL;
		*autoreap = act.sa_handler == (uint64_t)SIG_IGN ||
		    (act.sa_flags & SA_NOCLDWAIT);
		return act.sa_handler != (uint64_t)SIG_IGN;
	}
}

/*
 * Tells the parent that the process stopped, continued or ended (code is
 * CLD_*), by a signal and by waking its wait4: both at once for whoever
 * looks under proc_token. May sleep for memory and tokens before it does
 * anything. An ended process may be gone on return.
 */
void
notify_parent(struct proc *p, int code)
{
	struct ksiginfo ksi = {.signo = SIGCHLD, .code = code};
	struct sigent *ent;
	struct proc *parent;
	bool autoreap, send;

	if (p == initproc)
		return;
	ksi.pid = p->p_pid;
	if (code == CLD_STOPPED)
		ksi.status = p->p_stopsig;
	else if (code == CLD_CONTINUED)
		ksi.status = SIGCONT;
	else if (code == CLD_EXITED)
		ksi.status = p->p_exitstatus >> 8 & 0xff;
	else
		ksi.status = p->p_exitstatus & 0x7f;
	ent = sigent_alloc(&ksi);
	lwkt_gettoken(&proc_token);
	for (;;) {
		parent = p->p_parent;
		phold(parent);
		lwkt_gettoken(&parent->p_token);
		/* proc_token may have been lost while we waited. */
		if (p->p_parent == parent)
			break;
		lwkt_reltoken(&parent->p_token);
		prele(parent);
	}
	send = change_state(p, parent, code, &autoreap);
	if (send && p->p_state == PS_ZOMBIE)
		ent->se_info.signo = p->p_exitsig;
	if (autoreap)
		proc_autoreap(p);
	if (send)
		(void)ksignal_locked(parent, NULL, ent);
	else
		sigent_free(ent);
	wakeup(&parent->p_children);
	lwkt_reltoken(&parent->p_token);
	lwkt_reltoken(&proc_token);
	prele(parent);
}

/*
 * The last thread's way out.
 */
static void __noreturn
proc_exit_last(struct thread *td, struct proc *p)
{
	struct vmspace *vm;
	int status = p->p_exitstatus;

	if (p == initproc)
		panic("process 1 ended, %s %d",
		    (status & 0x7f) != 0 ? "by signal" : "with status",
		    (status & 0x7f) != 0 ? status & 0x7f : status >> 8);
	proc_release(p);
	thread_leave_vm(td);
	lwkt_gettoken(&p->p_token);
	vm = p->p_vmspace;
	p->p_vmspace = NULL;
	lwkt_reltoken(&p->p_token);
	vmspace_rel(vm);
	vfork_done(p);
	proc_orphan(p);
	trace(TR_EXIT, (uint64_t)p->p_pid, (uint64_t)status, 0, 0);

	lwkt_gettoken(&p->p_token);
	atomic_clear_uint(&p->p_flags, P_STOPPED);
	thread_unlink(td, p);
	lwkt_reltoken(&p->p_token);
	notify_parent(p, (status & 0x7f) != 0 ? CLD_KILLED : CLD_EXITED);
	thread_exit();
}

/*
 * Ends the running thread and, when it is the last, the process, whose
 * status it then is unless somebody ended the process as a whole. Nothing
 * may be held.
 */
void
thread_exit_user(int status)
{
	struct thread *td = curthread;
	struct proc *p = td->td_proc;
	bool stopped;

	atomic_set_uint(&td->td_flags, TDF_EXITING);
	futex_exit(td);
	lwkt_gettoken(&p->p_token);
	if (p->p_nthreads == 1) {
		if ((p->p_flags & P_EXITING) == 0)
			p->p_exitstatus = status;
		atomic_set_uint(&p->p_flags, P_EXITING);
		lwkt_reltoken(&p->p_token);
		proc_exit_last(td, p);
	}
	thread_leave_vm(td);
	thread_unlink(td, p);
	/* What was this thread's to take is now another's. */
	if (p->p_sigpend != 0) {
		struct thread *other;

		LIST_FOREACH (other, &p->p_threads, td_plist) {
			atomic_set_uint(&other->td_flags, TDF_SIGPENDING);
			thread_interrupt(other);
		}
	}
	stopped = (p->p_flags & P_STOPPED) && p->p_nstopped == p->p_nthreads;
	if (stopped)
		phold(p);
	wakeup(&p->p_threads);
	lwkt_reltoken(&p->p_token);
	if (stopped) {
		notify_parent(p, CLD_STOPPED);
		prele(p);
	}
	thread_exit();
}

/*
 * Ends the process of the running thread with the status that wait4 will
 * give; nothing may be held. When another thread is at it already, or execs,
 * only this thread ends.
 */
void
proc_exit(int status)
{
	struct proc *p = curproc;

	if (proc_single(p) == 0) {
		p->p_exitstatus = status;
		atomic_set_uint(&p->p_flags, P_EXITING);
	}
	thread_exit_user(status);
}

long
sys_exit(int code)
{
	thread_exit_user((code & 0xff) << 8);
}

long
sys_exit_group(int code)
{
	proc_exit((code & 0xff) << 8);
}
