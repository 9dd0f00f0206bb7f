/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ext2: the block map. Twelve blocks of a file are named in its inode; then
 * one block there names blocks, one names blocks that name blocks, and one
 * goes one deeper still.
 *
 * A block that names others is read, looked at and released before the next
 * one is asked for: on a damaged disk they may be the same.
 */
#include <linux/errno.h>

#include <fs/ext2.h>
#include <kern/kstring.h>

#define DEPTH_MAX 4 /* numbers from the inode to the block */
#define BATCH	  32

/* The places of the numbers that lead to a block: idx[0] in the inode, the
 * others each in the block before. How many, or 0 when no file is so long. */
static int
bmap_path(const struct ext2_mount *em, uint64_t lbn, uint32_t idx[DEPTH_MAX])
{
	uint32_t shift = em->em_pshift, mask = em->em_ptrs - 1;
	int depth;

	if (lbn < EXT2_NDIR) {
		idx[0] = (uint32_t)lbn;
		return 1;
	}
	lbn -= EXT2_NDIR;
	for (depth = 1; lbn >> (shift * (uint32_t)depth) != 0; depth++) {
		lbn -= 1UL << (shift * (uint32_t)depth);
		if (depth == DEPTH_MAX - 1)
			return 0;
	}
	idx[0] = EXT2_NDIR + (uint32_t)depth - 1;
	for (int i = 1; i <= depth; i++)
		idx[i] =
		    (uint32_t)(lbn >> (shift * (uint32_t)(depth - i))) & mask;
	return depth + 1;
}

/* One number out of a block of numbers. */
static int
map_get(struct ext2_mount *em, uint32_t map, uint32_t idx, uint32_t *blkp)
{
	struct buf *bp;
	int error;

	error = ext2_bread(em, map, &bp);
	if (error != 0)
		return error;
	memcpy(blkp, bp->b_data + idx * sizeof(*blkp), sizeof(*blkp));
	brelse(bp);
	return 0;
}

/* Changes one. */
static int
map_set(struct ext2_mount *em, uint32_t map, uint32_t idx, uint32_t blk)
{
	struct buf *bp;
	int error;

	error = ext2_bread(em, map, &bp);
	if (error != 0)
		return error;
	memcpy(bp->b_data + idx * sizeof(blk), &blk, sizeof(blk));
	bdwrite(bp);
	return 0;
}

/* A number of the file's map that cannot be. */
static int
bad_block(struct ext2_node *ip, uint32_t blk)
{
	return ext2_error(
	    ip->e_em, "inode %u has block %u, which is none", ip->e_ino, blk);
}

/* See ext2.h. Sleeps. */
int
ext2_bmap(struct ext2_node *ip, uint64_t lbn, uint32_t *blkp)
{
	struct ext2_mount *em = ip->e_em;
	uint32_t idx[DEPTH_MAX], blk;
	int n = bmap_path(em, lbn, idx), error;

	*blkp = 0;
	if (n == 0)
		return EFBIG;
	blk = ip->e_din.i_block[idx[0]];
	for (int i = 1; blk != 0; i++) {
		if (!ext2_block_ok(em, blk))
			return bad_block(ip, blk);
		if (i == n)
			break;
		error = map_get(em, blk, idx[i], &blk);
		if (error != 0)
			return error;
	}
	*blkp = blk;
	return 0;
}

/* The blocks that an inode's i_blocks counts: n more or less. e_lock
 * exclusive. */
static void
count_blocks(struct ext2_node *ip, int n)
{
	uint32_t sectors = ip->e_em->em_bsize / BLK_SECTOR;

	if (n > 0)
		ip->e_din.i_blocks += sectors;
	else if (ip->e_din.i_blocks >= sectors)
		ip->e_din.i_blocks -= sectors;
	ip->e_dirty = true;
}

/* A block of numbers begins with none, on the disk too, before anything
 * there leads to it. */
static int
clear_map(struct ext2_mount *em, uint32_t blk)
{
	struct buf *bp = ext2_getblk(em, blk);

	if (bp == NULL)
		return EIO;
	memset(bp->b_data, 0, em->em_bsize);
	return bwrite(bp);
}

/* Allocates one block of a path and enters it where it belongs: in the inode
 * (map 0), or in a block of numbers. */
static int
alloc_one(struct ext2_node *ip, uint32_t map, uint32_t idx, bool ismap,
    uint32_t *blkp)
{
	struct ext2_mount *em = ip->e_em;
	uint32_t blk;
	int error;

	error = ext2_balloc(em, ip->e_goal, &blk);
	if (error != 0)
		return error;
	if (ismap)
		error = clear_map(em, blk);
	if (error == 0 && map != 0)
		error = map_set(em, map, idx, blk);
	if (error != 0) {
		ext2_bfree(em, blk);
		return error;
	}
	if (map == 0)
		ip->e_din.i_block[idx] = blk;
	count_blocks(ip, 1);
	ip->e_goal = blk + 1;
	*blkp = blk;
	return 0;
}

/* See ext2.h. ENOSPC, EIO, EROFS, EFBIG. What was allocated on the way stays:
 * it is a part of the file's map. Sleeps. */
int
ext2_bmap_alloc(struct ext2_node *ip, uint64_t lbn, uint32_t *blkp, bool *isnew)
{
	struct ext2_mount *em = ip->e_em;
	uint32_t idx[DEPTH_MAX], map = 0, blk;
	int n = bmap_path(em, lbn, idx), error = 0;

	*isnew = false;
	if (n == 0)
		return EFBIG;
	for (int i = 0; i < n; i++) {
		if (i == 0)
			blk = ip->e_din.i_block[idx[0]];
		else
			error = map_get(em, map, idx[i], &blk);
		if (error == 0 && blk == 0) {
			error = alloc_one(ip, map, idx[i], i < n - 1, &blk);
			*isnew = i == n - 1;
		}
		if (error != 0)
			return error;
		if (!ext2_block_ok(em, blk))
			return bad_block(ip, blk);
		map = blk;
	}
	*blkp = map;
	return 0;
}

/*
 * Takes up to BATCH numbers from place *idxp on out of a block of numbers;
 * *idxp goes to where the next call is to begin. keep: the block stays, and
 * loses them. How many, or -1 when it cannot be read.
 */
static int
map_take(struct ext2_mount *em, uint32_t map, uint32_t *idxp, bool keep,
    uint32_t blks[BATCH])
{
	struct buf *bp;
	uint32_t *nums, i;
	int n = 0;

	if (ext2_bread(em, map, &bp) != 0)
		return -1;
	nums = (uint32_t *)(void *)bp->b_data;
	for (i = *idxp; i < em->em_ptrs && n < BATCH; i++) {
		if (nums[i] == 0)
			continue;
		blks[n++] = nums[i];
		if (keep)
			nums[i] = 0;
	}
	*idxp = i;
	if (keep && n > 0)
		bdwrite(bp);
	else
		brelse(bp);
	return n;
}

/*
 * Frees what is below a number of the map, depth levels of numbers, from the
 * first'th block of it on; the number's own block too when that is all of it.
 */
static int
trunc_tree(struct ext2_node *ip, uint32_t blk, uint32_t depth, uint64_t first)
{
	struct ext2_mount *em = ip->e_em;
	uint32_t blks[BATCH], shift, idx;
	uint64_t rest;
	int n, error = 0, e;

	if (!ext2_block_ok(em, blk))
		return bad_block(ip, blk);
	if (depth > 0) {
		shift = em->em_pshift * (depth - 1);
		idx = (uint32_t)(first >> shift);
		rest = first & ((1UL << shift) - 1);
		if (rest != 0) {
			/* One number is cut in the middle and stays. */
			uint32_t cut;

			error = map_get(em, blk, idx, &cut);
			if (error == 0 && cut != 0)
				error = trunc_tree(ip, cut, depth - 1, rest);
			idx++;
		}
		while (idx < em->em_ptrs) {
			n = map_take(em, blk, &idx, first != 0, blks);
			if (n < 0)
				return EIO;
			for (int i = 0; i < n; i++) {
				e = trunc_tree(ip, blks[i], depth - 1, 0);
				if (e != 0)
					error = e;
			}
		}
	}
	if (first == 0) {
		ext2_bfree(em, blk);
		count_blocks(ip, -1);
	}
	return error;
}

/* See ext2.h. An error leaves blocks that no file has; the map is right.
 * Sleeps. */
int
ext2_bmap_trunc(struct ext2_node *ip, uint64_t lbn)
{
	uint32_t *block = ip->e_din.i_block, blk;
	uint64_t from, span = 1;
	int error = 0, e;

	for (uint32_t i = 0; i < EXT2_NBLOCKS; i++) {
		uint32_t depth = i < EXT2_NDIR ? 0 : i - EXT2_NDIR + 1;

		if (depth > 0)
			span <<= ip->e_em->em_pshift;
		from = MIN(lbn, span);
		lbn -= from;
		if (from == span || block[i] == 0)
			continue;
		blk = block[i];
		if (from == 0)
			block[i] = 0;
		ip->e_dirty = true;
		e = trunc_tree(ip, blk, depth, from);
		if (e != 0)
			error = e;
	}
	return error;
}
