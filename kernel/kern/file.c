/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Open files and the tables of descriptors that name them.
 */
#include <linux/errno.h>

#include <kern/file.h>
#include <kern/kmalloc.h>
#include <kern/kstring.h>
#include <kern/proc.h>

MALLOC_DEFINE(M_FILE, "file");
MALLOC_DEFINE(M_FILEDESC, "filedesc");

static int64_t nfiles; /* (A) */

/* Open files alive. */
int64_t
file_count(void)
{
	return atomic_load_long(&nfiles);
}

/* A new open file with one reference. What data points to is fo_close's to
 * release. Sleeps for memory. */
struct file *
file_alloc(
    const struct fileops *ops, enum ftype type, void *data, uint32_t flags)
{
	struct file *fp;

	fp = kmalloc(sizeof(*fp), &M_FILE, M_WAITOK | M_ZERO);
	fp->f_ops = ops;
	fp->f_type = type;
	fp->f_flags = flags;
	fp->f_refs = 1;
	fp->f_data = data;
	lockinit(&fp->f_lock, "file");
	atomic_add_long(&nfiles, 1);
	return fp;
}

/* Another reference, by one who has one. */
void
file_ref(struct file *fp)
{
	atomic_add_int(&fp->f_refs, 1);
}

/* One reference less; the last one closes. May sleep. */
void
file_drop(struct file *fp)
{
	if (atomic_fetchadd_int(&fp->f_refs, -1) != 1)
		return;
	fp->f_ops->fo_close(fp);
	lockuninit(&fp->f_lock);
	kfree(fp, &M_FILE);
	atomic_subtract_long(&nfiles, 1);
}

/* The vnode of a file that has one. */
struct vnode *
file_vnode(struct file *fp)
{
	return fp->f_type == DTYPE_VNODE ? fp->f_data : NULL;
}

/* An empty table with one reference. Sleeps for memory. */
struct filedesc *
fd_alloc(void)
{
	struct filedesc *fd;

	fd = kmalloc(sizeof(*fd), &M_FILEDESC, M_WAITOK | M_ZERO);
	spin_init(&fd->fd_spin, "filedesc");
	fd->fd_refs = 1;
	return fd;
}

/* A table of its own for a forked process: the same open files. */
struct filedesc *
fd_copy(struct filedesc *fd)
{
	struct filedesc *nfd = fd_alloc();
	int i;

	spin_lock(&fd->fd_spin);
	for (i = 0; i < NOFILE; i++) {
		if (fd->fd_files[i] == NULL)
			continue;
		file_ref(fd->fd_files[i]);
		nfd->fd_files[i] = fd->fd_files[i];
		nfd->fd_cloexec[i] = fd->fd_cloexec[i];
	}
	spin_unlock(&fd->fd_spin);
	return nfd;
}

/* One more user of the table. */
void
fd_share(struct filedesc *fd)
{
	atomic_add_int(&fd->fd_refs, 1);
}

/* One user less; the last one closes all files. May sleep. */
void
fd_free(struct filedesc *fd)
{
	int i;

	if (atomic_fetchadd_int(&fd->fd_refs, -1) != 1)
		return;
	for (i = 0; i < NOFILE; i++) {
		if (fd->fd_files[i] != NULL)
			file_drop(fd->fd_files[i]);
	}
	kfree(fd, &M_FILEDESC);
}

/* For exec, whose table is its own: closes what is marked. May sleep. */
void
fd_closeexec(struct filedesc *fd)
{
	struct file *fp;
	int i;

	for (i = 0; i < NOFILE; i++) {
		spin_lock(&fd->fd_spin);
		fp = NULL;
		if (fd->fd_files[i] != NULL && fd->fd_cloexec[i]) {
			fp = fd->fd_files[i];
			fd->fd_files[i] = NULL;
			fd->fd_cloexec[i] = 0;
		}
		spin_unlock(&fd->fd_spin);
		if (fp != NULL)
			file_drop(fp);
	}
}

/* The file at n of a table that the caller keeps alive, referenced. */
struct file *
fd_get(struct filedesc *fd, int n)
{
	struct file *fp;

	if (n < 0 || n >= NOFILE)
		return NULL;
	spin_lock(&fd->fd_spin);
	fp = fd->fd_files[n];
	if (fp != NULL)
		file_ref(fp);
	spin_unlock(&fd->fd_spin);
	return fp;
}

/* The running process's file n, referenced, or NULL. */
struct file *
fget(int n)
{
	return fd_get(curproc->p_fd, n);
}

/* Gives fp, whose reference it takes over on success, the lowest free
 * descriptor from minfd on: the descriptor, or -EMFILE. */
int
fd_install(struct file *fp, int minfd, bool cloexec)
{
	struct filedesc *fd = curproc->p_fd;
	int n;

	spin_lock(&fd->fd_spin);
	for (n = minfd; n < NOFILE; n++) {
		if (fd->fd_files[n] != NULL)
			continue;
		fd->fd_files[n] = fp;
		fd->fd_cloexec[n] = cloexec;
		spin_unlock(&fd->fd_spin);
		return n;
	}
	spin_unlock(&fd->fd_spin);
	return -EMFILE;
}

/* Puts fp at n and closes what was there. Takes over the reference. May
 * sleep in the close. n was checked. */
int
fd_replace(struct file *fp, int n, bool cloexec)
{
	struct filedesc *fd = curproc->p_fd;
	struct file *old;

	spin_lock(&fd->fd_spin);
	old = fd->fd_files[n];
	fd->fd_files[n] = fp;
	fd->fd_cloexec[n] = cloexec;
	spin_unlock(&fd->fd_spin);
	if (old != NULL)
		file_drop(old);
	return n;
}

/* Takes n out of the running process's table; the reference is the caller's.
 * NULL when it names nothing. */
struct file *
fd_remove(int n)
{
	struct filedesc *fd = curproc->p_fd;
	struct file *fp;

	if (n < 0 || n >= NOFILE)
		return NULL;
	spin_lock(&fd->fd_spin);
	fp = fd->fd_files[n];
	fd->fd_files[n] = NULL;
	fd->fd_cloexec[n] = 0;
	spin_unlock(&fd->fd_spin);
	return fp;
}

/* Is descriptor n closed by exec? -EBADF when it names nothing. */
int
fd_getcloexec(int n)
{
	struct filedesc *fd = curproc->p_fd;
	int res = -EBADF;

	if (n < 0 || n >= NOFILE)
		return res;
	spin_lock(&fd->fd_spin);
	if (fd->fd_files[n] != NULL)
		res = fd->fd_cloexec[n];
	spin_unlock(&fd->fd_spin);
	return res;
}

/* Says whether exec closes n. 0 or -EBADF. */
int
fd_setcloexec(int n, bool on)
{
	struct filedesc *fd = curproc->p_fd;
	int res = -EBADF;

	if (n < 0 || n >= NOFILE)
		return res;
	spin_lock(&fd->fd_spin);
	if (fd->fd_files[n] != NULL) {
		fd->fd_cloexec[n] = on;
		res = 0;
	}
	spin_unlock(&fd->fd_spin);
	return res;
}
