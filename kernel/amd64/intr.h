/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Interrupt dispatch. Private to amd64/.
 */
#ifndef AMD64_INTR_H
#define AMD64_INTR_H

struct trapframe;

/* Serves the interrupt of the frame; interrupts disabled, and so again at
 * the end. Work beyond the bare minimum is done by crit_splz(). */
void interrupt(struct trapframe *tf);

#endif
