/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Signal frames, laid out as Linux lays them out on x86-64: from the stack
 * pointer up the return address, a ucontext, a siginfo, and, 64-byte
 * aligned, the FXSAVE image that uc_mcontext.fpstate points to.
 */
#include <linux/errno.h>
#include <linux/signal.h>

#include <asm/siginfo.h>
#include <asm/signal.h>
#include <asm/sigcontext.h>

#include <kern/kstring.h>
#include <kern/proc.h>
#include <kern/syscalls.h>
#include <kern/thread.h>
#include <kern/uaccess.h>

#include <amd64/cpufunc.h>
#include <amd64/frame.h>
#include <amd64/machdep.h>

#define RED_ZONE 128 /* below rsp, a leaf function's (x86-64 ABI, 3.2.2) */

/* uc_flags: ss is saved, and is meant to be restored. */
#define UC_SIGCONTEXT_SS     0x2
#define UC_STRICT_RESTORE_SS 0x4

struct ucontext_md {
	uint64_t uc_flags;
	uint64_t uc_link;
	stack_t uc_stack;
	struct sigcontext_64 uc_mcontext;
	uint64_t uc_sigmask;
};

struct sigframe {
	uint64_t sf_return;
	struct ucontext_md sf_uc;
	siginfo_t sf_info;
};

/* Bytes of an FXSAVE image that are software's: Linux tells there whether
 * more than FXSAVE's state follows. */
#define FX_SOFTWARE 464

static void
save_regs(struct sigcontext_64 *sc, const struct trapframe *tf,
    const struct ksiginfo *ksi, uint64_t oldmask)
{
	sc->r8 = tf->tf_r8;
	sc->r9 = tf->tf_r9;
	sc->r10 = tf->tf_r10;
	sc->r11 = tf->tf_r11;
	sc->r12 = tf->tf_r12;
	sc->r13 = tf->tf_r13;
	sc->r14 = tf->tf_r14;
	sc->r15 = tf->tf_r15;
	sc->di = tf->tf_rdi;
	sc->si = tf->tf_rsi;
	sc->bp = tf->tf_rbp;
	sc->bx = tf->tf_rbx;
	sc->dx = tf->tf_rdx;
	sc->ax = tf->tf_rax;
	sc->cx = tf->tf_rcx;
	sc->sp = tf->tf_rsp;
	sc->ip = tf->tf_rip;
	sc->flags = tf->tf_rflags;
	sc->cs = (uint16_t)tf->tf_cs;
	sc->ss = (uint16_t)tf->tf_ss;
	sc->oldmask = oldmask;
	if (tf->tf_trapno < VEC_LEGACY) {
		sc->trapno = tf->tf_trapno;
		sc->err = tf->tf_err;
		if (tf->tf_trapno == T_PAGEFLT)
			sc->cr2 = ksi->addr;
	}
}

/*
 * Takes over what a program may choose; segments and the system's flags stay
 * as they are.
 */
static void
restore_regs(struct trapframe *tf, const struct sigcontext_64 *sc)
{
	tf->tf_r8 = sc->r8;
	tf->tf_r9 = sc->r9;
	tf->tf_r10 = sc->r10;
	tf->tf_r11 = sc->r11;
	tf->tf_r12 = sc->r12;
	tf->tf_r13 = sc->r13;
	tf->tf_r14 = sc->r14;
	tf->tf_r15 = sc->r15;
	tf->tf_rdi = sc->di;
	tf->tf_rsi = sc->si;
	tf->tf_rbp = sc->bp;
	tf->tf_rbx = sc->bx;
	tf->tf_rdx = sc->dx;
	tf->tf_rax = sc->ax;
	tf->tf_rcx = sc->cx;
	tf->tf_rsp = sc->sp;
	tf->tf_rip = sc->ip;
	tf->tf_rflags = (tf->tf_rflags & ~(uint64_t)PSL_USERCHANGE) |
	    (sc->flags & PSL_USERCHANGE);
	/* rcx and r11 are no longer copies of rip and the flags: IRET. */
	tf->tf_trapno = 0;
}

/*
 * Where the frame goes: the alternate stack if the handler wants it and we
 * are not on it yet, else below the red zone.
 */
static uint64_t
choose_stack(const struct trapframe *tf, const struct ksigaction *sa)
{
	struct thread *td = curthread;

	if ((sa->sa_flags & SA_ONSTACK) && td->td_sigalt_size != 0 &&
	    !sig_on_altstack(tf->tf_rsp))
		return td->td_sigalt_sp + td->td_sigalt_size;
	return tf->tf_rsp - RED_ZONE;
}

/*
 * Builds the frame of a handler for the running thread and makes tf enter
 * it. EFAULT when the stack does not take it, or there is no restorer to
 * return by; tf is unchanged then. May sleep.
 */
int
sendsig(struct trapframe *tf, const struct ksigaction *sa,
    const struct ksiginfo *ksi, uint64_t oldmask)
{
	struct thread *td = curthread;
	struct sigframe sf;
	uint64_t sp = choose_stack(tf, sa), fp;

	if ((sa->sa_flags & SA_RESTORER) == 0)
		return EFAULT;
	fp = (sp - FPU_AREA_SIZE) & ~63UL;
	/* As after a call: 8 below a multiple of 16. */
	sp = ((fp - sizeof(sf)) & ~15UL) - 8;
	if (sp > fp || fp > VM_MAX_USER_ADDRESS)
		return EFAULT;

	memset(&sf, 0, sizeof(sf));
	sf.sf_return = sa->sa_restorer;
	sf.sf_uc.uc_flags = UC_SIGCONTEXT_SS | UC_STRICT_RESTORE_SS;
	sf.sf_uc.uc_stack.ss_sp = (void *)td->td_sigalt_sp;
	sf.sf_uc.uc_stack.ss_size = td->td_sigalt_size;
	sf.sf_uc.uc_stack.ss_flags = (int)td->td_sigalt_flags;
	save_regs(&sf.sf_uc.uc_mcontext, tf, ksi, oldmask);
	sf.sf_uc.uc_mcontext.fpstate = fp;
	sf.sf_uc.uc_sigmask = oldmask;
	ksiginfo_to_user(ksi, &sf.sf_info);

	crit_enter();
	fpu_save(td);
	crit_exit();
	memset((char *)td->td_md.md_fpu + FX_SOFTWARE, 0,
	    FPU_AREA_SIZE - FX_SOFTWARE);
	if (copyout(td->td_md.md_fpu, (void *)fp, FPU_AREA_SIZE) != 0 ||
	    copyout(&sf, (void *)sp, sizeof(sf)) != 0)
		return EFAULT;

	if (td->td_sigalt_flags & SS_AUTODISARM) {
		td->td_sigalt_sp = 0;
		td->td_sigalt_size = 0;
		td->td_sigalt_flags = SS_DISABLE;
	}
	tf->tf_rdi = (uint64_t)ksi->signo;
	tf->tf_rsi = sp + offsetof(struct sigframe, sf_info);
	tf->tf_rdx = sp + offsetof(struct sigframe, sf_uc);
	tf->tf_rax = 0;
	tf->tf_rsp = sp;
	tf->tf_rip = sa->sa_handler;
	tf->tf_rflags &= ~(uint64_t)(PSL_D | PSL_RF | PSL_T);
	tf->tf_trapno = 0;
	return 0;
}

/*
 * Loads the FXSAVE image at uaddr; a null pointer means a fresh state.
 */
static int
restore_fpu(struct thread *td, const void *uaddr)
{
	uint8_t image[FPU_AREA_SIZE] __aligned(16);

	if (uaddr == NULL)
		fpu_init_area(image);
	else if (copyin(uaddr, image, sizeof(image)) != 0)
		return EFAULT;
	if (fpu_sanitize(image) != 0)
		return EFAULT;
	crit_enter();
	memcpy(td->td_md.md_fpu, image, sizeof(image));
	fpu_restore(td);
	crit_exit();
	return 0;
}

/*
 * Back from a handler: the restorer calls with the stack pointer just above
 * the frame's return address. The result is what rax was; a frame that
 * cannot be read is a SIGSEGV.
 */
long
sys_rt_sigreturn(void)
{
	struct thread *td = curthread;
	struct trapframe *tf = USER_FRAME(td);
	struct ucontext_md uc;
	const stack_t *ss = &uc.uc_stack;

	if (copyin((void *)tf->tf_rsp, &uc, sizeof(uc)) != 0 ||
	    restore_fpu(td, (void *)uc.uc_mcontext.fpstate) != 0) {
		trapsignal(td, SIGSEGV, SI_KERNEL, 0);
		return 0;
	}
	restore_regs(tf, &uc.uc_mcontext);
	if (!sig_on_altstack(tf->tf_rsp) &&
	    (ss->ss_size >= MINSIGSTKSZ || ss->ss_size == 0)) {
		td->td_sigalt_sp = (uint64_t)ss->ss_sp;
		td->td_sigalt_size = ss->ss_size;
		td->td_sigalt_flags = (uint32_t)ss->ss_flags &
		    (SS_AUTODISARM | SS_DISABLE | SS_ONSTACK);
	}
	signal_setmask(uc.uc_sigmask);
	return (long)tf->tf_rax;
}
