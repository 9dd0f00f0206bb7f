/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Waiting for several files at once: poll, ppoll, select, pselect6.
 *
 * There is one place to wait at. Whatever becomes ready bumps poll_gen and
 * wakes everybody there, and each looks at its own files again. A change
 * between the look and the sleep shows in poll_gen.
 */
#include <linux/errno.h>
#include <linux/poll.h>
#include <linux/time_types.h>

#include <amd64/machdep.h>
#include <kern/file.h>
#include <kern/kmalloc.h>
#include <kern/kstring.h>
#include <kern/ktime.h>
#include <kern/proc.h>
#include <kern/sys_path.h>
#include <kern/syscalls.h>
#include <kern/uaccess.h>

#define ALWAYS (POLLERR | POLLHUP | POLLNVAL)
#define MS_NS  1000000UL

static uint64_t poll_gen;    /* (A) */
static int32_t poll_waiters; /* (A) */

/* See kern/file.h. */
void
pollwakeup(void)
{
	atomic_add_ulong(&poll_gen, 1);
	if (atomic_load_int(&poll_waiters) > 0)
		wakeup(&poll_gen);
}

/* One look at each file; how many have something to say. */
static int
poll_scan(struct pollfd *pfd, unsigned int n)
{
	struct file *fp;
	unsigned int i;
	int ready, count = 0;

	for (i = 0; i < n; i++) {
		pfd[i].revents = 0;
		if (pfd[i].fd < 0)
			continue;
		fp = fget_io(pfd[i].fd);
		if (fp == NULL) {
			ready = POLLNVAL;
		} else {
			ready = fp->f_ops->fo_poll(fp, pfd[i].events);
			file_drop(fp);
		}
		pfd[i].revents = (short)(ready & (pfd[i].events | ALWAYS));
		count += pfd[i].revents != 0;
	}
	return count;
}

/* Looks until something is ready or the deadline (KTIME_NEVER: none; 0: at
 * once) has come. How many, or -EINTR. */
static int
poll_wait(struct pollfd *pfd, unsigned int n, uint64_t deadline)
{
	uint64_t gen;
	int count, error;

	atomic_add_int(&poll_waiters, 1);
	for (;;) {
		gen = atomic_load_ulong(&poll_gen);
		count = poll_scan(pfd, n);
		if (count > 0 || deadline == 0)
			break;
		if (deadline != KTIME_NEVER && nanotime() >= deadline)
			break;
		tsleep_interlock(&poll_gen, PCATCH);
		if (gen != atomic_load_ulong(&poll_gen)) {
			tsleep_remove(curthread);
			continue;
		}
		error = tsleep(&poll_gen, PCATCH | PINTERLOCKED, "poll",
		    deadline == KTIME_NEVER ? 0 : ktime_left(deadline));
		if (error == EINTR) {
			count = -EINTR;
			break;
		}
	}
	atomic_subtract_int(&poll_waiters, 1);
	return count;
}

/* Fetches the array, waits, stores what was found. */
static long
do_poll(void *ufds, unsigned int n, uint64_t deadline)
{
	struct pollfd few[16], *pfd = few;
	unsigned int i;
	long res;

	if (n > NOFILE)
		return -EINVAL;
	if (n > nitems(few))
		pfd = kmalloc(n * sizeof(*pfd), &M_TEMP, M_WAITOK);
	res = -copyin(ufds, pfd, n * sizeof(*pfd));
	if (res == 0)
		res = poll_wait(pfd, n, deadline);
	for (i = 0; i < n && res >= 0; i++) {
		if (copyout(&pfd[i].revents,
			(char *)ufds + i * sizeof(*pfd) +
			    offsetof(struct pollfd, revents),
			sizeof(pfd[i].revents)) != 0)
			res = -EFAULT;
	}
	if (pfd != few)
		kfree(pfd, &M_TEMP);
	return res;
}

long
sys_poll(void *fds, unsigned int nfds, int timeout_ms)
{
	uint64_t deadline = KTIME_NEVER;
	long res;

	if (timeout_ms == 0)
		deadline = 0;
	else if (timeout_ms > 0)
		deadline = ktime_after((uint64_t)timeout_ms * MS_NS);
	res = do_poll(fds, nfds, deadline);
	/* Repeated after a stop only if that does not make it longer. */
	return res == -EINTR && timeout_ms < 0 ? -ERESTARTNOHAND : res;
}

/* Puts the mask of ppoll and pselect6 in place, if there is one. */
static int
temp_mask(const uint64_t *umask, size_t size)
{
	uint64_t mask;
	int error;

	if (umask == NULL)
		return 0;
	if (size != sizeof(mask))
		return EINVAL;
	error = copyin(umask, &mask, sizeof(mask));
	if (error == 0)
		signal_setmask_temp(mask);
	return error;
}

/* What a timeout that is to be stored back has left. */
static uint64_t
time_left(uint64_t deadline)
{
	uint64_t now = nanotime();

	return deadline > now ? deadline - now : 0;
}

/* From a timeout to a deadline. */
static uint64_t
deadline_of(uint64_t ns)
{
	if (ns == 0 || ns == KTIME_NEVER)
		return ns;
	return ktime_after(ns);
}

/* The end of a call with a mask: the old one is back unless a handler is to
 * run first, which brings it back itself. */
static long
end_wait(long res)
{
	if (res == -EINTR)
		return -ERESTARTNOHAND;
	signal_restoremask();
	return res;
}

long
sys_ppoll(void *fds, unsigned int nfds, const void *uts,
    const uint64_t *sigmask, size_t sigsetsize)
{
	uint64_t ns = KTIME_NEVER, deadline;
	long res;
	int error;

	error = uts != NULL ? copyin_timespec(uts, &ns) : 0;
	if (error == 0)
		error = temp_mask(sigmask, sigsetsize);
	if (error != 0)
		return -error;
	deadline = deadline_of(ns);
	res = do_poll(fds, nfds, deadline);
	/* Linux tells how much time is left; a program need not let it. */
	if (uts != NULL && deadline != KTIME_NEVER)
		(void)copyout_timespec(
		    time_left(deadline), (void *)(uintptr_t)uts);
	return end_wait(res);
}

/*
 * select is a poll of the descriptors whose bits are set.
 */
#define SELECT_WORDS (NOFILE / 64)
#define SEL_IN	     (POLLIN | POLLRDNORM | POLLRDBAND | POLLHUP | POLLERR)
#define SEL_OUT	     (POLLOUT | POLLWRNORM | POLLWRBAND | POLLERR)
#define SEL_EX	     POLLPRI

struct fdsets {
	uint64_t set[3][SELECT_WORDS]; /* read, write, except */
};

static const short sel_events[3] = {SEL_IN, SEL_OUT, SEL_EX};

/* The sets that were given, as far as n goes. */
static int
fetch_sets(struct fdsets *s, void *const u[3], size_t bytes)
{
	int i, error = 0;

	bzero(s, sizeof(*s));
	for (i = 0; i < 3 && error == 0; i++) {
		if (u[i] != NULL)
			error = copyin(u[i], s->set[i], bytes);
	}
	return error;
}

/* As entries of a poll; what is not open is EBADF. */
static int
sets_to_pollfd(
    const struct fdsets *s, int n, struct pollfd *pfd, unsigned int *np)
{
	struct file *fp;
	short events;
	int fd, i;

	*np = 0;
	for (fd = 0; fd < n; fd++) {
		events = 0;
		for (i = 0; i < 3; i++) {
			if (s->set[i][fd / 64] & (1UL << (fd % 64)))
				events |= sel_events[i];
		}
		if (events == 0)
			continue;
		fp = fget_io(fd);
		if (fp == NULL)
			return EBADF;
		file_drop(fp);
		pfd[*np].fd = fd;
		pfd[*np].events = events;
		(*np)++;
	}
	return 0;
}

/* The sets that come out, and how many bits are in them. */
static int
pollfd_to_sets(const struct pollfd *pfd, unsigned int np,
    const struct fdsets *in, struct fdsets *out)
{
	int count = 0, fd, i;
	unsigned int k;

	bzero(out, sizeof(*out));
	for (k = 0; k < np; k++) {
		fd = pfd[k].fd;
		for (i = 0; i < 3; i++) {
			if ((in->set[i][fd / 64] & (1UL << (fd % 64))) == 0 ||
			    (pfd[k].revents & sel_events[i]) == 0)
				continue;
			out->set[i][fd / 64] |= 1UL << (fd % 64);
			count++;
		}
	}
	return count;
}

/* All of select but its times. */
static long
do_select(int n, void *const u[3], uint64_t deadline)
{
	struct fdsets in, out;
	struct pollfd *pfd;
	unsigned int np;
	size_t bytes;
	long res;
	int i;

	if (n < 0)
		return -EINVAL;
	n = MIN(n, NOFILE);
	bytes = howmany((size_t)n, 64) * 8;
	res = -fetch_sets(&in, u, bytes);
	if (res != 0)
		return res;
	pfd = kmalloc(NOFILE * sizeof(*pfd), &M_TEMP, M_WAITOK);
	res = -sets_to_pollfd(&in, n, pfd, &np);
	if (res == 0)
		res = poll_wait(pfd, np, deadline);
	if (res >= 0) {
		res = pollfd_to_sets(pfd, np, &in, &out);
		for (i = 0; i < 3; i++) {
			if (u[i] != NULL &&
			    copyout(out.set[i], u[i], bytes) != 0)
				res = -EFAULT;
		}
	}
	kfree(pfd, &M_TEMP);
	return res;
}

/* A timeval of select need not be normalised, only not negative. */
static int
fetch_timeval(const void *utv, uint64_t *ns)
{
	struct __kernel_old_timeval tv;
	uint64_t s;
	int error;

	error = copyin(utv, &tv, sizeof(tv));
	if (error != 0)
		return error;
	if (tv.tv_sec < 0 || tv.tv_usec < 0)
		return EINVAL;
	if (__builtin_mul_overflow((uint64_t)tv.tv_sec, NSEC_PER_SEC, &s) ||
	    __builtin_mul_overflow((uint64_t)tv.tv_usec, 1000UL, ns) ||
	    __builtin_add_overflow(s, *ns, ns))
		*ns = KTIME_NEVER;
	return 0;
}

long
sys_select(int nfds, void *rd, void *wr, void *ex, void *tv)
{
	void *const sets[3] = {rd, wr, ex};
	uint64_t ns = KTIME_NEVER, deadline;
	long res;
	int error;

	error = tv != NULL ? fetch_timeval(tv, &ns) : 0;
	if (error != 0)
		return -error;
	deadline = deadline_of(ns);
	res = do_select(nfds, sets, deadline);
	if (tv != NULL && deadline != KTIME_NEVER)
		(void)copyout_timeval(time_left(deadline), tv);
	return res == -EINTR ? -ERESTARTNOHAND : res;
}

long
sys_pselect6(
    int nfds, void *rd, void *wr, void *ex, void *ts, const void *sigarg)
{
	void *const sets[3] = {rd, wr, ex};
	/* The sixth argument points at a pair: the mask and its size. */
	struct {
		const uint64_t *mask;
		size_t size;
	} sig = {NULL, 0};
	uint64_t ns = KTIME_NEVER, deadline;
	long res;
	int error = 0;

	if (sigarg != NULL)
		error = copyin(sigarg, &sig, sizeof(sig));
	if (error == 0 && ts != NULL)
		error = copyin_timespec(ts, &ns);
	if (error == 0)
		error = temp_mask(sig.mask, sig.size);
	if (error != 0)
		return -error;
	deadline = deadline_of(ns);
	res = do_select(nfds, sets, deadline);
	if (ts != NULL && deadline != KTIME_NEVER)
		(void)copyout_timespec(time_left(deadline), ts);
	return end_wait(res);
}
