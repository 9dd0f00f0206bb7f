/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Schedule points: the places where another CPU's next step makes a
 * difference. There is one at each transition of a lock, a busy word, a
 * page-table entry, a reference count, a flag or a queue.
 *
 *	SCHED_POINT("pmap.enter_swapped");
 *
 * In a plain kernel a point is nothing. In one made with SCHED=1 it is a call
 * that lets other CPUs go first, or not, as kern/sched_point.c decides by a
 * seed or because the point was armed.
 *
 * A point stands on a line of its own, and its name, "subsystem.place", is
 * in no other line. SCHED_POINT_SLEEP is for a place where the thread might
 * have to sleep anyway, and so lose its tokens: there another thread of the
 * same CPU may get its turn as well.
 */
#ifndef KERN_SCHED_POINT_H
#define KERN_SCHED_POINT_H

#ifdef SCHED_POINTS

#include <kern/cdefs.h>
#include <kern/types.h>

struct sched_point {
	const char *sp_name; /* (k) */
	uint64_t sp_passed;  /* (A) how often, since the policy began */
	uint32_t sp_armed;   /* (A) some armed script waits here or for it */
};

void sched_point(struct sched_point *sp, bool may_sleep);

#define SCHED_POINT_(name, may_sleep)                                      \
	do {                                                               \
		static struct sched_point sp_here = {name, 0, 0};          \
		static struct sched_point *const sp_link __used __section( \
		    "set_sched_points") = &sp_here;                        \
		sched_point(sp_link, may_sleep);                           \
	} while (0)
#define SCHED_POINT(name)	SCHED_POINT_(name, false)
#define SCHED_POINT_SLEEP(name) SCHED_POINT_(name, true)

#else

#define SCHED_POINT(name)	((void)0)
#define SCHED_POINT_SLEEP(name) ((void)0)

#endif

#endif
