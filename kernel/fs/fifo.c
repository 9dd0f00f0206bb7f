/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * FIFOs: pipes with a name. The pipe exists while the file is open, or is
 * being opened.
 */
#include <linux/errno.h>
#include <linux/fcntl.h>

#include <fs/pipe.h>
#include <fs/vnode.h>
#include <kern/syscalls.h>

/* The file's pipe, made by the first one who wants it; one user more. */
struct pipe *
fifo_get(struct vnode *vp)
{
	struct pipe *p;

	vn_lock(vp);
	if (vp->v_fifousers++ == 0)
		vp->v_fifo = pipe_new();
	p = vp->v_fifo;
	vn_unlock(vp);
	return p;
}

/* One user less of it; the last one's going ends it. */
void
fifo_put(struct vnode *vp)
{
	struct pipe *p = NULL;

	vn_lock(vp);
	if (--vp->v_fifousers == 0) {
		p = vp->v_fifo;
		vp->v_fifo = NULL;
	}
	vn_unlock(vp);
	if (p != NULL)
		pipe_destroy(p);
}

static struct pipe *
fifo_pipe(struct file *fp)
{
	return ((struct vnode *)fp->f_data)->v_fifo;
}

static int
fifo_fo_read(struct file *fp, struct uio *uio)
{
	return pipe_read(fifo_pipe(fp), fp->f_flags, uio);
}

static int
fifo_fo_write(struct file *fp, struct uio *uio)
{
	return pipe_write(fifo_pipe(fp), fp->f_flags, uio);
}

static int
fifo_fo_ioctl(struct file *fp, unsigned long cmd, uintptr_t arg)
{
	return pipe_ioctl(fifo_pipe(fp), cmd, arg);
}

static int
fifo_fo_poll(struct file *fp, int events)
{
	return pipe_poll(fifo_pipe(fp), fp->f_flags);
}

static int
fifo_fo_stat(struct file *fp, struct kstat *st)
{
	return vn_stat(fp->f_data, st);
}

static void
fifo_fo_close(struct file *fp)
{
	struct vnode *vp = fp->f_data;

	pipe_leave(vp->v_fifo, fp->f_flags);
	fifo_put(vp);
	vrele(vp);
}

static const struct fileops fifo_fileops = {
    .fo_read = fifo_fo_read,
    .fo_write = fifo_fo_write,
    .fo_ioctl = fifo_fo_ioctl,
    .fo_poll = fifo_fo_poll,
    .fo_stat = fifo_fo_stat,
    .fo_close = fifo_fo_close,
};

/* Waits until the other side was opened at least once since we were. */
static int
fifo_wait(struct pipe *p, int acc)
{
	uint32_t *opens = acc == O_RDONLY ? &p->p_wopens : &p->p_ropens;
	int *now = acc == O_RDONLY ? &p->p_writers : &p->p_readers;
	uint32_t was;
	int error = 0;

	lockmgr(&p->p_lock, LK_EXCLUSIVE);
	was = *opens;
	while (*now == 0 && *opens == was && error == 0) {
		tsleep_interlock(p, PCATCH);
		lockmgr(&p->p_lock, LK_RELEASE);
		error = tsleep(p, PCATCH | PINTERLOCKED, "fifo", 0);
		lockmgr(&p->p_lock, LK_EXCLUSIVE);
	}
	lockmgr(&p->p_lock, LK_RELEASE);
	return error != 0 ? ERESTARTSYS : 0;
}

/* An open file, counted as an end (or both). The caller keeps its reference
 * on vp. */
struct file *
fifo_file(struct vnode *vp, uint32_t fflags)
{
	pipe_enter(fifo_get(vp), fflags);
	vref(vp);
	return file_alloc(&fifo_fileops, DTYPE_VNODE, vp, fflags);
}

/* Opens a FIFO: a reader waits for a writer and a writer for a reader, but
 * with O_NONBLOCK a reader has nothing to wait for and a writer alone gets
 * ENXIO. O_RDWR is both at once, and a pipe is open already. The caller keeps
 * its reference on vp. */
int
fifo_open(struct vnode *vp, int flags, struct file **fpp)
{
	uint32_t keep = (uint32_t)flags &
	    ~(O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_CLOEXEC);
	int acc = flags & O_ACCMODE, error = 0;
	struct pipe *p;

	if (acc == O_ACCMODE)
		return EINVAL;
	p = fifo_get(vp);
	if (acc == O_WRONLY && (flags & O_NONBLOCK) && p->p_readers == 0) {
		fifo_put(vp);
		return ENXIO;
	}
	*fpp = fifo_file(vp, keep | O_LARGEFILE);
	if (acc != O_RDWR && (flags & O_NONBLOCK) == 0 && !pipefs_is(vp))
		error = fifo_wait(p, acc);
	fifo_put(vp);
	if (error != 0)
		file_drop(*fpp);
	return error;
}
