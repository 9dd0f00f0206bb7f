/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Open files and descriptor tables.
 */
#ifndef KERN_FILE_H
#define KERN_FILE_H

#include <kern/cdefs.h>
#include <kern/lock.h>
#include <kern/types.h>

struct file;
struct vnode;
struct kstat;

struct iovec;

/* The most that one call transfers (Linux's MAX_RW_COUNT). */
#define RW_MAX (0x7fffffffUL & ~PAGE_MASK)

/*
 * A transfer: to or from user memory (uio_user) or the kernel's. One segment
 * at uio_base; or uio_iovcnt of them, then uio_base is not used. The array is
 * the kernel's own copy.
 */
struct uio {
	void *uio_base;	    /* advances */
	size_t uio_resid;   /* bytes still to do, all segments */
	int64_t uio_offset; /* file position, bytes */
	bool uio_user;
	bool uio_write;		     /* user -> file */
	const struct iovec *uio_iov; /* the segment it is in, and the next */
	int uio_iovcnt;
	size_t uio_segoff; /* bytes done of that segment */
};
/* Moves up to n bytes between kaddr and the uio; 0 or EFAULT. What was moved
 * before a fault stays counted, to the byte. */
int uiomove(void *kaddr, size_t n, struct uio *uio);
/* The same all or nothing: a fault leaves the uio where it was. */
int uiomove_whole(void *kaddr, size_t n, struct uio *uio);
/* A kernel buffer as a uio. */
void uio_kernel(
    struct uio *uio, void *buf, size_t len, int64_t off, bool write);
/* Linux's access_ok(): the range lies within user addresses. */
bool user_range_ok(const void *uaddr, size_t len);

struct fileops {
	int (*fo_read)(struct file *fp, struct uio *uio);
	int (*fo_write)(struct file *fp, struct uio *uio);
	int (*fo_ioctl)(struct file *fp, unsigned long cmd, uintptr_t arg);
	int (*fo_poll)(struct file *fp, int events); /* ready POLL* bits */
	int (*fo_stat)(struct file *fp, struct kstat *st);
	void (*fo_close)(struct file *fp);
	/* New position for lseek, or a negative errno; f_lock held. NULL:
	 * ESPIPE. */
	int64_t (*fo_seek)(struct file *fp, int64_t off, int whence);
};

enum ftype { DTYPE_VNODE };

struct file {
	const struct fileops *f_ops; /* (k) */
	enum ftype f_type;	     /* (k) */
	uint32_t f_flags;	     /* (A) O_* as F_GETFL shows them */
	int32_t f_refs;		     /* (A) */
	struct lock f_lock;	     /* guards f_offset; taken before v_lock */
	int64_t f_offset;	     /* bytes */
	void *f_data;		     /* (k) the vnode */
	bool f_seekable;	     /* (k) read and write move f_offset */
};

/* f_flags says in which directions it was opened. */
#define FREADABLE(fp) (((fp)->f_flags & 3U) == 0 || ((fp)->f_flags & 3U) == 2)
#define FWRITABLE(fp) (((fp)->f_flags & 3U) == 1 || ((fp)->f_flags & 3U) == 2)

#define NOFILE 256 /* RLIMIT_NOFILE */

struct filedesc {
	struct spinlock fd_spin; /* guards the two arrays */
	struct file *fd_files[NOFILE];
	uint8_t fd_cloexec[NOFILE];
	int32_t fd_refs; /* (A) */
};

struct filedesc *fd_alloc(void);
struct filedesc *fd_copy(struct filedesc *fd); /* fork */
void fd_share(struct filedesc *fd);	       /* CLONE_FILES */
void fd_free(struct filedesc *fd);	       /* drops one reference */
void fd_closeexec(struct filedesc *fd);
/* A referenced file or NULL (EBADF); release by file_drop. */
struct file *fget(int fd);
void file_ref(struct file *fp);
void file_drop(struct file *fp); /* last one: fo_close */
struct file *file_alloc(
    const struct fileops *ops, enum ftype type, void *data, uint32_t flags);
int fd_install(struct file *fp, int minfd, bool cloexec); /* fd or -EMFILE */
struct vnode *file_vnode(struct file *fp); /* NULL unless DTYPE_VNODE */
int64_t file_count(void);		   /* open files alive */
/* A referenced file of another process's table, for procfs; or NULL. */
struct file *fd_get(struct filedesc *fd, int n);
/* Puts fp at n, whatever was there: dup2. Takes over the reference. */
int fd_replace(struct file *fp, int n, bool cloexec);
/* Takes n out of the table: the file, whose reference is now the caller's,
 * or NULL. */
struct file *fd_remove(int n);
int fd_getcloexec(int n); /* 0 or 1, -EBADF */
int fd_setcloexec(int n, bool on);

/* Something a poll may wait for has changed: looks again. Any context that
 * may take a spinlock. */
void pollwakeup(void);

#endif
