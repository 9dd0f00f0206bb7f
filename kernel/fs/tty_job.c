/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The console terminal and job control: which process group is in the
 * foreground, and what happens to the others (termios(3), credentials(7)).
 */
#include <linux/errno.h>
#include <linux/signal.h>

#include <asm/ioctls.h>

#include <fs/tty.h>
#include <fs/vnode.h>
#include <kern/proc.h>
#include <kern/syscalls.h>
#include <kern/uaccess.h>

/* Would the signal do nothing to the running thread? */
static bool
sig_is_deaf(int signo)
{
	struct ksigaction act;

	sigacts_get(curproc->p_sigacts, signo, &act);
	return act.sa_handler == (uint64_t)(uintptr_t)SIG_IGN ||
	    (curthread->td_sigmask & (1UL << (signo - 1))) != 0;
}

/*
 * The running process wants to read from its terminal (SIGTTIN), or to change
 * it (SIGTTOU). In the background it is stopped instead: ERESTARTSYS, after
 * the signal was sent to its group. EIO when it would not notice. 0: go on.
 */
int
tty_job(struct tty *t, int signo)
{
	struct ksiginfo ksi = {.signo = signo, .code = SI_KERNEL};
	struct proc *p = curproc;

	if (p == NULL || t->t_sid == 0 || p->p_sid != t->t_sid ||
	    t->t_pgrp == 0 || p->p_pgid == t->t_pgrp)
		return 0;
	if (sig_is_deaf(signo))
		return signo == SIGTTIN ? EIO : 0;
	if (pgrp_orphaned(p->p_pgid))
		return EIO;
	ksignal_pgrp(p->p_pgid, &ksi);
	return ERESTARTSYS;
}

/* TIOCSCTTY: a session's leader without a terminal takes this one, unless it
 * is another's (arg 1 takes it away, for root). */
static int
set_ctty(struct tty *t, uintptr_t arg)
{
	struct proc *p = curproc;
	int error = 0;

	lockmgr(&t->t_lock, LK_EXCLUSIVE);
	if (p->p_sid != p->p_pid ||
	    (t->t_sid != 0 && t->t_sid != p->p_sid && arg != 1)) {
		error = EPERM;
	} else if (t->t_sid != p->p_sid) {
		t->t_sid = p->p_sid;
		t->t_pgrp = p->p_pgid;
	}
	lockmgr(&t->t_lock, LK_RELEASE);
	return error;
}

/* A process ends. With a session's leader the session loses the terminal, and
 * its foreground is told. May sleep. */
void
tty_exit(struct proc *p)
{
	struct ksiginfo ksi = {.code = SI_KERNEL};
	struct tty *t = &console_tty;
	int pgrp = 0;

	if (t->t_sid == 0 || t->t_sid != p->p_pid)
		return;
	lockmgr(&t->t_lock, LK_EXCLUSIVE);
	if (t->t_sid == p->p_pid) {
		pgrp = t->t_pgrp;
		t->t_sid = t->t_pgrp = 0;
	}
	lockmgr(&t->t_lock, LK_RELEASE);
	if (pgrp == 0)
		return;
	ksi.signo = SIGHUP;
	ksignal_pgrp(pgrp, &ksi);
	ksi.signo = SIGCONT;
	ksignal_pgrp(pgrp, &ksi);
}

/* Is there a process of this group in the session? */
static bool
pgrp_in_session(int pgid, int sid)
{
	struct proc *p;
	bool found = false;

	lwkt_gettoken(&proc_token);
	TAILQ_FOREACH (p, &allproc, p_all) {
		if (p->p_pgid == pgid && p->p_sid == sid)
			found = true;
	}
	lwkt_reltoken(&proc_token);
	return found;
}

/* TIOCSPGRP. */
static int
set_pgrp(struct tty *t, uintptr_t arg)
{
	uint32_t val;
	int error;

	error = fuword32((void *)arg, &val);
	if (error == 0)
		error = tty_job(t, SIGTTOU);
	if (error != 0)
		return error;
	if ((int)val < 0)
		return EINVAL;
	if (!pgrp_in_session((int)val, t->t_sid))
		return EPERM;
	lockmgr(&t->t_lock, LK_EXCLUSIVE);
	t->t_pgrp = (int)val;
	lockmgr(&t->t_lock, LK_RELEASE);
	return 0;
}

/* The ioctls about sessions and groups: but for TIOCSCTTY only in the
 * terminal's own session. */
int
tty_job_ioctl(struct tty *t, unsigned long cmd, uintptr_t arg)
{
	if (cmd == TIOCSCTTY)
		return set_ctty(t, arg);
	if (t->t_sid == 0 || curproc->p_sid != t->t_sid)
		return ENOTTY;
	switch (cmd) {
	case TIOCNOTTY:
		tty_exit(curproc);
		return 0;
	case TIOCGPGRP:
		return suword32((void *)arg, (uint32_t)t->t_pgrp);
	case TIOCGSID:
		return suword32((void *)arg, (uint32_t)t->t_sid);
	case TIOCSPGRP:
		return set_pgrp(t, arg);
	default:
		return ENOTTY;
	}
}
