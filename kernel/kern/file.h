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

/* A transfer: to or from user memory (UIO_USER) or the kernel's. */
struct uio {
	void *uio_base;	 /* advances */
	size_t uio_resid; /* bytes still to do */
	int64_t uio_offset; /* file position, bytes */
	bool uio_user;
	bool uio_write;	 /* user -> file */
};
/* Moves up to n bytes between kaddr and the uio; 0 or EFAULT. */
int uiomove(void *kaddr, size_t n, struct uio *uio);

struct fileops {
	int (*fo_read)(struct file *fp, struct uio *uio);
	int (*fo_write)(struct file *fp, struct uio *uio);
	int (*fo_ioctl)(struct file *fp, unsigned long cmd, uintptr_t arg);
	int (*fo_poll)(struct file *fp, int events); /* ready POLL* bits */
	int (*fo_stat)(struct file *fp, struct kstat *st);
	void (*fo_close)(struct file *fp);
};

enum ftype { DTYPE_VNODE, DTYPE_PIPE };

struct file {
	const struct fileops *f_ops; /* (k) */
	enum ftype f_type;	     /* (k) */
	uint32_t f_flags;	     /* (A) O_* as F_GETFL shows them */
	int32_t f_refs;		     /* (A) */
	struct lock f_lock;	     /* guards f_offset */
	int64_t f_offset;	     /* bytes */
	void *f_data;		     /* (k) vnode or pipe end */
};

#define NOFILE 256

struct filedesc {
	struct spinlock fd_spin;      /* guards the two arrays */
	struct file *fd_files[NOFILE];
	uint8_t fd_cloexec[NOFILE];
	int32_t fd_refs;	      /* (A) */
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
struct file *file_alloc(const struct fileops *ops, enum ftype type,
    void *data, uint32_t flags);
int fd_install(struct file *fp, int minfd, bool cloexec); /* fd or -EMFILE */
struct vnode *file_vnode(struct file *fp); /* NULL unless DTYPE_VNODE */

#endif
