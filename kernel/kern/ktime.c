/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Times from and to user memory, deadlines, sleeping until one.
 */
#include <kern/ktime.h>

#include <linux/errno.h>
#include <linux/time.h>
#include <linux/time_types.h>

#include <kern/thread.h>
#include <kern/uaccess.h>

#include <amd64/machdep.h>

#define SLEEP_MAX (1UL << 62) /* 146 years: fits into every sum */

/*
 * Seconds and nanoseconds as one number, saturating.
 */
static uint64_t
to_ns(uint64_t sec, uint64_t nsec)
{
	if (sec > (SLEEP_MAX - nsec) / NSEC_PER_SEC)
		return KTIME_NEVER;
	return sec * NSEC_PER_SEC + nsec;
}

/* See kern/ktime.h. */
int
copyin_timespec(const void *uts, uint64_t *ns)
{
	struct __kernel_timespec ts;

	if (copyin(uts, &ts, sizeof(ts)) != 0)
		return EFAULT;
	if (ts.tv_sec < 0 || ts.tv_nsec < 0 ||
	    ts.tv_nsec >= (long long)NSEC_PER_SEC)
		return EINVAL;
	*ns = to_ns((uint64_t)ts.tv_sec, (uint64_t)ts.tv_nsec);
	return 0;
}

/* See kern/ktime.h. */
int
copyin_timeval(const void *utv, uint64_t *ns)
{
	struct __kernel_old_timeval tv;

	if (copyin(utv, &tv, sizeof(tv)) != 0)
		return EFAULT;
	if (tv.tv_sec < 0 || tv.tv_usec < 0 || tv.tv_usec >= 1000000)
		return EINVAL;
	*ns = to_ns((uint64_t)tv.tv_sec, (uint64_t)tv.tv_usec * 1000);
	return 0;
}

int
copyout_timespec(uint64_t ns, void *uts)
{
	struct __kernel_timespec ts;

	ts.tv_sec = (long long)(ns / NSEC_PER_SEC);
	ts.tv_nsec = (long long)(ns % NSEC_PER_SEC);
	return copyout(&ts, uts, sizeof(ts));
}

int
copyout_timeval(uint64_t ns, void *utv)
{
	struct __kernel_old_timeval tv;

	tv.tv_sec = (long)(ns / NSEC_PER_SEC);
	tv.tv_usec = (long)(ns % NSEC_PER_SEC / 1000);
	return copyout(&tv, utv, sizeof(tv));
}

/* See kern/ktime.h. */
uint64_t
ktime_after(uint64_t ns)
{
	return ns > SLEEP_MAX ? KTIME_NEVER : nanotime() + ns;
}

uint64_t
ktime_left(uint64_t deadline)
{
	uint64_t now = nanotime();

	if (deadline <= now)
		return 0;
	return MIN(deadline - now, SLEEP_MAX);
}

/* See kern/ktime.h. Nothing that forbids to sleep may be held. */
int
ktime_sleep(uint64_t deadline, const char *wmesg)
{
	struct thread *td = curthread;
	uint64_t left;

	while ((left = ktime_left(deadline)) > 0) {
		/* Nobody wakes this; the thread's lwp is ours alone. */
		if (tsleep(td->td_lwp, PCATCH, wmesg, left) == EINTR)
			return EINTR;
	}
	return 0;
}
