/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What one CPU needs of descriptors and stacks, and the calls that set it
 * up. Private to amd64/.
 */
#ifndef AMD64_CPU_MD_H
#define AMD64_CPU_MD_H

#include <kern/cdefs.h>
#include <kern/globaldata.h>
#include <kern/types.h>

#include <amd64/specialreg.h>

/* 64-bit task state segment: stacks only (SDM vol. 3, 7.7). */
struct tss {
	uint32_t tss_rsvd0;
	uint64_t tss_rsp0;
	uint64_t tss_rsp12[2];
	uint64_t tss_rsvd1;
	uint64_t tss_ist[7]; /* IST n is tss_ist[n - 1] */
	uint64_t tss_rsvd2;
	uint16_t tss_rsvd3;
	uint16_t tss_iobase;
} __packed;

#define IST_STACK_SIZE 8192

/* Constant after cpu_init() but for tss_rsp0, which the CPU itself sets at
 * a context switch. */
struct cpu_md {
	uint64_t md_gdt[GDT_ENTRIES];
	struct tss md_tss;
	uint8_t md_df_stack[IST_STACK_SIZE] __aligned(16);
	uint8_t md_nmi_stack[IST_STACK_SIZE] __aligned(16);
	uint8_t md_mc_stack[IST_STACK_SIZE] __aligned(16);
};

/* desc.c */
void desc_init(void); /* the IDT that all CPUs share; boot CPU, once */
void desc_load(struct globaldata *gd); /* this CPU's GDT, TSS, IDT, %gs */

/* cpu.c: what the CPUs can do, and what we switch on. */
extern bool cpu_has_smap, cpu_has_smep; /* (k) */
void cpu_identify(void); /* boot CPU; dies when something is missing */
void cpu_setup(void);	 /* each CPU: control registers and MSRs */
void smap_patch(void);	 /* boot CPU, while the text is still writable */

/* mp.c */
extern struct globaldata globaldata0;
void mp_start(void); /* starts the secondaries; returns when all run */

/* lapic.c */
void lapic_map(vm_offset_t va); /* where its registers appear */
void lapic_setup(void);		/* each CPU */
void lapic_eoi(void);
uint32_t lapic_id(void);
void lapic_timer_start(void);		  /* each CPU: HZ ticks a second */
void lapic_timer_oneshot(uint32_t count); /* divide by 1 */
uint32_t lapic_timer_left(void);
void lapic_icr(uint32_t apicid, uint32_t low);
#define ICR_FIXED	 0x00000000U
#define ICR_NMI		 0x00000400U
#define ICR_INIT	 0x00000500U
#define ICR_STARTUP	 0x00000600U
#define ICR_PENDING	 0x00001000U
#define ICR_ASSERT	 0x00004000U
#define ICR_LEVEL	 0x00008000U
#define ICR_ALL_BUT_SELF 0x000c0000U

/* ioapic.c */
void pic_mask(void);
void ioapic_init(void);
void ioapic_intr(int vector);

/* anchor.c */
void anchor_wait(void);
bool anchor_wanted(void);
bool anchor_intr(void);

/* clock.c */
extern uint64_t lapic_hz; /* (k) timer counts a second, divide by 1 */
void clock_init(void);

/* kvm.c: the kernel's page tables. */
extern uint64_t *kernel_pml4;	  /* (k) direct map address */
extern vm_paddr_t kernel_pml4_pa; /* (k) what CR3 holds */
void kvm_init(void);
void *fixmap(vm_paddr_t pa); /* one uncached page, forever */

/* physmem.c */
void physmem_init(void);
void *boot_alloc(size_t npages);     /* zeroed, below 4 GiB, forever */
vm_paddr_t physmem_trampoline(void); /* a page below 640 KiB */

/* vector.S, syscall.S */
extern const uint64_t intr_vectors[256];
void syscall_entry(void);

/* The linker's marks. */
extern char kernel_start_pa[], text_start[], text_end[], rodata_start[],
    data_start[], kernel_end[], boot_stack[], boot_stack_top[];

#endif
