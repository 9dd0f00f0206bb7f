/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a thread owes others when it ends: the word that pthread_join waits
 * on, and the robust mutexes it still holds (Linux's
 * Documentation/locking/robust-futex-ABI.rst).
 */
#include <linux/errno.h>
#include <linux/futex.h>

#include <kern/proc.h>
#include <kern/syscalls.h>
#include <kern/uaccess.h>
#include <vm/vm_map.h>

#define ROBUST_PI 1UL /* bit 0 of an entry's pointer */

/*
 * Marks one mutex of the dead thread as such and lets one waiter have it.
 */
static int
robust_death(struct thread *td, uint32_t *uaddr, bool pending)
{
	uint32_t val, old;
	int error;

	if ((uintptr_t)uaddr % sizeof(uint32_t) != 0)
		return EINVAL;
	error = fuword32(uaddr, &val);
	for (;;) {
		if (error != 0)
			return error;
		/* It was unlocking, and died before it woke anybody. */
		if (pending && val == 0) {
			(void)sys_futex(uaddr, FUTEX_WAKE, 1, NULL, NULL, 0);
			return 0;
		}
		if ((val & FUTEX_TID_MASK) != (uint32_t)td->td_tid)
			return 0;
		error = casuword32(
		    uaddr, val, (val & FUTEX_WAITERS) | FUTEX_OWNER_DIED, &old);
		if (error == 0 && old == val)
			break;
		val = old;
	}
	if (val & FUTEX_WAITERS)
		(void)sys_futex(uaddr, FUTEX_WAKE, 1, NULL, NULL, 0);
	return 0;
}

/*
 * The word of an entry of the list; its pointer may have the PI bit.
 */
static uint32_t *
robust_word(uint64_t entry, uint64_t offset)
{
	return (uint32_t *)((entry & ~ROBUST_PI) + offset);
}

/*
 * Goes through the thread's list, which is user memory and may be anything:
 * at most ROBUST_LIST_LIMIT entries, and the end at the first fault.
 */
static void
robust_exit(struct thread *td)
{
	void *uhead = td->td_robust_list;
	struct robust_list_head head;
	uint64_t entry, next, offset, pending;

	if (copyin(uhead, &head, sizeof(head)) != 0)
		return;
	entry = (uint64_t)head.list.next;
	offset = (uint64_t)head.futex_offset;
	pending = (uint64_t)head.list_op_pending;
	for (int i = 0; i < ROBUST_LIST_LIMIT; i++) {
		if ((entry & ~ROBUST_PI) == (uint64_t)uhead)
			break;
		if (fuword64((void *)(entry & ~ROBUST_PI), &next) != 0)
			return;
		/* The pending one comes last, and once. */
		if ((entry & ~ROBUST_PI) != (pending & ~ROBUST_PI) &&
		    robust_death(td, robust_word(entry, offset), false) != 0)
			return;
		entry = next;
	}
	if ((pending & ~ROBUST_PI) != 0)
		(void)robust_death(td, robust_word(pending, offset), true);
}

/*
 * Called by the running thread while it still has its address space: at its
 * end and before exec. Faults are the program's loss.
 */
void
futex_exit(struct thread *td)
{
	struct proc *p = td->td_proc;
	int *tidptr = td->td_clear_tid;

	if (td->td_robust_list != NULL)
		robust_exit(td);
	td->td_robust_list = NULL;
	td->td_clear_tid = NULL;
	/* When nobody is left who could look, the page is left alone. */
	if (p->p_nthreads == 1 && p->p_vmspace->vm_refcnt == 1)
		return;
	if (tidptr != NULL && suword32(tidptr, 0) == 0)
		(void)sys_futex(
		    (uint32_t *)tidptr, FUTEX_WAKE, 1, NULL, NULL, 0);
}

long
sys_set_robust_list(void *head, size_t len)
{
	if (len != sizeof(struct robust_list_head))
		return -EINVAL;
	curthread->td_robust_list = head;
	return 0;
}

long
sys_get_robust_list(int pid, void *headp, size_t *lenp)
{
	struct thread *td = curthread;
	struct proc *p;
	uint64_t head = 0;

	if (pid == 0 || pid == td->td_tid) {
		head = (uint64_t)td->td_robust_list;
	} else {
		p = pfind_tid(pid);
		if (p == NULL)
			return -ESRCH;
		lwkt_gettoken(&p->p_token);
		td = proc_thread(p, pid);
		if (td != NULL)
			head = (uint64_t)td->td_robust_list;
		lwkt_reltoken(&p->p_token);
		prele(p);
		if (td == NULL)
			return -ESRCH;
	}
	if (suword64(lenp, sizeof(struct robust_list_head)) != 0)
		return -EFAULT;
	return -suword64(headp, head);
}

long
sys_set_tid_address(int *tidptr)
{
	curthread->td_clear_tid = tidptr;
	return curthread->td_tid;
}
