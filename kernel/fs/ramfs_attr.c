/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ramfs: what stat shows and chmod, chown and utimensat change.
 */
#include <fs/ramfs.h>
#include <amd64/machdep.h>

/* vop_getattr; v_lock shared. */
int
ramfs_getattr(struct vnode *vp, struct kstat *st)
{
	struct ramfs_node *rn = vp->v_data;

	st->ino = rn->rn_ino;
	st->mode = vtype_to_mode(rn->rn_type) | rn->rn_mode;
	st->nlink = rn->rn_nlink;
	/* A directory's own "." and the ".." of those in it count. */
	if (rn->rn_type == VDIR && rn->rn_nlink > 0)
		st->nlink = 2 + rn->rn_nsub;
	st->uid = rn->rn_uid;
	st->gid = rn->rn_gid;
	st->atime_ns = rn->rn_atime;
	st->mtime_ns = rn->rn_mtime;
	st->ctime_ns = rn->rn_ctime;
	if (rn->rn_type == VREG) {
		st->size = vp->v_size;
		st->blocks = round_page(vp->v_size) >> 9;
	} else if (rn->rn_type == VLNK) {
		st->size = rn->rn_size;
	}
	return 0;
}

/* vop_setattr; v_lock exclusive. */
int
ramfs_setattr(struct vnode *vp, const struct kstat *st, uint32_t mask)
{
	struct ramfs_node *rn = vp->v_data;

	if (mask & VATTR_MODE)
		rn->rn_mode = st->mode & 07777;
	if (mask & VATTR_OWNER) {
		rn->rn_uid = st->uid;
		rn->rn_gid = st->gid;
	}
	if (mask & VATTR_TIMES)
		rn->rn_mtime = st->mtime_ns;
	if (mask & VATTR_ATIME)
		rn->rn_atime = st->atime_ns;
	rn->rn_ctime = (int64_t)walltime();
	return 0;
}
