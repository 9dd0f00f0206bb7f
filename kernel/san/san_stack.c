/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Taking and printing stacks, by the chain of frame pointers.
 */
#include <san/san_stack.h>

#include <amd64/frame.h>
#include <amd64/trap.h>
#include <kern/kprintf.h>
#include <kern/ksyms.h>
#include <kern/thread.h>

/* See san_stack.h. A frame pointer is believed while it goes up and stays
 * within a stack's size of where we are. */
__noinline void
san_stack(uint64_t *pcs, int n)
{
	const uint64_t *fp = __builtin_frame_address(0), *last = fp;
	const uint64_t *limit = fp + KSTACK_SIZE / sizeof(*fp);
	const struct trapframe *tf;
	int i = 0;

	fp = (const uint64_t *)fp[0];
	while (i < n && fp > last && fp < limit && fp[1] != 0) {
		last = fp;
		if (fp[1] != (uint64_t)trap_return) {
			pcs[i++] = fp[1];
			fp = (const uint64_t *)fp[0];
			continue;
		}
		/* trap()'s frame: above its return address the registers. */
		tf = (const struct trapframe *)(fp + 2);
		if (TF_USERMODE(tf))
			break;
		pcs[i++] = tf->tf_rip;
		fp = (const uint64_t *)tf->tf_rbp;
	}
	while (i < n)
		pcs[i++] = 0;
}

/* See san_stack.h. The call is looked up, not what follows it. */
void
san_stack_print(const uint64_t *pcs, int n)
{
	uint64_t off;
	const char *name;

	for (int i = 0; i < n && pcs[i] != 0; i++) {
		name = ksym_lookup(pcs[i] - 1, &off);
		if (name != NULL)
			kprintf("  %016lx %s+%#lx\n", pcs[i], name, off + 1);
		else
			kprintf("  %016lx\n", pcs[i]);
	}
}
