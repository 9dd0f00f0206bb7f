/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The shortcut of a fault: a page that is in the front object, complete and
 * in use, is found in the page hash and soft-busied, without any token or
 * chain lock. Off unless the boot option vm.fault_quick says otherwise.
 */
#include <kern/bootopt.h>
#include <vm/vm_faultstate.h>

BOOTOPT(bo_fault_quick, "vm.fault_quick", "0",
    "faults try the lockless page hash first");

bool vm_fault_quick_enable;

/* Reads the boot option; boot CPU. */
void
vm_fault_quick_init(void)
{
	vm_fault_quick_enable = bootopt_bool(&bo_fault_quick);
}

/* Is the object worth trying? One that a single entry maps is not: its
 * pages are mapped where they are needed already. Wiring takes a hard
 * busy. */
static bool
quick_applies(struct faultstate *fs)
{
	return (fs->first_object->flags & OBJ_ONEMAPPING) == 0 &&
	    (fs->fault_flags & VM_FAULT_WIRE_MASK) == 0 && !fs->wired &&
	    fs->entry->maptype == VM_MAPTYPE_NORMAL;
}

/* With a soft busy neither object nor page may be changed; so they must be
 * already what mapping the page will make them. */
static bool
page_is_ready(struct faultstate *fs, vm_page_t m)
{
	const uint16_t both = OBJ_WRITEABLE | OBJ_MIGHTBEDIRTY;

	if ((fs->first_object->flags & OBJ_DEAD) ||
	    m->valid != VM_PAGE_BITS_ALL || (m->flags & PG_SWAPPED) ||
	    m->queue - m->pc == PQ_CACHE)
		return false;
	return (fs->prot & VM_PROT_WRITE) == 0 ||
	    ((fs->first_object->flags & both) == both &&
		m->dirty == VM_PAGE_BITS_ALL);
}

/* Tries the shortcut after a lookup, with the map locked, which keeps the
 * object. True: fs->m is the page, soft-busy. Never sleeps. */
bool
vm_fault_quick(struct faultstate *fs)
{
	vm_page_t m;

	if (!quick_applies(fs))
		return false;
	m = vm_page_hash_get(fs->first_object, fs->first_pindex);
	if (m == NULL)
		return false;
	if (!page_is_ready(fs, m)) {
		vm_page_sbusy_drop(m);
		return false;
	}
	vm_page_activate(m);
	fs->m = m;
	fs->msoftonly = true;
	return true;
}
