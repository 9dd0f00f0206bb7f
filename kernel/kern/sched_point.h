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
 * in no other line. In a header's inline function it is in many objects: all of
 * them are one point. SCHED_POINT_SLEEP is for a place where the thread might
 * have to sleep anyway, and so lose its tokens: there another thread of the
 * same CPU may get its turn as well.
 */
#ifndef KERN_SCHED_POINT_H
#define KERN_SCHED_POINT_H

#ifdef SCHED_POINTS

#include <kern/cdefs.h>
#include <kern/types.h>

struct sched_point {
	const char *sp_name;	     /* (k) */
	struct sched_point *sp_same; /* (k) the first of this name */
	uint64_t sp_passed;	     /* (A) how often, since the policy began */
	uint32_t sp_armed; /* (A) some armed script waits here or for it */
};

struct sbuf;

void sched_point(struct sched_point *sp, bool may_sleep);
/* Reads the boot options and begins; before the first process runs. */
void sched_points_start(void);
/* Tells the console what became of the armed points; at the end. */
void sched_points_report(void);
/* A line written to /proc/sched: 0 or EINVAL. */
int sched_points_command(const char *line);
void sched_points_text(struct sbuf *sb); /* /proc/sched */
void sched_points_list(struct sbuf *sb); /* /proc/sched_points */

#define SCHED_POINT_(name, may_sleep)                                      \
	do {                                                               \
		static struct sched_point sp_here = {.sp_name = name};     \
		static struct sched_point *const sp_link __used __section( \
		    "set_sched_points") = &sp_here;                        \
		sched_point(sp_link, may_sleep);                           \
	} while (0)
#define SCHED_POINT(name)	SCHED_POINT_(name, false)
#define SCHED_POINT_SLEEP(name) SCHED_POINT_(name, true)

#else

#define SCHED_POINT(name)	((void)0)
#define SCHED_POINT_SLEEP(name) ((void)0)
#define sched_points_start()	((void)0)
#define sched_points_report()	((void)0)

#endif

#endif
