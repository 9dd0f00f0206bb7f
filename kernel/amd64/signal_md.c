/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The frame that a signal handler runs on, in Linux's x86-64 layout
 * (struct rt_sigframe of arch/x86/include/asm/sigframe.h there): the return
 * address, which leads to rt_sigreturn, a ucontext, a siginfo, and above
 * them the FXSAVE area.
 */
#include <linux/errno.h>
#include <linux/signal.h>

#include <asm/siginfo.h>
#include <asm/sigcontext.h>
#include <asm/ucontext.h>

#include <kern/kmalloc.h>
#include <kern/kstring.h>
#include <kern/proc.h>
#include <kern/uaccess.h>

#include <amd64/frame.h>
#include <amd64/machdep.h>
#include <amd64/specialreg.h>

#define REDZONE 128 /* below rsp, the program's: x86-64 psABI, 3.2.2 */

/* The software's bytes of an FXSAVE area, where Linux tells whether more
 * than FXSAVE's state follows: zero means no. */
#define FX_SOFTWARE 464

struct rt_sigframe {
	uint64_t pretcode;
	struct ucontext uc;
	siginfo_t info;
};

/* Offsets that programs know from <sys/ucontext.h>. */
_Static_assert(sizeof(struct ucontext) == 304, "ABI");
_Static_assert(offsetof(struct ucontext, uc_mcontext) == 40, "ABI");
_Static_assert(offsetof(struct ucontext, uc_sigmask) == 296, "ABI");
_Static_assert(sizeof(siginfo_t) == 128, "ABI");

MALLOC_DEFINE(M_SIGFRAME, "sigframe");

/*
 * Fills in the fields of a user's siginfo that belong to the code.
 */
void
ksiginfo_to_user(const struct ksiginfo *ksi, void *siginfo)
{
	siginfo_t *info = siginfo;

	info->si_signo = ksi->signo;
	info->si_code = ksi->code;
	if (ksi->code <= 0) {
		info->si_pid = ksi->pid;
		info->si_uid = (uint32_t)ksi->uid;
		return;
	}
	switch (ksi->signo) {
	case SIGCHLD:
		info->si_pid = ksi->pid;
		info->si_uid = (uint32_t)ksi->uid;
		info->si_status = ksi->status;
		break;
	case SIGSEGV:
	case SIGBUS:
	case SIGILL:
	case SIGFPE:
	case SIGTRAP:
		info->si_addr = (void *)ksi->addr;
		break;
	default:
		break;
	}
}

/*
 * The interrupted registers, as the handler sees them in uc_mcontext. The
 * trap's number, error code and address are those of the last exception.
 */
static void
fill_sigcontext(struct sigcontext *sc, const struct trapframe *tf,
    const struct ksiginfo *ksi, uint64_t mask, uint64_t fpstate)
{
	sc->r8 = tf->tf_r8;
	sc->r9 = tf->tf_r9;
	sc->r10 = tf->tf_r10;
	sc->r11 = tf->tf_r11;
	sc->r12 = tf->tf_r12;
	sc->r13 = tf->tf_r13;
	sc->r14 = tf->tf_r14;
	sc->r15 = tf->tf_r15;
	sc->rdi = tf->tf_rdi;
	sc->rsi = tf->tf_rsi;
	sc->rbp = tf->tf_rbp;
	sc->rbx = tf->tf_rbx;
	sc->rdx = tf->tf_rdx;
	sc->rax = tf->tf_rax;
	sc->rcx = tf->tf_rcx;
	sc->rsp = tf->tf_rsp;
	sc->rip = tf->tf_rip;
	sc->eflags = tf->tf_rflags;
	sc->cs = (uint16_t)tf->tf_cs;
	sc->ss = (uint16_t)tf->tf_ss;
	if (tf->tf_trapno < VEC_LEGACY && ksi->code > 0) {
		sc->trapno = tf->tf_trapno;
		sc->err = tf->tf_err;
		if (tf->tf_trapno == T_PAGEFLT) {
			sc->cr2 = ksi->addr;
			/* What is mapped in the kernel is not to be told. */
			if (ksi->addr >= VM_MAX_USER_ADDRESS)
				sc->err |= PGEX_P;
		}
	}
	sc->oldmask = mask;
	sc->fpstate = (void *)fpstate;
}

/*
 * Where the frame goes: on the alternate stack if the handler wants it and
 * the program is not there yet, else below the red zone. *fpp is the place
 * of the FXSAVE area, 64-byte aligned; the frame lies so that the handler
 * finds rsp + 8 a multiple of 16, as after a call. 0 when the alternate
 * stack is too small.
 */
static uint64_t
place_frame(
    const struct trapframe *tf, const struct ksigaction *sa, uint64_t *fpp)
{
	struct thread *td = curthread;
	uint64_t sp = tf->tf_rsp - REDZONE;
	bool onstack = sig_on_altstack(tf->tf_rsp);

	if ((sa->sa_flags & SA_ONSTACK) && td->td_sigalt_size != 0 &&
	    !onstack) {
		sp = td->td_sigalt_sp + td->td_sigalt_size;
		onstack = true;
	}
	sp = (sp - FPU_AREA_SIZE) & ~63UL;
	*fpp = sp;
	sp = ((sp - sizeof(struct rt_sigframe)) & ~15UL) - 8;
	if (onstack &&
	    (sp < td->td_sigalt_sp ||
		sp >= td->td_sigalt_sp + td->td_sigalt_size))
		return 0;
	return sp;
}

/*
 * Makes the running thread continue in the handler. The mask is not changed
 * here. EFAULT, with nothing of the thread changed: the stack is no good or
 * there is no restorer.
 */
int
sendsig(struct trapframe *tf, const struct ksigaction *sa,
    const struct ksiginfo *ksi, uint64_t oldmask)
{
	struct thread *td = curthread;
	struct rt_sigframe *frame;
	uint64_t sp, fp;
	int error;

	sp = place_frame(tf, sa, &fp);
	if (sp == 0 || (sa->sa_flags & SA_RESTORER) == 0)
		return EFAULT;
	crit_enter();
	fpu_save(td);
	crit_exit();
	memset((char *)td->td_md.md_fpu + FX_SOFTWARE, 0,
	    FPU_AREA_SIZE - FX_SOFTWARE);
	error = copyout(td->td_md.md_fpu, (void *)fp, FPU_AREA_SIZE);
	if (error != 0)
		return error;
	frame = kmalloc(sizeof(*frame), &M_SIGFRAME, M_WAITOK | M_ZERO);
	frame->pretcode = sa->sa_restorer;
	frame->uc.uc_flags = UC_SIGCONTEXT_SS | UC_STRICT_RESTORE_SS;
	frame->uc.uc_stack.ss_sp = (void *)td->td_sigalt_sp;
	frame->uc.uc_stack.ss_size = td->td_sigalt_size;
	frame->uc.uc_stack.ss_flags = (int)td->td_sigalt_flags;
	fill_sigcontext(&frame->uc.uc_mcontext, tf, ksi, oldmask, fp);
	frame->uc.uc_sigmask = oldmask;
	ksiginfo_to_user(ksi, &frame->info);
	error = copyout(frame, (void *)sp, sizeof(*frame));
	kfree(frame, &M_SIGFRAME);
	if (error != 0)
		return error;
	if (td->td_sigalt_flags & SS_AUTODISARM) {
		td->td_sigalt_sp = td->td_sigalt_size = 0;
		td->td_sigalt_flags = SS_DISABLE;
	}
	tf->tf_rdi = (uint64_t)ksi->signo;
	tf->tf_rsi = sp + offsetof(struct rt_sigframe, info);
	tf->tf_rdx = sp + offsetof(struct rt_sigframe, uc);
	tf->tf_rax = 0;
	tf->tf_rsp = sp;
	tf->tf_rip = sa->sa_handler;
	tf->tf_rflags &= ~(uint64_t)(PSL_D | PSL_RF | PSL_T);
	tf->tf_trapno = 0;
	return 0;
}

/*
 * The program's floating-point registers from its frame; a frame without
 * them means a fresh state. EFAULT, EINVAL.
 */
static int
restore_fpu(struct thread *td, const void *fpstate)
{
	uint8_t *area;
	int error = 0;

	area = kmalloc(FPU_AREA_SIZE, &M_SIGFRAME, M_WAITOK);
	if (fpstate == NULL)
		fpu_init_area(area);
	else
		error = copyin(fpstate, area, FPU_AREA_SIZE);
	if (error == 0)
		error = fpu_sanitize(area);
	if (error == 0) {
		crit_enter();
		memcpy(td->td_md.md_fpu, area, FPU_AREA_SIZE);
		fpu_restore(td);
		crit_exit();
	}
	kfree(area, &M_SIGFRAME);
	return error;
}

/*
 * Puts back the registers of a signal frame, none of which is believed: the
 * selectors must be a program's own, of the flags only those count that a
 * program may change, and where it goes must be a user address. EINVAL.
 */
static int
restore_sigcontext(struct trapframe *tf, const struct sigcontext *sc)
{
	if (sc->cs != GSEL_UCODE || sc->ss != GSEL_UDATA ||
	    sc->rip >= VM_MAX_USER_ADDRESS)
		return EINVAL;
	tf->tf_r8 = sc->r8;
	tf->tf_r9 = sc->r9;
	tf->tf_r10 = sc->r10;
	tf->tf_r11 = sc->r11;
	tf->tf_r12 = sc->r12;
	tf->tf_r13 = sc->r13;
	tf->tf_r14 = sc->r14;
	tf->tf_r15 = sc->r15;
	tf->tf_rdi = sc->rdi;
	tf->tf_rsi = sc->rsi;
	tf->tf_rbp = sc->rbp;
	tf->tf_rbx = sc->rbx;
	tf->tf_rdx = sc->rdx;
	tf->tf_rax = sc->rax;
	tf->tf_rcx = sc->rcx;
	tf->tf_rsp = sc->rsp;
	tf->tf_rip = sc->rip;
	tf->tf_rflags = (tf->tf_rflags & ~(uint64_t)PSL_USERCHANGE) |
	    (sc->eflags & PSL_USERCHANGE);
	tf->tf_trapno = 0;
	return 0;
}

/*
 * The alternate stack as the frame has it, when it is one.
 */
static void
restore_altstack(struct thread *td, const stack_t *ss)
{
	int mode = ss->ss_flags & (int)~SS_AUTODISARM;

	if (sig_on_altstack(USER_FRAME(td)->tf_rsp))
		return;
	if (mode == SS_DISABLE) {
		td->td_sigalt_sp = td->td_sigalt_size = 0;
	} else if ((mode == 0 || mode == SS_ONSTACK) &&
	    ss->ss_size >= MINSIGSTKSZ) {
		td->td_sigalt_sp = (uint64_t)ss->ss_sp;
		td->td_sigalt_size = ss->ss_size;
	} else {
		return;
	}
	td->td_sigalt_flags = (uint32_t)ss->ss_flags;
}

/*
 * The handler returned through its restorer, which popped the return
 * address: the frame begins 8 bytes below. A bad frame is a SIGSEGV.
 */
long
sys_rt_sigreturn(void)
{
	struct thread *td = curthread;
	struct trapframe *tf = USER_FRAME(td);
	struct ucontext uc;
	uint64_t at = tf->tf_rsp - sizeof(uint64_t);

	if (copyin((void *)(at + offsetof(struct rt_sigframe, uc)), &uc,
		sizeof(uc)) != 0)
		goto bad;
	if (restore_sigcontext(tf, &uc.uc_mcontext) != 0)
		goto bad;
	signal_setmask(uc.uc_sigmask);
	if (restore_fpu(td, uc.uc_mcontext.fpstate) != 0)
		goto bad;
	restore_altstack(td, &uc.uc_stack);
	return (long)tf->tf_rax;
bad:
	trapsignal(td, SIGSEGV, SI_KERNEL, 0);
	return 0;
}
