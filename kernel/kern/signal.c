/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sending signals: dispositions, the queues of pending signals, and who is
 * told that one came.
 *
 * A pending signal is a bit in a set and an entry in the queue beside it,
 * both under p_token. The sets and the masks are also read without it, by
 * threads about to sleep: a sender sets the bit before it looks whether the
 * thread sleeps, and a sleeper is on its sleep queue before it looks at the
 * bit.
 */
#include <asm/siginfo.h>
#include <asm/signal.h>

#include <kern/kmalloc.h>
#include <kern/kstring.h>
#include <kern/proc.h>

MALLOC_DEFINE(M_SIGNAL, "signal");
MALLOC_DEFINE(M_SIGACTS, "sigacts");

#define SIGS_KERNEL (SIGBIT(SIGKILL) | SIGBIT(SIGSTOP))
#define SIGS_STOP \
	(SIGBIT(SIGSTOP) | SIGBIT(SIGTSTP) | SIGBIT(SIGTTIN) | SIGBIT(SIGTTOU))
#define SIGS_IGNORE \
	(SIGBIT(SIGCHLD) | SIGBIT(SIGCONT) | SIGBIT(SIGURG) | SIGBIT(SIGWINCH))
/* What a thread's own instructions cause: delivered before all others. */
#define SIGS_SYNC                                                              \
	(SIGBIT(SIGSEGV) | SIGBIT(SIGBUS) | SIGBIT(SIGILL) | SIGBIT(SIGTRAP) | \
	    SIGBIT(SIGFPE) | SIGBIT(SIGSYS))
#define H_DFL 0
#define H_IGN 1

bool
sig_default_ignored(int signo)
{
	return (SIGBIT(signo) & SIGS_IGNORE) != 0;
}

bool
sig_default_stops(int signo)
{
	return (SIGBIT(signo) & SIGS_STOP) != 0;
}

/*
 * Default dispositions for all signals, one reference. Sleeps for memory.
 */
struct sigacts *
sigacts_alloc(void)
{
	struct sigacts *sa;

	sa = kmalloc(sizeof(*sa), &M_SIGACTS, M_WAITOK | M_ZERO);
	spin_init(&sa->spin, "sigacts");
	sa->refs = 1;
	return sa;
}

/*
 * The same dispositions once more, with one reference. Sleeps for memory.
 */
struct sigacts *
sigacts_copy(struct sigacts *sa)
{
	struct sigacts *copy = sigacts_alloc();

	spin_lock(&sa->spin);
	memcpy(copy->sa, sa->sa, sizeof(copy->sa));
	spin_unlock(&sa->spin);
	return copy;
}

void
sigacts_free(struct sigacts *sa)
{
	if (atomic_fetchadd_int(&sa->refs, -1) == 1)
		kfree(sa, &M_SIGACTS);
}

/*
 * A consistent copy of one disposition.
 */
void
sigacts_get(struct sigacts *sa, int signo, struct ksigaction *act)
{
	spin_lock(&sa->spin);
	*act = sa->sa[signo - 1];
	spin_unlock(&sa->spin);
}

/*
 * An entry for a queue, made before any token is taken. Sleeps for memory.
 */
struct sigent *
sigent_alloc(const struct ksiginfo *ksi)
{
	struct sigent *ent;

	KKASSERT(ksi->signo > 0 && ksi->signo <= NSIGNAL);
	ent = kmalloc(sizeof(*ent), &M_SIGNAL, M_WAITOK);
	ent->se_info = *ksi;
	return ent;
}

void
sigent_free(struct sigent *ent)
{
	kfree(ent, &M_SIGNAL);
}

/* See kern/proc.h. */
void
sig_flush(volatile uint64_t *pend, struct sigq *q, uint64_t set)
{
	struct sigent *ent, *next;

	*pend &= ~set;
	TAILQ_FOREACH_SAFE (ent, q, se_link, next) {
		if (SIGBIT(ent->se_info.signo) & set) {
			TAILQ_REMOVE(q, ent, se_link);
			sigent_free(ent);
		}
	}
}

/*
 * The first entry of the next signal of one queue: those a trap caused, then
 * the lowest number.
 */
static bool
sig_take(
    volatile uint64_t *pend, struct sigq *q, uint64_t set, struct ksiginfo *ksi)
{
	struct sigent *ent, *next;
	uint64_t want = *pend & set;
	bool found = false, more = false;
	int signo;

	if (want == 0)
		return false;
	if (want & SIGS_SYNC)
		want &= SIGS_SYNC;
	signo = __builtin_ctzl(want) + 1;
	TAILQ_FOREACH_SAFE (ent, q, se_link, next) {
		if (ent->se_info.signo != signo)
			continue;
		if (found) {
			more = true;
			break;
		}
		*ksi = ent->se_info;
		TAILQ_REMOVE(q, ent, se_link);
		sigent_free(ent);
		found = true;
	}
	KASSERT(found, ("signal %d is pending but not queued", signo));
	if (!more)
		*pend &= ~SIGBIT(signo);
	return true;
}

/* See kern/proc.h. */
bool
sig_dequeue(uint64_t set, struct ksiginfo *ksi)
{
	struct thread *td = curthread;
	struct proc *p = td->td_proc;

	ASSERT_LWKT_TOKEN_HELD_EXCL(&p->p_token);
	/* Whatever else there is, a trap's signal even: the end comes first. */
	if (p->p_sigpend & set & SIGBIT(SIGKILL))
		set = SIGBIT(SIGKILL);
	return sig_take(&td->td_sigpend, &td->td_lwp->l_sigq, set, ksi) ||
	    sig_take(&p->p_sigpend, &p->p_sigq, set, ksi);
}

uint64_t
sig_pending_set(struct thread *td)
{
	return td->td_sigpend | td->td_proc->p_sigpend;
}

/*
 * Whether the thread is about to die: no use in waiting any longer.
 */
bool
sig_fatal_pending(struct thread *td)
{
	struct proc *p = td->td_proc;
	struct ksigaction act;
	uint64_t set;
	int signo;

	if (p->p_single != NULL && p->p_single != td)
		return true;
	if (p == initproc)
		return false;
	for (set = sig_pending_set(td) & ~td->td_sigmask; set != 0;
	     set &= set - 1) {
		signo = __builtin_ctzl(set) + 1;
		sigacts_get(p->p_sigacts, signo, &act);
		if (act.sa_handler == H_DFL && !sig_default_ignored(signo) &&
		    !sig_default_stops(signo))
			return true;
	}
	return false;
}

/* See kern/proc.h. */
bool
long_loop_over(void)
{
	lwkt_user_yield();
	return curproc != NULL && sig_fatal_pending(curthread);
}

/*
 * Whether a sleep with PCATCH of the thread, which is the running one, is to
 * be broken off. Takes no token.
 */
bool
signal_pending(struct thread *td)
{
	struct proc *p = td->td_proc;

	if (td->td_flags & TDF_EXITING)
		return false;
	if (td->td_lwp->l_killable)
		return sig_fatal_pending(td);
	return (p->p_single != NULL && p->p_single != td) ||
	    (p->p_flags & P_STOPPED) != 0 ||
	    (sig_pending_set(td) & ~td->td_sigmask) != 0;
}

/*
 * Makes the thread look at its signals: out of its sleep, if that is one
 * with PCATCH, or out of user mode. p_token is held.
 */
static void
thread_notify(struct thread *td)
{
	atomic_set_uint(&td->td_flags, TDF_SIGPENDING);
	thread_interrupt(td);
}

/*
 * Tells a thread of the process that a signal for any of them is pending:
 * the first that does not block it, and rather one with nothing to do yet.
 * When all block it, it waits until one does not. p_token is held.
 */
static void
proc_notify(struct proc *p, int signo)
{
	struct thread *td, *best = NULL;

	LIST_FOREACH (td, &p->p_threads, td_plist) {
		if ((td->td_sigmask & SIGBIT(signo)) ||
		    (td->td_flags & TDF_EXITING))
			continue;
		if (best == NULL || (best->td_flags & TDF_SIGPENDING))
			best = td;
	}
	if (best != NULL)
		thread_notify(best);
}

/*
 * Whether nothing would come of the signal: then it is not even queued. One
 * that is blocked always is, its disposition may change. Process 1 only gets
 * what it has a handler for.
 */
static bool
sig_ignored(struct proc *p, struct thread *td, int signo)
{
	struct ksigaction act;

	sigacts_get(p->p_sigacts, signo, &act);
	if (p == initproc && act.sa_handler == H_DFL)
		return true;
	if (SIGBIT(signo) & SIGS_KERNEL)
		return false;
	if (td == NULL)
		td = LIST_FIRST(&p->p_threads);
	if (td->td_sigmask & SIGBIT(signo))
		return false;
	return act.sa_handler == H_IGN ||
	    (act.sa_handler == H_DFL && sig_default_ignored(signo));
}

/*
 * What SIGCONT and the stop signals do as soon as they are sent, whatever
 * their disposition: each cancels the other. True when the process was
 * stopped and goes on.
 */
static bool
sig_stop_continue(struct proc *p, int signo)
{
	struct thread *td;
	uint64_t drop;

	if (signo == SIGCONT)
		drop = SIGS_STOP;
	else if (sig_default_stops(signo))
		drop = SIGBIT(SIGCONT);
	else
		return false;
	sig_flush(&p->p_sigpend, &p->p_sigq, drop);
	LIST_FOREACH (td, &p->p_threads, td_plist)
		sig_flush(&td->td_sigpend, &td->td_lwp->l_sigq, drop);
	if (signo != SIGCONT)
		return false;
	p->p_contgen++;
	if ((p->p_flags & P_STOPPED) == 0)
		return false;
	atomic_clear_uint(&p->p_flags, P_STOPPED);
	wakeup(&p->p_nstopped);
	return true;
}

/* See kern/proc.h. td NULL: to the process. Never sleeps. */
bool
ksignal_locked(struct proc *p, struct thread *td, struct sigent *ent)
{
	int signo = ent->se_info.signo;
	volatile uint64_t *pend;
	struct sigq *q;
	bool continued;

	ASSERT_LWKT_TOKEN_HELD_EXCL(&p->p_token);
	if (p->p_nthreads == 0) {
		sigent_free(ent);
		return false;
	}
	continued = sig_stop_continue(p, signo);
	pend = td != NULL ? &td->td_sigpend : &p->p_sigpend;
	q = td != NULL ? &td->td_lwp->l_sigq : &p->p_sigq;
	if (sig_ignored(p, td, signo) ||
	    (signo < SIGRTMIN && (*pend & SIGBIT(signo)))) {
		sigent_free(ent);
		return continued;
	}
	TAILQ_INSERT_TAIL(q, ent, se_link);
	atomic_set_ulong(pend, SIGBIT(signo));
	if (signo == SIGKILL)
		wakeup(&p->p_nstopped);
	if (td == NULL)
		proc_notify(p, signo);
	else if ((td->td_sigmask & SIGBIT(signo)) == 0)
		thread_notify(td);
	return continued;
}

/*
 * Sends a signal to a process the caller holds (or that runs). May sleep for
 * memory and for p_token.
 */
void
ksignal(struct proc *p, const struct ksiginfo *ksi)
{
	struct sigent *ent = sigent_alloc(ksi);
	bool continued;

	lwkt_gettoken(&p->p_token);
	continued = ksignal_locked(p, NULL, ent);
	lwkt_reltoken(&p->p_token);
	if (continued)
		notify_parent(p, CLD_CONTINUED);
}

/*
 * Sends a signal to one thread, which must not go away: it is the running
 * one. May sleep like ksignal().
 */
void
ksignal_thread(struct thread *td, const struct ksiginfo *ksi)
{
	struct sigent *ent = sigent_alloc(ksi);
	struct proc *p = td->td_proc;
	bool continued;

	lwkt_gettoken(&p->p_token);
	continued = ksignal_locked(p, td, ent);
	lwkt_reltoken(&p->p_token);
	if (continued)
		notify_parent(p, CLD_CONTINUED);
}

/*
 * See kern/proc.h. A process that is being forked while we go through the
 * list has a higher number than all before it: looks again until there is
 * none. It ends, because who has a fatal signal does not fork.
 */
int
ksignal_match(
    bool (*match)(struct proc *p, int arg), int arg, const struct ksiginfo *ksi)
{
	struct proc **list;
	int count, seen = 0, last = 0, upto;

	do {
		list = procs_collect(match, arg, &count);
		upto = last;
		for (int i = 0; i < count; i++) {
			if (list[i]->p_pid <= upto)
				continue;
			if (ksi->signo != 0)
				ksignal(list[i], ksi);
			last = MAX(last, list[i]->p_pid);
			seen++;
		}
		procs_release(list, count);
	} while (last != upto);
	return seen;
}

static bool
match_pgrp(struct proc *p, int pgid)
{
	return p->p_pgid == pgid;
}

/*
 * Sends a signal to every process of a group; how many there were. May
 * sleep like ksignal().
 */
int
ksignal_pgrp(int pgid, const struct ksiginfo *ksi)
{
	return ksignal_match(match_pgrp, pgid, ksi);
}

/*
 * See kern/proc.h. The thread is the running one. A trap would happen again
 * and again if its signal were held back, so it is not.
 */
void
trapsignal(struct thread *td, int signo, int code, uint64_t addr)
{
	struct ksiginfo ksi = {.signo = signo, .code = code, .addr = addr};
	struct proc *p = td->td_proc;
	struct sigent *ent = sigent_alloc(&ksi);
	struct ksigaction *act;

	KKASSERT(td == curthread);
	lwkt_gettoken(&p->p_token);
	act = &p->p_sigacts->sa[signo - 1];
	spin_lock(&p->p_sigacts->spin);
	if (act->sa_handler == H_IGN || (td->td_sigmask & SIGBIT(signo))) {
		act->sa_handler = H_DFL;
		td->td_sigmask &= ~SIGBIT(signo);
	}
	spin_unlock(&p->p_sigacts->spin);
	if (td->td_sigpend & SIGBIT(signo)) {
		sig_flush(&td->td_sigpend, &td->td_lwp->l_sigq, SIGBIT(signo));
	}
	TAILQ_INSERT_HEAD(&td->td_lwp->l_sigq, ent, se_link);
	td->td_sigpend |= SIGBIT(signo);
	lwkt_reltoken(&p->p_token);
	atomic_set_uint(&td->td_flags, TDF_SIGPENDING);
}

/*
 * The running thread blocks these signals from now on. Those that it no
 * longer blocks, and those pending for the process that another thread must
 * take now, are looked at on the way to user mode.
 */
void
signal_setmask(uint64_t mask)
{
	struct thread *td = curthread;

	td->td_sigmask = mask & ~SIGS_KERNEL;
	cpu_mfence();
	if ((sig_pending_set(td) & ~td->td_sigmask) ||
	    td->td_proc->p_sigpend != 0)
		atomic_set_uint(&td->td_flags, TDF_SIGPENDING);
}

/* See kern/proc.h. */
void
signal_setmask_temp(uint64_t mask)
{
	struct thread *td = curthread;

	td->td_oldsigmask = td->td_sigmask;
	atomic_set_uint(&td->td_flags, TDF_OLDMASK);
	signal_setmask(mask);
}

void
signal_restoremask(void)
{
	struct thread *td = curthread;

	if ((td->td_flags & TDF_OLDMASK) == 0)
		return;
	atomic_clear_uint(&td->td_flags, TDF_OLDMASK);
	signal_setmask(td->td_oldsigmask);
}
