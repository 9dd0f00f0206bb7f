/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Schedule points: who goes first, by a seed.
 *
 * Under QEMU's -icount a PAUSE hands the emulator's only thread to the next
 * CPU, and nothing else does but the end of a tick. So a CPU that pauses at a
 * point lets the others run up to their next points, and one that does not
 * goes on alone. That makes a schedule the kernel's own decision: the same
 * seed gives the same run, to the last instruction.
 *
 * Policies:
 *	random:P   at each point, P times in a hundred, pauses one to four
 *		   times, or gives the CPU to another thread where that may be
 *	pct:D	   "probabilistic concurrency testing": CPUs have priorities,
 *		   and at a point one that is not the highest lets those
 *		   above it go on until they cannot. Within each window of
 *		   PCT_WINDOW points, D - 1 times, the CPU that runs falls
 *		   below all others. Finds what takes D steps in an order.
 */
#include <kern/sched_point.h>

#ifdef SCHED_POINTS

#include <linux/errno.h>

#include <amd64/cpufunc.h>
#include <kern/bootopt.h>
#include <kern/kprintf.h>
#include <kern/kstring.h>
#include <kern/panic.h>
#include <kern/sbuf.h>
#include <kern/sched_arm.h>
#include <kern/thread.h>
#include <pmap/pmap_var.h>

BOOTOPT(bo_sched, "sched", "off",
    "schedule points: off, random:PERCENT or pct:DEPTH");
BOOTOPT(bo_seed, "seed", "1", "seed of the schedule");
BOOTOPT(bo_arm, "arm", "", "armed points: \"X until Y; X for N\"");

#define PAUSES_MAX   4
#define PCT_WINDOW   4096
#define PCT_DEPTH    16	  /* at most */
#define PCT_PATIENCE 1000 /* pauses at one point */

static enum { OFF, RANDOM, PCT } policy;
static uint32_t percent;   /* of RANDOM */
static uint32_t pct_depth; /* of PCT */
static uint64_t seed;
static uint64_t rng;	 /* any CPU: there is one emulator thread */
static uint64_t pauses;	 /* decisions to let others go first */
static bool points_live; /* after boot */

static uint64_t passed[MAXCPU];
static int32_t pct_prio[MAXCPU]; /* higher goes first */
static int32_t pct_low;		 /* below all that were given out */
static uint64_t pct_step;
static uint64_t pct_change[PCT_DEPTH];

/* The next number of the sequence (xorshift64*). */
static uint32_t
rnd(uint32_t below)
{
	rng ^= rng >> 12;
	rng ^= rng << 25;
	rng ^= rng >> 27;
	return (uint32_t)(rng * 0x2545f4914f6cdd1dUL >> 32) % below;
}

/* Begins the sequence of a seed; neighbours begin far apart. */
static void
rnd_begin(uint64_t n)
{
	seed = n;
	rng = (n + 1) * 0x9e3779b97f4a7c15UL;
	pct_step = 0;
}

/* See kern/sched_arm.h. */
struct sched_point *
sched_point_find(const char *name)
{
	struct sched_point *const *p;

	for (p = __start_set_sched_points; p < __stop_set_sched_points; p++) {
		if (strcmp((*p)->sp_name, name) == 0)
			return *p;
	}
	return NULL;
}

/* See kern/sched_arm.h. */
uint64_t
sched_points_passed(uint32_t but)
{
	uint64_t sum = 0;

	for (uint32_t cpu = 0; cpu < ncpus; cpu++) {
		if (cpu != but)
			sum += passed[cpu];
	}
	return sum;
}

/* See kern/sched_arm.h. A point that says a thread may sleep there is no promise
 * that everybody who comes by may. */
bool
sched_point_may_switch(void)
{
	const struct thread *td = curthread;
	const struct globaldata *gd = mycpu;

	return td->td_critcount == 0 && gd->gd_spinlocks == 0 &&
	    gd->gd_intr_nesting == 0 && td != gd->gd_idlethread &&
	    td->td_wchan == NULL && (read_rflags() & PSL_I) != 0;
}

/* Lets other CPUs run, and with may_sleep other threads of this one. */
static void
giveway(bool may_sleep)
{
	if (may_sleep && sched_point_may_switch())
		lwkt_yield();
	else
		cpu_pause();
}

/* New priorities, all different, and new places to change them at. */
static void
pct_begin_window(void)
{
	for (uint32_t i = 0; i < ncpus; i++) {
		uint32_t j = rnd(i + 1);

		pct_prio[i] = pct_prio[j];
		pct_prio[j] = (int32_t)i;
	}
	pct_low = 0;
	for (uint32_t i = 0; i + 1 < pct_depth; i++)
		pct_change[i] = 1 + rnd(PCT_WINDOW - 1);
}

/* What the CPUs above this one have passed; false when none of them has
 * anything to do. */
static bool
pct_above(uint32_t me, uint64_t *sum)
{
	bool any = false;

	*sum = 0;
	for (uint32_t cpu = 0; cpu < ncpus; cpu++) {
		const struct globaldata *gd = globaldata_array[cpu];

		if (pct_prio[cpu] <= pct_prio[me] ||
		    gd->gd_curthread == gd->gd_idlethread)
			continue;
		any = true;
		*sum += passed[cpu];
	}
	return any;
}

/* One point under PCT. A CPU above that passes no point while we pause is
 * waiting itself, or runs a program: no reason to wait for it. */
static void
pct_point(bool may_sleep)
{
	uint32_t me = mycpuid;
	uint64_t step = pct_step++ % PCT_WINDOW, before, now;

	if (step == 0)
		pct_begin_window();
	for (uint32_t i = 0; i + 1 < pct_depth; i++) {
		if (pct_change[i] == step)
			pct_prio[me] = --pct_low;
	}
	if (!pct_above(me, &before))
		return;
	pauses++;
	for (int n = 0; n < PCT_PATIENCE; n++) {
		cpu_pause();
		if (!pct_above(me, &now) || now == before)
			return;
		before = now;
	}
}

/* One point under RANDOM. */
static void
random_point(bool may_sleep)
{
	if (rnd(100) >= percent)
		return;
	pauses++;
	for (uint32_t n = 1 + rnd(PAUSES_MAX); n > 0; n--)
		giveway(may_sleep && n % 2 == 0);
}

/* The running thread passes a point; any context. Other CPUs may run before
 * it returns, and where it may_sleep other threads: it then loses its tokens
 * meanwhile, as in any sleep. */
void
sched_point(struct sched_point *sp, bool may_sleep)
{
	if (!points_live || panicking)
		return;
	sp = sp->sp_same;
	atomic_add_ulong(&sp->sp_passed, 1);
	atomic_add_ulong(&passed[mycpuid], 1);
	if (sp->sp_armed != 0)
		sched_arm_reached(sp, may_sleep);
	if (policy == RANDOM)
		random_point(may_sleep);
	else if (policy == PCT)
		pct_point(may_sleep);
}

/* The number behind "name:", at least 1 and at most max; 0: it is none. */
static uint32_t
policy_number(const char *word, const char *name, uint32_t max)
{
	size_t len = strlen(name);
	const char *end;
	uint64_t v;

	if (strncmp(word, name, len) != 0 || word[len] != ':')
		return 0;
	v = kstrtoull(word + len + 1, &end, 10);
	return end == word + len + 1 || *end != '\0' || v > max ? 0
								: (uint32_t)v;
}

/* Sets the policy; false when there is none of that name. */
static bool
set_policy(const char *word)
{
	uint32_t n;

	if (strcmp(word, "off") == 0) {
		policy = OFF;
	} else if ((n = policy_number(word, "random", 100)) != 0) {
		percent = n;
		policy = RANDOM;
	} else if ((n = policy_number(word, "pct", PCT_DEPTH)) != 0) {
		pct_depth = n;
		pct_step = 0;
		policy = PCT;
	} else {
		return false;
	}
	return true;
}

/* See kern/sched_point.h. */
void
sched_points_start(void)
{
	struct sched_point *const *p;
	char err[512];

	for (p = __start_set_sched_points; p < __stop_set_sched_points; p++)
		(*p)->sp_same = sched_point_find((*p)->sp_name);
	rnd_begin(bootopt_u64(&bo_seed));
	if (!set_policy(bootopt_str(&bo_sched)))
		boot_die("boot option sched wants off, random:1 to random:100, "
			 "or pct:1 to pct:%d, not '%s'",
		    PCT_DEPTH, bootopt_str(&bo_sched));
	if (!sched_arm(bootopt_str(&bo_arm), err, sizeof(err)))
		boot_die("boot option arm: %s", err);
	points_live = true;
}

static void
report_line(void *arg, const char *line)
{
	kprintf("sched: %s\n", line);
}

/* See kern/sched_point.h. */
void
sched_points_report(void)
{
	sched_arm_foreach(report_line, NULL);
}

/* Locks the index of a user address that has no page by its placemark, and
 * unlocks it: no mapping of a program's does that, but R8 is about it. */
static int
mark_address(vm_offset_t va)
{
	vm_pindex_t *pmark;
	pv_entry_t pv;

	if (va >= VM_MAX_USER_ADDRESS)
		return EINVAL;
	pv = pv_get(mycpu->gd_pmap, PV_PTE(va), &pmark);
	if (pv != NULL) {
		pv_put(pv);
		return EINVAL;
	}
	SCHED_POINT("sched.marked");
	pv_placemarker_wakeup(pmark);
	return 0;
}

/* See kern/sched_point.h. "tell" is a point that a program can pass. */
int
sched_points_command(const char *line)
{
	char err[512];
	const char *end;
	uint64_t v;

	if (strcmp(line, "tell") == 0) {
		SCHED_POINT("sched.tell");
		return 0;
	}
	if (strncmp(line, "arm ", 4) == 0)
		return sched_arm(line + 4, err, sizeof(err)) ? 0 : EINVAL;
	if (strncmp(line, "sched ", 6) == 0)
		return set_policy(line + 6) ? 0 : EINVAL;
	if (strncmp(line, "seed ", 5) != 0 && strncmp(line, "mark ", 5) != 0)
		return EINVAL;
	v = kstrtoull(line + 5, &end, 0);
	if (end == line + 5 || *end != '\0')
		return EINVAL;
	if (line[0] == 'm')
		return mark_address(v);
	rnd_begin(v);
	return 0;
}

static void
text_line(void *arg, const char *line)
{
	sbuf_printf(arg, "%s\n", line);
}

/* See kern/sched_point.h. */
void
sched_points_text(struct sbuf *sb)
{
	static const char *const names[] = {"off", "random", "pct"};

	sbuf_printf(sb, "sched %s", names[policy]);
	if (policy != OFF)
		sbuf_printf(sb, ":%u", policy == PCT ? pct_depth : percent);
	sbuf_printf(sb, "\nseed %lu\npassed %lu\npauses %lu\n", seed,
	    sched_points_passed(NO_CPU), pauses);
	sched_arm_foreach(text_line, sb);
}

/* See kern/sched_point.h. */
void
sched_points_list(struct sbuf *sb)
{
	struct sched_point *const *p;

	for (p = __start_set_sched_points; p < __stop_set_sched_points; p++) {
		if ((*p)->sp_same == *p)
			sbuf_printf(
			    sb, "%s %lu\n", (*p)->sp_name, (*p)->sp_passed);
	}
}

#endif
