/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Looking at files: stat, statx, statfs, access, readlink.
 */
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/limits.h>
#include <linux/magic.h>
#include <linux/stat.h>

#include <asm/stat.h>
#include <asm/statfs.h>

#include <kern/kstring.h>
#include <kern/proc.h>
#include <kern/sys_path.h>
#include <kern/syscalls.h>
#include <kern/uaccess.h>
#include <vm/vm_page.h>

#define NS_PER_S 1000000000L

/* f_flags of statfs: Linux's include/linux/statfs.h; in no header of the
 * ABI. */
#define ST_RDONLY  0x0001
#define ST_VALID   0x0020
#define ST_NOATIME 0x0400

/* To the user in Linux's form. */
static int
put_stat(const struct kstat *ks, void *ust)
{
	struct stat st = {
	    .st_dev = ks->dev,
	    .st_ino = ks->ino,
	    .st_nlink = ks->nlink,
	    .st_mode = ks->mode,
	    .st_uid = ks->uid,
	    .st_gid = ks->gid,
	    .st_rdev = ks->rdev,
	    .st_size = (long)ks->size,
	    .st_blksize = ks->blksize,
	    .st_blocks = (long)ks->blocks,
	    .st_atime = (unsigned long)(ks->atime_ns / NS_PER_S),
	    .st_atime_nsec = (unsigned long)(ks->atime_ns % NS_PER_S),
	    .st_mtime = (unsigned long)(ks->mtime_ns / NS_PER_S),
	    .st_mtime_nsec = (unsigned long)(ks->mtime_ns % NS_PER_S),
	    .st_ctime = (unsigned long)(ks->ctime_ns / NS_PER_S),
	    .st_ctime_nsec = (unsigned long)(ks->ctime_ns % NS_PER_S),
	};

	return copyout(&st, ust, sizeof(st));
}

/* What a descriptor, or a path beside it, stands for. */
static int
get_stat(int dirfd, const char *path, int flags, struct kstat *ks)
{
	struct vnode *vp;
	int error;

	error = upath_vnode(dirfd, path, flags, &vp);
	if (error != 0)
		return error;
	error = vn_stat(vp, ks);
	vrele(vp);
	return error;
}

/* What an open file is, pipes included. */
static int
get_fstat(int fd, struct kstat *ks)
{
	struct file *fp = fget(fd);
	int error;

	if (fp == NULL)
		return EBADF;
	error = fp->f_ops->fo_stat(fp, ks);
	file_drop(fp);
	return error;
}

/* AT_EMPTY_PATH with an empty (or no) path. A bad pointer is not empty. */
static bool
means_fd(const char *path, int flags)
{
	char c;

	if ((flags & AT_EMPTY_PATH) == 0)
		return false;
	return path == NULL || (copyin(path, &c, 1) == 0 && c == '\0');
}

long
sys_newfstatat(int dirfd, const char *path, void *ust, int flags)
{
	struct kstat ks;
	int error;

	if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH | AT_NO_AUTOMOUNT))
		return -EINVAL;
	if (dirfd >= 0 && means_fd(path, flags))
		error = get_fstat(dirfd, &ks);
	else
		error = get_stat(dirfd, path, flags, &ks);
	if (error == 0)
		error = put_stat(&ks, ust);
	return -error;
}

long
sys_stat(const char *path, void *ust)
{
	return sys_newfstatat(AT_FDCWD, path, ust, 0);
}

long
sys_lstat(const char *path, void *ust)
{
	return sys_newfstatat(AT_FDCWD, path, ust, AT_SYMLINK_NOFOLLOW);
}

long
sys_fstat(int fd, void *ust)
{
	struct kstat ks;
	int error;

	error = get_fstat(fd, &ks);
	if (error == 0)
		error = put_stat(&ks, ust);
	return -error;
}

static struct statx_timestamp
stx_time(int64_t ns)
{
	struct statx_timestamp ts = {
	    .tv_sec = ns / NS_PER_S,
	    .tv_nsec = (uint32_t)(ns % NS_PER_S),
	};

	return ts;
}

long
sys_statx(int dirfd, const char *path, int flags, unsigned int mask, void *ustx)
{
	struct kstat ks;
	struct statx stx;
	int error;

	if (flags &
	    ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH | AT_NO_AUTOMOUNT |
		AT_STATX_SYNC_TYPE))
		return -EINVAL;
	if ((mask & STATX__RESERVED) ||
	    (flags & AT_STATX_SYNC_TYPE) == AT_STATX_SYNC_TYPE)
		return -EINVAL;
	if (dirfd >= 0 && means_fd(path, flags))
		error = get_fstat(dirfd, &ks);
	else
		error = get_stat(dirfd, path, flags, &ks);
	if (error != 0)
		return -error;
	bzero(&stx, sizeof(stx));
	stx.stx_mask = STATX_BASIC_STATS;
	stx.stx_blksize = ks.blksize;
	stx.stx_nlink = ks.nlink;
	stx.stx_uid = ks.uid;
	stx.stx_gid = ks.gid;
	stx.stx_mode = (uint16_t)ks.mode;
	stx.stx_ino = ks.ino;
	stx.stx_size = ks.size;
	stx.stx_blocks = ks.blocks;
	stx.stx_atime = stx_time(ks.atime_ns);
	stx.stx_mtime = stx_time(ks.mtime_ns);
	stx.stx_ctime = stx_time(ks.ctime_ns);
	stx.stx_rdev_major = DEV_MAJOR(ks.rdev);
	stx.stx_rdev_minor = DEV_MINOR(ks.rdev);
	stx.stx_dev_major = DEV_MAJOR(ks.dev);
	stx.stx_dev_minor = DEV_MINOR(ks.dev);
	return -copyout(&stx, ustx, sizeof(stx));
}

/* What statfs says of a mount. Memory is what the ones in memory have; proc
 * and pipes have nothing. */
static int
put_statfs(struct mount *mp, void *ust)
{
	struct statfs st;

	bzero(&st, sizeof(st));
	st.f_type = (__statfs_word)mp->mnt_magic;
	st.f_bsize = st.f_frsize = PAGE_SIZE;
	st.f_namelen = NAME_MAX;
	if (mp->mnt_magic != PROC_SUPER_MAGIC &&
	    mp->mnt_magic != PIPEFS_MAGIC) {
		st.f_blocks = vmstats.v_page_count;
		st.f_bfree = st.f_bavail = vmstats.v_free_count;
	}
	st.f_fsid.val[0] = (int)mp->mnt_dev;
	st.f_flags = ST_VALID | ST_NOATIME | (mp->mnt_rdonly ? ST_RDONLY : 0);
	if (mp->mnt_statfs != NULL)
		mp->mnt_statfs(mp, &st);
	return copyout(&st, ust, sizeof(st));
}

long
sys_statfs(const char *path, void *ust)
{
	struct vnode *vp;
	int error;

	error = upath_vnode(AT_FDCWD, path, 0, &vp);
	if (error != 0)
		return -error;
	error = put_statfs(vp->v_mount, ust);
	vrele(vp);
	return -error;
}

long
sys_fstatfs(int fd, void *ust)
{
	struct vnode *vp;
	int error;

	error = fd_vnode(fd, true, &vp);
	if (error != 0)
		return -error;
	error = put_statfs(vp->v_mount, ust);
	vrele(vp);
	return -error;
}

long
sys_faccessat2(int dirfd, const char *path, int mode, int flags)
{
	struct vnode *vp;
	int error;

	if ((mode & ~7) ||
	    (flags & ~(AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)))
		return -EINVAL;
	error = upath_vnode(dirfd, path, flags, &vp);
	if (error != 0)
		return -error;
	error = vn_access(vp, mode);
	vrele(vp);
	return -error;
}

long
sys_faccessat(int dirfd, const char *path, int mode)
{
	return sys_faccessat2(dirfd, path, mode, 0);
}

long
sys_access(const char *path, int mode)
{
	return sys_faccessat2(AT_FDCWD, path, mode, 0);
}

long
sys_readlinkat(int dirfd, const char *path, char *ubuf, int len)
{
	struct vnode *vp;
	char *text;
	size_t n;
	int error;

	if (len <= 0)
		return -EINVAL;
	error =
	    upath_vnode(dirfd, path, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH, &vp);
	if (error != 0)
		return -error;
	if (vp->v_type != VLNK) {
		/* Of a descriptor Linux says that there is no such path. */
		error = means_fd(path, AT_EMPTY_PATH) ? ENOENT : EINVAL;
		vrele(vp);
		return -error;
	}
	error = vn_readlink(vp, &text);
	vrele(vp);
	if (error != 0)
		return -error;
	n = strlen(text);
	n = MIN(n, (size_t)len);
	error = copyout(text, ubuf, n);
	kfree(text, &M_NAMEI);
	return error != 0 ? -error : (long)n;
}

long
sys_readlink(const char *path, char *ubuf, int len)
{
	return sys_readlinkat(AT_FDCWD, path, ubuf, len);
}
