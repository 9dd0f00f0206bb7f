/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The local APIC, in xAPIC mode (SDM vol. 3, chapter 10).
 */
#include <kern/globaldata.h>

#include <amd64/cpu_md.h>
#include <amd64/cpufunc.h>
#include <amd64/frame.h>
#include <amd64/machdep.h>
#include <amd64/trap.h>

#define LAPIC_ID      0x020
#define LAPIC_TPR     0x080
#define LAPIC_EOI     0x0b0
#define LAPIC_SVR     0x0f0
#define LAPIC_ESR     0x280
#define LAPIC_ICR_LO  0x300
#define LAPIC_ICR_HI  0x310
#define LAPIC_TIMER   0x320
#define LAPIC_PERF    0x340
#define LAPIC_LINT0   0x350
#define LAPIC_LINT1   0x360
#define LAPIC_ERROR   0x370
#define LAPIC_INITCNT 0x380
#define LAPIC_CURCNT  0x390
#define LAPIC_DIV     0x3e0

#define SVR_ENABLE   0x100
#define LVT_MASKED   0x10000
#define LVT_PERIODIC 0x20000
#define LVT_NMI	     0x400
#define DIV_BY_1     0xb

static volatile uint32_t *lapic;

/*
 * A register of this CPU's own APIC: all CPUs have theirs at the same address.
 */
static uint32_t
lapic_read(uint32_t reg)
{
	return lapic[reg / 4];
}

/*
 * The same for writing.
 */
static void
lapic_write(uint32_t reg, uint32_t v)
{
	lapic[reg / 4] = v;
}

/*
 * The registers appear at va. (Boot uses them first through the early page
 * tables, for the anchor, and then through the fixmap.)
 */
void
lapic_map(vm_offset_t va)
{
	lapic = (volatile uint32_t *)va;
}

/*
 * This CPU's APIC on, all its sources masked but the NMI line and errors,
 * all priorities let through.
 */
void
lapic_setup(void)
{
	uint64_t base = rdmsr(MSR_APICBASE);

	wrmsr(MSR_APICBASE,
	    (base & ~(uint64_t)APICBASE_X2APIC) | APICBASE_ENABLE);
	lapic_write(LAPIC_TPR, 0);
	lapic_write(LAPIC_SVR, SVR_ENABLE | VEC_SPURIOUS);
	lapic_write(LAPIC_TIMER, LVT_MASKED);
	lapic_write(LAPIC_PERF, LVT_MASKED);
	lapic_write(LAPIC_LINT0, LVT_MASKED);
	lapic_write(LAPIC_LINT1, LVT_NMI);
	lapic_write(LAPIC_ESR, 0);
	lapic_write(LAPIC_ERROR, VEC_ERROR);
	lapic_write(LAPIC_DIV, DIV_BY_1);
	lapic_eoi();
}

/*
 * This CPU's APIC id, by which others send it interrupts.
 */
uint32_t
lapic_id(void)
{
	return lapic_read(LAPIC_ID) >> 24;
}

/*
 * The end of an interrupt: the next one may come.
 */
void
lapic_eoi(void)
{
	lapic_write(LAPIC_EOI, 0);
}

/*
 * One interrupt after count timer periods; 0 stops the timer.
 */
void
lapic_timer_oneshot(uint32_t count)
{
	lapic_write(LAPIC_TIMER, VEC_TIMER);
	lapic_write(LAPIC_INITCNT, count);
}

/*
 * Timer periods until a one-shot fires.
 */
uint32_t
lapic_timer_left(void)
{
	return lapic_read(LAPIC_CURCNT);
}

/*
 * Starts this CPU's clock ticks. From lapic_setup() on.
 */
void
lapic_timer_start(void)
{
	lapic_write(LAPIC_TIMER, VEC_TIMER | LVT_PERIODIC);
	lapic_write(LAPIC_INITCNT, (uint32_t)(lapic_hz / HZ));
}

/*
 * Writes the interrupt command register, whose halves must not be torn by
 * an interrupt that sends one itself.
 */
void
lapic_icr(uint32_t apicid, uint32_t low)
{
	uint64_t fl = intr_disable();

	while (lapic_read(LAPIC_ICR_LO) & ICR_PENDING)
		cpu_pause();
	lapic_write(LAPIC_ICR_HI, apicid << 24);
	lapic_write(LAPIC_ICR_LO, low);
	intr_restore(fl);
}

/*
 * Interrupts one CPU. Any context; it counts as ours.
 */
void
ipi_send(uint32_t cpu, int vector)
{
	cnt_inc(v_ipi);
	lapic_icr(globaldata_array[cpu]->gd_apicid,
	    ICR_FIXED | ICR_ASSERT | (uint32_t)vector);
}

/*
 * Interrupts each CPU of the mask, which does not have our own.
 */
void
ipi_send_mask(cpumask_t cpus, int vector)
{
	for (; cpus != 0; cpus &= cpus - 1)
		ipi_send((uint32_t)__builtin_ctz(cpus), vector);
}

struct cpu_where cpu_where[MAXCPU];
static volatile uint32_t stopped; /* CPUs that heeded cpu_stop_others() */

/*
 * Halts this CPU for good.
 */
void
cpu_stop(void)
{
	atomic_add_uint(&stopped, 1);
	for (;;) {
		cpu_disable_intr();
		__asm__ __volatile__("hlt");
	}
}

/*
 * Has every other running CPU call cpu_stop() by way of an NMI, and waits
 * for them, but not for ever: they may be stuck already. `panicking' is set.
 */
void
cpu_stop_others(void)
{
	if (lapic == NULL || ncpus < 2)
		return;
	lapic_icr(0, ICR_NMI | ICR_ASSERT | ICR_ALL_BUT_SELF);
	for (int i = 0; i < 1000000; i++) {
		if (atomic_load_uint(&stopped) >= ncpus - 1)
			break;
		cpu_pause();
	}
}
