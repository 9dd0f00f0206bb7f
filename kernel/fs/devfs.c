/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * devfs: character devices, and /dev, a ramfs with a node for each of them.
 */
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/poll.h>

#include <dev/blk.h>
#include <fs/ramfs.h>
#include <kern/kstring.h>

#define DEVICES_MAX 32

/* Filled at boot by one CPU, before /dev is mounted; constant then. */
static const struct cdevsw *devices[DEVICES_MAX];
static int ndevices;

/* Enters a device, for ever. Boot, before devfs_mount. */
void
devfs_register(const struct cdevsw *d)
{
	KKASSERT(ndevices < DEVICES_MAX);
	devices[ndevices++] = d;
}

/* The device with the number, or NULL. */
const struct cdevsw *
cdev_find(uint64_t rdev)
{
	int i;

	for (i = 0; i < ndevices; i++) {
		if (MKDEV(devices[i]->d_major, devices[i]->d_minor) == rdev)
			return devices[i];
	}
	return NULL;
}

/* The device of a vnode; ENXIO when there is none. */
static int
cdev_of(struct vnode *vp, const struct cdevsw **dp)
{
	*dp = vp->v_type == VCHR ? cdev_find(vp->v_rdev) : NULL;
	return *dp == NULL ? ENXIO : 0;
}

/* vop_read of a device. */
int
cdev_read(struct vnode *vp, struct uio *uio, int ioflag)
{
	const struct cdevsw *d;
	int error = cdev_of(vp, &d);

	if (error != 0)
		return error;
	return d->d_read != NULL ? d->d_read(uio, ioflag) : EINVAL;
}

/* vop_write of a device. */
int
cdev_write(struct vnode *vp, struct uio *uio, int ioflag)
{
	const struct cdevsw *d;
	int error = cdev_of(vp, &d);

	if (error != 0)
		return error;
	return d->d_write != NULL ? d->d_write(uio, ioflag) : EINVAL;
}

/* vop_ioctl of a device. */
int
cdev_ioctl(struct vnode *vp, unsigned long cmd, uintptr_t arg)
{
	const struct cdevsw *d;
	int error = cdev_of(vp, &d);

	if (error != 0)
		return error;
	return d->d_ioctl != NULL ? d->d_ioctl(cmd, arg) : ENOTTY;
}

/* vop_poll of a device: one without an opinion is always ready. */
int
cdev_poll(struct vnode *vp, int events)
{
	const struct cdevsw *d;

	if (cdev_of(vp, &d) != 0)
		return POLLERR;
	if (d->d_poll == NULL)
		return POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM;
	return d->d_poll(events);
}

/* vop_open of a device: ENXIO when there is none. */
int
cdev_open(struct vnode *vp, struct file *fp)
{
	const struct cdevsw *d;
	int error = cdev_of(vp, &d);

	if (error != 0)
		return error;
	return d->d_open != NULL ? d->d_open((int)fp->f_flags) : 0;
}

/* The links that programs expect beside the devices. */
static const struct {
	const char *name, *target;
} devlinks[] = {
    {"fd", "/proc/self/fd"},
    {"stdin", "/proc/self/fd/0"},
    {"stdout", "/proc/self/fd/1"},
    {"stderr", "/proc/self/fd/2"},
};

/* Mounts /dev with all that was registered; takes over the reference on
 * success. */
int
devfs_mount(struct vnode *covered)
{
	struct mount *mp = ramfs_new("devtmpfs");
	const struct cdevsw *d;
	struct blkdev *bd = NULL;
	struct ramfs_node *rn;
	int i, error;

	for (i = 0; i < ndevices; i++) {
		d = devices[i];
		rn = ramfs_newnode(
		    mp, VCHR, d->d_mode, MKDEV(d->d_major, d->d_minor));
		ramfs_enter(mp->mnt_data, d->d_name, strlen(d->d_name), rn);
		ramfs_drop(rn);
	}
	while ((bd = blk_next(bd)) != NULL) {
		rn = ramfs_newnode(mp, VBLK, 0660, bd->bd_rdev);
		ramfs_enter(mp->mnt_data, bd->bd_name, strlen(bd->bd_name), rn);
		ramfs_drop(rn);
	}
	for (i = 0; i < (int)nitems(devlinks); i++) {
		rn = ramfs_newnode(mp, VLNK, 0777, 0);
		rn->rn_target = kstrdup(devlinks[i].target, &M_RAMFS);
		rn->rn_size = strlen(devlinks[i].target);
		ramfs_enter(mp->mnt_data, devlinks[i].name,
		    strlen(devlinks[i].name), rn);
		ramfs_drop(rn);
	}
	mp->mnt_covered = covered;
	error = vfs_mount(mp);
	if (error != 0)
		ramfs_undo(mp);
	return error;
}
