/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Changing threads.
 */
#include <amd64/asm.h>

	.text

/*
 * struct thread *cpu_switch(struct thread *from, struct thread *to)
 *
 * Leaves what C expects preserved on the old stack, takes it from the new
 * one and returns there, with `from' as the result. Interrupts are disabled
 * on both sides. The flags need no saving for that reason.
 */
ENTRY(cpu_switch)
	pushq	%rbp
	pushq	%rbx
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	movq	%rsp, TD_RSP(%rdi)
	movq	TD_RSP(%rsi), %rsp
	movq	%rdi, %rax
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbx
	popq	%rbp
	ret
END(cpu_switch)

/*
 * Where the first cpu_switch to a thread returns to: cpu_thread_init() laid
 * out the stack. rax is the thread that was left. A zero rbp ends the
 * stack trace.
 */
ENTRY(thread_trampoline)
	xorl	%ebp, %ebp
	movq	%rax, %rdi
	pushq	$0
	call	thread_begin
	ud2
END(thread_trampoline)
	.section .note.GNU-stack, "", @progbits
