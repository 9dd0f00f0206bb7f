/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who allocated, who freed: stacks, each kept once and known by a number.
 */
#include <kern/kprintf.h>
#include <kern/thread.h>
#include <san/kasan_var.h>
#include <san/san_stack.h>

#define STACKS 16384 /* a power of two */
#define DEPTH  12

/* Return addresses without their upper half, which in the kernel is all ones;
 * 0 ends a short one. */
static struct stack {
	uint32_t pc[DEPTH];
	uint32_t thread; /* its number; a part of what is kept */
} stacks[STACKS];	 /* depot_spin; never changes once it is there */
static int used;
static struct spinlock depot_spin = SPINLOCK_INITIALIZER("kasan stacks");

static bool
same(const struct stack *a, const struct stack *b)
{
	for (int i = 0; i < DEPTH; i++) {
		if (a->pc[i] != b->pc[i])
			return false;
	}
	return a->thread == b->thread;
}

/* The number of the caller's caller's stack; 0 when there is no room. Takes a
 * spinlock that is the last in every order. */
__noinline uint32_t
kasan_stack_save(void)
{
	uint64_t pcs[DEPTH + 1];
	struct stack s;
	uint32_t hash = 0, id = 0;

	san_stack(pcs, DEPTH + 1);
	for (int i = 0; i < DEPTH; i++) {
		s.pc[i] = (uint32_t)pcs[i + 1];
		hash = (hash ^ s.pc[i]) * 0x9e3779b1U;
		hash ^= hash >> 15;
	}
	s.thread = (uint32_t)curthread->td_tid;
	hash = (hash ^ s.thread) * 0x9e3779b1U;
	hash ^= hash >> 15;
	spin_lock(&depot_spin);
	for (int tries = 0; tries < STACKS; tries++, hash++) {
		struct stack *at = &stacks[hash & (STACKS - 1)];

		if (at->pc[0] == 0 && used < STACKS * 3 / 4) {
			*at = s;
			used++;
		} else if (at->pc[0] == 0) {
			break;
		} else if (!same(at, &s)) {
			continue;
		}
		id = 1 + (hash & (STACKS - 1));
		break;
	}
	spin_unlock(&depot_spin);
	return id;
}

/* Prints a stack with a heading. */
void
kasan_stack_print(const char *what, uint32_t id)
{
	const struct stack *s = &stacks[id - 1];
	uint64_t pcs[DEPTH];

	if (id == 0) {
		kprintf("%s: not known\n", what);
		return;
	}
	for (int i = 0; i < DEPTH; i++)
		pcs[i] = s->pc[i] == 0 ? 0 : 0xffffffff00000000UL | s->pc[i];
	kprintf("%s by thread %d\n", what, (int)s->thread);
	san_stack_print(pcs, DEPTH);
}
