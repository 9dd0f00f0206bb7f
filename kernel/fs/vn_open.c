/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * open: from a path and flags to an open file. The order of the checks is
 * Linux's, since it decides which errno a program sees.
 */
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/limits.h>

#include <fs/vn_file.h>
#include <fs/vnode.h>
#include <kern/kstring.h>
#include <kern/proc.h>

#define O_WRITES(flags) (((flags)&O_ACCMODE) != O_RDONLY)

/* See vnode.h. Linux looks at the flags before anything else. */
int
vn_open_flags(int flags)
{
	if (flags & O_PATH)
		return 0;
	if ((flags & (O_CREAT | O_DIRECTORY)) == (O_CREAT | O_DIRECTORY))
		return EINVAL;
	if (flags & __O_TMPFILE)
		return (flags & O_TMPFILE) == O_TMPFILE && O_WRITES(flags)
		    ? EOPNOTSUPP
		    : EINVAL;
	return 0;
}

/* What a path is opened for decides whether it may be. */
static int
may_open(struct vnode *vp, int flags)
{
	bool writes = O_WRITES(flags) || (flags & O_TRUNC);
	int error;

	if ((flags & O_DIRECTORY) && vp->v_type != VDIR)
		return ENOTDIR;
	if (flags & O_PATH)
		return 0;
	switch (vp->v_type) {
	case VLNK:
		return ELOOP;
	case VDIR:
		return writes ? EISDIR : 0;
	case VREG:
		error = writes ? vn_access(vp, 2) : 0;
		if (error == 0 && writes && vp->v_texts != 0)
			error = ETXTBSY;
		return error;
	default:
		return 0;
	}
}

/* Makes the open file of a vnode that may be opened. Uses up the reference,
 * also when it fails. */
static int
open_vnode(struct vnode *vp, int flags, bool created, struct file **fpp)
{
	struct file *fp;
	uint32_t keep;
	int error = 0;

	if (vp->v_type == VFIFO && (flags & O_PATH) == 0) {
		error = fifo_open(vp, flags, fpp);
		vrele(vp);
		return error;
	}
	if ((flags & (O_TRUNC | O_PATH)) == O_TRUNC && vp->v_type == VREG &&
	    !created)
		error = vn_truncate(vp, 0);
	if (error != 0) {
		vrele(vp);
		return error;
	}
	keep = (uint32_t)flags &
	    ~(O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_CLOEXEC);
	/* A 64-bit program's files are all large: F_GETFL shows it. */
	if ((flags & O_PATH) == 0)
		keep |= O_LARGEFILE;
	fp = file_alloc(&vn_fileops, DTYPE_VNODE, vp, keep);
	fp->f_seekable =
	    vp->v_type == VREG || vp->v_type == VDIR || vp->v_type == VBLK;
	if (vp->v_ops->vop_open != NULL && (flags & O_PATH) == 0)
		error = vp->v_ops->vop_open(vp, fp);
	if (error != 0) {
		fp->f_flags |= O_PATH; /* not opened: not to be closed */
		file_drop(fp);
		return error;
	}
	*fpp = fp;
	return 0;
}

/* The last name is to be created unless it exists. nd_vp is its directory.
 * *vpp: the file, referenced; or a symlink to be followed. */
static int
open_create(struct nameidata *nd, int flags, uint32_t mode, struct vnode **vpp,
    bool *created)
{
	struct vnode *dvp = nd->nd_vp;
	uint32_t umask = curproc != NULL ? curproc->p_umask : 0;
	int error;

	*created = false;
	if (nd->nd_type == ND_NORM && nd->nd_slash)
		return EISDIR;
	if (nd->nd_type != ND_NORM) {
		if (flags & O_EXCL)
			return EEXIST;
		return EISDIR;
	}
	for (;;) {
		error = vn_lookup(dvp, nd->nd_last, nd->nd_lastlen, vpp);
		if (error != ENOENT)
			break;
		if (dvp->v_mount->mnt_rdonly)
			return EROFS;
		if (dvp->v_ops->vop_create == NULL)
			return ENOENT; /* as Linux's procfs has it */
		vn_lock(dvp);
		error = dvp->v_ops->vop_create(dvp, nd->nd_last, nd->nd_lastlen,
		    VREG, mode & 07777 & ~umask, 0, vpp);
		vn_unlock(dvp);
		if (error == 0)
			*created = true;
		if (error != EEXIST)
			break; /* else somebody was faster: look again */
	}
	if (error != 0 || *created)
		return error;
	if (flags & O_EXCL) {
		vrele(*vpp);
		return EEXIST;
	}
	if ((*vpp)->v_type == VDIR) {
		vrele(*vpp);
		return EISDIR;
	}
	return 0;
}

/* open with O_CREAT. A symlink at the end, even a dangling one, is followed
 * and what it names is created. */
static int
open_creating(struct vnode *base, const char *path, int flags, uint32_t mode,
    struct vnode **vpp, bool *created)
{
	struct nameidata nd = {
	    .nd_base = base,
	    .nd_path = path,
	    .nd_flags = NAMEI_PARENT,
	};
	struct vnode *at = NULL, *vp;
	char *text = NULL;
	int error;

	for (;;) {
		error = namei_walk(&nd);
		if (at != NULL)
			vrele(at);
		if (error != 0)
			break;
		at = nd.nd_vp;
		error = open_create(&nd, flags, mode, &vp, created);
		nameidone(&nd);
		kfree(text, &M_NAMEI);
		text = NULL;
		if (error != 0 || vp->v_type != VLNK || (flags & O_NOFOLLOW)) {
			vrele(at);
			break;
		}
		if (vp->v_ops->vop_follow != NULL) {
			struct vnode *link = vp;

			error = link->v_ops->vop_follow(link, &vp);
			if (error != EINVAL) {
				vrele(link);
				vrele(at);
				break;
			}
			vp = link;
		}
		error = ++nd.nd_links > NAMEI_MAXLINKS ? ELOOP
						       : vn_readlink(vp, &text);
		vrele(vp);
		if (error != 0) {
			vrele(at);
			break;
		}
		nd.nd_base = at;
		nd.nd_path = text;
	}
	kfree(text, &M_NAMEI);
	if (error == 0)
		*vpp = vp;
	return error;
}

/*
 * Opens a path for the kernel or for a system call: flags are Linux's O_*,
 * mode is taken less the umask. base NULL: the cwd. A referenced file, in no
 * table yet. May sleep, and in a FIFO be interrupted.
 */
int
vn_open(struct vnode *base, const char *path, int flags, uint32_t mode,
    struct file **fpp)
{
	struct nameidata nd = {.nd_base = base, .nd_path = path};
	struct vnode *vp;
	bool created = false;
	int error;

	if (flags & O_PATH)
		flags &= O_DIRECTORY | O_NOFOLLOW | O_PATH | O_CLOEXEC;
	error = vn_open_flags(flags);
	if (error != 0)
		return error;
	if (flags & O_CREAT) {
		error = open_creating(base, path, flags, mode, &vp, &created);
		if (error != 0)
			return error;
	} else {
		nd.nd_flags =
		    flags & O_NOFOLLOW ? NAMEI_NOFOLLOW : NAMEI_FOLLOW;
		error = namei_walk(&nd);
		if (error != 0)
			return error;
		nameidone(&nd);
		vp = nd.nd_vp;
	}
	error = created ? 0 : may_open(vp, flags);
	if (error != 0) {
		vrele(vp);
		return error;
	}
	return open_vnode(vp, flags, created, fpp);
}
