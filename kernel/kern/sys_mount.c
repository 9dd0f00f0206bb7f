/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Mounting, and writing to disks: mount, umount2, sync, syncfs, fsync,
 * fdatasync.
 */
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/fs.h>

#include <kern/kstring.h>
#include <kern/proc.h>
#include <kern/sys_path.h>
#include <kern/syscalls.h>
#include <kern/uaccess.h>

/* File systems that need no disk. */
static const struct {
	const char *name;
	int (*mount)(struct vnode *covered);
} fstypes[] = {
    {"proc", procfs_mount},
    {"devtmpfs", devfs_mount},
    {"tmpfs", ramfs_mount},
    {"ramfs", ramfs_mount},
};

/* Mounts a disk, a block device by its path, on vp, whose reference goes
 * along when that works. */
static int
mount_disk(const char *udev, struct vnode *vp, bool rdonly)
{
	struct upath up;
	struct vnode *devvp;
	int error;

	error = upath_get(&up, AT_FDCWD, udev, false);
	if (error != 0)
		return error;
	error = namei(NULL, up.up_path, NAMEI_FOLLOW, &devvp, NULL, NULL);
	if (error == 0) {
		error = devvp->v_type == VBLK
		    ? ext2_mount(devvp, vp, up.up_path, rdonly)
		    : ENOTBLK;
		vrele(devvp);
	}
	upath_put(&up);
	return error;
}

/* Flags change nothing here but MS_RDONLY: there are neither devices nor
 * owners to refuse. What asks for more than a new mount is refused. */
long
sys_mount(const char *dev, const char *dir, const char *utype,
    unsigned long flags, const void *data)
{
	struct vnode *vp;
	char type[32];
	size_t i;
	int error;

	if (flags & (MS_REMOUNT | MS_BIND | MS_MOVE))
		return -EINVAL;
	error = copyinstr(utype, type, sizeof(type), NULL);
	if (error != 0)
		return -(error == ENAMETOOLONG ? EINVAL : error);
	for (i = 0; i < nitems(fstypes); i++) {
		if (strcmp(type, fstypes[i].name) == 0)
			break;
	}
	error = upath_vnode(AT_FDCWD, dir, 0, &vp);
	if (error != 0)
		return -error;
	if (strcmp(type, "ext2") == 0)
		error = mount_disk(dev, vp, (flags & MS_RDONLY) != 0);
	else if (i == nitems(fstypes))
		error = ENODEV;
	else if (flags & MS_RDONLY)
		error = EINVAL;
	else
		error = fstypes[i].mount(vp);
	if (error != 0)
		vrele(vp);
	return -error;
}

long
sys_umount2(const char *path, int flags)
{
	struct vnode *vp;
	int error;

	if (flags & ~15) /* MNT_FORCE, MNT_DETACH, MNT_EXPIRE, NOFOLLOW */
		return -EINVAL;
	error = upath_vnode(AT_FDCWD, path, 0, &vp);
	if (error != 0)
		return -error;
	error = vfs_umount(vp);
	if (error != 0)
		vrele(vp);
	return -error;
}

/* As on Linux, who wants to know of errors asks by fsync or syncfs. */
long
sys_sync(void)
{
	vfs_sync(NULL);
	return 0;
}

long
sys_syncfs(int fd)
{
	struct vnode *vp;
	int error;

	error = fd_vnode(fd, false, &vp);
	if (error != 0)
		return -error;
	error = vfs_sync(vp->v_mount);
	vrele(vp);
	return -error;
}

long
sys_fsync(int fd)
{
	struct file *fp = fget_io(fd);
	struct vnode *vp;
	int error;

	if (fp == NULL)
		return -EBADF;
	vp = file_vnode(fp);
	error = vp == NULL ? EINVAL : vn_fsync(vp);
	file_drop(fp);
	return -error;
}

/* Times are few bytes: there is no difference worth the name. */
long
sys_fdatasync(int fd)
{
	return sys_fsync(fd);
}
