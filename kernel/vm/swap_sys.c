/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * swapon and swapoff: taking disks into use for swap, and out of it.
 *
 * A disk needs the header that mkswap writes, as on Linux (mm/swapfile.c,
 * include/linux/swap.h there). With the boot option swap=DISK it does not:
 * the whole disk is overwritten.
 */
#include <linux/errno.h>
#include <linux/fcntl.h>

#include <fs/vnode.h>
#include <kern/bootopt.h>
#include <kern/kmalloc.h>
#include <kern/kprintf.h>
#include <kern/kstring.h>
#include <kern/lock.h>
#include <kern/proc.h>
#include <kern/sbuf.h>
#include <kern/sys_path.h>
#include <kern/syscalls.h>
#include <vm/swap_pager.h>
#include <vm/vm_pageout.h>

BOOTOPT(bo_swap, "swap", "", "disks to swap to, by commas; overwritten");

MALLOC_DEFINE(M_SWAP, "swap");

/* Linux's flags of swapon(2). */
#define SWAP_FLAG_PREFER   0x8000
#define SWAP_FLAG_PRIOMASK 0x7fff
#define SWAP_FLAG_DISCARDS 0x70000

/* The header: the first page of a swap area. */
#define SWAP_MAGIC	  "SWAPSPACE2"
#define SWAP_MAGIC_LEN	  10 /* the last bytes of the page */
#define SWAP_INFO	  1024
#define SWAP_VERSION	  1
#define SWAP_MAX_BADPAGES ((PAGE_SIZE - SWAP_MAGIC_LEN - SWAP_INFO - 512) / 4)
struct swap_info {
	uint32_t version;
	uint32_t last_page;
	uint32_t nr_badpages;
	uint8_t uuid[16];
	uint8_t label[16];
	uint32_t padding[117];
	uint32_t badpages[];
};

static struct lock swap_lock = LOCK_INITIALIZER("swapon");
static int swap_lastprio = -1; /* swap_lock: of devices without one */

/* The place of a disk in use for swap, or NULL. swap_lock held. */
static struct swdev *
dev_find(struct blkdev *bd)
{
	for (struct swdev *sw = swap_devs; sw < swap_devs + SWAP_DEVS; sw++) {
		if (sw->sw_bd == bd)
			return sw;
	}
	return NULL;
}

/* Takes the first npages pages of a disk into use, which its bd_claimed says
 * already. The bad ones stay out. EPERM, as on Linux: too many disks are in
 * use. swap_lock held. */
static int
dev_add(struct blkdev *bd, uint32_t npages, int prio, const uint32_t *bad,
    uint32_t nbad)
{
	size_t bytes = howmany(npages, 64) * sizeof(uint64_t);
	struct swdev new = {
	    .sw_bd = bd, .sw_prio = prio, .sw_npages = npages, .sw_rover = 1};
	struct swdev *sw = dev_find(NULL);

	if (sw == NULL)
		return EPERM;
	new.sw_used = kmalloc(bytes, &M_SWAP, M_WAITOK | M_ZERO);
	new.sw_bad = kmalloc(bytes, &M_SWAP, M_WAITOK | M_ZERO);
	new.sw_used[0] = 1; /* the header */
	for (uint32_t i = 0; i < nbad; i++) {
		uint64_t bit = 1UL << (bad[i] % 64);

		if ((new.sw_used[bad[i] / 64] & bit) == 0)
			new.sw_nbad++;
		new.sw_used[bad[i] / 64] |= bit;
		new.sw_bad[bad[i] / 64] |= bit;
	}
	new.sw_nfree = npages - 1 - new.sw_nbad;
	spin_lock(&swap_spin);
	*sw = new;
	spin_unlock(&swap_spin);
	klog(KLOG_INFO, "swap: %s: %u pages, priority %d\n", bd->bd_name,
	    new.sw_nfree, prio);
	return 0;
}

/* How many pages of a disk can be used. */
static uint32_t
dev_pages(const struct blkdev *bd)
{
	uint64_t pages = bd->bd_sectors / (PAGE_SIZE / BLK_SECTOR);

	return (uint32_t)MIN(pages, SWAP_DEV_MAXPAGES);
}

/* Looks at what mkswap has written into a page and takes the disk into use:
 * EINVAL when it makes no sense. swap_lock held, the disk claimed. */
static int
header_add(struct blkdev *bd, const char *page, int prio)
{
	const struct swap_info *si = (const void *)(page + SWAP_INFO);

	if (memcmp(page + PAGE_SIZE - SWAP_MAGIC_LEN, SWAP_MAGIC,
		SWAP_MAGIC_LEN) != 0 ||
	    si->version != SWAP_VERSION || si->last_page == 0 ||
	    si->last_page >= dev_pages(bd) ||
	    si->nr_badpages > SWAP_MAX_BADPAGES)
		return EINVAL;
	for (uint32_t i = 0; i < si->nr_badpages; i++) {
		if (si->badpages[i] == 0 || si->badpages[i] > si->last_page)
			return EINVAL;
	}
	return dev_add(
	    bd, si->last_page + 1, prio, si->badpages, si->nr_badpages);
}

/* Claims a disk and takes it into use as its header says. EBUSY: somebody
 * else has it; EINVAL, EPERM, EIO. swap_lock held; sleeps. */
static int
disk_on(struct blkdev *bd, int prio)
{
	char *page;
	int error;

	if (atomic_swap_uint(&bd->bd_claimed, 1) != 0)
		return EBUSY;
	page = kmalloc(PAGE_SIZE, &M_TEMP, M_WAITOK);
	error = dev_pages(bd) < 2 ? EINVAL
				  : blk_rw(bd, BIO_READ, 0, page, PAGE_SIZE);
	if (error == 0)
		error = header_add(bd, page, prio);
	kfree(page, &M_TEMP);
	if (error != 0)
		atomic_store_uint(&bd->bd_claimed, 0);
	return error;
}

/* The disk that a user's path names: an errno. */
static int
path_disk(const char *path, struct blkdev **bdp)
{
	struct vnode *vp;
	int error;

	error = upath_vnode(AT_FDCWD, path, 0, &vp);
	if (error != 0)
		return error;
	*bdp = vp->v_type == VBLK ? blk_lookup_rdev(vp->v_rdev) : NULL;
	vrele(vp);
	return *bdp == NULL ? EINVAL : 0;
}

/* swapon(2): EINVAL, EBUSY, EPERM, EIO, and what a path can bring. */
long
sys_swapon(const char *path, int flags)
{
	struct blkdev *bd;
	int error, prio;

	if (flags &
	    ~(SWAP_FLAG_PREFER | SWAP_FLAG_PRIOMASK | SWAP_FLAG_DISCARDS))
		return -EINVAL;
	error = path_disk(path, &bd);
	if (error != 0)
		return -error;
	if (bd->bd_rdonly)
		return -EACCES;
	lockmgr(&swap_lock, LK_EXCLUSIVE);
	prio = swap_lastprio - 1;
	if (flags & SWAP_FLAG_PREFER)
		prio = flags & SWAP_FLAG_PRIOMASK;
	error = disk_on(bd, prio);
	if (error == 0 && (flags & SWAP_FLAG_PREFER) == 0)
		swap_lastprio = prio;
	lockmgr(&swap_lock, LK_RELEASE);
	return -error;
}

/* Brings one page of an object in for good: its block is free afterwards.
 * The object is held exclusively; sleeps. EINTR, EIO. */
static int
bring_in(vm_object_t object, vm_pindex_t pindex)
{
	int rv = VM_PAGER_OK;
	vm_page_t m;

	m = vm_page_grab(object, pindex, VM_ALLOC_NORMAL);
	if (m == NULL) {
		vm_wait_catch("swpoff");
		return signal_pending(curthread) ? EINTR : 0;
	}
	if (m->valid != VM_PAGE_BITS_ALL)
		rv = vm_pager_get_page(object, &m, 0);
	if (rv == VM_PAGER_OK) {
		vm_page_activate(m);
		vm_page_dirty(m);
		swap_pager_unswapped(m);
		vm_page_wakeup(m);
		return 0;
	}
	vm_page_free(m);
	/* FAIL: it went while the token was lost. */
	return rv == VM_PAGER_FAIL ? 0 : EIO;
}

/* Brings all of an object's pages in that are on the device. The object is
 * kept in memory by the caller, but may end. */
static int
object_off(vm_object_t object, uint32_t dev)
{
	vm_pindex_t pindex = 0;
	int error = 0;

	lwkt_gettoken(&object->token);
	vm_object_pip_add(object, 1);
	SCHED_POINT("vm.swapoff_object");
	while (error == 0 && (object->flags & OBJ_DEAD) == 0 &&
	    swap_meta_find_dev(object, &pindex, dev))
		error = bring_in(object, pindex);
	vm_object_pip_wakeup(object);
	lwkt_reltoken(&object->token);
	return error;
}

/* The first object on the list with a number above id that has swap, its
 * memory kept; NULL: none. */
static vm_object_t
next_swapped(uint32_t id)
{
	vm_object_t object;

	spin_lock(&vm_object_list_spin);
	TAILQ_FOREACH (object, &vm_object_list, object_list) {
		if (object->id > id && object->swblock_count != 0) {
			vm_object_hold_nolock(object);
			break;
		}
	}
	spin_unlock(&vm_object_list_spin);
	return object;
}

/* Brings everything in that is on a device that is closing. Objects may pass
 * blocks on to others meanwhile; so it is done over until none is left. */
static int
dev_empty(struct swdev *sw)
{
	vm_object_t object;
	int error = 0;
	uint32_t id;

	while (sw->sw_nfree + sw->sw_nbad != sw->sw_npages - 1) {
		for (id = 0; (object = next_swapped(id)) != NULL;) {
			id = object->id;
			error = object_off(object, (uint32_t)(sw - swap_devs));
			vm_object_drop_nolock(object);
			if (error != 0)
				return error;
		}
		if (signal_pending(curthread))
			return EINTR;
		lwkt_yield();
	}
	return 0;
}

/* Would what is on the device have room elsewhere? */
static bool
dev_dispensable(const struct swdev *sw)
{
	int64_t used = sw->sw_npages - 1 - sw->sw_nfree - sw->sw_nbad;

	return used <= vmstats.v_free_count + vmstats.v_cache_count -
	    vmstats.v_free_min + swap_space(NULL);
}

/* Stops or starts the giving out of blocks. */
static void
dev_close(struct swdev *sw, bool closing)
{
	spin_lock(&swap_spin);
	sw->sw_closing = closing;
	spin_unlock(&swap_spin);
}

/* swapoff(2): EINVAL when nothing swaps there, ENOMEM when its pages have
 * nowhere to go, EIO when one cannot be read, EINTR; then all is as it was,
 * but for pages that came in already. */
long
sys_swapoff(const char *path)
{
	struct blkdev *bd;
	struct swdev *sw = NULL;
	int error;

	error = path_disk(path, &bd);
	if (error != 0)
		return -error;
	lockmgr(&swap_lock, LK_EXCLUSIVE);
	sw = dev_find(bd);
	if (sw != NULL) {
		dev_close(sw, true);
		error = dev_dispensable(sw) ? dev_empty(sw) : ENOMEM;
		/* A write of pages that are no more may be under way. */
		if (error == 0)
			swap_write_wait(1);
		else
			dev_close(sw, false);
	} else {
		error = EINVAL;
	}
	if (sw != NULL && error == 0) {
		struct swdev old = *sw;

		spin_lock(&swap_spin);
		*sw = (struct swdev){0};
		spin_unlock(&swap_spin);
		kfree(old.sw_used, &M_SWAP);
		kfree(old.sw_bad, &M_SWAP);
		atomic_store_uint(&bd->bd_claimed, 0);
	}
	lockmgr(&swap_lock, LK_RELEASE);
	return -error;
}

/* Takes the disks of the boot option into use. A disk that is not there
 * stops the boot. */
void
swap_boot(void)
{
	const char *p = bootopt_str(&bo_swap), *end;
	struct blkdev *bd;
	char name[16];
	size_t n;

	for (; *p != '\0'; p = *end == '\0' ? end : end + 1) {
		end = strchr(p, ',');
		if (end == NULL)
			end = p + strlen(p);
		n = (size_t)(end - p);
		strlcpy(name, p, MIN(n + 1, sizeof(name)));
		bd = blk_lookup(name);
		if (bd == NULL || bd->bd_rdonly || dev_pages(bd) < 2 ||
		    atomic_swap_uint(&bd->bd_claimed, 1) != 0 ||
		    dev_add(bd, dev_pages(bd), --swap_lastprio, NULL, 0) != 0)
			boot_die("swap: %s is no disk to swap to", name);
	}
}

/* See swap_pager.h. As Linux has it, in kibibytes. */
void
swap_show(struct sbuf *sb)
{
	uint32_t kib = PAGE_SIZE / 1024;

	sbuf_printf(sb, "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n");
	lockmgr(&swap_lock, LK_SHARED);
	for (struct swdev *sw = swap_devs; sw < swap_devs + SWAP_DEVS; sw++) {
		if (sw->sw_bd == NULL)
			continue;
		sbuf_printf(sb, "/dev/%-35spartition\t%u\t\t%u\t\t%d\n",
		    sw->sw_bd->bd_name, (sw->sw_npages - 1) * kib,
		    (sw->sw_npages - 1 - sw->sw_nfree) * kib, sw->sw_prio);
	}
	lockmgr(&swap_lock, LK_RELEASE);
}
