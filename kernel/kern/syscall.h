/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The system-call table: Linux's numbers (asm/unistd_64.h), up to six
 * register arguments, the result or a negative errno. A number without an
 * entry returns -ENOSYS.
 */
#ifndef KERN_SYSCALL_H
#define KERN_SYSCALL_H

#include <kern/types.h>

struct trapframe;
typedef long (*syscall_fn)(long, long, long, long, long, long);
#define SYSCALL_MAX 512
extern const syscall_fn syscall_table[SYSCALL_MAX];

/* Called by the entry code with interrupts enabled; sets tf_rax. */
void syscall(struct trapframe *tf);

#endif
