/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What each thread holds, and the questions asked at each request, release,
 * sleep and return to user mode. See witness.h.
 */
#include <san/witness_var.h>

#include <amd64/cpufunc.h>
#include <kern/panic.h>
#include <kern/thread.h>

#define BUCKETS 256

static LIST_HEAD(held_list, witness_held) by_thread[BUCKETS], by_lock[BUCKETS],
    unused;
static struct witness_held pool[WIT_HELD];
static int pool_used; /* elements that have been in use at all */

static volatile uint32_t witness_word; /* the lock that guards all this */

/* Locks the witness, with interrupts disabled: an interrupt's handler takes
 * locks, too. False, nothing locked, when the world has stopped. */
static bool
enter(uint64_t *flp)
{
	if (panicking)
		return false;
	*flp = intr_disable();
	while (!atomic_cmpset_uint(&witness_word, 0, 1)) {
		if (panicking) {
			intr_restore(*flp);
			return false;
		}
		cpu_pause();
	}
	return true;
}

static void
leave(uint64_t fl)
{
	atomic_store_uint(&witness_word, 0);
	intr_restore(fl);
}

static struct held_list *
bucket(struct held_list *table, const void *p)
{
	uintptr_t a = (uintptr_t)p;

	return &table[(a >> 4 ^ a >> 12) % BUCKETS];
}

/* The thread's hold of a lock; with td NULL, anybody's. */
static struct witness_held *
find(enum witness_kind kind, const void *lock, const struct thread *td)
{
	struct witness_held *h;

	LIST_FOREACH (h, bucket(by_lock, lock), h_hash) {
		if (h->h_lock == lock && (td == NULL || h->h_td == td) &&
		    witness_classes[h->h_class].c_kind == kind)
			return h;
	}
	return NULL;
}

/* A hold to be released: the thread's own; else one that was handed over;
 * else anybody's. */
static struct witness_held *
find_any(enum witness_kind kind, const void *lock)
{
	struct witness_held *h, *best = NULL;

	LIST_FOREACH (h, bucket(by_lock, lock), h_hash) {
		if (h->h_lock != lock ||
		    witness_classes[h->h_class].c_kind != kind)
			continue;
		if (h->h_td == curthread)
			return h;
		if (best == NULL || h->h_td == NULL)
			best = h;
	}
	return best;
}

/* A page may have come into an object since it was made busy. */
static void
reclass(struct witness_held *h)
{
	const struct witness_class *c = &witness_classes[h->h_class];

	if (c->c_kind == WK_PAGE)
		h->h_class = (uint16_t)witness_class_of(
		    WK_PAGE, witness_object_name(WK_PAGE, h->h_lock, "page"));
}

/* Whether an order, which the rules allow, needs no place in the graph: it has
 * one; it is between locks of a class; or a token is given up, by the rules. */
static bool
needs_no_edge(const struct witness_held *h, int want)
{
	const struct witness_class *a = &witness_classes[h->h_class];

	return h->h_class == want || witness_edge_known(h->h_class, want) ||
	    witness_excepted(a, &witness_classes[want]) ||
	    (a->c_kind == WK_TOKEN && a->c_rank != 0 &&
		witness_classes[want].c_kind != WK_SPIN);
}

/* Whether the lock wanted is an object's that one of those held shadows. */
static bool
continues_chain(int want, const void *lock)
{
	const struct witness_held *h;

	if (witness_classes[want].c_nest != NEST_CHAIN)
		return false;
	LIST_FOREACH (h, bucket(by_thread, curthread), h_link) {
		if (h->h_td == curthread && h->h_class == want &&
		    witness_rule(h, want, lock) == NULL)
			return true;
	}
	return false;
}

/* See witness.h. */
__noinline void
witness_want(enum witness_kind kind, const void *lock, const char *name)
{
	struct witness_fault fault;
	struct witness_held *h;
	uint16_t path[WIT_CLASSES];
	bool fresh = false, nested;
	uint64_t fl;

	if (!enter(&fl))
		return;
	fault.f_want =
	    witness_class_of(kind, witness_object_name(kind, lock, name));
	if (find(kind, lock, curthread) != NULL)
		goto out;
	nested = continues_chain(fault.f_want, lock);
	LIST_FOREACH (h, bucket(by_thread, curthread), h_link) {
		if (h->h_td != curthread)
			continue;
		reclass(h);
		if (h->h_class == fault.f_want && nested)
			continue;
		fault.f_why = witness_rule(h, fault.f_want, lock);
		fault.f_held = h;
		if (fault.f_why == NULL && needs_no_edge(h, fault.f_want))
			continue;
		if (!fresh)
			san_stack(fault.f_pcs, WIT_DEPTH);
		fresh = true;
		if (fault.f_why == NULL &&
		    witness_path(fault.f_want, h->h_class, path) != 0)
			fault.f_why = "locks are taken in a cycle";
		if (fault.f_why != NULL)
			witness_report(&fault);
		witness_edge_add(h, fault.f_want, fault.f_pcs);
	}
out:
	leave(fl);
}

/* See witness.h. */
__noinline void
witness_got(
    enum witness_kind kind, const void *lock, const char *name, bool shared)
{
	struct witness_held *h;
	uint64_t fl;

	if (!enter(&fl))
		return;
	h = find(kind, lock, curthread);
	if (h != NULL) {
		h->h_count++;
		leave(fl);
		return;
	}
	h = LIST_FIRST(&unused);
	if (h != NULL)
		LIST_REMOVE(h, h_link);
	else if (pool_used < WIT_HELD)
		h = &pool[pool_used++];
	else
		panic("witness: more than %d locks held", WIT_HELD);
	h->h_td = curthread;
	h->h_lock = lock;
	h->h_class = (uint16_t)witness_class_of(
	    kind, witness_object_name(kind, lock, name));
	h->h_shared = shared;
	h->h_count = 1;
	san_stack(h->h_pcs, WIT_DEPTH);
	LIST_INSERT_HEAD(bucket(by_thread, curthread), h, h_link);
	LIST_INSERT_HEAD(bucket(by_lock, lock), h, h_hash);
	leave(fl);
}

/* See witness.h. Locks that were made in use, before anybody could take
 * them, are released without having been taken. */
void
witness_gone(enum witness_kind kind, const void *lock)
{
	struct witness_held *h;
	uint64_t fl;

	if (!enter(&fl))
		return;
	h = find_any(kind, lock);
	if (h != NULL && --h->h_count == 0) {
		LIST_REMOVE(h, h_link);
		LIST_REMOVE(h, h_hash);
		LIST_INSERT_HEAD(&unused, h, h_link);
	}
	leave(fl);
}

/* See witness.h. */
void
witness_handover(enum witness_kind kind, const void *lock)
{
	struct witness_held *h;
	uint64_t fl;

	if (!enter(&fl))
		return;
	h = find(kind, lock, curthread);
	if (h != NULL) {
		LIST_REMOVE(h, h_link);
		h->h_td = NULL;
		LIST_INSERT_HEAD(bucket(by_thread, NULL), h, h_link);
	}
	leave(fl);
}

/* See witness.h. */
void
witness_shared(enum witness_kind kind, const void *lock)
{
	struct witness_held *h;
	uint64_t fl;

	if (!enter(&fl))
		return;
	h = find(kind, lock, curthread);
	if (h != NULL)
		h->h_shared = true;
	leave(fl);
}

/* Complains when the running thread holds a lock of a kind up to last. */
static void
none_held(const char *why, enum witness_kind last)
{
	struct witness_fault fault = {.f_why = why, .f_want = -1};
	struct witness_held *h;
	uint64_t fl;

	if (!enter(&fl))
		return;
	LIST_FOREACH (h, bucket(by_thread, curthread), h_link) {
		if (h->h_td == curthread &&
		    witness_classes[h->h_class].c_kind <= last) {
			fault.f_held = h;
			san_stack(fault.f_pcs, WIT_DEPTH);
			witness_report(&fault);
		}
	}
	leave(fl);
}

/* See witness.h. */
void
witness_may_sleep(const char *what)
{
	none_held("a thread may sleep with a spinlock held", WK_SPIN);
	if (curthread->td_critcount != 0 && !panicking)
		panic("witness: %s may sleep in a critical section", what);
}

/* See witness.h. */
void
witness_holds_nothing(const char *where)
{
	none_held(where, WK_KINDS);
}

/* See witness.h. */
void
witness_freed(const void *p, size_t size)
{
	struct witness_fault fault = {
	    .f_why = "memory is freed with a lock in it held", .f_want = -1};
	struct witness_held *h;
	uint64_t fl;

	if (!enter(&fl))
		return;
	for (int i = 0; i < BUCKETS; i++) {
		LIST_FOREACH (h, &by_lock[i], h_hash) {
			if ((uintptr_t)h->h_lock - (uintptr_t)p >= size)
				continue;
			fault.f_held = h;
			san_stack(fault.f_pcs, WIT_DEPTH);
			witness_report(&fault);
		}
	}
	leave(fl);
}
