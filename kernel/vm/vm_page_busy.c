/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The busy word of a page: one hard busy, any number of soft ones, and the
 * bit by which a sleeper asks to be woken. All in one atomic word, so that
 * taking either kind is one compare-and-set.
 */
#include <san/witness.h>
#include <vm/vm_page.h>

/* Sleeps once, if the word still blocks when the sleep is armed. The
 * interlock comes first and WANTED second: whoever clears the word after
 * that sees WANTED and wakes us. */
void
vm_page_sleep_busy(vm_page_t m, bool also_soft, const char *wmesg)
{
	uint32_t bc;

	witness_want(WK_PAGE, m, "page");
	tsleep_interlock(m, 0);
	SCHED_POINT("vm.page_wait_armed");
	bc = m->busy_count;
	while (vm_page_busy_blocks(bc, also_soft)) {
		SCHED_POINT("vm.page_wait_looked");
		if (atomic_fcmpset_uint(
			&m->busy_count, &bc, bc | PBUSY_WANTED)) {
			tsleep(m, PINTERLOCKED, wmesg, 0);
			return;
		}
	}
	tsleep_remove(curthread);
}

/* Takes the hard busy, sleeping as long as it must. All tokens are given up
 * during the sleep: the page may belong to another object afterwards. */
void
vm_page_busy_wait(vm_page_t m, bool also_soft, const char *wmesg)
{
	witness_want(WK_PAGE, m, "page");
	while (vm_page_busy_try(m, also_soft))
		vm_page_sleep_busy(m, also_soft, wmesg);
}

/* Ends the caller's hard busy and wakes everyone who asked. */
void
vm_page_wakeup(vm_page_t m)
{
	uint32_t bc = m->busy_count;

	witness_gone(WK_PAGE, m);
	do {
		KASSERT(bc & PBUSY_LOCKED,
		    ("vm_page_wakeup: page %#lx is not hard-busy (%#x)",
			m->phys_addr, bc));
	} while (!atomic_fcmpset_uint(
	    &m->busy_count, &bc, bc & ~(PBUSY_LOCKED | PBUSY_WANTED)));
	SCHED_POINT("vm.page_unbusied");
	if (bc & PBUSY_WANTED)
		wakeup(m);
}

/* The caller's hard busy becomes a soft one, and who waits may have the page
 * for reading. */
void
vm_page_busy_soften(vm_page_t m)
{
	uint32_t bc = m->busy_count, nbc;

	do {
		KKASSERT(bc & PBUSY_LOCKED);
		nbc = (bc & ~(PBUSY_LOCKED | PBUSY_WANTED)) + 1;
	} while (!atomic_fcmpset_uint(&m->busy_count, &bc, nbc));
	SCHED_POINT("vm.page_softened");
	witness_shared(WK_PAGE, m);
	if (bc & PBUSY_WANTED)
		wakeup(m);
}

/* One more soft busy, unless the page is hard-busy: then TRUE, failed. It
 * must not add first and back out: whoever frees a page asserts that the
 * count is zero, and a count that shows up for a moment would trip it. */
bool
vm_page_sbusy_try(vm_page_t m)
{
	uint32_t bc = m->busy_count;

	for (;;) {
		SCHED_POINT("vm.page_sbusy");
		if (bc & PBUSY_LOCKED)
			return true;
		if (atomic_fcmpset_uint(&m->busy_count, &bc, bc + 1)) {
			witness_got(WK_PAGE, m, "page", true);
			return false;
		}
	}
}

/* Gives one soft busy back; the last one wakes who asked. */
void
vm_page_sbusy_drop(vm_page_t m)
{
	uint32_t bc = m->busy_count, nbc;

	witness_gone(WK_PAGE, m);
	do {
		KASSERT((bc & PBUSY_MASK) != 0,
		    ("vm_page_sbusy_drop: page %#lx is not soft-busy (%#x)",
			m->phys_addr, bc));
		nbc = bc - 1;
		if ((nbc & PBUSY_MASK) == 0)
			nbc &= ~PBUSY_WANTED;
	} while (!atomic_fcmpset_uint(&m->busy_count, &bc, nbc));
	SCHED_POINT("vm.page_sbusy_dropped");
	if ((bc & PBUSY_WANTED) && !(nbc & PBUSY_WANTED))
		wakeup(m);
}
