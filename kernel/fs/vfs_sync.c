/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writing to disks in time: the syncer, and what sync(2), fsync(2) and the
 * machine's end have in common.
 */
#include <linux/errno.h>

#include <dev/blk.h>
#include <fs/vnode.h>
#include <kern/bootopt.h>
#include <kern/kprintf.h>
#include <kern/lock.h>
#include <vm/vm_object.h>
#include <vm/vm_pager.h>

BOOTOPT(bo_sync_ms, "sync_ms", "5000", "what was written is on disk after");

static uint32_t syncer_running;				     /* (A) */
static struct lock syncer_lock = LOCK_INITIALIZER("syncer"); /* at work */

static int
sync_one(struct mount *mp)
{
	return mp->mnt_sync(mp);
}

int
vfs_sync(struct mount *mp)
{
	if (mp == NULL)
		return mount_foreach_sync(sync_one);
	return mp->mnt_sync == NULL ? 0 : mp->mnt_sync(mp);
}

/* The syncer's thread. An error has been told of where it happened. */
static void
syncer(void *arg)
{
	uint64_t ns = bootopt_u64(&bo_sync_ms) * 1000000;

	for (;;) {
		tsleep(&syncer_running, 0, "syncer", ns);
		lockmgr(&syncer_lock, LK_EXCLUSIVE);
		vfs_sync(NULL);
		lockmgr(&syncer_lock, LK_RELEASE);
	}
}

/* Without the thread everything is still written by sync and unmount; so
 * when there is no memory for it the next mount tries again. */
void
syncer_start(void)
{
	if (atomic_swap_uint(&syncer_running, 1) == 0 &&
	    kthread_create("syncer", syncer, NULL) == NULL)
		atomic_store_uint(&syncer_running, 0);
}

void
syncer_pause(void)
{
	lockmgr(&syncer_lock, LK_EXCLUSIVE);
}

void
syncer_resume(void)
{
	lockmgr(&syncer_lock, LK_RELEASE);
}

static int
shutdown_one(struct mount *mp)
{
	mp->mnt_shutdown(mp);
	return 0;
}

/* The last thing before the machine is turned off: nothing can be written
 * afterwards. */
void
vfs_shutdown(void)
{
	mount_foreach_sync(shutdown_one);
}

int
vn_fsync(struct vnode *vp)
{
	vm_object_t object;

	if (vp->v_type == VBLK)
		return bdev_fsync(vp);
	if (vp->v_type != VREG && vp->v_type != VDIR)
		return EINVAL;
	if (vp->v_object != NULL && vp->v_ops->vop_putpage != NULL) {
		object = vnode_pager_reference(vp);
		vm_object_page_clean(object, 0, 0);
		vm_object_deallocate(object);
	}
	return vp->v_ops->vop_fsync == NULL ? 0 : vp->v_ops->vop_fsync(vp);
}
