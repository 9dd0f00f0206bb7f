/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Times of system calls: all are kept as nanoseconds, deadlines as values of
 * nanotime().
 */
#ifndef KERN_KTIME_H
#define KERN_KTIME_H

#include <kern/types.h>

#define NSEC_PER_SEC 1000000000UL
#define KTIME_NEVER  UINT64_MAX /* further off than any clock will get */

/* A struct __kernel_timespec of the user's; what does not fit becomes
 * KTIME_NEVER. EFAULT; EINVAL when it is negative or not normalised. */
int copyin_timespec(const void *uts, uint64_t *ns);
/* struct __kernel_old_timeval likewise. */
int copyin_timeval(const void *utv, uint64_t *ns);
int copyout_timespec(uint64_t ns, void *uts);
int copyout_timeval(uint64_t ns, void *utv);

/* The time ns from now, and how long it still is until then, 0 when it has
 * come; never too short for tsleep's 0 to mean for ever. */
uint64_t ktime_after(uint64_t ns);
uint64_t ktime_left(uint64_t deadline);

/* Sleeps, unless a signal comes, until the deadline: 0 or EINTR. */
int ktime_sleep(uint64_t deadline, const char *wmesg);

#endif
