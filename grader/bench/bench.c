/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The yardstick: what operations cost, in instructions. Process 1 on Nymph and
 * on Linux; see bench.h.
 *
 *	bench list                   the rows, on any Linux
 *	bench shift=N boot=B [row=R] runs the rows of a boot, or that row; what
 *	                             else Linux hands on is of no account
 *
 * A line of JSON for each row goes to Nymph's result stream, or to Linux's
 * second serial line.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

#define MAX_SAMPLES 8192
#define TEXT	    8192
#define EMPTY	    1000

/* What a row has found out; shared, since a child may be the one to time. */
static struct state {
	uint32_t sample[MAX_SAMPLES]; /* single operations, cycles */
	long nsamples;
	uint64_t total; /* cycles of all operations */
	long operations;
	long intervals; /* how many times it was timed */
	char before[TEXT], after[TEXT];
} * state;

int on_nymph, ncpus;
static int out = 1, shift;
static uint64_t overhead;  /* of timing, cycles */
static struct state empty; /* the row without operations */

static const char *const boot_names[] = {
    "usual", "single", "storm", "swap", "page"};
static const struct row *const tables[] = {
    bench_memory, bench_process, bench_storm, bench_page};

/* Says what went wrong, and turns off: the row cannot be had. */
long
must(const char *what, long result)
{
	if (result == -1) {
		dprintf(out, "{\"error\":\"%s: %s\"}\n", what, strerror(errno));
		dprintf(2, "bench: %s: %s\n", what, strerror(errno));
		reboot(RB_POWER_OFF);
		_exit(1);
	}
	return result;
}

/* Reads a text file, and ends it with a null byte; empty if there is none. */
void
read_whole(const char *path, char *buf, unsigned long size)
{
	unsigned long len = 0;
	ssize_t n;
	int fd = open(path, O_RDONLY);

	while (fd != -1 && len < size - 1 &&
	    (n = read(fd, buf + len, size - 1 - len)) > 0)
		len += (unsigned long)n;
	buf[len] = '\0';
	if (fd != -1)
		close(fd);
}

/* New anonymous memory, without a huge page. */
static char *
map(long pages, int flags)
{
	char *p = mmap(NULL, (size_t)(pages * PAGE), PROT_READ | PROT_WRITE,
	    MAP_ANONYMOUS | flags, -1, 0);

	MUST(p == MAP_FAILED ? -1 : 0);
	if (!on_nymph)
		madvise(p, (size_t)(pages * PAGE), MADV_NOHUGEPAGE);
	return p;
}

char *
map_private(long pages)
{
	return map(pages, MAP_PRIVATE);
}

char *
map_shared(long pages)
{
	return map(pages, MAP_SHARED);
}

/* Writes to every step-th page. */
void
touch(char *p, long pages, long step)
{
	for (long i = 0; i < pages; i += step)
		((volatile char *)p)[i * PAGE] = 1;
}

/* Waits for that child, which must have ended well. */
void
reap(long pid)
{
	int status = 0;

	MUST(waitpid((pid_t)pid, &status, 0));
	MUST(status == 0 ? 0 : -1);
}

/* The samples' memory must not fault while they are taken. */
static void
warm(void)
{
	volatile char *p = (volatile char *)state;

	for (size_t i = 0; i < sizeof(*state); i += PAGE)
		p[i] = p[i];
}

/* From here on only timed operations, until row_end(). */
void
row_begin(void)
{
	warm();
	read_whole("/proc/vmstat", state->before, TEXT);
}

void
row_end(void)
{
	read_whole("/proc/vmstat", state->after, TEXT);
}

/* Many operations that took so long, together. */
void
row_samples(uint64_t cycles, long operations)
{
	state->total += cycles - overhead;
	state->operations += operations;
	state->intervals++;
}

/* One operation. */
void
row_sample(uint64_t cycles)
{
	if (state->nsamples < MAX_SAMPLES)
		state->sample[state->nsamples++] =
		    (uint32_t)(cycles - overhead);
	row_samples(cycles, 1);
}

void
row_forget(void)
{
	state->nsamples = state->operations = state->intervals = 0;
	state->total = 0;
}

/* A counter of a text of lines "name value"; 0 if it is not there. */
static long
counter(const char *text, const char *name, size_t len)
{
	while (*text != '\0') {
		if (strncmp(text, name, len) == 0 && text[len] == ' ')
			return strtol(text + len, NULL, 10);
		text = strchr(text, '\n');
		if (text == NULL)
			break;
		text++;
	}
	return 0;
}

/* How much a counter grew, without what reading it takes. */
static long
growth(const char *name, size_t len)
{
	return counter(state->after, name, len) -
	    counter(state->before, name, len) -
	    (counter(empty.after, name, len) -
		counter(empty.before, name, len));
}

/* The kernel's own counters of events, those that moved: v_*, on Nymph. */
static void
print_counters(void)
{
	const char *p = state->after, *end, *sep = "";
	long n;

	dprintf(out, ",\"counters\":{");
	for (; on_nymph && (end = strchr(p, ' ')) != NULL; p++) {
		n = growth(p, (size_t)(end - p));
		if (n != 0 && p[0] == 'v' && strstr(p, "_count ") != end - 6) {
			dprintf(
			    out, "%s\"%.*s\":%ld", sep, (int)(end - p), p, n);
			sep = ",";
		}
		p = strchr(end, '\n');
		if (p == NULL)
			break;
	}
	dprintf(out, "}");
}

static int
compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

/* A row's line. */
static void
print_row(const struct row *row)
{
	long n = state->nsamples;
	uint64_t idle = 0;

	/* A CPU's idle time is another one's work, on several CPUs: there the
	 * rows keep all of them busy. */
	if (on_nymph && ncpus == 1)
		idle = (uint64_t)growth("idle_ns", 7);
	qsort(state->sample, (size_t)n, sizeof(state->sample[0]), compare);
	dprintf(out,
	    "{\"row\":\"%s\",\"per\":\"%s\",\"what\":\"%s\",\"boot\":\"%s\","
	    "\"cpus\":%d,\"operations\":%ld,\"instructions\":%lu,"
	    "\"idle\":%lu,\"intervals\":%ld,\"overhead\":%lu",
	    row->name, row->per, row->what, boot_names[row->boot], ncpus,
	    state->operations, (state->total - idle) >> shift, idle >> shift,
	    state->intervals, overhead >> shift);
	if (n > 0)
		dprintf(out, ",\"min\":%u,\"p50\":%u,\"max\":%u",
		    state->sample[0] >> shift, state->sample[n / 2] >> shift,
		    state->sample[n - 1] >> shift);
	print_counters();
	dprintf(out, "}\n");
}

/* Runs one row. */
static void
run(const struct row *row)
{
	row_forget();
	state->before[0] = state->after[0] = '\0';
	dprintf(2, "bench: %s\n", row->name);
	MARK_ROW();
	row->run(row->arg);
	print_row(row);
}

/* What timing itself costs, and what reading the counters counts. */
static void
calibrate(void)
{
	uint32_t least = UINT32_MAX;

	for (int i = 0; i < EMPTY; i++)
		TIMED(__asm__ __volatile__(""));
	for (long i = 0; i < state->nsamples; i++)
		if (state->sample[i] < least)
			least = state->sample[i];
	overhead = least;
	for (int i = 0; i < 2; i++) {
		row_begin();
		row_end();
	}
	empty = *state;
}

/* Linux's process 1 has to make its world itself. */
static void
linux_start(int single)
{
	struct rlimit rl = {8 << 20, 8 << 20};
	int fd;

	mkdir("/proc", 0755);
	mkdir("/dev", 0755);
	mkdir("/debug", 0755);
	MUST(mount("proc", "/proc", "proc", 0, NULL));
	mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
	out = (int)MUST(open("/dev/ttyS1", O_WRONLY | O_NOCTTY));
	setrlimit(RLIMIT_STACK, &rl);
	if (!single)
		return;
	MUST(mount("debugfs", "/debug", "debugfs", 0, NULL));
	fd = (int)MUST(open("/debug/fault_around_bytes", O_WRONLY));
	MUST(write(fd, "4096", 4));
	close(fd);
}

/* Is that a function of Linux's that clears or copies pages? */
static int
fills_pages(const char *name)
{
	static const char *const names[] = {"clear_page_orig", "clear_page_rep",
	    "clear_page_erms", "copy_page", "copy_page_regs", "__memcpy",
	    "memcpy", "memcpy_erms", "memcpy_orig"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(name, names[i]) == 0)
			return 1;
	return 0;
}

/* Where the functions that fill pages lie, for the plugin: Linux only. */
static void
linux_symbols(void)
{
	char line[256], name[128], kind, last[128] = "";
	unsigned long addr, start = 0;
	FILE *f = fopen("/proc/kallsyms", "r");

	while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
		if (sscanf(line, "%lx %c %127s", &addr, &kind, name) != 3)
			continue;
		if (start != 0 && addr > start) {
			dprintf(out,
			    "{\"symbol\":\"%s\",\"start\":\"%lx\","
			    "\"end\":\"%lx\"}\n",
			    last, start, addr);
			start = 0;
		}
		if (start == 0 && fills_pages(name)) {
			start = addr;
			strcpy(last, name);
		}
	}
	if (f != NULL)
		fclose(f);
}

/* Lists the rows: name, boot, whether Linux has it. */
static int
list(void)
{
	const struct row *row;

	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		for (row = tables[i]; row->name != NULL; row++)
			printf("%s %s %s\n", row->name, boot_names[row->boot],
			    row->nymph ? "nymph" : "both");
	return 0;
}

int
main(int argc, char **argv)
{
	const char *boot = "usual", *only = NULL;
	const struct row *row;

	if (argc == 2 && strcmp(argv[1], "list") == 0)
		return list();
	if (getpid() != 1) {
		fprintf(stderr, "bench: runs as process 1; see make bench\n");
		return 1;
	}
	for (int i = 1; i < argc; i++) {
		if (strncmp(argv[i], "shift=", 6) == 0)
			shift = atoi(argv[i] + 6);
		else if (strncmp(argv[i], "boot=", 5) == 0)
			boot = argv[i] + 5;
		else if (strncmp(argv[i], "row=", 4) == 0 && argv[i][4] != '\0')
			only = argv[i] + 4;
	}
	mkdir("/tmp", 0777);
	out = open("/dev/results", O_WRONLY);
	on_nymph = out != -1;
	if (!on_nymph)
		linux_start(strcmp(boot, "single") == 0);
	MUST(chdir("/tmp"));
	ncpus = (int)sysconf(_SC_NPROCESSORS_ONLN);
	state = (struct state *)map_shared(
	    (long)((sizeof(*state) + PAGE - 1) / PAGE));
	calibrate();
	if (strcmp(boot, "symbols") == 0)
		linux_symbols();
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		for (row = tables[i]; row->name != NULL; row++)
			if (strcmp(boot_names[row->boot], boot) == 0 &&
			    (on_nymph || !row->nymph) &&
			    (only == NULL || strcmp(row->name, only) == 0))
				run(row);
	dprintf(out, "{\"done\":true}\n");
	reboot(RB_POWER_OFF);
	return 1;
}
