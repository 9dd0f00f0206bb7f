/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ext2: the entries of directories. A directory is blocks of entries, each of
 * which says where the next one in its block begins; what one has room for
 * beyond its name is free.
 *
 * The caller has locked the directory, for a change exclusively. A hashed
 * index, which looks like free room to us, is of no use after a change.
 */
#include <linux/errno.h>
#include <linux/stat.h>

#include <fs/ext2.h>
#include <kern/kstring.h>

/* The file types of entries: EXT2_FT_REG_FILE and so on. */
static const uint8_t ft_of[] = {
    [VREG] = 1, [VDIR] = 2, [VCHR] = 3, [VBLK] = 4, [VFIFO] = 5, [VLNK] = 7};

/* An entry in a buffer, and the one before it in the block (itself, if it is
 * the first). */
struct dirpos {
	struct buf *bp; /* locked */
	struct ext2_dirent *de, *prev;
};

/* A block of the directory: EIO also for a hole. */
static int
dir_block(struct vnode *dvp, uint64_t lbn, struct buf **bpp)
{
	struct ext2_node *dp = VTOE(dvp);
	uint32_t blk;
	int error;

	lockmgr(&dp->e_lock, LK_SHARED);
	error = ext2_bmap(dp, lbn, &blk);
	lockmgr(&dp->e_lock, LK_RELEASE);
	if (error != 0)
		return error;
	if (blk == 0)
		return ext2_error(
		    dp->e_em, "directory %u has a hole", dp->e_ino);
	return ext2_bread(dp->e_em, blk, bpp);
}

/* Blocks of the directory. */
static uint64_t
dir_blocks(struct vnode *dvp)
{
	struct ext2_node *dp = VTOE(dvp);

	return dp->e_din.i_size >> dp->e_em->em_bshift;
}

/* The entry at an offset of a block, or NULL when it is none. */
static struct ext2_dirent *
dir_entry(struct ext2_mount *em, char *block, uint32_t off)
{
	struct ext2_dirent *de = (struct ext2_dirent *)(void *)(block + off);
	uint32_t left = em->em_bsize - off;

	if (left < EXT2_DIRENT_LEN(0) || de->d_rec_len % 4 != 0 ||
	    de->d_rec_len < EXT2_DIRENT_LEN(de->d_name_len) ||
	    de->d_rec_len > left || de->d_ino > em->em_super.s_inodes_count)
		return NULL;
	return de;
}

/* Damage: there is something else in the place of an entry. */
static int
bad_entry(struct vnode *dvp, uint64_t lbn, uint32_t off)
{
	return ext2_error(VTOE(dvp)->e_em,
	    "directory %u has no entry at byte %u of block %lu",
	    VTOE(dvp)->e_ino, off, lbn);
}

static bool
is_called(const struct ext2_dirent *de, const char *name, size_t len)
{
	return de->d_ino != 0 && de->d_name_len == len &&
	    memcmp(de->d_name, name, len) == 0;
}

/* Finds a name: ENOENT. Its block is locked then. */
static int
dir_search(struct vnode *dvp, const char *name, size_t len, struct dirpos *pos)
{
	struct ext2_mount *em = VTOE(dvp)->e_em;
	uint32_t off;
	int error;

	for (uint64_t lbn = 0; lbn < dir_blocks(dvp); lbn++) {
		error = dir_block(dvp, lbn, &pos->bp);
		if (error != 0)
			return error;
		pos->prev = NULL;
		for (off = 0; off < em->em_bsize; off += pos->de->d_rec_len) {
			pos->de = dir_entry(em, pos->bp->b_data, off);
			if (pos->de == NULL) {
				brelse(pos->bp);
				return bad_entry(dvp, lbn, off);
			}
			if (is_called(pos->de, name, len))
				return 0;
			pos->prev = pos->de;
		}
		brelse(pos->bp);
	}
	return ENOENT;
}

int
ext2_dir_find(struct vnode *dvp, const char *name, size_t len, uint32_t *inop)
{
	struct dirpos pos;
	int error;

	error = dir_search(dvp, name, len, &pos);
	if (error == 0) {
		*inop = pos.de->d_ino;
		brelse(pos.bp);
	}
	return error;
}

/* The directory was changed. */
static int
dir_touch(struct vnode *dvp)
{
	struct ext2_node *dp = VTOE(dvp);
	int error;

	lockmgr(&dp->e_lock, LK_EXCLUSIVE);
	dp->e_din.i_mtime = dp->e_din.i_ctime = ext2_now();
	dp->e_din.i_flags &= ~(uint32_t)EXT2_INDEX_FL;
	dp->e_dirty = true;
	error = ext2_update(dp);
	lockmgr(&dp->e_lock, LK_RELEASE);
	return error;
}

/* Fills an entry of which d_rec_len is set. */
static void
fill_entry(struct ext2_mount *em, struct ext2_dirent *de, uint32_t ino,
    enum vtype type, const char *name, size_t len)
{
	de->d_ino = ino;
	de->d_name_len = (uint8_t)len;
	de->d_type = em->em_filetype ? ft_of[type] : 0;
	memcpy(de->d_name, name, len);
	memset(de->d_name + len, 0, EXT2_DIRENT_LEN(len) - 8U - len);
}

/* Room for a name in a block: an entry whose d_rec_len is what it may take,
 * or NULL. *badp: where the block has no entry, or its end. */
static struct ext2_dirent *
make_room(struct ext2_mount *em, char *block, size_t len, uint32_t *badp)
{
	uint32_t need = EXT2_DIRENT_LEN((uint32_t)len), off, used;
	struct ext2_dirent *de, *nde;

	*badp = em->em_bsize;
	for (off = 0; off < em->em_bsize; off += de->d_rec_len) {
		de = dir_entry(em, block, off);
		if (de == NULL) {
			*badp = off;
			return NULL;
		}
		used = de->d_ino == 0 ? 0 : EXT2_DIRENT_LEN(de->d_name_len);
		if (de->d_rec_len - used < need)
			continue;
		if (used == 0)
			return de;
		nde = (struct ext2_dirent *)(void *)(block + off + used);
		nde->d_rec_len = (uint16_t)(de->d_rec_len - used);
		de->d_rec_len = (uint16_t)used;
		return nde;
	}
	return NULL;
}

/* One more block, with one entry that is free; it is on the disk before the
 * directory's size says so. Released. */
static int
dir_grow(struct vnode *dvp)
{
	struct ext2_node *dp = VTOE(dvp);
	struct ext2_mount *em = dp->e_em;
	struct ext2_dirent *de;
	struct buf *bp;
	uint32_t blk;
	bool isnew;
	int error;

	lockmgr(&dp->e_lock, LK_EXCLUSIVE);
	error = ext2_bmap_alloc(dp, dir_blocks(dvp), &blk, &isnew);
	if (error == 0) {
		bp = ext2_getblk(em, blk);
		if (bp == NULL) {
			error = EIO;
		} else {
			memset(bp->b_data, 0, em->em_bsize);
			de = (struct ext2_dirent *)(void *)bp->b_data;
			de->d_rec_len = (uint16_t)em->em_bsize;
			error = bwrite(bp);
		}
	}
	if (error == 0)
		dp->e_din.i_size += em->em_bsize;
	else
		ext2_bmap_trunc(dp, dir_blocks(dvp));
	ext2_update(dp);
	lockmgr(&dp->e_lock, LK_RELEASE);
	return error;
}

/* Ends a change of a buffer: at once on the disk, or some time. */
static int
put_block(struct buf *bp, bool now)
{
	if (now)
		return bwrite(bp);
	bdwrite(bp);
	return 0;
}

/* Enters a name that is not there. now: it is on the disk on return. ENOSPC,
 * EIO. */
int
ext2_dir_add(struct vnode *dvp, const char *name, size_t len, uint32_t ino,
    enum vtype type, bool now)
{
	struct ext2_mount *em = VTOE(dvp)->e_em;
	struct ext2_dirent *de;
	struct buf *bp;
	uint32_t bad;
	int error;

	for (uint64_t lbn = 0;; lbn++) {
		if (lbn == dir_blocks(dvp)) {
			error = dir_grow(dvp);
			if (error != 0)
				return error;
		}
		error = dir_block(dvp, lbn, &bp);
		if (error != 0)
			return error;
		de = make_room(em, bp->b_data, len, &bad);
		if (de != NULL)
			break;
		brelse(bp);
		if (bad != em->em_bsize)
			return bad_entry(dvp, lbn, bad);
	}
	fill_entry(em, de, ino, type, name, len);
	error = put_block(bp, now);
	return error != 0 ? error : dir_touch(dvp);
}

/* Takes a name out: ENOENT, EIO. */
int
ext2_dir_remove(struct vnode *dvp, const char *name, size_t len)
{
	struct dirpos pos;
	int error;

	error = dir_search(dvp, name, len, &pos);
	if (error != 0)
		return error;
	if (pos.prev != NULL)
		pos.prev->d_rec_len =
		    (uint16_t)(pos.prev->d_rec_len + pos.de->d_rec_len);
	else
		pos.de->d_ino = 0;
	bdwrite(pos.bp);
	return dir_touch(dvp);
}

/* Lets a name lead somewhere else: ENOENT, EIO. */
int
ext2_dir_change(struct vnode *dvp, const char *name, size_t len, uint32_t ino,
    enum vtype type, bool now)
{
	struct dirpos pos;
	int error;

	error = dir_search(dvp, name, len, &pos);
	if (error != 0)
		return error;
	pos.de->d_ino = ino;
	if (VTOE(dvp)->e_em->em_filetype)
		pos.de->d_type = ft_of[type];
	error = put_block(pos.bp, now);
	return error != 0 ? error : dir_touch(dvp);
}

static bool
is_dots(const struct ext2_dirent *de)
{
	return de->d_name_len <= 2 && de->d_name[0] == '.' &&
	    (de->d_name_len == 1 || de->d_name[1] == '.');
}

/* Has the directory nothing but "." and ".."? ENOTEMPTY, EIO. */
int
ext2_dir_empty(struct vnode *dvp)
{
	struct ext2_mount *em = VTOE(dvp)->e_em;
	struct ext2_dirent *de;
	struct buf *bp;
	uint32_t off;
	int error = 0;

	for (uint64_t lbn = 0; lbn < dir_blocks(dvp) && error == 0; lbn++) {
		error = dir_block(dvp, lbn, &bp);
		if (error != 0)
			break;
		for (off = 0; off < em->em_bsize; off += de->d_rec_len) {
			de = dir_entry(em, bp->b_data, off);
			if (de == NULL)
				break;
			if (de->d_ino != 0 && !is_dots(de)) {
				error = ENOTEMPTY;
				break;
			}
		}
		brelse(bp);
		if (error == 0 && off < em->em_bsize)
			error = bad_entry(dvp, lbn, off);
	}
	return error;
}

/* The first block of a new directory. ENOSPC, EIO. */
int
ext2_dir_init(struct vnode *dvp, uint32_t parent)
{
	int error;

	error = ext2_dir_add(dvp, ".", 1, VTOE(dvp)->e_ino, VDIR, false);
	if (error == 0)
		error = ext2_dir_add(dvp, "..", 2, parent, VDIR, false);
	return error;
}

/* The type of an entry's file; an old directory does not tell, nor does a
 * damaged one. */
static enum vtype
entry_type(struct ext2_mount *em, const struct ext2_dirent *de)
{
	struct ext2_inode din;
	enum vtype type;

	if (em->em_filetype) {
		for (type = 0; type < nitems(ft_of); type++) {
			if (ft_of[type] == de->d_type)
				return type;
		}
	}
	if (ext2_iread(em, de->d_ino, &din) == 0 &&
	    mode_to_vtype(din.i_mode, &type))
		return type;
	return VFIFO; /* a socket, most likely */
}

/* vop_readdir: an offset is a place in the directory; one that is in the
 * middle of an entry means the next. A copy is read from, since other blocks
 * may have to be looked at on the way. */
int
ext2_readdir(struct vnode *dvp, int64_t off, dirent_emit_t emit, void *arg)
{
	struct ext2_mount *em = VTOE(dvp)->e_em;
	uint64_t lbn = (uint64_t)off >> em->em_bshift, at;
	struct ext2_dirent *de;
	char *block;
	struct buf *bp;
	bool full = false;
	int error = 0;

	if (VTOE(dvp)->e_din.i_links_count == 0)
		return ENOENT;
	block = kmalloc(em->em_bsize, &M_TEMP, M_WAITOK);
	for (; off >= 0 && lbn < dir_blocks(dvp) && !full; lbn++) {
		error = dir_block(dvp, lbn, &bp);
		if (error != 0)
			break;
		memcpy(block, bp->b_data, em->em_bsize);
		brelse(bp);
		for (uint32_t o = 0; o < em->em_bsize; o += de->d_rec_len) {
			de = dir_entry(em, block, o);
			if (de == NULL) {
				error = bad_entry(dvp, lbn, o);
				full = true;
				break;
			}
			at = (lbn << em->em_bshift) + o;
			if (de->d_ino == 0 || at < (uint64_t)off)
				continue;
			if (emit(arg, de->d_name, de->d_name_len, de->d_ino,
				entry_type(em, de),
				(int64_t)(at + de->d_rec_len)) != 0) {
				full = true;
				break;
			}
		}
	}
	kfree(block, &M_TEMP);
	return error;
}
