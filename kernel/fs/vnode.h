/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Vnodes: files of every file system, in memory.
 *
 * v_lock is held shared for looking at the file or in the directory and
 * exclusive for changing its size, its attributes or the directory; taken
 * parent before child. A page fault takes it shared, so it is never held
 * while user memory is touched: reading and writing a regular file are
 * serialised by v_iolock, which comes before v_lock and which no fault takes.
 * v_refs keeps the vnode.
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
struct statfs;

/* A directory reader hands each entry to emit; non-zero from it stops. */
typedef int (*dirent_emit_t)(void *arg, const char *name, size_t len,
    uint64_t ino, enum vtype type, int64_t next_off);

/* Operations; NULL means not supported (EPERM, ENOTDIR, EINVAL ... by the
 * caller). Names are not zero-terminated: (name, len). Locks as above. */
struct vnodeops {
	int (*vop_lookup)(struct vnode *dvp, const char *name, size_t len,
	    struct vnode **vpp); /* referenced; dvp locked shared */
	int (*vop_create)(struct vnode *dvp, const char *name, size_t len,
	    enum vtype type, uint32_t mode, uint64_t rdev, struct vnode **vpp);
	int (*vop_link)(
	    struct vnode *dvp, const char *name, size_t len, struct vnode *vp);
	int (*vop_unlink)(struct vnode *dvp, const char *name, size_t len);
	int (*vop_rmdir)(struct vnode *dvp, const char *name, size_t len);
	int (*vop_rename)(struct vnode *odvp, const char *oname, size_t olen,
	    struct vnode *ndvp, const char *nname, size_t nlen);
	int (*vop_symlink)(struct vnode *dvp, const char *name, size_t len,
	    const char *target);
	int (*vop_readlink)(
	    struct vnode *vp, char *buf, size_t size, size_t *lenp);
	/* A symlink that leads to a file by itself and not by its text; a
	 * reference. No lock held. */
	int (*vop_follow)(struct vnode *vp, struct vnode **vpp);
	int (*vop_readdir)(
	    struct vnode *vp, int64_t off, dirent_emit_t emit, void *arg);
	int (*vop_getattr)(struct vnode *vp, struct kstat *st);
	int (*vop_setattr)(struct vnode *vp, const struct kstat *st,
	    uint32_t mask); /* VATTR_* */
	/* VREG: v_iolock is held, shared for reading, else exclusive. */
	int (*vop_truncate)(struct vnode *vp, uint64_t size);
	int (*vop_read)(struct vnode *vp, struct uio *uio, int ioflag);
	int (*vop_write)(struct vnode *vp, struct uio *uio, int ioflag);
	/* Fills / stores one page of the file for the vnode pager, by its
	 * address in the direct map. The page is busy; takes neither v_lock
	 * nor v_iolock. getpage: off page-aligned. putpage: a part of a page,
	 * whole blocks of 512 bytes, beyond the end of the file too: there the
	 * file has zeroes, whatever the page has. NULL: the page is the only
	 * place that its bytes have. */
	int (*vop_getpage)(struct vnode *vp, uint64_t off, void *kaddr);
	int (*vop_putpage)(
	    struct vnode *vp, uint64_t off, const void *kaddr, size_t len);
	/* Bytes off .. off + n, within one page, are about to be written: sees
	 * to it that putpage will find room for them. *fresh: the page's blocks
	 * of 512 bytes (as vm_page.dirty) that have only now got a place on
	 * the disk, where something else is still. The page is busy and has
	 * what the file has. ENOSPC, EIO. */
	int (*vop_reserve)(
	    struct vnode *vp, uint64_t off, size_t n, uint8_t *fresh);
	/* Writes what the file system keeps about a file, whose pages have
	 * just been written. Also tells of errors of earlier writes. */
	int (*vop_fsync)(struct vnode *vp);
	int (*vop_open)(struct vnode *vp, struct file *fp);
	void (*vop_close)(struct vnode *vp, struct file *fp);
	int (*vop_ioctl)(struct vnode *vp, unsigned long cmd, uintptr_t arg);
	int (*vop_poll)(struct vnode *vp, int events);
	/* The last reference is gone: v_object has been reclaimed, the vnode's
	 * memory is freed afterwards. */
	void (*vop_inactive)(struct vnode *vp);
	/* The directory it stands in, referenced, and its name there; ENOENT
	 * when it has none any more. Takes spinlocks only. */
	int (*vop_name)(
	    struct vnode *vp, struct vnode **dvpp, char *name, size_t size);
};
#define VATTR_MODE  0x1
#define VATTR_TIMES 0x2
#define VATTR_OWNER 0x4
#define VATTR_ATIME 0x8 /* VATTR_TIMES is mtime */

struct vnode {
	const struct vnodeops *v_ops; /* (k) */
	enum vtype v_type;	      /* (k) */
	struct mount *v_mount;	      /* (k) */
	int32_t v_refs;		      /* (A); 0 is the end: see vref_live */
	int32_t v_texts; /* (A) processes that run it: not to be written */
	struct lock v_iolock;
	struct lock v_lock;
	struct lwkt_token v_token;   /* guards v_object's creation and end */
	struct vm_object *v_object;  /* v_token; the file's pages, or NULL */
	struct mount *v_mountedhere; /* mount token */
	uint64_t v_size;	     /* v_lock, v_iolock; bytes, VREG */
	uint64_t v_rdev;	     /* (k) VCHR, VBLK: MKDEV(major, minor) */
	struct pipe *v_fifo;	     /* v_lock; VFIFO while it has users */
	int v_fifousers;	     /* v_lock */
	void *v_data;		     /* (k) the file system's */
};

struct mount {
	TAILQ_ENTRY(mount) mnt_list;
	const char *mnt_fstype;	   /* (k) */
	struct vnode *mnt_root;	   /* (k) referenced */
	struct vnode *mnt_covered; /* (k) NULL for the root */
	bool mnt_rdonly;
	uint64_t mnt_dev;   /* (k) st_dev */
	uint64_t mnt_magic; /* (k) f_type of statfs */
	char *mnt_from;	    /* (k) M_MOUNT: what was mounted; NULL: the type */
	/* Frees what hangs on mnt_data; nothing but the root is in use. NULL:
	 * cannot be unmounted. */
	void (*mnt_unmount)(struct mount *mp);
	/* Before an attempt to unmount: lets go of vnodes that the file system
	 * holds for itself and could do without. May sleep; or NULL. */
	void (*mnt_quiesce)(struct mount *mp);
	/* Nothing is in use but vnodes that the file system holds for itself:
	 * does nobody use one of those? Mount token; NULL: there are none. */
	bool (*mnt_busy)(struct mount *mp);
	/* Writes all that is to be written; NULL: there is no disk. */
	int (*mnt_sync)(struct mount *mp);
	/* The machine is being turned off: the last write. With mnt_sync. */
	void (*mnt_shutdown)(struct mount *mp);
	/* What statfs tells beside type and device; NULL: memory. */
	void (*mnt_statfs)(struct mount *mp, struct statfs *st);
	int32_t mnt_users;  /* mount token: threads that sync it */
	int32_t mnt_vnodes; /* (A) its vnodes alive */
	int32_t mnt_pinned; /* (A) of them those held by the fs itself */
	void *mnt_data;
};

/* Device numbers as stat shows them (Linux's new_encode_dev), for a minor
 * below 256. */
#define MKDEV(ma, mi) ((uint64_t)(((ma) << 8) | (mi)))
#define DEV_MAJOR(d)  ((uint32_t)(((d) >> 8) & 0xfff))
#define DEV_MINOR(d)  ((uint32_t)(((d)&0xff) | (((d) >> 12) & 0xfff00)))

extern struct vnode *rootvnode; /* (k) once mounted; referenced */

void vfs_init(void);
/* The ramfs root from the archive, and on it /dev and /proc. After the VM,
 * kmalloc, the scheduler and proc_init(). Once. */
int vfs_mountroot(const void *cpio, size_t size);
struct vnode *vnode_alloc(const struct vnodeops *ops, enum vtype type,
    struct mount *mp, void *data); /* one reference */
void vref(struct vnode *vp);
/* For a file system that finds a vnode by itself: takes a reference unless
 * the last one is gone already. Any lock that keeps the memory is held. */
bool vref_live(struct vnode *vp);
void vrele(struct vnode *vp); /* may sleep */
/* The same for the file that a process runs. */
void vref_text(struct vnode *vp);
void vrele_text(struct vnode *vp);
int64_t vnode_count(void);
uint32_t vtype_to_mode(enum vtype type); /* S_IFREG ... */
/* The type of a file from its mode; false when it is none that we have. */
bool mode_to_vtype(uint32_t mode, enum vtype *typep);
/* Registers a file system's root and, when covered, puts it there (takes
 * over both references). */
struct mount *mount_alloc(const char *fstype, uint64_t magic);
void mount_free(struct mount *mp);
int vfs_mount(struct mount *mp);
/* Uses up the caller's reference on the root when it succeeds. */
int vfs_umount(struct vnode *root);
void mount_foreach(void (*fn)(void *arg, const struct mount *mp), void *arg);
/* The covered directory's mount's root, and so on upward; the reference goes
 * along. */
struct vnode *mount_cross_down(struct vnode *vp);
/* Calls fn for each mount that can be synced, which stays meanwhile, with no
 * lock held. The first error, though all are called. */
int mount_foreach_sync(int (*fn)(struct mount *mp));
MALLOC_DECLARE(M_MOUNT);

/* --- vfs_sync.c --- */
void syncer_start(void); /* something can be synced now; any number of times */
void syncer_pause(void); /* until the resume it writes nothing; sleeps */
void syncer_resume(void);
int vfs_sync(struct mount *mp); /* one mount, or with NULL all of them */
void vfs_shutdown(void);
/* Writes a file, and all that leads to its bytes, to the disk. EIO, ENOSPC
 * also for what was to be written earlier. */
int vn_fsync(struct vnode *vp);

#define vn_lock_shared(vp)   lockmgr(&(vp)->v_lock, LK_SHARED)
#define vn_lock(vp)	     lockmgr(&(vp)->v_lock, LK_EXCLUSIVE)
#define vn_unlock(vp)	     lockmgr(&(vp)->v_lock, LK_RELEASE)
#define vn_iolock_shared(vp) lockmgr(&(vp)->v_iolock, LK_SHARED)
#define vn_iolock(vp)	     lockmgr(&(vp)->v_iolock, LK_EXCLUSIVE)
#define vn_iounlock(vp)	     lockmgr(&(vp)->v_iolock, LK_RELEASE)

/* Path to vnode, referenced, unlocked; base NULL: the process's cwd.
 * NAMEI_PARENT: the parent, and *last, *lastlen the final component, which
 * need not exist. */
#define NAMEI_FOLLOW   0x1
#define NAMEI_NOFOLLOW 0x2
#define NAMEI_PARENT   0x4
int namei(struct vnode *base, const char *path, int flags, struct vnode **vpp,
    const char **last, size_t *lastlen);

/*
 * The same with all that a caller may want to know. nd_last points into
 * nd_path, or into nd_buf when a symlink was followed to it.
 */
enum nd_last { ND_NORM, ND_DOT, ND_DOTDOT, ND_ROOT };
struct nameidata {
	struct vnode *nd_base; /* in: NULL for the cwd */
	const char *nd_path;   /* in */
	int nd_flags;	       /* in: NAMEI_* */
	int nd_links;	       /* in, out: symlinks followed so far */
	struct vnode *nd_vp;   /* out: the file; PARENT: its directory */
	const char *nd_last;   /* out, PARENT */
	size_t nd_lastlen;
	enum nd_last nd_type;
	bool nd_slash; /* out: a slash came after the last name */
	char *nd_buf;  /* nameidone() frees it */
};
#define NAMEI_MAXLINKS 40 /* Linux's MAXSYMLINKS */
int namei_walk(struct nameidata *nd);
void nameidone(struct nameidata *nd); /* frees nd_buf, not nd_vp */
/* One name in a directory, across mounts, both ways; a reference. */
int vn_lookup(
    struct vnode *dvp, const char *name, size_t len, struct vnode **vpp);
/* A symlink's text: kmalloc'd (M_NAMEI), terminated. */
int vn_readlink(struct vnode *vp, char **textp);
MALLOC_DECLARE(M_NAMEI);
/* Does the running process's root / cwd; referenced. */
struct vnode *vfs_rootdir(void);
struct vnode *vfs_cwd(void);
/* Reads len bytes at off into the kernel's buf; *done gets how many. */
int vn_read_kernel(
    struct vnode *vp, void *buf, size_t len, uint64_t off, size_t *done);
int vn_open(struct vnode *base, const char *path, int flags, uint32_t mode,
    struct file **fpp);
/* What is wrong with open's flags whatever the path: EINVAL, EOPNOTSUPP. */
int vn_open_flags(int flags);
int vn_stat(struct vnode *vp, struct kstat *st);
int vn_truncate(struct vnode *vp, uint64_t size); /* takes v_iolock */
/* Root's rights: only X_OK on a file without any x bit is refused. */
int vn_access(struct vnode *vp, int amode);
/* Reads or writes a regular file through the pages of its object; v_iolock
 * shared for reading, exclusive for writing. grow, which takes v_lock, lets
 * the file become longer and gets every new size. */
int vn_rdwr_pages(struct vnode *vp, struct uio *uio,
    void (*grow)(struct vnode *vp, uint64_t size));
/* Sees to it that the file's page with this byte is resident: EIO. */
int vn_page_in(struct vnode *vp, uint64_t off);
/* Absolute path of a directory or of p_text, into buf. */
int vn_fullpath(struct vnode *vp, char *buf, size_t size);

/* ramfs root filled from the cpio (newc) archive in memory. */
int ramfs_mount_root(const void *cpio, size_t size);
int devfs_mount(struct vnode *covered);
int procfs_mount(struct vnode *covered);

int ramfs_mount(struct vnode *covered); /* an empty one */

/* The ext2 file system of a disk. from: what /proc/mounts is to say. Takes
 * over the reference on covered when it succeeds; devvp stays the caller's.
 * EINVAL: there is none, or none that can be had; the console says why. */
int ext2_mount(
    struct vnode *devvp, struct vnode *covered, const char *from, bool rdonly);

/* A character device, registered at boot. */
struct cdevsw {
	const char *d_name;
	uint32_t d_major, d_minor, d_mode;
	int (*d_read)(struct uio *uio, int ioflag);
	int (*d_write)(struct uio *uio, int ioflag);
	int (*d_ioctl)(unsigned long cmd, uintptr_t arg);
	int (*d_poll)(int events);
	int (*d_open)(int flags);
	/* Where the device's memory at a page's offset is, for such an access:
	 * 0, or EINVAL. The answer never changes. NULL: cannot be mapped. */
	int (*d_mmap)(vm_ooffset_t off, vm_prot_t prot, vm_paddr_t *pa);
	bool d_seekable; /* lseek and pread are allowed, and do nothing */
};
void devfs_register(const struct cdevsw *d);
/* The device with this number, or NULL; and the operations of a vnode of
 * type VCHR, whose file system need not know more. */
const struct cdevsw *cdev_find(uint64_t rdev);
int cdev_read(struct vnode *vp, struct uio *uio, int ioflag);
int cdev_write(struct vnode *vp, struct uio *uio, int ioflag);
int cdev_ioctl(struct vnode *vp, unsigned long cmd, uintptr_t arg);
int cdev_poll(struct vnode *vp, int events);
int cdev_open(struct vnode *vp, struct file *fp);
/* The same for VBLK: disks, fs/bdev.c. */
int bdev_read(struct vnode *vp, struct uio *uio, int ioflag);
int bdev_write(struct vnode *vp, struct uio *uio, int ioflag);
int bdev_ioctl(struct vnode *vp, unsigned long cmd, uintptr_t arg);
int bdev_open(struct vnode *vp, struct file *fp);
int bdev_fsync(struct vnode *vp);
void devices_init(void); /* null, zero, full, random, results, kmsg */
void tty_init(void);	 /* console, tty, ttyS0 */

/* Pipes, and what a FIFO shares with them. */
struct pipe;
void pipefs_init(void);
void pipe_create(struct file **rfp, struct file **wfp, int flags);
int fifo_open(struct vnode *vp, int flags, struct file **fpp);
struct proc;
void tty_exit(struct proc *p); /* a session's leader leaves its terminal */
void console_input(int ch);    /* tty: a character from COM1, interrupt side */

#endif
