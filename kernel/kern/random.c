/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The fixed-seed generator: SplitMix64 (G. L. Steele, D. Lea, C. H. Flood,
 * "Fast splittable pseudorandom number generators", OOPSLA 2014).
 */
#include <kern/kstring.h>
#include <kern/random.h>
#include <kern/thread.h>

static struct spinlock random_spin = SPINLOCK_INITIALIZER("random");
static uint64_t random_state; /* random_spin */

static uint64_t
random_next(void)
{
	uint64_t z;

	random_state += 0x9e3779b97f4a7c15UL;
	z = random_state;
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9UL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebUL;
	return z ^ (z >> 31);
}

/* Fills the buffer; each call begins with a new number. */
void
random_bytes(void *buf, size_t len)
{
	uint8_t *p = buf;
	uint64_t v;
	size_t n;

	spin_lock(&random_spin);
	while (len > 0) {
		v = random_next();
		n = MIN(len, sizeof(v));
		memcpy(p, &v, n);
		p += n;
		len -= n;
	}
	spin_unlock(&random_spin);
}
