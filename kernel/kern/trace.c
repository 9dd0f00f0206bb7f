/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The trace ring; see kern/trace.h. A writer claims a slot of its CPU's
 * ring, marks it as being written by a zero tr_seq, and stores tr_seq last.
 * A reader copies a record and believes it when tr_seq was the same, and
 * not zero, before and after.
 */
#include <kern/trace.h>

#include <amd64/cpufunc.h>
#include <amd64/machdep.h>
#include <kern/kmalloc.h>
#include <kern/kprintf.h>

#define TRACE_SLOTS 1024U /* a CPU; a power of two */

MALLOC_DEFINE(M_TRACE, "trace");

static struct tracering {
	struct trace_rec *tr_rec;  /* (k) TRACE_SLOTS of them, or NULL */
	volatile uint64_t tr_next; /* (a) records ever claimed */
} __cachealigned rings[MAXCPU];

static volatile uint64_t trace_seq; /* (a) records ever made, all CPUs */

#define X(name) #name,
static const char *const trace_names[TR_COUNT] = {TRACE_EVENTS(X)};
#undef X

/* Makes the rings of the CPUs that run. Without memory there is no trace. */
void
trace_init(void)
{
	struct trace_rec *rec;

	for (uint32_t cpu = 0; cpu < ncpus; cpu++) {
		rec = kmalloc(
		    TRACE_SLOTS * sizeof(*rec), &M_TRACE, M_NOWAIT | M_ZERO);
		if (rec == NULL)
			klog(KLOG_ERR, "trace: no memory for CPU %u\n", cpu);
		rings[cpu].tr_rec = rec;
	}
}

/* Records an event. Any context; never sleeps. */
void
trace(enum trace_event ev, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
	uint32_t cpu = mycpuid;
	struct tracering *ring = &rings[cpu];
	struct trace_rec *r;

	if (ring->tr_rec == NULL)
		return;
	r = &ring->tr_rec[atomic_fetchadd_ulong(&ring->tr_next, 1) %
	    TRACE_SLOTS];
	/* Stores become visible in their order (SDM vol. 3, 8.2.2). */
	atomic_store_ulong(&r->tr_seq, 0);
	cpu_ccfence();
	r->tr_ns = rdtsc(); /* made nanoseconds when it is read */
	r->tr_cpu = cpu;
	r->tr_event = ev;
	r->tr_tid = curthread->td_tid;
	r->tr_w[0] = a;
	r->tr_w[1] = b;
	r->tr_w[2] = c;
	r->tr_w[3] = d;
	atomic_store_ulong(
	    &r->tr_seq, atomic_fetchadd_ulong(&trace_seq, 1) + 1);
}

/* Copies record n of a ring; false when it is not there, being written, or
 * overwritten. */
static bool
trace_get(const struct tracering *ring, uint64_t n, struct trace_rec *out)
{
	const struct trace_rec *r;
	uint64_t seq;

	if (ring->tr_rec == NULL)
		return false;
	r = &ring->tr_rec[n % TRACE_SLOTS];
	seq = atomic_load_ulong(&r->tr_seq);
	cpu_ccfence();
	*out = *r;
	cpu_ccfence();
	out->tr_ns = tsc_to_ns(out->tr_ns);
	return seq != 0 && out->tr_seq == seq &&
	    atomic_load_ulong(&r->tr_seq) == seq;
}

/* Where reading stands: the next record of each ring, and the first that is
 * beyond the end. */
struct cursor {
	uint64_t cu_at[MAXCPU];
	uint64_t cu_end[MAXCPU];
};

/* Copies the oldest record not yet read and steps over it; false at the
 * end. */
static bool
cursor_next(struct cursor *cu, struct trace_rec *out)
{
	struct trace_rec r;
	int best = -1;

	for (uint32_t cpu = 0; cpu < MAXCPU; cpu++) {
		while (cu->cu_at[cpu] < cu->cu_end[cpu] &&
		    !trace_get(&rings[cpu], cu->cu_at[cpu], &r))
			cu->cu_at[cpu]++;
		if (cu->cu_at[cpu] < cu->cu_end[cpu] &&
		    (best < 0 || r.tr_seq < out->tr_seq)) {
			best = cpu;
			*out = r;
		}
	}
	if (best >= 0)
		cu->cu_at[best]++;
	return best >= 0;
}

/* Puts the cursor before the newest n records of all CPUs. */
static void
cursor_init(struct cursor *cu, int n)
{
	struct cursor low;
	struct trace_rec r;
	uint64_t newest[MAXCPU];
	int best;

	for (int cpu = 0; cpu < MAXCPU; cpu++) {
		cu->cu_end[cpu] = atomic_load_ulong(&rings[cpu].tr_next);
		cu->cu_at[cpu] = cu->cu_end[cpu];
		low.cu_at[cpu] = cu->cu_end[cpu] > TRACE_SLOTS
		    ? cu->cu_end[cpu] - TRACE_SLOTS
		    : 0;
	}
	for (; n > 0; n--) {
		best = -1;
		for (int cpu = 0; cpu < MAXCPU; cpu++) {
			newest[cpu] = 0;
			while (cu->cu_at[cpu] > low.cu_at[cpu] &&
			    !trace_get(&rings[cpu], cu->cu_at[cpu] - 1, &r))
				cu->cu_at[cpu]--;
			if (cu->cu_at[cpu] == low.cu_at[cpu])
				continue;
			newest[cpu] = r.tr_seq;
			if (best < 0 || newest[cpu] > newest[best])
				best = cpu;
		}
		if (best < 0)
			return;
		cu->cu_at[best]--;
	}
}

/* See kern/trace.h. Takes no lock. */
int
trace_read(struct trace_rec *buf, int max)
{
	struct cursor cu;
	int n = 0;

	cursor_init(&cu, max);
	while (n < max && cursor_next(&cu, &buf[n]))
		n++;
	return n;
}

/* See kern/trace.h. Takes no lock, for the post-mortem's sake. */
void
trace_dump(int n)
{
	struct cursor cu;
	struct trace_rec r;

	cursor_init(&cu, n);
	while (n-- > 0 && cursor_next(&cu, &r))
		kprintf("%8lu %12lu cpu%u tid %d %-10s %lx %lx %lx %lx\n",
		    r.tr_seq, r.tr_ns, r.tr_cpu, r.tr_tid,
		    trace_name(r.tr_event), r.tr_w[0], r.tr_w[1], r.tr_w[2],
		    r.tr_w[3]);
}

/* An event's name. */
const char *
trace_name(int event)
{
	return event >= 0 && event < TR_COUNT ? trace_names[event] : "?";
}
