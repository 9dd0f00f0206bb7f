/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a thread is to the CPU: its stack, its user registers outside of the
 * trap frame, its address space.
 */
#include <kern/kstring.h>
#include <kern/proc.h>
#include <kern/thread.h>
#include <pmap/pmap.h>
#include <vm/vm_map.h>

#include <amd64/cpu_md.h>
#include <amd64/cpufunc.h>
#include <amd64/frame.h>
#include <amd64/machdep.h>

void thread_begin(struct thread *prev);

/*
 * Moves this CPU's user-side state from one thread to the next: FPU, segment
 * bases, kernel stack for traps, address space. Interrupts disabled.
 *
 * No thread's page tables are left in CR3 when it is switched out, unless the
 * next one has the same: a kernel thread runs on the kernel's own. So a pmap
 * that can be released is loaded nowhere.
 */
void
cpu_switch_md(struct thread *from, struct thread *to)
{
	struct globaldata *gd = mycpu;

	if ((from->td_flags & TDF_USER) && from->td_md.md_fpu != NULL)
		fpu_save(from);
	gd->gd_kstack_top = to->td_kstack + to->td_kstack_size;
	gd->gd_md->md_tss.tss_rsp0 = gd->gd_kstack_top;
	if (to->td_flags & TDF_USER) {
		pmap_activate(&to->td_proc->p_vmspace->vm_pmap);
		if (to->td_md.md_fpu != NULL)
			fpu_restore(to);
		wrmsr(MSR_FSBASE, to->td_md.md_fsbase);
		wrmsr(MSR_KGSBASE, to->td_md.md_gsbase);
	} else if (from->td_flags & TDF_USER) {
		pmap_activate(&kernel_pmap);
	}
}

/*
 * Lays out a new thread's stack as cpu_switch() would have left it. The
 * space of a user frame at the top stays free.
 */
void
cpu_thread_init(struct thread *td)
{
	uint64_t *sp = (uint64_t *)USER_FRAME(td);

	*--sp = 0; /* ends the stack trace */
	*--sp = (uint64_t)thread_trampoline;
	for (int i = 0; i < 6; i++)
		*--sp = 0; /* rbp, rbx, r12 to r15 */
	td->td_md.md_rsp = (uint64_t)sp;
}

/*
 * A new thread's first C function; from thread_trampoline.
 */
void
thread_begin(struct thread *prev)
{
	thread_start_hook(prev);
	curthread->td_func(curthread->td_arg);
	thread_exit();
}

/*
 * A program's first registers (System V ABI for AMD64, 3.4.1): all but rip and
 * rsp are 0. Leaves by IRET, since tf_trapno is 0, too.
 */
void
cpu_exec_regs(struct trapframe *tf, uint64_t entry, uint64_t sp)
{
	memset(tf, 0, sizeof(*tf));
	tf->tf_rip = entry;
	tf->tf_rsp = sp;
	tf->tf_cs = GSEL_UCODE;
	tf->tf_ss = GSEL_UDATA;
	tf->tf_rflags = PSL_I | PSL_MBO;
}

/*
 * Sets the base of %fs for td, and at once when it is running here.
 */
void
cpu_set_fsbase(struct thread *td, uint64_t base)
{
	crit_enter();
	td->td_md.md_fsbase = base;
	if (td == curthread)
		wrmsr(MSR_FSBASE, base);
	crit_exit();
}

/*
 * While in the kernel, the user's GS base is the one that swapgs holds.
 */
void
cpu_set_gsbase(struct thread *td, uint64_t base)
{
	crit_enter();
	td->td_md.md_gsbase = base;
	if (td == curthread)
		wrmsr(MSR_KGSBASE, base);
	crit_exit();
}

/*
 * Halts until an interrupt; see machdep.h. Under -icount the boot CPU spins
 * instead. If all CPUs halted, QEMU's main loop, a host thread of its own,
 * would move the virtual clock on, and whether it did so before or after its
 * CPU thread had gone to sleep would show in what happens next. While other
 * CPUs work it only pauses, to leave them the time.
 */
void
cpu_idle_halt(void)
{
	const volatile struct globaldata *me = mycpu;
	const struct globaldata *gd;
	int spins;

	if (me->gd_cpuid != 0 || !anchor_wanted()) {
		cpu_sti_hlt();
		return;
	}
	cpu_enable_intr();
	while (me->gd_halt_since != 0) {
		spins = 1000;
		CPU_FOREACH (gd)
			if (gd->gd_halt_since == 0)
				spins = 1;
		while (me->gd_halt_since != 0 && --spins > 0)
			continue;
		cpu_pause();
	}
}

/*
 * Ends the machine: QEMU's isa-debug-exit, else its ACPI power-off port
 * (PIIX4's and ICH9's PM1a control), else halts.
 */
void
cpu_poweroff(int code)
{
	cpu_disable_intr();
	outl(0xf4, (uint32_t)code);
	if (code == EXIT_ORDERLY) {
		outw(0x604, 0x2000);
		outw(0xb004, 0x2000);
	}
	for (;;)
		__asm__ __volatile__("hlt");
}
