/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Interrupts. A handler only notes what happened in gd_reqflags; the work is
 * done by crit_splz(), at once when the interrupted thread is outside of
 * critical sections, else when it leaves the outermost one. TLB shootdown is
 * the exception: its originator waits for us, perhaps holding a spinlock
 * that we wait for, so it is served wherever interrupts are enabled.
 */
#include <kern/kprintf.h>
#include <kern/thread.h>
#include <pmap/pmap.h>

#include <amd64/cpu_md.h>
#include <amd64/cpufunc.h>
#include <amd64/frame.h>
#include <amd64/intr.h>
#include <amd64/machdep.h>

/*
 * Notes or serves one vector, and tells the LAPIC (but for a spurious
 * interrupt, which it does not wait for).
 */
static void
dispatch(struct globaldata *gd, int vector)
{
	switch (vector) {
	case VEC_TIMER:
		atomic_set_uint(&gd->gd_reqflags, RQF_TIMER);
		break;
	case VEC_WAKEUP:
		atomic_set_uint(&gd->gd_reqflags, RQF_WAKEUP);
		break;
	case VEC_INVAL:
		pmap_inval_intr();
		break;
	case VEC_ERROR:
		klog(KLOG_ERR, "cpu%u: local APIC error\n", gd->gd_cpuid);
		break;
	case VEC_SPURIOUS:
		return;
	default:
		if (vector >= VEC_IRQ && vector <= VEC_IRQ_LAST)
			ioapic_intr(vector);
		else if (vector < VEC_IRQ)
			return; /* the masked PIC's spurious interrupt */
		break;
	}
	lapic_eoi();
}

/*
 * See intr.h. The work that it leaves is done with interrupts enabled: it
 * takes spinlocks, whose holders may be waiting for our part in a TLB
 * shootdown.
 */
void
interrupt(struct trapframe *tf)
{
	struct globaldata *gd = mycpu;
	struct thread *td = curthread;

	idle_end();
	if (tf->tf_trapno == VEC_TIMER && anchor_intr()) {
		lapic_eoi();
		return;
	}
	cnt_inc(v_intr);
	gd->gd_intr_nesting++;
	dispatch(gd, (int)tf->tf_trapno);
	gd->gd_intr_nesting--;

	if (td->td_critcount == 0 && (gd->gd_reqflags & ~RQF_RESCHED) != 0) {
		crit_enter();
		cpu_enable_intr();
		crit_exit();
		cpu_disable_intr();
	}
}
