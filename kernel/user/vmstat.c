/* SPDX-License-Identifier: BSD-2-Clause */
/* What the VM does, interval by interval, from the counters in /proc/vmstat. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "init.h"

#define SCREEN 20 /* lines between two headings */

static const char usage[] =
    "usage: vmstat [SECONDS [COUNT]]\n"
    "\n"
    "Shows what the VM has done since boot; with SECONDS a line more each\n"
    "time they have passed, for what it did meanwhile, COUNT lines in all.\n"
    "\n"
    "  faults   page faults             zfod     pages filled with zeroes\n"
    "  cow      pages copied on write   moved    pages moved up, not copied\n"
    "  free, active, inact, cache       pages, as they are now\n"
    "  in, out  pages read from swap and written to it\n"
    "  swtch    context switches        idle     of all CPUs' time, percent\n";

/* The columns. A counter is shown as what it grew by, a gauge as it is. */
static const struct column {
	const char *head, *name;
	int width, gauge;
} columns[] = {
    {"faults", "v_vm_faults", 7, 0},
    {"zfod", "v_zfod", 7, 0},
    {"cow", "v_cow_faults", 7, 0},
    {"moved", "v_cow_optim", 7, 0},
    {"free", "v_free_count", 7, 1},
    {"active", "v_active_count", 7, 1},
    {"inact", "v_inactive_count", 7, 1},
    {"cache", "v_cache_count", 6, 1},
    {"in", "v_swappgsin", 5, 0},
    {"out", "v_swappgsout", 5, 0},
    {"swtch", "v_swtch", 7, 0},
};

#define NCOLUMNS ((int)(sizeof(columns) / sizeof(columns[0])))

/* How many CPUs there are. */
static long
cpus(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	return n > 0 ? n : 1;
}

static void
heading(void)
{
	int i;

	for (i = 0; i < NCOLUMNS; i++)
		printf("%*s", columns[i].width, columns[i].head);
	printf("%6s\n", "idle");
}

/* One line: what happened from one reading to the other. */
static void
line(const struct table *now, const struct table *before)
{
	const struct column *c;
	long idle, time;

	for (c = columns; c < columns + NCOLUMNS; c++)
		printf("%*ld", c->width,
		    table_value(now, c->name) -
			(c->gauge ? 0 : table_value(before, c->name)));
	idle = table_value(now, "idle_ns") - table_value(before, "idle_ns");
	time =
	    (table_value(now, "uptime_ns") - table_value(before, "uptime_ns")) *
	    cpus();
	printf("%5ld%%\n", time > 0 ? idle / (time / 100 + 1) : 0);
	fflush(stdout);
}

/* A positive number, or -1. */
static long
positive(const char *text)
{
	char *end;
	long n = strtol(text, &end, 10);

	return *end == '\0' && n > 0 && n <= 1000000 ? n : -1;
}

int
main(int argc, char **argv)
{
	static struct table tables[2];
	long seconds = 0, count = 1, i;

	if (argc > 1 && strcmp(argv[1], "--help") == 0) {
		printf("%s", usage);
		return 0;
	}
	if (argc > 1) {
		seconds = positive(argv[1]);
		count = argc > 2 ? positive(argv[2]) : 0; /* 0: for ever */
	}
	if (argc > 3 || seconds == -1 || count == -1) {
		fprintf(stderr, "%s", usage);
		return 2;
	}
	for (i = 0; count == 0 || i < count; i++) {
		if (i > 0)
			sleep(seconds);
		table_read(&tables[i & 1], "/proc/vmstat");
		if (tables[i & 1].n == 0) {
			fprintf(stderr, "vmstat: there is no /proc/vmstat\n");
			return 1;
		}
		if (i % SCREEN == 0)
			heading();
		line(&tables[i & 1], &tables[(i + 1) & 1]);
	}
	return 0;
}
