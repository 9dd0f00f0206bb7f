/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ext2: what stat shows and chmod, chown and utimensat change. Times are
 * seconds; nobody counts reading as use (noatime).
 */
#include <linux/errno.h>

#include <amd64/machdep.h>
#include <fs/ext2.h>

#define NS_PER_S 1000000000L

uint32_t
ext2_now(void)
{
	return (uint32_t)(walltime() / NS_PER_S);
}

/* The disk's seconds are signed: 1901 to 2038. */
static int64_t
to_ns(uint32_t seconds)
{
	return (int64_t)(int32_t)seconds * NS_PER_S;
}

static uint32_t
to_seconds(int64_t ns)
{
	int64_t s = ns / NS_PER_S;

	return (uint32_t)(int32_t)MIN(MAX(s, INT32_MIN), INT32_MAX);
}

/* vop_getattr; v_lock shared. */
int
ext2_getattr(struct vnode *vp, struct kstat *st)
{
	struct ext2_node *ip = VTOE(vp);
	const struct ext2_inode *din = &ip->e_din;

	lockmgr(&ip->e_lock, LK_SHARED);
	st->ino = ip->e_ino;
	st->mode = din->i_mode;
	st->nlink = din->i_links_count;
	st->uid = din->i_uid | (uint32_t)din->i_uid_high << 16;
	st->gid = din->i_gid | (uint32_t)din->i_gid_high << 16;
	st->size = vp->v_type == VREG ? vp->v_size : din->i_size;
	st->blocks = din->i_blocks;
	st->blksize = ip->e_em->em_bsize;
	st->atime_ns = to_ns(din->i_atime);
	st->mtime_ns = to_ns(din->i_mtime);
	st->ctime_ns = to_ns(din->i_ctime);
	lockmgr(&ip->e_lock, LK_RELEASE);
	return 0;
}

/* vop_setattr; v_lock exclusive. EIO. */
int
ext2_setattr(struct vnode *vp, const struct kstat *st, uint32_t mask)
{
	struct ext2_node *ip = VTOE(vp);
	struct ext2_inode *din = &ip->e_din;
	int error;

	lockmgr(&ip->e_lock, LK_EXCLUSIVE);
	if (mask & VATTR_MODE)
		din->i_mode =
		    (uint16_t)((din->i_mode & ~07777U) | (st->mode & 07777));
	if (mask & VATTR_OWNER) {
		din->i_uid = (uint16_t)st->uid;
		din->i_uid_high = (uint16_t)(st->uid >> 16);
		din->i_gid = (uint16_t)st->gid;
		din->i_gid_high = (uint16_t)(st->gid >> 16);
	}
	if (mask & VATTR_TIMES)
		din->i_mtime = to_seconds(st->mtime_ns);
	if (mask & VATTR_ATIME)
		din->i_atime = to_seconds(st->atime_ns);
	din->i_ctime = ext2_now();
	ip->e_dirty = true;
	error = ext2_update(ip);
	lockmgr(&ip->e_lock, LK_RELEASE);
	return error;
}
