/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What we learn from ACPI: which CPUs and interrupt controllers there are.
 * All (k) after acpi_init().
 */
#ifndef AMD64_ACPI_H
#define AMD64_ACPI_H

#include <kern/types.h>

#define ACPI_IOAPICS 4

struct acpi_override {
	uint32_t gsi;
	bool level, active_low;
};

struct acpi_info {
	vm_paddr_t ai_lapic;
	uint8_t ai_apicid[MAXCPU]; /* the boot CPU's first */
	uint32_t ai_cpus;
	struct {
		vm_paddr_t pa;
		uint32_t gsi_base;
	} ai_ioapic[ACPI_IOAPICS];
	int ai_ioapics;
	struct acpi_override ai_isa[16]; /* where ISA interrupts arrive */
};

extern struct acpi_info acpi_info;

/* Reads the tables, through the first page tables: a BIOS may leave them in
 * memory that it calls reserved, which the direct map lacks. Dies when there
 * are none. boot_apicid is that of the running CPU. */
void acpi_init(uint32_t boot_apicid);

#endif
