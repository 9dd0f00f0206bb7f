/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * wait4 and waitid: what became of the children, and the zombies' end.
 */
#include <linux/errno.h>
#include <linux/resource.h>
#include <linux/wait.h>

#include <asm/siginfo.h>
#include <asm/signal.h>

#include <kern/kstring.h>
#include <kern/ktime.h>
#include <kern/proc.h>
#include <kern/syscalls.h>
#include <kern/uaccess.h>

#define STATUS_STOPPED(sig) ((sig) << 8 | 0x7f)
#define STATUS_CONTINUED    0xffff

/* Which children are meant, and what was found. */
struct waiting {
	int which; /* P_ALL, P_PID, P_PGID */
	int id;
	int options; /* W*, with WEXITED and WSTOPPED as waitid has them */
	int pid, status, code;
	struct rusage ru;
	struct proc *zombie; /* to be reaped */
};

/* Linux writes no more of waitid's siginfo_t than these bytes. */
#define WAITINFO_SIZE (offsetof(siginfo_t, si_status) + sizeof(int))

static bool
wait_matches(const struct waiting *w, const struct proc *p)
{
	bool clone = p->p_exitsig != SIGCHLD;

	if ((w->options & __WALL) == 0 &&
	    clone != ((w->options & __WCLONE) != 0))
		return false;
	switch (w->which) {
	case P_PID:
		return p->p_pid == w->id;
	case P_PGID:
		return p->p_pgid == w->id;
	default:
		return true;
	}
}

/*
 * Finds out whether the child has something to report, and takes the report
 * unless it is to stay (WNOWAIT). proc_token is held.
 */
static bool
wait_child(struct waiting *w, struct proc *parent, struct proc *p)
{
	uint32_t report;
	uint64_t ns;

	if (p->p_state == PS_ZOMBIE) {
		if ((w->options & WEXITED) == 0)
			return false;
		w->status = p->p_exitstatus;
		w->code = (w->status & 0x7f) != 0 ? CLD_KILLED : CLD_EXITED;
		ns = p->p_used.ns + p->p_cused.ns;
		w->ru.ru_utime.tv_sec = (long)(ns / NSEC_PER_SEC);
		w->ru.ru_utime.tv_usec = (long)(ns % NSEC_PER_SEC / 1000);
		w->ru.ru_minflt = (long)(p->p_minflt + p->p_cminflt);
		if ((w->options & WNOWAIT) == 0) {
			TAILQ_REMOVE(&parent->p_children, p, p_sibling);
			usage_add(&parent->p_cused, &p->p_used);
			usage_add(&parent->p_cused, &p->p_cused);
			parent->p_cminflt += p->p_minflt + p->p_cminflt;
			w->zombie = p;
		}
	} else {
		if ((w->options & WSTOPPED) && (p->p_flags & P_STOPREPORT)) {
			report = P_STOPREPORT;
			w->status = STATUS_STOPPED(p->p_stopsig);
			w->code = CLD_STOPPED;
		} else if ((w->options & WCONTINUED) &&
		    (p->p_flags & P_CONTINUED)) {
			report = P_CONTINUED;
			w->status = STATUS_CONTINUED;
			w->code = CLD_CONTINUED;
		} else {
			return false;
		}
		if ((w->options & WNOWAIT) == 0)
			atomic_clear_uint(&p->p_flags, report);
	}
	w->pid = p->p_pid;
	return true;
}

/*
 * Waits for a report. w->pid is 0 when there was none and WNOHANG. ECHILD,
 * or EINTR with a signal pending.
 */
static int
wait_any(struct waiting *w)
{
	struct proc *p, *parent = curproc;
	bool have;
	int error;

	w->pid = 0;
	w->zombie = NULL;
	for (;;) {
		tsleep_interlock(&parent->p_children, PCATCH);
		have = false;
		lwkt_gettoken(&proc_token);
		TAILQ_FOREACH (p, &parent->p_children, p_sibling) {
			if (!wait_matches(w, p))
				continue;
			have = true;
			if (wait_child(w, parent, p))
				break;
		}
		lwkt_reltoken(&proc_token);
		if (p != NULL || !have || (w->options & WNOHANG))
			break;
		error = tsleep(
		    &parent->p_children, PCATCH | PINTERLOCKED, "wait", 0);
		if (error != 0)
			return error;
	}
	tsleep_remove(curthread);
	if (p == NULL && !have)
		return ECHILD;
	if (w->zombie != NULL)
		proc_reap(w->zombie);
	return 0;
}

long
sys_wait4(int pid, int *ustatus, int options, void *urusage)
{
	struct waiting w;
	int error;

	if (options &
	    ~(WNOHANG | WUNTRACED | WCONTINUED | __WNOTHREAD | (int)__WCLONE |
		__WALL))
		return -EINVAL;
	if (pid == INT32_MIN)
		return -ESRCH;
	memset(&w, 0, sizeof(w));
	w.options = options | WEXITED;
	if (pid > 0) {
		w.which = P_PID;
		w.id = pid;
	} else if (pid == -1) {
		w.which = P_ALL;
	} else {
		w.which = P_PGID;
		w.id = pid == 0 ? curproc->p_pgid : -pid;
	}
	error = wait_any(&w);
	if (error != 0)
		return error == EINTR ? -ERESTARTSYS : -error;
	if (w.pid == 0)
		return 0;
	if (ustatus != NULL && suword32(ustatus, (uint32_t)w.status) != 0)
		return -EFAULT;
	if (urusage != NULL && copyout(&w.ru, urusage, sizeof(w.ru)) != 0)
		return -EFAULT;
	return w.pid;
}

/*
 * Sets whom waitid's first two arguments mean. EINVAL, EBADF.
 */
static int
waitid_who(struct waiting *w, int which, int id)
{
	w->which = which;
	w->id = id;
	switch (which) {
	case P_ALL:
		return 0;
	case P_PID:
		return id > 0 ? 0 : EINVAL;
	case P_PGID:
		if (id < 0)
			return EINVAL;
		if (id == 0)
			w->id = curproc->p_pgid;
		return 0;
	case P_PIDFD:
		return id < 0 ? EINVAL : EBADF;
	default:
		return EINVAL;
	}
}

long
sys_waitid(int which, int id, void *uinfo, int options, void *urusage)
{
	siginfo_t info;
	struct waiting w;
	int error;

	if (options &
	    ~(WNOHANG | WNOWAIT | WEXITED | WSTOPPED | WCONTINUED |
		__WNOTHREAD | (int)__WCLONE | __WALL))
		return -EINVAL;
	if ((options & (WEXITED | WSTOPPED | WCONTINUED)) == 0)
		return -EINVAL;
	memset(&w, 0, sizeof(w));
	error = waitid_who(&w, which, id);
	if (error != 0)
		return -error;
	w.options = options;
	error = wait_any(&w);
	if (error != 0)
		return error == EINTR ? -ERESTARTSYS : -error;
	memset(&info, 0, sizeof(info));
	if (w.pid != 0) {
		info.si_signo = SIGCHLD;
		info.si_code = w.code;
		info.si_pid = w.pid;
		if (w.code == CLD_EXITED || w.code == CLD_STOPPED)
			info.si_status = w.status >> 8 & 0xff;
		else
			info.si_status =
			    w.code == CLD_KILLED ? w.status & 0x7f : SIGCONT;
		if (urusage != NULL &&
		    copyout(&w.ru, urusage, sizeof(w.ru)) != 0)
			return -EFAULT;
	}
	if (uinfo != NULL && copyout(&info, uinfo, WAITINFO_SIZE) != 0)
		return -EFAULT;
	return 0;
}
