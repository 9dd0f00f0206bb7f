/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PCI: which devices there are, and their configuration (PCI Local Bus
 * Specification 3.0; a PCI Express device shows the same first 256 bytes).
 * The firmware has given out the addresses; interrupts are messages (MSI-X).
 */
#ifndef DEV_PCI_H
#define DEV_PCI_H

#include <kern/types.h>

#define PCI_BARS 6

struct pci_dev { /* (k) after pci_init() */
	uint8_t pd_bus, pd_slot, pd_func;
	uint8_t pd_class, pd_subclass;
	uint16_t pd_vendor, pd_device;
	struct {
		vm_paddr_t pa; /* 0: not of memory, or not given out */
		vm_size_t size;
	} pd_bars[PCI_BARS];
};

/* Registers of the header, by linux/pci_regs.h. Any context. */
uint32_t pci_read(const struct pci_dev *pd, int reg, int bytes);
void pci_write(const struct pci_dev *pd, int reg, int bytes, uint32_t v);

/* Looks at every bus. Boot, before other CPUs run: while the sizes of BARs
 * are measured they are gone from the address space, and QEMU 7.2 crashes
 * when another CPU looks something up at that moment. For the same reason
 * pci_enable and pci_msix are best called then. */
void pci_init(void);
/* The next device after `after' (NULL: the first) in the order of bus, slot
 * and function; NULL when there is none. 0xffff is any. */
#define PCI_ANY 0xffff
const struct pci_dev *pci_find(
    uint16_t vendor, uint16_t device, const struct pci_dev *after);

/* Where a memory BAR is; false when there is none or it is for I/O ports. */
bool pci_bar(
    const struct pci_dev *pd, int bar, vm_paddr_t *pa, vm_size_t *size);
/* Lets the device answer at its memory BARs, and be a bus master. */
void pci_enable(const struct pci_dev *pd);
/* The next capability with this id after the one at `after' (0: the first);
 * its offset, or 0. */
int pci_find_cap(const struct pci_dev *pd, uint8_t id, int after);
/* Sends message 0 of the device to fn, in the interrupt, on CPU 0. ENXIO: it
 * has no MSI-X; EBUSY: no vector left. */
int pci_msix(const struct pci_dev *pd, void (*fn)(void *), void *arg);

#endif
