/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where a secondary CPU starts: real mode, at CS:IP = vv00:0000 for startup
 * vector vv (SDM vol. 3, 8.4.3). mp.c copies this code to that page, which
 * the first page tables map at its own address, and fills in ap_args. All
 * addresses are therefore relative to the page, whose address is EBX.
 */
#include <amd64/specialreg.h>

	.section .rodata
	.globl ap_trampoline, ap_trampoline_end
	.globl ap_args
	.balign 16
	.code16
ap_trampoline:
	cli
	cld
	xorl	%ebx, %ebx
	movw	%cs, %bx
	movw	%bx, %ds
	shll	$4, %ebx

	/* The descriptor table's and the jump's addresses become absolute. */
	leal	(ap_gdt - ap_trampoline)(%ebx), %eax
	movl	%eax, ap_gdtr + 2 - ap_trampoline
	leal	(ap_long - ap_trampoline)(%ebx), %eax
	movl	%eax, ap_far - ap_trampoline
	lgdtl	ap_gdtr - ap_trampoline

	movl	$CR4_PAE, %eax
	movl	%eax, %cr4
	movl	ap_arg_cr3 - ap_trampoline, %eax
	movl	%eax, %cr3
	movl	$MSR_EFER, %ecx
	rdmsr
	orl	$EFER_LME, %eax
	orl	ap_arg_efer - ap_trampoline, %eax
	wrmsr
	movl	%cr0, %eax
	andl	$~(CR0_NW | CR0_CD), %eax
	orl	$(CR0_PG | CR0_PE), %eax
	movl	%eax, %cr0
	ljmpl	*ap_far - ap_trampoline

	.code64
ap_long:
	movl	$GSEL_KDATA, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	xorl	%eax, %eax
	movl	%eax, %fs
	movl	%eax, %gs
	movl	%ebx, %ebx
	movq	(ap_arg_stack - ap_trampoline)(%rbx), %rsp
	movq	(ap_arg_data - ap_trampoline)(%rbx), %rdi
	movq	(ap_arg_pml4 - ap_trampoline)(%rbx), %rsi
	movabsq	$ap_high, %rax
	jmp	*%rax

	.balign 8
ap_gdt:
	.quad	0
	.quad	0x00cf9b000000ffff
	.quad	0x00af9b000000ffff
	.quad	0x00cf93000000ffff
ap_gdtr:
	.short	. - ap_gdt - 1
	.long	0
	.balign 4
ap_far:
	.long	0
	.short	GSEL_KCODE
	.balign 8
	/* struct ap_args, mp.c */
ap_args:
ap_arg_stack:
	.quad	0
ap_arg_data:
	.quad	0
ap_arg_pml4:
	.quad	0
ap_arg_cr3:
	.long	0
ap_arg_efer:
	.long	0
ap_trampoline_end:

	/* The first instructions at their linked address: the stack is mapped
	 * by the kernel's own page tables only. */
	.text
	.type ap_high, @function
ap_high:
	movq	%rsi, %cr3
	xorl	%ebp, %ebp
	pushq	$0
	jmp	ap_main
	.size ap_high, . - ap_high
	.section .note.GNU-stack, "", @progbits
