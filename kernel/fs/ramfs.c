/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ramfs: directories and mounting.
 *
 * The caller has locked the directory, for a change exclusively; a rename's
 * two in the right order (vn_rename).
 */
#include <linux/errno.h>
#include <linux/limits.h>
#include <linux/magic.h>

#include <amd64/machdep.h>
#include <fs/ramfs.h>
#include <kern/bootopt.h>
#include <kern/kstring.h>

/* A directory was changed. */
static void
touch(struct ramfs_node *dir)
{
	dir->rn_mtime = dir->rn_ctime = (int64_t)walltime();
}

/* May a new name be entered? ENOENT when the directory itself was removed,
 * ENAMETOOLONG, EEXIST. */
static int
check_new(struct ramfs_node *dir, const char *name, size_t len)
{
	if (dir->rn_nlink == 0)
		return ENOENT;
	if (len > NAME_MAX)
		return ENAMETOOLONG;
	return ramfs_find(dir, name, len) != NULL ? EEXIST : 0;
}

/* vop_lookup. Of the dots only ".." comes here. */
static int
ramfs_lookup(
    struct vnode *dvp, const char *name, size_t len, struct vnode **vpp)
{
	struct ramfs_node *dir = dvp->v_data, *up;
	struct ramfs_dirent *rd;

	if (len == 2 && name[0] == '.' && name[1] == '.') {
		spin_lock(&ramfs_spin);
		up = dir->rn_parent;
		if (up != NULL)
			up->rn_refs++;
		spin_unlock(&ramfs_spin);
		if (up == NULL)
			return ENOENT;
		*vpp = ramfs_vget(up);
		ramfs_drop(up);
		return 0;
	}
	rd = ramfs_find(dir, name, len);
	if (rd == NULL)
		return ENOENT;
	*vpp = ramfs_vget(rd->rd_node);
	return 0;
}

/* vop_create. */
static int
ramfs_create(struct vnode *dvp, const char *name, size_t len, enum vtype type,
    uint32_t mode, uint64_t rdev, struct vnode **vpp)
{
	struct ramfs_node *dir = dvp->v_data, *rn;
	int error;

	error = check_new(dir, name, len);
	if (error != 0)
		return error;
	rn = ramfs_newnode(dvp->v_mount, type, mode, rdev);
	ramfs_enter(dir, name, len, rn);
	touch(dir);
	*vpp = ramfs_vget(rn);
	ramfs_drop(rn);
	return 0;
}

/* vop_symlink. */
static int
ramfs_symlink(
    struct vnode *dvp, const char *name, size_t len, const char *target)
{
	struct ramfs_node *dir = dvp->v_data, *rn;
	int error;

	error = check_new(dir, name, len);
	if (error != 0)
		return error;
	rn = ramfs_newnode(dvp->v_mount, VLNK, 0777, 0);
	rn->rn_target = kstrdup(target, &M_RAMFS);
	rn->rn_size = strlen(target);
	ramfs_enter(dir, name, len, rn);
	touch(dir);
	ramfs_drop(rn);
	return 0;
}

/* vop_link; vp is no directory and of this mount. */
static int
ramfs_link(struct vnode *dvp, const char *name, size_t len, struct vnode *vp)
{
	struct ramfs_node *dir = dvp->v_data, *rn = vp->v_data;
	int error;

	error = check_new(dir, name, len);
	if (error != 0)
		return error;
	/* A file without a name may have lost its pages' keeper already. */
	if (rn->rn_nlink == 0)
		return ENOENT;
	ramfs_enter(dir, name, len, rn);
	rn->rn_ctime = (int64_t)walltime();
	touch(dir);
	return 0;
}

/* vop_unlink. */
static int
ramfs_unlink(struct vnode *dvp, const char *name, size_t len)
{
	struct ramfs_node *dir = dvp->v_data;
	struct ramfs_dirent *rd;

	rd = ramfs_find(dir, name, len);
	if (rd == NULL)
		return ENOENT;
	if (rd->rd_node->rn_type == VDIR)
		return EISDIR;
	rd->rd_node->rn_ctime = (int64_t)walltime();
	ramfs_remove(rd);
	touch(dir);
	return 0;
}

/* Removes an empty directory's name, keeping everybody else from creating
 * something in it meanwhile. */
static int
remove_dir(struct ramfs_dirent *rd)
{
	struct vnode *vp = ramfs_vget(rd->rd_node);
	int error = 0;

	vn_lock(vp);
	if (!TAILQ_EMPTY(&rd->rd_node->rn_order))
		error = ENOTEMPTY;
	else
		ramfs_remove(rd);
	vn_unlock(vp);
	vrele(vp);
	return error;
}

/* vop_rmdir. */
static int
ramfs_rmdir(struct vnode *dvp, const char *name, size_t len)
{
	struct ramfs_node *dir = dvp->v_data;
	struct ramfs_dirent *rd;
	int error;

	rd = ramfs_find(dir, name, len);
	if (rd == NULL)
		return ENOENT;
	if (rd->rd_node->rn_type != VDIR)
		return ENOTDIR;
	error = remove_dir(rd);
	if (error == 0)
		touch(dir);
	return error;
}

/* Makes room for a rename's new name: checks the kinds of both. */
static int
replace_target(struct ramfs_node *rn, struct ramfs_dirent *target)
{
	if (rn->rn_type == VDIR) {
		if (target->rd_node->rn_type != VDIR)
			return ENOTDIR;
		return remove_dir(target);
	}
	if (target->rd_node->rn_type == VDIR)
		return EISDIR;
	ramfs_remove(target);
	return 0;
}

/* vop_rename: both directories locked exclusively; the caller saw to it that
 * a directory does not go below itself. */
static int
ramfs_rename(struct vnode *odvp, const char *oname, size_t olen,
    struct vnode *ndvp, const char *nname, size_t nlen)
{
	struct ramfs_node *odir = odvp->v_data, *ndir = ndvp->v_data, *rn;
	struct ramfs_dirent *from, *to;
	int error;

	from = ramfs_find(odir, oname, olen);
	if (from == NULL)
		return ENOENT;
	rn = from->rd_node;
	error = check_new(ndir, nname, nlen);
	if (error == EEXIST) {
		to = ramfs_find(ndir, nname, nlen);
		if (to->rd_node == rn)
			return 0; /* two names of one file: nothing happens */
		error = replace_target(rn, to);
	}
	if (error != 0)
		return error;
	/* The new name first, so that it never is without one. */
	ramfs_enter(ndir, nname, nlen, rn);
	ramfs_remove(from);
	rn->rn_ctime = (int64_t)walltime();
	touch(odir);
	touch(ndir);
	return 0;
}

/* vop_readdir: ".", "..", then by the cookies that the names got in turn, so
 * that an offset stays good whatever is removed. */
static int
ramfs_readdir(struct vnode *dvp, int64_t off, dirent_emit_t emit, void *arg)
{
	struct ramfs_node *dir = dvp->v_data, *up;
	struct ramfs_dirent *rd;
	uint64_t upino;

	if (dir->rn_nlink == 0)
		return ENOENT;
	spin_lock(&ramfs_spin);
	up = dir->rn_parent;
	upino = up != NULL ? up->rn_ino : dir->rn_ino;
	spin_unlock(&ramfs_spin);
	if (off <= 0 && emit(arg, ".", 1, dir->rn_ino, VDIR, 1) != 0)
		return 0;
	if (off <= 1 && emit(arg, "..", 2, upino, VDIR, 2) != 0)
		return 0;
	TAILQ_FOREACH (rd, &dir->rn_order, rd_order) {
		if (rd->rd_cookie >= off &&
		    emit(arg, rd->rd_name, rd->rd_len, rd->rd_node->rn_ino,
			rd->rd_node->rn_type, rd->rd_cookie + 1) != 0)
			break;
	}
	return 0;
}

const struct vnodeops ramfs_dirops = {
    .vop_lookup = ramfs_lookup,
    .vop_create = ramfs_create,
    .vop_link = ramfs_link,
    .vop_unlink = ramfs_unlink,
    .vop_rmdir = ramfs_rmdir,
    .vop_rename = ramfs_rename,
    .vop_symlink = ramfs_symlink,
    .vop_readdir = ramfs_readdir,
    .vop_getattr = ramfs_getattr,
    .vop_setattr = ramfs_setattr,
    .vop_inactive = ramfs_inactive,
    .vop_name = ramfs_name,
};

/* mnt_busy: is a pinned file in use by others than its node? Nobody is in
 * any directory, so the tree stays as it is. */
static bool
ramfs_busy(struct mount *mp)
{
	struct ramfs_node *root = mp->mnt_data, *dir = root, *rn;
	struct ramfs_dirent *rd = TAILQ_FIRST(&dir->rn_order);

	for (;;) {
		while (rd == NULL) {
			if (dir == root)
				return false;
			rd = LIST_FIRST(&dir->rn_links);
			dir = rd->rd_dir;
			rd = TAILQ_NEXT(rd, rd_order);
		}
		rn = rd->rd_node;
		if (rn->rn_pinned && atomic_load_int(&rn->rn_vp->v_refs) != 1)
			return true;
		if (rn->rn_type == VDIR) {
			dir = rn;
			rd = TAILQ_FIRST(&dir->rn_order);
		} else {
			rd = TAILQ_NEXT(rd, rd_order);
		}
	}
}

/* mnt_unmount: nothing but pinned files is in use. */
static void
ramfs_unmount(struct mount *mp)
{
	struct ramfs_node *root = mp->mnt_data;

	ramfs_freetree(root);
	vrele(mp->mnt_root);
	root->rn_nlink = 0;
	ramfs_drop(root);
}

/* A mount with an empty root directory, not in place yet. */
struct mount *
ramfs_new(const char *fstype)
{
	struct mount *mp = mount_alloc(fstype, RAMFS_MAGIC);
	struct ramfs_node *root;

	root = ramfs_newnode(mp, VDIR, 0755, 0);
	root->rn_nlink = 1; /* the mount: it never gets a name */
	mp->mnt_data = root;
	mp->mnt_root = ramfs_vget(root);
	mp->mnt_busy = ramfs_busy;
	mp->mnt_unmount = ramfs_unmount;
	return mp;
}

/* Takes the mount apart again that could not be put in place. */
void
ramfs_undo(struct mount *mp)
{
	ramfs_unmount(mp);
	mount_free(mp);
}

/* An empty file system on a directory, whose reference it takes over when
 * that succeeds. */
int
ramfs_mount(struct vnode *covered)
{
	struct mount *mp = ramfs_new("tmpfs");
	struct ramfs_node *root = mp->mnt_data;
	int error;

	root->rn_mode = 01777;
	mp->mnt_covered = covered;
	error = vfs_mount(mp);
	if (error != 0)
		ramfs_undo(mp);
	return error;
}

/* The root file system, from the archive (which stays where it is: the files
 * are read from it). The boot ends here, with one line, when it is no good.
 * Once. */
int
ramfs_mount_root(const void *cpio, size_t size)
{
	struct mount *mp = ramfs_new("rootfs");
	char why[128];
	int error;

	if (ramfs_cpio(mp->mnt_data, cpio, size, why, sizeof(why)) != 0)
		boot_die("the initramfs is no good cpio archive: %s", why);
	error = vfs_mount(mp);
	if (error != 0)
		ramfs_undo(mp);
	return error;
}
