/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Running short of pages: who needs one sleeps here until somebody frees
 * some. If nobody does within a second of waiting, the process that holds
 * most is killed: better one than all.
 */
#include <linux/errno.h>

#include <kern/kprintf.h>
#include <kern/proc.h>
#include <vm/vm_map.h>
#include <vm/vm_page.h>

#include <asm/signal.h>
#include <asm/siginfo.h>

#define OOM_PATIENCE_NS 1000000000UL

static uint32_t vm_waiters; /* atomic: threads asleep below */

/* May ordinary allocation go on? */
static bool
pages_enough(void)
{
	return vmstats.v_free_count + vmstats.v_cache_count >
	    vmstats.v_free_reserved;
}

/* A page was freed: lets the sleepers try again, once there are enough. */
void
vm_page_free_wakeup(void)
{
	if (vm_waiters != 0 && pages_enough())
		wakeup(&vm_waiters);
}

/* Kills the process with the most resident pages; init is spared. The
 * victim frees its memory as it leaves. */
static void
vm_oom_kill(void)
{
	struct ksiginfo ksi = {.signo = SIGKILL, .code = SI_KERNEL};
	struct proc *p, *victim = NULL;
	int64_t most = 0;

	lwkt_gettoken_shared(&proc_token);
	TAILQ_FOREACH (p, &allproc, p_all) {
		if (p == initproc || p->p_vmspace == NULL ||
		    p->p_state == PS_ZOMBIE)
			continue;
		if (p->p_vmspace->vm_pmap.pm_resident > most) {
			most = p->p_vmspace->vm_pmap.pm_resident;
			victim = p;
		}
	}
	if (victim != NULL) {
		phold(victim);
		lwkt_reltoken(&proc_token);
		kprintf("out of memory: killing process %d (%s), which has "
			"%ld pages\n",
		    victim->p_pid, victim->p_comm, most);
		ksignal(victim, &ksi);
		prele(victim);
	} else {
		lwkt_reltoken(&proc_token);
	}
}

/* Sleeps until pages are free. No spinlock, busy page or exclusive lock
 * that a dying process needs may be held; tokens are given up meanwhile.
 * Returns also when the caller is to die: then a retry must not loop. */
void
vm_wait(const char *wmesg)
{
	int error = 0;

	atomic_add_uint(&vm_waiters, 1);
	tsleep_interlock(&vm_waiters, 0);
	if (pages_enough())
		tsleep_remove(curthread);
	else
		error = tsleep(
		    &vm_waiters, PCATCH | PINTERLOCKED, wmesg, OOM_PATIENCE_NS);
	atomic_subtract_uint(&vm_waiters, 1);
	if (error == EWOULDBLOCK && !pages_enough())
		vm_oom_kill();
}
