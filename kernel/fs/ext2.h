/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Inside ext2: what is on the disk, and what is in memory.
 *
 * The format is that of D. Poirier, "The Second Extended File System:
 * Internal Layout" (2019), and of Linux's Documentation/filesystems/ext2.rst;
 * numbers are little-endian, as the CPU has them.
 *
 * Locks, in the order they are taken; each may be held while the ones below
 * are asked for:
 *	v_iolock, v_lock	of directories and files: see fs/vnode.h
 *	a busy page		of a file
 *	e_lock			of one inode: its fields and its block map
 *	em_lock			of a mount: who has which block and inode
 *	a buffer		one at a time
 *	em_spin
 * (E) e_lock; (M) em_lock; (S) em_spin; (k) constant
 */
#ifndef FS_EXT2_H
#define FS_EXT2_H

#include <sys/queue.h>
#include <sys/tree.h>

#include <fs/buf.h>
#include <fs/vnode.h>

#define EXT2_SUPER_OFFSET 1024 /* bytes from the disk's start */
#define EXT2_MAGIC	  0xef53
#define EXT2_ROOT_INO	  2
#define EXT2_GOOD_OLD_INO 11  /* first free inode, revision 0 */
#define EXT2_INODE_BYTES  128 /* of an inode that we know */
#define EXT2_NAME_MAX	  255
#define EXT2_LINK_MAX	  32000 /* as Linux has it */

struct ext2_super {
	uint32_t s_inodes_count, s_blocks_count, s_r_blocks_count;
	uint32_t s_free_blocks_count, s_free_inodes_count;
	uint32_t s_first_data_block, s_log_block_size, s_log_frag_size;
	uint32_t s_blocks_per_group, s_frags_per_group, s_inodes_per_group;
	uint32_t s_mtime, s_wtime;
	uint16_t s_mnt_count, s_max_mnt_count, s_magic, s_state;
	uint16_t s_errors, s_minor_rev_level;
	uint32_t s_lastcheck, s_checkinterval, s_creator_os, s_rev_level;
	uint16_t s_def_resuid, s_def_resgid;
	/* from revision 1 on */
	uint32_t s_first_ino;
	uint16_t s_inode_size, s_block_group_nr;
	uint32_t s_feature_compat, s_feature_incompat, s_feature_ro_compat;
	uint8_t s_uuid[16];
	char s_volume_name[16], s_last_mounted[64];
	uint32_t s_algorithm_usage_bitmap;
	uint8_t s_rest[820];
};

/* s_state */
#define EXT2_VALID_FS 0x0001 /* unmounted in order */
#define EXT2_ERROR_FS 0x0002 /* damage was seen */

/* What we can do, of what a file system may have. COMPAT features do not
 * matter to who does not know them. */
#define EXT2_INCOMPAT_FILETYPE	 0x0002
#define EXT2_INCOMPAT_SUPP	 EXT2_INCOMPAT_FILETYPE
#define EXT2_RO_COMPAT_SPARSE	 0x0001 /* fewer copies of the superblock */
#define EXT2_RO_COMPAT_LARGEFILE 0x0002
#define EXT2_RO_COMPAT_SUPP	 (EXT2_RO_COMPAT_SPARSE | EXT2_RO_COMPAT_LARGEFILE)

struct ext2_group {
	uint32_t bg_block_bitmap, bg_inode_bitmap, bg_inode_table;
	uint16_t bg_free_blocks, bg_free_inodes, bg_used_dirs, bg_flags;
	uint32_t bg_rest[3];
};

#define EXT2_NDIR    12 /* blocks named in the inode itself */
#define EXT2_NBLOCKS 15 /* and one each of depth 1, 2, 3 */

struct ext2_inode {
	uint16_t i_mode, i_uid;
	uint32_t i_size, i_atime, i_ctime, i_mtime, i_dtime;
	uint16_t i_gid, i_links_count;
	uint32_t i_blocks; /* of 512 bytes, with those of the map */
	uint32_t i_flags, i_osd1;
	uint32_t i_block[EXT2_NBLOCKS];
	uint32_t i_generation, i_file_acl;
	uint32_t i_size_high; /* directories: an ACL of old */
	uint32_t i_faddr;
	uint16_t i_osd2, i_osd2_pad, i_uid_high, i_gid_high;
	uint32_t i_reserved;
};

#define EXT2_APPEND_FL	  0x00000020
#define EXT2_IMMUTABLE_FL 0x00000010
#define EXT2_INDEX_FL	  0x00001000 /* a directory has a hashed index */

struct ext2_dirent {
	uint32_t d_ino;	    /* 0: free */
	uint16_t d_rec_len; /* to the next one, within the block */
	uint8_t d_name_len;
	uint8_t d_type; /* EXT2_FT_*, with INCOMPAT_FILETYPE */
	char d_name[];
};
#define EXT2_DIRENT_LEN(n) (((n) + 8U + 3U) & ~3U)

struct ext2_xattr_header { /* of the block i_file_acl */
	uint32_t h_magic, h_refcount, h_blocks;
};
#define EXT2_XATTR_MAGIC 0xea020000U

/* --- In memory --- */

struct ext2_mount {
	struct mount *em_mp;	      /* (k) */
	struct vnode *em_devvp;	      /* (k) referenced */
	struct blkdev *em_bd;	      /* (k) */
	uint32_t em_bsize, em_bshift; /* (k) bytes of a block */
	uint32_t em_ptrs, em_pshift;  /* (k) block numbers in a block */
	uint32_t em_isize;	      /* (k) bytes of an inode on the disk */
	uint32_t em_first_ino;	      /* (k) */
	uint32_t em_ngroups;	      /* (k) */
	uint64_t em_maxsize;	      /* (k) bytes of a file */
	bool em_filetype;	      /* (k) directories tell types */
	bool em_wasrdonly;	      /* (k) not a byte is to be written */
	bool em_damaged;	      /* (A) set once */
	uint32_t em_reports;	      /* (A) of damage */
	uint16_t em_oldstate;	      /* (k) s_state before we came */
	struct lock em_lock;
	struct ext2_super em_super;   /* (M), but for what is (k) in it */
	struct ext2_group *em_groups; /* (M) */
	bool em_sbdirty;	      /* (M) super or groups are newer */
	struct spinlock em_spin;
	RB_HEAD(ext2_nodes, ext2_node) em_nodes;      /* (S) all in memory */
	TAILQ_HEAD(ext2_keptlist, ext2_node) em_kept; /* (S) newest first */
	int em_nkept;				      /* (S) */
	struct ext2_node *em_drop; /* (S) whose vnodes are to be released */
	bool em_dropping;	   /* (S) somebody does so */
	struct lock em_bouncelock;
	char *em_bounce; /* em_bouncelock; a block, for the end of a file */
};

struct ext2_node {
	RB_ENTRY(ext2_node) e_entry;   /* (S) by number */
	TAILQ_ENTRY(ext2_node) e_keep; /* (S) with E_KEPT */
	struct ext2_node *e_dropnext;  /* (S) on em_drop */
	int e_drops;		       /* (S) references to be released */
	struct ext2_mount *e_em;       /* (k) */
	uint32_t e_ino;		       /* (k) */
	struct vnode *e_vp;	       /* (S) NULL: being read */
	bool e_kept;		       /* (S) we have a reference on e_vp */
	struct lock e_lock;
	struct ext2_inode e_din; /* (E) the size of a VREG: v_size, too */
	bool e_dirty;		 /* (E) e_din is newer than its buffer */
	int e_error;		 /* (A) of a write nobody has been told of */
	uint32_t e_goal;	 /* (E) where the next block should be */
	struct vnode *e_dvp;	 /* (S) where it was found, referenced */
	char *e_name;		 /* (S) and its name there; NULL: none */
};
RB_PROTOTYPE(ext2_nodes, ext2_node, e_entry, ext2_node_cmp);

MALLOC_DECLARE(M_EXT2);
#define VTOE(vp) ((struct ext2_node *)(vp)->v_data)

extern const struct vnodeops ext2_dirops, ext2_regops, ext2_lnkops, ext2_devops,
    ext2_blkops;

/* --- ext2_super.c --- */
/* Damage was found: says so, and from now on nothing is changed. EIO, for the
 * caller to return. */
int ext2_error(struct ext2_mount *em, const char *fmt, ...) __printflike(2, 3);
int ext2_sync_super(struct ext2_mount *em); /* into its buffers */

/* --- ext2_node.c: inodes in memory --- */
/* The vnode of an inode, referenced. Sleeps. EIO. */
int ext2_vget(struct ext2_mount *em, uint32_t ino, struct vnode **vpp);
/* The same of an inode that was just allocated: e_din is all zeroes but
 * for the mode. EIO: it belongs to a file. */
int ext2_vnew(
    struct ext2_mount *em, uint32_t ino, uint32_t mode, struct vnode **vpp);
int ext2_update(struct ext2_node *ip); /* e_din into its buffer, if newer */
/* Reads an inode without making anything of it. */
int ext2_iread(struct ext2_mount *em, uint32_t ino, struct ext2_inode *din);
void ext2_drop(struct ext2_mount *em, struct vnode *vp); /* or NULL: vrele */
void ext2_node_free(struct ext2_node *ip);
void ext2_unkeep(struct ext2_node *ip); /* no name leads to it any more */
void ext2_quiesce(struct mount *mp);
bool ext2_busy(struct mount *mp);
/* Calls fn for each vnode in memory, referenced; the first error. */
int ext2_foreach(struct ext2_mount *em, int (*fn)(struct vnode *vp));

/* --- ext2_name.c: the way back from a file --- */
/* It is in dvp by this name. A directory that is somewhere else already is
 * damage, EIO, unless it was moved. */
int ext2_named(struct vnode *vp, struct vnode *dvp, const char *name,
    size_t len, bool moved);
/* It has lost this name in dvp. */
void ext2_unnamed(
    struct vnode *vp, struct vnode *dvp, const char *name, size_t len);
struct vnode *ext2_parent(struct vnode *dvp); /* referenced; NULL: the root */
int ext2_name(struct vnode *vp, struct vnode **dvpp, char *name, size_t size);
void ext2_inactive(struct vnode *vp);
/* An inode without links: it and its blocks are free. */
void ext2_release(struct ext2_node *ip, enum vtype type);

/* --- ext2_alloc.c: bitmaps --- */
/* A block, as near to goal as can be. ENOSPC, EIO, EROFS. */
int ext2_balloc(struct ext2_mount *em, uint32_t goal, uint32_t *blkp);
void ext2_bfree(struct ext2_mount *em, uint32_t blk);
/* An inode for a file in the directory. */
int ext2_ialloc(
    struct ext2_mount *em, uint32_t parent, bool isdir, uint32_t *inop);
void ext2_ifree(struct ext2_mount *em, uint32_t ino, bool isdir);
bool ext2_block_ok(const struct ext2_mount *em, uint32_t blk);

/* --- ext2_bmap.c: from a block of a file to one of the disk --- */
/* 0: a hole. e_lock, shared will do. */
int ext2_bmap(struct ext2_node *ip, uint64_t lbn, uint32_t *blkp);
/* The same with the hole filled; *isnew then, and it is the caller who gives
 * the block its contents. e_lock exclusive; e_din is changed. */
int ext2_bmap_alloc(
    struct ext2_node *ip, uint64_t lbn, uint32_t *blkp, bool *isnew);
/* Frees the blocks from lbn on. e_lock exclusive; e_din is changed. */
int ext2_bmap_trunc(struct ext2_node *ip, uint64_t lbn);

/* --- ext2_dir.c: entries --- */
int ext2_dir_find(struct vnode *dvp, const char *name, size_t len,
    uint32_t *inop); /* ENOENT */
int ext2_dir_add(struct vnode *dvp, const char *name, size_t len, uint32_t ino,
    enum vtype type, bool now);
int ext2_dir_remove(struct vnode *dvp, const char *name, size_t len);
int ext2_dir_change(struct vnode *dvp, const char *name, size_t len,
    uint32_t ino, enum vtype type, bool now);
int ext2_dir_empty(struct vnode *dvp);		       /* 0, ENOTEMPTY */
int ext2_dir_init(struct vnode *dvp, uint32_t parent); /* "." and ".." */
int ext2_readdir(struct vnode *dvp, int64_t off, dirent_emit_t emit, void *arg);

/* --- ext2_file.c --- */
int ext2_fsync(struct vnode *vp);
int ext2_truncate(struct vnode *vp, uint64_t size);
bool ext2_short_link(const struct ext2_node *ip);
int ext2_clean(struct vnode *vp); /* its dirty pages and its inode */

/* --- ext2_attr.c --- */
int ext2_getattr(struct vnode *vp, struct kstat *st);
int ext2_setattr(struct vnode *vp, const struct kstat *st, uint32_t mask);
uint32_t ext2_now(void); /* seconds */

/* --- the disk by block number --- */
#define EXT2_OFF(em, blk) ((uint64_t)(blk) << (em)->em_bshift)
#define ext2_bread(em, blk, bpp) \
	bread((em)->em_devvp, EXT2_OFF(em, blk), (em)->em_bsize, bpp)
#define ext2_getblk(em, blk) \
	getblk((em)->em_devvp, EXT2_OFF(em, blk), (em)->em_bsize)

#endif
