/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Time: the TSC, measured once against the PIT; and the CMOS clock for the
 * date.
 */
#include <kern/bootopt.h>
#include <kern/kprintf.h>

#include <amd64/cpu_md.h>
#include <amd64/cpufunc.h>
#include <amd64/machdep.h>

#define PIT_HZ	  1193182UL
#define PIT_CH2	  0x42
#define PIT_MODE  0x43
#define PIT_GATE  0x61	/* bit 0 gate of channel 2, 1 speaker, 5 output */
#define CAL_COUNT 11932 /* 10 ms */
#define CAL_TRIES 5

#define CMOS_INDEX 0x70
#define CMOS_DATA  0x71

uint64_t tsc_hz, lapic_hz;
static uint64_t tsc_base, tsc_mult; /* (k) mult: ns * 2^32 a cycle */
static uint64_t wall_base;	    /* (k) ns since 1970 at tsc_base */

/*
 * Lets channel 2 of the PIT count down 10 ms and measures how far the TSC
 * and the LAPIC timer get meanwhile. Returns the cycles of uncertainty at
 * both ends: many when somebody (a busy host) stopped us just there.
 */
static uint64_t
measure(uint8_t gate, uint64_t *tsc, uint64_t *timer)
{
	uint64_t first, t0, t1, last;
	uint32_t l0, l1;

	outb(PIT_GATE, gate);
	outb(PIT_MODE, 0xb0); /* channel 2, both bytes, mode 0 */
	outb(PIT_CH2, CAL_COUNT & 0xff);
	outb(PIT_CH2, CAL_COUNT >> 8);
	lapic_timer_oneshot(0xffffffff);
	first = rdtsc();
	outb(PIT_GATE, gate | 1);
	l0 = lapic_timer_left();
	t0 = t1 = rdtsc();
	do {
		cpu_pause();
		last = t1;
		t1 = rdtsc();
	} while ((inb(PIT_GATE) & 0x20) == 0);
	l1 = lapic_timer_left();
	*tsc = t1 - t0;
	*timer = l0 - l1;
	outb(PIT_GATE, gate);
	return (t0 - first) + (rdtsc() - last);
}

/*
 * Measures until it went undisturbed, or often enough, and believes the
 * best.
 */
static void
calibrate(void)
{
	uint8_t gate = inb(PIT_GATE) & ~3;
	uint64_t tsc, timer, doubt, least = UINT64_MAX;

	for (int i = 0; i < CAL_TRIES; i++) {
		doubt = measure(gate, &tsc, &timer);
		if (doubt < least) {
			least = doubt;
			tsc_hz = tsc * PIT_HZ / CAL_COUNT;
			lapic_hz = timer * PIT_HZ / CAL_COUNT;
		}
		if (doubt < tsc / 100)
			break;
	}
	lapic_timer_oneshot(0);
	if (tsc_hz < 1000000 || lapic_hz < 10 * HZ)
		boot_die("the clocks do not run: TSC %lu Hz, LAPIC %lu Hz",
		    tsc_hz, lapic_hz);
}

/*
 * One register of the CMOS clock.
 */
static uint8_t
cmos(uint8_t reg)
{
	outb(CMOS_INDEX, reg);
	return inb(CMOS_DATA);
}

/*
 * The CMOS clock's date and time in seconds since 1970, taken to be UTC and
 * between 2000 and 2099. Read twice, in case it was just changing.
 */
static uint64_t
cmos_time(void)
{
	static const uint8_t regs[6] = {0, 2, 4, 7, 8, 9};
	static const uint16_t before[12] = {
	    0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
	uint8_t v[6], again[6], mode = cmos(11);
	uint64_t days, y, m;
	bool same, pm;

	do {
		same = true;
		while (cmos(10) & 0x80)
			cpu_pause();
		for (int i = 0; i < 6; i++)
			v[i] = cmos(regs[i]);
		for (int i = 0; i < 6; i++) {
			again[i] = cmos(regs[i]);
			same = same && again[i] == v[i];
		}
	} while (!same);
	pm = (mode & 2) == 0 && (v[2] & 0x80) != 0;
	v[2] &= 0x7f;
	for (int i = 0; (mode & 4) == 0 && i < 6; i++)
		v[i] = (v[i] >> 4) * 10 + (v[i] & 15);
	if ((mode & 2) == 0)
		v[2] = v[2] % 12 + (pm ? 12 : 0);
	m = (v[4] - 1U) % 12;
	y = v[5];
	days = 10957 + y * 365 + (y + 3) / 4 + before[m] + v[3] - 1;
	if (m >= 2 && y % 4 == 0)
		days++;
	return ((days * 24 + v[2]) * 60 + v[1]) * 60 + v[0];
}

/*
 * Starts the clock at 0. Boot CPU, LAPIC set up. In a deterministic boot
 * both counters are known to count nanoseconds.
 */
void
clock_init(void)
{
	if (anchor_wanted())
		tsc_hz = lapic_hz = 1000000000UL;
	else
		calibrate();
	tsc_mult = (1000000000UL << 32) / tsc_hz;
	wall_base = cmos_time() * 1000000000UL;
	tsc_base = rdtsc();
	klog(KLOG_DEBUG, "TSC %lu kHz, LAPIC timer %lu kHz\n", tsc_hz / 1000,
	    lapic_hz / 1000);
}

/*
 * A reading of the time-stamp counter as nanoseconds since the clock started.
 */
uint64_t
tsc_to_ns(uint64_t tsc)
{
	if (unlikely(tsc < tsc_base))
		return 0;
	return (uint64_t)((unsigned __int128)(tsc - tsc_base) * tsc_mult >> 32);
}

/*
 * Relies on the CPUs' TSCs being one, as they are since Intel's Nehalem and
 * in every emulator; a CPU slightly behind must not go below zero.
 */
uint64_t
nanotime(void)
{
	return tsc_to_ns(rdtsc());
}

/*
 * The date, as good as the CMOS clock was at boot.
 */
uint64_t
walltime(void)
{
	return wall_base + nanotime();
}

/*
 * Spins for ns nanoseconds; any context.
 */
void
cpu_delay(uint64_t ns)
{
	uint64_t end = nanotime() + ns;

	while (nanotime() < end)
		cpu_pause();
}
