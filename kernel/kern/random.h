/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Numbers that look random and are the same in every boot: what a program
 * asks for must not make two graded runs differ.
 */
#ifndef KERN_RANDOM_H
#define KERN_RANDOM_H

#include <kern/types.h>

/* The next len bytes of the one sequence. Any context. */
void random_bytes(void *buf, size_t len);

#endif
