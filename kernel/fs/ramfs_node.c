/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ramfs: nodes, their names and their vnodes.
 */
#include <linux/errno.h>

#include <amd64/machdep.h>
#include <fs/ramfs.h>
#include <kern/kstring.h>

MALLOC_DEFINE(M_RAMFS, "ramfs");

struct spinlock ramfs_spin = SPINLOCK_INITIALIZER("ramfs");
static uint64_t ramfs_ino = 1; /* (A) the last inode number given out */

/* Shorter names first: quick, and as good an order as any for finding. */
static int
ramfs_namecmp(struct ramfs_dirent *a, struct ramfs_dirent *b)
{
	if (a->rd_len != b->rd_len)
		return a->rd_len < b->rd_len ? -1 : 1;
	return memcmp(a->rd_name, b->rd_name, a->rd_len);
}

RB_GENERATE(ramfs_names, ramfs_dirent, rd_entry, ramfs_namecmp)

/* A node without a name, with the caller's reference. Sleeps for memory. */
struct ramfs_node *
ramfs_newnode(struct mount *mp, enum vtype type, uint32_t mode, uint64_t rdev)
{
	struct ramfs_node *rn;

	rn = kmalloc(sizeof(*rn), &M_RAMFS, M_WAITOK | M_ZERO);
	rn->rn_type = type;
	rn->rn_mount = mp;
	rn->rn_ino = atomic_fetchadd_ulong(&ramfs_ino, 1) + 1;
	rn->rn_rdev = rdev;
	rn->rn_refs = 1;
	rn->rn_mode = mode & 07777;
	rn->rn_atime = rn->rn_mtime = rn->rn_ctime = (int64_t)walltime();
	LIST_INIT(&rn->rn_links);
	RB_INIT(&rn->rn_names);
	TAILQ_INIT(&rn->rn_order);
	rn->rn_cookie = 2; /* 0 and 1 are . and .. */
	return rn;
}

/* One reference less, ramfs_spin held: the node comes back in *freep when it
 * is to be freed (ramfs_free) after the spinlock. */
void
ramfs_droplocked(struct ramfs_node *rn, struct ramfs_node **freep)
{
	KKASSERT(rn->rn_refs > 0);
	*freep = --rn->rn_refs == 0 ? rn : NULL;
}

/* Frees a node that droplocked returned; NULL is allowed. A directory that
 * was removed has a reference on its parent, and this may be the last. */
static void
ramfs_free(struct ramfs_node *rn)
{
	struct ramfs_node *up;

	while (rn != NULL) {
		KKASSERT(rn->rn_vp == NULL && LIST_EMPTY(&rn->rn_links));
		KKASSERT(TAILQ_EMPTY(&rn->rn_order));
		up = rn->rn_parent;
		kfree(rn->rn_target, &M_RAMFS);
		kfree(rn, &M_RAMFS);
		rn = NULL;
		if (up != NULL) {
			spin_lock(&ramfs_spin);
			ramfs_droplocked(up, &rn);
			spin_unlock(&ramfs_spin);
		}
	}
}

/* One reference less. */
void
ramfs_drop(struct ramfs_node *rn)
{
	struct ramfs_node *dead;

	spin_lock(&ramfs_spin);
	ramfs_droplocked(rn, &dead);
	spin_unlock(&ramfs_spin);
	ramfs_free(dead);
}

/* The operations of a node's vnode. */
static const struct vnodeops *
node_ops(const struct ramfs_node *rn)
{
	switch (rn->rn_type) {
	case VDIR:
		return &ramfs_dirops;
	case VREG:
		return &ramfs_regops;
	case VLNK:
		return &ramfs_lnkops;
	case VBLK:
		return &ramfs_blkops;
	default:
		return &ramfs_devops;
	}
}

/*
 * The vnode of a node that stays (its directory is locked, or the caller has
 * a reference): the one that is in use, or a new one. Referenced. May sleep.
 *
 * An old vnode may be on its way out while a new one is made. It has nothing
 * of its own: a file with changes is pinned and its vnode never gets there.
 */
struct vnode *
ramfs_vget(struct ramfs_node *rn)
{
	struct vnode *vp, *nvp;

	spin_lock(&ramfs_spin);
	vp = rn->rn_vp;
	if (vp != NULL && vref_live(vp)) {
		spin_unlock(&ramfs_spin);
		return vp;
	}
	rn->rn_refs++;
	spin_unlock(&ramfs_spin);

	nvp = vnode_alloc(node_ops(rn), rn->rn_type, rn->rn_mount, rn);
	nvp->v_rdev = rn->rn_rdev;
	nvp->v_size = rn->rn_size;

	spin_lock(&ramfs_spin);
	vp = rn->rn_vp;
	if (vp == NULL || !vref_live(vp)) {
		rn->rn_vp = nvp;
		spin_unlock(&ramfs_spin);
		return nvp;
	}
	spin_unlock(&ramfs_spin);
	vrele(nvp); /* and ramfs_inactive drops the node's reference */
	return vp;
}

/* vop_inactive: the vnode goes; the node stays if it has a name. */
void
ramfs_inactive(struct vnode *vp)
{
	struct ramfs_node *rn = vp->v_data, *dead;

	spin_lock(&ramfs_spin);
	if (rn->rn_vp == vp)
		rn->rn_vp = NULL;
	ramfs_droplocked(rn, &dead);
	spin_unlock(&ramfs_spin);
	ramfs_free(dead);
}

/* The file is going to be changed: from now on, while it has a name, the
 * node keeps the vnode, and thereby the pages. */
void
ramfs_pin(struct vnode *vp)
{
	struct ramfs_node *rn = vp->v_data;

	spin_lock(&ramfs_spin);
	if (!rn->rn_pinned && rn->rn_nlink > 0) {
		KKASSERT(rn->rn_vp == vp);
		rn->rn_pinned = true;
		vref(vp);
		atomic_add_int(&rn->rn_mount->mnt_pinned, 1);
	}
	spin_unlock(&ramfs_spin);
}

/* The entry of that name, or NULL. The directory is locked. */
struct ramfs_dirent *
ramfs_find(struct ramfs_node *dir, const char *name, size_t len)
{
	struct ramfs_dirent *rd = RB_ROOT(&dir->rn_names);
	int c;

	while (rd != NULL) {
		if (len != rd->rd_len)
			c = len < rd->rd_len ? -1 : 1;
		else
			c = memcmp(name, rd->rd_name, len);
		if (c == 0)
			break;
		rd = c < 0 ? RB_LEFT(rd, rd_entry) : RB_RIGHT(rd, rd_entry);
	}
	return rd;
}

/* Gives a node a (further) name, which must be new. The directory is locked
 * exclusively, or nobody else is there yet. Being linked counts as one
 * reference, whatever the caller has. Sleeps for memory. */
void
ramfs_enter(
    struct ramfs_node *dir, const char *name, size_t len, struct ramfs_node *rn)
{
	struct ramfs_dirent *rd;

	rd = kmalloc(sizeof(*rd) + len + 1, &M_RAMFS, M_WAITOK | M_ZERO);
	rd->rd_dir = dir;
	rd->rd_node = rn;
	rd->rd_len = len;
	rd->rd_cookie = dir->rn_cookie++;
	memcpy(rd->rd_name, name, len);
	RB_INSERT(ramfs_names, &dir->rn_names, rd);
	TAILQ_INSERT_TAIL(&dir->rn_order, rd, rd_order);
	spin_lock(&ramfs_spin);
	if (rn->rn_nlink++ == 0)
		rn->rn_refs++;
	LIST_INSERT_HEAD(&rn->rn_links, rd, rd_link);
	if (rn->rn_type == VDIR) {
		rn->rn_parent = dir;
		dir->rn_nsub++;
	}
	spin_unlock(&ramfs_spin);
}

/* Takes a name away; with a node's last one goes what being linked kept: a
 * directory is then empty, and locked as its parent is. May sleep. */
void
ramfs_remove(struct ramfs_dirent *rd)
{
	struct ramfs_node *dir = rd->rd_dir, *rn = rd->rd_node, *dead = NULL;
	struct vnode *unpin = NULL;

	RB_REMOVE(ramfs_names, &dir->rn_names, rd);
	TAILQ_REMOVE(&dir->rn_order, rd, rd_order);
	spin_lock(&ramfs_spin);
	LIST_REMOVE(rd, rd_link);
	if (rn->rn_type == VDIR)
		dir->rn_nsub--;
	if (--rn->rn_nlink == 0) {
		/* Whoever is in there still finds the way up. */
		if (rn->rn_type == VDIR)
			dir->rn_refs++;
		if (rn->rn_pinned) {
			rn->rn_pinned = false;
			unpin = rn->rn_vp;
		}
		ramfs_droplocked(rn, &dead);
	}
	spin_unlock(&ramfs_spin);
	kfree(rd, &M_RAMFS);
	if (unpin != NULL) {
		atomic_subtract_int(&dir->rn_mount->mnt_pinned, 1);
		vrele(unpin);
	}
	ramfs_free(dead);
}

/* Unmount: removes all that is below a directory. Nothing is in use. */
void
ramfs_freetree(struct ramfs_node *dir)
{
	struct ramfs_node *at = dir;
	struct ramfs_dirent *rd;

	for (;;) {
		rd = TAILQ_FIRST(&at->rn_order);
		if (rd != NULL && rd->rd_node->rn_type == VDIR &&
		    !TAILQ_EMPTY(&rd->rd_node->rn_order)) {
			at = rd->rd_node;
		} else if (rd != NULL) {
			ramfs_remove(rd);
		} else {
			if (at == dir)
				return;
			at = at->rn_parent;
		}
	}
}

/* vop_name: one of its names and the directory of that. */
int
ramfs_name(struct vnode *vp, struct vnode **dvpp, char *name, size_t size)
{
	struct ramfs_node *rn = vp->v_data, *dir;
	struct ramfs_dirent *rd;

	spin_lock(&ramfs_spin);
	rd = LIST_FIRST(&rn->rn_links);
	if (rd == NULL) {
		spin_unlock(&ramfs_spin);
		return ENOENT;
	}
	strlcpy(name, rd->rd_name, size);
	dir = rd->rd_dir;
	dir->rn_refs++;
	spin_unlock(&ramfs_spin);
	*dvpp = ramfs_vget(dir);
	ramfs_drop(dir);
	return 0;
}
