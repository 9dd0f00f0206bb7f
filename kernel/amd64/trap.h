/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Between the entry code and C. Private to amd64/ and the post-mortem.
 */
#ifndef AMD64_TRAP_H
#define AMD64_TRAP_H

#include <kern/cdefs.h>
#include <kern/types.h>

struct trapframe;

/* Called by vector.S. */
void trap(struct trapframe *tf);
void trap_paranoid(struct trapframe *tf);
void syscall_trap(struct trapframe *tf);

void userret(struct trapframe *tf);
void user_exit(struct trapframe *tf) __noreturn; /* vector.S */
extern const char trap_return[]; /* vector.S: return address of trap() */

/* lapic.c, for panic(): halt this CPU for good; have all others do so. */
void cpu_stop(void) __noreturn;
void cpu_stop_others(void);

/* Where an NMI found each CPU; of the others, valid in a post-mortem. */
extern struct cpu_where {
	uint64_t rip, rbp; /* 0: it did not answer */
} cpu_where[MAXCPU];

/* postmortem.c */
const char *trap_name(uint64_t trapno);
const char *fault_verb(uint64_t err); /* "read", "write", "execution" */
void print_regs(const struct trapframe *tf);
void print_fault(uint64_t va, uint64_t err);
void print_walk(uint64_t va);
void print_stack(uint64_t rip, uint64_t rbp);

#endif
