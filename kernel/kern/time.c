/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The system calls that tell the time and that wait for it.
 */
#include <linux/errno.h>
#include <linux/time.h>
#include <linux/times.h>

#include <kern/ktime.h>
#include <kern/proc.h>
#include <kern/syscalls.h>
#include <kern/uaccess.h>

#include <amd64/machdep.h>

#define USER_HZ 100 /* of times(2) and AT_CLKTCK, Linux's on x86-64 */

/*
 * What a clock shows, ns. EINVAL: there is no such clock.
 */
static int
clock_read(int clock, uint64_t *ns)
{
	struct proc *p = curproc;

	switch (clock) {
	case CLOCK_REALTIME:
	case CLOCK_REALTIME_COARSE:
	case CLOCK_TAI:
		*ns = walltime();
		return 0;
	case CLOCK_MONOTONIC:
	case CLOCK_MONOTONIC_RAW:
	case CLOCK_MONOTONIC_COARSE:
	case CLOCK_BOOTTIME:
		*ns = nanotime();
		return 0;
	case CLOCK_PROCESS_CPUTIME_ID:
		lwkt_gettoken(&p->p_token);
		*ns = proc_usage(p).ns;
		lwkt_reltoken(&p->p_token);
		return 0;
	case CLOCK_THREAD_CPUTIME_ID:
		*ns = thread_usage(curthread).ns;
		return 0;
	default:
		return EINVAL;
	}
}

long
sys_clock_gettime(int clock, void *ts)
{
	uint64_t ns;
	int error = clock_read(clock, &ns);

	return error != 0 ? -error : -copyout_timespec(ns, ts);
}

long
sys_clock_getres(int clock, void *ts)
{
	uint64_t ns;
	int error = clock_read(clock, &ns);

	if (error != 0)
		return -error;
	ns = 1;
	if (clock == CLOCK_REALTIME_COARSE || clock == CLOCK_MONOTONIC_COARSE)
		ns = TICK_NS;
	return ts != NULL ? -copyout_timespec(ns, ts) : 0;
}

/*
 * Sleeps until the deadline. When a signal breaks it off the rest goes to
 * rem (a user address or NULL), and the call can go on from there.
 */
static long
sleep_until(uint64_t deadline, void *rem)
{
	struct restart_block *rb = &curthread->td_lwp->l_restart;

	if (ktime_sleep(deadline, "nanosleep") == 0)
		return 0;
	if (rem != NULL && copyout_timespec(ktime_left(deadline), rem) != 0)
		return -EFAULT;
	rb->rb_deadline = deadline;
	rb->rb_uaddr = rem;
	return -ERESTART_RESTARTBLOCK;
}

static long
sleep_restart(struct restart_block *rb)
{
	return sleep_until(rb->rb_deadline, rb->rb_uaddr);
}

long
sys_nanosleep(const void *req, void *rem)
{
	uint64_t ns;
	int error = copyin_timespec(req, &ns);

	if (error != 0)
		return -error;
	curthread->td_lwp->l_restart.rb_func = sleep_restart;
	return sleep_until(ktime_after(ns), rem);
}

long
sys_clock_nanosleep(int clock, int flags, const void *req, void *rem)
{
	uint64_t ns, now;
	int error;

	switch (clock) {
	case CLOCK_REALTIME:
	case CLOCK_MONOTONIC:
	case CLOCK_BOOTTIME:
	case CLOCK_TAI:
		break;
	case CLOCK_REALTIME_COARSE:
	case CLOCK_MONOTONIC_COARSE:
	case CLOCK_MONOTONIC_RAW:
	case CLOCK_PROCESS_CPUTIME_ID:
		return -EOPNOTSUPP;
	default:
		return -EINVAL;
	}
	error = copyin_timespec(req, &ns);
	if (error != 0)
		return -error;
	if ((flags & TIMER_ABSTIME) == 0) {
		curthread->td_lwp->l_restart.rb_func = sleep_restart;
		return sleep_until(ktime_after(ns), rem);
	}
	(void)clock_read(clock, &now);
	if (ns <= now)
		return 0;
	if (ktime_sleep(ktime_after(ns - now), "nanosleep") != 0)
		return -ERESTARTNOHAND;
	return 0;
}

/*
 * The rest of a call that was interrupted, on behalf of signal_userret(): no
 * program calls this.
 */
long
sys_restart_syscall(void)
{
	struct restart_block *rb = &curthread->td_lwp->l_restart;

	return rb->rb_func != NULL ? rb->rb_func(rb) : -EINTR;
}

long
sys_gettimeofday(void *tv, void *tz)
{
	struct timezone zone = {0, 0};

	if (tv != NULL && copyout_timeval(walltime(), tv) != 0)
		return -EFAULT;
	if (tz != NULL && copyout(&zone, tz, sizeof(zone)) != 0)
		return -EFAULT;
	return 0;
}

long
sys_time(int64_t *tp)
{
	int64_t now = (int64_t)(walltime() / NSEC_PER_SEC);

	if (tp != NULL && copyout(&now, tp, sizeof(now)) != 0)
		return -EFAULT;
	return now;
}

/*
 * The kernel does not tell user time from system time: all of a thread's
 * time on the CPU counts as the program's.
 */
long
sys_times(void *utms)
{
	const uint64_t tick = NSEC_PER_SEC / USER_HZ;
	struct proc *p = curproc;
	struct tms tms = {0};

	lwkt_gettoken(&p->p_token);
	tms.tms_utime = (long)(proc_usage(p).ns / tick);
	lwkt_reltoken(&p->p_token);
	tms.tms_cutime = (long)(p->p_cused.ns / tick);
	if (utms != NULL && copyout(&tms, utms, sizeof(tms)) != 0)
		return -EFAULT;
	return (long)(nanotime() / tick);
}
