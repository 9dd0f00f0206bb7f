/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For assembly: functions, offsets into C structures, saving registers.
 * amd64/asm_check.c has the compiler check every offset.
 */
#ifndef AMD64_ASM_H
#define AMD64_ASM_H

/* struct globaldata, by %gs */
#define GD_CURTHREAD  8
#define GD_USER_RSP   16
#define GD_KSTACK_TOP 24

/* struct thread */
#define TD_RSP 0

/* struct trapframe */
#define TF_TRAPNO 120
#define TF_RIP	  136
#define TF_CS	  144
#define TF_RFLAGS 152
#define TF_RSP	  160

#ifdef __ASSEMBLER__
/* clang-format off */

#define ENTRY(name) \
	.balign 16; .globl name; .type name, @function; name:
#define END(name) .size name, . - name

/* Registers of struct trapframe, from tf_rdi down to tf_r15. */
	.macro	PUSH_REGS
	pushq	%rdi
	pushq	%rsi
	pushq	%rdx
	pushq	%rcx
	pushq	%rax
	pushq	%r8
	pushq	%r9
	pushq	%r10
	pushq	%r11
	pushq	%rbx
	pushq	%rbp
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	.endm

	.macro	POP_REGS
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbp
	popq	%rbx
	popq	%r11
	popq	%r10
	popq	%r9
	popq	%r8
	popq	%rax
	popq	%rcx
	popq	%rdx
	popq	%rsi
	popq	%rdi
	.endm

/* Three-byte no-ops that smap_patch() turns into the instruction. */
	.macro	SMAP_FIXUP b0, b1, b2
99991:	.byte	0x0f, 0x1f, 0x00
	.pushsection smap_fixups, "a"
	.quad	99991b
	.byte	\b0, \b1, \b2, 0, 0, 0, 0, 0
	.popsection
	.endm
#define CLAC SMAP_FIXUP 0x0f, 0x01, 0xca
#define STAC SMAP_FIXUP 0x0f, 0x01, 0xcb

/* A fault at `at' continues at `to' when the page cannot be had. */
	.macro	EXTABLE at, to
	.pushsection ex_table, "a"
	.quad	\at, \to
	.popsection
	.endm

/* clang-format on */
#endif
#endif
