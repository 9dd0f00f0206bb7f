/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Between the two halves of the schedule points: policy and armed points.
 */
#ifndef KERN_SCHED_ARM_H
#define KERN_SCHED_ARM_H

#include <kern/sched_point.h>

extern struct sched_point *const __start_set_sched_points[];
extern struct sched_point *const __stop_set_sched_points[];

/* The point of that name, or NULL. */
struct sched_point *sched_point_find(const char *name);
/* How many points all CPUs, or all but that one, have passed. */
#define NO_CPU MAXCPU
uint64_t sched_points_passed(uint32_t but);
/* Whether the running thread could sleep where it is. */
bool sched_point_may_switch(void);

/* Arms what the text says; false, and why in err, when it says nothing that
 * can be done. Replaces what was armed and has not been reached. */
bool sched_arm(const char *text, char *err, size_t size);
/* The running thread is at a point that some script names. */
void sched_arm_reached(struct sched_point *sp, bool may_sleep);
/* Calls fn with a line about each script that there is. */
void sched_arm_foreach(void (*fn)(void *arg, const char *line), void *arg);

#endif
