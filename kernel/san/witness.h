/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The witness: it sees every lock taken and released, knows what each thread
 * holds, and checks at each request that the order is the one written in
 * kern/lock_order.h, and that no two orders ever seen make a cycle. It
 * complains about the order itself, whether or not anybody had to wait: a
 * deadlock need not happen to be found.
 *
 * In other builds all of this is nothing.
 */
#ifndef SAN_WITNESS_H
#define SAN_WITNESS_H

#include <kern/types.h>

/* Kinds of locks. Those before WK_TOKEN are spun for, the others slept for. */
enum witness_kind {
	WK_SPIN,  /* spinlock, and CPULOCK_EXCL of a pmap */
	WK_TOKEN, /* given up while its holder sleeps */
	WK_LOCK,  /* kern/lock.h */
	WK_PAGE,  /* a page's busy word: hard, or soft (shared) */
	WK_CHAIN, /* an object's chain lock */
	WK_PV,	  /* a pv entry or a placemarker of a pmap */
	WK_BUF,	  /* a buffer of the buffer cache */
	WK_RANGE, /* an interlock over a range of a map */
	WK_KINDS
};

struct thread;

#ifdef WITNESS

/* The running thread is going to take the lock, and would wait for it: is
 * that in order? Not called for attempts that do not wait, nor for waits
 * with a limit: they cannot deadlock. Legal when it has the lock already.
 * name, with the kind, is the lock's class. */
void witness_want(enum witness_kind kind, const void *lock, const char *name);
/* The running thread has the lock, once more if it had it. */
void witness_got(
    enum witness_kind kind, const void *lock, const char *name, bool shared);
/* It is released, once. By the running thread, or by another one or an
 * interrupt on behalf of its holder. */
void witness_gone(enum witness_kind kind, const void *lock);
/* The lock's holder leaves it to somebody else, who is no thread: a disk. */
void witness_handover(enum witness_kind kind, const void *lock);
/* An exclusive hold becomes a shared one. */
void witness_shared(enum witness_kind kind, const void *lock);
/* The running thread may sleep here, for this; ntoks is no matter. */
void witness_may_sleep(const char *what);
/* The running thread leaves the kernel, or ends: it must hold nothing. */
void witness_holds_nothing(const char *where);
/* Memory is given back: no lock in it may be held. */
void witness_freed(const void *p, size_t size);

/* Of vm/vm_object_chain.c, for lock_order.h's CHAIN. A stage whose objects have
 * no chains does not have it. */
bool vm_object_chain_in_order(const void *held, const void *want)
    __attribute__((weak));

#else

#define witness_want(kind, lock, name)	      ((void)0)
#define witness_got(kind, lock, name, shared) ((void)0)
#define witness_gone(kind, lock)	      ((void)0)
#define witness_handover(kind, lock)	      ((void)0)
#define witness_shared(kind, lock)	      ((void)0)
#define witness_may_sleep(what)		      ((void)0)
#define witness_holds_nothing(where)	      ((void)0)
#define witness_freed(p, size)		      ((void)0)

#endif
#endif
