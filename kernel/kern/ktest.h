/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tests of the kernel by itself, before there is a user program: the boot
 * option selftest=locks runs them, with one record a test on the result
 * stream, and powers the machine off.
 */
#ifndef KERN_KTEST_H
#define KERN_KTEST_H

/* On thread0, when all CPUs run. Returns when no test was asked for. */
void ktest_run(void);

#endif
