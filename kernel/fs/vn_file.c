/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Open files that stand for vnodes.
 */
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/fs.h>
#include <linux/poll.h>
#include <linux/stat.h>

#include <fs/vn_file.h>
#include <fs/vnode.h>
#include <kern/kstring.h>

/* read: v_iolock shared, but for devices, whose reads may wait for ever. */
static int
vn_fo_read(struct file *fp, struct uio *uio)
{
	struct vnode *vp = fp->f_data;
	int ioflag = (int)fp->f_flags, error;

	if (vp->v_type == VDIR)
		return EISDIR;
	if (vp->v_ops->vop_read == NULL)
		return EINVAL;
	if (vp->v_type != VREG)
		return vp->v_ops->vop_read(vp, uio, ioflag);
	vn_iolock_shared(vp);
	error = vp->v_ops->vop_read(vp, uio, ioflag);
	vn_iounlock(vp);
	return error;
}

/* write: v_iolock exclusive; O_APPEND goes to the end as it then is. */
static int
vn_fo_write(struct file *fp, struct uio *uio)
{
	struct vnode *vp = fp->f_data;
	int ioflag = (int)fp->f_flags, error;

	if (vp->v_ops->vop_write == NULL)
		return EINVAL;
	if (vp->v_type != VREG)
		return vp->v_ops->vop_write(vp, uio, ioflag);
	vn_iolock(vp);
	if (ioflag & O_APPEND)
		uio->uio_offset = (int64_t)vp->v_size;
	if (uio->uio_resid > 0 && uio->uio_offset == INT64_MAX)
		error = EFBIG;
	else
		error = vp->v_ops->vop_write(vp, uio, ioflag);
	vn_iounlock(vp);
	return error;
}

static int
vn_fo_ioctl(struct file *fp, unsigned long cmd, uintptr_t arg)
{
	struct vnode *vp = fp->f_data;

	if (vp->v_ops->vop_ioctl == NULL)
		return ENOTTY;
	return vp->v_ops->vop_ioctl(vp, cmd, arg);
}

/* What has no opinion is always ready. */
static int
vn_fo_poll(struct file *fp, int events)
{
	struct vnode *vp = fp->f_data;

	if (vp->v_ops->vop_poll == NULL)
		return events & (POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM);
	return vp->v_ops->vop_poll(vp, events);
}

static int
vn_fo_stat(struct file *fp, struct kstat *st)
{
	return vn_stat(fp->f_data, st);
}

static void
vn_fo_close(struct file *fp)
{
	struct vnode *vp = fp->f_data;

	if (vp->v_ops->vop_close != NULL && (fp->f_flags & O_PATH) == 0)
		vp->v_ops->vop_close(vp, fp);
	vrele(vp);
}

/* The new position for lseek, or a negative errno. f_lock is held. */
static int64_t
vn_fo_seek(struct file *fp, int64_t off, int whence)
{
	struct vnode *vp = fp->f_data;
	const struct cdevsw *d;
	int64_t size;

	if (vp->v_type == VCHR) {
		d = cdev_find(vp->v_rdev);
		return d != NULL && d->d_seekable ? 0 : -ESPIPE;
	}
	size = (int64_t)vp->v_size;
	switch (whence) {
	case SEEK_SET:
		break;
	case SEEK_CUR:
		if (__builtin_add_overflow(off, fp->f_offset, &off))
			return -EINVAL;
		break;
	case SEEK_END:
		if (__builtin_add_overflow(off, size, &off))
			return -EINVAL;
		break;
	case SEEK_DATA: /* no holes: one run of data, then the end */
	case SEEK_HOLE:
		if (vp->v_type != VREG)
			return -EINVAL;
		if (off < 0 || off >= size)
			return -ENXIO;
		return whence == SEEK_DATA ? off : size;
	default:
		return -EINVAL;
	}
	return off < 0 ? -EINVAL : off;
}

const struct fileops vn_fileops = {
    .fo_read = vn_fo_read,
    .fo_write = vn_fo_write,
    .fo_ioctl = vn_fo_ioctl,
    .fo_poll = vn_fo_poll,
    .fo_stat = vn_fo_stat,
    .fo_close = vn_fo_close,
    .fo_seek = vn_fo_seek,
};
