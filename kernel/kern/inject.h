/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fault injection: things that can fail do fail, by a seed.
 *
 * The boot option fault_inject=SEED:RATE[:WHAT] makes one in RATE of the
 * attempts fail, on the average, of those kinds that WHAT names, by commas:
 *
 *	page	allocation of pages, for objects and for the kernel
 *	kmalloc	kmalloc and zalloc; who may sleep does, and tries again
 *	pager	reading pages in and writing them out
 *	disk	transfers of disks, which then end with EIO
 *
 * Without WHAT it is all of them. Which ones fail, the seed and the number of
 * the attempt decide, so that a boot under -icount repeats. It begins with
 * the first process other than process 1, which is spared: somebody must be
 * left to look at the damage.
 */
#ifndef KERN_INJECT_H
#define KERN_INJECT_H

#include <kern/cdefs.h>
#include <kern/types.h>

enum inject_kind { INJECT_PAGE, INJECT_KMALLOC, INJECT_PAGER, INJECT_DISK };

extern uint32_t inject_kinds; /* a bit each; 0: the option was not given */

void inject_init(void); /* boot: reads the option */
/* Is this attempt to fail? For inject() alone. Any context. */
bool inject_now(enum inject_kind kind);

/* Is this attempt to fail? Any context. */
static inline bool
inject(enum inject_kind kind)
{
	return unlikely(inject_kinds & (1U << kind)) && inject_now(kind);
}

#endif
