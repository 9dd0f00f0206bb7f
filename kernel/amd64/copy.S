/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * User memory from the kernel (contracts in kern/uaccess.h). The only code that
 * touches it: AC is set around each access, and each access has an entry in
 * the exception table, which makes an unresolvable fault an EFAULT.
 */
#include <asm/errno.h>

#include <amd64/asm.h>

#define VM_MAX_USER_ADDRESS 0x7ffffffff000

	.text

/* Goes to efault unless [reg, reg + len) is user addresses; clobbers rax
 * and r8. */
	.macro	CHECK_RANGE reg, len
	movabsq	$VM_MAX_USER_ADDRESS, %r8
	movq	\reg, %rax
	addq	\len, %rax
	jc	efault
	cmpq	%r8, %rax
	ja	efault
	.endm

efault:
	movl	$EFAULT, %eax
	ret
efault_clac:
	CLAC
	popq	%rbp
	movl	$EFAULT, %eax
	ret

/* rdi, rsi and rdx as for memcpy; eight bytes at a time and the rest. */
	.macro	COPY
	pushq	%rbp
	movq	%rsp, %rbp
	movq	%rdx, %rcx
	shrq	$3, %rcx
	STAC
8881:	rep movsq
	movl	%edx, %ecx
	andl	$7, %ecx
8882:	rep movsb
	CLAC
	popq	%rbp
	xorl	%eax, %eax
	ret
	EXTABLE	8881b, efault_clac
	EXTABLE	8882b, efault_clac
	.endm

/* int copyin(const void *uaddr, void *kaddr, size_t len) */
ENTRY(copyin)
	CHECK_RANGE %rdi, %rdx
	xchgq	%rdi, %rsi
	COPY
END(copyin)

/* int copyout(const void *kaddr, void *uaddr, size_t len) */
ENTRY(copyout)
	CHECK_RANGE %rsi, %rdx
	xchgq	%rdi, %rsi
	COPY
END(copyout)

/* int zeroout(void *uaddr, size_t len) */
ENTRY(zeroout)
	CHECK_RANGE %rdi, %rsi
	pushq	%rbp
	movq	%rsp, %rbp
	xorl	%eax, %eax
	movq	%rsi, %rcx
	shrq	$3, %rcx
	STAC
1:	rep stosq
	movl	%esi, %ecx
	andl	$7, %ecx
2:	rep stosb
	CLAC
	popq	%rbp
	ret
	EXTABLE	1b, efault_clac
	EXTABLE	2b, efault_clac
END(zeroout)

/* int copyinstr(const void *uaddr, char *kaddr, size_t max, size_t *lenp) */
ENTRY(copyinstr)
	pushq	%rbp
	movq	%rsp, %rbp
	movabsq	$VM_MAX_USER_ADDRESS, %r8
	xorl	%r9d, %r9d
	STAC
1:	cmpq	%rdx, %r9
	jae	3f
	cmpq	%r8, %rdi
	jae	efault_clac
2:	movb	(%rdi), %al
	movb	%al, (%rsi, %r9)
	incq	%r9
	incq	%rdi
	testb	%al, %al
	jnz	1b
	CLAC
	testq	%rcx, %rcx
	jz	4f
	movq	%r9, (%rcx)
4:	xorl	%eax, %eax
	popq	%rbp
	ret
3:	CLAC
	movl	$ENAMETOOLONG, %eax
	popq	%rbp
	ret
	EXTABLE	2b, efault_clac
END(copyinstr)

/* One word: uaddr in rdi, the rest by `insns', which may fault at 7771. */
	.macro	WORD size, insns:vararg
	CHECK_RANGE %rdi, $\size
	pushq	%rbp
	movq	%rsp, %rbp
	STAC
7771:	\insns
	CLAC
	EXTABLE	7771b, efault_clac
	.endm

/* int fuword32(const void *uaddr, uint32_t *valp) */
ENTRY(fuword32)
	WORD	4, movl (%rdi), %edx
	movl	%edx, (%rsi)
	popq	%rbp
	xorl	%eax, %eax
	ret
END(fuword32)

/* int suword32(void *uaddr, uint32_t val) */
ENTRY(suword32)
	WORD	4, movl %esi, (%rdi)
	popq	%rbp
	xorl	%eax, %eax
	ret
END(suword32)

/* int fuword64(const void *uaddr, uint64_t *valp) */
ENTRY(fuword64)
	WORD	8, movq (%rdi), %rdx
	movq	%rdx, (%rsi)
	popq	%rbp
	xorl	%eax, %eax
	ret
END(fuword64)

/* int suword64(void *uaddr, uint64_t val) */
ENTRY(suword64)
	WORD	8, movq %rsi, (%rdi)
	popq	%rbp
	xorl	%eax, %eax
	ret
END(suword64)

/* int casuword32(void *uaddr, uint32_t expect, uint32_t val,
 *     uint32_t *oldp) */
ENTRY(casuword32)
	CHECK_RANGE %rdi, $4
	pushq	%rbp
	movq	%rsp, %rbp
	movl	%esi, %eax
	STAC
1:	lock cmpxchgl %edx, (%rdi)
	CLAC
	movl	%eax, (%rcx)
	popq	%rbp
	xorl	%eax, %eax
	ret
	EXTABLE	1b, efault_clac
END(casuword32)

/* void pagezero(void *page) */
ENTRY(pagezero)
	xorl	%eax, %eax
	movl	$512, %ecx
	rep stosq
	ret
END(pagezero)

/* void pagecopy(const void *from, void *to) */
ENTRY(pagecopy)
	xchgq	%rdi, %rsi
	movl	$512, %ecx
	rep movsq
	ret
END(pagecopy)
	.section .note.GNU-stack, "", @progbits
