/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vm_check(): runs all checks and collects what they find.
 */
#include <stdarg.h>

#include <fs/vnode.h>
#include <kern/kprintf.h>
#include <kern/lock.h>
#include <kern/proc.h>
#include <kern/sbuf.h>
#include <pmap/pmap.h>
#include <vm/swap_pager.h>
#include <vm/vm_check.h>
#include <vm/vm_page.h>
#include <vm/vm_pageout.h>

#define CHECK_LINES 50
#define CHECK_WIDTH 160

/* One check at a time: guards the rest. */
static struct lock check_lock = LOCK_INITIALIZER("vm_check");
static struct spinlock check_spin = SPINLOCK_INITIALIZER("vm_check_fail");
static int check_count;				  /* check_spin */
static char check_text[CHECK_LINES][CHECK_WIDTH]; /* check_spin */

/*
 * Reports one violation. Never sleeps: the caller may hold a spinlock, so
 * the text waits in a table until all checks are done.
 */
void
vm_check_fail(const char *fmt, ...)
{
	va_list ap;

	spin_lock(&check_spin);
	if (check_count < CHECK_LINES) {
		va_start(ap, fmt);
		kvsnprintf(check_text[check_count], CHECK_WIDTH, fmt, ap);
		va_end(ap);
	}
	check_count++;
	spin_unlock(&check_spin);
}

/* All checks. */
static void
check_all(void)
{
	check_count = 0;
	vm_map_check_all();
	vm_object_check();
	vm_page_check();
	for (int64_t i = 0; i < vm_page_array_size; i++) {
		if ((vm_page_array[i].flags & PG_FICTITIOUS) == 0)
			pmap_check_page(&vm_page_array[i]);
	}
	pmap_check(&kernel_pmap);
	swap_check();
}

/*
 * Checks everything that the VM has cached against what is true, and writes
 * a line for each violation into sb, or on the console when that is NULL:
 * the first 50. How many there were. No process may be at work in the VM. The
 * kernel's own threads are held back, at points where they have finished what
 * they were at, so that one look is exact. May sleep.
 */
int
vm_check(struct sbuf *sb)
{
	int count;

	lockmgr(&check_lock, LK_EXCLUSIVE);
	proc_reap_all();
	thread_reap_all();
	syncer_pause();
	vm_pageout_pause();
	check_all();
	vm_pageout_resume();
	syncer_resume();

	count = check_count;
	for (int i = 0; i < MIN(count, CHECK_LINES); i++) {
		if (sb != NULL)
			sbuf_printf(sb, "%s\n", check_text[i]);
		else
			kprintf("vm_check: %s\n", check_text[i]);
	}
	lockmgr(&check_lock, LK_RELEASE);
	return count;
}
