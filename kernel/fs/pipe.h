/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What pipes and FIFOs share: sixteen pages between writers and readers.
 */
#ifndef FS_PIPE_H
#define FS_PIPE_H

#include <fs/vnode.h>

#define PIPE_PAGES 16U /* 64 KiB, as Linux has it */

struct pipe {
	struct lock p_lock; /* guards the rest, also while copying */
	struct {
		char *page; /* PAGE_SIZE bytes */
		uint32_t off, len;
	} p_bufs[PIPE_PAGES];
	uint32_t p_head, p_tail;  /* free running: fill at head, drain tail */
	int p_readers, p_writers; /* open files */
	uint32_t p_ropens, p_wopens; /* how many there ever were */
	uint64_t p_ino;		     /* (k) */
	/* A pipe without a name has its attributes here; the vnode's v_lock. */
	int64_t p_atime, p_mtime, p_ctime; /* ns */
	uint32_t p_mode, p_uid, p_gid;
};

/* fifo.c: the pipe of a vnode exists while it has users; an open file is
 * one, with a reference on the vnode. */
struct pipe *fifo_get(struct vnode *vp);
void fifo_put(struct vnode *vp);
struct file *fifo_file(struct vnode *vp, uint32_t fflags);
bool pipefs_is(const struct vnode *vp); /* pipe(2) made it */

/* pipe.c */
struct pipe *pipe_new(void);
void pipe_destroy(struct pipe *p); /* no open files */
/* An open file comes and goes; fflags its O_* flags. leave: true when it was
 * the last. */
void pipe_enter(struct pipe *p, uint32_t fflags);
bool pipe_leave(struct pipe *p, uint32_t fflags);
int pipe_read(struct pipe *p, uint32_t fflags, struct uio *uio);
int pipe_write(struct pipe *p, uint32_t fflags, struct uio *uio);
int pipe_poll(struct pipe *p, uint32_t fflags);
int pipe_ioctl(struct pipe *p, unsigned long cmd, uintptr_t arg);

#endif
