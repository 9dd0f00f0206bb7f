/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The copy in copy-on-write: a page that was found behind the front is to
 * be written. Its contents are copied into the placeholder.
 */
#include <kern/trace.h>
#include <pmap/pmap.h>
#include <vm/vm_faultstate.h>

/* Copies the page. The original is taken out of this address space: not all
 * who write to user memory do it through the page tables, and those who do
 * must not go on seeing the old page there. Others keep it mapped. */
static void
copy_page(struct faultstate *fs)
{
	KKASSERT(!fs->first_shared);
	SCHED_POINT("vm.cow_copy");
	pmap_copy_page(fs->m->phys_addr, fs->first_m->phys_addr);
	fs->first_m->valid = VM_PAGE_BITS_ALL;
	vm_page_dirty(fs->first_m); /* there is no other copy of it */
	SCHED_POINT("vm.cow_copied");
	pmap_remove_specific(fs->map->pmap, fs->m);
	trace(TR_COW, fs->ba->object->id, fs->first_ba->object->id,
	    fs->first_pindex, fs->first_m->phys_addr);
	vm_fault_release_page(fs);
}

/* Makes fs->m, found behind the front, a page of the front, and brings the
 * walk back there. Never fails; does not sleep but in the pmap. */
void
vm_fault_cow(struct faultstate *fs)
{
	copy_page(fs);
	cnt_inc(v_cow_faults);
	vm_fault_to_front(fs);
}
