/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The page hash: a cache of lookups that is read without any lock. It is a
 * table of pointers, one slot for each page of RAM, and a slot remembers
 * the last page entered at its index. Nothing is ever removed: a reader
 * proves what it found by soft-busying the page and comparing again. That
 * a stale slot points at some vm_page, whatever became of it, is what makes
 * the proof safe to attempt.
 */
#include <kern/kstring.h>
#include <vm/vm_kern.h>
#include <vm/vm_object.h>
#include <vm/vm_page.h>

static vm_page_t volatile *vm_page_hash; /* slots: any CPU, plain stores */
static uint64_t vm_page_hash_mask;	 /* constant after init */

/* Allocates the table; boot, after vm_page_startup. */
void
vm_page_hash_init(void)
{
	uint64_t slots = 1024;
	void *table;
	size_t bytes;

	while (slots < (uint64_t)vm_page_array_size)
		slots <<= 1;
	bytes = slots * sizeof(vm_page_t);
	table = kmem_page_alloc((int)howmany(bytes, PAGE_SIZE), 1);
	KASSERT(table != NULL, ("no memory for the page hash"));
	memset(table, 0, bytes);
	vm_page_hash = table;
	vm_page_hash_mask = slots - 1;
}

static inline vm_page_t volatile *
hash_slot(vm_object_t object, vm_pindex_t pindex)
{
	uint64_t h =
	    ((uint64_t)object->pg_color << 8) ^ ((uint64_t)object >> 6);

	return &vm_page_hash[(h + pindex) & vm_page_hash_mask];
}

/* The page of (object, pindex) with a soft busy for the caller, or NULL.
 * Neither lock nor token is needed; the caller's hold on the object keeps
 * its address from meaning another object. */
vm_page_t
vm_page_hash_get(vm_object_t object, vm_pindex_t pindex)
{
	vm_page_t m = *hash_slot(object, pindex);

	SCHED_POINT("vm.hash_looked");
	if (m != NULL && m->object == object && m->pindex == pindex &&
	    !vm_page_sbusy_try(m)) {
		SCHED_POINT("vm.hash_busied");
		/* The page may have been recycled before it was busied. */
		if (m->object == object && m->pindex == pindex) {
			cnt_inc(v_hash_hit);
			return m;
		}
		vm_page_sbusy_drop(m);
	}
	cnt_inc(v_hash_miss);
	return NULL;
}

/* Remembers a page that sits in an object; the page is busied. */
void
vm_page_hash_enter(vm_page_t m)
{
	if (m->object != NULL && (m->flags & PG_FICTITIOUS) == 0)
		*hash_slot(m->object, m->pindex) = m;
}
