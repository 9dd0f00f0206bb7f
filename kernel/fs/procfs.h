/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Inside procfs: what its files are and who writes them.
 */
#ifndef FS_PROCFS_H
#define FS_PROCFS_H

#include <fs/vnode.h>
#include <kern/sbuf.h>

struct proc;

/*
 * A file, by name. One of the functions makes it what it is: text is written
 * whole when it is read from its beginning, a link when it is followed. p is
 * held, and NULL for the files of /proc itself. 0 or an errno.
 */
struct procent {
	const char *pe_name;
	uint32_t pe_mode;
	int (*pe_text)(struct proc *p, struct sbuf *sb);
	int (*pe_link)(struct proc *p, char *buf, size_t size);
	/* With pe_link: where it leads, whatever the text; referenced. */
	int (*pe_follow)(struct proc *p, struct vnode **vpp);
	/* A directory of its own kind: makes its vnode. */
	struct vnode *(*pe_dir)(struct mount *mp, int pid, uint64_t ino);
	/* What a line written to it does, its end cut off. */
	int (*pe_command)(const char *line);
	/* Not text at all: bytes of the process's memory. */
	int (*pe_mem)(struct proc *p, struct uio *uio);
};

MALLOC_DECLARE(M_PROCFS);
struct vnode *procfs_fddir(struct mount *mp, int pid, uint64_t ino);

extern const struct procent procfs_root[], procfs_pid[];
extern const size_t procfs_nroot, procfs_npid;

#endif
