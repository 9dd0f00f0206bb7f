/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Making and removing names: mkdir, mknod, symlink, link, unlink, rmdir,
 * umask.
 */
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/stat.h>

#include <kern/kmalloc.h>
#include <kern/proc.h>
#include <kern/sys_path.h>
#include <kern/syscalls.h>

/* Ends what upath_parent began. */
static void
parent_put(struct upath *up, struct nameidata *nd)
{
	nameidone(nd);
	vrele(nd->nd_vp);
	upath_put(up);
}

/* The directory in which a path's last name may be made. It must be a name
 * and not exist; a slash behind it is for directories only. */
static int
parent_for_new(struct upath *up, int dirfd, const char *upath, bool isdir,
    struct nameidata *nd)
{
	struct vnode *vp;
	int error;

	error = upath_parent(up, dirfd, upath, nd);
	if (error != 0)
		return error;
	if (nd->nd_type != ND_NORM) {
		error = EEXIST;
	} else {
		error = vn_lookup(nd->nd_vp, nd->nd_last, nd->nd_lastlen, &vp);
		if (error == 0) {
			vrele(vp);
			error = EEXIST;
		} else if (error == ENOENT) {
			error = nd->nd_slash && !isdir ? ENOENT : 0;
			/* Where nothing can be made Linux's lookup fails. */
			if (nd->nd_vp->v_ops->vop_create == NULL)
				error = ENOENT;
		}
	}
	if (error == 0 && nd->nd_vp->v_mount->mnt_rdonly)
		error = EROFS;
	if (error != 0)
		parent_put(up, nd);
	return error;
}

/* mkdir and mknod. */
static long
make_node(
    int dirfd, const char *upath, enum vtype type, uint32_t mode, uint64_t rdev)
{
	struct upath up;
	struct nameidata nd;
	struct vnode *dvp, *vp;
	int error;

	error = parent_for_new(&up, dirfd, upath, type == VDIR, &nd);
	if (error != 0)
		return -error;
	dvp = nd.nd_vp;
	if (dvp->v_ops->vop_create == NULL) {
		error = EPERM;
	} else {
		vn_lock(dvp);
		error = dvp->v_ops->vop_create(dvp, nd.nd_last, nd.nd_lastlen,
		    type, mode & ~curproc->p_umask, rdev, &vp);
		vn_unlock(dvp);
		if (error == 0)
			vrele(vp);
	}
	parent_put(&up, &nd);
	return -error;
}

long
sys_mkdirat(int dirfd, const char *path, uint32_t mode)
{
	return make_node(dirfd, path, VDIR, mode & 01777, 0);
}

long
sys_mkdir(const char *path, uint32_t mode)
{
	return sys_mkdirat(AT_FDCWD, path, mode);
}

long
sys_mknodat(int dirfd, const char *path, uint32_t mode, unsigned int dev)
{
	enum vtype type;

	if ((mode & S_IFMT) == 0)
		mode |= S_IFREG;
	if (!mode_to_vtype(mode, &type) || type == VLNK)
		return -EINVAL; /* nor are there sockets */
	if (type == VDIR)
		return -EPERM;
	return make_node(dirfd, path, type, mode & 07777,
	    type == VCHR || type == VBLK ? dev : 0);
}

long
sys_mknod(const char *path, uint32_t mode, unsigned int dev)
{
	return sys_mknodat(AT_FDCWD, path, mode, dev);
}

long
sys_symlinkat(const char *utarget, int dirfd, const char *path)
{
	struct upath target, up;
	struct nameidata nd;
	struct vnode *dvp;
	int error;

	error = upath_get(&target, AT_FDCWD, utarget, false);
	if (error != 0)
		return -error;
	error = parent_for_new(&up, dirfd, path, false, &nd);
	if (error == 0) {
		dvp = nd.nd_vp;
		if (dvp->v_ops->vop_symlink == NULL) {
			error = EPERM;
		} else {
			vn_lock(dvp);
			error = dvp->v_ops->vop_symlink(
			    dvp, nd.nd_last, nd.nd_lastlen, target.up_path);
			vn_unlock(dvp);
		}
		parent_put(&up, &nd);
	}
	upath_put(&target);
	return -error;
}

long
sys_symlink(const char *target, const char *path)
{
	return sys_symlinkat(target, AT_FDCWD, path);
}

/* Gives vp another name. */
static int
link_vnode(struct vnode *vp, struct nameidata *nd)
{
	struct vnode *dvp = nd->nd_vp;
	int error;

	if (vp->v_mount != dvp->v_mount)
		return EXDEV;
	if (vp->v_type == VDIR || dvp->v_ops->vop_link == NULL)
		return EPERM;
	vn_lock(dvp);
	error = dvp->v_ops->vop_link(dvp, nd->nd_last, nd->nd_lastlen, vp);
	vn_unlock(dvp);
	return error;
}

long
sys_linkat(int fromfd, const char *from, int tofd, const char *to, int flags)
{
	struct upath up;
	struct nameidata nd;
	struct vnode *vp;
	int error, at;

	if (flags & ~(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	at = flags & AT_EMPTY_PATH;
	if ((flags & AT_SYMLINK_FOLLOW) == 0)
		at |= AT_SYMLINK_NOFOLLOW;
	error = upath_vnode(fromfd, from, at, &vp);
	if (error != 0)
		return -error;
	error = parent_for_new(&up, tofd, to, false, &nd);
	if (error == 0) {
		error = link_vnode(vp, &nd);
		parent_put(&up, &nd);
	}
	vrele(vp);
	return -error;
}

long
sys_link(const char *from, const char *to)
{
	return sys_linkat(AT_FDCWD, from, AT_FDCWD, to, 0);
}

/* The last name's vnode must not be a mount's root; its kind must be the one
 * that is to be removed. */
static int
check_victim(struct nameidata *nd, bool isdir)
{
	struct vnode *vp;
	int error;

	error = vn_lookup(nd->nd_vp, nd->nd_last, nd->nd_lastlen, &vp);
	if (error != 0)
		return error;
	if (isdir && vp->v_type != VDIR)
		error = ENOTDIR;
	else if (!isdir && vp->v_type == VDIR)
		error = EISDIR;
	else if (!isdir && nd->nd_slash)
		error = ENOTDIR;
	else if (vp == vp->v_mount->mnt_root)
		error = EBUSY;
	vrele(vp);
	return error;
}

/* unlink and rmdir of a name. */
static int
remove_name(struct nameidata *nd, bool isdir)
{
	struct vnode *dvp = nd->nd_vp;
	int (*op)(struct vnode *, const char *, size_t);
	int error;

	error = check_victim(nd, isdir);
	if (error != 0)
		return error;
	if (dvp->v_mount->mnt_rdonly)
		return EROFS;
	op = isdir ? dvp->v_ops->vop_rmdir : dvp->v_ops->vop_unlink;
	if (op == NULL)
		return EPERM;
	vn_lock(dvp);
	error = op(dvp, nd->nd_last, nd->nd_lastlen);
	vn_unlock(dvp);
	return error;
}

long
sys_unlinkat(int dirfd, const char *path, int flags)
{
	bool isdir = (flags & AT_REMOVEDIR) != 0;
	struct upath up;
	struct nameidata nd;
	int error;

	if (flags & ~AT_REMOVEDIR)
		return -EINVAL;
	error = upath_parent(&up, dirfd, path, &nd);
	if (error != 0)
		return -error;
	if (nd.nd_type == ND_NORM)
		error = remove_name(&nd, isdir);
	else if (!isdir)
		error = EISDIR;
	else if (nd.nd_type == ND_DOT)
		error = EINVAL;
	else
		error = nd.nd_type == ND_DOTDOT ? ENOTEMPTY : EBUSY;
	parent_put(&up, &nd);
	return -error;
}

long
sys_unlink(const char *path)
{
	return sys_unlinkat(AT_FDCWD, path, 0);
}

long
sys_rmdir(const char *path)
{
	return sys_unlinkat(AT_FDCWD, path, AT_REMOVEDIR);
}

long
sys_umask(int mask)
{
	struct proc *p = curproc;
	uint32_t old;

	lwkt_gettoken(&p->p_token);
	old = p->p_umask;
	p->p_umask = (uint32_t)mask & 0777;
	lwkt_reltoken(&p->p_token);
	return old;
}
