/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The pipe itself: a queue of up to sixteen pages.
 *
 * As in Linux a small write goes behind what the last page holds if all of
 * it fits there, and else begins a page. So a write of up to PIPE_BUF (one
 * page) is never torn, and a page is moved to or from user memory whole or,
 * at a fault, not at all.
 */
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/poll.h>
#include <linux/signal.h>

#include <asm/ioctls.h>

#include <amd64/machdep.h>
#include <fs/pipe.h>
#include <kern/kmalloc.h>
#include <kern/proc.h>
#include <kern/syscalls.h>
#include <kern/uaccess.h>

MALLOC_DEFINE(M_PIPE, "pipe");

static uint64_t pipe_ino; /* (A) the last one given out */

#define pipe_empty(p)  ((p)->p_head == (p)->p_tail)
#define pipe_full(p)   ((p)->p_head - (p)->p_tail == PIPE_PAGES)
#define pipe_buf(p, n) (&(p)->p_bufs[(n) % PIPE_PAGES])

/* An empty pipe without ends. Sleeps for memory. */
struct pipe *
pipe_new(void)
{
	struct pipe *p;

	p = kmalloc(sizeof(*p), &M_PIPE, M_WAITOK | M_ZERO);
	lockinit(&p->p_lock, "pipe");
	p->p_ino = atomic_fetchadd_ulong(&pipe_ino, 1) + 1;
	p->p_atime = p->p_mtime = p->p_ctime = (int64_t)walltime();
	p->p_mode = 0600;
	return p;
}

/* Frees a pipe and what nobody read. */
void
pipe_destroy(struct pipe *p)
{
	for (; !pipe_empty(p); p->p_tail++)
		kfree(pipe_buf(p, p->p_tail)->page, &M_PIPE);
	lockuninit(&p->p_lock);
	kfree(p, &M_PIPE);
}

/* An end came or went: everybody looks again, those who open a FIFO too. */
static void
pipe_wakeup_all(struct pipe *p)
{
	wakeup(p);
	wakeup(&p->p_readers);
	wakeup(&p->p_writers);
	pollwakeup();
}

/* Something was moved. Readers queue up, as writers do: the one who waits
 * longest is woken, and wakes the next if there is something left for him. */
static void
pipe_wakeup_next(struct pipe *p)
{
	if (!pipe_empty(p))
		wakeup_one(&p->p_readers);
	if (!pipe_full(p))
		wakeup_one(&p->p_writers);
}

/* Counts an open file, see pipe.h. */
void
pipe_enter(struct pipe *p, uint32_t fflags)
{
	bool rd = (fflags & O_ACCMODE) != O_WRONLY;
	bool wr = (fflags & O_ACCMODE) != O_RDONLY;

	lockmgr(&p->p_lock, LK_EXCLUSIVE);
	p->p_readers += rd;
	p->p_ropens += rd;
	p->p_writers += wr;
	p->p_wopens += wr;
	pipe_wakeup_all(p);
	lockmgr(&p->p_lock, LK_RELEASE);
}

/* Counts it out. What the last reader left unread goes with the last end. */
bool
pipe_leave(struct pipe *p, uint32_t fflags)
{
	bool last;

	lockmgr(&p->p_lock, LK_EXCLUSIVE);
	p->p_readers -= (fflags & O_ACCMODE) != O_WRONLY;
	p->p_writers -= (fflags & O_ACCMODE) != O_RDONLY;
	last = p->p_readers == 0 && p->p_writers == 0;
	pipe_wakeup_all(p);
	lockmgr(&p->p_lock, LK_RELEASE);
	return last;
}

/* Sleeps until there is something for this side, whose count is the channel;
 * p_lock is given up meanwhile. ERESTARTSYS when a signal waits. */
static int
pipe_sleep(struct pipe *p, const int *side, const char *wmesg)
{
	int error;

	tsleep_interlock(side, PCATCH);
	lockmgr(&p->p_lock, LK_RELEASE);
	error = tsleep(side, PCATCH | PINTERLOCKED, wmesg, 0);
	lockmgr(&p->p_lock, LK_EXCLUSIVE);
	return error != 0 ? ERESTARTSYS : 0;
}

/* Takes what there is, up to the uio's length, and waits only for the first
 * byte. 0 bytes: no writer is left. EAGAIN, EFAULT, ERESTARTSYS. */
int
pipe_read(struct pipe *p, uint32_t fflags, struct uio *uio)
{
	size_t want = uio->uio_resid, n;
	bool taken = false;
	int error = 0;

	if (want == 0)
		return 0;
	lockmgr(&p->p_lock, LK_EXCLUSIVE);
	while (uio->uio_resid > 0) {
		if (!pipe_empty(p)) {
			typeof(&p->p_bufs[0]) b = pipe_buf(p, p->p_tail);

			n = MIN(b->len, uio->uio_resid);
			error = uiomove_whole(b->page + b->off, n, uio);
			if (error != 0)
				break;
			b->off += (uint32_t)n;
			b->len -= (uint32_t)n;
			if (b->len == 0) {
				kfree(b->page, &M_PIPE);
				b->page = NULL;
				p->p_tail++;
				taken = true;
			}
			continue;
		}
		if (p->p_writers == 0 || uio->uio_resid < want)
			break;
		if (fflags & O_NONBLOCK) {
			error = EAGAIN;
			break;
		}
		error = pipe_sleep(p, &p->p_readers, "piperd");
		if (error != 0)
			break;
	}
	pipe_wakeup_next(p);
	if (taken)
		pollwakeup();
	lockmgr(&p->p_lock, LK_RELEASE);
	return error;
}

/* Puts a write's odd end behind the last page's contents, if it fits there
 * whole. The file's p_lock is held. */
static int
pipe_merge(struct pipe *p, struct uio *uio)
{
	typeof(&p->p_bufs[0]) b;
	size_t n = uio->uio_resid & PAGE_MASK;
	int error;

	if (n == 0 || pipe_empty(p))
		return 0;
	b = pipe_buf(p, p->p_head - 1);
	if (b->off + b->len + n > PAGE_SIZE)
		return 0;
	error = uiomove_whole(b->page + b->off + b->len, n, uio);
	if (error == 0)
		b->len += (uint32_t)n;
	return error;
}

/* Adds a page with the next bytes. The pipe is not full. */
static int
pipe_push(struct pipe *p, struct uio *uio)
{
	typeof(&p->p_bufs[0]) b = pipe_buf(p, p->p_head);
	size_t n = MIN(uio->uio_resid, PAGE_SIZE);
	char *page = kmalloc(PAGE_SIZE, &M_PIPE, M_WAITOK);
	int error;

	error = uiomove_whole(page, n, uio);
	if (error != 0) {
		kfree(page, &M_PIPE);
		return error;
	}
	b->page = page;
	b->off = 0;
	b->len = (uint32_t)n;
	p->p_head++;
	return 0;
}

/* Nobody will ever read it. */
static int
pipe_broken(void)
{
	struct ksiginfo ksi = {.signo = SIGPIPE};

	if (curproc != NULL)
		ksignal_thread(curthread, &ksi);
	return EPIPE;
}

/* Writes all of it, waiting for room; with O_NONBLOCK what fits. EPIPE (and
 * SIGPIPE) without readers, EAGAIN, EFAULT, ERESTARTSYS. */
int
pipe_write(struct pipe *p, uint32_t fflags, struct uio *uio)
{
	int error = 0;

	if (uio->uio_resid == 0)
		return 0;
	lockmgr(&p->p_lock, LK_EXCLUSIVE);
	if (p->p_readers > 0)
		error = pipe_merge(p, uio);
	while (error == 0 && (uio->uio_resid > 0 || p->p_readers == 0)) {
		if (p->p_readers == 0) {
			error = pipe_broken();
		} else if (!pipe_full(p)) {
			error = pipe_push(p, uio);
		} else if (fflags & O_NONBLOCK) {
			error = EAGAIN;
		} else {
			wakeup_one(&p->p_readers);
			pollwakeup();
			error = pipe_sleep(p, &p->p_writers, "pipewr");
		}
		if (uio->uio_resid == 0)
			break;
	}
	pipe_wakeup_next(p);
	pollwakeup();
	lockmgr(&p->p_lock, LK_RELEASE);
	return error;
}

/* What is ready for an open file with these flags. */
int
pipe_poll(struct pipe *p, uint32_t fflags)
{
	int ready = 0;

	lockmgr(&p->p_lock, LK_SHARED);
	if ((fflags & O_ACCMODE) != O_WRONLY) {
		if (!pipe_empty(p))
			ready |= POLLIN | POLLRDNORM;
		if (p->p_writers == 0 && p->p_wopens > 0)
			ready |= POLLHUP;
	}
	if ((fflags & O_ACCMODE) != O_RDONLY) {
		if (!pipe_full(p))
			ready |= POLLOUT | POLLWRNORM;
		if (p->p_readers == 0)
			ready |= POLLERR;
	}
	lockmgr(&p->p_lock, LK_RELEASE);
	return ready;
}

/* FIONREAD: the bytes that wait. */
int
pipe_ioctl(struct pipe *p, unsigned long cmd, uintptr_t arg)
{
	uint32_t i, n = 0;

	if (cmd != FIONREAD)
		return ENOTTY;
	lockmgr(&p->p_lock, LK_SHARED);
	for (i = p->p_tail; i != p->p_head; i++)
		n += pipe_buf(p, i)->len;
	lockmgr(&p->p_lock, LK_RELEASE);
	return suword32((void *)arg, n);
}
