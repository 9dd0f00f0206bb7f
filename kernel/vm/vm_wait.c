/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Running short of pages: who needs one sleeps here until the pageout daemon,
 * or whoever frees memory, has brought some.
 */
#include <amd64/machdep.h>
#include <vm/vm_page.h>
#include <vm/vm_pageout.h>

#define LOOK_AGAIN_NS 1000000000UL

static uint32_t vm_waiters; /* (A) threads asleep below */

/* May ordinary allocation go on? Cached pages do not count, as not everybody
 * can use them; the daemon frees them when there are too few others. Who is
 * dying may have the kernel's. */
static bool
pages_enough(void)
{
	return vmstats.v_free_count > vmstats.v_free_reserved ||
	    (vm_oom_victim() &&
		vmstats.v_free_count > vmstats.v_interrupt_free_min / 2);
}

/* Does anybody wait for memory? */
bool
vm_wait_anyone(void)
{
	return vm_waiters != 0;
}

/* Lets the sleepers look again. */
void
vm_wait_wakeup(void)
{
	wakeup(&vm_waiters);
}

/* A page was freed: lets the sleepers try again, once there are enough. */
void
vm_page_free_wakeup(void)
{
	if (atomic_load_uint(&vm_waiters) != 0 &&
	    vmstats.v_free_count > vmstats.v_free_reserved)
		wakeup(&vm_waiters);
}

/* One sleep. If there seems to be memory after all the caller has been
 * unlucky, and lets others run before it tries again. */
static void
wait_pages(int flags, const char *wmesg)
{
	SCHED_POINT("vm.wait");
	atomic_add_uint(&vm_waiters, 1);
	tsleep_interlock(&vm_waiters, 0);
	if (pages_enough()) {
		tsleep_remove(curthread);
		tsleep(&wmesg, flags, wmesg, TICK_NS);
	} else {
		pagedaemon_kick();
		tsleep(&vm_waiters, flags | PINTERLOCKED, wmesg, LOOK_AGAIN_NS);
	}
	atomic_subtract_uint(&vm_waiters, 1);
}

/* Sleeps until pages are free, or for a second: to be called in a loop. No
 * spinlock may be held, nor anything without which the daemon gets no pages;
 * tokens are given up meanwhile. */
void
vm_wait(const char *wmesg)
{
	wait_pages(0, wmesg);
}

/* The same, ended by a signal as well. */
void
vm_wait_catch(const char *wmesg)
{
	wait_pages(PCATCH, wmesg);
}
