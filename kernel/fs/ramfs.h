/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Inside ramfs: the file system whose files are in memory only.
 *
 * A node is a file; it exists while a name leads to it or a vnode stands for
 * it. A regular file has its bytes in one of two places: where the archive
 * is, as long as nobody opened it for writing; or in the pages of its
 * vnode's object, and then the node keeps the vnode (it is pinned).
 *
 * (S) ramfs_spin; (V) v_lock of the node's vnode, or boot; (k) constant
 * A regular file's times and size are also changed under v_iolock alone and
 * with v_lock; a reader of the times may be a write behind.
 */
#ifndef FS_RAMFS_H
#define FS_RAMFS_H

#include <sys/queue.h>
#include <sys/tree.h>

#include <fs/vnode.h>

struct ramfs_dirent {
	RB_ENTRY(ramfs_dirent) rd_entry;    /* (V of rd_dir) by name */
	TAILQ_ENTRY(ramfs_dirent) rd_order; /* (V of rd_dir) by rd_cookie */
	LIST_ENTRY(ramfs_dirent) rd_link;   /* (S) the node's names */
	struct ramfs_node *rd_dir;	    /* (k) */
	struct ramfs_node *rd_node;	    /* (k) */
	int64_t rd_cookie;		    /* (k) readdir's offset */
	size_t rd_len;			    /* (k) */
	char rd_name[];			    /* (k) terminated, too */
};
RB_HEAD(ramfs_names, ramfs_dirent);
RB_PROTOTYPE(ramfs_names, ramfs_dirent, rd_entry, ramfs_namecmp);

struct ramfs_node {
	enum vtype rn_type;	/* (k) */
	struct mount *rn_mount; /* (k) */
	uint64_t rn_ino;	/* (k) */
	uint64_t rn_rdev;	/* (k) */
	int32_t rn_refs;	/* (S) 1 for being linked, 1 a vnode or use */
	uint32_t rn_nlink;	/* (S) names; 0 once it has lost them */
	uint32_t rn_nsub;	/* (S) VDIR: directories in it */
	struct vnode *rn_vp;	/* (S) the vnode to be found, or NULL */
	bool rn_pinned;		/* (S) we have a reference on rn_vp */
	LIST_HEAD(, ramfs_dirent) rn_links;   /* (S) */
	uint32_t rn_mode, rn_uid, rn_gid;     /* (V) mode without type */
	int64_t rn_atime, rn_mtime, rn_ctime; /* (V) ns */
	/* VREG */
	uint64_t rn_size;	/* (V) bytes; v_size while there is a vnode */
	const uint8_t *rn_data; /* (k) in the archive */
	uint64_t rn_datalen;	/* (V) bytes of it that still count */
	/* VLNK */
	char *rn_target; /* (k) terminated */
	/* VDIR */
	/* (S) NULL for the root; a removed one has a reference on it */
	struct ramfs_node *rn_parent;
	struct ramfs_names rn_names;	     /* (V) */
	TAILQ_HEAD(, ramfs_dirent) rn_order; /* (V) */
	int64_t rn_cookie;		     /* (V) the next one */
};

extern struct spinlock ramfs_spin;
extern const struct vnodeops ramfs_dirops, ramfs_regops, ramfs_lnkops,
    ramfs_devops, ramfs_blkops;
MALLOC_DECLARE(M_RAMFS);

/* ramfs_node.c */
struct ramfs_node *ramfs_newnode(struct mount *mp, enum vtype type,
    uint32_t mode, uint64_t rdev); /* one reference, no name */
void ramfs_droplocked(struct ramfs_node *rn, struct ramfs_node **freep);
void ramfs_drop(struct ramfs_node *rn);
struct vnode *ramfs_vget(struct ramfs_node *rn);
struct ramfs_dirent *ramfs_find(
    struct ramfs_node *dir, const char *name, size_t len);
void ramfs_enter(struct ramfs_node *dir, const char *name, size_t len,
    struct ramfs_node *rn);
void ramfs_remove(struct ramfs_dirent *rd);
void ramfs_pin(struct vnode *vp);
void ramfs_freetree(struct ramfs_node *dir);
int ramfs_name(struct vnode *vp, struct vnode **dvpp, char *name, size_t size);
void ramfs_inactive(struct vnode *vp);
/* ramfs_attr.c */
int ramfs_getattr(struct vnode *vp, struct kstat *st);
int ramfs_setattr(struct vnode *vp, const struct kstat *st, uint32_t mask);
/* ramfs_file.c */
bool ramfs_intact(struct vnode *vp, uint64_t off, const void *kaddr);
/* ramfs.c: what devfs is made of, too. */
struct mount *ramfs_new(const char *fstype); /* mnt_data: the root node */
void ramfs_undo(struct mount *mp);	     /* never put in place: frees it */
/* ramfs_cpio.c: fills the root; 0, or ENOEXEC and in why what is wrong. */
int ramfs_cpio(struct ramfs_node *root, const void *cpio, size_t size,
    char *why, size_t whysize);

#endif
