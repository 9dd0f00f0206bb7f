/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The end: panic() (declared in kern/cdefs.h) and fatal traps print a
 * post-mortem and leave through isa-debug-exit.
 */
#ifndef KERN_PANIC_H
#define KERN_PANIC_H

#include <kern/cdefs.h>
#include <kern/types.h>

struct trapframe;

/* Post-mortem of a trap in the kernel that nobody can handle. */
void panic_trap(struct trapframe *tf, const char *fmt, ...)
    __printflike(2, 3) __noreturn;
/* Like panic(), about the code at rip with frame pointer rbp; report, unless NULL,
 * prints what else is known of it. */
void panic_at(uint64_t rip, uint64_t rbp, void (*report)(void), const char *fmt,
    ...) __printflike(4, 5) __noreturn;
/* Set once, never cleared: other CPUs stop, output is the panicking CPU's. */
extern volatile int panicking;

#endif
