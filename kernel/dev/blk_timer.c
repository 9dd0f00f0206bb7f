/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Transfers that end at a given time. The clock tick is far too coarse for a
 * disk, so the first one due has a timer for itself: channel 0 of the 8254,
 * one shot at a time, of 838 ns resolution. Under QEMU it counts virtual time
 * as everything else does, so that a graded boot sees each transfer end at
 * the same instant.
 */
#include <amd64/cpufunc.h>
#include <amd64/machdep.h>
#include <dev/blk.h>

#define PIT_HZ	 1193182UL
#define PIT_IRQ	 0
#define PIT_CH0	 0x40
#define PIT_MODE 0x43
#define MODE_CH0 0x30  /* channel 0, both bytes, mode 0: once */
#define PIT_MAX	 65535 /* 54.9 ms; what is later gets several shots */

static struct spinlock bt_spin = SPINLOCK_INITIALIZER("blk timer");
static struct biolist bt_queue; /* bt_spin; earliest first */

/*
 * Sets the timer for an instant or a little later, or as late as it can
 * count. bt_spin is held.
 */
static void
arm(uint64_t when)
{
	uint64_t now = nanotime(), ns = when > now ? when - now : 0;
	uint64_t count = PIT_MAX;

	if (ns < 54000000)
		count = ns * PIT_HZ / 1000000000 + 1;
	outb(PIT_CH0, (uint8_t)count);
	outb(PIT_CH0, (uint8_t)(count >> 8));
}

/*
 * See blk.h. The firmware may have left the channel ticking: the mode stops
 * that until the first count is set.
 */
void
blk_timer_init(void)
{
	int error;

	TAILQ_INIT(&bt_queue);
	outb(PIT_MODE, MODE_CH0);
	error = intr_establish(PIT_IRQ, blk_notify, NULL);
	KASSERT(error == 0, ("the 8254's interrupt: error %d", error));
}

/*
 * See blk.h.
 */
void
blk_timer_add(struct bio *bio, uint64_t when_ns, void (*due)(struct bio *bio))
{
	struct bio *at;

	bio->bio_when = when_ns;
	bio->bio_due = due;
	spin_lock(&bt_spin);
	TAILQ_FOREACH_REVERSE (at, &bt_queue, biolist, bio_link) {
		if (at->bio_when <= when_ns)
			break;
	}
	if (at != NULL)
		TAILQ_INSERT_AFTER(&bt_queue, at, bio, bio_link);
	else
		TAILQ_INSERT_HEAD(&bt_queue, bio, bio_link);
	if (at == NULL)
		arm(when_ns);
	spin_unlock(&bt_spin);
}

/*
 * Ends what is due, in order, and sets the timer for what is next. CPU 0, in
 * a critical section.
 */
void
blk_timer_run(void)
{
	struct bio *bio;

	spin_lock(&bt_spin);
	while ((bio = TAILQ_FIRST(&bt_queue)) != NULL &&
	    bio->bio_when <= nanotime()) {
		TAILQ_REMOVE(&bt_queue, bio, bio_link);
		spin_unlock(&bt_spin);
		bio->bio_due(bio);
		spin_lock(&bt_spin);
	}
	if (bio != NULL)
		arm(bio->bio_when);
	spin_unlock(&bt_spin);
}
