/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Moving data between the kernel and what a uio describes.
 */
#include <linux/errno.h>
#include <linux/uio.h>

#include <kern/file.h>
#include <kern/kstring.h>
#include <kern/proc.h>
#include <kern/uaccess.h>

/* Describes a kernel buffer. */
void
uio_kernel(struct uio *uio, void *buf, size_t len, int64_t off, bool write)
{
	*uio = (struct uio){
	    .uio_base = buf,
	    .uio_resid = len,
	    .uio_offset = off,
	    .uio_write = write,
	};
}

/* True when a user could own all of the range: what Linux asks before it
 * looks at anything else. */
bool
user_range_ok(const void *uaddr, size_t len)
{
	return len <= VM_MAX_USER_ADDRESS &&
	    (uintptr_t)uaddr <= VM_MAX_USER_ADDRESS - len;
}

/* One segment's piece. User addresses go page by page: what a fault leaves
 * undone then begins at a page boundary, and what came before is exact; and
 * nobody waits long for the CPU, or for the end of who is killed. */
static int
uio_piece(
    char *kaddr, char *uaddr, size_t n, const struct uio *uio, size_t *donep)
{
	size_t chunk;
	int error;

	*donep = 0;
	if (!uio->uio_user) {
		if (uio->uio_write)
			memcpy(kaddr, uaddr, n);
		else
			memcpy(uaddr, kaddr, n);
		*donep = n;
		return 0;
	}
	while (n > 0) {
		chunk = PAGE_SIZE - ((uintptr_t)uaddr & PAGE_MASK);
		chunk = MIN(chunk, n);
		if (long_loop_over())
			return EINTR;
		error = uio->uio_write ? copyin(uaddr, kaddr, chunk)
				       : copyout(kaddr, uaddr, chunk);
		if (error != 0)
			return error;
		kaddr += chunk;
		uaddr += chunk;
		n -= chunk;
		*donep += chunk;
	}
	return 0;
}

/* Moves up to n bytes and advances the uio, its offset too. May sleep in a
 * page fault: no spinlock held, and no lock that a fault takes. EFAULT, with
 * the bytes before the fault counted. */
int
uiomove(void *kaddr, size_t n, struct uio *uio)
{
	const struct iovec *iov;
	char *k = kaddr;
	size_t done;
	int error = 0;

	n = MIN(n, uio->uio_resid);
	while (n > 0 && error == 0) {
		if (uio->uio_iovcnt == 0) {
			error = uio_piece(k, uio->uio_base, n, uio, &done);
			uio->uio_base = (char *)uio->uio_base + done;
		} else {
			iov = uio->uio_iov;
			error = uio_piece(k,
			    (char *)iov->iov_base + uio->uio_segoff,
			    MIN(n, iov->iov_len - uio->uio_segoff), uio, &done);
			uio->uio_segoff += done;
			if (uio->uio_segoff == iov->iov_len &&
			    uio->uio_iovcnt > 1) {
				uio->uio_iov++;
				uio->uio_iovcnt--;
				uio->uio_segoff = 0;
			}
		}
		k += done;
		n -= done;
		uio->uio_resid -= done;
		uio->uio_offset += (int64_t)done;
	}
	return error;
}

/* Like uiomove, but after a fault the uio is as it was found. */
int
uiomove_whole(void *kaddr, size_t n, struct uio *uio)
{
	struct uio before = *uio;
	int error;

	error = uiomove(kaddr, n, uio);
	if (error != 0)
		*uio = before;
	return error;
}
