/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The post-mortem. One CPU writes it, the others are stopped first. It is a
 * list of steps: when one of them itself faults, the report says so and goes
 * on with the next.
 */
#include <stdarg.h>

#include <kern/kprintf.h>
#include <kern/ksyms.h>
#include <kern/kstring.h>
#include <kern/panic.h>
#include <kern/proc.h>
#include <kern/thread.h>
#include <kern/trace.h>

#include <amd64/cpufunc.h>
#include <amd64/frame.h>
#include <amd64/machdep.h>
#include <amd64/trap.h>

#define TRACE_LINES 16
#define SLEEPERS    40

volatile int panicking;

/* What the report is about; the panicking CPU's only. */
static volatile uint32_t panic_owner; /* 1 + CPU */
static char what[512];
static struct trapframe *frame; /* NULL: panic() was called */
static uint64_t fault_va;
static uint64_t at_rip, at_rbp;
static unsigned step;
static void (*more)(void); /* panic_at()'s */

/*
 * One line on COM2 for the grader: JSON, so the text is escaped.
 */
static void
report_result(void)
{
	char text[2 * sizeof(what)], where[96];
	size_t n = 0;

	for (const char *p = what; *p != '\0' && n + 2 < sizeof(text); p++) {
		if (*p == '"' || *p == '\\')
			text[n++] = '\\';
		text[n++] = (unsigned char)*p < ' ' ? ' ' : *p;
	}
	text[n] = '\0';
	ksym_format(where, sizeof(where), at_rip);
	result_printf("\n{\"ev\":\"panic\",\"what\":\"%s\",\"where\":\"%s\"}\n",
	    text, where);
}

/*
 * What happened and to whom.
 */
static void
report_what(void)
{
	char where[96];
	struct thread *td = curthread;

	ksym_format(where, sizeof(where), at_rip);
	kprintf("\n*** PANIC: %s\n", what);
	kprintf("    at %s, on CPU %u", where, mycpuid);
	kprintf(", thread %d (%s)", td->td_tid, td->td_name);
	if (td->td_proc != NULL)
		kprintf(", process %d (%s)", td->td_proc->p_pid,
		    td->td_proc->p_comm);
	kprintf("\n");
}

/*
 * What the one who called panic_at() knows besides.
 */
static void
report_more(void)
{
	if (more != NULL)
		more();
}

/*
 * The trap, and a page fault's error code in words.
 */
static void
report_fault(void)
{
	if (frame == NULL)
		return;
	kprintf(
	    "\nTrap %lu: %s", frame->tf_trapno, trap_name(frame->tf_trapno));
	if (frame->tf_trapno != T_PAGEFLT) {
		kprintf(", error code %#lx\n", frame->tf_err);
		return;
	}
	kprintf("\n");
	print_fault(fault_va, frame->tf_err);
}

/*
 * How the page tables translate the address that faulted.
 */
static void
report_walk(void)
{
	if (frame != NULL && frame->tf_trapno == T_PAGEFLT)
		print_walk(fault_va);
}

/*
 * The registers at the trap; panic() has none worth showing.
 */
static void
report_regs(void)
{
	if (frame == NULL)
		return;
	kprintf("\nRegisters\n");
	print_regs(frame);
}

/*
 * Who called whom.
 */
static void
report_stack(void)
{
	kprintf("\nStack\n");
	print_stack(at_rip, at_rbp);
}

/*
 * What the thread holds: the first question after a deadlock.
 */
static void
report_locks(void)
{
	struct thread *td = curthread;

	kprintf("\nHeld by the thread (critical sections %d, spinlocks %lu)\n",
	    td->td_critcount, mycpu->gd_spinlocks);
	thread_print_locks(td);
}

/*
 * What the VM did last, on all CPUs.
 */
static void
report_trace(void)
{
	kprintf("\nLast VM events\n");
	trace_dump(TRACE_LINES);
}

/*
 * What the other CPUs were doing: for a deadlock, half of the answer.
 */
static void
report_others(void)
{
	struct globaldata *gd;

	CPU_FOREACH (gd) {
		struct thread *td = gd->gd_curthread;
		const struct cpu_where *w = &cpu_where[gd->gd_cpuid];

		if (gd == mycpu)
			continue;
		kprintf("\nCPU %u ", gd->gd_cpuid);
		if (td == gd->gd_idlethread) {
			kprintf("is idle\n");
			continue;
		}
		kprintf("runs thread %d (%s)\n", td->td_tid, td->td_name);
		if (w->rip == 0) {
			kprintf("  and does not answer\n");
			continue;
		}
		print_stack(w->rip, w->rbp);
		thread_print_locks(td);
	}
}

/*
 * Who waits, and for what: the other half.
 */
static void
report_sleepers(void)
{
	kprintf("\nSleeping threads\n");
	thread_print_sleepers(SLEEPERS);
}

static void (*const steps[])(void) = {report_result, report_what, report_more,
    report_fault, report_walk, report_regs, report_stack, report_locks,
    report_others, report_sleepers, report_trace};

/*
 * Runs the steps that are left and ends the machine.
 */
static void __noreturn
post_mortem(void)
{
	while (step < nitems(steps))
		steps[step++]();
	kprintf("*** end of post-mortem\n");
	cpu_poweroff(EXIT_PANIC);
}

/*
 * Makes this CPU the only one that runs and prints. A second CPU that panics
 * meanwhile stops; a second panic on this CPU only says why the step that
 * was running ends.
 */
static void
take_over(const char *fmt, va_list ap)
{
	uint32_t me, owner = 0;

	cpu_disable_intr();
	me = 1 + mycpuid;
	if (!atomic_fcmpset_uint(&panic_owner, &owner, me)) {
		if (owner != me)
			cpu_stop();
		kprintf("\n(the post-mortem failed here: ");
		kvprintf(fmt, ap);
		kprintf(")\n");
		post_mortem();
	}
	panicking = 1;
	cpu_stop_others();
	kprintf_panic_mode();
	kvsnprintf(what, sizeof(what), fmt, ap);
}

/*
 * The state is wrong. Any context; does not return.
 */
__noinline void
panic(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	take_over(fmt, ap);
	va_end(ap);
	at_rip = (uint64_t)__builtin_return_address(0);
	at_rbp = *(uint64_t *)__builtin_frame_address(0);
	post_mortem();
}

/*
 * See panic.h.
 */
void
panic_at(uint64_t rip, uint64_t rbp, void (*report)(void), const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	take_over(fmt, ap);
	va_end(ap);
	more = report;
	at_rip = rip;
	at_rbp = rbp;
	post_mortem();
}

/*
 * A trap that nobody can handle; tf is where.
 */
void
panic_trap(struct trapframe *tf, const char *fmt, ...)
{
	uint64_t cr2 = read_cr2();
	va_list ap;

	va_start(ap, fmt);
	take_over(fmt, ap);
	va_end(ap);
	frame = tf;
	fault_va = cr2;
	at_rip = tf->tf_rip;
	at_rbp = tf->tf_rbp;
	post_mortem();
}
