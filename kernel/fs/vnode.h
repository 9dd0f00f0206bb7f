/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Vnodes: files of every file system, in memory.
 *
 * v_lock is held shared for reading and exclusive for changing the file or
 * the directory; taken parent before child. v_refs keeps the vnode.
 */
#ifndef FS_VNODE_H
#define FS_VNODE_H

#include <kern/file.h>
#include <kern/kmalloc.h>
#include <vm/vm_types.h>

enum vtype { VREG, VDIR, VLNK, VCHR, VBLK, VFIFO };

/* What stat shows; filled by vop_getattr. */
struct kstat {
	uint64_t ino, dev, rdev, size, blocks;
	uint32_t mode, nlink, uid, gid, blksize;
	int64_t atime_ns, mtime_ns, ctime_ns;
};

struct vnode;
struct mount;

/* A directory reader hands each entry to emit; non-zero from it stops. */
typedef int (*dirent_emit_t)(void *arg, const char *name, size_t len,
    uint64_t ino, enum vtype type, int64_t next_off);

/* Operations; NULL means not supported (EPERM, ENOTDIR, EINVAL ... by the
 * caller). Names are not zero-terminated: (name, len). Locks as above. */
struct vnodeops {
	int (*vop_lookup)(struct vnode *dvp, const char *name, size_t len,
	    struct vnode **vpp); /* referenced; dvp locked shared */
	int (*vop_create)(struct vnode *dvp, const char *name, size_t len,
	    enum vtype type, uint32_t mode, uint64_t rdev,
	    struct vnode **vpp);
	int (*vop_link)(struct vnode *dvp, const char *name, size_t len,
	    struct vnode *vp);
	int (*vop_unlink)(struct vnode *dvp, const char *name, size_t len);
	int (*vop_rmdir)(struct vnode *dvp, const char *name, size_t len);
	int (*vop_rename)(struct vnode *odvp, const char *oname, size_t olen,
	    struct vnode *ndvp, const char *nname, size_t nlen);
	int (*vop_symlink)(struct vnode *dvp, const char *name, size_t len,
	    const char *target);
	int (*vop_readlink)(struct vnode *vp, char *buf, size_t size,
	    size_t *lenp);
	int (*vop_readdir)(struct vnode *vp, int64_t off, dirent_emit_t emit,
	    void *arg);
	int (*vop_getattr)(struct vnode *vp, struct kstat *st);
	int (*vop_setattr)(struct vnode *vp, const struct kstat *st,
	    uint32_t mask); /* VATTR_* */
	int (*vop_truncate)(struct vnode *vp, uint64_t size);
	int (*vop_read)(struct vnode *vp, struct uio *uio, int ioflag);
	int (*vop_write)(struct vnode *vp, struct uio *uio, int ioflag);
	/* Fills / stores one page of the file for the vnode pager, by kernel
	 * address; off page-aligned; bytes beyond the end are zeroed. */
	int (*vop_getpage)(struct vnode *vp, uint64_t off, void *kaddr);
	int (*vop_putpage)(struct vnode *vp, uint64_t off, const void *kaddr,
	    size_t len);
	int (*vop_open)(struct vnode *vp, struct file *fp);
	void (*vop_close)(struct vnode *vp, struct file *fp);
	int (*vop_ioctl)(struct vnode *vp, unsigned long cmd, uintptr_t arg);
	int (*vop_poll)(struct vnode *vp, int events);
	void (*vop_inactive)(struct vnode *vp); /* last reference gone */
};
#define VATTR_MODE  0x1
#define VATTR_TIMES 0x2
#define VATTR_OWNER 0x4

struct vnode {
	const struct vnodeops *v_ops; /* (k) */
	enum vtype v_type;	      /* (k) */
	struct mount *v_mount;	      /* (k) */
	int32_t v_refs;		      /* (A) */
	struct lock v_lock;
	struct lwkt_token v_token;    /* guards v_object's creation and end */
	struct vm_object *v_object;   /* v_token; the file's pages, or NULL */
	struct mount *v_mountedhere;  /* mount token */
	uint64_t v_size;	      /* v_lock; bytes, VREG */
	void *v_data;		      /* the file system's */
};

struct mount {
	TAILQ_ENTRY(mount) mnt_list;
	const char *mnt_fstype;	  /* (k) */
	struct vnode *mnt_root;	  /* (k) referenced */
	struct vnode *mnt_covered; /* (k) NULL for the root */
	bool mnt_rdonly;
	uint64_t mnt_dev;	  /* (k) st_dev */
	void *mnt_data;
};

void vfs_init(void);
struct vnode *vnode_alloc(const struct vnodeops *ops, enum vtype type,
    struct mount *mp, void *data); /* one reference */
void vref(struct vnode *vp);
void vrele(struct vnode *vp);
#define vn_lock_shared(vp) lockmgr(&(vp)->v_lock, LK_SHARED)
#define vn_lock(vp)	   lockmgr(&(vp)->v_lock, LK_EXCLUSIVE)
#define vn_unlock(vp)	   lockmgr(&(vp)->v_lock, LK_RELEASE)

/* Path to vnode, referenced, unlocked; base NULL: the process's cwd.
 * NAMEI_PARENT: the parent, and *last, *lastlen the final component, which
 * need not exist. */
#define NAMEI_FOLLOW   0x1
#define NAMEI_NOFOLLOW 0x2
#define NAMEI_PARENT   0x4
int namei(struct vnode *base, const char *path, int flags,
    struct vnode **vpp, const char **last, size_t *lastlen);
/* Reads len bytes at off into the kernel's buf; *done gets how many. */
int vn_read_kernel(struct vnode *vp, void *buf, size_t len, uint64_t off,
    size_t *done);
int vn_open(struct vnode *base, const char *path, int flags, uint32_t mode,
    struct file **fpp);
/* Absolute path of a directory or of p_text, into buf. */
int vn_fullpath(struct vnode *vp, char *buf, size_t size);

/* ramfs root filled from the cpio (newc) archive in memory; ENOEXEC-like
 * one-line errors go to the console. */
int ramfs_mount_root(const void *cpio, size_t size);
int devfs_mount(struct vnode *covered);
int procfs_mount(struct vnode *covered);

/* A character device, registered at boot. */
struct cdevsw {
	const char *d_name;
	uint32_t d_major, d_minor, d_mode;
	int (*d_read)(struct uio *uio, int ioflag);
	int (*d_write)(struct uio *uio, int ioflag);
	int (*d_ioctl)(unsigned long cmd, uintptr_t arg);
	int (*d_poll)(int events);
};
void devfs_register(const struct cdevsw *d);
void console_input(int ch); /* tty: a character from COM1, interrupt side */

#endif
