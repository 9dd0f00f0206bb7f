/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel's own symbol table, from the ELF sections that GRUB passes.
 */
#ifndef KERN_KSYMS_H
#define KERN_KSYMS_H

#include <kern/types.h>

/* The function that contains pc and how far into it pc is; NULL when none
 * does or there is no table. Any context. */
const char *ksym_lookup(uint64_t pc, uint64_t *offp);
/* Writes "name+0x1f", or the number when there is no name. */
void ksym_format(char *buf, size_t size, uint64_t pc);

/* Called once with the tables' places in the direct map. */
void ksyms_init(
    const void *symtab, size_t symsize, const char *strtab, size_t strsize);

#endif
