/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Classes of locks, the table of their order, and the graph of the orders
 * that were seen.
 */
#include <san/witness_var.h>

#include <kern/kstring.h>
#include <kern/lock_order.h>
#include <kern/panic.h>
#include <kern/thread.h>
#include <fs/vnode.h>
#include <vm/vm_object.h>

struct witness_class witness_classes[WIT_CLASSES];
int witness_nclasses;

static uint16_t edge_of[WIT_CLASSES][WIT_CLASSES]; /* 0: none, else 1 + */
static struct witness_edge edges[WIT_EDGES];
static int nedges;

#define CLASS_HASH 512
static uint16_t class_hash[CLASS_HASH]; /* 1 + class */

/* The table as it is written. */
static const struct order_line {
	int o_step; /* 1: a level further in than the line above */
	enum witness_kind o_kind;
	const char *o_name;
	enum witness_nest o_nest;
} order[] = {
#define THEN(kind, name, nest) {1, WK_##kind, name, NEST_##nest},
#define ALSO(kind, name, nest) {0, WK_##kind, name, NEST_##nest},
    LOCK_ORDER(THEN, ALSO)
#undef THEN
#undef ALSO
};

static const struct order_exception {
	enum witness_kind x_held_kind;
	const char *x_held;
	enum witness_kind x_want_kind;
	const char *x_want;
} exceptions[] = {
#define EXCEPT(hk, h, wk, w) {WK_##hk, h, WK_##wk, w},
    LOCK_ORDER_EXCEPT(EXCEPT)
#undef EXCEPT
};

/* Looks a class's place in the table up. The planted bugs' locks and those of
 * the kernel's tests of itself have none; any other must have one. */
static void
class_rank(struct witness_class *c)
{
	int rank = 0;

	for (size_t i = 0; i < nitems(order); i++) {
		rank += order[i].o_step;
		if (order[i].o_kind != c->c_kind ||
		    strcmp(order[i].o_name, c->c_name) != 0)
			continue;
		c->c_rank = rank;
		c->c_line = (int)i;
		c->c_nest = order[i].o_nest;
		return;
	}
	if (strncmp(c->c_name, "ktest", 5) != 0 &&
	    strncmp(c->c_name, "planted", 7) != 0)
		panic("witness: %s '%s' has no line in kern/lock_order.h",
		    witness_kind_name(c->c_kind), c->c_name);
}

/* The class of a kind and name, made when it is new. */
int
witness_class_of(enum witness_kind kind, const char *name)
{
	uint32_t h = kind;
	struct witness_class *c;

	for (const char *p = name; *p != '\0'; p++)
		h = h * 33 + (unsigned char)*p;
	for (h %= CLASS_HASH; class_hash[h] != 0; h = (h + 1) % CLASS_HASH) {
		c = &witness_classes[class_hash[h] - 1];
		if (c->c_kind == kind &&
		    (c->c_name == name || strcmp(c->c_name, name) == 0))
			return class_hash[h] - 1;
	}
	if (witness_nclasses == WIT_CLASSES)
		panic("witness: more than %d classes of locks", WIT_CLASSES);
	c = &witness_classes[witness_nclasses++];
	c->c_kind = kind;
	c->c_name = name;
	class_rank(c);
	class_hash[h] = (uint16_t)witness_nclasses;
	return witness_nclasses - 1;
}

/* Whether the order from one class to another has been seen. */
bool
witness_edge_known(int from, int to)
{
	return edge_of[from][to] != 0;
}

/* The edge from one class to another, which must be known. */
const struct witness_edge *
witness_edge_of(int from, int to)
{
	return &edges[edge_of[from][to] - 1];
}

/* See witness_var.h. */
void
witness_edge_add(const struct witness_held *held, int to, const uint64_t *pcs)
{
	struct witness_edge *e;

	if (nedges == WIT_EDGES)
		panic("witness: more than %d orders of locks", WIT_EDGES);
	e = &edges[nedges++];
	e->e_from = held->h_class;
	e->e_to = (uint16_t)to;
	strlcpy(e->e_thread, held->h_td->td_name, sizeof(e->e_thread));
	memcpy(e->e_held, held->h_pcs, sizeof(e->e_held));
	memcpy(e->e_want, pcs, sizeof(e->e_want));
	edge_of[e->e_from][to] = (uint16_t)nedges;
}

/* See witness_var.h. Breadth first. */
int
witness_path(int from, int to, uint16_t *path)
{
	static uint16_t queue[WIT_CLASSES], before[WIT_CLASSES];
	int head = 0, tail = 0, n = 0;

	memset(before, 0, sizeof(before));
	queue[tail++] = (uint16_t)from;
	before[from] = (uint16_t)(from + 1);
	while (head < tail && before[to] == 0) {
		int c = queue[head++];

		for (int i = 0; i < witness_nclasses; i++) {
			if (edge_of[c][i] == 0 || before[i] != 0)
				continue;
			before[i] = (uint16_t)(c + 1);
			queue[tail++] = (uint16_t)i;
		}
	}
	if (before[to] == 0)
		return 0;
	for (int c = to;; c = before[c] - 1) {
		memmove(path + 1, path, (size_t)n * sizeof(*path));
		path[0] = (uint16_t)c;
		n++;
		if (c == from)
			return n;
	}
}

/* See witness_var.h. */
const char *
witness_object_name(enum witness_kind kind, const void *lock, const char *name)
{
	const struct vm_object *o;
	const struct vnode *vp;

	if (kind != WK_PAGE && (kind != WK_TOKEN || strcmp(name, "vmobj") != 0))
		return name;
	o = kind == WK_PAGE ? ((const struct vm_page *)lock)->object : lock;
	if (o == NULL || o->type != OBJT_VNODE)
		return name;
	vp = o->handle;
	if (vp->v_type != VBLK)
		return name;
	return kind == WK_PAGE ? "disk page" : "disk object";
}

/* Two locks of one class. */
static const char *
nest_rule(enum witness_nest nest, const void *held, const void *want)
{
	switch (nest) {
	case NEST_ANY:
		return NULL;
	case NEST_UP:
		if (want > held)
			return NULL;
		return "two locks of a class are taken by falling addresses";
	case NEST_CHAIN:
		if (vm_object_chain_in_order == NULL ||
		    vm_object_chain_in_order(held, want))
			return NULL;
		return "an object is locked after one that it does not shadow";
	default:
		return "two locks of a class are held together";
	}
}

/* See witness_var.h. */
bool
witness_excepted(const struct witness_class *h, const struct witness_class *w)
{
	for (size_t i = 0; i < nitems(exceptions); i++) {
		const struct order_exception *x = &exceptions[i];

		if (x->x_held_kind == h->c_kind &&
		    x->x_want_kind == w->c_kind &&
		    strcmp(x->x_held, h->c_name) == 0 &&
		    strcmp(x->x_want, w->c_name) == 0)
			return true;
	}
	return false;
}

/* See witness_var.h. */
const char *
witness_rule(const struct witness_held *held, int to, const void *lock)
{
	const struct witness_class *h = &witness_classes[held->h_class];
	const struct witness_class *w = &witness_classes[to];

	if (h->c_kind == WK_SPIN && w->c_kind != WK_SPIN)
		return "what may sleep is wanted with a spinlock held";
	if (w->c_kind == WK_TOKEN)
		return NULL;
	if (h == w)
		return nest_rule(h->c_nest, held->h_lock, lock);
	if (h->c_rank == 0 || w->c_rank == 0 || h->c_rank < w->c_rank ||
	    witness_excepted(h, w))
		return NULL;
	if (h->c_rank == w->c_rank)
		return "two locks of one level are held together";
	return "locks are taken against the written order";
}
