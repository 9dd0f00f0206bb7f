/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the witness says when an order is broken: who wants what, what is
 * held, and the rest of the cycle, each with its stacks.
 */
#include <san/witness_var.h>

#include <kern/kprintf.h>
#include <kern/panic.h>
#include <kern/thread.h>

/* The report is printed by the post-mortem, when the other CPUs stand. */
static struct witness_fault broken;

/* A kind in words. */
const char *
witness_kind_name(enum witness_kind kind)
{
	static const char *const names[WK_KINDS] = {
	    [WK_SPIN] = "spinlock",
	    [WK_TOKEN] = "token",
	    [WK_LOCK] = "lock",
	    [WK_PAGE] = "page busy",
	    [WK_CHAIN] = "chain lock",
	    [WK_PV] = "pv lock",
	    [WK_BUF] = "buffer",
	    [WK_RANGE] = "range lock",
	};

	return names[kind];
}

/* Writes "spinlock vm_page" at p; returns p. */
static const char *
name_of(int class, char *p, size_t size)
{
	const struct witness_class *c = &witness_classes[class];

	ksnprintf(p, size, "%s '%s'", witness_kind_name(c->c_kind), c->c_name);
	return p;
}

/* One order that was seen before. */
static void
print_edge(const struct witness_edge *e)
{
	char a[64], b[64];

	name_of(e->e_from, a, sizeof(a));
	name_of(e->e_to, b, sizeof(b));
	kprintf("\nSeen first in thread %s: %s, then %s\n", e->e_thread, a, b);
	kprintf(" %s was taken at\n", a);
	san_stack_print(e->e_held, WIT_DEPTH);
	kprintf(" %s was wanted at\n", b);
	san_stack_print(e->e_want, WIT_DEPTH);
}

/* The way back from the lock wanted to the one held. */
static void
print_cycle(void)
{
	static uint16_t path[WIT_CLASSES];
	int from = broken.f_want, to = broken.f_held->h_class, n;
	char a[64];

	n = witness_path(from, to, path);
	if (n < 2) {
		kprintf("\nThe other order has not been seen yet.\n");
		return;
	}
	kprintf("\nThe cycle: %s", name_of(to, a, sizeof(a)));
	for (int i = 0; i < n; i++)
		kprintf(" -> %s", name_of(path[i], a, sizeof(a)));
	kprintf("\n");
	for (int i = 0; i + 1 < n; i++)
		print_edge(witness_edge_of(path[i], path[i + 1]));
}

/* All of it. Runs in the post-mortem. */
static void
print_fault(void)
{
	const struct witness_held *h = broken.f_held;
	const struct witness_class *c = &witness_classes[h->h_class], *w = NULL;
	char a[64];

	name_of(h->h_class, a, sizeof(a));
	kprintf("\nThe witness: %s\n", broken.f_why);
	if (broken.f_want >= 0) {
		w = &witness_classes[broken.f_want];
		kprintf(" %s '%s' is wanted at\n", witness_kind_name(w->c_kind),
		    w->c_name);
	} else {
		kprintf(" seen at\n");
	}
	san_stack_print(broken.f_pcs, WIT_DEPTH);
	kprintf(" %s is held%s, taken at\n", a, h->h_shared ? " shared" : "");
	san_stack_print(h->h_pcs, WIT_DEPTH);
	if (broken.f_want < 0)
		return;
	if (c->c_rank != 0 && w->c_rank != 0)
		kprintf(" kern/lock_order.h: '%s' stands on level %d, '%s' on "
			"level %d\n",
		    c->c_name, c->c_rank, w->c_name, w->c_rank);
	print_cycle();
}

/* Stops everything with the report. The witness is locked. */
void
witness_report(const struct witness_fault *fault)
{
	char a[64], b[64] = "nothing";

	broken = *fault;
	if (fault->f_want >= 0)
		name_of(fault->f_want, b, sizeof(b));
	panic_at((uint64_t)__builtin_return_address(0),
	    *(uint64_t *)__builtin_frame_address(0), print_fault,
	    "witness: %s: %s held, %s wanted", fault->f_why,
	    name_of(fault->f_held->h_class, a, sizeof(a)), b);
}
