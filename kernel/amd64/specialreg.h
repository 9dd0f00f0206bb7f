/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bits of the processor's special registers, by the manuals' names
 * (SDM vol. 3, 2.3 to 2.5, and vol. 4). Also read by assembly.
 */
#ifndef AMD64_SPECIALREG_H
#define AMD64_SPECIALREG_H

#define CR0_PE 0x00000001
#define CR0_MP 0x00000002
#define CR0_EM 0x00000004
#define CR0_TS 0x00000008
#define CR0_NE 0x00000020
#define CR0_WP 0x00010000
#define CR0_NW 0x20000000
#define CR0_CD 0x40000000
#define CR0_PG 0x80000000

#define CR4_PAE	       0x00000020
#define CR4_PGE	       0x00000080
#define CR4_OSFXSR     0x00000200
#define CR4_OSXMMEXCPT 0x00000400
#define CR4_FSGSBASE   0x00010000
#define CR4_OSXSAVE    0x00040000
#define CR4_SMEP       0x00100000
#define CR4_SMAP       0x00200000

#define MSR_APICBASE 0x01b
#define MSR_PAT	     0x277
#define MSR_EFER     0xc0000080
#define MSR_STAR     0xc0000081
#define MSR_LSTAR    0xc0000082
#define MSR_SFMASK   0xc0000084
#define MSR_FSBASE   0xc0000100
#define MSR_GSBASE   0xc0000101
#define MSR_KGSBASE  0xc0000102 /* what swapgs exchanges with */

#define APICBASE_BSP	0x100
#define APICBASE_X2APIC 0x400
#define APICBASE_ENABLE 0x800

#define EFER_SCE 0x001
#define EFER_LME 0x100
#define EFER_LMA 0x400
#define EFER_NXE 0x800

#define PSL_C	 0x00000001
#define PSL_MBO	 0x00000002 /* must be one */
#define PSL_T	 0x00000100
#define PSL_I	 0x00000200
#define PSL_D	 0x00000400
#define PSL_IOPL 0x00003000
#define PSL_NT	 0x00004000
#define PSL_RF	 0x00010000
#define PSL_AC	 0x00040000

/* What a user program may set in its own flags, as on Linux: CF PF AF ZF SF
 * TF DF OF RF AC. */
#define PSL_USERCHANGE 0x00050dd5

/* Bits of a page fault's error code (SDM vol. 3, 4.7). */
#define PGEX_P	 0x01 /* the page was present: a protection violation */
#define PGEX_W	 0x02 /* a write */
#define PGEX_U	 0x04 /* from user mode */
#define PGEX_RSV 0x08 /* a reserved bit was set in an entry */
#define PGEX_I	 0x10 /* an instruction fetch */

/*
 * Segment selectors. The numbers are those Linux uses, so that what a
 * program sees in its registers and signal frames is what it is used to;
 * SYSRET's arithmetic (user SS = base + 8, CS = base + 16) fits them.
 */
#define GSEL_KCODE32 0x08
#define GSEL_KCODE   0x10
#define GSEL_KDATA   0x18
#define GSEL_UCODE32 0x20
#define GSEL_UDATA   0x2b
#define GSEL_UCODE   0x33
#define GSEL_TSS     0x40
#define GDT_ENTRIES  10

/* Interrupt stack table slots; 0 in a gate means no change of stack. */
#define IST_DF	1
#define IST_NMI 2
#define IST_MC	3

#endif
