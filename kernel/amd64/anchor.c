/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The anchor of deterministic boots. Under QEMU's -icount everything happens
 * at a fixed virtual instant, except that the firmware reads the CD by host
 * time and so hands over at a different instant on each boot. Before
 * anything that could depend on it, the boot CPU therefore sleeps until a
 * fixed instant that lies beyond any firmware's end. With `sleep=off' that
 * costs nothing. Time and LAPIC timer both count nanoseconds then, and the
 * code between reading the one and starting the other has no branch, so the
 * timer fires at exactly the same instant on every boot.
 */
#include <kern/bootopt.h>

#include <amd64/cpu_md.h>
#include <amd64/cpufunc.h>

BOOTOPT(bo_icount, "icount", "",
    "QEMU runs with -icount shift=N: fix the boot's instant");
BOOTOPT(bo_anchor, "anchor", "1000",
    "the instant, in seconds of virtual time (with icount)");

#define SECOND 1000000000UL
#define NAP    (2 * SECOND) /* fits the timer's 32 bits */

/*
 * QEMU interrupts its CPUs' turns every tenth of a virtual second, counted
 * from the end of the last time that all of them were halted; or, when its
 * main loop is quicker than its CPU thread, from the time before. Naps that
 * end at multiples of that period make it one and the same.
 */
#define KICK (SECOND / 10)

static volatile bool napping;

/*
 * True when icount was given: time is virtual and clocks need no measuring.
 */
bool
anchor_wanted(void)
{
	return *bootopt_str(&bo_icount) != '\0';
}

/*
 * The timer interrupt asks: was it meant for us?
 */
bool
anchor_intr(void)
{
	if (likely(!napping))
		return false;
	napping = false;
	return true;
}

/*
 * Halts until the instant (TSC) then. No branch may come between rdtsc and
 * the timer's start, and nothing else may interrupt.
 */
static void
nap_until(uint64_t then)
{
	napping = true;
	lapic_timer_oneshot((uint32_t)(then - rdtsc()));
	while (napping) {
		cpu_sti_hlt();
		cpu_disable_intr();
	}
}

/*
 * Waits for the anchor instant, when the boot options want it. The boot CPU,
 * interrupts disabled, PIC masked, LAPIC set up.
 */
void
anchor_wait(void)
{
	uint64_t at;

	if (!anchor_wanted())
		return;
	at = bootopt_u64(&bo_anchor) * SECOND;
	if (rdtsc() + NAP / 2 > at)
		boot_die(
		    "the firmware ended at %lu ms, too late for anchor=%lu",
		    rdtsc() / 1000000, at / SECOND);
	/* Naps until between one and three seconds are left, then one. */
	while (rdtsc() + NAP + NAP / 2 < at)
		nap_until((rdtsc() + NAP) / KICK * KICK);
	nap_until(at);
}
