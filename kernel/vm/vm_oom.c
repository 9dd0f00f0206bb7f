/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Out of memory and swap: the largest process is killed, so that the others
 * can go on. Better one than all.
 */
#include <amd64/machdep.h>
#include <kern/kprintf.h>
#include <kern/proc.h>
#include <vm/swap_pager.h>
#include <vm/vm_map.h>
#include <vm/vm_pageout.h>

#include <asm/signal.h>
#include <asm/siginfo.h>

#define OOM_PATIENCE_NS 5000000000UL /* then the next one has to go, too */

static int vm_oom_pid;	     /* the daemon's: the last victim, or 0 */
static uint64_t vm_oom_when; /* the daemon's: since when, ns */

/* See vm_pageout.h. */
bool
vm_oom_victim(void)
{
	const struct proc *p = curthread->td_proc;

	return p != NULL && (p->p_flags & P_LOWMEMKILL) != 0;
}

/* See vm_pageout.h. */
bool
vm_oom_pending(void)
{
	struct proc *p;
	bool alive;

	if (vm_oom_pid == 0 || (p = pfind(vm_oom_pid)) == NULL)
		return false;
	alive = (p->p_flags & P_LOWMEMKILL) && p->p_state != PS_ZOMBIE;
	prele(p);
	return alive && nanotime() - vm_oom_when < OOM_PATIENCE_NS;
}

/* About how many pages of an entry are on swap: its share of its object's
 * swblocks. The map is locked, so the object stays; its counts may be off. */
static int64_t
entry_swapped(vm_map_entry_t entry)
{
	vm_object_t object = vm_map_entry_object(entry);
	vm_pindex_t n = OFF_TO_IDX(entry->end - entry->start);

	if (entry->maptype == VM_MAPTYPE_SUBMAP || object == NULL ||
	    object->type != OBJT_SWAP || object->size == 0)
		return 0;
	return object->swblock_count * SWAP_META_PAGES *
	    (int64_t)MIN(n, object->size) / (int64_t)object->size;
}

/* The pages of an address space, in memory and on swap. A map that somebody
 * else works on is not waited for: he may wait for us. */
static int64_t
vmspace_pages(struct vmspace *vm)
{
	int64_t pages = vm->vm_pmap.pm_resident;
	vm_map_entry_t entry;

	if (lockmgr(&vm->vm_map.lock, LK_SHARED | LK_NOWAIT) != 0)
		return pages;
	RB_FOREACH (entry, vm_map_rb_tree, &vm->vm_map.rb_root)
		pages += entry_swapped(entry);
	lockmgr(&vm->vm_map.lock, LK_RELEASE);
	return pages;
}

/* The process with the most pages, held, init spared; NULL: none. Does not
 * sleep, so the list stays as it is; a process whose token another CPU has at
 * this moment is passed over. */
static struct proc *
largest(int64_t *mostp)
{
	struct proc *p, *victim = NULL;
	int64_t pages;

	*mostp = 0;
	lwkt_gettoken_shared(&proc_token);
	TAILQ_FOREACH (p, &allproc, p_all) {
		if (p == initproc || p->p_state == PS_ZOMBIE ||
		    !lwkt_trytoken(&p->p_token))
			continue;
		pages = p->p_vmspace == NULL ? 0 : vmspace_pages(p->p_vmspace);
		lwkt_reltoken(&p->p_token);
		if (pages > *mostp) {
			*mostp = pages;
			victim = p;
		}
	}
	if (victim != NULL)
		phold(victim);
	lwkt_reltoken(&proc_token);
	return victim;
}

/* See vm_pageout.h. The victim frees its memory as it leaves; it may use up
 * what is kept for the kernel to get there. */
void
vm_oom_kill(void)
{
	struct ksiginfo ksi = {.signo = SIGKILL, .code = SI_KERNEL};
	struct proc *p;
	int64_t pages;

	p = largest(&pages);
	if (p == NULL)
		return;
	kprintf("out of memory and swap: killing process %d (%s), which has "
		"%ld pages\n",
	    p->p_pid, p->p_comm, pages);
	cnt_inc(v_oomkills);
	vm_oom_when = nanotime();
	vm_oom_pid = p->p_pid;
	atomic_set_uint(&p->p_flags, P_LOWMEMKILL);
	ksignal(p, &ksi);
	prele(p);
	vm_wait_wakeup();
}
