/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * procfs: /proc/PID/fd, a symlink for each open descriptor. Following one
 * leads to the file itself, whatever its path says by now.
 */
#include <linux/errno.h>

#include <amd64/machdep.h>
#include <fs/procfs.h>
#include <kern/kprintf.h>
#include <kern/kstring.h>
#include <kern/proc.h>

/* What a vnode stands for: the directory (fd -1) or a descriptor. */
struct fdnode {
	int fn_pid, fn_fd; /* (k) */
	uint64_t fn_ino;   /* (k) */
};

static const struct vnodeops procfd_dirops, procfd_linkops;

static struct vnode *
fd_vnode_new(struct mount *mp, int pid, int fd, uint64_t ino)
{
	struct fdnode *fn = kmalloc(sizeof(*fn), &M_PROCFS, M_WAITOK);

	fn->fn_pid = pid;
	fn->fn_fd = fd;
	fn->fn_ino = ino;
	return vnode_alloc(fd < 0 ? &procfd_dirops : &procfd_linkops,
	    fd < 0 ? VDIR : VLNK, mp, fn);
}

/* pe_dir. */
struct vnode *
procfs_fddir(struct mount *mp, int pid, uint64_t ino)
{
	return fd_vnode_new(mp, pid, -1, ino);
}

static void
procfd_inactive(struct vnode *vp)
{
	kfree(vp->v_data, &M_PROCFS);
}

/* The process's table, shared (fd_free it), or NULL. */
static struct filedesc *
get_table(int pid)
{
	struct proc *p = pfind(pid);
	struct filedesc *fd;

	if (p == NULL)
		return NULL;
	lwkt_gettoken(&p->p_token);
	fd = p->p_fd;
	if (fd != NULL)
		fd_share(fd);
	lwkt_reltoken(&p->p_token);
	prele(p);
	return fd;
}

/* One of its open files, referenced, or NULL. */
static struct file *
get_file(int pid, int n)
{
	struct filedesc *fd = get_table(pid);
	struct file *fp = NULL;

	if (fd != NULL) {
		fp = fd_get(fd, n);
		fd_free(fd);
	}
	return fp;
}

static uint64_t
link_ino(const struct fdnode *dn, int fd)
{
	return (dn->fn_ino << 16) + (uint64_t)fd + 1;
}

/* The process's directory. */
static int
parent_of(struct vnode *vp, struct vnode **vpp)
{
	const struct fdnode *dn = vp->v_data;
	struct vnode *root = vp->v_mount->mnt_root;
	char num[12];
	int len;

	len = ksnprintf(num, sizeof(num), "%d", dn->fn_pid);
	return root->v_ops->vop_lookup(root, num, (size_t)len, vpp);
}

/* vop_lookup. */
static int
procfd_lookup(
    struct vnode *dvp, const char *name, size_t len, struct vnode **vpp)
{
	const struct fdnode *dn = dvp->v_data;
	const char *end;
	char num[12];
	struct file *fp = NULL;
	uint64_t n;

	if (len == 2 && memcmp(name, "..", 2) == 0)
		return parent_of(dvp, vpp);
	if (len >= sizeof(num) || name[0] < '0' || name[0] > '9' ||
	    (name[0] == '0' && len > 1))
		return ENOENT;
	memcpy(num, name, len);
	num[len] = '\0';
	n = kstrtoull(num, &end, 10);
	if (*end == '\0' && n < NOFILE)
		fp = get_file(dn->fn_pid, (int)n);
	if (fp == NULL)
		return ENOENT;
	file_drop(fp);
	*vpp = fd_vnode_new(
	    dvp->v_mount, dn->fn_pid, (int)n, link_ino(dn, (int)n));
	return 0;
}

/* vop_readdir: after the dots an offset is a descriptor + 2. */
static int
procfd_readdir(struct vnode *vp, int64_t off, dirent_emit_t emit, void *arg)
{
	const struct fdnode *dn = vp->v_data;
	struct filedesc *fd;
	struct file *fp;
	char name[12];
	int len, n;

	if (off <= 0 && emit(arg, ".", 1, dn->fn_ino, VDIR, 1) != 0)
		return 0;
	if (off <= 1 && emit(arg, "..", 2, dn->fn_ino & ~0xffUL, VDIR, 2) != 0)
		return 0;
	fd = get_table(dn->fn_pid);
	if (fd == NULL)
		return 0;
	for (n = (int)MIN(MAX(off, 2) - 2, NOFILE); n < NOFILE; n++) {
		fp = fd_get(fd, n);
		if (fp == NULL)
			continue;
		file_drop(fp);
		len = ksnprintf(name, sizeof(name), "%d", n);
		if (emit(arg, name, (size_t)len, link_ino(dn, n), VLNK,
			n + 3) != 0)
			break;
	}
	fd_free(fd);
	return 0;
}

/* vop_getattr. */
static int
procfd_getattr(struct vnode *vp, struct kstat *st)
{
	const struct fdnode *fn = vp->v_data;

	st->ino = fn->fn_ino;
	st->mode =
	    vtype_to_mode(vp->v_type) | (vp->v_type == VDIR ? 0500 : 0700);
	st->nlink = vp->v_type == VDIR ? 2 : 1;
	st->size = vp->v_type == VDIR ? 0 : 64;
	st->atime_ns = st->mtime_ns = st->ctime_ns = (int64_t)walltime();
	return 0;
}

/* vop_readlink: the path, or what there is instead of one. */
static int
procfd_readlink(struct vnode *vp, char *buf, size_t size, size_t *lenp)
{
	const struct fdnode *fn = vp->v_data;
	struct file *fp = get_file(fn->fn_pid, fn->fn_fd);
	struct vnode *target;
	struct kstat st;
	int error;

	if (fp == NULL)
		return ENOENT;
	target = file_vnode(fp);
	error = vn_fullpath(target, buf, size);
	if (error == ENOENT) {
		error = fp->f_ops->fo_stat(fp, &st);
		if (target->v_ops->vop_name != NULL)
			strlcpy(buf, "(deleted)", size);
		else
			ksnprintf(buf, size, "pipe:[%lu]", st.ino);
	}
	file_drop(fp);
	if (error == 0)
		*lenp = strlen(buf);
	return error;
}

/* vop_follow. */
static int
procfd_follow(struct vnode *vp, struct vnode **vpp)
{
	const struct fdnode *fn = vp->v_data;
	struct file *fp = get_file(fn->fn_pid, fn->fn_fd);

	if (fp == NULL)
		return ENOENT;
	*vpp = file_vnode(fp);
	vref(*vpp);
	file_drop(fp);
	return 0;
}

/* vop_name of the directory. */
static int
procfd_name(struct vnode *vp, struct vnode **dvpp, char *name, size_t size)
{
	strlcpy(name, "fd", size);
	return parent_of(vp, dvpp);
}

static const struct vnodeops procfd_dirops = {
    .vop_lookup = procfd_lookup,
    .vop_readdir = procfd_readdir,
    .vop_getattr = procfd_getattr,
    .vop_inactive = procfd_inactive,
    .vop_name = procfd_name,
};

static const struct vnodeops procfd_linkops = {
    .vop_readlink = procfd_readlink,
    .vop_follow = procfd_follow,
    .vop_getattr = procfd_getattr,
    .vop_inactive = procfd_inactive,
};
