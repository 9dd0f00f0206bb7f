/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * read, write and their kin; lseek; sendfile.
 *
 * A transfer that moved some bytes before it failed returns how many, as if
 * nothing had happened; the failure shows at the next one.
 */
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/fs.h>
#include <linux/uio.h>

#include <kern/file.h>
#include <kern/kmalloc.h>
#include <kern/proc.h>
#include <kern/sys_path.h>
#include <kern/syscalls.h>
#include <kern/uaccess.h>

/* A file open in the direction asked for; NULL: EBADF. */
static struct file *
fget_dir(int fd, bool write)
{
	struct file *fp = fget_io(fd);

	if (fp != NULL && !(write ? FWRITABLE(fp) : FREADABLE(fp))) {
		file_drop(fp);
		return NULL;
	}
	return fp;
}

/* Do positions mean anything here? */
static bool
canseek(struct file *fp)
{
	return fp->f_seekable ||
	    (fp->f_ops->fo_seek != NULL &&
		fp->f_ops->fo_seek(fp, 0, SEEK_SET) != -ESPIPE);
}

/* The transfer: at the file's position, which moves, or where the uio says.
 * The count, or a negative errno. */
static long
transfer(struct file *fp, struct uio *uio, bool positioned)
{
	size_t total = uio->uio_resid;
	bool moves = !positioned && fp->f_seekable;
	int error;

	if (moves) {
		lockmgr(&fp->f_lock, LK_EXCLUSIVE);
		uio->uio_offset = fp->f_offset;
	}
	if (fp->f_seekable &&
	    total > (uint64_t)INT64_MAX - (uint64_t)uio->uio_offset)
		error = EINVAL; /* the end has no offset any more */
	else
		error = uio->uio_write ? fp->f_ops->fo_write(fp, uio)
				       : fp->f_ops->fo_read(fp, uio);
	if (moves) {
		fp->f_offset = uio->uio_offset;
		lockmgr(&fp->f_lock, LK_RELEASE);
	}
	if (uio->uio_resid < total)
		return (long)(total - uio->uio_resid);
	return -error;
}

/* read, write, pread, pwrite. off < 0: at the file's position. */
static long
rw_single(int fd, void *buf, size_t len, int64_t off, bool write)
{
	struct file *fp = fget_dir(fd, write);
	struct uio uio = {
	    .uio_base = buf,
	    .uio_resid = MIN(len, RW_MAX),
	    .uio_offset = off,
	    .uio_user = true,
	    .uio_write = write,
	};
	long res;

	if (fp == NULL)
		return -EBADF;
	if (off >= 0 && !canseek(fp))
		res = -ESPIPE;
	else if (!user_range_ok(buf, len))
		res = -EFAULT;
	else
		res = transfer(fp, &uio, off >= 0);
	file_drop(fp);
	return res;
}

long
sys_read(int fd, void *buf, size_t len)
{
	return rw_single(fd, buf, len, -1, false);
}

long
sys_write(int fd, const void *buf, size_t len)
{
	return rw_single(fd, (void *)(uintptr_t)buf, len, -1, true);
}

long
sys_pread64(int fd, void *buf, size_t len, int64_t off)
{
	if (off < 0)
		return -EINVAL;
	return rw_single(fd, buf, len, off, false);
}

long
sys_pwrite64(int fd, const void *buf, size_t len, int64_t off)
{
	if (off < 0)
		return -EINVAL;
	return rw_single(fd, (void *)(uintptr_t)buf, len, off, true);
}

/* Fetches and checks a vector: no negative length, no address that is not
 * the user's, and what is beyond RW_MAX is cut off. */
static int
import_iovec(const void *uiov, int cnt, struct iovec *iov, struct uio *uio)
{
	size_t total = 0;
	int i, error;

	error = copyin(uiov, iov, (size_t)cnt * sizeof(*iov));
	if (error != 0)
		return error;
	for (i = 0; i < cnt; i++) {
		if ((ssize_t)iov[i].iov_len < 0)
			return EINVAL;
		if (!user_range_ok(iov[i].iov_base, iov[i].iov_len))
			return EFAULT;
		if (iov[i].iov_len > RW_MAX - total)
			iov[i].iov_len = RW_MAX - total;
		total += iov[i].iov_len;
	}
	uio->uio_iov = iov;
	uio->uio_iovcnt = cnt;
	uio->uio_resid = total;
	return 0;
}

/* readv and so on. off < 0: at the file's position. */
static long
rw_vector(int fd, const void *uiov, int cnt, int64_t off, bool write)
{
	struct file *fp = fget_dir(fd, write);
	struct uio uio = {
	    .uio_offset = off,
	    .uio_user = true,
	    .uio_write = write,
	};
	struct iovec few[8], *iov = few;
	long res;

	if (fp == NULL)
		return -EBADF;
	if (off >= 0 && !canseek(fp)) {
		res = -ESPIPE;
	} else if (cnt < 0 || cnt > UIO_MAXIOV) {
		res = -EINVAL;
	} else {
		if ((size_t)cnt > nitems(few))
			iov = kmalloc(
			    (size_t)cnt * sizeof(*iov), &M_TEMP, M_WAITOK);
		res = -import_iovec(uiov, cnt, iov, &uio);
		if (res == 0)
			res = transfer(fp, &uio, off >= 0);
		if (iov != few)
			kfree(iov, &M_TEMP);
	}
	file_drop(fp);
	return res;
}

long
sys_readv(int fd, const void *iov, int iovcnt)
{
	return rw_vector(fd, iov, iovcnt, -1, false);
}

long
sys_writev(int fd, const void *iov, int iovcnt)
{
	return rw_vector(fd, iov, iovcnt, -1, true);
}

/* On a 64-bit machine the low word is the whole position. */
long
sys_preadv(int fd, const void *iov, int iovcnt, unsigned long off_lo,
    unsigned long off_hi)
{
	if ((int64_t)off_lo < 0)
		return -EINVAL;
	return rw_vector(fd, iov, iovcnt, (int64_t)off_lo, false);
}

long
sys_pwritev(int fd, const void *iov, int iovcnt, unsigned long off_lo,
    unsigned long off_hi)
{
	if ((int64_t)off_lo < 0)
		return -EINVAL;
	return rw_vector(fd, iov, iovcnt, (int64_t)off_lo, true);
}

long
sys_lseek(int fd, int64_t off, int whence)
{
	struct file *fp = fget_io(fd);
	int64_t res;

	if (fp == NULL)
		return -EBADF;
	if (whence < 0 || whence > SEEK_MAX) {
		res = -EINVAL;
	} else if (fp->f_ops->fo_seek == NULL) {
		res = -ESPIPE;
	} else {
		lockmgr(&fp->f_lock, LK_EXCLUSIVE);
		res = fp->f_ops->fo_seek(fp, off, whence);
		if (res >= 0)
			fp->f_offset = res;
		lockmgr(&fp->f_lock, LK_RELEASE);
	}
	file_drop(fp);
	return res;
}

/* Copies through a page of the kernel's until count, the end of in, or an
 * error. *pos: where to read, or NULL for the file's position. */
static long
copy_file(struct file *out, struct file *in, int64_t *pos, size_t count)
{
	void *buf = kmalloc(PAGE_SIZE, &M_TEMP, M_WAITOK);
	struct uio uio;
	long total = 0, n = 0, w;

	while (count > 0) {
		if (long_loop_over()) {
			n = -EINTR;
			break;
		}
		uio_kernel(&uio, buf, MIN(count, PAGE_SIZE),
		    pos != NULL ? *pos : 0, false);
		n = transfer(in, &uio, pos != NULL);
		if (n <= 0)
			break;
		uio_kernel(&uio, buf, (size_t)n, 0, true);
		w = transfer(out, &uio, false);
		/* What was read and not written is read again next time. */
		if (pos != NULL)
			*pos += w > 0 ? w : 0;
		else if (w < n && in->f_seekable)
			in->f_offset -= n - (w > 0 ? w : 0);
		if (w > 0) {
			total += w;
			count -= (size_t)w;
		}
		if (w < n) {
			n = w;
			break;
		}
	}
	kfree(buf, &M_TEMP);
	return total > 0 || n > 0 ? total : n;
}

/* The input must be of the kind that can be read again, as in Linux: what was
 * read and could not be written would be lost. */
long
sys_sendfile(int out_fd, int in_fd, int64_t *uoff, size_t count)
{
	struct file *in, *out = NULL;
	int64_t pos = 0;
	long res = 0;

	if (uoff != NULL && fuword64(uoff, (uint64_t *)&pos) != 0)
		return -EFAULT;
	in = fget_dir(in_fd, false);
	if (in == NULL)
		return -EBADF;
	out = fget_dir(out_fd, true);
	if (uoff != NULL && !canseek(in))
		res = -ESPIPE;
	else if (out == NULL)
		res = -EBADF;
	else if (pos < 0 || !canseek(in) || (out->f_flags & O_APPEND) ||
	    (file_vnode(in) != NULL && file_vnode(in)->v_type == VDIR))
		res = -EINVAL;
	else
		res = copy_file(
		    out, in, uoff != NULL ? &pos : NULL, MIN(count, RW_MAX));
	if (res > 0 && uoff != NULL && suword64(uoff, (uint64_t)pos) != 0)
		res = -EFAULT;
	if (out != NULL)
		file_drop(out);
	file_drop(in);
	return res;
}
