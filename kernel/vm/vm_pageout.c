/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The pageout daemon's threads.
 *
 * The daemon wakes when pages get scarce and makes passes over the queues
 * until enough are free, or cached, or on their way to be. It needs no
 * memory to make memory: what a transfer takes is static, and the last pages
 * of all are its own. It waits for no page, no token of an object and no map.
 *
 * But the file systems that it has pages written by may wait for memory. Then
 * a second thread, which leaves files alone, does its work.
 */
#include <linux/errno.h>

#include <amd64/machdep.h>
#include <kern/lock.h>
#include <vm/swap_pager.h>
#include <vm/vm_pageout.h>

#define LAUNDER_FIRST 512	     /* dirty pages of a first pass */
#define STATS_NS      5000000000UL   /* between visits of an idle daemon */
#define STUCK_NS      2000000000UL   /* then the other one helps out */
#define DELAY_NS      (10 * TICK_NS) /* a vain pass, before the next */
#define BACKOFF_NS    1000000000UL   /* many of them */
#define PASSES_VAIN   6		     /* in a row, before a process dies */

static struct thread *pagethread, *emergthread; /* (k); their addresses: what
						 * each sleeps on */
static volatile uint32_t vm_pages_needed;  /* the daemon is at work, or should
					   * be; also what it sleeps on */
static volatile uint64_t vm_pageout_stamp; /* ns: its last sign of life */
static struct lock pageout_lock = LOCK_INITIALIZER("pageout");

/* See vm_pageout.h. */
bool
vm_is_pagedaemon(void)
{
	return curthread == pagethread || curthread == emergthread;
}

/* See vm_pageout.h. */
void
pagedaemon_wakeup(void)
{
	if (pagethread == NULL || vm_pages_needed != 0 || !vm_paging_needed() ||
	    vm_is_pagedaemon())
		return;
	vm_pages_needed = 1;
	wakeup(&pagethread);
}

/* Wakes the daemon from whatever pause it makes: somebody waits. */
void
pagedaemon_kick(void)
{
	vm_pages_needed = 1;
	wakeup(&pagethread);
}

/* How many active pages should become inactive. If the inactive ones did not
 * do, some more than the target says, but not so many that pages only go
 * round. */
static int64_t
inactive_shortage(const struct pageout_pass *pp, int64_t avail)
{
	int64_t want = vmstats.v_inactive_target - vmstats.v_inactive_count;

	if (avail > 0)
		want += MIN(avail * 2, vmstats.v_inactive_target / 10 + 1);
	if (pp->emergency)
		want = MAX(want, LAUNDER_FIRST);
	return want;
}

/* One pass over the queues. How many pages are still missing, those that are
 * being written not counted among them. */
static int64_t
pageout_pass(struct pageout_pass *pp)
{
	int64_t avail, want;

	lockmgr(&pageout_lock, LK_SHARED);
	cnt_inc(v_pdwakeups);
	pp->launder = pp->pass == 0 ? LAUNDER_FIRST : INT64_MAX;
	pp->done = pp->skipped = 0;
	avail = vm_paging_target();
	if (avail > 0)
		avail -= vm_pageout_scan_inactive(pp, avail);
	want = inactive_shortage(pp, avail);
	if (want > 0)
		vm_pageout_scan_active(pp, want, MAX(avail, 0));
	vm_pageout_scan_cache();
	vm_pageout_scan_hold();
	lockmgr(&pageout_lock, LK_RELEASE);
	return avail;
}

/*
 * Nothing could be had in many passes in a row, and none is being written. If
 * somebody waits for it, a process has to go, and then time passes until it
 * has gone. Otherwise there is time until somebody waits.
 */
static void
pageout_failed(void)
{
	tsleep_interlock(&pagethread, 0);
	if (!vm_wait_anyone() || !vm_page_count_min(0)) {
		tsleep(&pagethread, PINTERLOCKED, "pdelay", BACKOFF_NS);
		return;
	}
	tsleep_remove(curthread);
	if (!vm_oom_pending())
		vm_oom_kill();
	tsleep(&pagethread, 0, "pdelay", DELAY_NS);
}

/* Makes passes until there are enough pages. */
static void
pageout_round(void)
{
	struct pageout_pass pp = {0};
	int64_t avail, wanted;
	int vain = 0;

	for (;;) {
		vm_pageout_stamp = nanotime();
		wanted = vm_paging_target();
		avail = pageout_pass(&pp);
		if (vm_paging_target() <= 0 ||
		    (avail <= 0 && !vm_page_count_min(0)))
			break;
		pp.pass++;
		/* A page now and then is not worth the search. */
		vain = pp.done > wanted / 16 ? 0 : vain + 1;
		if (vain == 0 && swap_writes_pending() == 0)
			continue;
		if (swap_writes_pending() > 0) {
			vain = 0;
			swap_write_wait(swap_writes_pending());
		} else if (pp.skipped > 0 && vain < 2 * PASSES_VAIN) {
			tsleep(&pp, 0, "pskip", TICK_NS);
		} else if (vain >= PASSES_VAIN) {
			pageout_failed();
			vain = pp.pass = 0; /* things may have changed */
		}
	}
}

/* The daemon. */
static void
pageout_thread(void *arg)
{
	int error;

	(void)arg;
	for (;;) {
		error = 0;
		tsleep_interlock(&pagethread, 0);
		if (vm_pages_needed == 0 && !vm_paging_needed())
			error = tsleep(
			    &pagethread, PINTERLOCKED, "psleep", STATS_NS);
		else
			tsleep_remove(curthread);
		if (error == EWOULDBLOCK && vm_pages_needed == 0) {
			lockmgr(&pageout_lock, LK_SHARED);
			vm_pageout_scan_hold();
			vm_pageout_stats();
			lockmgr(&pageout_lock, LK_RELEASE);
			continue;
		}
		vm_pages_needed = 1;
		pageout_round();
		vm_pages_needed = 0;
	}
}

/* The other one: makes a pass whenever the daemon has been at work on the
 * same one for too long. */
static void
emergency_thread(void *arg)
{
	struct pageout_pass pp = {.emergency = true};

	(void)arg;
	for (;;) {
		tsleep(&emergthread, 0, "psleep", STUCK_NS / 2);
		if (vm_pages_needed == 0 || !vm_page_count_min(0) ||
		    nanotime() - vm_pageout_stamp < STUCK_NS) {
			pp.pass = 0;
			continue;
		}
		pageout_pass(&pp);
		pp.pass++;
	}
}

/* See vm_pageout.h. */
void
vm_pageout_start(void)
{
	pagethread = kthread_create("pagedaemon", pageout_thread, NULL);
	emergthread = kthread_create("emergpager", emergency_thread, NULL);
	KASSERT(pagethread != NULL && emergthread != NULL,
	    ("no memory for the pageout daemon"));
}

/* See vm_pageout.h. Gives the daemon a moment first to reach its target: who
 * pauses it may need memory. */
void
vm_pageout_pause(void)
{
	for (int i = 0; i < 10 && vm_paging_needed(); i++) {
		pagedaemon_wakeup();
		tsleep(&pageout_lock, 0, "pgpaus", TICK_NS);
	}
	lockmgr(&pageout_lock, LK_EXCLUSIVE);
	swap_write_wait(1);
}

/* See vm_pageout.h. */
void
vm_pageout_resume(void)
{
	lockmgr(&pageout_lock, LK_RELEASE);
}
