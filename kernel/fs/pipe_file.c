/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The open files of pipe(2).
 */
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/stat.h>

#include <amd64/machdep.h>
#include <fs/pipe.h>
#include <fs/vnode.h>

static int
pipe_fo_read(struct file *fp, struct uio *uio)
{
	return pipe_read(fp->f_data, fp->f_flags, uio);
}

static int
pipe_fo_write(struct file *fp, struct uio *uio)
{
	return pipe_write(fp->f_data, fp->f_flags, uio);
}

static int
pipe_fo_ioctl(struct file *fp, unsigned long cmd, uintptr_t arg)
{
	return pipe_ioctl(fp->f_data, cmd, arg);
}

static int
pipe_fo_poll(struct file *fp, int events)
{
	return pipe_poll(fp->f_data, fp->f_flags);
}

static int
pipe_fo_stat(struct file *fp, struct kstat *st)
{
	struct pipe *p = fp->f_data;

	lockmgr(&p->p_lock, LK_SHARED);
	*st = (struct kstat){
	    .ino = p->p_ino,
	    .mode = S_IFIFO | p->p_mode,
	    .nlink = 1,
	    .uid = p->p_uid,
	    .gid = p->p_gid,
	    .blksize = PAGE_SIZE,
	    .atime_ns = p->p_atime,
	    .mtime_ns = p->p_mtime,
	    .ctime_ns = p->p_ctime,
	};
	lockmgr(&p->p_lock, LK_RELEASE);
	return 0;
}

/* fchmod and its like. */
static int
pipe_fo_setattr(struct file *fp, const struct kstat *st, uint32_t mask)
{
	struct pipe *p = fp->f_data;

	lockmgr(&p->p_lock, LK_EXCLUSIVE);
	if (mask & VATTR_MODE)
		p->p_mode = st->mode & 07777;
	if (mask & VATTR_OWNER) {
		p->p_uid = st->uid;
		p->p_gid = st->gid;
	}
	if (mask & VATTR_ATIME)
		p->p_atime = st->atime_ns;
	if (mask & VATTR_TIMES)
		p->p_mtime = st->mtime_ns;
	p->p_ctime = (int64_t)walltime();
	lockmgr(&p->p_lock, LK_RELEASE);
	return 0;
}

static void
pipe_fo_close(struct file *fp)
{
	if (pipe_leave(fp->f_data, fp->f_flags))
		pipe_destroy(fp->f_data);
}

static const struct fileops pipe_fileops = {
    .fo_read = pipe_fo_read,
    .fo_write = pipe_fo_write,
    .fo_ioctl = pipe_fo_ioctl,
    .fo_poll = pipe_fo_poll,
    .fo_stat = pipe_fo_stat,
    .fo_setattr = pipe_fo_setattr,
    .fo_close = pipe_fo_close,
};

/* The two ends of a new pipe; flags: O_NONBLOCK. Sleeps for memory. */
int
pipe_create(struct file **rfp, struct file **wfp, int flags)
{
	struct pipe *p = pipe_new();
	uint32_t keep = (uint32_t)flags & O_NONBLOCK;

	pipe_enter(p, O_RDONLY);
	pipe_enter(p, O_WRONLY);
	*rfp = file_alloc(&pipe_fileops, DTYPE_PIPE, p, O_RDONLY | keep);
	*wfp = file_alloc(&pipe_fileops, DTYPE_PIPE, p, O_WRONLY | keep);
	return 0;
}
