/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading a page in during a fault.
 *
 * The map stays locked meanwhile, shared: other threads of the process fault
 * as before, and who wants to change the map waits for the disk. In return
 * nothing has to be looked at again afterwards, and nobody ever asks for the
 * map while he has a page busy.
 */
#include <kern/kprintf.h>
#include <kern/proc.h>
#include <vm/vm_faultstate.h>
#include <vm/vm_pager.h>

/* Says which process suffers from a disk that cannot be read. */
static void
report_error(void)
{
	struct proc *p = curproc;

	if (p != NULL)
		kprintf("vm_fault: pager read error, pid %d (%s)\n", p->p_pid,
		    p->p_comm);
	else
		kprintf("vm_fault: pager read error, thread %s\n",
		    curthread->td_name);
}

/* Has the current level's pager fill fs->m, which is hard-busy and not
 * complete; the token is exclusive. FAULT_FOUND: it has. FAULT_DOWN: the
 * pager has no such page, and fs->m is the placeholder at the front and
 * freed further down. Else the pass has been taken back. */
int
vm_fault_pagein(struct faultstate *fs)
{
	int rv;

	/* LAB 2.4a: what stays locked meanwhile? */
	rv = vm_pager_get_page(fs->ba->object, &fs->m, 0);
	/* END LAB 2.4a */
	if (rv == VM_PAGER_ERROR)
		report_error();
	/* LAB 2.4b: each answer of the pager has its own way out. */
	switch (rv) {
	case VM_PAGER_OK:
		fs->hardfault = true;
		return FAULT_FOUND;
	case VM_PAGER_FAIL:
		if (fs->ba != fs->first_ba)
			vm_fault_scrap_page(fs);
		return FAULT_DOWN;
	case VM_PAGER_AGAIN:
		vm_fault_scrap_page(fs);
		return vm_fault_wait_memory(fs);
	default:
		vm_fault_scrap_page(fs);
		return vm_fault_unwind(fs, KERN_FAILURE);
	}
	/* END LAB 2.4b */
}
