/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ext2: mounting and unmounting, and what is known about a file system as a
 * whole.
 */
#include <stdarg.h>

#include <linux/errno.h>
#include <linux/fs.h>
#include <linux/limits.h>
#include <linux/magic.h>

#include <asm/statfs.h>

#include <fs/ext2.h>
#include <kern/kprintf.h>
#include <kern/kstring.h>

#define REPORTS 10 /* of damage, for each mount: one is enough to know */

_Static_assert(sizeof(struct ext2_super) == 1024, "superblock");
_Static_assert(sizeof(struct ext2_group) == 32, "group");
_Static_assert(sizeof(struct ext2_inode) == EXT2_INODE_BYTES, "inode");

/* See ext2.h. Takes no lock: sync writes down that there was damage. */
int
ext2_error(struct ext2_mount *em, const char *fmt, ...)
{
	char why[128];
	va_list ap;

	if (atomic_fetchadd_uint(&em->em_reports, 1) < REPORTS) {
		va_start(ap, fmt);
		kvsnprintf(why, sizeof(why), fmt, ap);
		va_end(ap);
		kprintf("ext2 on %s is damaged: %s%s\n", em->em_bd->bd_name,
		    why,
		    em->em_mp->mnt_rdonly ? "" : "; read-only from now on");
	}
	em->em_mp->mnt_rdonly = true;
	em->em_damaged = true;
	return EIO;
}

/* Says why a disk cannot be mounted. */
static int refuse(struct ext2_mount *em, const char *fmt, ...)
    __printflike(2, 3);
static int
refuse(struct ext2_mount *em, const char *fmt, ...)
{
	char why[128];
	va_list ap;

	va_start(ap, fmt);
	kvsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	kprintf("ext2: %s cannot be mounted: %s\n", em->em_bd->bd_name, why);
	return EINVAL;
}

/* The sizes that everything else is computed from. */
static int
check_sizes(struct ext2_mount *em)
{
	const struct ext2_super *es = &em->em_super;
	uint64_t groups, bits;

	if (es->s_magic != EXT2_MAGIC)
		return refuse(em, "there is no ext2 file system on it");
	if (es->s_rev_level > 1)
		return refuse(em, "revision %u is unknown", es->s_rev_level);
	if (es->s_log_block_size > 2)
		return refuse(
		    em, "its blocks are larger than %lu bytes", PAGE_SIZE);
	em->em_bshift = 10 + es->s_log_block_size;
	em->em_bsize = 1U << em->em_bshift;
	em->em_pshift = em->em_bshift - 2;
	em->em_ptrs = em->em_bsize / sizeof(uint32_t);
	em->em_isize = EXT2_INODE_BYTES;
	em->em_first_ino = EXT2_GOOD_OLD_INO;
	if (es->s_rev_level > 0) {
		em->em_isize = es->s_inode_size;
		em->em_first_ino = es->s_first_ino;
	}
	bits = em->em_bsize * 8UL;
	if (em->em_isize < EXT2_INODE_BYTES || em->em_isize > em->em_bsize ||
	    (em->em_isize & (em->em_isize - 1)) != 0)
		return refuse(em, "inodes of %u bytes", em->em_isize);
	if (es->s_blocks_per_group == 0 || es->s_blocks_per_group > bits ||
	    es->s_inodes_per_group == 0 || es->s_inodes_per_group > bits ||
	    es->s_first_data_block != (em->em_bsize == 1024) ||
	    es->s_blocks_count <= es->s_first_data_block + 1)
		return refuse(em, "its groups are impossible");
	groups = howmany((uint64_t)es->s_blocks_count - es->s_first_data_block,
	    es->s_blocks_per_group);
	if (groups * es->s_inodes_per_group != es->s_inodes_count ||
	    em->em_first_ino < EXT2_GOOD_OLD_INO ||
	    em->em_first_ino > es->s_inodes_per_group)
		return refuse(
		    em, "%u inodes in %lu groups", es->s_inodes_count, groups);
	if (EXT2_OFF(em, es->s_blocks_count) >
	    em->em_bd->bd_sectors * BLK_SECTOR)
		return refuse(em, "it has %u blocks, the disk is smaller",
		    es->s_blocks_count);
	em->em_ngroups = (uint32_t)groups;
	return 0;
}

/* What a file system may have and we not know. */
static int
check_features(struct ext2_mount *em)
{
	struct ext2_super *es = &em->em_super;
	uint32_t unknown;

	if (es->s_rev_level == 0) {
		es->s_feature_compat = es->s_feature_incompat = 0;
		es->s_feature_ro_compat = 0;
	}
	unknown = es->s_feature_incompat & ~(uint32_t)EXT2_INCOMPAT_SUPP;
	if (unknown != 0)
		return refuse(em, "features %#x are unknown", unknown);
	unknown = es->s_feature_ro_compat & ~(uint32_t)EXT2_RO_COMPAT_SUPP;
	if (unknown != 0 && !em->em_mp->mnt_rdonly) {
		kprintf("ext2 on %s is read-only: features %#x are unknown\n",
		    em->em_bd->bd_name, unknown);
		em->em_mp->mnt_rdonly = true;
	}
	em->em_filetype =
	    (es->s_feature_incompat & EXT2_INCOMPAT_FILETYPE) != 0;
	return 0;
}

/* The largest file: what the map can name and i_blocks count; revision 0 has
 * sizes of 31 bits. */
static uint64_t
max_size(const struct ext2_mount *em)
{
	uint64_t p = em->em_ptrs, size;

	if (em->em_super.s_rev_level == 0)
		return INT32_MAX;
	size = (EXT2_NDIR + p + p * p + p * p * p) << em->em_bshift;
	return MIN(size, (1UL << 41) - (1UL << 32));
}

/* The block with the first group descriptors. */
static uint32_t
gdt_block(const struct ext2_mount *em)
{
	return em->em_super.s_first_data_block + 1;
}

/* Bytes of the groups in block n of their table. */
static uint32_t
gdt_bytes(const struct ext2_mount *em, uint32_t n)
{
	uint64_t left = em->em_ngroups * sizeof(struct ext2_group) -
	    (uint64_t)n * em->em_bsize;

	return (uint32_t)MIN(left, em->em_bsize);
}

static uint32_t
gdt_blocks(const struct ext2_mount *em)
{
	return (uint32_t)howmany(
	    em->em_ngroups * sizeof(struct ext2_group), em->em_bsize);
}

/* Reads the groups: EIO, or EINVAL when they name impossible blocks. */
static int
read_groups(struct ext2_mount *em)
{
	uint32_t table = (uint32_t)howmany(
	    (uint64_t)em->em_super.s_inodes_per_group * em->em_isize,
	    em->em_bsize);
	struct ext2_group *eg;
	struct buf *bp;
	int error;

	em->em_groups =
	    kmalloc(em->em_ngroups * sizeof(*eg), &M_EXT2, M_WAITOK | M_ZERO);
	for (uint32_t n = 0; n < gdt_blocks(em); n++) {
		error = ext2_bread(em, gdt_block(em) + n, &bp);
		if (error != 0)
			return error;
		memcpy((char *)em->em_groups + (size_t)n * em->em_bsize,
		    bp->b_data, gdt_bytes(em, n));
		brelse(bp);
	}
	for (uint32_t g = 0; g < em->em_ngroups; g++) {
		eg = &em->em_groups[g];
		if (!ext2_block_ok(em, eg->bg_block_bitmap) ||
		    !ext2_block_ok(em, eg->bg_inode_bitmap) ||
		    !ext2_block_ok(em, eg->bg_inode_table) ||
		    eg->bg_inode_table + (uint64_t)table >
			em->em_super.s_blocks_count)
			return refuse(em, "group %u is impossible", g);
	}
	return 0;
}

/* Puts superblock and groups into their buffers. Writing them is the
 * caller's. Takes em_lock. EIO. */
int
ext2_sync_super(struct ext2_mount *em)
{
	struct ext2_super *es = &em->em_super;
	struct buf *bp;
	int error;

	lockmgr(&em->em_lock, LK_EXCLUSIVE);
	if (em->em_damaged && (es->s_state & EXT2_ERROR_FS) == 0) {
		es->s_state |= EXT2_ERROR_FS;
		em->em_sbdirty = true;
	}
	error = 0;
	for (uint32_t n = 0; em->em_sbdirty && error == 0 && n < gdt_blocks(em);
	     n++) {
		error = ext2_bread(em, gdt_block(em) + n, &bp);
		if (error != 0)
			break;
		memcpy(bp->b_data,
		    (char *)em->em_groups + (size_t)n * em->em_bsize,
		    gdt_bytes(em, n));
		bdwrite(bp);
	}
	if (em->em_sbdirty && error == 0)
		error = ext2_bread(em, EXT2_SUPER_OFFSET >> em->em_bshift, &bp);
	if (em->em_sbdirty && error == 0) {
		es->s_wtime = ext2_now();
		memcpy(bp->b_data + (EXT2_SUPER_OFFSET & (em->em_bsize - 1)),
		    es, sizeof(*es));
		bdwrite(bp);
		em->em_sbdirty = false;
	}
	lockmgr(&em->em_lock, LK_RELEASE);
	return error;
}

/* The superblock, its groups and everything else is on the disk on return.
 * EIO. */
static int
flush_all(struct ext2_mount *em)
{
	int error, e;

	if (em->em_wasrdonly)
		return 0;
	error = ext2_sync_super(em);
	e = bflush(em->em_devvp);
	if (error == 0)
		error = e;
	e = blk_rw(em->em_bd, BIO_FLUSH, 0, NULL, 0);
	return error != 0 ? error : e;
}

/* mnt_sync. A disk that was damaged gets nothing any more but that it is. */
static int
ext2_sync(struct mount *mp)
{
	struct ext2_mount *em = mp->mnt_data;
	int error = 0, e;

	if (!mp->mnt_rdonly)
		error = ext2_foreach(em, ext2_clean);
	e = flush_all(em);
	return error != 0 ? error : e;
}

/* From now on, or from here on no more, s_state says that all is in order. */
static int
set_clean(struct ext2_mount *em, bool clean)
{
	struct ext2_super *es = &em->em_super;

	if (em->em_wasrdonly)
		return 0;
	lockmgr(&em->em_lock, LK_EXCLUSIVE);
	if (clean) {
		es->s_state = em->em_oldstate;
	} else {
		em->em_oldstate = es->s_state;
		es->s_state &= (uint16_t)~EXT2_VALID_FS;
		es->s_mnt_count++;
		es->s_mtime = ext2_now();
	}
	em->em_sbdirty = true;
	lockmgr(&em->em_lock, LK_RELEASE);
	return flush_all(em);
}

/* A file that has no name any more but is in use: nobody will be there to
 * free it later. */
static int
release_nameless(struct vnode *vp)
{
	struct ext2_node *ip = VTOE(vp);

	if (ip->e_din.i_links_count == 0)
		ext2_release(ip, vp->v_type);
	return 0;
}

/* mnt_shutdown: as if unmounted. Whoever still runs can change nothing. */
static void
ext2_shutdown(struct mount *mp)
{
	struct ext2_mount *em = mp->mnt_data;

	ext2_sync(mp);
	if (!mp->mnt_rdonly) {
		ext2_foreach(em, release_nameless);
		mp->mnt_rdonly = true;
		set_clean(em, true);
	}
}

/* Frees what ext2_mount made; no vnode is left. */
static void
free_mount(struct ext2_mount *em)
{
	bclose(em->em_devvp);
	KKASSERT(RB_EMPTY(&em->em_nodes));
	lockuninit(&em->em_lock);
	lockuninit(&em->em_bouncelock);
	kfree(em->em_groups, &M_EXT2);
	kfree(em->em_bounce, &M_EXT2);
	vrele(em->em_devvp);
	kfree(em, &M_EXT2);
}

/* mnt_unmount. */
static void
ext2_unmount(struct mount *mp)
{
	struct ext2_mount *em = mp->mnt_data;

	vrele(mp->mnt_root);
	if ((mp->mnt_rdonly ? flush_all(em) : set_clean(em, true)) != 0)
		kprintf("%s: not all that was written is on the disk\n",
		    em->em_bd->bd_name);
	free_mount(em);
}

/* mnt_statfs. */
static void
ext2_statfs(struct mount *mp, struct statfs *st)
{
	struct ext2_mount *em = mp->mnt_data;
	const struct ext2_super *es = &em->em_super;

	lockmgr(&em->em_lock, LK_SHARED);
	st->f_bsize = st->f_frsize = em->em_bsize;
	st->f_blocks = es->s_blocks_count;
	st->f_bfree = st->f_bavail = es->s_free_blocks_count;
	st->f_files = es->s_inodes_count;
	st->f_ffree = es->s_free_inodes_count;
	lockmgr(&em->em_lock, LK_RELEASE);
}

/* Reads and checks all that a mount needs. */
static int
read_super(struct ext2_mount *em)
{
	struct ext2_super *es = &em->em_super;
	int error;

	error = blk_rw(em->em_bd, BIO_READ, EXT2_SUPER_OFFSET / BLK_SECTOR, es,
	    sizeof(*es));
	if (error == 0)
		error = check_sizes(em);
	if (error == 0)
		error = check_features(em);
	em->em_wasrdonly = em->em_mp->mnt_rdonly;
	if (error == 0)
		error = read_groups(em);
	if (error != 0)
		return error;
	em->em_maxsize = max_size(em);
	em->em_bounce = kmalloc(em->em_bsize, &M_EXT2, M_WAITOK);
	if ((es->s_state & EXT2_VALID_FS) == 0 ||
	    (es->s_state & EXT2_ERROR_FS) != 0)
		kprintf("ext2 on %s was not unmounted in order: e2fsck should "
			"look at it\n",
		    em->em_bd->bd_name);
	return 0;
}

/* The root directory, and that the disk is in use: the last steps. */
static int
read_root(struct ext2_mount *em)
{
	struct mount *mp = em->em_mp;
	int error;

	error = ext2_vget(em, EXT2_ROOT_INO, &mp->mnt_root);
	if (error == 0 && mp->mnt_root->v_type != VDIR) {
		error = refuse(em, "its root is no directory");
		ext2_quiesce(mp);
		vrele(mp->mnt_root);
	}
	if (error != 0)
		return error;
	error = set_clean(em, false);
	if (error != 0) {
		ext2_quiesce(mp);
		vrele(mp->mnt_root);
	}
	return error;
}

int
ext2_mount(
    struct vnode *devvp, struct vnode *covered, const char *from, bool rdonly)
{
	struct mount *mp;
	struct ext2_mount *em;
	int error;

	error = bopen(devvp);
	if (error != 0)
		return error;
	mp = mount_alloc("ext2", EXT2_SUPER_MAGIC);
	em = kmalloc(sizeof(*em), &M_EXT2, M_WAITOK | M_ZERO);
	em->em_mp = mp;
	em->em_devvp = devvp;
	em->em_bd = blk_lookup_rdev(devvp->v_rdev);
	vref(devvp);
	lockinit(&em->em_lock, "ext2");
	lockinit(&em->em_bouncelock, "ext2 bounce");
	spin_init(&em->em_spin, "ext2");
	RB_INIT(&em->em_nodes);
	TAILQ_INIT(&em->em_kept);
	mp->mnt_data = em;
	mp->mnt_dev = devvp->v_rdev;
	mp->mnt_from = kstrdup(from, &M_MOUNT);
	mp->mnt_covered = covered;
	mp->mnt_rdonly = rdonly || em->em_bd->bd_rdonly;
	mp->mnt_unmount = ext2_unmount;
	mp->mnt_quiesce = ext2_quiesce;
	mp->mnt_busy = ext2_busy;
	mp->mnt_sync = ext2_sync;
	mp->mnt_shutdown = ext2_shutdown;
	mp->mnt_statfs = ext2_statfs;
	error = read_super(em);
	if (error == 0)
		error = read_root(em);
	if (error != 0) {
		free_mount(em);
		mount_free(mp);
		return error;
	}
	error = vfs_mount(mp);
	if (error != 0) {
		ext2_quiesce(mp);
		ext2_unmount(mp);
		mount_free(mp);
		return error;
	}
	syncer_start();
	return 0;
}
