/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ext2: who has which block and which inode. One bit each, in two bitmaps for
 * each group of blocks; the group's counts are kept in memory and written
 * by ext2_sync_super.
 *
 * What comes from the disk may be wrong. A bit that was to change and has
 * changed already is damage, and so is a block that is the file system's own.
 */
#include <linux/errno.h>

#include <fs/ext2.h>
#include <kern/kstring.h>

/* Is it a number that a file's block can have? */
bool
ext2_block_ok(const struct ext2_mount *em, uint32_t blk)
{
	return blk > em->em_super.s_first_data_block &&
	    blk < em->em_super.s_blocks_count;
}

/* Blocks of a group: the last one may be short. */
static uint32_t
group_blocks(const struct ext2_mount *em, uint32_t g)
{
	const struct ext2_super *es = &em->em_super;
	uint32_t first = es->s_first_data_block + g * es->s_blocks_per_group;

	return MIN(es->s_blocks_per_group, es->s_blocks_count - first);
}

/* Is the block one of its group's bitmaps, or in its table of inodes? Or in
 * front of all files: superblock and groups? */
static bool
is_own(const struct ext2_mount *em, uint32_t g, uint32_t blk)
{
	const struct ext2_group *eg = &em->em_groups[g];
	uint32_t table = (uint32_t)(((uint64_t)em->em_super.s_inodes_per_group *
					    em->em_isize +
					em->em_bsize - 1) >>
	    em->em_bshift);
	uint32_t gdt = (uint32_t)((em->em_ngroups * sizeof(struct ext2_group) +
				      em->em_bsize - 1) >>
	    em->em_bshift);

	return blk == eg->bg_block_bitmap || blk == eg->bg_inode_bitmap ||
	    (blk >= eg->bg_inode_table && blk - eg->bg_inode_table < table) ||
	    blk <= em->em_super.s_first_data_block + gdt;
}

static bool
bit_test(const char *map, uint32_t bit)
{
	return ((uint8_t)map[bit / 8] >> (bit % 8)) & 1;
}

static void
bit_flip(char *map, uint32_t bit)
{
	map[bit / 8] ^= (char)(1U << (bit % 8));
}

/* The first clear bit from start on, below end; end when there is none. */
static uint32_t
bit_find_clear(const char *map, uint32_t start, uint32_t end)
{
	for (uint32_t i = start; i < end; i++) {
		if (i % 8 == 0) {
			while (i < end && (uint8_t)map[i / 8] == 0xff)
				i += 8;
			if (i >= end)
				break;
		}
		if (!bit_test(map, i))
			return i;
	}
	return end;
}

/* Takes the first free bit of a group's bitmap from start on; its number, or
 * end when there is none. em_lock is held. */
static int
take_bit(struct ext2_mount *em, uint32_t map, uint32_t start, uint32_t end,
    uint32_t *bitp)
{
	struct buf *bp;
	int error;

	error = ext2_bread(em, map, &bp);
	if (error != 0)
		return error;
	*bitp = bit_find_clear(bp->b_data, start, end);
	if (*bitp == end) {
		brelse(bp);
		return 0;
	}
	bit_flip(bp->b_data, *bitp);
	bdwrite(bp);
	return 0;
}

/* Clears a bit that must be set. em_lock is held. */
static int
drop_bit(struct ext2_mount *em, uint32_t map, uint32_t bit)
{
	struct buf *bp;
	bool set;
	int error;

	error = ext2_bread(em, map, &bp);
	if (error != 0)
		return error;
	set = bit_test(bp->b_data, bit);
	if (set) {
		bit_flip(bp->b_data, bit);
		bdwrite(bp);
	} else {
		brelse(bp);
	}
	return set ? 0 : ENOENT;
}

/* Looks for a free block in the group, from a bit on. */
static int
balloc_group(struct ext2_mount *em, uint32_t g, uint32_t start, uint32_t *blkp)
{
	struct ext2_group *eg = &em->em_groups[g];
	struct ext2_super *es = &em->em_super;
	uint32_t end = group_blocks(em, g), bit, blk;
	int error;

	if (eg->bg_free_blocks == 0 || es->s_free_blocks_count == 0)
		return ENOSPC;
	error = take_bit(em, eg->bg_block_bitmap, start, end, &bit);
	if (error != 0)
		return error;
	if (bit == end)
		return ENOSPC;
	blk = es->s_first_data_block + g * es->s_blocks_per_group + bit;
	if (!ext2_block_ok(em, blk) || is_own(em, g, blk))
		return ext2_error(
		    em, "the file system's own block %u was marked free", blk);
	eg->bg_free_blocks--;
	es->s_free_blocks_count--;
	em->em_sbdirty = true;
	*blkp = blk;
	return 0;
}

/* See ext2.h. From the goal to the end of its group, then group by group, and
 * at last the beginning of the first. Takes em_lock; sleeps. */
int
ext2_balloc(struct ext2_mount *em, uint32_t goal, uint32_t *blkp)
{
	const struct ext2_super *es = &em->em_super;
	uint32_t g, bit;
	int error = ENOSPC;

	if (!ext2_block_ok(em, goal))
		goal = es->s_first_data_block;
	g = (goal - es->s_first_data_block) / es->s_blocks_per_group;
	bit = (goal - es->s_first_data_block) % es->s_blocks_per_group;
	lockmgr(&em->em_lock, LK_EXCLUSIVE);
	for (uint32_t i = 0; i <= em->em_ngroups && error == ENOSPC; i++) {
		if (em->em_mp->mnt_rdonly)
			error = EROFS;
		else
			error = balloc_group(em, g, bit, blkp);
		bit = 0;
		if (++g == em->em_ngroups)
			g = 0;
	}
	lockmgr(&em->em_lock, LK_RELEASE);
	return error;
}

/* Gives a block back; nobody's buffer stands for it any more. When that
 * cannot be written down the block is lost until e2fsck finds it. Takes
 * em_lock; sleeps. */
void
ext2_bfree(struct ext2_mount *em, uint32_t blk)
{
	struct ext2_super *es = &em->em_super;
	uint32_t g = (blk - es->s_first_data_block) / es->s_blocks_per_group;
	uint32_t bit = (blk - es->s_first_data_block) % es->s_blocks_per_group;
	int error;

	if (!ext2_block_ok(em, blk) || is_own(em, g, blk)) {
		ext2_error(
		    em, "block %u is no file's and was to be freed", blk);
		return;
	}
	binval(em->em_devvp, EXT2_OFF(em, blk), em->em_bsize);
	lockmgr(&em->em_lock, LK_EXCLUSIVE);
	error = em->em_mp->mnt_rdonly
	    ? EROFS
	    : drop_bit(em, em->em_groups[g].bg_block_bitmap, bit);
	if (error == ENOENT) {
		ext2_error(em, "block %u was free and was to be freed", blk);
	} else if (error == 0) {
		if (em->em_groups[g].bg_free_blocks < es->s_blocks_per_group)
			em->em_groups[g].bg_free_blocks++;
		if (es->s_free_blocks_count < es->s_blocks_count)
			es->s_free_blocks_count++;
		em->em_sbdirty = true;
	}
	lockmgr(&em->em_lock, LK_RELEASE);
}

/* The group for a new directory: the emptiest; others go where their
 * directory is. em_lock is held. */
static uint32_t
inode_group(const struct ext2_mount *em, uint32_t parent, bool isdir)
{
	const struct ext2_group *eg = em->em_groups;
	uint32_t best = (parent - 1) / em->em_super.s_inodes_per_group;

	for (uint32_t g = 0; isdir && g < em->em_ngroups; g++) {
		if (eg[g].bg_free_inodes > 0 &&
		    (eg[best].bg_free_inodes == 0 ||
			eg[g].bg_free_blocks > eg[best].bg_free_blocks))
			best = g;
	}
	return best;
}

/* See ext2.h. ENOSPC, EIO, EROFS. Takes em_lock; sleeps. */
int
ext2_ialloc(struct ext2_mount *em, uint32_t parent, bool isdir, uint32_t *inop)
{
	struct ext2_super *es = &em->em_super;
	uint32_t g, bit, start, per = es->s_inodes_per_group;
	struct ext2_group *eg;
	int error = ENOSPC;

	lockmgr(&em->em_lock, LK_EXCLUSIVE);
	g = inode_group(em, parent, isdir);
	if (em->em_mp->mnt_rdonly)
		error = EROFS;
	for (uint32_t i = 0; i < em->em_ngroups && error == ENOSPC; i++) {
		eg = &em->em_groups[g];
		start = g == 0 ? em->em_first_ino - 1 : 0;
		if (eg->bg_free_inodes > 0 && es->s_free_inodes_count > 0) {
			error =
			    take_bit(em, eg->bg_inode_bitmap, start, per, &bit);
			if (error == 0 && bit == per)
				error = ENOSPC;
		}
		if (error == 0) {
			*inop = g * per + bit + 1;
			eg->bg_free_inodes--;
			es->s_free_inodes_count--;
			if (isdir)
				eg->bg_used_dirs++;
			em->em_sbdirty = true;
		}
		if (++g == em->em_ngroups)
			g = 0;
	}
	lockmgr(&em->em_lock, LK_RELEASE);
	return error;
}

/* Gives an inode back. Takes em_lock; sleeps. */
void
ext2_ifree(struct ext2_mount *em, uint32_t ino, bool isdir)
{
	struct ext2_super *es = &em->em_super;
	uint32_t per = es->s_inodes_per_group;
	struct ext2_group *eg = &em->em_groups[(ino - 1) / per];
	int error;

	lockmgr(&em->em_lock, LK_EXCLUSIVE);
	error = em->em_mp->mnt_rdonly
	    ? EROFS
	    : drop_bit(em, eg->bg_inode_bitmap, (ino - 1) % per);
	if (error == ENOENT) {
		ext2_error(em, "inode %u was free and was to be freed", ino);
	} else if (error == 0) {
		if (eg->bg_free_inodes < per)
			eg->bg_free_inodes++;
		if (es->s_free_inodes_count < es->s_inodes_count)
			es->s_free_inodes_count++;
		if (isdir && eg->bg_used_dirs > 0)
			eg->bg_used_dirs--;
		em->em_sbdirty = true;
	}
	lockmgr(&em->em_lock, LK_RELEASE);
}
