/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The chain lock: keeps the links of a chain of objects in place across
 * sleeps, which tokens cannot do.
 *
 * A fault locks each object on its way down; collapse locks the two objects
 * it works on exclusively. So an object that somebody has chain-locked is
 * not spliced out, does not get another backing object, and gets no new
 * reference. Only anonymous objects take part: a vnode is always the end of
 * a chain, and locking it would make all who map the file wait in line.
 *
 * One word: an exclusive bit or a count of sharers, a bit that somebody
 * sleeps, and a bit that an exclusive request waits, which holds back new
 * sharers. A lock is asked for with the object's token held; releasing needs
 * none.
 */
#include <san/witness.h>
#include <vm/vm_fault.h>
#include <vm/vm_object.h>

#define CHAINLK_HELD (CHAINLK_EXCL | CHAINLK_MASK)

/* What keeps a request of this kind waiting. */
static inline uint32_t
chain_blockers(bool shared)
{
	return shared ? CHAINLK_EXCL | CHAINLK_EXCLREQ : CHAINLK_HELD;
}

/* Sleeps until the lock word may have changed from chainlk, having set the
 * bits that ask for a wakeup. Returns at once when it changed already. */
static void
chain_sleep(
    vm_object_t object, uint32_t chainlk, uint32_t bits, const char *wmesg)
{
	tsleep_interlock(&object->chainlk, 0);
	SCHED_POINT("vm.chain_armed");
	if (atomic_cmpset_uint(&object->chainlk, chainlk, chainlk | bits)) {
		cnt_inc(v_chainlk);
		tsleep(&object->chainlk, PINTERLOCKED, wmesg, 0);
		SCHED_POINT_SLEEP("vm.chain_woken");
	} else {
		tsleep_remove(curthread);
	}
}

/* Sleeps while the object is chain-locked in a way that would keep a
 * request of this kind waiting. The token is held, and lost while asleep;
 * on return nobody has the lock, and nobody can have it before the caller
 * sleeps or gives the token up. */
void
vm_object_chain_wait(vm_object_t object, bool shared)
{
	uint32_t chainlk;

	ASSERT_LWKT_TOKEN_HELD(&object->token);
	witness_want(WK_CHAIN, object, "chain");
	while ((chainlk = atomic_load_uint(&object->chainlk)) &
	    chain_blockers(shared))
		chain_sleep(object, chainlk, CHAINLK_WAIT, "objchw");
}

/* Takes the lock if that needs no waiting. */
static inline bool
chain_try(vm_object_t object, bool shared)
{
	uint32_t chainlk = atomic_load_uint(&object->chainlk), nchainlk;

	if (chainlk & chain_blockers(shared))
		return false;
	if (shared)
		nchainlk = chainlk + 1;
	else
		nchainlk = (chainlk | CHAINLK_EXCL) &
		    ~(CHAINLK_EXCLREQ | CHAINLK_WAIT);
	SCHED_POINT("vm.chain_acquire");
	if (!atomic_cmpset_uint(&object->chainlk, chainlk, nchainlk))
		return false;
	cnt_inc(v_chainlk);
	witness_got(WK_CHAIN, object, "chain", shared);
	/* The others who wait ask again: we have cleared their bits. */
	SCHED_POINT("vm.chain_acquired");
	if (unlikely(chainlk & ~nchainlk & CHAINLK_WAIT))
		wakeup(&object->chainlk);
	return true;
}

/* Takes the lock, sleeping as often as it must. */
static __noinline void
chain_contested(vm_object_t object, bool shared)
{
	uint32_t chainlk, bits;

	bits = shared ? CHAINLK_WAIT : CHAINLK_WAIT | CHAINLK_EXCLREQ;
	do {
		chainlk = atomic_load_uint(&object->chainlk);
		if (chainlk & chain_blockers(shared))
			chain_sleep(object, chainlk, bits,
			    shared ? "objchs" : "objchx");
	} while (!chain_try(object, shared));
}

/* Takes the chain lock, shared or exclusively; sleeps for it. The token is
 * held, and lost while asleep. */
void
vm_object_chain_acquire(vm_object_t object, bool shared)
{
	if (!OBJT_IS_ANON(object->type))
		return;
	ASSERT_LWKT_TOKEN_HELD(&object->token);
	if (!vm_shared_fault)
		shared = false;
	witness_want(WK_CHAIN, object, "chain");
	if (unlikely(!chain_try(object, shared)))
		chain_contested(object, shared);
}

/* Gives the chain lock back, whichever way it was held; the last sharer and
 * the exclusive holder wake who waits. The object may be gone right after
 * the lock word was stored. */
static inline void
chain_release(vm_object_t object)
{
	uint32_t chainlk, nchainlk;

	if (!OBJT_IS_ANON(object->type))
		return;
	witness_gone(WK_CHAIN, object);
	chainlk = atomic_load_uint(&object->chainlk);
	SCHED_POINT("vm.chain_release");
	do {
		KASSERT(chainlk & CHAINLK_HELD,
		    ("vm_object_chain_release: object %u is not locked",
			object->id));
		if (chainlk & CHAINLK_EXCL)
			nchainlk = chainlk & ~(CHAINLK_EXCL | CHAINLK_WAIT);
		else if ((chainlk & CHAINLK_MASK) == 1)
			nchainlk = (chainlk - 1) & ~CHAINLK_WAIT;
		else
			nchainlk = chainlk - 1;
	} while (!atomic_fcmpset_uint(&object->chainlk, &chainlk, nchainlk));
	cnt_inc(v_chainlk);
	SCHED_POINT("vm.chain_released");
	if (chainlk & ~nchainlk & CHAINLK_WAIT)
		wakeup(&object->chainlk);
}

/* See vm_object.h. */
void
vm_object_chain_release(vm_object_t object)
{
	chain_release(object);
}

/* Gives back the chain locks of every object from first down to and
 * including stop, all of which the caller has; it holds the two ends, or
 * their references. The bottom goes first, because that is the one most
 * likely to be shared with other processes. */
void
vm_object_chain_release_all(vm_object_t first, vm_object_t stop)
{
	vm_object_t object, backing;

	chain_release(stop);
	for (object = first; object != stop; object = backing) {
		/* Our own lock keeps the link until the release. */
		backing = object->backing_object;
		KKASSERT(backing != NULL);
		chain_release(object);
	}
}

#ifdef WITNESS

/* Whether the object at want stands behind the one at held. The links stay:
 * the running thread has chain-locked its way down. */
static bool
is_behind(const void *held, const void *want)
{
	const struct vm_object *o = held;

	do {
		o = o->backing_object;
	} while (o != NULL && o != want);
	return o != NULL;
}

/* Whether the object has just been made, for pages of the one at held: it has
 * nothing yet, and nobody else looks at it. */
static bool
is_new(const void *want)
{
	const struct vm_object *o = want;

	return o->backing_object == NULL && o->resident_page_count == 0 &&
	    o->hold_count == 1;
}

/* Whether the lock, of an object that shadows one whose token the running
 * thread has, is free: then there is no waiting. So a deallocation may go up,
 * when it has looked. */
static bool
is_free_above(const void *want)
{
	const struct vm_object *o = want;

	return (o->chainlk & CHAINLK_HELD) == 0 && o->backing_object != NULL &&
	    lwkt_token_held_any(&o->backing_object->token);
}

/* Whether the object stood behind the one at held until that bypassed it:
 * both shadow the same now. A collapse gives such an object's reference up
 * with the upper one locked, from which no way leads there any more. */
static bool
is_bypassed(const void *held, const void *want)
{
	const struct vm_object *h = held, *w = want;

	return h->backing_object == w->backing_object;
}

/* Whether one thread may have the chain lock of the object at held and wait for
 * that of the object at want: the witness asks. */
bool
vm_object_chain_in_order(const void *held, const void *want)
{
	return is_behind(held, want) || is_bypassed(held, want) ||
	    is_free_above(want) || is_new(want);
}

#endif
