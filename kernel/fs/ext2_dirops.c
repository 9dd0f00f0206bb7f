/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ext2: making, removing and moving names.
 *
 * What reaches the disk when is left to the syncer, with e2fsck for the rest,
 * but for this: a file that was synced never loses its last name. So a
 * rename's new name is on the disk before the old one goes, and what takes
 * another file's name is on the disk before it does.
 */
#include <linux/errno.h>
#include <linux/limits.h>
#include <linux/stat.h>

#include <fs/ext2.h>
#include <kern/kstring.h>

/* Counts links, and tells the time. */
static int
link_count(struct vnode *vp, int n)
{
	struct ext2_node *ip = VTOE(vp);
	int error;

	lockmgr(&ip->e_lock, LK_EXCLUSIVE);
	if (n < 0 && ip->e_din.i_links_count < -n)
		n = -(int)ip->e_din.i_links_count;
	ip->e_din.i_links_count = (uint16_t)(ip->e_din.i_links_count + n);
	ip->e_din.i_ctime = ext2_now();
	ip->e_dirty = true;
	error = ext2_update(ip);
	lockmgr(&ip->e_lock, LK_RELEASE);
	return error;
}

static bool
full_of_links(struct vnode *vp)
{
	return VTOE(vp)->e_din.i_links_count >= EXT2_LINK_MAX;
}

/* The file that a name leads to, referenced. Its way back is set. */
static int
find(struct vnode *dvp, const char *name, size_t len, struct vnode **vpp)
{
	struct ext2_mount *em = VTOE(dvp)->e_em;
	uint32_t ino;
	int error;

	error = ext2_dir_find(dvp, name, len, &ino);
	if (error == 0)
		error = ext2_vget(em, ino, vpp);
	if (error != 0)
		return error;
	error = ext2_named(*vpp, dvp, name, len, false);
	if (error != 0)
		ext2_drop(em, *vpp);
	return error;
}

/* vop_lookup. Of the dots only ".." comes here. */
static int
ext2_lookup(struct vnode *dvp, const char *name, size_t len, struct vnode **vpp)
{
	if (len == 2 && name[0] == '.' && name[1] == '.') {
		*vpp = ext2_parent(dvp);
		return *vpp == NULL ? ENOENT : 0;
	}
	return find(dvp, name, len, vpp);
}

/* May a new name be entered? */
static int
check_new(struct vnode *dvp, const char *name, size_t len)
{
	uint32_t ino;
	int error;

	if (VTOE(dvp)->e_din.i_links_count == 0)
		return ENOENT;
	if (len > EXT2_NAME_MAX)
		return ENAMETOOLONG;
	error = ext2_dir_find(dvp, name, len, &ino);
	if (error == 0)
		return EEXIST;
	return error == ENOENT ? 0 : error;
}

/* Takes back a file that got no name. */
static void
undo_new(struct vnode *vp)
{
	VTOE(vp)->e_din.i_links_count = 0;
	ext2_unkeep(VTOE(vp));
	ext2_drop(VTOE(vp)->e_em, vp);
}

/* A new file, nameless so far: one link, owner as Linux has it in a directory
 * with the set-group-ID bit. */
static int
new_file(struct vnode *dvp, uint32_t mode, struct vnode **vpp)
{
	struct ext2_node *dp = VTOE(dvp), *ip;
	bool isdir = S_ISDIR(mode);
	uint32_t ino;
	int error;

	error = ext2_ialloc(dp->e_em, dp->e_ino, isdir, &ino);
	if (error != 0)
		return error;
	if (isdir && (dp->e_din.i_mode & S_ISGID))
		mode |= S_ISGID;
	error = ext2_vnew(dp->e_em, ino, mode, vpp);
	if (error != 0) {
		ext2_ifree(dp->e_em, ino, isdir);
		return error;
	}
	ip = VTOE(*vpp);
	lockmgr(&ip->e_lock, LK_EXCLUSIVE);
	if (dp->e_din.i_mode & S_ISGID) {
		ip->e_din.i_gid = dp->e_din.i_gid;
		ip->e_din.i_gid_high = dp->e_din.i_gid_high;
	}
	ip->e_din.i_atime = ip->e_din.i_mtime = ip->e_din.i_ctime = ext2_now();
	lockmgr(&ip->e_lock, LK_RELEASE);
	return 0;
}

/* Gives a new file its name; takes it back if that fails. */
static int
enter_new(struct vnode *dvp, const char *name, size_t len, struct vnode *vp)
{
	int error;

	error = link_count(vp, 0);
	if (error == 0)
		error = ext2_dir_add(
		    dvp, name, len, VTOE(vp)->e_ino, vp->v_type, false);
	if (error == 0)
		error = ext2_named(vp, dvp, name, len, false);
	if (error != 0)
		undo_new(vp);
	return error;
}

/* vop_create. */
static int
ext2_create(struct vnode *dvp, const char *name, size_t len, enum vtype type,
    uint32_t mode, uint64_t rdev, struct vnode **vpp)
{
	struct vnode *vp;
	bool isdir = type == VDIR;
	int error;

	error = check_new(dvp, name, len);
	if (error == 0 && isdir && full_of_links(dvp))
		error = EMLINK;
	if (error == 0)
		error =
		    new_file(dvp, vtype_to_mode(type) | (mode & 07777), &vp);
	if (error != 0)
		return error;
	if (type == VCHR || type == VBLK) {
		vp->v_rdev = rdev;
		VTOE(vp)->e_din.i_block[rdev > 0xffff] = (uint32_t)rdev;
	}
	if (isdir) {
		error = ext2_dir_init(vp, VTOE(dvp)->e_ino);
		if (error != 0) {
			undo_new(vp);
			return error;
		}
		link_count(vp, 1);
		link_count(dvp, 1);
	}
	error = enter_new(dvp, name, len, vp);
	if (error == 0)
		*vpp = vp;
	else if (isdir)
		link_count(dvp, -1);
	return error;
}

/* vop_symlink: a short text is in the inode, where the block numbers of
 * others are. */
static int
ext2_symlink(
    struct vnode *dvp, const char *name, size_t len, const char *target)
{
	struct ext2_mount *em = VTOE(dvp)->e_em;
	size_t tlen = strlen(target);
	struct ext2_node *ip;
	struct vnode *vp;
	struct buf *bp;
	uint32_t blk;
	bool isnew;
	int error;

	error = check_new(dvp, name, len);
	if (error == 0 && tlen >= MIN(em->em_bsize, PATH_MAX))
		error = ENAMETOOLONG;
	if (error == 0)
		error = new_file(dvp, S_IFLNK | 0777, &vp);
	if (error != 0)
		return error;
	ip = VTOE(vp);
	lockmgr(&ip->e_lock, LK_EXCLUSIVE);
	ip->e_din.i_size = (uint32_t)tlen;
	if (tlen < sizeof(ip->e_din.i_block)) {
		memcpy(ip->e_din.i_block, target, tlen);
	} else {
		error = ext2_bmap_alloc(ip, 0, &blk, &isnew);
		bp = error == 0 ? ext2_getblk(em, blk) : NULL;
		if (error == 0 && bp == NULL)
			error = EIO;
		if (error == 0) {
			memset(bp->b_data, 0, em->em_bsize);
			memcpy(bp->b_data, target, tlen);
			error = bwrite(bp);
		}
	}
	lockmgr(&ip->e_lock, LK_RELEASE);
	if (error != 0) {
		undo_new(vp);
		return error;
	}
	error = enter_new(dvp, name, len, vp);
	if (error == 0)
		ext2_drop(em, vp);
	return error;
}

/* vop_link; vp is no directory and of this mount. */
static int
ext2_link(struct vnode *dvp, const char *name, size_t len, struct vnode *vp)
{
	int error;

	error = check_new(dvp, name, len);
	if (error == 0 && VTOE(vp)->e_din.i_links_count == 0)
		error = ENOENT;
	if (error == 0 && full_of_links(vp))
		error = EMLINK;
	if (error == 0)
		error = link_count(vp, 1);
	if (error != 0)
		return error;
	error =
	    ext2_dir_add(dvp, name, len, VTOE(vp)->e_ino, vp->v_type, false);
	if (error != 0)
		link_count(vp, -1);
	else
		ext2_named(vp, dvp, name, len, false);
	return error;
}

/* A name of vp in dvp is gone: so may be the file. A directory has lost its
 * own "." with it, and its parent the "..". */
static void
lost_name(struct vnode *vp, struct vnode *dvp, const char *name, size_t len)
{
	ext2_unnamed(vp, dvp, name, len);
	if (vp->v_type == VDIR)
		link_count(dvp, -1);
	link_count(vp, vp->v_type == VDIR ? -EXT2_LINK_MAX : -1);
	if (VTOE(vp)->e_din.i_links_count == 0)
		ext2_unkeep(VTOE(vp));
}

/* vop_unlink. */
static int
ext2_unlink(struct vnode *dvp, const char *name, size_t len)
{
	struct vnode *vp;
	int error;

	error = find(dvp, name, len, &vp);
	if (error != 0)
		return error;
	error = vp->v_type == VDIR ? EISDIR : ext2_dir_remove(dvp, name, len);
	if (error == 0)
		lost_name(vp, dvp, name, len);
	ext2_drop(VTOE(dvp)->e_em, vp);
	return error;
}

/* Removes the name of an empty directory, or (ino not 0) lets it lead to
 * another; keeps everybody else from creating something in it meanwhile. */
static int
remove_dir(struct vnode *dvp, const char *name, size_t len, struct vnode *vp,
    uint32_t ino)
{
	int error;

	vn_lock(vp);
	error = ext2_dir_empty(vp);
	if (error == 0)
		error = ino == 0
		    ? ext2_dir_remove(dvp, name, len)
		    : ext2_dir_change(dvp, name, len, ino, VDIR, true);
	if (error == 0)
		lost_name(vp, dvp, name, len);
	vn_unlock(vp);
	return error;
}

/* vop_rmdir. */
static int
ext2_rmdir(struct vnode *dvp, const char *name, size_t len)
{
	struct vnode *vp;
	int error;

	error = find(dvp, name, len, &vp);
	if (error != 0)
		return error;
	error =
	    vp->v_type != VDIR ? ENOTDIR : remove_dir(dvp, name, len, vp, 0);
	ext2_drop(VTOE(dvp)->e_em, vp);
	return error;
}

/* Lets the name of another file lead to vp: first of all vp is on the disk,
 * then the name, and then the other one may go. */
static int
take_name(struct vnode *dvp, const char *name, size_t len, struct vnode *vp,
    struct vnode *tvp)
{
	uint32_t ino = VTOE(vp)->e_ino;
	int error;

	if (vp->v_type == VDIR && tvp->v_type != VDIR)
		return ENOTDIR;
	if (vp->v_type != VDIR && tvp->v_type == VDIR)
		return EISDIR;
	error = ext2_clean(vp);
	if (error == 0)
		error = bflush(VTOE(vp)->e_em->em_devvp);
	if (error != 0)
		return error;
	if (tvp->v_type == VDIR)
		return remove_dir(dvp, name, len, tvp, ino);
	error = ext2_dir_change(dvp, name, len, ino, vp->v_type, true);
	if (error == 0)
		lost_name(tvp, dvp, name, len);
	return error;
}

/* The new name of a rename. */
static int
new_name(struct vnode *dvp, const char *name, size_t len, struct vnode *vp)
{
	struct vnode *tvp;
	int error;

	error = check_new(dvp, name, len);
	if (error == 0)
		return ext2_dir_add(
		    dvp, name, len, VTOE(vp)->e_ino, vp->v_type, true);
	if (error != EEXIST)
		return error;
	error = find(dvp, name, len, &tvp);
	if (error == 0) {
		error = take_name(dvp, name, len, vp, tvp);
		ext2_drop(VTOE(dvp)->e_em, tvp);
	}
	return error;
}

/* A directory has moved from one to another: its ".." leads there. */
static int
move_dotdot(struct vnode *vp, struct vnode *odvp, struct vnode *ndvp)
{
	int error;

	error = ext2_dir_change(vp, "..", 2, VTOE(ndvp)->e_ino, VDIR, false);
	link_count(ndvp, 1);
	link_count(odvp, -1);
	return error;
}

/* vop_rename: both directories locked exclusively; the caller saw to it that
 * a directory does not go below itself, and that the names are two files'. */
static int
ext2_rename(struct vnode *odvp, const char *oname, size_t olen,
    struct vnode *ndvp, const char *nname, size_t nlen)
{
	struct ext2_mount *em = VTOE(odvp)->e_em;
	bool moved = false;
	struct vnode *vp;
	uint32_t ino;
	int error;

	error = find(odvp, oname, olen, &vp);
	if (error != 0)
		return error;
	if (ext2_dir_find(ndvp, nname, nlen, &ino) == 0 &&
	    ino == VTOE(vp)->e_ino) {
		ext2_drop(em, vp);
		return 0; /* two names of one file: nothing happens */
	}
	moved = vp->v_type == VDIR && odvp != ndvp;
	if ((moved && full_of_links(ndvp)) || full_of_links(vp))
		error = EMLINK;
	if (error == 0)
		error = link_count(vp, 1);
	if (error == 0) {
		error = new_name(ndvp, nname, nlen, vp);
		if (error == 0 && moved) {
			vn_lock(vp);
			error = move_dotdot(vp, odvp, ndvp);
			vn_unlock(vp);
		}
		if (error == 0)
			error = ext2_named(vp, ndvp, nname, nlen, moved);
		if (error == 0)
			error = ext2_dir_remove(odvp, oname, olen);
		link_count(vp, -1);
	}
	ext2_drop(em, vp);
	return error;
}

const struct vnodeops ext2_dirops = {
    .vop_lookup = ext2_lookup,
    .vop_create = ext2_create,
    .vop_link = ext2_link,
    .vop_unlink = ext2_unlink,
    .vop_rmdir = ext2_rmdir,
    .vop_rename = ext2_rename,
    .vop_symlink = ext2_symlink,
    .vop_readdir = ext2_readdir,
    .vop_getattr = ext2_getattr,
    .vop_setattr = ext2_setattr,
    .vop_fsync = ext2_fsync,
    .vop_inactive = ext2_inactive,
    .vop_name = ext2_name,
};
