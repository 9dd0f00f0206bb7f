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
#include <kern/kprintf.h>

struct trace_rec trace_ring0[TRACE_SLOTS];
volatile uint64_t trace_seq = 1; /* of the next; 0 is none */

#define X(name) #name,
static const char *const trace_names[TR_COUNT] = {TRACE_EVENTS(X)};
#undef X

/* Copies record n of a ring; false when it is not there, being written, or
 * overwritten. */
static bool
trace_get(const struct globaldata *gd, uint64_t n, struct trace_rec *out)
{
	const struct trace_rec *r = &gd->gd_trace[n % TRACE_SLOTS];
	uint64_t seq;

	seq = atomic_load_ulong(&r->tr_seq);
	cpu_ccfence();
	*out = *r;
	cpu_ccfence();
	out->tr_ns = tsc_to_ns(out->tr_ns);
	out->tr_cpu = gd->gd_cpuid;
	return seq != 0 && out->tr_seq == seq &&
	    atomic_load_ulong(&r->tr_seq) == seq;
}

/* Where reading stands: the next record of each ring, and the first that is
 * beyond the end. */
struct cursor {
	uint64_t cu_at[MAXCPU];
	uint64_t cu_end[MAXCPU];
};

/* How many records a CPU has ever claimed. */
static uint64_t
trace_claimed(uint32_t cpu)
{
	const struct globaldata *gd = globaldata_array[cpu];

	return gd == NULL ? 0 : atomic_load_ulong(&gd->gd_trace_next);
}

/* Copies the oldest record not yet read and steps over it; false at the
 * end. */
static bool
cursor_next(struct cursor *cu, struct trace_rec *out)
{
	struct trace_rec r;
	int best = -1;

	for (uint32_t cpu = 0; cpu < MAXCPU; cpu++) {
		while (cu->cu_at[cpu] < cu->cu_end[cpu] &&
		    !trace_get(globaldata_array[cpu], cu->cu_at[cpu], &r))
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
		cu->cu_end[cpu] = trace_claimed((uint32_t)cpu);
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
			    !trace_get(
				globaldata_array[cpu], cu->cu_at[cpu] - 1, &r))
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
