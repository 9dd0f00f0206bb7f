/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The system calls about signals: dispositions, masks, kill and its kin.
 */
#include <linux/errno.h>
#include <linux/signal.h>

#include <asm/siginfo.h>

#include <kern/kstring.h>
#include <kern/ktime.h>
#include <kern/proc.h>
#include <kern/syscall.h>
#include <kern/syscalls.h>
#include <kern/uaccess.h>

#include <amd64/frame.h>

#define SIGSETSIZE  sizeof(uint64_t) /* the only size, since 64 signals */
#define SIGS_KERNEL (SIGBIT(SIGKILL) | SIGBIT(SIGSTOP))
#define H_DFL	    0
#define H_IGN	    1

/* What sigaction() keeps of sa_flags; others are cleared, so that a program
 * can ask which are known. */
#define SA_KNOWN                                                              \
	(SA_NOCLDSTOP | SA_NOCLDWAIT | SA_SIGINFO | SA_ONSTACK | SA_RESTART | \
	    SA_NODEFER | SA_RESETHAND | SA_RESTORER)

_Static_assert(sizeof(struct sigaction) == sizeof(struct ksigaction) &&
	offsetof(struct sigaction, sa_mask) ==
	    offsetof(struct ksigaction, sa_mask),
    "copied as a whole");

static bool
sig_valid(int signo)
{
	return signo > 0 && signo <= NSIGNAL;
}

/*
 * Drops what is pending of a signal that is ignored from now on.
 */
static void
sig_discard(struct proc *p, int signo)
{
	struct thread *td;

	lwkt_gettoken(&p->p_token);
	sig_flush(&p->p_sigpend, &p->p_sigq, SIGBIT(signo));
	LIST_FOREACH (td, &p->p_threads, td_plist)
		sig_flush(&td->td_sigpend, &td->td_lwp->l_sigq, SIGBIT(signo));
	lwkt_reltoken(&p->p_token);
}

long
sys_rt_sigaction(int sig, const void *uact, void *uoact, size_t sigsetsize)
{
	struct proc *p = curproc;
	struct sigacts *sa = p->p_sigacts;
	struct ksigaction act, old;

	if (sigsetsize != SIGSETSIZE)
		return -EINVAL;
	if (uact != NULL && copyin(uact, &act, sizeof(act)) != 0)
		return -EFAULT;
	if (!sig_valid(sig) || (uact != NULL && (SIGBIT(sig) & SIGS_KERNEL)))
		return -EINVAL;
	spin_lock(&sa->spin);
	old = sa->sa[sig - 1];
	if (uact != NULL) {
		act.sa_flags &= SA_KNOWN;
		act.sa_mask &= ~SIGS_KERNEL;
		sa->sa[sig - 1] = act;
	}
	spin_unlock(&sa->spin);
	if (uact != NULL &&
	    (act.sa_handler == H_IGN ||
		(act.sa_handler == H_DFL && sig_default_ignored(sig))))
		sig_discard(p, sig);
	if (uoact != NULL && copyout(&old, uoact, sizeof(old)) != 0)
		return -EFAULT;
	return 0;
}

long
sys_rt_sigprocmask(
    int how, const uint64_t *uset, uint64_t *uoset, size_t sigsetsize)
{
	struct thread *td = curthread;
	uint64_t set, old = td->td_sigmask;

	if (sigsetsize != SIGSETSIZE)
		return -EINVAL;
	if (uset != NULL) {
		if (copyin(uset, &set, sizeof(set)) != 0)
			return -EFAULT;
		switch (how) {
		case SIG_BLOCK:
			signal_setmask(old | set);
			break;
		case SIG_UNBLOCK:
			signal_setmask(old & ~set);
			break;
		case SIG_SETMASK:
			signal_setmask(set);
			break;
		default:
			return -EINVAL;
		}
	}
	if (uoset != NULL && copyout(&old, uoset, sizeof(old)) != 0)
		return -EFAULT;
	return 0;
}

long
sys_rt_sigpending(uint64_t *uset, size_t sigsetsize)
{
	struct thread *td = curthread;
	uint64_t set = sig_pending_set(td) & td->td_sigmask;

	if (sigsetsize > SIGSETSIZE)
		return -EINVAL;
	return -copyout(&set, uset, sigsetsize);
}

/*
 * Sleeps until a signal comes that is not blocked.
 */
static long
wait_for_signal(void)
{
	struct thread *td = curthread;

	while (!signal_pending(td))
		tsleep(td->td_lwp, PCATCH, "sigsuspend", 0);
	return -ERESTARTNOHAND;
}

long
sys_rt_sigsuspend(const uint64_t *uset, size_t sigsetsize)
{
	uint64_t set;

	if (sigsetsize != SIGSETSIZE)
		return -EINVAL;
	if (copyin(uset, &set, sizeof(set)) != 0)
		return -EFAULT;
	signal_setmask_temp(set);
	return wait_for_signal();
}

long
sys_pause(void)
{
	return wait_for_signal();
}

/*
 * Waits for one of a set of signals, which the caller blocks, and takes it
 * without a handler.
 */
long
sys_rt_sigtimedwait(
    const uint64_t *uset, void *uinfo, const void *uts, size_t sigsetsize)
{
	struct thread *td = curthread;
	struct proc *p = td->td_proc;
	struct ksiginfo ksi;
	uint64_t set, mask = td->td_sigmask, deadline = 0, left = 0;
	siginfo_t info;
	bool got;
	int error;

	if (sigsetsize != SIGSETSIZE)
		return -EINVAL;
	if (copyin(uset, &set, sizeof(set)) != 0)
		return -EFAULT;
	set &= ~SIGS_KERNEL;
	if (uts != NULL) {
		error = copyin_timespec(uts, &left);
		if (error != 0)
			return -error;
		deadline = ktime_after(left);
	}
	/* While it sleeps, the signals it waits for are not blocked. */
	td->td_sigmask = mask & ~set;
	cpu_mfence();
	for (;;) {
		lwkt_gettoken(&p->p_token);
		got = sig_dequeue(set, &ksi);
		lwkt_reltoken(&p->p_token);
		error = 0;
		if (got)
			break;
		error = EAGAIN;
		if (uts != NULL) {
			left = ktime_left(deadline);
			if (left == 0)
				break;
		}
		error = EINTR;
		if (signal_pending(td) && (sig_pending_set(td) & set) == 0)
			break;
		tsleep(td->td_lwp, PCATCH, "sigwait", left);
	}
	signal_setmask(mask);
	if (error != 0)
		return -error;
	if (uinfo != NULL) {
		memset(&info, 0, sizeof(info));
		ksiginfo_to_user(&ksi, &info);
		if (copyout(&info, uinfo, sizeof(info)) != 0)
			return -EFAULT;
	}
	return ksi.signo;
}

/*
 * Whether sp is on the alternate stack. Grows down: the first byte pushed
 * lies below sp.
 */
bool
sig_on_altstack(uint64_t sp)
{
	struct thread *td = curthread;

	if (td->td_sigalt_flags & SS_AUTODISARM)
		return false;
	return sp > td->td_sigalt_sp &&
	    sp - td->td_sigalt_sp <= td->td_sigalt_size;
}

long
sys_sigaltstack(const void *uss, void *uoss)
{
	struct thread *td = curthread;
	uint64_t sp = USER_FRAME(td)->tf_rsp;
	stack_t ss, old;
	int mode;

	memset(&old, 0, sizeof(old));
	old.ss_sp = (void *)td->td_sigalt_sp;
	old.ss_size = td->td_sigalt_size;
	old.ss_flags = (int)(td->td_sigalt_flags & SS_AUTODISARM);
	if (td->td_sigalt_size == 0)
		old.ss_flags |= SS_DISABLE;
	else if (sig_on_altstack(sp))
		old.ss_flags |= SS_ONSTACK;
	if (uss != NULL) {
		if (copyin(uss, &ss, sizeof(ss)) != 0)
			return -EFAULT;
		if (sig_on_altstack(sp))
			return -EPERM;
		mode = ss.ss_flags & (int)~SS_AUTODISARM;
		if (mode != SS_DISABLE && mode != SS_ONSTACK && mode != 0)
			return -EINVAL;
		if (mode == SS_DISABLE) {
			ss.ss_sp = NULL;
			ss.ss_size = 0;
		} else if (ss.ss_size < MINSIGSTKSZ) {
			return -ENOMEM;
		}
		td->td_sigalt_sp = (uint64_t)ss.ss_sp;
		td->td_sigalt_size = ss.ss_size;
		td->td_sigalt_flags = (uint32_t)ss.ss_flags;
	}
	if (uoss != NULL && copyout(&old, uoss, sizeof(old)) != 0)
		return -EFAULT;
	return 0;
}

static bool
match_pgrp(struct proc *p, int pgid)
{
	return p->p_pgid == pgid;
}

static bool
match_others(struct proc *p, int self)
{
	return p != initproc && p->p_pid != self;
}

/*
 * Sends to every process that match says yes to; ESRCH when there is none,
 * and only then EINVAL for a bad number.
 */
static long
kill_many(bool (*match)(struct proc *p, int arg), int arg, struct ksiginfo *ksi)
{
	bool bad = ksi->signo != 0 && !sig_valid(ksi->signo);

	if (bad)
		ksi->signo = 0;
	if (ksignal_match(match, arg, ksi) == 0)
		return -ESRCH;
	return bad ? -EINVAL : 0;
}

long
sys_kill(int pid, int sig)
{
	struct ksiginfo ksi = {.signo = sig, .code = SI_USER};
	struct proc *p = curproc;
	long result = 0;

	ksi.pid = p->p_pid;
	if (pid == -1)
		return kill_many(match_others, p->p_pid, &ksi);
	if (pid == 0)
		return kill_many(match_pgrp, p->p_pgid, &ksi);
	if (pid == INT32_MIN)
		return -ESRCH;
	if (pid < 0)
		return kill_many(match_pgrp, -pid, &ksi);
	p = pfind_tid(pid);
	if (p == NULL)
		return -ESRCH;
	if (sig_valid(sig))
		ksignal(p, &ksi);
	else if (sig != 0)
		result = -EINVAL;
	prele(p);
	return result;
}

/*
 * To one thread; tgid < 0: of whatever process.
 */
static long
kill_thread(int tgid, int tid, int sig)
{
	struct ksiginfo ksi = {.signo = sig, .code = SI_TKILL};
	struct sigent *ent = NULL;
	struct proc *p = curproc;
	struct thread *td;
	bool continued = false;
	long result = -ESRCH;

	ksi.pid = p->p_pid;
	if (sig_valid(sig))
		ent = sigent_alloc(&ksi);
	lwkt_gettoken(&p->p_token);
	td = proc_thread(p, tid);
	if (td != NULL) {
		phold(p);
	} else {
		lwkt_reltoken(&p->p_token);
		p = pfind_tid(tid);
		if (p == NULL)
			goto done;
		lwkt_gettoken(&p->p_token);
		td = proc_thread(p, tid);
	}
	/* A zombie's only thread is gone, its number is not. */
	if ((td != NULL || p->p_pid == tid) && (tgid < 0 || p->p_pid == tgid)) {
		result = sig == 0 || ent != NULL ? 0 : -EINVAL;
		if (td != NULL && ent != NULL) {
			continued = ksignal_locked(p, td, ent);
			ent = NULL;
		}
	}
	lwkt_reltoken(&p->p_token);
	if (continued)
		notify_parent(p, CLD_CONTINUED);
	prele(p);
done:
	if (ent != NULL)
		sigent_free(ent);
	return result;
}

long
sys_tkill(int tid, int sig)
{
	if (tid <= 0)
		return -EINVAL;
	return kill_thread(-1, tid, sig);
}

long
sys_tgkill(int tgid, int tid, int sig)
{
	if (tgid <= 0 || tid <= 0)
		return -EINVAL;
	return kill_thread(tgid, tid, sig);
}
