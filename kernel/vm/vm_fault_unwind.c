/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What every kind of fault begins and ends with: finding the entry, holding
 * the front of its chain, and giving everything back.
 */
#include <kern/bootopt.h>
#include <kern/proc.h>
#include <amd64/machdep.h>
#include <fs/vnode.h>
#include <vm/vm_faultstate.h>
#include <vm/vm_pager.h>

#include <asm/signal.h>

BOOTOPT(bo_shared_fault, "vm.shared_fault", "1",
    "faults try shared tokens and chain locks first");

bool vm_shared_fault = true;

/* Reads the boot options of faults; boot CPU, before the first process. */
void
vm_fault_init(void)
{
	vm_shared_fault = bootopt_bool(&bo_shared_fault);
	vm_fault_quick_init();
	vm_prefault_init();
}

/* Begins a fault in a map. The other fields are the lookup's. */
void
vm_fault_setup(struct faultstate *fs, vm_map_t map, int fault_flags)
{
	fs->map = map;
	fs->fault_flags = fault_flags;
	fs->hardfault = false;
	fs->first_shared = vm_shared_fault;
	fs->shared = vm_shared_fault;
	fs->vp = NULL;
	fs->depth = 0;
}

/* Asks the map what is behind va. */
static inline int
look_up(struct faultstate *fs, vm_offset_t va, vm_prot_t fault_type)
{
	return vm_map_lookup(&fs->map, va, fault_type, &fs->entry,
	    &fs->first_object, &fs->first_pindex, &fs->first_prot, &fs->wired);
}

/* Below a stack that may grow it makes it grow, and asks again. */
static __noinline int
grow_and_look_up(struct faultstate *fs, vm_offset_t va, vm_prot_t fault_type)
{
	if (fs->map->system_map ||
	    vm_map_growstack(fs->map, va) != KERN_SUCCESS)
		return KERN_INVALID_ADDRESS;
	return look_up(fs, va, fault_type);
}

/* Asks the map what is behind va; on KERN_SUCCESS fs->map is locked shared
 * and the fields of the entry and the first object are set. Below a stack
 * that may grow it makes it grow, once a fault. May sleep. */
int
vm_fault_lookup(struct faultstate *fs, vm_offset_t va, vm_prot_t fault_type,
    bool *growstack)
{
	vm_map_t map = fs->map;
	int result = look_up(fs, va, fault_type);

	if (result == KERN_INVALID_ADDRESS && *growstack) {
		*growstack = false;
		fs->map = map;
		result = grow_and_look_up(fs, va, fault_type);
	}
	if (result != KERN_SUCCESS)
		return result;

	KASSERT((fs->entry->eflags & MAP_ENTRY_NOFAULT) == 0,
	    ("vm_fault: address %#lx is not to fault", va));
	KASSERT(fs->first_object != NULL,
	    ("vm_fault: nothing behind kernel address %#lx", va));
	fs->map_generation = fs->map->timestamp;
	fs->lookup_still_valid = true;
	fs->first_m = NULL;
	fs->m = NULL;
	fs->msoftonly = false;
	fs->object = fs->first_object;
	fs->pindex = fs->first_pindex;
	fs->prot = fs->first_prot;
	fs->depth = 0;
	return KERN_SUCCESS;
}

/* Is the first object a process's own memory, which nobody else can want? Then a
 * fault mostly inserts a page, and the shared token would only be taken in
 * vain. The map is locked. */
static bool
first_is_private(struct faultstate *fs)
{
	const struct vm_object *object = fs->first_object;
	const struct proc *p = curproc;

	return object->type == OBJT_DEFAULT &&
	    atomic_load_int(&object->ref_count) == 1 &&
	    object->backing_object == NULL && p != NULL && p->p_nthreads == 1;
}

/* Holds the first object in the mode of first_shared, and keeps the file at
 * the bottom of the chain from ending while the map is unlocked. The map is
 * locked, which keeps the entry's reference on the object. May sleep. */
void
vm_fault_hold_first(struct faultstate *fs)
{
	if (first_is_private(fs)) {
		fs->first_shared = false;
		vm_object_hold(fs->first_object);
		return; /* no file below */
	}
	if (fs->first_shared)
		vm_object_hold_shared(fs->first_object);
	else
		vm_object_hold(fs->first_object);
	fs->vp = vnode_pager_lock(fs->first_object);
}

/* Drops the first object, and then the file: without any token, as it could
 * be the last reference, and end the file's object. */
void
vm_fault_drop_first(struct faultstate *fs)
{
	vm_object_drop(fs->first_object);
	if (fs->vp != NULL) {
		vrele(fs->vp);
		fs->vp = NULL;
	}
}

/* Gives the page found back, as it is of no use. */
void
vm_fault_release_page(struct faultstate *fs)
{
	vm_page_deactivate(fs->m);
	vm_page_wakeup(fs->m);
	fs->m = NULL;
}

/* Gets rid of a page that turned out to hold no data. It may have been wired
 * or soft-busied meanwhile, and cannot be freed then. Its object's token is
 * exclusive. */
void
vm_fault_scrap_page(struct faultstate *fs)
{
	vm_page_t m = fs->m;

	fs->m = NULL;
	if ((m->busy_count & PBUSY_MASK) || m->wire_count != 0 ||
	    (m->flags & PG_NEED_COMMIT)) {
		vm_page_activate(m);
		vm_page_wakeup(m);
	} else {
		vm_page_free(m);
	}
}

/* Unlocks the map, after which fs->entry means nothing. */
void
vm_fault_unlock_map(struct faultstate *fs)
{
	if (fs->lookup_still_valid) {
		vm_map_lookup_done(fs->map, fs->entry);
		fs->lookup_still_valid = false;
	}
}

/* Ends a pass whose walk succeeded, or that vm_fault_unwind has taken back:
 * frees the placeholder if the page was found further down, and unlocks all
 * but the first object. */
void
vm_fault_unlock_things(struct faultstate *fs)
{
	if (fs->object != fs->first_object) {
		KKASSERT(!fs->first_shared);
		vm_page_free(fs->first_m);
		fs->first_m = NULL;
		vm_object_pip_wakeup(fs->object);
		fs->object = fs->first_object;
	}
	vm_fault_unlock_map(fs);
}

/* Brings a walk that is behind the front back there, with everything behind
 * the front unlocked and dropped: the placeholder is fs->m now, which the
 * caller has filled or will fill. */
void
vm_fault_to_front(struct faultstate *fs)
{
	vm_object_chain_release_all(
	    fs->first_object->backing_object, fs->object);
	vm_object_pip_wakeup(fs->object);
	vm_object_drop(fs->object);
	fs->object = fs->first_object;
	fs->pindex = fs->first_pindex;
	fs->m = fs->first_m;
	fs->first_m = NULL;
}

/* Takes a walk back from wherever it is. fs->m is not busied by us any more
 * (it may still be named, for waiting). The first object stays held. */
int
vm_fault_unwind(struct faultstate *fs, int result)
{
	vm_object_pip_wakeup(fs->first_object);
	vm_object_chain_release_all(fs->first_object, fs->object);
	if (fs->object != fs->first_object)
		vm_object_drop(fs->object);
	vm_fault_unlock_things(fs);
	return result;
}

/* Takes the walk back and waits for memory. A process that is to die does
 * not get any: it may be what all wait for. */
int
vm_fault_wait_memory(struct faultstate *fs)
{
	struct thread *td = curthread;

	vm_fault_unwind(fs, 0);
	vm_wait_catch("pfault");
	if (td->td_proc == NULL || !signal_pending(td))
		return KERN_TRY_AGAIN;
	if (sig_fatal_pending(td))
		return KERN_FAILURE;
	/* A signal has cut the wait short; the fault goes on. */
	tsleep(td, 0, "pfault", TICK_NS);
	return KERN_TRY_AGAIN;
}
