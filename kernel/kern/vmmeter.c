/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Event counters: their names, and their sums over all CPUs.
 */
#include <kern/vmmeter.h>

#include <kern/globaldata.h>
#include <kern/kstring.h>

#define X(name) #name,
const char *const vmmeter_names[VMMETER_COUNT] = {VMMETER_FIELDS(X)};
#undef X

_Static_assert(sizeof(struct vmmeter) == VMMETER_COUNT * sizeof(uint64_t),
    "vmmeter is an array of counters by another name");

/* Adds up the counters of all CPUs. Takes no lock: exact when nothing runs
 * but the caller, else a few events behind. */
void
vmmeter_sum(struct vmmeter *sum)
{
	const struct globaldata *gd;
	const uint64_t *from;
	uint64_t *to = (uint64_t *)sum;

	memset(sum, 0, sizeof(*sum));
	CPU_FOREACH (gd) {
		from = (const uint64_t *)&gd->gd_cnt;
		for (size_t i = 0; i < VMMETER_COUNT; i++)
			to[i] += from[i];
	}
}

/* Calls fn(name, sum) for each counter in the order of VMMETER_FIELDS. */
void
vmmeter_foreach(
    void (*fn)(void *arg, const char *name, uint64_t value), void *arg)
{
	struct vmmeter sum;

	vmmeter_sum(&sum);
	for (size_t i = 0; i < VMMETER_COUNT; i++)
		fn(arg, vmmeter_names[i], ((const uint64_t *)&sum)[i]);
}
