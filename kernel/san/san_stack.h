/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stacks to be kept: taken now, printed when something turns out wrong.
 */
#ifndef SAN_SAN_STACK_H
#define SAN_SAN_STACK_H

#include <kern/types.h>

/* Fills pcs with the return addresses of the running thread, innermost
 * first, beginning with the one of the function that calls this; the rest
 * becomes 0. Any context; takes no lock. */
void san_stack(uint64_t *pcs, int n);
/* Prints them like a post-mortem's stack. */
void san_stack_print(const uint64_t *pcs, int n);

#endif
