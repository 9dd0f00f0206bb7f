/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where GRUB enters: 32-bit protected mode, paging off, the multiboot2
 * magic in EAX and the information's address in EBX. This code is linked at
 * its load address. It makes the first page tables, which map the low 4 GiB
 * three times (at 0, at DMAP_BASE, and the first GiB at KERNBASE), switches
 * to long mode and calls amd64_init() in the higher half.
 *
 * (Multiboot2 specification 2.0, 3.1 and 3.3; SDM vol. 3, 9.8.5.)
 */
#include <amd64/specialreg.h>

#define MB2_MAGIC	 0xe85250d6
#define MB2_LOADER_MAGIC 0x36d76289
#define KERNBASE	 0xffffffff80000000

#define PG_V  0x001
#define PG_RW 0x002
#define PG_PCD 0x010
#define PG_PS 0x080

	.section .multiboot, "a"
	.balign 8
mb2_header:
	.long	MB2_MAGIC, 0, mb2_end - mb2_header
	.long	-(MB2_MAGIC + 0 + (mb2_end - mb2_header))
	/* Wanted: command line 1, modules 3, memory map 6, ELF sections 9. */
	.balign 8
	.short	1, 0
	.long	24
	.long	1, 3, 6, 9
	/* Modules start at page boundaries. */
	.balign 8
	.short	6, 0
	.long	8
	.balign 8
	.short	0, 0
	.long	8
mb2_end:

	.section .boot.text, "ax"
	.code32
	.globl boot_entry
boot_entry:
	cli
	cld
	cmpl	$MB2_LOADER_MAGIC, %eax
	jne	not_multiboot

	/* Four page directories of 2 MiB pages: the low 4 GiB. The last GiB,
	 * where the APICs are, is mapped uncached. */
	movl	$early_pd - KERNBASE, %edi
	movl	$(PG_V | PG_RW | PG_PS), %eax
	xorl	%ecx, %ecx
1:	cmpl	$(3 * 512), %ecx
	jb	2f
	orl	$PG_PCD, %eax
2:	movl	%eax, (%edi, %ecx, 8)
	movl	$0, 4(%edi, %ecx, 8)
	addl	$0x200000, %eax
	incl	%ecx
	cmpl	$2048, %ecx
	jb	1b

	/* One table of directory pointers serves the low and the direct map,
	 * another the kernel's last 2 GiB. */
	movl	$early_pdp - KERNBASE, %edi
	movl	$(early_pd - KERNBASE + PG_V + PG_RW), %eax
	movl	%eax, 0(%edi)
	addl	$0x1000, %eax
	movl	%eax, 8(%edi)
	addl	$0x1000, %eax
	movl	%eax, 16(%edi)
	addl	$0x1000, %eax
	movl	%eax, 24(%edi)
	movl	$(early_pd - KERNBASE + PG_V + PG_RW), early_pdp_high - \
	    KERNBASE + 510 * 8

	movl	$early_pml4 - KERNBASE, %edi
	movl	$(early_pdp - KERNBASE + PG_V + PG_RW), %eax
	movl	%eax, 0(%edi)
	movl	%eax, 256 * 8(%edi)
	movl	$(early_pdp_high - KERNBASE + PG_V + PG_RW), 511 * 8(%edi)

	movl	%cr4, %eax
	orl	$CR4_PAE, %eax
	movl	%eax, %cr4
	movl	%edi, %cr3
	movl	$MSR_EFER, %ecx
	rdmsr
	orl	$EFER_LME, %eax
	wrmsr
	movl	%cr0, %eax
	andl	$~(CR0_NW | CR0_CD), %eax
	orl	$(CR0_PG | CR0_PE), %eax
	movl	%eax, %cr0
	lgdt	boot_gdtr
	ljmp	$GSEL_KCODE, $boot_long

	/* Nothing is known about who started us: say so where it may be
	 * seen, on COM1, and stop. */
not_multiboot:
	movl	$not_multiboot_msg, %esi
3:	lodsb
	testb	%al, %al
	jz	4f
	movw	$0x3f8, %dx
	outb	%al, %dx
	jmp	3b
4:	movb	$0x11, %al
	outb	%al, $0xf4
5:	hlt
	jmp	5b

	.code64
boot_long:
	movl	$GSEL_KDATA, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	xorl	%eax, %eax
	movl	%eax, %fs
	movl	%eax, %gs
	movabsq	$boot_high, %rax
	jmp	*%rax

	.section .boot.data, "a"
not_multiboot_msg:
	.asciz	"Nymph: not started by a multiboot2 loader\r\n"
	.balign 8
boot_gdt:
	.quad	0
	.quad	0x00cf9b000000ffff	/* GSEL_KCODE32 */
	.quad	0x00af9b000000ffff	/* GSEL_KCODE */
	.quad	0x00cf93000000ffff	/* GSEL_KDATA */
boot_gdtr:
	.short	. - boot_gdt - 1
	.long	boot_gdt

	/* The first instructions at their linked address. The frame pointer
	 * of 0 ends every back trace. */
	.section .text.entry, "ax"
	.globl boot_high
	.type boot_high, @function
boot_high:
	movq	$boot_stack_top, %rsp
	xorl	%ebp, %ebp
	pushq	$0
	popfq
	movl	%ebx, %edi
	call	amd64_init
6:	hlt
	jmp	6b
	.size boot_high, . - boot_high

	.section .bss.pages, "aw", @nobits
	.balign 4096
	.globl early_pml4
early_pml4:
	.skip	4096
early_pdp:
	.skip	4096
early_pdp_high:
	.skip	4096
early_pd:
	.skip	4 * 4096
	/* Left unmapped by kvm_init(): an overflow faults. */
	.skip	4096
	.globl boot_stack, boot_stack_top
boot_stack:
	.skip	16384
boot_stack_top:
	.section .note.GNU-stack, "", @progbits
