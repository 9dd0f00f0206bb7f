/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which blocks of the swap devices are in use: a bitmap a device.
 *
 * The search for a run goes on where the last one was found, so that pages
 * that are written together lie together and can be read together. When
 * there is no run as long as asked for, half of it will do.
 */
#include <vm/swap_pager.h>

struct swdev swap_devs[SWAP_DEVS];
struct spinlock swap_spin = SPINLOCK_INITIALIZER("swap");

/* One bit of a bitmap. */
static inline bool
bit_test(const uint64_t *map, uint32_t i)
{
	return (map[i / 64] >> (i % 64)) & 1;
}

/* Sets one bit. */
static inline void
bit_set(uint64_t *map, uint32_t i)
{
	map[i / 64] |= 1UL << (i % 64);
}

/* The first of n free pages in from..end; end when there is no such run. */
static uint32_t
find_run(const struct swdev *sw, uint32_t from, uint32_t end, uint32_t n)
{
	uint32_t run = 0;

	for (uint32_t i = from; i < end; i++) {
		if (i % 64 == 0 && sw->sw_used[i / 64] == ~0UL) {
			run = 0;
			i += 63;
		} else if (bit_test(sw->sw_used, i)) {
			run = 0;
		} else if (++run == n) {
			return i + 1 - n;
		}
	}
	return end;
}

/* Takes n pages of a device; the first one's number, or 0. Locked. */
static uint32_t
dev_alloc(struct swdev *sw, uint32_t n)
{
	uint32_t end = sw->sw_npages, at;

	if (sw->sw_bd == NULL || sw->sw_closing || sw->sw_nfree < n)
		return 0;
	at = find_run(sw, sw->sw_rover, end, n);
	if (at == end)
		at = find_run(sw, 1, end, n);
	if (at == end)
		return 0;
	for (uint32_t i = at; i < at + n; i++)
		bit_set(sw->sw_used, i);
	sw->sw_nfree -= n;
	sw->sw_rover = at + n;
	return at;
}

/* The device to be tried after `last' (NULL: the first): by priority, and
 * of equals by index. NULL: that was the last one. Locked. */
static struct swdev *
dev_after(const struct swdev *last)
{
	struct swdev *best = NULL;

	for (struct swdev *sw = swap_devs; sw < swap_devs + SWAP_DEVS; sw++) {
		if (sw->sw_bd == NULL)
			continue;
		if (last != NULL &&
		    (sw->sw_prio > last->sw_prio ||
			(sw->sw_prio == last->sw_prio && sw <= last)))
			continue;
		if (best == NULL || sw->sw_prio > best->sw_prio)
			best = sw;
	}
	return best;
}

/* See swap_pager.h. */
swblk_t
swap_alloc(int *np)
{
	struct swdev *sw;
	uint32_t at = 0;
	int n;

	spin_lock(&swap_spin);
	for (n = *np; n > 0; n /= 2) {
		sw = NULL;
		while ((sw = dev_after(sw)) != NULL) {
			at = dev_alloc(sw, (uint32_t)n);
			if (at != 0)
				break;
		}
		if (at != 0)
			break;
	}
	spin_unlock(&swap_spin);
	*np = n;
	return at != 0 ? SWBLK(sw - swap_devs, at) : SWAPBLK_NONE;
}

/* Gives blocks back, but for those that are bad: they stay in use. */
void
swap_free(swblk_t blk, int n)
{
	struct swdev *sw = &swap_devs[SWBLK_DEV(blk)];
	uint32_t at = SWBLK_PAGE(blk), end = at + (uint32_t)n;

	spin_lock(&swap_spin);
	for (; at < end; at++) {
		KASSERT(bit_test(sw->sw_used, at),
		    ("swap block %u is free already", at));
		if (bit_test(sw->sw_bad, at)) {
			sw->sw_nbad++;
			continue;
		}
		sw->sw_used[at / 64] &= ~(1UL << (at % 64));
		sw->sw_nfree++;
	}
	spin_unlock(&swap_spin);
}

/* A write to these blocks failed. They are in use, and will not be given out
 * again. Any context that may take a spinlock. */
void
swap_retire(swblk_t blk, int n)
{
	struct swdev *sw = &swap_devs[SWBLK_DEV(blk)];
	uint32_t at = SWBLK_PAGE(blk);

	spin_lock(&swap_spin);
	for (int i = 0; i < n; i++)
		bit_set(sw->sw_bad, at + (uint32_t)i);
	spin_unlock(&swap_spin);
}

/* How many pages of swap are free; with totalp, how many there are. */
int64_t
swap_space(int64_t *totalp)
{
	int64_t nfree = 0, total = 0;

	spin_lock(&swap_spin);
	for (struct swdev *sw = swap_devs; sw < swap_devs + SWAP_DEVS; sw++) {
		if (sw->sw_bd == NULL)
			continue;
		total += sw->sw_npages - 1;
		if (!sw->sw_closing)
			nfree += sw->sw_nfree;
	}
	spin_unlock(&swap_spin);
	if (totalp != NULL)
		*totalp = total;
	return nfree;
}
