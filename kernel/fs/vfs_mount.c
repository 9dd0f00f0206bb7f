/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Mounts: which file system stands where.
 */
#include <linux/errno.h>
#include <linux/fs.h>

#include <fs/vnode.h>
#include <kern/bootopt.h>
#include <kern/kprintf.h>
#include <kern/kstring.h>
#include <kern/proc.h>

MALLOC_DEFINE(M_MOUNT, "mount");
BOOTOPT(bo_mnt, "mnt", "", "the disk with an ext2 file system for /mnt");

static struct lwkt_token mount_token = LWKT_TOKEN_INITIALIZER("mount");
/* mount_token: all mounts, oldest first, and v_mountedhere of all vnodes. */
static TAILQ_HEAD(, mount) mountlist = TAILQ_HEAD_INITIALIZER(mountlist);
static uint32_t mount_minor; /* (A) the last one given out */

struct vnode *rootvnode;

/* A mount that is not anywhere yet. st_dev is an anonymous device of its
 * own, major 0 as Linux has it. Sleeps for memory. */
struct mount *
mount_alloc(const char *fstype, uint64_t magic)
{
	struct mount *mp;

	mp = kmalloc(sizeof(*mp), &M_MOUNT, M_WAITOK | M_ZERO);
	mp->mnt_fstype = fstype;
	mp->mnt_magic = magic;
	mp->mnt_dev = MKDEV(0, atomic_fetchadd_uint(&mount_minor, 1) + 1);
	return mp;
}

/* Frees a mount without vnodes. */
void
mount_free(struct mount *mp)
{
	KKASSERT(mp->mnt_vnodes == 0);
	kfree(mp->mnt_from, &M_MOUNT);
	kfree(mp, &M_MOUNT);
}

/* Puts the file system in place. On success mnt_root's reference and, when
 * there is one, mnt_covered's belong to the mount. EBUSY when something is
 * mounted there already, ENOTDIR. */
int
vfs_mount(struct mount *mp)
{
	struct vnode *at = mp->mnt_covered;

	if (at != NULL && at->v_type != VDIR)
		return ENOTDIR;
	lwkt_gettoken(&mount_token);
	if (at == NULL ? rootvnode != NULL : at->v_mountedhere != NULL) {
		lwkt_reltoken(&mount_token);
		return EBUSY;
	}
	if (at == NULL)
		rootvnode = mp->mnt_root;
	else
		at->v_mountedhere = mp;
	TAILQ_INSERT_TAIL(&mountlist, mp, mnt_list);
	lwkt_reltoken(&mount_token);
	return 0;
}

/* Takes the file system away whose root the caller has a reference on. EINVAL
 * when it is no root, EBUSY while anything in it is used. */
int
vfs_umount(struct vnode *root)
{
	struct mount *mp = root->v_mount;
	struct vnode *at = mp->mnt_covered;

	if (mp->mnt_root != root)
		return EINVAL;
	if (at == NULL || mp->mnt_unmount == NULL)
		return EBUSY;
	if (mp->mnt_quiesce != NULL)
		mp->mnt_quiesce(mp);
	lwkt_gettoken(&mount_token);
	while (mp->mnt_users != 0)
		tsleep(mp, 0, "umount", 0);
	/* Nobody can find the root from here on but by the reference that the
	 * mount itself has: mount_cross_down wants the token. */
	if (mp->mnt_vnodes != mp->mnt_pinned + 1 ||
	    atomic_load_int(&root->v_refs) != 2 ||
	    (mp->mnt_busy != NULL && mp->mnt_busy(mp))) {
		lwkt_reltoken(&mount_token);
		return EBUSY;
	}
	at->v_mountedhere = NULL;
	TAILQ_REMOVE(&mountlist, mp, mnt_list);
	lwkt_reltoken(&mount_token);
	/* The mount's reference on the root goes with the rest; the caller's
	 * must be the last, so the caller's is used up here. */
	vrele(root);
	mp->mnt_unmount(mp);
	mount_free(mp);
	vrele(at);
	return 0;
}

/* Calls fn for each mount, oldest first, with the mount token held. */
void
mount_foreach(void (*fn)(void *arg, const struct mount *mp), void *arg)
{
	struct mount *mp;

	lwkt_gettoken(&mount_token);
	TAILQ_FOREACH (mp, &mountlist, mnt_list)
		fn(arg, mp);
	lwkt_reltoken(&mount_token);
}

/* See vnode.h. A mount that comes or goes meanwhile may be passed over. */
int
mount_foreach_sync(int (*fn)(struct mount *mp))
{
	struct mount *mp;
	int error = 0, e;

	lwkt_gettoken(&mount_token);
	mp = TAILQ_FIRST(&mountlist);
	while (mp != NULL) {
		if (mp->mnt_sync != NULL) {
			/* Asleep we lose the token, but not the mount. */
			mp->mnt_users++;
			e = fn(mp);
			if (error == 0)
				error = e;
			if (--mp->mnt_users == 0)
				wakeup(mp);
		}
		mp = TAILQ_NEXT(mp, mnt_list);
	}
	lwkt_reltoken(&mount_token);
	return error;
}

/* From a directory that something is mounted on to the root of the topmost
 * mount there. The caller's reference moves along. */
struct vnode *
mount_cross_down(struct vnode *vp)
{
	struct vnode *root;

	if (vp->v_mountedhere == NULL)
		return vp;
	lwkt_gettoken(&mount_token);
	while (vp->v_mountedhere != NULL) {
		root = vp->v_mountedhere->mnt_root;
		vref(root);
		vrele(vp);
		vp = root;
	}
	lwkt_reltoken(&mount_token);
	return vp;
}

/* A directory for something to be mounted on; made if it is missing. */
static int
mountpoint(const char *name, uint32_t mode, struct vnode **vpp)
{
	size_t len = strlen(name);
	int error;

	vn_lock(rootvnode);
	error = rootvnode->v_ops->vop_lookup(rootvnode, name, len, vpp);
	if (error == ENOENT)
		error = rootvnode->v_ops->vop_create(
		    rootvnode, name, len, VDIR, mode, 0, vpp);
	vn_unlock(rootvnode);
	return error;
}

/* The disk that the boot option names, on /mnt. When that does not work the
 * console says why, and the boot goes on. */
static void
mount_disk(void)
{
	const char *name = bootopt_str(&bo_mnt);
	struct vnode *devvp, *vp;
	char path[32];
	int error;

	if (name[0] == '\0')
		return;
	ksnprintf(path, sizeof(path), "/dev/%s", name);
	error = namei(NULL, path, NAMEI_FOLLOW, &devvp, NULL, NULL);
	if (error != 0) {
		kprintf("mnt=%s: there is no such disk\n", name);
		return;
	}
	error = mountpoint("mnt", 0755, &vp);
	if (error == 0) {
		error = devvp->v_type == VBLK
		    ? ext2_mount(devvp, vp, path, false)
		    : ENOTBLK;
		if (error != 0)
			vrele(vp);
	}
	vrele(devvp);
	if (error != 0)
		kprintf("mnt=%s: not mounted, error %d\n", name, error);
}

/* The first file systems: the archive's files, /dev, /proc, and a /tmp to
 * write in. The boot ends here, with one line, when the archive is no good. */
int
vfs_mountroot(const void *cpio, size_t size)
{
	struct vnode *vp;
	int error;

	error = ramfs_mount_root(cpio, size);
	if (error != 0)
		return error;
	pipefs_init();
	devices_init();
	tty_init();
	error = mountpoint("dev", 0755, &vp);
	if (error == 0)
		error = devfs_mount(vp);
	if (error == 0)
		error = mountpoint("proc", 0555, &vp);
	if (error == 0)
		error = procfs_mount(vp);
	if (error == 0)
		error = mountpoint("tmp", 01777, &vp);
	if (error != 0) {
		boot_die(
		    "/dev, /proc or /tmp in the initramfs is no directory");
	}
	vrele(vp);
	mount_disk();
	return 0;
}
