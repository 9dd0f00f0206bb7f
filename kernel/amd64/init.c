/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From the first C instruction to main(): the boot CPU's hardware.
 */
#include <kern/bootopt.h>
#include <kern/kprintf.h>
#include <kern/ksyms.h>
#include <kern/main.h>
#include <kern/thread.h>
#include <kern/trace.h>
#include <pmap/pmap.h>

#include <amd64/acpi.h>
#include <amd64/cpu_md.h>
#include <amd64/cpufunc.h>
#include <amd64/multiboot.h>
#include <dev/uart.h>

static struct cpu_md cpu_md0;

void amd64_init(uint32_t mbi) __noreturn;

/*
 * CPU 0 and its thread, so that mycpu and curthread work and traps have
 * somewhere to go.
 */
static void
boot_cpu_init(void)
{
	struct globaldata *gd = &globaldata0;

	gd->gd_self = gd;
	gd->gd_spinword = 1;
	gd->gd_curthread = &thread0;
	gd->gd_md = &cpu_md0;
	gd->gd_trace = trace_ring0;
	gd->gd_kstack_top = (uint64_t)boot_stack_top;
	thread0.td_kstack = (vm_offset_t)boot_stack;
	thread0.td_kstack_size = (vm_size_t)(boot_stack_top - boot_stack);
	thread0.td_state = TDS_RUNNING;
	globaldata_array[0] = gd;
	desc_init();
	desc_load(gd);
}

/*
 * Called by boot/multiboot.S with the address of the multiboot2
 * information, on the first page tables, interrupts disabled. Up to the
 * anchor, time is the firmware's; nothing before it may leave a trace that
 * depends on time.
 */
void
amd64_init(uint32_t mbi)
{
	uart_init();
	boot_cpu_init();
	multiboot_parse(mbi);
	bootopt_init(bootinfo.bi_cmdline);
	cpu_identify();
	smap_patch();
	cpu_setup();
	pic_mask();
	lapic_map(PHYS_TO_DMAP(rdmsr(MSR_APICBASE) & X86_PG_FRAME));
	lapic_setup();
	anchor_wait();

	globaldata0.gd_apicid = lapic_id();
	physmem_init();
	acpi_init(globaldata0.gd_apicid);
	kvm_init();
	if (bootinfo.bi_symtab != 0)
		ksyms_init((void *)PHYS_TO_DMAP(bootinfo.bi_symtab),
		    bootinfo.bi_symtab_size,
		    (char *)PHYS_TO_DMAP(bootinfo.bi_strtab),
		    bootinfo.bi_strtab_size);
	lapic_map((vm_offset_t)fixmap(acpi_info.ai_lapic));
	ioapic_init();
	clock_init();
	kmain();
}
