/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Entry from traps and interrupts, and the way back.
 *
 * Every vector has a stub that completes the frame to a struct trapframe
 * (frame.h) and goes to `alltraps', or to `paranoid' for the three that can
 * hit where the GS base may be either the user's or ours.
 */
#include <amd64/asm.h>
#include <amd64/frame.h>
#include <amd64/specialreg.h>

	.text

	/* Vectors for which the CPU pushes an error code: 8 10-14 17 21
	 * 29 30. */
#define HAS_ERROR 0x60227d00

	.macro	STUB vec
	.balign	16
vec_\vec:
	.set	has_error, 0
	.if	\vec < 32
	.set	has_error, (HAS_ERROR >> \vec) % 2
	.endif
	.if	has_error == 0
	pushq	$0
	.endif
	pushq	$\vec
	.if (\vec == T_NMI) || (\vec == T_DOUBLE) || (\vec == T_MACHCHECK)
	jmp	paranoid
	.else
	jmp	alltraps
	.endif
	.endm

	.altmacro
	.set	v, 0
	.rept	256
	STUB	%v
	.set	v, v + 1
	.endr

	.macro	ADDRESS vec
	.quad	vec_\vec
	.endm
	.section .rodata
	.balign	8
	.globl	intr_vectors
intr_vectors:
	.set	v, 0
	.rept	256
	ADDRESS	%v
	.set	v, v + 1
	.endr
	.noaltmacro
	.text

/*
 * The general case: GS is the user's exactly when CS is.
 */
ENTRY(alltraps)
	testb	$3, 24(%rsp)	/* cs */
	jz	1f
	swapgs
1:	PUSH_REGS
	CLAC
	cld
	movq	%rsp, %rdi
	call	trap
	/* trap_return is also what the stack tracer knows an interrupted
	 * function by: a frame of registers follows. trap() has disabled
	 * interrupts. */
	.globl	trap_return
trap_return:
	testb	$3, TF_CS(%rsp)
	jnz	user_exit_frame
	POP_REGS
	addq	$16, %rsp	/* trapno, err */
	iretq
END(alltraps)

/*
 * Back to user mode. user_exit(tf) is the same for C; interrupts are
 * disabled and stay so.
 */
ENTRY(user_exit)
	movq	%rdi, %rsp
user_exit_frame:
	cmpq	$T_SYSCALL, TF_TRAPNO(%rsp)
	jne	2f
	/* SYSRET cannot single-step or resume, and with a non-canonical rip
	 * it faults in kernel mode on the user's stack (SDM vol. 2,
	 * SYSRET): such frames take IRET. */
	testl	$(PSL_T | PSL_RF), TF_RFLAGS(%rsp)
	jnz	2f
	movq	TF_RIP(%rsp), %rcx
	shrq	$47, %rcx
	jnz	2f
	POP_REGS
	movq	TF_RIP - TF_TRAPNO(%rsp), %rcx
	movq	TF_RFLAGS - TF_TRAPNO(%rsp), %r11
	movq	TF_RSP - TF_TRAPNO(%rsp), %rsp
	swapgs
	sysretq
2:	POP_REGS
	addq	$16, %rsp
	swapgs
	iretq
END(user_exit)

/*
 * SYSCALL: rcx is the user's rip, r11 its flags; the stack is still the
 * user's and interrupts are off. No nested trap may happen until the stack
 * is ours.
 */
ENTRY(syscall_entry)
	swapgs
	movq	%rsp, %gs:GD_USER_RSP
	movq	%gs:GD_KSTACK_TOP, %rsp
	pushq	$GSEL_UDATA
	pushq	%gs:GD_USER_RSP
	pushq	%r11
	pushq	$GSEL_UCODE
	pushq	%rcx
	pushq	%rax		/* tf_err: the number */
	pushq	$T_SYSCALL
	PUSH_REGS
	movq	%rsp, %rdi
	call	syscall_trap
	jmp	user_exit_frame
END(syscall_entry)

/*
 * NMI, double fault, machine check: on their own stacks. The sign of the GS
 * base tells whose it is, since the kernel's is in the upper half and a
 * user's never is. rbx is preserved by C and remembers what to undo.
 */
ENTRY(paranoid)
	PUSH_REGS
	CLAC
	cld
	xorl	%ebx, %ebx
	movl	$MSR_GSBASE, %ecx
	rdmsr
	testl	%edx, %edx
	js	3f
	swapgs
	incl	%ebx
3:	movq	%rsp, %rdi
	call	trap_paranoid
	testl	%ebx, %ebx
	jz	4f
	swapgs
4:	POP_REGS
	addq	$16, %rsp
	iretq
END(paranoid)
	.section .note.GNU-stack, "", @progbits
