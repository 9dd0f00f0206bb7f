/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Device interrupts: the I/O APICs that ACPI names (82093AA data sheet),
 * all delivered to CPU 0. The legacy PIC is only ever masked.
 */
#include <linux/errno.h>

#include <kern/thread.h>

#include <amd64/acpi.h>
#include <amd64/cpu_md.h>
#include <amd64/cpufunc.h>
#include <amd64/frame.h>
#include <amd64/machdep.h>

#define IOAPIC_INDEX 0x00
#define IOAPIC_DATA  0x10
#define IOAPIC_VER   0x01
#define IOAPIC_REDIR 0x10

#define REDIR_MASKED 0x10000
#define REDIR_LEVEL  0x8000
#define REDIR_LOW    0x2000

#define MSI_ADDRESS 0xfee00000UL
#define GSI_NONE    UINT32_MAX

#define NVECTORS (VEC_IRQ_LAST - VEC_IRQ + 1)

/* All (k) after boot but the handlers, which irq_spin guards; a handler is
 * set before its input is unmasked and never taken away. */
static struct {
	volatile uint8_t *regs;
	uint32_t gsi_base, inputs;
} ioapics[ACPI_IOAPICS];

static struct {
	void (*fn)(void *);
	void *arg;
	uint32_t gsi;
} handlers[NVECTORS];
static int nhandlers;
static struct spinlock irq_spin = SPINLOCK_INITIALIZER("ioapic");

/*
 * Registers are reached through a window of two words: which, and its value.
 * irq_spin is held, or it is boot.
 */
static uint32_t
ioapic_read(int i, uint32_t reg)
{
	*(volatile uint32_t *)(ioapics[i].regs + IOAPIC_INDEX) = reg;
	return *(volatile uint32_t *)(ioapics[i].regs + IOAPIC_DATA);
}

/*
 * The same for writing.
 */
static void
ioapic_write(int i, uint32_t reg, uint32_t v)
{
	*(volatile uint32_t *)(ioapics[i].regs + IOAPIC_INDEX) = reg;
	*(volatile uint32_t *)(ioapics[i].regs + IOAPIC_DATA) = v;
}

/*
 * Masks both 8259s, after moving what they may still deliver away from the
 * exceptions' vectors.
 */
void
pic_mask(void)
{
	outb(0x20, 0x11);
	outb(0xa0, 0x11);
	outb(0x21, VEC_LEGACY);
	outb(0xa1, VEC_LEGACY + 8);
	outb(0x21, 4);
	outb(0xa1, 2);
	outb(0x21, 1);
	outb(0xa1, 1);
	outb(0x21, 0xff);
	outb(0xa1, 0xff);
}

/*
 * Maps the I/O APICs and masks every input.
 */
void
ioapic_init(void)
{
	for (int i = 0; i < acpi_info.ai_ioapics; i++) {
		ioapics[i].regs = fixmap(acpi_info.ai_ioapic[i].pa);
		ioapics[i].gsi_base = acpi_info.ai_ioapic[i].gsi_base;
		ioapics[i].inputs =
		    (ioapic_read(i, IOAPIC_VER) >> 16 & 0xff) + 1;
		for (uint32_t n = 0; n < ioapics[i].inputs; n++)
			ioapic_write(i, IOAPIC_REDIR + 2 * n, REDIR_MASKED);
	}
}

/*
 * Gives fn a vector; gsi is for messages GSI_NONE. -1 when the gsi is taken
 * or vectors ran out. irq_spin is held.
 */
static int
handler_add(uint32_t gsi, void (*fn)(void *), void *arg)
{
	int h = 0;

	while (h < nhandlers && (gsi == GSI_NONE || handlers[h].gsi != gsi))
		h++;
	if (h < nhandlers || h == NVECTORS)
		return -1;
	handlers[h].fn = fn;
	handlers[h].arg = arg;
	handlers[h].gsi = gsi;
	nhandlers++;
	return h;
}

/*
 * Routes input gsi to a vector of its own and fn. EINVAL: no I/O APIC has
 * that input; EBUSY: taken, or vectors ran out.
 */
int
intr_establish_gsi(
    uint32_t gsi, bool level, bool active_low, void (*fn)(void *), void *arg)
{
	uint32_t low, n;
	int i, h, error = EBUSY;

	for (i = 0; i < acpi_info.ai_ioapics; i++) {
		if (gsi >= ioapics[i].gsi_base &&
		    gsi < ioapics[i].gsi_base + ioapics[i].inputs)
			break;
	}
	if (i == acpi_info.ai_ioapics)
		return EINVAL;
	spin_lock(&irq_spin);
	h = handler_add(gsi, fn, arg);
	if (h >= 0) {
		low = VEC_IRQ + (uint32_t)h;
		low |= level ? REDIR_LEVEL : 0;
		low |= active_low ? REDIR_LOW : 0;
		n = IOAPIC_REDIR + 2 * (gsi - ioapics[i].gsi_base);
		ioapic_write(i, n + 1, globaldata0.gd_apicid << 24);
		ioapic_write(i, n, low);
		error = 0;
	}
	spin_unlock(&irq_spin);
	return error;
}

/*
 * The same for an ISA interrupt, by way of ACPI's overrides.
 */
int
intr_establish(int isa_irq, void (*fn)(void *), void *arg)
{
	const struct acpi_override *o = &acpi_info.ai_isa[isa_irq & 15];

	return intr_establish_gsi(o->gsi, o->level, o->active_low, fn, arg);
}

/*
 * See machdep.h. The message is the LAPIC's own (SDM vol. 3, 10.11): edge,
 * fixed, to CPU 0.
 */
int
intr_establish_msi(
    void (*fn)(void *), void *arg, uint64_t *addr, uint32_t *data)
{
	int h;

	spin_lock(&irq_spin);
	h = handler_add(GSI_NONE, fn, arg);
	spin_unlock(&irq_spin);
	*addr = MSI_ADDRESS | globaldata0.gd_apicid << 12;
	*data = VEC_IRQ + (uint32_t)h;
	return h < 0 ? EBUSY : 0;
}

/*
 * Calls the handler of a vector, in the interrupt.
 */
void
ioapic_intr(int vector)
{
	int h = vector - VEC_IRQ;

	if (h < NVECTORS && handlers[h].fn != NULL)
		handlers[h].fn(handlers[h].arg);
}
