/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading a page in during a fault.
 *
 * The map is unlocked meanwhile: reading takes long, and what it needs may
 * need the map. Afterwards the map is wanted back while pages are busy, which
 * is against the order (map first, page second); so the wait for it is
 * limited, and when the time is up everything is given back. Even with the
 * map locked again, anything may have happened to it: its timestamp tells.
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

	vm_fault_unlock_map(fs);
	rv = vm_pager_get_page(fs->object, &fs->m, 0);
	switch (rv) {
	case VM_PAGER_OK:
		fs->hardfault = true;
		return FAULT_FOUND;
	case VM_PAGER_FAIL:
		if (fs->object != fs->first_object)
			vm_fault_scrap_page(fs);
		return FAULT_DOWN;
	case VM_PAGER_AGAIN:
		vm_fault_scrap_page(fs);
		return vm_fault_wait_memory(fs);
	case VM_PAGER_ERROR:
		report_error();
		break;
	default:
		break;
	}
	vm_fault_scrap_page(fs);
	return vm_fault_unwind(fs, KERN_FAILURE);
}

/* Has the map locked shared again, unchanged since the lookup. Otherwise
 * the page found and the pass are given back: KERN_TRY_AGAIN. */
int
vm_fault_relock_map(struct faultstate *fs)
{
	if (fs->lookup_still_valid)
		return KERN_SUCCESS;
	if (vm_map_lock_read_to(fs->map) != 0) {
		cnt_inc(v_map_timedlock);
	} else {
		fs->lookup_still_valid = true;
		if (fs->map->timestamp == fs->map_generation)
			return KERN_SUCCESS;
	}
	vm_fault_release_page(fs);
	return vm_fault_unwind(fs, KERN_TRY_AGAIN);
}
