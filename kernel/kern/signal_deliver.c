/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Taking signals: what a thread does about them on its way to user mode.
 * Handlers, default actions, stopping, and the repetition of the system call
 * that was interrupted.
 */
#include <linux/errno.h>

#include <asm/siginfo.h>
#include <asm/signal.h>
#include <asm/unistd_64.h>

#include <kern/proc.h>
#include <kern/syscall.h>
#include <kern/syscalls.h>

#include <amd64/frame.h>

#define H_DFL		 0
#define H_IGN		 1
#define SYSCALL_INSN_LEN 2 /* 0f 05 */

/*
 * Lets the system call of this frame happen again, as another number if need
 * be: the program's own registers are what they were, only rax is not.
 */
static void
restart_call(struct trapframe *tf, uint64_t number)
{
	tf->tf_rax = number;
	tf->tf_rip -= SYSCALL_INSN_LEN;
}

/*
 * Settles the result of an interrupted system call, before a handler with
 * these flags runs (act), or because none will (NULL). The frame then no
 * longer is a system call's: this happens once.
 */
static void
settle_call(struct trapframe *tf, const struct ksigaction *act)
{
	bool again;

	if (tf->tf_trapno != T_SYSCALL)
		return;
	switch ((long)tf->tf_rax) {
	case -ERESTARTSYS:
		again = act == NULL || (act->sa_flags & SA_RESTART);
		break;
	case -ERESTARTNOHAND:
	case -ERESTART_RESTARTBLOCK:
		again = act == NULL;
		break;
	default:
		return;
	}
	if (!again)
		tf->tf_rax = (uint64_t)-EINTR;
	else if ((long)tf->tf_rax == -ERESTART_RESTARTBLOCK)
		restart_call(tf, __NR_restart_syscall);
	else
		restart_call(tf, tf->tf_err);
	tf->tf_trapno = 0;
}

/*
 * Begins to stop the process: every thread will stand still before it comes
 * to user mode. contgen is p_contgen at the time the signal was taken: a
 * SIGCONT since then has cancelled it.
 */
static void
proc_stop(struct proc *p, int signo, uint32_t contgen)
{
	struct thread *td;

	lwkt_gettoken(&p->p_token);
	if (p->p_contgen == contgen && p->p_single == NULL &&
	    (p->p_flags & P_STOPPED) == 0) {
		p->p_stopsig = signo;
		atomic_set_uint(&p->p_flags, P_STOPPED);
		LIST_FOREACH (td, &p->p_threads, td_plist) {
			atomic_set_uint(&td->td_flags, TDF_SIGPENDING);
			if (td != curthread)
				thread_interrupt(td);
		}
	}
	lwkt_reltoken(&p->p_token);
}

/*
 * Stands still until the process is continued or this thread is to die. The
 * last thread to arrive reports it to the parent. p_token is held, and given
 * up meanwhile.
 */
static void
thread_stopped(struct thread *td, struct proc *p)
{
	if (++p->p_nstopped == p->p_nthreads) {
		lwkt_reltoken(&p->p_token);
		notify_parent(p, CLD_STOPPED);
		lwkt_gettoken(&p->p_token);
	}
	for (;;) {
		tsleep_interlock(&p->p_nstopped, 0);
		if ((p->p_flags & P_STOPPED) == 0 ||
		    (sig_pending_set(td) & SIGBIT(SIGKILL)) ||
		    (p->p_single != NULL && p->p_single != td))
			break;
		tsleep(&p->p_nstopped, PINTERLOCKED, "stopped", 0);
	}
	tsleep_remove(td);
	if (p->p_nstopped > 0)
		p->p_nstopped--;
}

/*
 * Does what a signal without a handler means. Returns when the process lives
 * on.
 */
static void
default_action(struct proc *p, const struct ksiginfo *ksi, uint32_t contgen)
{
	int signo = ksi->signo;

	if (sig_default_ignored(signo))
		return;
	if (p == initproc && ksi->code <= 0)
		return; /* somebody's kill: process 1 is spared */
	if (sig_default_stops(signo)) {
		if (signo == SIGSTOP || !pgrp_orphaned(p->p_pgid))
			proc_stop(p, signo, contgen);
		return;
	}
	proc_exit(signo);
}

/*
 * Builds the handler's frame on the user's stack; when that is not possible
 * the program gets a SIGSEGV instead, and dies if that was it.
 */
static void
handle(struct trapframe *tf, const struct ksigaction *act,
    const struct ksiginfo *ksi)
{
	struct thread *td = curthread;
	struct sigacts *sa = td->td_proc->p_sigacts;
	uint64_t oldmask = td->td_sigmask, mask;

	if (td->td_flags & TDF_OLDMASK)
		oldmask = td->td_oldsigmask;
	settle_call(tf, act);
	if (sendsig(tf, act, ksi, oldmask) != 0) {
		if (ksi->signo == SIGSEGV) {
			spin_lock(&sa->spin);
			sa->sa[SIGSEGV - 1].sa_handler = H_DFL;
			spin_unlock(&sa->spin);
		}
		trapsignal(td, SIGSEGV, SI_KERNEL, 0);
		return;
	}
	atomic_clear_uint(&td->td_flags, TDF_OLDMASK);
	mask = td->td_sigmask | act->sa_mask;
	if ((act->sa_flags & SA_NODEFER) == 0)
		mask |= SIGBIT(ksi->signo);
	signal_setmask(mask);
}

/*
 * A signal's disposition, which SA_RESETHAND uses up.
 */
static void
take_action(struct proc *p, int signo, struct ksigaction *act)
{
	struct sigacts *sa = p->p_sigacts;

	spin_lock(&sa->spin);
	*act = sa->sa[signo - 1];
	if ((act->sa_flags & SA_RESETHAND) && act->sa_handler > H_IGN)
		sa->sa[signo - 1].sa_handler = H_DFL;
	spin_unlock(&sa->spin);
}

/*
 * Nothing is left for the running thread. What is pending for the process
 * and blocked here goes to a thread that does not block it: the sender may
 * have picked this one just before it blocked the signal. p_token is held.
 */
static void
none_left(struct thread *td, struct proc *p)
{
	struct thread *other;
	uint64_t set = p->p_sigpend & td->td_sigmask;

	atomic_clear_uint(&td->td_flags, TDF_SIGPENDING);
	if (set == 0)
		return;
	LIST_FOREACH (other, &p->p_threads, td_plist) {
		if ((set & ~other->td_sigmask) == 0 ||
		    (other->td_flags & (TDF_SIGPENDING | TDF_EXITING)))
			continue;
		set &= other->td_sigmask;
		atomic_set_uint(&other->td_flags, TDF_SIGPENDING);
		thread_interrupt(other);
	}
}

/*
 * Called with TDF_SIGPENDING set, interrupts enabled, nothing held, as long
 * as it is set. May sleep; does not return when the thread is to die.
 */
void
signal_userret(struct trapframe *tf)
{
	struct thread *td = curthread;
	struct proc *p = td->td_proc;
	struct ksigaction act;
	struct ksiginfo ksi;
	uint32_t contgen;

	for (;;) {
		lwkt_gettoken(&p->p_token);
		if (p->p_single != NULL && p->p_single != td) {
			lwkt_reltoken(&p->p_token);
			thread_exit_user(0);
		}
		if ((p->p_flags & P_STOPPED) &&
		    (sig_pending_set(td) & SIGBIT(SIGKILL)) == 0) {
			thread_stopped(td, p);
			lwkt_reltoken(&p->p_token);
			continue;
		}
		contgen = p->p_contgen;
		if (!sig_dequeue(~td->td_sigmask, &ksi)) {
			settle_call(tf, NULL);
			if ((td->td_flags & TDF_OLDMASK) == 0)
				break;
			lwkt_reltoken(&p->p_token);
			signal_restoremask();
			continue;
		}
		lwkt_reltoken(&p->p_token);
		take_action(p, ksi.signo, &act);
		if (act.sa_handler == H_DFL)
			default_action(p, &ksi, contgen);
		else if (act.sa_handler != H_IGN)
			handle(tf, &act, &ksi);
	}
	none_left(td, p);
	lwkt_reltoken(&p->p_token);
}
