/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A virtio device on PCI with one queue (Virtual I/O Device Specification
 * 1.1, section 4.1): the registers of version 1, which transitional devices
 * have as well.
 */
#ifndef DEV_VIRTIO_PCI_H
#define DEV_VIRTIO_PCI_H

#include <dev/pci.h>

#define VIRTIO_VENDOR  0x1af4
#define VIRTIO_BLK_OLD 0x1001 /* transitional */
#define VIRTIO_BLK_NEW 0x1042

struct virtio_pci { /* (k) after boot */
	const struct pci_dev *vp_dev;
	volatile struct virtio_pci_common_cfg *vp_common;
	volatile void *vp_config;   /* the kind of device's own */
	char *vp_notify;	    /* where the queues' bells are */
	uint32_t vp_notify_step;    /* bytes from one to the next */
	volatile uint16_t *vp_bell; /* queue 0's */
};

/* In the order of the calls (3.1.1). Finds the registers and resets: ENXIO
 * when they are not there. */
int virtio_pci_attach(struct virtio_pci *vp, const struct pci_dev *pd);
/* *features: in, what the driver knows; out, of these what is there. EOPNOTSUPP
 * when the device will not have it. */
int virtio_pci_negotiate(struct virtio_pci *vp, uint64_t *features);
/* How many descriptors queue 0 will have, at most max; 0: there is none. */
uint16_t virtio_pci_queue_size(struct virtio_pci *vp, uint16_t max);
void virtio_pci_queue(struct virtio_pci *vp, uint16_t size, vm_paddr_t desc,
    vm_paddr_t avail, vm_paddr_t used);
/* The device is in use; its interrupts call fn(NULL). */
int virtio_pci_start(struct virtio_pci *vp, void (*fn)(void *));

void virtio_pci_kick(struct virtio_pci *vp);   /* queue 0 has something new */
bool virtio_pci_failed(struct virtio_pci *vp); /* it wants to be reset */
void virtio_pci_reset(struct virtio_pci *vp);

#endif
