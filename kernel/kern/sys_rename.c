/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rename.
 *
 * One rename at a time: then no directory's ancestors change under us, and
 * two directories can be locked in the order that everybody follows, the
 * upper one first.
 */
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/fs.h>

#include <kern/proc.h>
#include <kern/sys_path.h>
#include <kern/syscalls.h>

/* A sleepable lock that needs no initialisation call: a token would be lost
 * when the walk sleeps. */
static struct lock rename_lock = LOCK_INITIALIZER("rename");

/* Is `above' vp itself or one of its ancestors within the mount? */
static bool
is_above(struct vnode *above, struct vnode *vp)
{
	struct vnode *cur = vp, *up;
	int error;

	vref(cur);
	while (cur != above && cur != cur->v_mount->mnt_root) {
		vn_lock_shared(cur);
		error = cur->v_ops->vop_lookup(cur, "..", 2, &up);
		vn_unlock(cur);
		vrele(cur);
		if (error != 0)
			return false; /* removed: above it is nothing */
		cur = up;
	}
	vrele(cur);
	return cur == above;
}

/* Locks both, upper first, else in the order of their addresses. */
static void
lock_two(struct vnode *a, struct vnode *b)
{
	struct vnode *first = a < b ? a : b, *second = a < b ? b : a;

	if (a == b) {
		vn_lock(a);
		return;
	}
	if (is_above(second, first)) {
		first = second;
		second = first == a ? b : a;
	}
	vn_lock(first);
	vn_lock(second);
}

/* Everything that can be said before the directories are locked. *same: both
 * names are one file's, nothing is to be done. */
static int
check_rename(struct nameidata *from, struct nameidata *to, unsigned int flags,
    bool *same)
{
	struct vnode *vp, *tvp = NULL;
	int error;

	error = vn_lookup(from->nd_vp, from->nd_last, from->nd_lastlen, &vp);
	if (error != 0)
		return error;
	error = vn_lookup(to->nd_vp, to->nd_last, to->nd_lastlen, &tvp);
	if (error == ENOENT) {
		tvp = NULL;
		error = to->nd_vp->v_ops->vop_create == NULL ? ENOENT : 0;
	}
	if (error != 0)
		tvp = NULL;
	else if (tvp != NULL && (flags & RENAME_NOREPLACE))
		error = EEXIST;
	else if (vp->v_type != VDIR && (from->nd_slash || to->nd_slash))
		error = ENOTDIR;
	else if (is_above(vp, to->nd_vp))
		error = EINVAL;
	else if (tvp != NULL && is_above(tvp, from->nd_vp))
		error = ENOTEMPTY;
	else if (tvp != NULL && tvp == vp)
		*same = true;
	else if (tvp != NULL && vp->v_type == VDIR && tvp->v_type != VDIR)
		error = ENOTDIR;
	else if (tvp != NULL && vp->v_type != VDIR && tvp->v_type == VDIR)
		error = EISDIR;
	else if (vp == vp->v_mount->mnt_root ||
	    (tvp != NULL && tvp == tvp->v_mount->mnt_root))
		error = EBUSY;
	if (tvp != NULL)
		vrele(tvp);
	vrele(vp);
	return error;
}

/* Both last components are known. */
static int
rename_names(struct nameidata *from, struct nameidata *to, unsigned int flags)
{
	struct vnode *odvp = from->nd_vp, *ndvp = to->nd_vp;
	bool same = false;
	int error;

	if (odvp->v_mount != ndvp->v_mount)
		return EXDEV;
	if (from->nd_type != ND_NORM)
		return EBUSY;
	if (to->nd_type != ND_NORM)
		return flags & RENAME_NOREPLACE ? EEXIST : EBUSY;
	lockmgr(&rename_lock, LK_EXCLUSIVE);
	error = check_rename(from, to, flags, &same);
	if (error == 0 && !same) {
		if (odvp->v_mount->mnt_rdonly) {
			error = EROFS;
		} else if (odvp->v_ops->vop_rename == NULL) {
			error = EPERM;
		} else {
			lock_two(odvp, ndvp);
			error = odvp->v_ops->vop_rename(odvp, from->nd_last,
			    from->nd_lastlen, ndvp, to->nd_last,
			    to->nd_lastlen);
			vn_unlock(odvp);
			if (odvp != ndvp)
				vn_unlock(ndvp);
		}
	}
	lockmgr(&rename_lock, LK_RELEASE);
	return error;
}

long
sys_renameat2(int fromfd, const char *ufrom, int tofd, const char *uto,
    unsigned int flags)
{
	struct upath fup, tup;
	struct nameidata from, to;
	int error;

	/* No file system here can exchange or leave a whiteout. */
	if (flags & ~(unsigned int)RENAME_NOREPLACE)
		return -EINVAL;
	error = upath_parent(&fup, fromfd, ufrom, &from);
	if (error != 0)
		return -error;
	error = upath_parent(&tup, tofd, uto, &to);
	if (error == 0) {
		error = rename_names(&from, &to, flags);
		nameidone(&to);
		vrele(to.nd_vp);
		upath_put(&tup);
	}
	nameidone(&from);
	vrele(from.nd_vp);
	upath_put(&fup);
	return -error;
}

long
sys_renameat(int fromfd, const char *from, int tofd, const char *to)
{
	return sys_renameat2(fromfd, from, tofd, to, 0);
}

long
sys_rename(const char *from, const char *to)
{
	return sys_renameat2(AT_FDCWD, from, AT_FDCWD, to, 0);
}
