/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Traps: exceptions of programs become signals, page faults go to the VM,
 * and what the kernel itself does wrong ends in a post-mortem.
 */
#include <asm/siginfo.h>
#include <asm/signal.h>

#include <kern/panic.h>
#include <kern/proc.h>
#include <kern/syscall.h>
#include <vm/vm_fault.h>
#include <vm/vm_map.h>

#include <amd64/cpu_md.h>
#include <amd64/cpufunc.h>
#include <amd64/frame.h>
#include <amd64/intr.h>
#include <amd64/machdep.h>
#include <amd64/trap.h>

/* The signal and code that an exception in user mode becomes (as on
 * Linux); no entry: it cannot come from user mode. */
static const struct {
	uint8_t sig;
	int code;
	bool at_pc; /* si_addr is the instruction, else 0 */
} trap_signals[32] = {
    [T_DIVIDE] = {SIGFPE, FPE_INTDIV, true},
    [T_DEBUG] = {SIGTRAP, TRAP_TRACE, true},
    [T_BREAKPOINT] = {SIGTRAP, SI_KERNEL, false},
    [T_OVERFLOW] = {SIGSEGV, SI_KERNEL, false},
    [T_BOUND] = {SIGSEGV, SI_KERNEL, false},
    [T_INVOPCODE] = {SIGILL, ILL_ILLOPN, true},
    [T_NODEVICE] = {SIGFPE, SI_KERNEL, false},
    [T_TSS] = {SIGSEGV, SI_KERNEL, false},
    [T_NOSEGMENT] = {SIGBUS, SI_KERNEL, false},
    [T_STACK] = {SIGBUS, SI_KERNEL, false},
    [T_PROTECT] = {SIGSEGV, SI_KERNEL, false},
    [T_FPERR] = {SIGFPE, FPE_FLTINV, true},
    [T_ALIGN] = {SIGBUS, BUS_ADRALN, false},
    [T_SIMD] = {SIGFPE, FPE_FLTINV, true},
};

struct ex_entry {
	uint64_t at, to;
};
extern const struct ex_entry __start_ex_table[], __stop_ex_table[];

/*
 * Where to go on after a fault of the instruction at rip, or 0: it has no
 * business to fault.
 */
static uint64_t
fault_fixup(uint64_t rip)
{
	const struct ex_entry *e;

	for (e = __start_ex_table; e < __stop_ex_table; e++) {
		if (e->at == rip)
			return e->to;
	}
	return 0;
}

/*
 * Has the VM resolve a fault of the running process at a user address.
 * Interrupts enabled. KERN_SUCCESS and so on.
 */
static int
user_fault(uint64_t va, uint64_t err)
{
	struct proc *p = curproc;
	vm_prot_t prot = VM_PROT_READ;
	int flags = VM_FAULT_NORMAL, rv;

	if (p == NULL || va >= VM_MAX_USER_ADDRESS)
		return KERN_INVALID_ADDRESS;
	if (err & PGEX_I) {
		prot = VM_PROT_EXECUTE;
	} else if (err & PGEX_W) {
		prot = VM_PROT_WRITE;
		flags |= VM_FAULT_DIRTY;
	}
	if (err & PGEX_U)
		flags |= VM_FAULT_USERMODE | VM_FAULT_BURST;
	rv = vm_fault(&p->p_vmspace->vm_map, va, prot, flags);
	if (rv == KERN_SUCCESS)
		atomic_add_ulong(&p->p_minflt, 1);
	return rv;
}

/*
 * A page fault in the kernel. The only one allowed is that of a marked
 * instruction of copy.S on a user address, with nothing held that forbids
 * to sleep.
 */
static void
kernel_page_fault(struct trapframe *tf, uint64_t va)
{
	struct thread *td = curthread;
	uint64_t fixup;

	if (va >= VM_MAX_USER_ADDRESS)
		panic_trap(tf, "page fault in the kernel: %s of %#lx",
		    fault_verb(tf->tf_err), va);
	fixup = fault_fixup(tf->tf_rip);
	if (fixup == 0)
		panic_trap(tf, "direct %s of user memory at %#lx",
		    fault_verb(tf->tf_err), va);
	if (td->td_critcount != 0 || mycpu->gd_intr_nesting != 0)
		panic_trap(tf, "user memory copied in a critical section");
	if (tf->tf_err & PGEX_RSV)
		panic_trap(tf, "reserved bit set in a page table");
	cpu_enable_intr();
	if (user_fault(va, tf->tf_err) != KERN_SUCCESS)
		tf->tf_rip = fixup;
	cpu_disable_intr();
}

/*
 * A page fault of a program: resolved, or SIGSEGV or SIGBUS.
 */
static void
user_page_fault(struct trapframe *tf, uint64_t va)
{
	int rv;

	if (tf->tf_err & PGEX_RSV)
		panic_trap(tf, "reserved bit set in a page table");
	rv = user_fault(va, tf->tf_err);
	if (likely(rv == KERN_SUCCESS))
		return;
	switch (rv) {
	case KERN_PROTECTION_FAILURE:
		trapsignal(curthread, SIGSEGV, SEGV_ACCERR, va);
		return;
	case KERN_FAILURE:
		trapsignal(curthread, SIGBUS, BUS_ADRERR, va);
		return;
	default:
		trapsignal(curthread, SIGSEGV, SEGV_MAPERR, va);
		return;
	}
}

/*
 * An exception of a program. Interrupts enabled; may sleep.
 */
static void
user_trap(struct trapframe *tf, uint64_t cr2)
{
	uint64_t no = tf->tf_trapno;

	if (no == T_PAGEFLT) {
		user_page_fault(tf, cr2);
		return;
	}
	if (no >= nitems(trap_signals) || trap_signals[no].sig == 0)
		panic_trap(tf, "unexpected trap from user mode");
	if (no == T_DEBUG)
		tf->tf_rflags &= ~(uint64_t)PSL_T;
	trapsignal(curthread, trap_signals[no].sig, trap_signals[no].code,
	    trap_signals[no].at_pc ? tf->tf_rip : 0);
}

/*
 * Is there anything to do before user mode? Interrupts disabled. An address
 * beyond 47 bits would make IRET fault.
 */
static inline bool
userret_wanted(const struct trapframe *tf)
{
	return tf->tf_rip >= VM_MAX_USER_ADDRESS || mycpu_asked(RQF_RESCHED) ||
	    (curthread->td_flags & TDF_SIGPENDING) != 0;
}

/*
 * Does it. Entered and left with interrupts disabled.
 */
static __noinline void
userret_work(struct trapframe *tf)
{
	do {
		cpu_enable_intr();
		if (tf->tf_rip >= VM_MAX_USER_ADDRESS) {
			uint64_t rip = tf->tf_rip;

			tf->tf_rip = 0;
			tf->tf_trapno = T_PROTECT;
			trapsignal(curthread, SIGSEGV, SEGV_MAPERR, rip);
		}
		sched_userret();
		if (curthread->td_flags & TDF_SIGPENDING)
			signal_userret(tf);
		cpu_disable_intr();
	} while (userret_wanted(tf));
}

/*
 * The last stop before user mode: reschedules and delivers signals until
 * there is nothing left to do, and returns with interrupts disabled so that
 * nothing more can come. Entered with interrupts either way.
 */
void
userret(struct trapframe *tf)
{
	const struct thread *td = curthread;

	KASSERT(
	    td->td_critcount == 0 && td->td_ntoks == 0 && td->td_nlocks == 0,
	    ("return to user mode with critcount %d, %d tokens, %d locks",
		td->td_critcount, td->td_ntoks, td->td_nlocks));
	cpu_disable_intr();
	if (unlikely(userret_wanted(tf)))
		userret_work(tf);
	KKASSERT(tf->tf_cs == GSEL_UCODE && tf->tf_ss == GSEL_UDATA);
}

/*
 * Every trap and interrupt but the paranoid ones, from vector.S, with
 * interrupts disabled; returns so, too.
 */
void
trap(struct trapframe *tf)
{
	uint64_t cr2;

	if (tf->tf_trapno >= VEC_LEGACY) {
		interrupt(tf);
		if (TF_USERMODE(tf)) {
			curthread->td_frame = tf;
			userret(tf);
		}
		return;
	}
	cnt_inc(v_trap);
	cr2 = read_cr2();
	if (TF_USERMODE(tf)) {
		curthread->td_frame = tf;
		cpu_enable_intr();
		user_trap(tf, cr2);
		userret(tf);
	} else if (tf->tf_trapno == T_PAGEFLT) {
		kernel_page_fault(tf, cr2);
	} else {
		panic_trap(tf, "trap in the kernel");
	}
}

/*
 * NMI, double fault, machine check: on a stack of their own, perhaps in
 * the middle of anything; take no lock.
 */
void
trap_paranoid(struct trapframe *tf)
{
	if (tf->tf_trapno == T_NMI) {
		cpu_where[mycpuid].rip = tf->tf_rip;
		cpu_where[mycpuid].rbp = tf->tf_rbp;
		/* The panicking CPU stops the others so. Else it came from
		 * outside, to find out where a hung kernel hangs. */
		if (panicking)
			cpu_stop();
		panic_trap(tf, "NMI: a post-mortem was asked for");
	}
	if (tf->tf_trapno == T_DOUBLE)
		panic_trap(tf, "double fault: is the kernel stack exhausted?");
	panic_trap(tf, "machine check");
}

/*
 * A system call, from vector.S with interrupts disabled; returns so.
 */
void
syscall_trap(struct trapframe *tf)
{
	curthread->td_frame = tf;
	cpu_enable_intr();
	cnt_inc(v_syscall);
	syscall(tf);
	userret(tf);
}

/*
 * Enters user mode with the registers of a thread's frame, which must lie
 * at the top of its stack. A new thread's way out.
 */
void
user_return(struct trapframe *tf)
{
	KKASSERT(tf == USER_FRAME(curthread));
	curthread->td_frame = tf;
	userret(tf);
	user_exit(tf);
}
