/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KERN_MAIN_H
#define KERN_MAIN_H

#include <kern/cdefs.h>

/* The machine-independent half of the boot, on thread0 of CPU 0 with
 * interrupts disabled; ends as the idle loop. */
void kmain(void) __noreturn;

#endif
