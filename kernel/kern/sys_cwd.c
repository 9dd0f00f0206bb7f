/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Directories as places: getcwd, chdir, chroot, getdents64.
 */
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/fs.h>
#include <linux/limits.h>
#include <linux/stat.h>

#include <kern/kmalloc.h>
#include <kern/kstring.h>
#include <kern/proc.h>
#include <kern/sys_path.h>
#include <kern/syscalls.h>
#include <kern/uaccess.h>

long
sys_getcwd(char *ubuf, size_t len)
{
	struct vnode *vp = vfs_cwd();
	char *path = kmalloc(PATH_MAX, &M_NAMEI, M_WAITOK);
	size_t n = 0;
	int error;

	error = vn_fullpath(vp, path, PATH_MAX);
	vrele(vp);
	if (error == 0) {
		n = strlen(path) + 1;
		error = n > len ? ERANGE : copyout(path, ubuf, n);
	}
	kfree(path, &M_NAMEI);
	return error != 0 ? -error : (long)n;
}

/* Changes the cwd, or the root, to vp, whose reference it takes over. */
static int
change_dir(struct vnode *vp, struct vnode **dirp)
{
	struct proc *p = curproc;
	struct vnode *old;

	if (vp->v_type != VDIR) {
		vrele(vp);
		return ENOTDIR;
	}
	lwkt_gettoken(&p->p_token);
	old = *dirp;
	*dirp = vp;
	lwkt_reltoken(&p->p_token);
	if (old != NULL)
		vrele(old);
	return 0;
}

long
sys_chdir(const char *path)
{
	struct vnode *vp;
	int error;

	error = upath_vnode(AT_FDCWD, path, 0, &vp);
	if (error == 0)
		error = change_dir(vp, &curproc->p_cwd);
	return -error;
}

long
sys_fchdir(int fd)
{
	struct file *fp = fget(fd);
	struct vnode *vp;

	if (fp == NULL)
		return -EBADF;
	vp = file_vnode(fp);
	if (vp != NULL)
		vref(vp);
	file_drop(fp);
	if (vp == NULL)
		return -ENOTDIR;
	return -change_dir(vp, &curproc->p_cwd);
}

long
sys_chroot(const char *path)
{
	struct vnode *vp;
	int error;

	error = upath_vnode(AT_FDCWD, path, 0, &vp);
	if (error == 0)
		error = change_dir(vp, &curproc->p_root);
	return -error;
}

/*
 * Linux's struct linux_dirent64 (getdents64(2)); no header of the ABI has
 * it. Records are multiples of eight bytes.
 */
struct dirent64 {
	uint64_t d_ino;
	int64_t d_off;
	uint16_t d_reclen;
	uint8_t d_type;
	char d_name[];
};
#define DIRENT64_LEN(n) \
	roundup2(offsetof(struct dirent64, d_name) + (n) + 1, 8UL)

struct dents {
	uint8_t *buf;
	size_t size, used;
	int64_t next; /* offset after the last entry taken */
	bool full;
};

/* One entry into the buffer; non-zero when there is no room for it. */
static int
dents_emit(void *arg, const char *name, size_t len, uint64_t ino,
    enum vtype type, int64_t next_off)
{
	struct dents *ds = arg;
	struct dirent64 *d = (struct dirent64 *)(ds->buf + ds->used);
	size_t reclen = DIRENT64_LEN(len);

	if (reclen > ds->size - ds->used) {
		ds->full = true;
		return 1;
	}
	bzero(d, reclen);
	d->d_ino = ino;
	d->d_off = next_off;
	d->d_reclen = (uint16_t)reclen;
	d->d_type = (uint8_t)(vtype_to_mode(type) >> 12); /* DT_ is S_IF */
	memcpy(d->d_name, name, len);
	ds->used += reclen;
	ds->next = next_off;
	return 0;
}

/* Reads entries from the file's position on. f_lock is held: nobody moves
 * it meanwhile. The user's memory is touched when the directory is unlocked
 * again. */
static long
read_dents(struct file *fp, struct vnode *vp, void *ubuf, size_t len)
{
	struct dents ds = {.size = MIN(len, 8 * PAGE_SIZE)};
	int error;

	if (len == 0)
		return -EINVAL;
	ds.next = fp->f_offset;
	ds.buf = kmalloc(ds.size, &M_TEMP, M_WAITOK);
	vn_lock_shared(vp);
	error = vp->v_ops->vop_readdir(vp, fp->f_offset, dents_emit, &ds);
	vn_unlock(vp);
	if (error == 0 && ds.used == 0 && ds.full)
		error = EINVAL;
	if (error == 0)
		error = copyout(ds.buf, ubuf, ds.used);
	if (error == 0)
		fp->f_offset = ds.next;
	kfree(ds.buf, &M_TEMP);
	return error != 0 ? -error : (long)ds.used;
}

long
sys_getdents64(int fd, void *ubuf, unsigned int len)
{
	struct file *fp = fget_io(fd);
	struct vnode *vp;
	long res;

	if (fp == NULL)
		return -EBADF;
	vp = file_vnode(fp);
	if (vp == NULL || vp->v_type != VDIR ||
	    vp->v_ops->vop_readdir == NULL) {
		res = -ENOTDIR;
	} else {
		lockmgr(&fp->f_lock, LK_EXCLUSIVE);
		res = read_dents(fp, vp, ubuf, len);
		lockmgr(&fp->f_lock, LK_RELEASE);
	}
	file_drop(fp);
	return res;
}
