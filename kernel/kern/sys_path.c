/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Paths of system calls: from the user's pointer and descriptor to vnodes.
 */
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/limits.h>

#include <kern/kmalloc.h>
#include <kern/kstring.h>
#include <kern/proc.h>
#include <kern/sys_path.h>
#include <kern/uaccess.h>

/* A file for anything but what O_PATH allows. */
struct file *
fget_io(int fd)
{
	struct file *fp = fget(fd);

	if (fp != NULL && (fp->f_flags & O_PATH)) {
		file_drop(fp);
		return NULL;
	}
	return fp;
}

/* The vnode behind a descriptor. */
int
fd_vnode(int fd, bool path_ok, struct vnode **vpp)
{
	struct file *fp = path_ok ? fget(fd) : fget_io(fd);
	struct vnode *vp;

	if (fp == NULL)
		return EBADF;
	vp = file_vnode(fp);
	if (vp != NULL)
		vref(vp);
	file_drop(fp);
	if (vp == NULL)
		return EBADF;
	*vpp = vp;
	return 0;
}

/* Frees what upath_get made. */
void
upath_put(struct upath *up)
{
	kfree(up->up_path, &M_NAMEI);
	if (up->up_base != NULL)
		vrele(up->up_base);
	up->up_path = NULL;
	up->up_base = NULL;
}

/* Fetches the path and finds its base. The order is Linux's: the text first,
 * and the descriptor only if the path needs it. */
int
upath_get(struct upath *up, int dirfd, const char *upath, bool empty_ok)
{
	int error;

	up->up_base = NULL;
	up->up_path = kmalloc(PATH_MAX, &M_NAMEI, M_WAITOK);
	if (upath == NULL && empty_ok) {
		up->up_path[0] = '\0';
		error = 0;
	} else {
		error = copyinstr(upath, up->up_path, PATH_MAX, NULL);
	}
	up->up_empty = error == 0 && up->up_path[0] == '\0';
	if (up->up_empty && !empty_ok)
		error = ENOENT;
	if (error == 0 && up->up_path[0] != '/' && dirfd != AT_FDCWD) {
		error = fd_vnode(dirfd, true, &up->up_base);
		if (error == 0 && !up->up_empty && up->up_base->v_type != VDIR)
			error = ENOTDIR;
	}
	if (error != 0)
		upath_put(up);
	return error;
}

/* A path's vnode. */
int
upath_vnode(int dirfd, const char *upath, int atflags, struct vnode **vpp)
{
	struct upath up;
	int error;

	error = upath_get(&up, dirfd, upath, (atflags & AT_EMPTY_PATH) != 0);
	if (error != 0)
		return error;
	if (up.up_empty) {
		if (up.up_base != NULL) {
			*vpp = up.up_base;
			vref(*vpp);
		} else {
			*vpp = vfs_cwd();
		}
	} else {
		error = namei(up.up_base, up.up_path,
		    atflags & AT_SYMLINK_NOFOLLOW ? NAMEI_NOFOLLOW
						  : NAMEI_FOLLOW,
		    vpp, NULL, NULL);
	}
	upath_put(&up);
	return error;
}

/* A path's directory and last component. */
int
upath_parent(
    struct upath *up, int dirfd, const char *upath, struct nameidata *nd)
{
	int error;

	error = upath_get(up, dirfd, upath, false);
	if (error != 0)
		return error;
	*nd = (struct nameidata){
	    .nd_base = up->up_base,
	    .nd_path = up->up_path,
	    .nd_flags = NAMEI_PARENT,
	};
	error = namei_walk(nd);
	if (error != 0)
		upath_put(up);
	return error;
}
