/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mincore: which pages of a range are in memory.
 */
#include <linux/errno.h>

#include <kern/kmalloc.h>
#include <kern/proc.h>
#include <kern/syscalls.h>
#include <kern/uaccess.h>
#include <vm/vm_map.h>
#include <vm/vm_pager.h>

/* Pages looked at between two copies to the user. */
#define MINCORE_BATCH 4096U

/*
 * Whether the entry's chain has data for the page at va in memory. The map is
 * locked, so the chain stays; may sleep for tokens.
 */
static bool
chain_resident(vm_map_entry_t entry, vm_offset_t va)
{
	/* LAB 2.1c: the sum of the offsets so far gives the index. */
	struct vm_map_backing *ba;
	vm_ooffset_t offset = va - entry->start;
	bool resident = false;
	vm_page_t m;

	/* Linear, with a virtual page table too, until part 6. */
	for (ba = &entry->ba; ba != NULL; ba = ba->backing_ba) {
		offset += ba->offset;
		vm_object_hold_shared(ba->object);
		m = vm_page_lookup(ba->object, OFF_TO_IDX(offset));
		resident = m != NULL && m->valid != 0;
		/* What is on swap hides what is below. */
		if (resident ||
		    vm_pager_has_page(ba->object, OFF_TO_IDX(offset))) {
			vm_object_drop(ba->object);
			break;
		}
		vm_object_drop(ba->object);
	}
	return resident;
	/* END LAB 2.1c */
}

/* Fills vec for npages pages of a part of an entry. Map locked. */
static void
mincore_entry(vm_map_t map, vm_map_entry_t entry, vm_offset_t va,
    unsigned int npages, unsigned char *vec)
{
	for (; npages > 0; npages--, va += PAGE_SIZE, vec++) {
		*vec = 0;
		if (entry->ba.object == NULL)
			continue;
		if ((pmap_mincore(map->pmap, va) & 1) != 0 ||
		    chain_resident(entry, va))
			*vec = 1;
	}
}

/* Up to npages pages from va into vec: how many, 0 where nothing is mapped.
 * Takes the map's lock. */
static unsigned int
mincore_batch(
    vm_map_t map, vm_offset_t va, unsigned int npages, unsigned char *vec)
{
	vm_map_entry_t entry;
	unsigned int n = 0, part;

	vm_map_lock_read(map);
	while (n < npages && vm_map_lookup_entry(map, va, &entry)) {
		part = MIN(npages - n, OFF_TO_IDX(entry->end - va));
		mincore_entry(map, entry, va, part, vec + n);
		n += part;
		va += part * PAGE_SIZE;
	}
	vm_map_unlock_read(map);
	return n;
}

/*
 * mincore(2): 0, EINVAL, ENOMEM (unmapped; the bytes of what comes before
 * have been stored), EFAULT.
 */
long
sys_mincore(uintptr_t addr, size_t len, unsigned char *vec)
{
	vm_map_t map = &curproc->p_vmspace->vm_map;
	unsigned char *buf;
	unsigned int want, got;
	size_t pages;
	long error = 0;

	if (addr & PAGE_MASK)
		return -EINVAL;
	if (len > VM_MAX_USER_ADDRESS || addr > VM_MAX_USER_ADDRESS - len)
		return -ENOMEM;
	pages = OFF_TO_IDX(round_page(len));
	if (pages > VM_MAX_USER_ADDRESS ||
	    (uintptr_t)vec > VM_MAX_USER_ADDRESS - pages)
		return -EFAULT;

	buf = kmalloc(MINCORE_BATCH, &M_TEMP, M_WAITOK);
	while (pages > 0 && error == 0) {
		want = MIN(pages, MINCORE_BATCH);
		got = mincore_batch(map, addr, want, buf);
		if (got > 0 && copyout(buf, vec, got) != 0)
			error = -EFAULT;
		else if (got < want)
			error = -ENOMEM;
		pages -= got;
		addr += got * PAGE_SIZE;
		vec += got;
	}
	kfree(buf, &M_TEMP);
	return error;
}
