/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A page fault: from the address to a mapped page.
 *
 * The map is asked for the entry, its object and the index; the chain of
 * objects for the page (vm_fault_object); and the pmap to map it. Each pass
 * begins at the map again, because any wait may have changed everything.
 */
#include <amd64/frame.h>
#include <kern/proc.h>
#include <kern/trace.h>
#include <vm/vm_faultstate.h>

/* LAB 1.3m: whether others shadow the object cannot be known. */
/* Takes the first token exclusively at once where the shared one will not
 * do, most likely: a fault in front of a backing object mostly inserts a
 * page. Not if other threads, or shadows, may want the object as well. */
static void
choose_lock_mode(struct faultstate *fs)
{
	struct proc *p = curproc;

	if (fs->first_shared && fs->first_object->backing_object != NULL &&
	    LIST_EMPTY(&fs->first_object->shadow_head) && p != NULL &&
	    p->p_nthreads == 1)
		fs->first_shared = false;
}
/* END LAB 1.3m */

/* Maps the page, and puts it where the pageout daemon looks for it, or
 * wires it. A page that is only soft-busy may not be wired or moved. */
static void
enter_page(struct faultstate *fs, vm_offset_t va)
{
	vm_page_t m = fs->m;

	SCHED_POINT("vm.fault_enter");
	KKASSERT(fs->lookup_still_valid);
	if ((m->flags & PG_REFERENCED) == 0)
		atomic_set_uint(&m->flags, PG_REFERENCED);
	pmap_enter(
	    fs->map->pmap, trunc_page(va), m, fs->prot, fs->wired, fs->entry);
	SCHED_POINT("vm.fault_entered");
	if (fs->msoftonly) {
		KKASSERT((fs->fault_flags & VM_FAULT_WIRE_MASK) == 0);
		vm_page_sbusy_drop(m);
		return;
	}
	if (fs->fault_flags & VM_FAULT_WIRE_MASK) {
		KKASSERT(fs->wired);
		vm_page_wire(m);
	}
	vm_page_wakeup(m);
}

/* From the index of a page in the first object, which is held and stays so,
 * to the mapped page. */
static int
map_page(struct faultstate *fs, vm_offset_t va, vm_prot_t fault_type)
{
	int result = vm_fault_object(fs, fault_type);

	if (result == KERN_SUCCESS) {
		enter_page(fs, va);
		if (fs->fault_flags & VM_FAULT_BURST)
			vm_prefault(fs, va);
		vm_fault_unlock_things(fs);
	}
	return result;
}

/* The same where a virtual page table has the index. From reading its entry
 * to storing the PTE nobody else's MADV_INVAL of the address may come in
 * between: it would invalidate nothing, and then an old translation would be
 * mapped. */
static __noinline int
map_virtual(struct faultstate *fs, vm_offset_t va, vm_prot_t fault_type)
{
	vm_map_t map = fs->map;
	struct vm_map_ilock ilock;
	int result;

	va = trunc_page(va);
	vm_map_interlock(map, &ilock, va, va + PAGE_SIZE);
	result = vm_fault_vpagetable(fs, fault_type);
	if (result == KERN_SUCCESS)
		result = map_page(fs, va, fault_type);
	vm_map_deinterlock(map, &ilock);
	return result;
}

/* One pass: from the lookup to the mapped page. Returns with nothing
 * held. */
static int
fault_pass(struct faultstate *fs, vm_offset_t va, vm_prot_t fault_type,
    bool *growstack)
{
	int result;

	result = vm_fault_lookup(fs, va, fault_type, growstack);
	SCHED_POINT("vm.fault_lookup");
	if (result != KERN_SUCCESS)
		return result;
	/* What is wired must never fault again: all rights at once. */
	if (fs->wired)
		fault_type = fs->first_prot;

	if (vm_fault_quick_enable && vm_fault_quick(fs)) {
		enter_page(fs, va);
		vm_fault_unlock_map(fs);
		return KERN_SUCCESS;
	}

	/* LAB 1.3n: so faults begin shared. */
	choose_lock_mode(fs);
	/* END LAB 1.3n */
	vm_fault_hold_first(fs);
	if (fs->entry->maptype == VM_MAPTYPE_VPAGETABLE)
		result = map_virtual(fs, va, fault_type);
	else
		result = map_page(fs, va, fault_type);
	vm_fault_drop_first(fs);
	return result;
}

/* Resolves a fault at va for an access of fault_type. No lock, token or
 * spinlock is held; may sleep. KERN_SUCCESS: the access can be tried again.
 * KERN_INVALID_ADDRESS: nothing is mapped there. KERN_PROTECTION_FAILURE:
 * not for such an access. KERN_FAILURE: there should be a page, but it
 * cannot be had (beyond the end of the file, I/O error). */
int
vm_fault(vm_map_t map, vm_offset_t va, vm_prot_t fault_type, int fault_flags)
{
	struct trapframe *tf = curthread->td_frame;
	struct faultstate fs;
	bool growstack = true;
	int result;

	cnt_inc(v_vm_faults);
	trace(TR_FAULT, (uint64_t)map, va, fault_type,
	    tf != NULL ? tf->tf_rip : 0);
	vm_fault_setup(&fs, map, fault_flags);
	do {
		fs.map = map;
		result = fault_pass(&fs, va, fault_type, &growstack);
	} while (result == KERN_TRY_AGAIN);
	trace(TR_FAULT_DONE, va, result == KERN_SUCCESS ? fs.m->phys_addr : 0,
	    (uint64_t)fs.depth, (uint64_t)result);
	return result;
}
