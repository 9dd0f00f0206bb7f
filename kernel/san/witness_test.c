/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Planted bugs for the witness: see san_test.h. Nobody waits in any of them;
 * the orders alone are wrong.
 */
#include <san/san_test.h>

#include <kern/kmalloc.h>
#include <kern/lock.h>
#include <vm/vm_map.h>
#include <vm/vm_page.h>

static struct spinlock spin_a = SPINLOCK_INITIALIZER("planted a");
static struct spinlock spin_b = SPINLOCK_INITIALIZER("planted b");
static struct spinlock spin_c = SPINLOCK_INITIALIZER("planted c");
static struct lwkt_token tok = LWKT_TOKEN_INITIALIZER("planted");
static struct lock lk = LOCK_INITIALIZER("planted");

static __noinline void
two_spinlocks(struct spinlock *first, struct spinlock *second)
{
	spin_lock(first);  /* [first] */
	spin_lock(second); /* [second] */
	spin_unlock(second);
	spin_unlock(first);
}

/* A before B, B before C, C before A. */
static void
planted_spinlocks(void)
{
	two_spinlocks(&spin_a, &spin_b);
	two_spinlocks(&spin_b, &spin_c);
	two_spinlocks(&spin_c, &spin_a);
}
SAN_TEST("witness_spinlocks", planted_spinlocks);

/* A page wanted by one who has the map, and a map by one who has a page. */
static void
planted_page_map(void)
{
	struct vmspace *vm = vmspace_alloc();
	vm_page_t m = vm_page_queue_alloc(0, VM_ALLOC_NORMAL);

	KKASSERT(m != NULL);
	vm_page_wakeup(m);
	vm_map_lock_read(&vm->vm_map);
	vm_page_busy_wait(m, false, "planted"); /* [page] */
	vm_map_unlock_read(&vm->vm_map);
	vm_map_lock_read(&vm->vm_map); /* [map] */
}
SAN_TEST("witness_page_map", planted_page_map);

/* A token and a lock, in both orders. */
static void
planted_token(void)
{
	lockmgr(&lk, LK_EXCLUSIVE); /* [before] */
	lwkt_gettoken(&tok);
	lwkt_reltoken(&tok);
	lockmgr(&lk, LK_RELEASE);
	lwkt_gettoken(&tok);	    /* [token] */
	lockmgr(&lk, LK_EXCLUSIVE); /* [lock] */
}
SAN_TEST("witness_token_lock", planted_token);

/* A lock that is only tried makes no order: this is right, and then a sleep
 * with a spinlock held is wrong, although there is memory. */
static void
planted_sleep(void)
{
	two_spinlocks(&spin_a, &spin_b);
	spin_lock(&spin_b); /* [spin] */
	if (spin_trylock(&spin_a))
		spin_unlock(&spin_a);
	kmalloc(16, &M_TEMP, M_WAITOK); /* [sleep] */
}
SAN_TEST("witness_sleep", planted_sleep);

/* Memory freed with a lock in it held. */
static void
planted_free(void)
{
	struct lock *p = kmalloc(sizeof(*p), &M_TEMP, M_WAITOK);

	lockinit(p, "planted");
	lockmgr(p, LK_SHARED);
	kfree(p, &M_TEMP); /* [free] */
}
SAN_TEST("witness_free", planted_free);

/* A thread that ends, and leaves a page busy. */
static void
leave_busy(void *arg)
{
	KKASSERT(vm_page_queue_alloc(0, VM_ALLOC_NORMAL) != NULL);
}

static void
planted_exit(void)
{
	struct thread *td = kthread_create("planted", leave_busy, NULL);
	int never = 0;

	KKASSERT(td != NULL);
	tsleep(&never, 0, "planted", 1000000000);
}
SAN_TEST("witness_exit", planted_exit);
