/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ext2: where a file was found last, so that there is a way back from it;
 * and the end of files that no name leads to any more.
 *
 * A directory's ".." is this, and not what the disk says: every directory in
 * memory was come upon from the root, so the way up ends there, whatever the
 * disk's state.
 */
#include <linux/errno.h>

#include <fs/ext2.h>
#include <kern/kprintf.h>
#include <kern/kstring.h>

/* Is the node called so there? em_spin is held. */
static bool
is_named(const struct ext2_node *ip, const struct vnode *dvp, const char *name,
    size_t len)
{
	return ip->e_dvp == dvp && ip->e_name != NULL &&
	    strlen(ip->e_name) == len && memcmp(ip->e_name, name, len) == 0;
}

/* See ext2.h. dvp is locked; sleeps. */
int
ext2_named(struct vnode *vp, struct vnode *dvp, const char *name, size_t len,
    bool moved)
{
	struct ext2_node *ip = VTOE(vp);
	struct ext2_mount *em = ip->e_em;
	struct vnode *old;
	char *newname, *oldname;
	bool same, bad;

	spin_lock(&em->em_spin);
	same = is_named(ip, dvp, name, len);
	spin_unlock(&em->em_spin);
	if (same)
		return 0;
	newname = kmalloc(len + 1, &M_EXT2, M_WAITOK);
	memcpy(newname, name, len);
	newname[len] = '\0';
	vref(dvp);
	spin_lock(&em->em_spin);
	old = ip->e_dvp;
	oldname = ip->e_name;
	bad = vp == dvp || ip->e_ino == EXT2_ROOT_INO ||
	    (vp->v_type == VDIR && old != NULL && old != dvp && !moved);
	if (!bad) {
		ip->e_dvp = dvp;
		ip->e_name = newname;
	}
	spin_unlock(&em->em_spin);
	if (bad) {
		kfree(newname, &M_EXT2);
		ext2_drop(em, dvp);
		return ext2_error(em,
		    "a name in directory %u leads to directory %u, which is "
		    "somewhere else",
		    VTOE(dvp)->e_ino, ip->e_ino);
	}
	kfree(oldname, &M_EXT2);
	ext2_drop(em, old);
	return 0;
}

/* See ext2.h. Whoever is in a directory that was removed still finds the way
 * up. Sleeps. */
void
ext2_unnamed(struct vnode *vp, struct vnode *dvp, const char *name, size_t len)
{
	struct ext2_node *ip = VTOE(vp);
	struct ext2_mount *em = ip->e_em;
	struct vnode *old = NULL;
	char *oldname = NULL;

	spin_lock(&em->em_spin);
	if (is_named(ip, dvp, name, len)) {
		oldname = ip->e_name;
		ip->e_name = NULL;
		if (vp->v_type != VDIR) {
			old = ip->e_dvp;
			ip->e_dvp = NULL;
		}
	}
	spin_unlock(&em->em_spin);
	kfree(oldname, &M_EXT2);
	ext2_drop(em, old);
}

/* See ext2.h. Takes a spinlock. */
struct vnode *
ext2_parent(struct vnode *dvp)
{
	struct ext2_node *ip = VTOE(dvp);
	struct vnode *vp;

	spin_lock(&ip->e_em->em_spin);
	vp = ip->e_dvp;
	if (vp != NULL)
		vref(vp);
	spin_unlock(&ip->e_em->em_spin);
	return vp;
}

/* vop_name. */
int
ext2_name(struct vnode *vp, struct vnode **dvpp, char *name, size_t size)
{
	struct ext2_node *ip = VTOE(vp);
	int error = ENOENT;

	spin_lock(&ip->e_em->em_spin);
	if (ip->e_name != NULL) {
		strlcpy(name, ip->e_name, size);
		*dvpp = ip->e_dvp;
		vref(*dvpp);
		error = 0;
	}
	spin_unlock(&ip->e_em->em_spin);
	return error;
}

/* Gives back the block with extended attributes, unless other files have the
 * same. e_lock exclusive. */
static void
free_xattr(struct ext2_node *ip)
{
	struct ext2_mount *em = ip->e_em;
	uint32_t blk = ip->e_din.i_file_acl;
	struct ext2_xattr_header *eh;
	struct buf *bp;

	if (blk == 0)
		return;
	ip->e_din.i_file_acl = 0;
	if (!ext2_block_ok(em, blk) || ext2_bread(em, blk, &bp) != 0)
		return;
	eh = (struct ext2_xattr_header *)(void *)bp->b_data;
	if (eh->h_magic != EXT2_XATTR_MAGIC) {
		brelse(bp);
		ext2_error(em, "inode %u has no attributes in block %u",
		    ip->e_ino, blk);
	} else if (eh->h_refcount > 1) {
		eh->h_refcount--;
		bdwrite(bp);
	} else {
		brelse(bp);
		ext2_bfree(em, blk);
	}
}

/* See ext2.h. No name and no user is left: the blocks and the inode are free
 * again. Sleeps. */
void
ext2_release(struct ext2_node *ip, enum vtype type)
{
	lockmgr(&ip->e_lock, LK_EXCLUSIVE);
	if (type == VREG || type == VDIR ||
	    (type == VLNK && !ext2_short_link(ip)))
		ext2_bmap_trunc(ip, 0);
	free_xattr(ip);
	ip->e_din.i_size = ip->e_din.i_size_high = 0;
	ip->e_din.i_blocks = 0;
	ip->e_din.i_dtime = ext2_now();
	ip->e_dirty = true;
	ext2_update(ip);
	lockmgr(&ip->e_lock, LK_RELEASE);
	ext2_ifree(ip->e_em, ip->e_ino, type == VDIR);
}

/* vop_inactive: nobody uses the vnode any more. Its pages are gone; only here
 * is a changed inode written that has been in nobody's way so far. */
void
ext2_inactive(struct vnode *vp)
{
	struct ext2_node *ip = VTOE(vp);
	struct ext2_mount *em = ip->e_em;
	struct vnode *dvp = ip->e_dvp;

	if (em->em_mp->mnt_rdonly) {
		/* Nothing can be done about it any more. */
	} else if (ip->e_din.i_links_count == 0) {
		ext2_release(ip, vp->v_type);
	} else {
		lockmgr(&ip->e_lock, LK_EXCLUSIVE);
		ext2_update(ip);
		lockmgr(&ip->e_lock, LK_RELEASE);
	}
	if (ip->e_error != 0)
		kprintf("%s: inode %u: what was written last is lost\n",
		    em->em_bd->bd_name, ip->e_ino);
	ext2_node_free(ip);
	ext2_drop(em, dvp);
}
