/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The registers of an interrupted context, as the entry code lays them out.
 *
 * A frame that comes from user mode always lies at the very top of the
 * thread's kernel stack, whether it came by SYSCALL, a trap or an
 * interrupt, and is always complete: USER_FRAME(td) is a thread's user
 * state while it is in the kernel.
 */
#ifndef AMD64_FRAME_H
#define AMD64_FRAME_H

/* Trap numbers are vectors (SDM vol. 3, table 6-1). */
#define T_DIVIDE     0
#define T_DEBUG	     1
#define T_NMI	     2
#define T_BREAKPOINT 3
#define T_OVERFLOW   4
#define T_BOUND	     5
#define T_INVOPCODE  6
#define T_NODEVICE   7
#define T_DOUBLE     8
#define T_TSS	     10
#define T_NOSEGMENT  11
#define T_STACK	     12
#define T_PROTECT    13
#define T_PAGEFLT    14
#define T_FPERR	     16
#define T_ALIGN	     17
#define T_MACHCHECK  18
#define T_SIMD	     19

#define VEC_LEGACY   0x20 /* 16 of them: the masked PIC's stray interrupts */
#define VEC_IRQ	     0x30 /* I/O APIC inputs, one each */
#define VEC_IRQ_LAST 0x4f
#define VEC_TIMER    0xef
#define VEC_INVAL    0xf0 /* TLB shootdown: served at once, always */
#define VEC_WAKEUP   0xf1 /* look at the run queue */
#define VEC_ERROR    0xfe
#define VEC_SPURIOUS 0xff

#define T_SYSCALL 0x100 /* not a vector: entered by SYSCALL */

#ifndef __ASSEMBLER__

#include <kern/types.h>

struct trapframe {
	uint64_t tf_r15;
	uint64_t tf_r14;
	uint64_t tf_r13;
	uint64_t tf_r12;
	uint64_t tf_rbp;
	uint64_t tf_rbx;
	uint64_t tf_r11;
	uint64_t tf_r10;
	uint64_t tf_r9;
	uint64_t tf_r8;
	uint64_t tf_rax;
	uint64_t tf_rcx;
	uint64_t tf_rdx;
	uint64_t tf_rsi;
	uint64_t tf_rdi;
	/* T_*. While it is T_SYSCALL, the return to user mode may use SYSRET,
	 * which gives rcx and r11 the values of rip and rflags: who rewrites
	 * the frame (exec, signals) sets it to 0 and so asks for IRET. */
	uint64_t tf_trapno;
	/* The CPU's error code; after SYSCALL the number called (rax then). */
	uint64_t tf_err;
	uint64_t tf_rip;
	uint64_t tf_cs;
	uint64_t tf_rflags;
	uint64_t tf_rsp;
	uint64_t tf_ss;
};
_Static_assert(sizeof(struct trapframe) == 176, "known to the entry code");

#define TF_USERMODE(tf) (((tf)->tf_cs & 3) != 0)
#define USER_FRAME(td) \
	((struct trapframe *)((td)->td_kstack + (td)->td_kstack_size) - 1)

#endif
#endif
