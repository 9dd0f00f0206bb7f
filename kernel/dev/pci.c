/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PCI configuration space, by the two ports of mechanism 1, and what is
 * read from it: devices, addresses, capabilities, MSI-X.
 */
#include <linux/errno.h>
#include <linux/pci_regs.h>

#include <amd64/cpufunc.h>
#include <amd64/machdep.h>
#include <dev/pci.h>
#include <kern/kprintf.h>
#include <kern/thread.h>
#include <vm/vm_kern.h>

#define PCI_ADDRESS 0xcf8
#define PCI_DATA    0xcfc
#define PCI_ENABLE  0x80000000U

#define PCI_BRIDGES 6 /* class: ISA and host bridges and their like */
#define PCI_SLOTS   32
#define PCI_FUNCS   8
#define PCI_DEVICES 64
#define PCI_DEPTH   8 /* bridges behind each other */

static struct pci_dev pci_devs[PCI_DEVICES]; /* (k) after pci_init() */
static int pci_ndevs;

/* An access is two port operations: which register, and its value. */
static struct spinlock pci_spin = SPINLOCK_INITIALIZER("pci");

/*
 * Selects a register; pci_spin is held.
 */
static void
select_reg(const struct pci_dev *pd, int reg)
{
	outl(PCI_ADDRESS,
	    PCI_ENABLE | (uint32_t)pd->pd_bus << 16 |
		(uint32_t)pd->pd_slot << 11 | (uint32_t)pd->pd_func << 8 |
		((uint32_t)reg & 0xfc));
}

/*
 * See pci.h. 1, 2 or 4 bytes, aligned.
 */
uint32_t
pci_read(const struct pci_dev *pd, int reg, int bytes)
{
	uint16_t port = (uint16_t)(PCI_DATA + (reg & 3));
	uint32_t v;

	spin_lock(&pci_spin);
	select_reg(pd, reg);
	v = bytes == 1 ? inb(port) : bytes == 2 ? inw(port) : inl(port);
	spin_unlock(&pci_spin);
	return v;
}

/*
 * The same for writing.
 */
void
pci_write(const struct pci_dev *pd, int reg, int bytes, uint32_t v)
{
	uint16_t port = (uint16_t)(PCI_DATA + (reg & 3));

	spin_lock(&pci_spin);
	select_reg(pd, reg);
	if (bytes == 1)
		outb(port, (uint8_t)v);
	else if (bytes == 2)
		outw(port, (uint16_t)v);
	else
		outl(port, v);
	spin_unlock(&pci_spin);
}

/*
 * Reads where one memory BAR is, and how large: its size is what remains zero
 * of an address of all ones (PCI 3.0, 6.2.5.1). Returns how many registers
 * it takes.
 */
static int
read_bar(struct pci_dev *pd, int bar)
{
	int reg = PCI_BASE_ADDRESS_0 + 4 * bar;
	uint32_t low = pci_read(pd, reg, 4), high;
	uint64_t ones;

	if (low & PCI_BASE_ADDRESS_SPACE_IO)
		return 1;
	pci_write(pd, reg, 4, 0xffffffff);
	ones = 0xffffffff00000000UL | (pci_read(pd, reg, 4) & ~0xfU);
	pci_write(pd, reg, 4, low);
	pd->pd_bars[bar].pa = low & ~0xfU;
	pd->pd_bars[bar].size = -ones;
	if ((low & PCI_BASE_ADDRESS_MEM_TYPE_64) == 0 || bar == PCI_BARS - 1)
		return 1;
	high = pci_read(pd, reg + 4, 4);
	pci_write(pd, reg + 4, 4, 0xffffffff);
	ones &= (uint64_t)pci_read(pd, reg + 4, 4) << 32 | 0xffffffff;
	pci_write(pd, reg + 4, 4, high);
	pd->pd_bars[bar].pa |= (vm_paddr_t)high << 32;
	pd->pd_bars[bar].size = -ones;
	return 2;
}

/*
 * All of them; meanwhile the device does not answer.
 */
static void
read_bars(struct pci_dev *pd)
{
	uint32_t cmd = pci_read(pd, PCI_COMMAND, 2);
	uint32_t deaf = cmd & ~(uint32_t)(PCI_COMMAND_IO | PCI_COMMAND_MEMORY);

	pci_write(pd, PCI_COMMAND, 2, deaf);
	for (int bar = 0; bar < PCI_BARS;)
		bar += read_bar(pd, bar);
	pci_write(pd, PCI_COMMAND, 2, cmd);
}

static void scan_bus(int bus, int depth);

/*
 * Enters one function in the table, and what is behind it if it is a bridge
 * that the firmware gave a bus. Returns false when there is none.
 */
static bool
scan_func(int bus, int slot, int func, int depth)
{
	struct pci_dev at = {.pd_bus = (uint8_t)bus,
	    .pd_slot = (uint8_t)slot,
	    .pd_func = (uint8_t)func};
	uint32_t id = pci_read(&at, PCI_VENDOR_ID, 4);
	uint32_t type, behind;

	if ((id & 0xffff) == 0xffff)
		return false;
	at.pd_vendor = (uint16_t)id;
	at.pd_device = (uint16_t)(id >> 16);
	at.pd_subclass = (uint8_t)pci_read(&at, PCI_CLASS_DEVICE, 1);
	at.pd_class = (uint8_t)pci_read(&at, PCI_CLASS_DEVICE + 1, 1);
	if (pci_ndevs == PCI_DEVICES) {
		klog(KLOG_ERR, "pci: more than %d devices\n", PCI_DEVICES);
		return true;
	}
	type = pci_read(&at, PCI_HEADER_TYPE, 1) & 0x7f;
	if (type == PCI_HEADER_TYPE_NORMAL && at.pd_class != PCI_BRIDGES)
		read_bars(&at);
	pci_devs[pci_ndevs++] = at;
	if (type == PCI_HEADER_TYPE_BRIDGE && depth < PCI_DEPTH) {
		behind = pci_read(&at, PCI_SECONDARY_BUS, 1);
		if (behind > (uint32_t)bus)
			scan_bus((int)behind, depth + 1);
	}
	return true;
}

/*
 * All slots of one bus, and all functions of those that have several.
 */
static void
scan_bus(int bus, int depth)
{
	struct pci_dev at = {.pd_bus = (uint8_t)bus};

	for (int slot = 0; slot < PCI_SLOTS; slot++) {
		if (!scan_func(bus, slot, 0, depth))
			continue;
		at.pd_slot = (uint8_t)slot;
		if ((pci_read(&at, PCI_HEADER_TYPE, 1) & 0x80) == 0)
			continue;
		for (int func = 1; func < PCI_FUNCS; func++)
			scan_func(bus, slot, func, depth);
	}
}

/*
 * See pci.h.
 */
void
pci_init(void)
{
	scan_bus(0, 0);
}

/*
 * See pci.h.
 */
const struct pci_dev *
pci_find(uint16_t vendor, uint16_t device, const struct pci_dev *after)
{
	const struct pci_dev *pd = after != NULL ? after + 1 : pci_devs;

	for (; pd < pci_devs + pci_ndevs; pd++) {
		if ((vendor == PCI_ANY || pd->pd_vendor == vendor) &&
		    (device == PCI_ANY || pd->pd_device == device))
			return pd;
	}
	return NULL;
}

/*
 * See pci.h.
 */
bool
pci_bar(const struct pci_dev *pd, int bar, vm_paddr_t *pa, vm_size_t *size)
{
	if (bar >= PCI_BARS)
		return false;
	*pa = pd->pd_bars[bar].pa;
	*size = pd->pd_bars[bar].size;
	return *pa != 0;
}

/*
 * See pci.h.
 */
void
pci_enable(const struct pci_dev *pd)
{
	uint32_t cmd = pci_read(pd, PCI_COMMAND, 2);

	cmd |= PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;
	pci_write(pd, PCI_COMMAND, 2, cmd | PCI_COMMAND_INTX_DISABLE);
}

/*
 * See pci.h. A list that leads in a circle ends.
 */
int
pci_find_cap(const struct pci_dev *pd, uint8_t id, int after)
{
	int at = after != 0 ? after + PCI_CAP_LIST_NEXT : PCI_CAPABILITY_LIST;

	if ((pci_read(pd, PCI_STATUS, 2) & PCI_STATUS_CAP_LIST) == 0)
		return 0;
	for (int n = 0; n < 48; n++) {
		at = (int)pci_read(pd, at, 1) & 0xfc;
		if (at == 0 || pci_read(pd, at, 1) == id)
			return at;
		at += PCI_CAP_LIST_NEXT;
	}
	return 0;
}

/*
 * See pci.h. The table of messages lies in one of the device's BARs (PCI
 * 3.0, 6.8.2); only its first entry is let through.
 */
int
pci_msix(const struct pci_dev *pd, void (*fn)(void *), void *arg)
{
	int cap = pci_find_cap(pd, PCI_CAP_ID_MSIX, 0), error;
	uint32_t where, flags, data;
	volatile uint32_t *entry;
	uint64_t addr;
	vm_paddr_t pa;
	vm_size_t size;

	if (cap == 0)
		return ENXIO;
	where = pci_read(pd, cap + PCI_MSIX_TABLE, 4);
	if (!pci_bar(pd, (int)(where & PCI_MSIX_TABLE_BIR), &pa, &size))
		return ENXIO;
	where &= PCI_MSIX_TABLE_OFFSET;
	if (where + PCI_MSIX_ENTRY_SIZE > size)
		return ENXIO;
	error = intr_establish_msi(fn, arg, &addr, &data);
	if (error != 0)
		return error;
	entry = kmem_map_device(pa + where, PCI_MSIX_ENTRY_SIZE);
	flags = pci_read(pd, cap + PCI_MSIX_FLAGS, 2);
	flags |= PCI_MSIX_FLAGS_ENABLE;
	pci_write(pd, cap + PCI_MSIX_FLAGS, 2, flags | PCI_MSIX_FLAGS_MASKALL);
	entry[PCI_MSIX_ENTRY_LOWER_ADDR / 4] = (uint32_t)addr;
	entry[PCI_MSIX_ENTRY_UPPER_ADDR / 4] = (uint32_t)(addr >> 32);
	entry[PCI_MSIX_ENTRY_DATA / 4] = data;
	entry[PCI_MSIX_ENTRY_VECTOR_CTRL / 4] = 0;
	flags &= ~(uint32_t)PCI_MSIX_FLAGS_MASKALL;
	pci_write(pd, cap + PCI_MSIX_FLAGS, 2, flags);
	return 0;
}
