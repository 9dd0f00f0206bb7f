/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Mapping what a file object already holds, when a range of it is mapped.
 */
#include <pmap/pmap_var.h>
#include <vm/vm_map.h>
#include <vm/vm_object.h>

/* With MAP_PREFAULT_PARTIAL, a larger range of an object with more pages
 * resident is left to faults. */
#define MAX_INIT_PT 96

/* Maps p at va if it is whole and nobody is changing it. */
static void
pmap_prefault_page(pmap_t pmap, vm_offset_t va, vm_page_t p, vm_prot_t prot)
{
	bool hard;

	if (p->valid != VM_PAGE_BITS_ALL || (p->flags & PG_FICTITIOUS))
		return;
	/* A page on a cache queue is as good as free: it goes back to use
	 * first, which needs it alone. */
	hard = p->queue - p->pc == PQ_CACHE;
	if (hard ? vm_page_busy_try(p, true) : vm_page_sbusy_try(p))
		return;
	/* It could change until we had it busy; if it went to the cache
	 * meanwhile, it is not worth a second try. */
	if (p->valid == VM_PAGE_BITS_ALL) {
		if (hard && p->queue - p->pc == PQ_CACHE)
			vm_page_deactivate(p);
		if (p->queue - p->pc != PQ_CACHE)
			pmap_enter_quick(pmap, va, p, prot);
	}
	if (hard)
		vm_page_wakeup(p);
	else
		vm_page_sbusy_drop(p);
}

/*
 * Maps at va those pages of a file object, from pindex on for size bytes,
 * that are resident: readable, and executable if prot says so, never
 * writable. limit: MAP_PREFAULT_*. Only for the address space that runs, an
 * optimisation that gives up early. The map is locked; may sleep for the
 * object's token only.
 */
void
pmap_object_init_pt(pmap_t pmap, vm_offset_t va, vm_prot_t prot,
    vm_object_t object, vm_pindex_t pindex, vm_size_t size, int limit)
{
	vm_pindex_t psize = size >> PAGE_SHIFT;
	struct vm_page key;
	vm_page_t p;

	if ((prot & VM_PROT_READ) == 0 || pmap == NULL || object == NULL ||
	    mycpu->gd_pmap != pmap || object->type != OBJT_VNODE)
		return;
	if ((limit & MAP_PREFAULT_PARTIAL) && psize > MAX_INIT_PT &&
	    object->resident_page_count > MAX_INIT_PT)
		return;
	prot &= VM_PROT_READ | VM_PROT_EXECUTE;

	vm_object_hold_shared(object);
	if (pindex < object->size) {
		psize = MIN(psize, object->size - pindex);
		key.pindex = pindex;
		/* Nothing below sleeps, so the token keeps the tree as it
		 * is. */
		for (p = RB_NFIND(vm_page_rb_tree, &object->rb_memq, &key);
		     p != NULL && p->pindex < pindex + psize &&
		     vmstats.v_free_count >= vmstats.v_free_reserved;
		     p = RB_NEXT(vm_page_rb_tree, &object->rb_memq, p))
			pmap_prefault_page(pmap,
			    va + ((p->pindex - pindex) << PAGE_SHIFT), p, prot);
	}
	vm_object_drop(object);
}
