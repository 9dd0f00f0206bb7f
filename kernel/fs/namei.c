/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From a path to a vnode.
 *
 * The path is walked one name after the other. Each directory is locked,
 * shared, only while one name is looked up in it, and no two at a time. A
 * symlink's text and what is left of the path become a new path.
 */
#include <linux/errno.h>
#include <linux/limits.h>

#include <fs/vnode.h>
#include <kern/kstring.h>
#include <kern/proc.h>

MALLOC_DEFINE(M_NAMEI, "namei");

/* One of the running process's two directories; a kernel thread's are the
 * root. Referenced. */
static struct vnode *
proc_dir(bool root)
{
	struct proc *p = curproc;
	struct vnode *vp = NULL;

	if (p != NULL) {
		lwkt_gettoken(&p->p_token);
		vp = root ? p->p_root : p->p_cwd;
		if (vp != NULL)
			vref(vp);
		lwkt_reltoken(&p->p_token);
	}
	if (vp == NULL) {
		vp = rootvnode;
		vref(vp);
	}
	return vp;
}

/* The directory that "/" means. */
struct vnode *
vfs_rootdir(void)
{
	return proc_dir(true);
}

/* The directory that relative paths start from. */
struct vnode *
vfs_cwd(void)
{
	return proc_dir(false);
}

/* The parent of a directory, across mounts, but never above the process's
 * root. */
static int
lookup_dotdot(struct vnode *dvp, struct vnode **vpp)
{
	struct vnode *root = vfs_rootdir(), *vp = dvp, *next;
	int error;

	vref(vp);
	while (vp != root && vp == vp->v_mount->mnt_root &&
	    vp->v_mount->mnt_covered != NULL) {
		next = vp->v_mount->mnt_covered;
		vref(next);
		vrele(vp);
		vp = next;
	}
	if (vp == root || vp == vp->v_mount->mnt_root) {
		*vpp = vp;
		vrele(root);
		return 0;
	}
	vn_lock_shared(vp);
	error = vp->v_ops->vop_lookup(vp, "..", 2, vpp);
	vn_unlock(vp);
	vrele(vp);
	vrele(root);
	if (error == 0)
		*vpp = mount_cross_down(*vpp);
	return error;
}

/* One name in a directory: a referenced vnode. Takes dvp's lock shared; may
 * sleep. */
int
vn_lookup(struct vnode *dvp, const char *name, size_t len, struct vnode **vpp)
{
	int error;

	if (dvp->v_type != VDIR)
		return ENOTDIR;
	if (len > NAME_MAX)
		return ENAMETOOLONG;
	if (len == 1 && name[0] == '.') {
		vref(dvp);
		*vpp = dvp;
		return 0;
	}
	if (len == 2 && name[0] == '.' && name[1] == '.')
		return lookup_dotdot(dvp, vpp);
	vn_lock_shared(dvp);
	error = dvp->v_ops->vop_lookup(dvp, name, len, vpp);
	vn_unlock(dvp);
	if (error == 0)
		*vpp = mount_cross_down(*vpp);
	return error;
}

/* Frees what a walk left behind. */
void
nameidone(struct nameidata *nd)
{
	kfree(nd->nd_buf, &M_NAMEI);
	nd->nd_buf = NULL;
}

/* Where a magic link leads: EINVAL when it is an ordinary one, whose text is
 * to be walked. Both count. */
static int
follow_magic(struct nameidata *nd, struct vnode *vp, struct vnode **vpp)
{
	if (++nd->nd_links > NAMEI_MAXLINKS)
		return ELOOP;
	if (vp->v_ops->vop_follow == NULL)
		return EINVAL;
	return vp->v_ops->vop_follow(vp, vpp);
}

/* Replaces the path by the symlink's text, then a slash if there was one,
 * then the rest. */
static int
expand_symlink(struct nameidata *nd, struct vnode *vp, const char *rest,
    bool slash, const char **pathp)
{
	char *text, *buf;
	size_t tlen, rlen = strlen(rest);
	int error;

	error = vn_readlink(vp, &text);
	if (error != 0)
		return error;
	tlen = strlen(text);
	if (tlen == 0) {
		kfree(text, &M_NAMEI);
		return ENOENT;
	}
	buf = kmalloc(tlen + 1 + rlen + 1, &M_NAMEI, M_WAITOK);
	memcpy(buf, text, tlen);
	if (slash)
		buf[tlen++] = '/';
	memcpy(buf + tlen, rest, rlen + 1);
	kfree(text, &M_NAMEI);
	kfree(nd->nd_buf, &M_NAMEI);
	nd->nd_buf = buf;
	*pathp = buf;
	return 0;
}

/* Says what kind of name the last one is. */
static enum nd_last
last_type(const char *name, size_t len)
{
	if (len == 1 && name[0] == '.')
		return ND_DOT;
	if (len == 2 && name[0] == '.' && name[1] == '.')
		return ND_DOTDOT;
	return ND_NORM;
}

/*
 * Walks nd_path. On success nd_vp is referenced, and with NAMEI_PARENT a
 * directory; call nameidone() when nd_last is not needed any more. On
 * failure there is nothing to release. May sleep; no lock held.
 */
int
namei_walk(struct nameidata *nd)
{
	const char *p = nd->nd_path, *name, *rest;
	struct vnode *cur, *next, *magic;
	bool last, slash;
	size_t len;
	int error;

	nd->nd_buf = NULL;
	nd->nd_vp = NULL;
	nd->nd_slash = false;
	nd->nd_type = ND_ROOT;
	nd->nd_last = p;
	nd->nd_lastlen = 0;
	if (*p == '\0')
		return ENOENT;
	if (*p == '/') {
		cur = vfs_rootdir();
	} else if (nd->nd_base != NULL) {
		cur = nd->nd_base;
		vref(cur);
	} else {
		cur = vfs_cwd();
	}
	for (;;) {
		while (*p == '/')
			p++;
		if (*p == '\0')
			break; /* nothing but slashes: ND_ROOT */
		name = p;
		while (*p != '\0' && *p != '/')
			p++;
		len = (size_t)(p - name);
		slash = *p == '/';
		for (rest = p; *rest == '/'; rest++)
			continue;
		last = *rest == '\0';
		if (cur->v_type != VDIR) {
			error = ENOTDIR;
			goto fail;
		}
		if (last && (nd->nd_flags & NAMEI_PARENT)) {
			nd->nd_last = name;
			nd->nd_lastlen = len;
			nd->nd_type = last_type(name, len);
			nd->nd_slash = slash;
			break;
		}
		error = vn_lookup(cur, name, len, &next);
		if (error != 0)
			goto fail;
		if (next->v_type == VLNK &&
		    (!last || slash || (nd->nd_flags & NAMEI_NOFOLLOW) == 0)) {
			error = follow_magic(nd, next, &magic);
			if (error == EINVAL) {
				error =
				    expand_symlink(nd, next, rest, slash, &p);
				magic = NULL;
			}
			vrele(next);
			if (error != 0)
				goto fail;
			if (magic == NULL) {
				if (*p == '/') {
					vrele(cur);
					cur = vfs_rootdir();
				}
				continue;
			}
			next = magic;
		}
		vrele(cur);
		cur = next;
		if (last) {
			nd->nd_slash = slash;
			if (slash && cur->v_type != VDIR) {
				error = ENOTDIR;
				goto fail;
			}
			break;
		}
		p = rest;
	}
	nd->nd_vp = cur;
	return 0;
fail:
	vrele(cur);
	nameidone(nd);
	return error;
}

/* The short form, see vnode.h. */
int
namei(struct vnode *base, const char *path, int flags, struct vnode **vpp,
    const char **last, size_t *lastlen)
{
	struct nameidata nd = {
	    .nd_base = base,
	    .nd_path = path,
	    .nd_flags = flags,
	};
	int error;

	error = namei_walk(&nd);
	if (error != 0)
		return error;
	if (flags & NAMEI_PARENT) {
		/* The last name was never looked up: it is the end of the
		 * path as the caller gave it, whatever came before. */
		*lastlen = nd.nd_lastlen;
		*last = path + strlen(path) - strlen(nd.nd_last);
	}
	nameidone(&nd);
	*vpp = nd.nd_vp;
	return 0;
}
