/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Orphaned process groups (POSIX.1-2017, 3.264): those in which nobody has a
 * parent of another group of the session, who could continue them. The
 * terminal does not stop them, and what is stopped when a group becomes one
 * is sent away.
 */
#include <asm/siginfo.h>
#include <asm/signal.h>

#include <kern/proc.h>

/*
 * Whether p's parent could do job control for p's group. proc_token is held.
 */
static bool
has_controller(const struct proc *p)
{
	const struct proc *parent = p->p_parent;

	return p->p_state != PS_ZOMBIE && parent != NULL &&
	    parent != initproc && parent->p_pgid != p->p_pgid &&
	    parent->p_sid == p->p_sid;
}

/*
 * Whether the group is orphaned, or would be without the process `gone', and
 * (stopped not NULL) whether something in it is stopped. Takes proc_token.
 */
static bool
orphaned(int pgid, const struct proc *gone, bool *stopped)
{
	struct proc *p;
	bool result = true;

	if (stopped != NULL)
		*stopped = false;
	lwkt_gettoken_shared(&proc_token);
	TAILQ_FOREACH (p, &allproc, p_all) {
		if (p->p_pgid != pgid)
			continue;
		if (p != gone && has_controller(p))
			result = false;
		if (stopped != NULL && p->p_state == PS_STOPPED)
			*stopped = true;
	}
	lwkt_reltoken(&proc_token);
	return result;
}

/* See kern/proc.h. */
bool
pgrp_orphaned(int pgid)
{
	return orphaned(pgid, NULL, NULL);
}

/* See kern/proc.h. Sleeps. */
void
pgrp_hangup(int pgid, const struct proc *gone)
{
	struct ksiginfo hup = {.signo = SIGHUP, .code = SI_KERNEL};
	struct ksiginfo cont = {.signo = SIGCONT, .code = SI_KERNEL};
	bool stopped;

	if (!orphaned(pgid, gone, &stopped) || !stopped)
		return;
	ksignal_pgrp(pgid, &hup);
	ksignal_pgrp(pgid, &cont);
}
