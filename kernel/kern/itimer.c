/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * alarm and setitimer: SIGALRM when real time has passed. One kernel thread
 * serves all processes; they queue by deadline.
 */
#include <linux/errno.h>
#include <linux/time.h>

#include <asm/siginfo.h>
#include <asm/signal.h>

#include <kern/kstring.h>
#include <kern/ktime.h>
#include <kern/proc.h>
#include <kern/syscalls.h>
#include <kern/uaccess.h>

#include <amd64/machdep.h>

static struct spinlock timer_spin = SPINLOCK_INITIALIZER("itimer");
/* Armed processes, the earliest deadline first; timer_spin. */
static struct proclist timers = TAILQ_HEAD_INITIALIZER(timers);

/*
 * Arms (deadline 0: disarms) the process's timer. timer_spin is held.
 */
static void
timer_set(struct proc *p, uint64_t deadline, uint64_t interval)
{
	struct proc *other;

	if (p->p_alarm_ns != 0)
		TAILQ_REMOVE(&timers, p, p_timerq);
	p->p_alarm_ns = deadline;
	p->p_alarm_interval = interval;
	if (deadline == 0)
		return;
	TAILQ_FOREACH (other, &timers, p_timerq) {
		if (other->p_alarm_ns > deadline)
			break;
	}
	if (other != NULL)
		TAILQ_INSERT_BEFORE(other, p, p_timerq);
	else
		TAILQ_INSERT_TAIL(&timers, p, p_timerq);
}

/*
 * When the timer that is due fires again, 0 never. Periods that were missed
 * are left out, and none is shorter than a clock tick then: a program must
 * not keep this thread from sleeping. timer_spin is held.
 */
static uint64_t
timer_next(const struct proc *p)
{
	uint64_t next = p->p_alarm_ns + p->p_alarm_interval;
	uint64_t now = nanotime();

	if (p->p_alarm_interval == 0)
		return 0;
	return next > now ? next : now + TICK_NS;
}

/*
 * The thread: sends what is due, sleeps until the next is.
 */
static void
timer_loop(void *arg)
{
	struct ksiginfo ksi = {.signo = SIGALRM, .code = SI_KERNEL};
	struct proc *p;
	uint64_t left;

	for (;;) {
		tsleep_interlock(&timers, 0);
		left = 0;
		spin_lock(&timer_spin);
		p = TAILQ_FIRST(&timers);
		if (p != NULL) {
			left = ktime_left(p->p_alarm_ns);
			if (left > 0) {
				p = NULL;
			} else {
				phold(p);
				timer_set(
				    p, timer_next(p), p->p_alarm_interval);
			}
		}
		spin_unlock(&timer_spin);
		if (p != NULL) {
			ksignal(p, &ksi);
			prele(p);
		} else {
			tsleep(&timers, PINTERLOCKED, "itimer", left);
		}
	}
}

/*
 * Boot. Panics without memory.
 */
void
itimer_init(void)
{
	if (kthread_create("itimer", timer_loop, NULL) == NULL)
		panic("no memory for the timers' thread");
}

/*
 * At exit: no signal will be sent any more, but one that is under way.
 */
void
itimer_cancel(struct proc *p)
{
	spin_lock(&timer_spin);
	timer_set(p, 0, 0);
	spin_unlock(&timer_spin);
}

/*
 * Sets the timer to ns from now (0: off) and gives what was left of it.
 */
static void
itimer_exchange(
    uint64_t ns, uint64_t interval, uint64_t *oldleft, uint64_t *oldinterval)
{
	struct proc *p = curproc;

	spin_lock(&timer_spin);
	*oldleft = 0;
	if (p->p_alarm_ns != 0)
		*oldleft = MAX(ktime_left(p->p_alarm_ns), 1000);
	*oldinterval = p->p_alarm_interval;
	timer_set(p, ns != 0 ? ktime_after(ns) : 0, interval);
	spin_unlock(&timer_spin);
	wakeup(&timers);
}

/*
 * The seconds that were left, rounded, but never to 0.
 */
long
sys_alarm(unsigned int seconds)
{
	uint64_t left, interval, sec;

	itimer_exchange(seconds * NSEC_PER_SEC, 0, &left, &interval);
	sec = left / NSEC_PER_SEC;
	if (left % NSEC_PER_SEC >= NSEC_PER_SEC / 2 || (sec == 0 && left != 0))
		sec++;
	return (long)sec;
}

/*
 * Stores a struct itimerval, aligned or not.
 */
static int
copyout_itimerval(uint64_t left, uint64_t interval, void *uval)
{
	if (copyout_timeval(interval,
		(char *)uval + offsetof(struct itimerval, it_interval)) != 0 ||
	    copyout_timeval(
		left, (char *)uval + offsetof(struct itimerval, it_value)) != 0)
		return EFAULT;
	return 0;
}

/*
 * Only real time is kept; the timers of CPU time are EINVAL.
 */
long
sys_setitimer(int which, const void *uval, void *uold)
{
	const char *it = uval;
	uint64_t ns = 0, interval = 0, left, oldinterval;
	int error = 0;

	if (uval != NULL) {
		error = copyin_timeval(
		    it + offsetof(struct itimerval, it_interval), &interval);
		if (error == 0)
			error = copyin_timeval(
			    it + offsetof(struct itimerval, it_value), &ns);
		if (error != 0)
			return -error;
	}
	if (which != ITIMER_REAL)
		return -EINVAL;
	itimer_exchange(ns, ns != 0 ? interval : 0, &left, &oldinterval);
	if (uold != NULL)
		return -copyout_itimerval(left, oldinterval, uold);
	return 0;
}

long
sys_getitimer(int which, void *uval)
{
	struct proc *p = curproc;
	uint64_t left = 0, interval;

	if (which != ITIMER_REAL)
		return -EINVAL;
	spin_lock(&timer_spin);
	if (p->p_alarm_ns != 0)
		left = MAX(ktime_left(p->p_alarm_ns), 1000);
	interval = p->p_alarm_interval;
	spin_unlock(&timer_spin);
	return -copyout_itimerval(left, interval, uval);
}
