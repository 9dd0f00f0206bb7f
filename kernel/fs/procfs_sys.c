/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * procfs: the files about the whole system.
 *
 * Those of lines "name value" are read by tests: a name stays what it is,
 * and the order is the lists' own.
 */
#include <linux/errno.h>

#include <amd64/machdep.h>
#include <dev/blk.h>
#include <fs/procfs.h>
#include <kern/bootopt.h>
#include <kern/kprintf.h>
#include <kern/kstring.h>
#include <kern/proc.h>
#include <kern/trace.h>
#include <kern/vmmeter.h>
#include <vm/swap_pager.h>
#include <vm/vm_check.h>
#include <vm/vm_kern.h>
#include <vm/vm_map.h>
#include <vm/vm_object.h>

#define TRACE_MAX 1024 /* events shown */
#define NS_PER_S  1000000000UL

/* A value that has blanks was in quotes. */
static void
cmdline_opt(void *arg, const struct bootopt *bo)
{
	struct sbuf *sb = arg;
	const char *q = strchr(bo->bo_value, ' ') != NULL ? "\"" : "";

	if (bo->bo_given)
		sbuf_printf(sb, "%s%s=%s%s%s", sb->sb_len > 0 ? " " : "",
		    bo->bo_name, q, bo->bo_value, q);
}

/* The boot options as they count: those that were given, by name. */
static int
text_cmdline(struct proc *p, struct sbuf *sb)
{
	const char *initargs = bootopt_initargs();

	bootopt_foreach(cmdline_opt, sb);
	if (initargs[0] != '\0')
		sbuf_printf(sb, "%s-- %s", sb->sb_len > 0 ? " " : "", initargs);
	sbuf_printf(sb, "\n");
	return 0;
}

static void
vmstat_line(void *arg, const char *name, uint64_t value)
{
	sbuf_printf(arg, "%s %lu\n", name, value);
}

/* Time that all CPUs together have spent halted. */
static uint64_t
idle_ns(void)
{
	struct globaldata *gd;
	uint64_t sum = 0;

	CPU_FOREACH (gd)
		sum += gd->gd_idle_ns;
	return sum;
}

/* Counters, then page totals, then time. */
static int
text_vmstat(struct proc *p, struct sbuf *sb)
{
	int64_t swap;

	vmmeter_foreach(vmstat_line, sb);
#define LINE(f) sbuf_printf(sb, #f " %ld\n", vmstats.f)
	LINE(v_page_count);
	LINE(v_free_count);
	LINE(v_cache_count);
	LINE(v_inactive_count);
	LINE(v_active_count);
	LINE(v_wire_count);
	LINE(v_free_reserved);
	LINE(v_free_min);
	LINE(v_free_target);
	LINE(v_interrupt_free_min);
	LINE(v_cache_min);
	LINE(v_inactive_target);
#undef LINE
	sbuf_printf(sb, "swap_free %ld\n", swap_space(&swap));
	sbuf_printf(sb, "swap_total %ld\n", swap);
	sbuf_printf(sb, "idle_ns %lu\n", idle_ns());
	sbuf_printf(sb, "uptime_ns %lu\n", nanotime());
	return 0;
}

/* The invariants: "ok", or a line for each that does not hold. */
static int
text_vmcheck(struct proc *p, struct sbuf *sb)
{
	if (vm_check(sb) == 0)
		sbuf_printf(sb, "ok\n");
	return 0;
}

/* A line's name is one word, whatever the owner's is. */
static void
leaks_line(void *arg, const char *name, int64_t inuse, int64_t bytes)
{
	struct sbuf *sb = arg;

	sbuf_printf(sb, "kmalloc.");
	for (; *name != '\0'; name++)
		sbuf_write(sb, *name == ' ' ? "_" : name, 1);
	sbuf_printf(sb, " %ld\n", bytes);
}

/* What is alive of everything that is counted. */
static int
text_leaks(struct proc *p, struct sbuf *sb)
{
	proc_reap_all();
	thread_reap_all();
	sbuf_printf(sb, "pages %ld\n",
	    vmstats.v_page_count - vmstats.v_free_count -
		vmstats.v_cache_count - kmem_pool_pages);
	sbuf_printf(sb, "objects %ld\n", vm_object_count);
	sbuf_printf(sb, "map_entries %ld\n", vm_map_entry_inuse());
	sbuf_printf(sb, "pv_entries %ld\n", pmap_pv_inuse());
	sbuf_printf(sb, "vmspaces %ld\n", vmspace_count());
	sbuf_printf(sb, "procs %d\n", proc_count());
	sbuf_printf(sb, "threads %d\n", thread_count());
	sbuf_printf(sb, "files %ld\n", file_count());
	sbuf_printf(sb, "vnodes %ld\n", vnode_count());
	kmalloc_foreach(leaks_line, sb);
	return 0;
}

/* The newest events, oldest first. */
static int
text_trace(struct proc *p, struct sbuf *sb)
{
	struct trace_rec *recs, *tr;
	int i, n;

	recs = kmalloc(TRACE_MAX * sizeof(*recs), &M_TEMP, M_WAITOK);
	n = trace_read(recs, TRACE_MAX);
	for (i = 0; i < n; i++) {
		tr = &recs[i];
		sbuf_printf(sb,
		    "%lu %lu.%09lu cpu%u tid%d %s %#lx %#lx %#lx %#lx\n",
		    tr->tr_seq, tr->tr_ns / NS_PER_S, tr->tr_ns % NS_PER_S,
		    tr->tr_cpu, tr->tr_tid, trace_name(tr->tr_event),
		    tr->tr_w[0], tr->tr_w[1], tr->tr_w[2], tr->tr_w[3]);
	}
	kfree(recs, &M_TEMP);
	return 0;
}

/* In kibibytes, as Linux has it. */
static int
text_meminfo(struct proc *p, struct sbuf *sb)
{
	int64_t kib = PAGE_SIZE / 1024;
	int64_t can = vmstats.v_free_count + vmstats.v_cache_count;
	int64_t swap, swapfree = swap_space(&swap);

	sbuf_printf(
	    sb, "MemTotal:       %8ld kB\n", vmstats.v_page_count * kib);
	sbuf_printf(
	    sb, "MemFree:        %8ld kB\n", vmstats.v_free_count * kib);
	sbuf_printf(sb, "MemAvailable:   %8ld kB\n", can * kib);
	sbuf_printf(sb, "Buffers:        %8d kB\n", 0);
	sbuf_printf(
	    sb, "Cached:         %8ld kB\n", vmstats.v_cache_count * kib);
	sbuf_printf(
	    sb, "Active:         %8ld kB\n", vmstats.v_active_count * kib);
	sbuf_printf(
	    sb, "Inactive:       %8ld kB\n", vmstats.v_inactive_count * kib);
	sbuf_printf(sb, "SwapTotal:      %8ld kB\n", swap * kib);
	sbuf_printf(sb, "SwapFree:       %8ld kB\n", swapfree * kib);
	return 0;
}

/* Seconds since boot, and seconds that CPUs were idle. */
static int
text_uptime(struct proc *p, struct sbuf *sb)
{
	uint64_t up = nanotime(), idle = idle_ns();

	sbuf_printf(sb, "%lu.%02lu %lu.%02lu\n", up / NS_PER_S,
	    up % NS_PER_S / 10000000, idle / NS_PER_S,
	    idle % NS_PER_S / 10000000);
	return 0;
}

/* Collects what cannot be printed with the mount token held. */
static void
mounts_line(void *arg, const struct mount *mp)
{
	char path[256];

	if (mp->mnt_covered == NULL)
		strlcpy(path, "/", sizeof(path));
	else if (vn_fullpath(mp->mnt_covered, path, sizeof(path)) != 0)
		return;
	sbuf_printf(arg, "%s %s %s %s 0 0\n",
	    mp->mnt_from != NULL ? mp->mnt_from : mp->mnt_fstype, path,
	    mp->mnt_fstype, mp->mnt_rdonly ? "ro,noatime" : "rw,noatime");
}

static int
text_mounts(struct proc *p, struct sbuf *sb)
{
	mount_foreach(mounts_line, sb);
	return 0;
}

/* A line for each disk. */
static int
text_disks(struct proc *p, struct sbuf *sb)
{
	blk_show(sb);
	return 0;
}

/* The disks that are swapped to. */
static int
text_swaps(struct proc *p, struct sbuf *sb)
{
	swap_show(sb);
	return 0;
}

/* One paragraph a CPU; they are all alike. */
static int
text_cpuinfo(struct proc *p, struct sbuf *sb)
{
	uint32_t r[4], family, model, name[13] = {0}, i;
	char vendor[13] = "";

	cpuid(0, 0, r);
	memcpy(vendor, &r[1], 4);
	memcpy(vendor + 4, &r[3], 4);
	memcpy(vendor + 8, &r[2], 4);
	cpuid(1, 0, r);
	family = (r[0] >> 8 & 0xf) +
	    ((r[0] >> 8 & 0xf) == 0xf ? r[0] >> 20 & 0xff : 0);
	model = (r[0] >> 4 & 0xf) | (r[0] >> 12 & 0xf0);
	for (i = 0; i < 3; i++) {
		uint32_t part[4];

		cpuid(0x80000002U + i, 0, part);
		memcpy(&name[4 * i], part, sizeof(part));
	}
	for (i = 0; i < ncpus; i++)
		sbuf_printf(sb,
		    "processor\t: %u\nvendor_id\t: %s\ncpu family\t: %u\n"
		    "model\t\t: %u\nmodel name\t: %s\nstepping\t: %u\n"
		    "cpu MHz\t\t: %lu.%03lu\n\n",
		    i, vendor, family, model, (const char *)name, r[0] & 0xf,
		    tsc_hz / 1000000, tsc_hz / 1000 % 1000);
	return 0;
}

#ifdef SCHED_POINTS
/* The policy, and what became of armed points. */
static int
text_sched(struct proc *p, struct sbuf *sb)
{
	sched_points_text(sb);
	return 0;
}

/* Every point, and how often it was passed. */
static int
text_sched_points(struct proc *p, struct sbuf *sb)
{
	sched_points_list(sb);
	return 0;
}
#endif

/* self: the reader's own directory. */
static int
link_self(struct proc *p, char *buf, size_t size)
{
	ksnprintf(buf, size, "%d", curproc->p_pid);
	return 0;
}

const struct procent procfs_root[] = {
    {.pe_name = "cmdline", .pe_mode = 0444, .pe_text = text_cmdline},
    {.pe_name = "cpuinfo", .pe_mode = 0444, .pe_text = text_cpuinfo},
    {.pe_name = "disks", .pe_mode = 0444, .pe_text = text_disks},
    {.pe_name = "leaks", .pe_mode = 0444, .pe_text = text_leaks},
    {.pe_name = "meminfo", .pe_mode = 0444, .pe_text = text_meminfo},
    {.pe_name = "mounts", .pe_mode = 0444, .pe_text = text_mounts},
#ifdef SCHED_POINTS
    {.pe_name = "sched",
	.pe_mode = 0644,
	.pe_text = text_sched,
	.pe_command = sched_points_command},
    {.pe_name = "sched_points", .pe_mode = 0444, .pe_text = text_sched_points},
#endif
    {.pe_name = "self", .pe_mode = 0777, .pe_link = link_self},
    {.pe_name = "swaps", .pe_mode = 0444, .pe_text = text_swaps},
    {.pe_name = "trace", .pe_mode = 0444, .pe_text = text_trace},
    {.pe_name = "uptime", .pe_mode = 0444, .pe_text = text_uptime},
    {.pe_name = "vmcheck", .pe_mode = 0444, .pe_text = text_vmcheck},
    {.pe_name = "vmstat", .pe_mode = 0444, .pe_text = text_vmstat},
};
const size_t procfs_nroot = nitems(procfs_root);
