/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The life of vnodes, and what every file system's files have in common.
 *
 * A vnode exists while somebody uses it. A file system whose files outlive
 * their use keeps a node of its own beneath (ramfs) or can make the vnode
 * anew from a name (procfs).
 */
#include <linux/errno.h>
#include <linux/fs.h>
#include <linux/stat.h>

#include <fs/buf.h>
#include <fs/vnode.h>
#include <kern/kstring.h>
#include <kern/proc.h>
#include <vm/vm_pager.h>

static struct zone vnode_zone;

/* Prepares for the first vnode_alloc. Boot CPU, after kmalloc_init. */
void
vfs_init(void)
{
	zinit(&vnode_zone, "vnode", sizeof(struct vnode), NULL);
	bufinit();
}

/* Vnodes alive. */
int64_t
vnode_count(void)
{
	int64_t n;

	spin_lock(&vnode_zone.z_spin);
	n = vnode_zone.z_inuse;
	spin_unlock(&vnode_zone.z_spin);
	return n;
}

/* A new vnode with one reference, of a mount that stays. Sleeps for
 * memory. */
struct vnode *
vnode_alloc(
    const struct vnodeops *ops, enum vtype type, struct mount *mp, void *data)
{
	struct vnode *vp;

	vp = zalloc(&vnode_zone, M_WAITOK | M_ZERO);
	vp->v_ops = ops;
	vp->v_type = type;
	vp->v_mount = mp;
	vp->v_refs = 1;
	vp->v_data = data;
	lockinit(&vp->v_iolock, "vnode I/O");
	lockinit(&vp->v_lock, "vnode");
	lwkt_token_init(&vp->v_token, "vnode");
	atomic_add_int(&mp->mnt_vnodes, 1);
	return vp;
}

/* Another reference, by one who has one. */
void
vref(struct vnode *vp)
{
	int32_t was;

	was = atomic_fetchadd_int(&vp->v_refs, 1);
	KASSERT(was > 0, ("vref of dead vnode %p", vp));
}

/* Another reference by one who has none, unless the vnode is ending. */
bool
vref_live(struct vnode *vp)
{
	int32_t refs = atomic_load_int(&vp->v_refs);

	while (refs > 0) {
		if (atomic_fcmpset_int(&vp->v_refs, &refs, refs + 1))
			return true;
	}
	return false;
}

/* One reference less. The last one ends the file's object, tells the file
 * system and frees the vnode. May sleep; no lock of the vnode held. */
void
vrele(struct vnode *vp)
{
	struct mount *mp = vp->v_mount;
	int32_t was;

	was = atomic_fetchadd_int(&vp->v_refs, -1);
	KASSERT(was > 0, ("vrele of dead vnode %p", vp));
	if (was != 1)
		return;
	KKASSERT(vp->v_mountedhere == NULL);
	if (vp->v_object != NULL)
		vnode_pager_reclaim(vp);
	if (vp->v_ops->vop_inactive != NULL)
		vp->v_ops->vop_inactive(vp);
	KKASSERT(vp->v_fifo == NULL && vp->v_object == NULL);
	lwkt_token_uninit(&vp->v_token);
	lockuninit(&vp->v_lock);
	lockuninit(&vp->v_iolock);
	zfree(&vnode_zone, vp);
	atomic_subtract_int(&mp->mnt_vnodes, 1);
}

void
vref_text(struct vnode *vp)
{
	vref(vp);
	atomic_add_int(&vp->v_texts, 1);
}

void
vrele_text(struct vnode *vp)
{
	atomic_subtract_int(&vp->v_texts, 1);
	vrele(vp);
}

/* The type's bits in st_mode. */
uint32_t
vtype_to_mode(enum vtype type)
{
	static const uint32_t modes[] = {
	    [VREG] = S_IFREG,
	    [VDIR] = S_IFDIR,
	    [VLNK] = S_IFLNK,
	    [VCHR] = S_IFCHR,
	    [VBLK] = S_IFBLK,
	    [VFIFO] = S_IFIFO,
	};

	return modes[type];
}

/* See vnode.h. */
bool
mode_to_vtype(uint32_t mode, enum vtype *typep)
{
	static const enum vtype types[] = {VREG, VDIR, VLNK, VCHR, VBLK, VFIFO};

	for (size_t i = 0; i < nitems(types); i++) {
		if (vtype_to_mode(types[i]) == (mode & S_IFMT)) {
			*typep = types[i];
			return true;
		}
	}
	return false;
}

/* What stat shows. Takes v_lock shared. */
int
vn_stat(struct vnode *vp, struct kstat *st)
{
	int error;

	bzero(st, sizeof(*st));
	st->dev = vp->v_mount->mnt_dev;
	st->blksize = PAGE_SIZE;
	st->rdev = vp->v_rdev;
	vn_lock_shared(vp);
	error = vp->v_ops->vop_getattr(vp, st);
	vn_unlock(vp);
	return error;
}

/* Asked by root: everything is allowed but executing what nobody may.
 * amode: the R_OK, W_OK, X_OK bits of access(2). */
int
vn_access(struct vnode *vp, int amode)
{
	struct kstat st;
	int error;

	if ((amode & 2) && vp->v_mount->mnt_rdonly &&
	    (vp->v_type == VREG || vp->v_type == VDIR || vp->v_type == VLNK))
		return EROFS;
	if ((amode & 1) == 0 || vp->v_type == VDIR)
		return 0;
	error = vn_stat(vp, &st);
	if (error == 0 && (st.mode & 0111) == 0)
		error = EACCES;
	return error;
}

/* Gives a regular file another size. Takes v_iolock; may sleep. */
int
vn_truncate(struct vnode *vp, uint64_t size)
{
	int error;

	if (vp->v_type == VDIR)
		return EISDIR;
	if (vp->v_type != VREG)
		return EINVAL;
	if (vp->v_mount->mnt_rdonly)
		return EROFS;
	if (vp->v_ops->vop_truncate == NULL)
		return EPERM;
	if (vp->v_texts != 0)
		return ETXTBSY;
	vn_iolock(vp);
	error = vp->v_ops->vop_truncate(vp, size);
	vn_iounlock(vp);
	return error;
}

/* Reads len bytes at off into kernel memory; *done gets how many, fewer only
 * at the end of the file. Takes v_iolock shared; may sleep. */
int
vn_read_kernel(
    struct vnode *vp, void *buf, size_t len, uint64_t off, size_t *done)
{
	struct uio uio;
	int error;

	if (vp->v_type == VDIR)
		return EISDIR;
	if (vp->v_ops->vop_read == NULL)
		return EINVAL;
	uio_kernel(&uio, buf, len, (int64_t)off, false);
	vn_iolock_shared(vp);
	error = vp->v_ops->vop_read(vp, &uio, 0);
	vn_iounlock(vp);
	*done = len - uio.uio_resid;
	return error;
}

/* The text of a symlink in memory of its own (kfree, M_NAMEI). Takes v_lock
 * shared; may sleep. */
int
vn_readlink(struct vnode *vp, char **textp)
{
	char *text;
	size_t len;
	int error;

	if (vp->v_type != VLNK || vp->v_ops->vop_readlink == NULL)
		return EINVAL;
	text = kmalloc(PATH_MAX, &M_NAMEI, M_WAITOK);
	vn_lock_shared(vp);
	error = vp->v_ops->vop_readlink(vp, text, PATH_MAX - 1, &len);
	vn_unlock(vp);
	if (error != 0) {
		kfree(text, &M_NAMEI);
		return error;
	}
	text[len] = '\0';
	*textp = text;
	return 0;
}
