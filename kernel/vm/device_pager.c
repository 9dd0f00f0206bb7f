/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The pager of device memory: pages that are not RAM.
 *
 * The VM knows memory by its vm_pages, and device memory has none. So each
 * page of a device that is mapped gets a fake one, out of a zone: never on a
 * queue, always busy, valid or mapped like any other, and found by its object
 * only. It counts one wiring, which nobody takes back: nothing may try to
 * free or write out such a page. A device has one object, for as long as
 * somebody maps it; with the object the fake pages go.
 */
#include <linux/errno.h>

#include <fs/vnode.h>
#include <kern/kmalloc.h>
#include <kern/kstring.h>
#include <pmap/pmap.h>
#include <vm/vm_pager.h>

static struct zone fake_zone; /* ready under dev_pager_lock */
static bool fake_zone_ready;

static struct lock dev_pager_lock = LOCK_INITIALIZER("devpgr");
/* All objects of devices; dev_pager_lock. */
static TAILQ_HEAD(, vm_object) dev_pager_objects = TAILQ_HEAD_INITIALIZER(
    dev_pager_objects);

/* A fake page for the physical address: hard-busy, complete, in no object.
 * Sleeps for memory. */
static vm_page_t
dev_pager_getfake(vm_paddr_t pa, uint8_t pat_mode)
{
	vm_page_t m = zalloc(&fake_zone, M_WAITOK | M_ZERO);

	spin_init(&m->spin, "dev_page");
	pmap_page_init(m);
	m->flags = PG_FICTITIOUS;
	m->valid = VM_PAGE_BITS_ALL;
	m->busy_count = PBUSY_LOCKED;
	m->wire_count = 1;
	m->queue = PQ_NONE;
	m->phys_addr = pa;
	m->pat_mode = pat_mode;
	return m;
}

/* The end of a fake page that has left its object. */
static void
dev_pager_putfake(vm_page_t m)
{
	KKASSERT((m->flags & (PG_FICTITIOUS | PG_MAPPED)) == PG_FICTITIOUS);
	KKASSERT(m->object == NULL && m->hold_count == 0);
	zfree(&fake_zone, m);
}

/* A new object for the device, referenced once. dev_pager_lock is held; may
 * sleep. */
static vm_object_t
dev_pager_create(const struct cdevsw *d, vm_pindex_t size)
{
	vm_object_t object = vm_object_allocate(OBJT_DEVICE, size);

	if (!fake_zone_ready) {
		zinit(&fake_zone, "fake page", sizeof(struct vm_page), NULL);
		fake_zone_ready = true;
	}
	object->handle = (void *)(uintptr_t)d;
	TAILQ_INIT(&object->un_pager.devp.devp_pglist);
	TAILQ_INSERT_TAIL(&dev_pager_objects, object, un_pager.devp.devp_list);
	return object;
}

/* See vm_pager.h. */
vm_object_t
dev_pager_alloc(
    const struct cdevsw *d, vm_size_t size, vm_prot_t prot, vm_ooffset_t off)
{
	vm_pindex_t end = OFF_TO_IDX(off + size);
	vm_object_t object;
	vm_paddr_t pa;

	for (vm_ooffset_t at = off; at < off + (vm_ooffset_t)size;
	     at += PAGE_SIZE) {
		if (d->d_mmap(at, prot, &pa) != 0)
			return NULL;
	}
	lockmgr(&dev_pager_lock, LK_EXCLUSIVE);
	TAILQ_FOREACH (object, &dev_pager_objects, un_pager.devp.devp_list) {
		if (object->handle != d)
			continue;
		/* It stays on the list until its end is complete; the last
		 * reference goes under the token. */
		vm_object_hold(object);
		if ((object->flags & OBJ_DEAD) == 0 && object->ref_count > 0) {
			vm_object_reference_quick(object);
			object->size = MAX(object->size, end);
			vm_object_drop(object);
			break;
		}
		vm_object_drop(object);
	}
	if (object == NULL)
		object = dev_pager_create(d, end);
	lockmgr(&dev_pager_lock, LK_RELEASE);
	return object;
}

/* The object has ended; its pages have left it. May sleep. */
static void
dev_pager_dealloc(vm_object_t object)
{
	struct pglist *list = &object->un_pager.devp.devp_pglist;
	vm_page_t m;

	lockmgr(&dev_pager_lock, LK_EXCLUSIVE);
	TAILQ_REMOVE(&dev_pager_objects, object, un_pager.devp.devp_list);
	lockmgr(&dev_pager_lock, LK_RELEASE);
	while ((m = TAILQ_FIRST(list)) != NULL) {
		TAILQ_REMOVE(list, m, pageq);
		dev_pager_putfake(m);
	}
}

/* Puts a fake page in the place of the page that the fault has allocated,
 * which goes back. */
static int
dev_pager_getpage(vm_object_t object, vm_page_t *mp, int seqaccess)
{
	const struct cdevsw *d = object->handle;
	vm_pindex_t pindex = (*mp)->pindex;
	vm_paddr_t pa;
	vm_page_t m;

	(void)seqaccess;
	KKASSERT(((*mp)->flags & PG_FICTITIOUS) == 0);
	if (d->d_mmap(IDX_TO_OFF(pindex), VM_PROT_READ, &pa) != 0)
		return VM_PAGER_BAD;
	m = dev_pager_getfake(pa, PAT_UNCACHED);
	TAILQ_INSERT_TAIL(&object->un_pager.devp.devp_pglist, m, pageq);
	vm_page_free(*mp);
	vm_page_insert(m, object, pindex);
	*mp = m;
	return VM_PAGER_OK;
}

/* Such pages are wired: nobody pages them out. */
static void
dev_pager_putpages(
    vm_object_t object, vm_page_t *m, int count, int flags, int *rtvals)
{
	(void)m;
	(void)count;
	(void)flags;
	(void)rtvals;
	panic("pageout of device object %u", object->id);
}

/* Every page can be had. */
static bool
dev_pager_haspage(vm_object_t object, vm_pindex_t pindex)
{
	return pindex < object->size;
}

const struct pagerops devicepagerops = {
    .pgo_dealloc = dev_pager_dealloc,
    .pgo_getpage = dev_pager_getpage,
    .pgo_putpages = dev_pager_putpages,
    .pgo_haspage = dev_pager_haspage,
};
