/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Changing what stat shows: sizes, modes, owners, times.
 */
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/time_types.h>

#include <amd64/machdep.h>
#include <kern/proc.h>
#include <kern/sys_path.h>
#include <kern/syscalls.h>
#include <kern/uaccess.h>

/* Linux's include/linux/stat.h and utimensat(2); in no header of the ABI. */
#define UTIME_NOW  ((1L << 30) - 1L)
#define UTIME_OMIT ((1L << 30) - 2L)

#define NS_PER_S 1000000000L

long
sys_truncate(const char *path, int64_t len)
{
	struct vnode *vp;
	int error;

	if (len < 0)
		return -EINVAL;
	error = upath_vnode(AT_FDCWD, path, 0, &vp);
	if (error != 0)
		return -error;
	error = vn_truncate(vp, (uint64_t)len);
	vrele(vp);
	return -error;
}

long
sys_ftruncate(int fd, int64_t len)
{
	struct file *fp;
	struct vnode *vp;
	int error;

	if (len < 0)
		return -EINVAL;
	fp = fget_io(fd);
	if (fp == NULL)
		return -EBADF;
	vp = file_vnode(fp);
	if (vp == NULL || vp->v_type != VREG || !FWRITABLE(fp))
		error = EINVAL;
	else
		error = vn_truncate(vp, (uint64_t)len);
	file_drop(fp);
	return -error;
}

/* Hands a change to the file system. Uses up the reference. */
static int
set_attr(struct vnode *vp, const struct kstat *ks, uint32_t mask)
{
	int error;

	if (vp->v_mount->mnt_rdonly) {
		error = EROFS;
	} else if (vp->v_ops->vop_setattr == NULL) {
		error = EPERM;
	} else {
		vn_lock(vp);
		error = vp->v_ops->vop_setattr(vp, ks, mask);
		vn_unlock(vp);
	}
	vrele(vp);
	return error;
}

/* The same by a descriptor. */
static long
fd_set_attr(int fd, const struct kstat *ks, uint32_t mask)
{
	struct vnode *vp;
	int error;

	error = fd_vnode(fd, false, &vp);
	if (error == 0)
		error = set_attr(vp, ks, mask);
	return -error;
}

long
sys_fchmodat(int dirfd, const char *path, uint32_t mode)
{
	struct kstat ks = {.mode = mode & 07777};
	struct vnode *vp;
	int error;

	error = upath_vnode(dirfd, path, 0, &vp);
	if (error == 0)
		error = set_attr(vp, &ks, VATTR_MODE);
	return -error;
}

long
sys_chmod(const char *path, uint32_t mode)
{
	return sys_fchmodat(AT_FDCWD, path, mode);
}

long
sys_fchmod(int fd, uint32_t mode)
{
	struct kstat ks = {.mode = mode & 07777};

	return fd_set_attr(fd, &ks, VATTR_MODE);
}

/* chown of a vnode, whose reference it uses up; -1 leaves a half alone. */
static int
set_owner(struct vnode *vp, uint32_t uid, uint32_t gid)
{
	struct kstat ks;
	int error;

	error = vn_stat(vp, &ks);
	if (error != 0) {
		vrele(vp);
		return error;
	}
	if (uid != UINT32_MAX)
		ks.uid = uid;
	if (gid != UINT32_MAX)
		ks.gid = gid;
	return set_attr(vp, &ks, VATTR_OWNER);
}

long
sys_fchownat(int dirfd, const char *path, uint32_t uid, uint32_t gid, int flags)
{
	struct vnode *vp;
	int error;

	if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	error = upath_vnode(dirfd, path, flags, &vp);
	if (error == 0)
		error = set_owner(vp, uid, gid);
	return -error;
}

long
sys_chown(const char *path, uint32_t uid, uint32_t gid)
{
	return sys_fchownat(AT_FDCWD, path, uid, gid, 0);
}

long
sys_lchown(const char *path, uint32_t uid, uint32_t gid)
{
	return sys_fchownat(AT_FDCWD, path, uid, gid, AT_SYMLINK_NOFOLLOW);
}

long
sys_fchown(int fd, uint32_t uid, uint32_t gid)
{
	struct vnode *vp;
	int error;

	error = fd_vnode(fd, false, &vp);
	if (error == 0)
		error = set_owner(vp, uid, gid);
	return -error;
}

/* The two times of utimensat: what they say, in ns, and which count. *bad:
 * one is none, which Linux finds only when it has the file. */
static int
get_times(const void *utimes, struct kstat *ks, uint32_t *mask, bool *bad)
{
	struct __kernel_timespec ts[2];
	int64_t now = (int64_t)walltime(), ns[2] = {0, 0};
	static const uint32_t bits[2] = {VATTR_ATIME, VATTR_TIMES};
	int i, error;

	*mask = 0;
	*bad = false;
	if (utimes == NULL) {
		ts[0].tv_nsec = ts[1].tv_nsec = UTIME_NOW;
	} else {
		error = copyin(utimes, ts, sizeof(ts));
		if (error != 0)
			return error;
	}
	for (i = 0; i < 2; i++) {
		if (ts[i].tv_nsec == UTIME_OMIT)
			continue;
		*mask |= bits[i];
		if (ts[i].tv_nsec == UTIME_NOW)
			ns[i] = now;
		else if (ts[i].tv_nsec < 0 || ts[i].tv_nsec >= NS_PER_S)
			*bad = true;
		else if (__builtin_mul_overflow(
			     ts[i].tv_sec, NS_PER_S, &ns[i]) ||
		    __builtin_add_overflow(ns[i], ts[i].tv_nsec, &ns[i]))
			ns[i] = ts[i].tv_sec < 0 ? 0 : INT64_MAX;
	}
	if (*mask & VATTR_ATIME)
		ks->atime_ns = ns[0];
	if (*mask & VATTR_TIMES)
		ks->mtime_ns = ns[1];
	return 0;
}

long
sys_utimensat(int dirfd, const char *path, const void *utimes, int flags)
{
	struct kstat ks = {0};
	struct vnode *vp;
	uint32_t mask;
	bool bad;
	int error;

	error = get_times(utimes, &ks, &mask, &bad);
	if (error != 0)
		return -error;
	if (mask == 0)
		return 0; /* both omitted: not even the path is looked at */
	if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	if (path == NULL && dirfd != AT_FDCWD) {
		if (flags & ~AT_EMPTY_PATH)
			return -EINVAL;
		return bad ? -EINVAL : fd_set_attr(dirfd, &ks, mask);
	} else {
		error = upath_vnode(dirfd, path, flags, &vp);
	}
	if (error == 0 && bad) {
		vrele(vp);
		error = EINVAL;
	}
	if (error == 0)
		error = set_attr(vp, &ks, mask);
	return -error;
}
