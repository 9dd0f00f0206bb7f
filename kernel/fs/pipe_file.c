/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What pipe(2) makes: a FIFO without a name, of a file system that is
 * mounted nowhere. /proc/PID/fd leads to it all the same.
 */
#include <linux/fcntl.h>
#include <linux/magic.h>

#include <amd64/machdep.h>
#include <fs/pipe.h>
#include <fs/vnode.h>

static struct mount *pipefs; /* (k) */

/* Makes the file system. Boot, once. */
void
pipefs_init(void)
{
	pipefs = mount_alloc("pipefs", PIPEFS_MAGIC);
}

/* vop_getattr; v_lock shared. */
static int
pipefs_getattr(struct vnode *vp, struct kstat *st)
{
	struct pipe *p = vp->v_fifo;

	st->ino = p->p_ino;
	st->mode = vtype_to_mode(VFIFO) | p->p_mode;
	st->nlink = 1;
	st->uid = p->p_uid;
	st->gid = p->p_gid;
	st->atime_ns = p->p_atime;
	st->mtime_ns = p->p_mtime;
	st->ctime_ns = p->p_ctime;
	return 0;
}

/* vop_setattr; v_lock exclusive. */
static int
pipefs_setattr(struct vnode *vp, const struct kstat *st, uint32_t mask)
{
	struct pipe *p = vp->v_fifo;

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
	return 0;
}

/* vop_inactive: the vnode counts as a user of its pipe. */
static void
pipefs_inactive(struct vnode *vp)
{
	fifo_put(vp);
}

static const struct vnodeops pipefs_ops = {
    .vop_getattr = pipefs_getattr,
    .vop_setattr = pipefs_setattr,
    .vop_inactive = pipefs_inactive,
};

/* Opening it again waits for nobody: it is open already. */
bool
pipefs_is(const struct vnode *vp)
{
	return vp->v_mount == pipefs;
}

/* The two ends of a new pipe; flags: O_NONBLOCK. Sleeps for memory. */
void
pipe_create(struct file **rfp, struct file **wfp, int flags)
{
	struct vnode *vp = vnode_alloc(&pipefs_ops, VFIFO, pipefs, NULL);
	uint32_t keep = (uint32_t)flags & O_NONBLOCK;

	fifo_get(vp); /* the vnode's own, see pipefs_inactive */
	*rfp = fifo_file(vp, O_RDONLY | keep);
	*wfp = fifo_file(vp, O_WRONLY | keep);
	vrele(vp);
}
