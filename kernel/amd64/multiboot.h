/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What GRUB told us, copied out of its own structure, whose memory is
 * ordinary free RAM. Written once at boot, constant after.
 */
#ifndef AMD64_MULTIBOOT_H
#define AMD64_MULTIBOOT_H

#include <kern/types.h>

#define BI_MMAP_MAX 64

enum bi_memtype { BI_RAM = 1, BI_RESERVED = 2, BI_ACPI = 3, BI_NVS = 4 };

struct bootinfo {
	char bi_cmdline[4096];
	struct {
		vm_paddr_t base, size;
		uint32_t type; /* enum bi_memtype */
	} bi_mmap[BI_MMAP_MAX];
	int bi_mmaps;
	vm_paddr_t bi_module, bi_module_end; /* 0: none given */
	vm_paddr_t bi_symtab, bi_strtab;     /* 0: none given */
	size_t bi_symtab_size, bi_strtab_size;
	uint8_t bi_rsdp[36]; /* ACPI's root pointer, copied */
	bool bi_have_rsdp;
};

extern struct bootinfo bootinfo;

void multiboot_parse(vm_paddr_t mbi);

#endif
