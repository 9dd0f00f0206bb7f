/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Armed schedule points: a race, written down.
 *
 *	X until Y	the next thread that reaches point X waits there until
 *			another one reaches Y
 *	X for N		... until others have passed N points
 *
 * Several, with ";" between them, are armed at once; each is for one use. A
 * wait is never for ever: after ARM_LIMIT_NS it ends, "too late". What became
 * of each stands in /proc/sched, and on the console when the machine stops.
 */
#include <kern/sched_point.h>

#ifdef SCHED_POINTS

#include <amd64/cpufunc.h>
#include <amd64/machdep.h>
#include <kern/kprintf.h>
#include <kern/kstring.h>
#include <kern/sched_arm.h>
#include <kern/thread.h>

#define ARM_MAX	     8
#define ARM_WORD     48
#define ARM_LIMIT_NS 100000000UL /* of virtual time */

enum arm_state { ARM_NONE, ARM_SET, ARM_WAITING, ARM_MET, ARM_LATE };

static struct sched_arm {
	volatile uint32_t state; /* (A) */
	struct sched_point *at;
	struct sched_point *until; /* NULL: for count points */
	uint64_t count;
	struct thread *td; /* who waits */
	uint32_t cpu, by;  /* where; who ended it */
	uint32_t but;	   /* the CPU whose points do not count, or NO_CPU */
	uint64_t from;	   /* points that others had passed */
	uint64_t waited;   /* points that others passed meanwhile */
} arms[ARM_MAX];

/* The next word of the text, cut to what a name can be; false at the end or
 * at a ";", which is taken. */
static bool
arm_word(const char **pp, char word[ARM_WORD])
{
	const char *p = *pp;
	size_t len = 0;

	while (*p == ' ')
		p++;
	while (*p != '\0' && *p != ' ' && *p != ';') {
		if (len < ARM_WORD - 1)
			word[len++] = *p;
		p++;
	}
	word[len] = '\0';
	if (len == 0 && *p == ';')
		p++;
	*pp = p;
	return len != 0;
}

/* The point, or NULL and a text that names those of its subsystem. */
static struct sched_point *
arm_point(const char *name, char *err, size_t size)
{
	struct sched_point *sp = sched_point_find(name), *const * p;
	const char *dot = strchr(name, '.');
	size_t len = dot != NULL ? (size_t)(dot - name) + 1 : 0;

	if (sp != NULL)
		return sp;
	ksnprintf(
	    err, size, "there is no schedule point '%s'; there are", name);
	for (p = __start_set_sched_points; p < __stop_set_sched_points; p++) {
		if ((*p)->sp_same == *p &&
		    strncmp((*p)->sp_name, name, len) == 0) {
			strlcat(err, " ", size);
			strlcat(err, (*p)->sp_name, size);
		}
	}
	return NULL;
}

/* Reads one script into *a; false and why in err. */
static bool
arm_parse(const char **pp, struct sched_arm *a, char *err, size_t size)
{
	char word[ARM_WORD], how[ARM_WORD], more[ARM_WORD];
	const char *end = "x";

	*a = (struct sched_arm){.state = ARM_SET};
	if (arm_word(pp, word) && arm_word(pp, how) && arm_word(pp, more)) {
		a->at = arm_point(word, err, size);
		if (a->at == NULL)
			return false;
		if (strcmp(how, "until") == 0) {
			a->until = arm_point(more, err, size);
			if (a->until == NULL)
				return false;
		} else if (strcmp(how, "for") == 0) {
			a->count = kstrtoull(more, &end, 10);
		}
		if ((a->until != NULL || (a->count > 0 && *end == '\0')) &&
		    !arm_word(pp, more))
			return true;
	}
	ksnprintf(err, size, "it says neither \"X until Y\" nor \"X for N\"");
	return false;
}

/* See kern/sched_arm.h. Not while anybody waits at one of the old ones. */
bool
sched_arm(const char *text, char *err, size_t size)
{
	struct sched_arm new[ARM_MAX];
	const char *p = text;
	int n = 0;

	for (; *p != '\0' && strcmp(p, " ") != 0; n++) {
		if (n == ARM_MAX) {
			ksnprintf(err, size, "more than %d scripts", ARM_MAX);
			return false;
		}
		if (!arm_parse(&p, &new[n], err, size))
			return false;
	}
	for (int i = 0; i < ARM_MAX; i++) {
		if (arms[i].state == ARM_WAITING) {
			ksnprintf(err, size, "a thread waits at %s",
			    arms[i].at->sp_name);
			return false;
		}
		if (arms[i].state == ARM_NONE)
			continue;
		arms[i].at->sp_armed = 0;
		if (arms[i].until != NULL)
			arms[i].until->sp_armed = 0;
		arms[i].state = ARM_NONE;
	}
	for (int i = 0; i < n; i++) {
		arms[i] = new[i];
		arms[i].at->sp_armed = 1;
		if (arms[i].until != NULL)
			arms[i].until->sp_armed = 1;
	}
	return true;
}

/* Ends a wait, if nobody else has. */
static bool
arm_end(struct sched_arm *a, enum arm_state state)
{
	if (!atomic_cmpset_uint(&a->state, ARM_WAITING, state))
		return false;
	a->by = mycpuid;
	a->waited = sched_points_passed(a->but) - a->from;
	return true;
}

/* Waits as the script says. Other threads of this CPU count as others only
 * where they can run: where the thread may sleep it does, a tick at a time, and
 * has no tokens meanwhile. */
static void
arm_wait(struct sched_arm *a, bool may_sleep)
{
	uint64_t limit = nanotime() + ARM_LIMIT_NS;

	while (atomic_load_uint(&a->state) == ARM_WAITING) {
		if (a->until == NULL &&
		    sched_points_passed(a->but) - a->from >= a->count)
			arm_end(a, ARM_MET);
		else if (nanotime() > limit)
			arm_end(a, ARM_LATE);
		else if (may_sleep && sched_point_may_switch())
			tsleep(a, 0, "armed", 1);
		else
			cpu_pause();
	}
}

/* See kern/sched_arm.h. Who is waited for goes on at once when he has been
 * waited for, but the one that waited goes first. */
void
sched_arm_reached(struct sched_point *sp, bool may_sleep)
{
	struct sched_arm *a;
	bool met = false;

	for (a = arms; a < arms + ARM_MAX; a++) {
		if (a->until == sp && a->state == ARM_WAITING &&
		    a->td != curthread)
			met |= arm_end(a, ARM_MET);
	}
	for (a = arms; a < arms + ARM_MAX; a++) {
		if (a->at != sp ||
		    !atomic_cmpset_uint(&a->state, ARM_SET, ARM_NONE))
			continue;
		a->td = curthread;
		a->cpu = mycpuid;
		a->but = may_sleep ? NO_CPU : a->cpu;
		a->from = sched_points_passed(a->but);
		atomic_store_uint(&a->state, ARM_WAITING);
		arm_wait(a, may_sleep);
		met = false;
	}
	if (met)
		cpu_pause();
}

/* See kern/sched_arm.h. */
void
sched_arm_foreach(void (*fn)(void *arg, const char *line), void *arg)
{
	static const char *const ends[] = {[ARM_SET] = "not reached",
	    [ARM_WAITING] = "waiting",
	    [ARM_MET] = "met",
	    [ARM_LATE] = "too late"};
	char line[160];
	size_t len;

	for (const struct sched_arm *a = arms; a < arms + ARM_MAX; a++) {
		if (a->state == ARM_NONE)
			continue;
		len = (size_t)ksnprintf(
		    line, sizeof(line), "arm %s ", a->at->sp_name);
		if (a->until != NULL)
			len += (size_t)ksnprintf(line + len, sizeof(line) - len,
			    "until %s: ", a->until->sp_name);
		else
			len += (size_t)ksnprintf(line + len, sizeof(line) - len,
			    "for %lu: ", a->count);
		len += (size_t)ksnprintf(
		    line + len, sizeof(line) - len, "%s", ends[a->state]);
		if (a->state == ARM_MET || a->state == ARM_LATE)
			ksnprintf(line + len, sizeof(line) - len,
			    ", CPU %u by CPU %u, %lu points", a->cpu, a->by,
			    a->waited);
		fn(arg, line);
	}
}

#endif
