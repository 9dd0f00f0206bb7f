/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Descriptors: open, close, dup, pipe, fcntl.
 */
#include <linux/errno.h>
#include <linux/fcntl.h>

#include <asm/ioctls.h>

#include <kern/file.h>
#include <kern/proc.h>
#include <kern/sys_path.h>
#include <kern/syscalls.h>
#include <kern/uaccess.h>

long
sys_openat(int dirfd, const char *upath, int flags, uint32_t mode)
{
	struct upath up;
	struct file *fp;
	int error, fd;

	error = vn_open_flags(flags);
	if (error != 0)
		return -error;
	error = upath_get(&up, dirfd, upath, false);
	if (error != 0)
		return -error;
	error = vn_open(up.up_base, up.up_path, flags, mode, &fp);
	upath_put(&up);
	if (error != 0)
		return -error;
	fd = fd_install(fp, 0, (flags & O_CLOEXEC) != 0);
	if (fd < 0)
		file_drop(fp);
	return fd;
}

long
sys_open(const char *path, int flags, uint32_t mode)
{
	return sys_openat(AT_FDCWD, path, flags, mode);
}

long
sys_creat(const char *path, uint32_t mode)
{
	return sys_openat(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode);
}

long
sys_close(int fd)
{
	struct file *fp = fd_remove(fd);

	if (fp == NULL)
		return -EBADF;
	file_drop(fp);
	return 0;
}

long
sys_dup(int fd)
{
	struct file *fp = fget(fd);
	int nfd;

	if (fp == NULL)
		return -EBADF;
	nfd = fd_install(fp, 0, false);
	if (nfd < 0)
		file_drop(fp);
	return nfd;
}

/* dup2 and dup3, whose descriptors differ. */
static long
dup_to(int fd, int newfd, bool cloexec)
{
	struct file *fp;

	if (newfd < 0 || newfd >= NOFILE)
		return -EBADF;
	fp = fget(fd);
	if (fp == NULL)
		return -EBADF;
	return fd_replace(fp, newfd, cloexec);
}

long
sys_dup2(int fd, int newfd)
{
	struct file *fp;

	if (fd != newfd)
		return dup_to(fd, newfd, false);
	fp = fget(fd);
	if (fp == NULL)
		return -EBADF;
	file_drop(fp);
	return fd;
}

long
sys_dup3(int fd, int newfd, int flags)
{
	if ((flags & ~O_CLOEXEC) || fd == newfd)
		return -EINVAL;
	return dup_to(fd, newfd, (flags & O_CLOEXEC) != 0);
}

long
sys_pipe2(int *ufds, int flags)
{
	struct file *rfp, *wfp;
	bool cloexec = (flags & O_CLOEXEC) != 0;
	int fds[2], error = 0;

	if (flags & ~(O_CLOEXEC | O_NONBLOCK))
		return -EINVAL;
	pipe_create(&rfp, &wfp, flags);
	fds[0] = fd_install(rfp, 0, cloexec);
	if (fds[0] < 0) {
		file_drop(rfp);
		file_drop(wfp);
		return fds[0];
	}
	fds[1] = fd_install(wfp, 0, cloexec);
	if (fds[1] < 0) {
		file_drop(wfp);
		error = -fds[1];
	} else {
		error = copyout(fds, ufds, sizeof(fds));
		if (error != 0)
			sys_close(fds[1]);
	}
	if (error != 0)
		sys_close(fds[0]);
	return -error;
}

long
sys_pipe(int *fds)
{
	return sys_pipe2(fds, 0);
}

/* Changes the flags that may be changed while the file is open. */
static void
set_flags(struct file *fp, uint32_t flags, uint32_t mask)
{
	uint32_t old = atomic_load_uint(&fp->f_flags);

	while (!atomic_fcmpset_uint(
	    &fp->f_flags, &old, (old & ~mask) | (flags & mask)))
		continue;
}

/* F_DUPFD and F_DUPFD_CLOEXEC. */
static long
dup_from(struct file *fp, unsigned long min, bool cloexec)
{
	int fd;

	if (min >= NOFILE)
		return -EINVAL;
	file_ref(fp);
	fd = fd_install(fp, (int)min, cloexec);
	if (fd < 0)
		file_drop(fp);
	return fd;
}

long
sys_fcntl(int fd, unsigned int cmd, unsigned long arg)
{
	struct file *fp = fget(fd);
	struct vnode *vp;
	bool pathonly;
	long res = 0;

	if (fp == NULL)
		return -EBADF;
	vp = file_vnode(fp);
	pathonly = (fp->f_flags & O_PATH) != 0;
	switch (cmd) {
	case F_DUPFD:
	case F_DUPFD_CLOEXEC:
		res = dup_from(fp, arg, cmd == F_DUPFD_CLOEXEC);
		break;
	case F_GETFD:
		res = fd_getcloexec(fd);
		if (res > 0)
			res = FD_CLOEXEC;
		break;
	case F_SETFD:
		res = fd_setcloexec(fd, (arg & FD_CLOEXEC) != 0);
		break;
	case F_GETFL:
		res = (long)fp->f_flags;
		break;
	case F_SETFL:
		if (pathonly)
			res = -EBADF;
		else
			set_flags(fp, (uint32_t)arg, O_APPEND | O_NONBLOCK);
		break;
	case F_GETPIPE_SZ:
		res = vp != NULL && vp->v_type == VFIFO && !pathonly ? 65536
								     : -EBADF;
		break;
	case F_GETLK:
	case F_SETLK:
	case F_SETLKW:
		/* There is no lock manager. */
		res = pathonly ? -EBADF : -ENOLCK;
		break;
	default:
		res = pathonly ? -EBADF : -EINVAL;
		break;
	}
	file_drop(fp);
	return res;
}

long
sys_flock(int fd, unsigned int op)
{
	struct file *fp = fget_io(fd);

	if (fp == NULL)
		return -EBADF;
	file_drop(fp);
	if (op & LOCK_MAND)
		return 0; /* Linux ignores it */
	op &= ~(unsigned int)LOCK_NB;
	if (op != LOCK_SH && op != LOCK_EX && op != LOCK_UN)
		return -EINVAL;
	return op == LOCK_UN ? 0 : -ENOLCK;
}

/* FIONBIO: non-zero means O_NONBLOCK. */
static int
set_nonblock(struct file *fp, uintptr_t arg)
{
	uint32_t on;
	int error;

	error = fuword32((void *)arg, &on);
	if (error == 0)
		set_flags(fp, on != 0 ? O_NONBLOCK : 0, O_NONBLOCK);
	return error;
}

/* FIONREAD of a regular file. */
static int
bytes_left(struct file *fp, struct vnode *vp, uintptr_t arg)
{
	int64_t n;

	lockmgr(&fp->f_lock, LK_SHARED);
	n = (int64_t)vp->v_size - fp->f_offset;
	lockmgr(&fp->f_lock, LK_RELEASE);
	return suword32((void *)arg, (uint32_t)n);
}

long
sys_ioctl(int fd, unsigned int cmd, unsigned long arg)
{
	struct file *fp = fget_io(fd);
	struct vnode *vp;
	int error;

	if (fp == NULL)
		return -EBADF;
	vp = file_vnode(fp);
	switch (cmd) {
	case FIOCLEX:
		error = -fd_setcloexec(fd, true);
		break;
	case FIONCLEX:
		error = -fd_setcloexec(fd, false);
		break;
	case FIONBIO:
		error = set_nonblock(fp, arg);
		break;
	case FIONREAD:
		if (vp != NULL && vp->v_type == VREG) {
			error = bytes_left(fp, vp, arg);
			break;
		}
		/* FALLTHROUGH */
	default:
		error = fp->f_ops->fo_ioctl == NULL
		    ? ENOTTY
		    : fp->f_ops->fo_ioctl(fp, cmd, arg);
		break;
	}
	file_drop(fp);
	return -error;
}
