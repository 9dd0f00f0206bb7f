/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the system calls that take a path have in common.
 */
#ifndef KERN_SYS_PATH_H
#define KERN_SYS_PATH_H

#include <fs/vnode.h>

/* A path fetched from the user, and where it starts from. */
struct upath {
	char *up_path;	       /* kernel memory */
	struct vnode *up_base; /* referenced; NULL: the cwd, or absolute */
	bool up_empty;	       /* "": the descriptor itself is meant */
};

/* Fetches; empty_ok: "" is allowed (AT_EMPTY_PATH), else ENOENT. EFAULT,
 * ENAMETOOLONG, EBADF, ENOTDIR. On failure there is nothing to release. */
int upath_get(struct upath *up, int dirfd, const char *upath, bool empty_ok);
void upath_put(struct upath *up);

/* The vnode of a user's path, referenced. atflags: AT_SYMLINK_NOFOLLOW and
 * AT_EMPTY_PATH count. */
int upath_vnode(int dirfd, const char *upath, int atflags, struct vnode **vpp);

/* The directory of a path's last component. upath_put and nameidone end it,
 * and a vrele of nd_vp. */
int upath_parent(
    struct upath *up, int dirfd, const char *upath, struct nameidata *nd);

/* A descriptor's vnode, referenced; EBADF (also for pipes). O_PATH will do
 * when path_ok. */
int fd_vnode(int fd, bool path_ok, struct vnode **vpp);

/* A file that may be used for more than its name: not O_PATH. NULL: EBADF. */
struct file *fget_io(int fd);

#endif
