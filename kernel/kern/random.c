/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The same random numbers at every boot: a run must be repeatable. This is
 * SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number
 * Generators, 2014), good enough for shuffling and for nothing secret.
 */
#include <linux/errno.h>
#include <linux/random.h>

#include <kern/kstring.h>
#include <kern/proc.h>
#include <kern/random.h>
#include <kern/syscalls.h>
#include <kern/thread.h>
#include <kern/uaccess.h>

static struct spinlock random_spin = SPINLOCK_INITIALIZER("random");
static uint64_t random_state; /* random_spin */

static uint64_t
random_next(void)
{
	uint64_t z;

	spin_lock(&random_spin);
	z = random_state += 0x9e3779b97f4a7c15UL;
	spin_unlock(&random_spin);
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9UL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebUL;
	return z ^ z >> 31;
}

/*
 * len bytes of the sequence. Any context.
 */
void
random_bytes(void *buf, size_t len)
{
	uint8_t *p = buf;
	uint64_t r;
	size_t n;

	while (len > 0) {
		r = random_next();
		n = MIN(len, sizeof(r));
		memcpy(p, &r, n);
		p += n;
		len -= n;
	}
}

long
sys_getrandom(void *ubuf, size_t len, unsigned int flags)
{
	uint8_t piece[256];
	size_t n, done = 0;

	if (flags &
	    ~(unsigned int)(GRND_NONBLOCK | GRND_RANDOM | GRND_INSECURE))
		return -EINVAL;
	if ((flags & (GRND_RANDOM | GRND_INSECURE)) ==
	    (GRND_RANDOM | GRND_INSECURE))
		return -EINVAL;
	len = MIN(len, INT32_MAX);
	while (done < len && !long_loop_over()) {
		n = MIN(len - done, sizeof(piece));
		random_bytes(piece, n);
		if (copyout(piece, (uint8_t *)ubuf + done, n) != 0)
			return done > 0 ? (long)done : -EFAULT;
		done += n;
	}
	return (long)done;
}
