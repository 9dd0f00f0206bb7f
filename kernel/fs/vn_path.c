/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From a vnode back to its path.
 */
#include <linux/errno.h>
#include <linux/limits.h>

#include <fs/vnode.h>
#include <kern/kstring.h>

/* The directory above and the name in it, across mounts: ENOENT when the
 * file was unlinked, EXDEV at the root of all. */
static int
name_of(struct vnode *vp, struct vnode **dvpp, char *name)
{
	struct vnode *at = vp, *dvp;
	int error;

	while (at == at->v_mount->mnt_root) {
		if (at->v_mount->mnt_covered == NULL)
			return EXDEV;
		at = at->v_mount->mnt_covered;
	}
	if (at->v_ops->vop_name == NULL)
		return ENOENT;
	error = at->v_ops->vop_name(at, &dvp, name, NAME_MAX + 1);
	if (error == 0)
		*dvpp = dvp;
	return error;
}

/* The absolute path into buf, terminated; seen from the real root, not from
 * a chroot. ENOENT when the file (or a directory above) was unlinked, ERANGE
 * when buf is too small. Takes spinlocks, and may sleep in vrele only; a map
 * lock may be held. */
int
vn_fullpath(struct vnode *vp, char *buf, size_t size)
{
	char name[NAME_MAX + 1];
	struct vnode *cur = vp, *dvp;
	size_t at = size, len;
	int error;

	if (size < 2)
		return ERANGE;
	buf[--at] = '\0';
	vref(cur);
	while ((error = name_of(cur, &dvp, name)) == 0) {
		vrele(cur);
		cur = dvp;
		len = strlen(name);
		if (at < len + 1) {
			error = ERANGE;
			break;
		}
		at -= len;
		memcpy(buf + at, name, len);
		buf[--at] = '/';
	}
	vrele(cur);
	if (error != EXDEV)
		return error;
	if (buf[at] == '\0')
		buf[--at] = '/';
	memmove(buf, buf + at, size - at);
	return 0;
}
