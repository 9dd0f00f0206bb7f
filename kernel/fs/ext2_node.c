/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ext2: inodes in memory, and their vnodes.
 *
 * A node exists as long as its vnode. Vnodes that nobody uses any more are
 * kept for a while, the most recently used KEEP_MAX of each mount, and with
 * them the pages of their files.
 */
#include <linux/errno.h>
#include <linux/limits.h>
#include <linux/stat.h>

#include <fs/ext2.h>
#include <kern/kstring.h>

#define KEEP_MAX 128

MALLOC_DEFINE(M_EXT2, "ext2");

static int
ext2_node_cmp(struct ext2_node *a, struct ext2_node *b)
{
	return a->e_ino < b->e_ino ? -1 : a->e_ino > b->e_ino;
}

RB_GENERATE(ext2_nodes, ext2_node, e_entry, ext2_node_cmp)

static const struct vnodeops *
ops_of(enum vtype type)
{
	switch (type) {
	case VREG:
		return &ext2_regops;
	case VDIR:
		return &ext2_dirops;
	case VLNK:
		return &ext2_lnkops;
	case VBLK:
		return &ext2_blkops;
	default:
		return &ext2_devops;
	}
}

/* The buffer with an inode, and where in it; the number is a possible one. */
static int
inode_buf(struct ext2_mount *em, uint32_t ino, struct buf **bpp, char **atp)
{
	uint32_t per = em->em_super.s_inodes_per_group;
	uint64_t off = (uint64_t)((ino - 1) % per) * em->em_isize;
	uint32_t table = em->em_groups[(ino - 1) / per].bg_inode_table;
	int error;

	error = ext2_bread(em, table + (uint32_t)(off >> em->em_bshift), bpp);
	if (error == 0)
		*atp = (*bpp)->b_data + (off & (em->em_bsize - 1));
	return error;
}

int
ext2_iread(struct ext2_mount *em, uint32_t ino, struct ext2_inode *din)
{
	struct buf *bp;
	char *at;
	int error;

	if (ino == 0 || ino > em->em_super.s_inodes_count)
		return EIO;
	error = inode_buf(em, ino, &bp, &at);
	if (error == 0) {
		memcpy(din, at, EXT2_INODE_BYTES);
		brelse(bp);
	}
	return error;
}

/* e_lock exclusive. */
int
ext2_update(struct ext2_node *ip)
{
	struct ext2_mount *em = ip->e_em;
	struct buf *bp;
	char *at;
	int error;

	if (!ip->e_dirty)
		return 0;
	error = inode_buf(em, ip->e_ino, &bp, &at);
	if (error != 0)
		return error;
	memcpy(at, &ip->e_din, EXT2_INODE_BYTES);
	bdwrite(bp);
	ip->e_dirty = false;
	return 0;
}

/* Bytes of a file; directories and links are never so long that the upper
 * half, which is something else there, would be needed. */
static uint64_t
size_of(const struct ext2_mount *em, const struct ext2_inode *din)
{
	uint64_t size = din->i_size;

	if ((din->i_mode & S_IFMT) == S_IFREG && em->em_super.s_rev_level > 0)
		size |= (uint64_t)din->i_size_high << 32;
	return size;
}

/* Is what was read an inode that a name may lead to? */
static int
check_inode(struct ext2_mount *em, uint32_t ino, const struct ext2_inode *din,
    enum vtype *typep)
{
	uint64_t size = size_of(em, din);
	bool bad;

	if (din->i_links_count == 0 || !mode_to_vtype(din->i_mode, typep))
		return ext2_error(em,
		    "a name leads to inode %u, mode %#o, %u links", ino,
		    din->i_mode, din->i_links_count);
	switch (*typep) {
	case VREG:
		bad = size > em->em_maxsize;
		break;
	case VDIR:
		bad = size == 0 || size % em->em_bsize != 0 || size > INT32_MAX;
		break;
	case VLNK:
		bad = size == 0 || size >= PATH_MAX || size > em->em_bsize;
		break;
	default:
		bad = false;
		break;
	}
	if (bad)
		return ext2_error(
		    em, "inode %u cannot have %lu bytes", ino, size);
	return 0;
}

/* Releases vnodes that nodes which are gone had a reference on: one after the
 * other, however long the way up. One thread does it at a time. */
void
ext2_drop(struct ext2_mount *em, struct vnode *vp)
{
	struct ext2_node *ip;
	int n;

	if (vp == NULL)
		return;
	ip = VTOE(vp);
	spin_lock(&em->em_spin);
	if (ip->e_drops++ == 0) {
		ip->e_dropnext = em->em_drop;
		em->em_drop = ip;
	}
	if (em->em_dropping) {
		spin_unlock(&em->em_spin);
		return;
	}
	em->em_dropping = true;
	while ((ip = em->em_drop) != NULL) {
		em->em_drop = ip->e_dropnext;
		n = ip->e_drops;
		ip->e_drops = 0;
		vp = ip->e_vp;
		spin_unlock(&em->em_spin);
		while (n-- > 0)
			vrele(vp);
		spin_lock(&em->em_spin);
	}
	em->em_dropping = false;
	spin_unlock(&em->em_spin);
}

/* The node is not kept any more: the reference to be released. em_spin is
 * held. */
static struct vnode *
unkeep(struct ext2_node *ip)
{
	struct ext2_mount *em = ip->e_em;

	if (!ip->e_kept)
		return NULL;
	ip->e_kept = false;
	TAILQ_REMOVE(&em->em_kept, ip, e_keep);
	em->em_nkept--;
	atomic_subtract_int(&em->em_mp->mnt_pinned, 1);
	return ip->e_vp;
}

/* A vnode is used: it is the last to be let go. The caller has a reference.
 * em_spin is held; returns the one that has to go for it, to be dropped. */
static struct vnode *
keep(struct ext2_node *ip)
{
	struct ext2_mount *em = ip->e_em;

	if (ip->e_kept) {
		TAILQ_REMOVE(&em->em_kept, ip, e_keep);
		TAILQ_INSERT_HEAD(&em->em_kept, ip, e_keep);
		return NULL;
	}
	ip->e_kept = true;
	vref(ip->e_vp);
	atomic_add_int(&em->em_mp->mnt_pinned, 1);
	TAILQ_INSERT_HEAD(&em->em_kept, ip, e_keep);
	if (++em->em_nkept <= KEEP_MAX)
		return NULL;
	return unkeep(TAILQ_LAST(&em->em_kept, ext2_keptlist));
}

/* The node with the number, or a new one without a vnode, which others wait
 * for; *isnew then. Waits for one that is going or coming. *vpp: the old
 * one's vnode, referenced. Sleeps. */
static struct ext2_node *
node_get(struct ext2_mount *em, uint32_t ino, bool *isnew, struct vnode **vpp)
{
	struct ext2_node *ip, *nip;

	nip = kmalloc(sizeof(*nip), &M_EXT2, M_WAITOK | M_ZERO);
	nip->e_em = em;
	nip->e_ino = ino;
	lockinit(&nip->e_lock, "ext2 inode");
	*isnew = false;
	spin_lock(&em->em_spin);
	while ((ip = RB_INSERT(ext2_nodes, &em->em_nodes, nip)) != NULL) {
		if (ip->e_vp != NULL && vref_live(ip->e_vp)) {
			*vpp = ip->e_vp;
			break;
		}
		ssleep(&em->em_nodes, &em->em_spin, 0, "ext2node", 0);
	}
	spin_unlock(&em->em_spin);
	if (ip == NULL) {
		*isnew = true;
		return nip;
	}
	lockuninit(&nip->e_lock);
	kfree(nip, &M_EXT2);
	return ip;
}

/* Takes a node out of the table, and frees it. */
void
ext2_node_free(struct ext2_node *ip)
{
	struct ext2_mount *em = ip->e_em;

	spin_lock(&em->em_spin);
	RB_REMOVE(ext2_nodes, &em->em_nodes, ip);
	wakeup(&em->em_nodes);
	spin_unlock(&em->em_spin);
	lockuninit(&ip->e_lock);
	kfree(ip->e_name, &M_EXT2);
	kfree(ip, &M_EXT2);
}

/* Gives a new node, whose e_din is filled, its vnode. */
static struct vnode *
node_ready(struct ext2_node *ip, enum vtype type)
{
	struct ext2_mount *em = ip->e_em;
	const struct ext2_super *es = &em->em_super;
	struct vnode *vp, *victim;

	ip->e_goal = es->s_first_data_block +
	    (ip->e_ino - 1) / es->s_inodes_per_group * es->s_blocks_per_group;
	vp = vnode_alloc(ops_of(type), type, em->em_mp, ip);
	vp->v_size = size_of(em, &ip->e_din);
	/* The first number is of the old form, 8 bits each; or the second. */
	if (type == VCHR || type == VBLK)
		vp->v_rdev = ip->e_din.i_block[0] != 0
		    ? ip->e_din.i_block[0] & 0xffff
		    : ip->e_din.i_block[1];
	spin_lock(&em->em_spin);
	ip->e_vp = vp;
	victim = keep(ip);
	wakeup(&em->em_nodes);
	spin_unlock(&em->em_spin);
	ext2_drop(em, victim);
	return vp;
}

int
ext2_vget(struct ext2_mount *em, uint32_t ino, struct vnode **vpp)
{
	struct ext2_node *ip;
	struct vnode *victim = NULL;
	enum vtype type = VREG;
	bool isnew;
	int error;

	if ((ino < em->em_first_ino && ino != EXT2_ROOT_INO) ||
	    ino > em->em_super.s_inodes_count)
		return ext2_error(em, "a name leads to inode %u", ino);
	ip = node_get(em, ino, &isnew, vpp);
	if (!isnew) {
		spin_lock(&em->em_spin);
		if (ip->e_din.i_links_count > 0)
			victim = keep(ip);
		spin_unlock(&em->em_spin);
		ext2_drop(em, victim);
		return 0;
	}
	error = ext2_iread(em, ino, &ip->e_din);
	if (error == 0)
		error = check_inode(em, ino, &ip->e_din, &type);
	if (error != 0) {
		ext2_node_free(ip);
		return error;
	}
	*vpp = node_ready(ip, type);
	return 0;
}

int
ext2_vnew(
    struct ext2_mount *em, uint32_t ino, uint32_t mode, struct vnode **vpp)
{
	struct ext2_inode old;
	struct ext2_node *ip;
	struct vnode *vp;
	enum vtype type;
	bool isnew;
	int error;

	ip = node_get(em, ino, &isnew, &vp);
	if (!isnew) {
		vrele(vp);
		return ext2_error(em, "inode %u is in use and was free", ino);
	}
	error = ext2_iread(em, ino, &old);
	if (error == 0 && old.i_links_count != 0)
		error = ext2_error(em, "inode %u has %u links and was free",
		    ino, old.i_links_count);
	if (error == 0 && !mode_to_vtype(mode, &type))
		error = EINVAL;
	if (error != 0) {
		ext2_node_free(ip);
		return error;
	}
	ip->e_din.i_generation = old.i_generation + 1;
	ip->e_din.i_mode = (uint16_t)mode;
	ip->e_din.i_links_count = 1;
	ip->e_dirty = true;
	*vpp = node_ready(ip, type);
	return 0;
}

void
ext2_unkeep(struct ext2_node *ip)
{
	struct vnode *vp;

	spin_lock(&ip->e_em->em_spin);
	vp = unkeep(ip);
	spin_unlock(&ip->e_em->em_spin);
	ext2_drop(ip->e_em, vp);
}

/* mnt_quiesce. Sleeps: files that are let go are written. */
void
ext2_quiesce(struct mount *mp)
{
	struct ext2_mount *em = mp->mnt_data;
	struct ext2_node *ip;
	struct vnode *vp;

	do {
		vp = NULL;
		spin_lock(&em->em_spin);
		ip = TAILQ_FIRST(&em->em_kept);
		if (ip != NULL)
			vp = unkeep(ip);
		spin_unlock(&em->em_spin);
		ext2_drop(em, vp);
	} while (vp != NULL);
}

/* mnt_busy: after ext2_quiesce only somebody's use can have kept one again. */
bool
ext2_busy(struct mount *mp)
{
	struct ext2_mount *em = mp->mnt_data;

	return em->em_nkept != 0;
}

/* In the order of their numbers; whatever comes or goes meanwhile is called or
 * not. Sleeps. */
int
ext2_foreach(struct ext2_mount *em, int (*fn)(struct vnode *vp))
{
	struct ext2_node key = {.e_ino = 0}, *ip;
	struct vnode *vp;
	int error = 0, e;

	for (;;) {
		spin_lock(&em->em_spin);
		do {
			key.e_ino++;
			ip = RB_NFIND(ext2_nodes, &em->em_nodes, &key);
			if (ip != NULL)
				key.e_ino = ip->e_ino;
		} while (
		    ip != NULL && (ip->e_vp == NULL || !vref_live(ip->e_vp)));
		vp = ip != NULL ? ip->e_vp : NULL;
		spin_unlock(&em->em_spin);
		if (vp == NULL)
			return error;
		e = fn(vp);
		if (error == 0)
			error = e;
		ext2_drop(em, vp);
	}
}
