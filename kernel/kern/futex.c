/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Futexes: sleeping until a word of user memory changes.
 *
 * What is waited on is named by its place: in a private mapping (or with
 * FUTEX_PRIVATE_FLAG) address space and address, else object and offset, so
 * that processes that map a page at different addresses meet. The waiters of
 * a bucket are under its lock, which is held while the word is read: a word
 * that changes afterwards is followed by a wake that finds us. Reading may
 * fault, hence a lock that may be held across sleep. Two buckets are locked
 * in the order of their addresses; nothing of the VM takes them.
 */
#include <linux/errno.h>
#include <linux/futex.h>

#include <kern/ktime.h>
#include <kern/lock.h>
#include <kern/proc.h>
#include <kern/syscalls.h>
#include <kern/uaccess.h>
#include <vm/vm_map.h>

#include <amd64/machdep.h>

#define FUTEX_BUCKETS 64

struct futex_key {
	uint64_t space;	 /* vmspace's address, or 2 * object id + 1 */
	uint64_t offset; /* address, or bytes into the object */
};

/* A thread that waits: on its own stack. */
struct futex_wait {
	TAILQ_ENTRY(futex_wait) fw_link;	 /* bucket's lock */
	struct futex_key fw_key;		 /* bucket's lock */
	struct futex_bucket *volatile fw_bucket; /* the lock of the old and
						  * the new one; NULL: woken */
	uint32_t fw_bitset;
};

static struct futex_bucket {
	struct lock fb_lock;
	TAILQ_HEAD(, futex_wait) fb_queue; /* first come, first woken */
} futex_buckets[FUTEX_BUCKETS];

static struct spinlock futex_init_spin = SPINLOCK_INITIALIZER("futexinit");
static bool futex_ready; /* futex_init_spin to set */

/*
 * Makes the buckets at the first use.
 */
static void
futex_init(void)
{
	spin_lock(&futex_init_spin);
	if (!futex_ready) {
		for (int i = 0; i < FUTEX_BUCKETS; i++) {
			lockinit(&futex_buckets[i].fb_lock, "futex");
			TAILQ_INIT(&futex_buckets[i].fb_queue);
		}
		futex_ready = true;
	}
	spin_unlock(&futex_init_spin);
}

/*
 * Names the word. EINVAL: not aligned. EFAULT: not a user address or, for
 * one that may be shared, nothing mapped there.
 */
static int
futex_key(const uint32_t *uaddr, bool private, struct futex_key *key)
{
	struct vmspace *vm = curproc->p_vmspace;
	vm_map_t map = &vm->vm_map;
	uint64_t va = (uint64_t)uaddr;
	vm_map_entry_t entry;
	vm_object_t object;
	vm_pindex_t pindex;
	vm_prot_t prot;
	bool wired;

	if (va & (sizeof(uint32_t) - 1))
		return EINVAL;
	if (va >= VM_MAX_USER_ADDRESS)
		return EFAULT;
	key->space = (uint64_t)vm;
	key->offset = va;
	if (private)
		return 0;
	/* The page need not be there, but the object must be its last one. */
	if (vm_map_lookup(&map, va, VM_PROT_READ, &entry, &object, &pindex,
		&prot, &wired) != KERN_SUCCESS)
		return EFAULT;
	if ((entry->eflags & MAP_ENTRY_COW) == 0 && object != NULL &&
	    entry->inheritance == VM_INHERIT_SHARE) {
		key->space = 2 * (uint64_t)object->id + 1;
		key->offset = (uint64_t)IDX_TO_OFF(pindex) | (va & PAGE_MASK);
	}
	vm_map_lookup_done(map, entry);
	return 0;
}

static struct futex_bucket *
futex_bucket(const struct futex_key *key)
{
	uint64_t h = key->space / 16 + key->offset / 4;

	h *= 0x9e3779b97f4a7c15UL; /* 2^64 / golden ratio: Knuth, vol. 3, 6.4 */
	return &futex_buckets[h >> 58];
}
_Static_assert(FUTEX_BUCKETS == 1 << (64 - 58), "the hash's top bits");

static bool
key_equal(const struct futex_key *a, const struct futex_key *b)
{
	return a->space == b->space && a->offset == b->offset;
}

static void
bucket_lock(struct futex_bucket *b)
{
	lockmgr(&b->fb_lock, LK_EXCLUSIVE);
}

static void
bucket_unlock(struct futex_bucket *b)
{
	lockmgr(&b->fb_lock, LK_RELEASE);
}

/*
 * Takes a waiter off its bucket, which is locked, and lets it go on. It may
 * be gone when this returns.
 */
static void
waiter_wake(struct futex_bucket *b, struct futex_wait *fw)
{
	TAILQ_REMOVE(&b->fb_queue, fw, fw_link);
	__atomic_store_n(&fw->fw_bucket, NULL, __ATOMIC_RELEASE);
	/* Only its address from here on. */
	wakeup(fw);
}

/*
 * Takes the running thread's waiter off the bucket it is on now; true when
 * it was on none any more: it has been woken.
 */
static bool
waiter_remove(struct futex_wait *fw)
{
	struct futex_bucket *b;

	while (
	    (b = __atomic_load_n(&fw->fw_bucket, __ATOMIC_ACQUIRE)) != NULL) {
		bucket_lock(b);
		if (b == fw->fw_bucket) {
			TAILQ_REMOVE(&b->fb_queue, fw, fw_link);
			fw->fw_bucket = NULL;
			bucket_unlock(b);
			return false;
		}
		bucket_unlock(b);
	}
	return true;
}

/*
 * Waits while *uaddr is val, until a wake whose bitset meets ours or the
 * deadline (0: none). EAGAIN: the value is another. EINTR, ETIMEDOUT,
 * EFAULT, EINVAL.
 */
static int
futex_wait(uint32_t *uaddr, bool private, uint32_t val, uint32_t bitset,
    uint64_t deadline)
{
	struct futex_bucket *b;
	struct futex_wait fw;
	uint64_t left = 0;
	uint32_t now;
	int error;

	if (bitset == 0)
		return EINVAL;
	error = futex_key(uaddr, private, &fw.fw_key);
	if (error != 0)
		return error;
	fw.fw_bitset = bitset;
	b = futex_bucket(&fw.fw_key);
	bucket_lock(b);
	error = fuword32(uaddr, &now);
	if (error == 0 && now != val)
		error = EAGAIN;
	if (error != 0) {
		bucket_unlock(b);
		return error;
	}
	fw.fw_bucket = b;
	TAILQ_INSERT_TAIL(&b->fb_queue, &fw, fw_link);
	bucket_unlock(b);
	for (;;) {
		if (deadline != 0 && (left = ktime_left(deadline)) == 0) {
			error = ETIMEDOUT;
			break;
		}
		tsleep_interlock(&fw, PCATCH);
		if (__atomic_load_n(&fw.fw_bucket, __ATOMIC_ACQUIRE) == NULL)
			break;
		error = tsleep(&fw, PCATCH | PINTERLOCKED, "futex", left);
		if (error == EINTR)
			break;
	}
	tsleep_remove(curthread);
	return waiter_remove(&fw) ? 0 : error;
}

/*
 * Wakes up to count waiters (at least one) whose bitset meets bitset; how
 * many, or -errno.
 */
static long
futex_wake(uint32_t *uaddr, bool private, int count, uint32_t bitset)
{
	struct futex_wait *fw, *next;
	struct futex_bucket *b;
	struct futex_key key;
	int error, woken = 0;

	if (bitset == 0)
		return -EINVAL;
	error = futex_key(uaddr, private, &key);
	if (error != 0)
		return -error;
	b = futex_bucket(&key);
	bucket_lock(b);
	TAILQ_FOREACH_SAFE (fw, &b->fb_queue, fw_link, next) {
		if (!key_equal(&fw->fw_key, &key) ||
		    (fw->fw_bitset & bitset) == 0)
			continue;
		waiter_wake(b, fw);
		if (++woken >= count)
			break;
	}
	bucket_unlock(b);
	return woken;
}

/*
 * Locks one bucket, or two in order.
 */
static void
bucket_lock2(struct futex_bucket *a, struct futex_bucket *b)
{
	bucket_lock(a < b ? a : b);
	if (a != b)
		bucket_lock(a < b ? b : a);
}

static void
bucket_unlock2(struct futex_bucket *a, struct futex_bucket *b)
{
	bucket_unlock(a);
	if (a != b)
		bucket_unlock(b);
}

/*
 * Wakes up to nwake waiters of one word and lets up to nmove others wait on
 * another word instead; both together, or -errno. With cmp not NULL the
 * word must have that value, else EAGAIN.
 */
static long
futex_requeue(uint32_t *uaddr, bool private, int nwake, int nmove,
    uint32_t *uaddr2, const uint32_t *cmp)
{
	struct futex_wait *fw, *next;
	struct futex_bucket *b, *b2;
	struct futex_key key, key2;
	uint32_t now;
	int error, count = 0;

	if (nwake < 0 || nmove < 0)
		return -EINVAL;
	error = futex_key(uaddr, private, &key);
	if (error == 0)
		error = futex_key(uaddr2, private, &key2);
	if (error != 0)
		return -error;
	b = futex_bucket(&key);
	b2 = futex_bucket(&key2);
	bucket_lock2(b, b2);
	if (cmp != NULL) {
		error = fuword32(uaddr, &now);
		if (error == 0 && now != *cmp)
			error = EAGAIN;
		if (error != 0) {
			bucket_unlock2(b, b2);
			return -error;
		}
	}
	TAILQ_FOREACH_SAFE (fw, &b->fb_queue, fw_link, next) {
		if (!key_equal(&fw->fw_key, &key))
			continue;
		if (count - nwake >= nmove)
			break;
		if (count++ < nwake) {
			waiter_wake(b, fw);
			continue;
		}
		fw->fw_key = key2;
		if (b != b2) {
			TAILQ_REMOVE(&b->fb_queue, fw, fw_link);
			TAILQ_INSERT_TAIL(&b2->fb_queue, fw, fw_link);
			fw->fw_bucket = b2;
		}
	}
	bucket_unlock2(b, b2);
	return count;
}

/*
 * FUTEX_WAIT with the time that was left when a signal broke it off.
 */
static long
futex_restart(struct restart_block *rb)
{
	int error;

	error = futex_wait(rb->rb_uaddr, rb->rb_op & FUTEX_PRIVATE_FLAG,
	    rb->rb_val, rb->rb_bitset, rb->rb_deadline);
	return error == EINTR ? -ERESTART_RESTARTBLOCK : -error;
}

/*
 * FUTEX_WAIT, whose time counts from now, and FUTEX_WAIT_BITSET, which waits
 * up to a time.
 */
static long
futex_wait_op(
    uint32_t *uaddr, int op, uint32_t val, const void *utime, uint32_t bitset)
{
	struct restart_block *rb = &curthread->td_lwp->l_restart;
	uint64_t ns = 0, now, deadline = 0;
	int error;

	if (utime != NULL) {
		error = copyin_timespec(utime, &ns);
		if (error != 0)
			return -error;
		now = 0;
		if ((op & FUTEX_CMD_MASK) == FUTEX_WAIT_BITSET)
			now =
			    op & FUTEX_CLOCK_REALTIME ? walltime() : nanotime();
		deadline = ktime_after(ns > now ? ns - now : 0);
	}
	error =
	    futex_wait(uaddr, op & FUTEX_PRIVATE_FLAG, val, bitset, deadline);
	if (error != EINTR)
		return -error;
	if (utime == NULL)
		return -ERESTARTSYS;
	rb->rb_func = futex_restart;
	rb->rb_uaddr = uaddr;
	rb->rb_op = op;
	rb->rb_val = val;
	rb->rb_bitset = bitset;
	rb->rb_deadline = deadline;
	return -ERESTART_RESTARTBLOCK;
}

/*
 * The priority-inheriting operations and FUTEX_WAKE_OP do not exist here:
 * ENOSYS, which C libraries are prepared for.
 */
long
sys_futex(uint32_t *uaddr, int op, uint32_t val, const void *utime,
    uint32_t *uaddr2, uint32_t val3)
{
	bool private = (op & FUTEX_PRIVATE_FLAG) != 0;
	int cmd = op & FUTEX_CMD_MASK;

	if (!futex_ready)
		futex_init();
	if ((op & FUTEX_CLOCK_REALTIME) && cmd != FUTEX_WAIT_BITSET)
		return -ENOSYS;
	switch (cmd) {
	case FUTEX_WAIT:
		return futex_wait_op(
		    uaddr, op, val, utime, FUTEX_BITSET_MATCH_ANY);
	case FUTEX_WAIT_BITSET:
		return futex_wait_op(uaddr, op, val, utime, val3);
	case FUTEX_WAKE:
		return futex_wake(
		    uaddr, private, (int)val, FUTEX_BITSET_MATCH_ANY);
	case FUTEX_WAKE_BITSET:
		return futex_wake(uaddr, private, (int)val, val3);
	case FUTEX_REQUEUE:
		return futex_requeue(uaddr, private, (int)val,
		    (int)(uintptr_t)utime, uaddr2, NULL);
	case FUTEX_CMP_REQUEUE:
		return futex_requeue(uaddr, private, (int)val,
		    (int)(uintptr_t)utime, uaddr2, &val3);
	default:
		return -ENOSYS;
	}
}
