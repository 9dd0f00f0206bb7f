/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Descriptors: a GDT and TSS for each CPU, one IDT for all.
 */
#include <kern/kstring.h>
#include <kern/thread.h>

#include <amd64/cpu_md.h>
#include <amd64/cpufunc.h>
#include <amd64/frame.h>

struct gate {
	uint16_t gd_off0;
	uint16_t gd_sel;
	uint8_t gd_ist;
	uint8_t gd_type;
	uint16_t gd_off1;
	uint32_t gd_off2;
	uint32_t gd_rsvd;
};

struct region {
	uint16_t rg_limit;
	uint64_t rg_base;
} __packed;

/* Present interrupt gate; with DPL 3 user code may use INT n. */
#define GATE_INTR 0x8e
#define GATE_USER 0xee

static struct gate idt[256] __aligned(16);

/*
 * Fills the IDT. All gates are interrupt gates: C decides when interrupts
 * may come. Three exceptions that may hit with an unusable stack or between
 * SYSCALL and its switch of stacks have stacks of their own.
 */
void
desc_init(void)
{
	for (int i = 0; i < 256; i++) {
		uint64_t at = intr_vectors[i];

		idt[i].gd_off0 = (uint16_t)at;
		idt[i].gd_off1 = (uint16_t)(at >> 16);
		idt[i].gd_off2 = (uint32_t)(at >> 32);
		idt[i].gd_sel = GSEL_KCODE;
		idt[i].gd_type = GATE_INTR;
	}
	idt[T_BREAKPOINT].gd_type = GATE_USER;
	idt[T_OVERFLOW].gd_type = GATE_USER;
	idt[T_DOUBLE].gd_ist = IST_DF;
	idt[T_NMI].gd_ist = IST_NMI;
	idt[T_MACHCHECK].gd_ist = IST_MC;
}

/*
 * Makes and loads this CPU's descriptors; afterwards mycpu works. gd_md and
 * gd_curthread are set, interrupts disabled.
 */
void
desc_load(struct globaldata *gd)
{
	struct cpu_md *md = gd->gd_md;
	uint64_t tss = (uint64_t)&md->md_tss;
	struct region r;

	md->md_gdt[0] = 0;
	md->md_gdt[GSEL_KCODE32 >> 3] = 0x00cf9b000000ffffUL;
	md->md_gdt[GSEL_KCODE >> 3] = 0x00af9b000000ffffUL;
	md->md_gdt[GSEL_KDATA >> 3] = 0x00cf93000000ffffUL;
	md->md_gdt[GSEL_UCODE32 >> 3] = 0x00cffb000000ffffUL;
	md->md_gdt[GSEL_UDATA >> 3] = 0x00cff3000000ffffUL;
	md->md_gdt[GSEL_UCODE >> 3] = 0x00affb000000ffffUL;
	/* An available 64-bit TSS takes two slots (SDM vol. 3, 7.2.3). */
	md->md_gdt[GSEL_TSS >> 3] = (sizeof(struct tss) - 1) |
	    (tss & 0xffffff) << 16 | 0x89UL << 40 | (tss >> 24 & 0xff) << 56;
	md->md_gdt[(GSEL_TSS >> 3) + 1] = tss >> 32;

	memset(&md->md_tss, 0, sizeof(md->md_tss));
	md->md_tss.tss_rsp0 = gd->gd_kstack_top;
	md->md_tss.tss_ist[IST_DF - 1] =
	    (uint64_t)md->md_df_stack + IST_STACK_SIZE;
	md->md_tss.tss_ist[IST_NMI - 1] =
	    (uint64_t)md->md_nmi_stack + IST_STACK_SIZE;
	md->md_tss.tss_ist[IST_MC - 1] =
	    (uint64_t)md->md_mc_stack + IST_STACK_SIZE;
	md->md_tss.tss_iobase = sizeof(struct tss); /* no ports for users */

	r.rg_limit = sizeof(md->md_gdt) - 1;
	r.rg_base = (uint64_t)md->md_gdt;
	__asm__ __volatile__(
	    "lgdt %0\n\t"
	    "pushq %1\n\t"
	    "leaq 1f(%%rip), %%rax\n\t"
	    "pushq %%rax\n\t"
	    "lretq\n"
	    "1:\tmovl %2, %%ds\n\t"
	    "movl %2, %%es\n\t"
	    "movl %2, %%ss\n\t"
	    "movl %3, %%fs\n\t"
	    "movl %3, %%gs\n\t"
	    "ltr %w4"
	    :
	    : "m"(r), "i"(GSEL_KCODE), "r"(GSEL_KDATA), "r"(0), "r"(GSEL_TSS)
	    : "rax", "memory");
	r.rg_limit = sizeof(idt) - 1;
	r.rg_base = (uint64_t)idt;
	__asm__ __volatile__("lidt %0" : : "m"(r));

	wrmsr(MSR_GSBASE, (uint64_t)gd);
	wrmsr(MSR_KGSBASE, 0);
	wrmsr(MSR_FSBASE, 0);
}
