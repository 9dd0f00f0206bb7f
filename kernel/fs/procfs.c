/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * procfs: /proc, its files and a directory for each process.
 *
 * There is nothing behind a vnode but a number and an entry of a table; each
 * lookup makes a new one. A text file's text is made when it is read at
 * offset 0 and kept until the vnode ends, so that a reader who takes it in
 * pieces sees one state.
 */
#include <linux/errno.h>
#include <linux/magic.h>
#include <linux/stat.h>

#include <amd64/machdep.h>
#include <fs/procfs.h>
#include <kern/kprintf.h>
#include <kern/kstring.h>
#include <kern/proc.h>

MALLOC_DEFINE(M_PROCFS, "procfs");

/* What a vnode stands for. */
struct procnode {
	const struct procent *pn_ent; /* (k) NULL: a directory */
	int pn_pid;		      /* (k) 0: not of a process */
	struct lock pn_lock;	      /* guards the rest */
	bool pn_filled;
	struct sbuf pn_text;
};

static const struct vnodeops procfs_dirops, procfs_fileops, procfs_linkops;

/* Inode numbers: the process's directory, and behind it its files. */
static uint64_t
procfs_ino(int pid, const struct procent *ent)
{
	const struct procent *tab = pid == 0 ? procfs_root : procfs_pid;
	uint64_t ino = ((uint64_t)pid + 1) << 8;

	return ent == NULL ? ino : ino + 1 + (uint64_t)(ent - tab);
}

static enum vtype
ent_type(const struct procent *ent)
{
	if (ent->pe_dir != NULL)
		return VDIR;
	return ent->pe_link != NULL ? VLNK : VREG;
}

/* A new vnode. Sleeps for memory. */
static struct vnode *
procfs_vnode(struct mount *mp, int pid, const struct procent *ent)
{
	const struct vnodeops *ops = &procfs_dirops;
	enum vtype type = VDIR;
	struct procnode *pn;

	if (ent != NULL && ent->pe_dir != NULL)
		return ent->pe_dir(mp, pid, procfs_ino(pid, ent));
	if (ent != NULL) {
		type = ent->pe_link != NULL ? VLNK : VREG;
		ops = ent->pe_link != NULL ? &procfs_linkops : &procfs_fileops;
	}
	pn = kmalloc(sizeof(*pn), &M_PROCFS, M_WAITOK | M_ZERO);
	pn->pn_ent = ent;
	pn->pn_pid = pid;
	lockinit(&pn->pn_lock, "procfs");
	return vnode_alloc(ops, type, mp, pn);
}

/* vop_inactive. */
static void
procfs_inactive(struct vnode *vp)
{
	struct procnode *pn = vp->v_data;

	if (pn->pn_filled)
		sbuf_free(&pn->pn_text);
	lockuninit(&pn->pn_lock);
	kfree(pn, &M_PROCFS);
}

/* The process of a node, held; for the files of /proc itself NULL. ESRCH when
 * it is gone. */
static int
procfs_proc(const struct procnode *pn, struct proc **pp)
{
	*pp = NULL;
	if (pn->pn_pid == 0)
		return 0;
	*pp = pfind(pn->pn_pid);
	return *pp == NULL ? ESRCH : 0;
}

/* A process's number as a name; 0 when it is none. */
static int
parse_pid(const char *name, size_t len)
{
	uint32_t pid = 0;
	size_t i;

	if (len == 0 || len > 9 || name[0] == '0')
		return 0;
	for (i = 0; i < len; i++) {
		if (name[i] < '0' || name[i] > '9')
			return 0;
		pid = pid * 10 + (uint32_t)(name[i] - '0');
	}
	return (int)pid;
}

/* vop_lookup. */
static int
procfs_lookup(
    struct vnode *dvp, const char *name, size_t len, struct vnode **vpp)
{
	const struct procnode *dn = dvp->v_data;
	const struct procent *tab = procfs_root;
	size_t i, n = procfs_nroot;
	struct proc *p;
	int pid;

	if (dn->pn_pid != 0) {
		tab = procfs_pid;
		n = procfs_npid;
		if (len == 2 && memcmp(name, "..", 2) == 0) {
			*vpp = dvp->v_mount->mnt_root;
			vref(*vpp);
			return 0;
		}
		if (procfs_proc(dn, &p) != 0)
			return ENOENT;
		prele(p);
	}
	for (i = 0; i < n; i++) {
		if (strlen(tab[i].pe_name) == len &&
		    memcmp(tab[i].pe_name, name, len) == 0) {
			*vpp = procfs_vnode(dvp->v_mount, dn->pn_pid, &tab[i]);
			return 0;
		}
	}
	pid = dn->pn_pid == 0 ? parse_pid(name, len) : 0;
	p = pid != 0 ? pfind(pid) : NULL;
	if (p == NULL)
		return ENOENT;
	prele(p);
	*vpp = procfs_vnode(dvp->v_mount, pid, NULL);
	return 0;
}

/* The smallest pid that is at least min; 0: none. */
static int
next_pid(int min)
{
	struct proc *p;
	int pid = 0;

	lwkt_gettoken(&proc_token);
	TAILQ_FOREACH (p, &allproc, p_all) {
		if (p->p_pid >= min && (pid == 0 || p->p_pid < pid))
			pid = p->p_pid;
	}
	lwkt_reltoken(&proc_token);
	return pid;
}

/* vop_readdir: offsets 0 and 1 are the dots, then the table, then pids. */
static int
procfs_readdir(struct vnode *vp, int64_t off, dirent_emit_t emit, void *arg)
{
	const struct procnode *dn = vp->v_data;
	const struct procent *tab = dn->pn_pid == 0 ? procfs_root : procfs_pid;
	int64_t n = (int64_t)(dn->pn_pid == 0 ? procfs_nroot : procfs_npid);
	char name[12];
	int len, pid;

	off = MAX(off, 0);
	if (off == 0) {
		if (emit(arg, ".", 1, procfs_ino(dn->pn_pid, NULL), VDIR, 1))
			return 0;
		off = 1;
	}
	if (off == 1) {
		if (emit(arg, "..", 2, procfs_ino(0, NULL), VDIR, 2))
			return 0;
		off = 2;
	}
	for (; off < 2 + n; off++) {
		const struct procent *ent = &tab[off - 2];

		if (emit(arg, ent->pe_name, strlen(ent->pe_name),
			procfs_ino(dn->pn_pid, ent), ent_type(ent), off + 1))
			return 0;
	}
	if (dn->pn_pid != 0)
		return 0;
	for (; (pid = next_pid((int)(off - 2 - n))) != 0; off = pid + 3 + n) {
		len = ksnprintf(name, sizeof(name), "%d", pid);
		if (emit(arg, name, (size_t)len, procfs_ino(pid, NULL), VDIR,
			pid + 3 + n))
			return 0;
	}
	return 0;
}

/* vop_getattr. */
static int
procfs_getattr(struct vnode *vp, struct kstat *st)
{
	const struct procnode *pn = vp->v_data;

	st->ino = procfs_ino(pn->pn_pid, pn->pn_ent);
	st->mode = vtype_to_mode(vp->v_type) |
	    (pn->pn_ent != NULL ? pn->pn_ent->pe_mode : 0555);
	st->nlink = vp->v_type == VDIR ? 2 : 1;
	st->atime_ns = st->mtime_ns = st->ctime_ns = (int64_t)walltime();
	return 0;
}

/* vop_name. */
static int
procfs_name(struct vnode *vp, struct vnode **dvpp, char *name, size_t size)
{
	const struct procnode *pn = vp->v_data;

	if (pn->pn_ent != NULL) {
		strlcpy(name, pn->pn_ent->pe_name, size);
		if (pn->pn_pid != 0) {
			*dvpp = procfs_vnode(vp->v_mount, pn->pn_pid, NULL);
			return 0;
		}
	} else {
		ksnprintf(name, size, "%d", pn->pn_pid);
	}
	*dvpp = vp->v_mount->mnt_root;
	vref(*dvpp);
	return 0;
}

/* vop_readlink. */
static int
procfs_readlink(struct vnode *vp, char *buf, size_t size, size_t *lenp)
{
	const struct procnode *pn = vp->v_data;
	struct proc *p;
	int error;

	error = procfs_proc(pn, &p);
	if (error != 0)
		return ENOENT;
	error = pn->pn_ent->pe_link(p, buf, size);
	if (p != NULL)
		prele(p);
	if (error == 0)
		*lenp = strlen(buf);
	return error;
}

/* vop_follow: EINVAL where the text is all there is. */
static int
procfs_follow(struct vnode *vp, struct vnode **vpp)
{
	const struct procnode *pn = vp->v_data;
	struct proc *p;
	int error;

	if (pn->pn_ent->pe_follow == NULL)
		return EINVAL;
	error = procfs_proc(pn, &p);
	if (error != 0)
		return ENOENT;
	error = pn->pn_ent->pe_follow(p, vpp);
	prele(p);
	return error;
}

/* Writes the text anew. pn_lock is held. */
static int
procfs_fill(struct procnode *pn)
{
	struct sbuf sb;
	struct proc *p;
	int error;

	error = procfs_proc(pn, &p);
	if (error != 0)
		return error;
	sbuf_init(&sb);
	error = pn->pn_ent->pe_text(p, &sb);
	if (p != NULL)
		prele(p);
	if (error != 0) {
		sbuf_free(&sb);
		return error;
	}
	if (pn->pn_filled)
		sbuf_free(&pn->pn_text);
	pn->pn_text = sb;
	pn->pn_filled = true;
	return 0;
}

/* The process's memory, as pe_mem moves it. */
static int
procfs_mem(const struct procnode *pn, struct uio *uio)
{
	struct proc *p;
	int error;

	error = procfs_proc(pn, &p);
	if (error != 0)
		return error;
	error = pn->pn_ent->pe_mem(p, uio);
	prele(p);
	return error;
}

/* vop_read. The user's buffer may fault while pn_lock is held: no fault
 * wants that. */
static int
procfs_read(struct vnode *vp, struct uio *uio, int ioflag)
{
	struct procnode *pn = vp->v_data;
	size_t off = (size_t)uio->uio_offset;
	int error = 0;

	if (pn->pn_ent->pe_mem != NULL)
		return procfs_mem(pn, uio);
	lockmgr(&pn->pn_lock, LK_EXCLUSIVE);
	if (off == 0 || !pn->pn_filled)
		error = procfs_fill(pn);
	if (error == 0 && off < pn->pn_text.sb_len)
		error = uiomove(
		    pn->pn_text.sb_buf + off, pn->pn_text.sb_len - off, uio);
	lockmgr(&pn->pn_lock, LK_RELEASE);
	return error;
}

/* A line that was written: EINVAL when it is too long or means nothing. */
static int
procfs_command(const struct procnode *pn, struct uio *uio)
{
	char line[512];
	size_t len = uio->uio_resid;
	int error;

	if (len >= sizeof(line))
		return EINVAL;
	error = uiomove(line, len, uio);
	if (error != 0)
		return error;
	if (len > 0 && line[len - 1] == '\n')
		len--;
	line[len] = '\0';
	return pn->pn_ent->pe_command(line);
}

/* vop_write: only memory, and commands. */
static int
procfs_write(struct vnode *vp, struct uio *uio, int ioflag)
{
	struct procnode *pn = vp->v_data;

	if (pn->pn_ent->pe_command != NULL)
		return procfs_command(pn, uio);
	return pn->pn_ent->pe_mem != NULL ? procfs_mem(pn, uio) : EIO;
}

/* vop_truncate: O_TRUNC changes nothing, as in Linux. */
static int
procfs_truncate(struct vnode *vp, uint64_t size)
{
	return 0;
}

static const struct vnodeops procfs_dirops = {
    .vop_lookup = procfs_lookup,
    .vop_readdir = procfs_readdir,
    .vop_getattr = procfs_getattr,
    .vop_inactive = procfs_inactive,
    .vop_name = procfs_name,
};

static const struct vnodeops procfs_fileops = {
    .vop_getattr = procfs_getattr,
    .vop_truncate = procfs_truncate,
    .vop_read = procfs_read,
    .vop_write = procfs_write,
    .vop_inactive = procfs_inactive,
    .vop_name = procfs_name,
};

static const struct vnodeops procfs_linkops = {
    .vop_readlink = procfs_readlink,
    .vop_follow = procfs_follow,
    .vop_getattr = procfs_getattr,
    .vop_inactive = procfs_inactive,
    .vop_name = procfs_name,
};

/* mnt_unmount: there is only the root. */
static void
procfs_unmount(struct mount *mp)
{
	vrele(mp->mnt_root);
}

/* Mounts /proc; takes over the reference on success. */
int
procfs_mount(struct vnode *covered)
{
	struct mount *mp = mount_alloc("proc", PROC_SUPER_MAGIC);
	int error;

	mp->mnt_root = procfs_vnode(mp, 0, NULL);
	mp->mnt_covered = covered;
	mp->mnt_unmount = procfs_unmount;
	error = vfs_mount(mp);
	if (error != 0) {
		procfs_unmount(mp);
		mount_free(mp);
	}
	return error;
}
