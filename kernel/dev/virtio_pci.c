/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The registers of a virtio device: where they are, and the dance that
 * brings it up.
 */
#include <linux/errno.h>
#include <linux/pci_regs.h>
#include <linux/virtio_config.h>
#include <linux/virtio_pci.h>

#include <amd64/cpufunc.h>
#include <dev/virtio_pci.h>
#include <kern/cdefs.h>
#include <vm/vm_kern.h>

/*
 * Maps the structure of a kind that the device's capabilities name (4.1.4);
 * NULL when there is none of at least that size. *capp gets the capability.
 */
static void *
map_cfg(const struct pci_dev *pd, uint8_t type, uint32_t size, int *capp)
{
	uint32_t bar, off, len;
	vm_paddr_t pa;
	vm_size_t barsize;
	int cap = 0;

	while ((cap = pci_find_cap(pd, PCI_CAP_ID_VNDR, cap)) != 0) {
		if (pci_read(pd, cap + VIRTIO_PCI_CAP_CFG_TYPE, 1) != type)
			continue;
		bar = pci_read(pd, cap + VIRTIO_PCI_CAP_BAR, 1);
		off = pci_read(pd, cap + VIRTIO_PCI_CAP_OFFSET, 4);
		len = pci_read(pd, cap + VIRTIO_PCI_CAP_LENGTH, 4);
		if (bar > 5 || len < size ||
		    !pci_bar(pd, (int)bar, &pa, &barsize) ||
		    (uint64_t)off + len > barsize)
			continue;
		*capp = cap;
		return kmem_map_device(pa + off, len);
	}
	return NULL;
}

/*
 * Adds to the device's status, step by step (2.1).
 */
static void
add_status(struct virtio_pci *vp, uint8_t bits)
{
	vp->vp_common->device_status |= bits;
}

/*
 * See virtio_pci.h. It is over when the status reads as 0 (4.1.4.3.2).
 */
void
virtio_pci_reset(struct virtio_pci *vp)
{
	vp->vp_common->device_status = 0;
	while (vp->vp_common->device_status != 0)
		cpu_pause();
}

/*
 * See virtio_pci.h.
 */
int
virtio_pci_attach(struct virtio_pci *vp, const struct pci_dev *pd)
{
	int cap = 0;

	vp->vp_dev = pd;
	pci_enable(pd);
	vp->vp_common = map_cfg(pd, VIRTIO_PCI_CAP_COMMON_CFG,
	    sizeof(struct virtio_pci_common_cfg), &cap);
	vp->vp_config = map_cfg(pd, VIRTIO_PCI_CAP_DEVICE_CFG, 16, &cap);
	vp->vp_notify = map_cfg(pd, VIRTIO_PCI_CAP_NOTIFY_CFG, 2, &cap);
	if (vp->vp_common == NULL || vp->vp_config == NULL ||
	    vp->vp_notify == NULL)
		return ENXIO;
	vp->vp_notify_step = pci_read(pd, cap + VIRTIO_PCI_NOTIFY_CAP_MULT, 4);
	virtio_pci_reset(vp);
	add_status(vp, VIRTIO_CONFIG_S_ACKNOWLEDGE);
	add_status(vp, VIRTIO_CONFIG_S_DRIVER);
	return 0;
}

/*
 * See virtio_pci.h.
 */
int
virtio_pci_negotiate(struct virtio_pci *vp, uint64_t *features)
{
	volatile struct virtio_pci_common_cfg *c = vp->vp_common;
	uint64_t version1 = 1UL << VIRTIO_F_VERSION_1, have;

	c->device_feature_select = 0;
	have = c->device_feature;
	c->device_feature_select = 1;
	have |= (uint64_t)c->device_feature << 32;
	if ((have & version1) == 0)
		return EOPNOTSUPP;
	*features &= have;
	have &= *features | version1;
	c->guest_feature_select = 0;
	c->guest_feature = (uint32_t)have;
	c->guest_feature_select = 1;
	c->guest_feature = (uint32_t)(have >> 32);
	add_status(vp, VIRTIO_CONFIG_S_FEATURES_OK);
	return c->device_status & VIRTIO_CONFIG_S_FEATURES_OK ? 0 : EOPNOTSUPP;
}

/*
 * See virtio_pci.h. The device's number is a power of two, and so is max.
 */
uint16_t
virtio_pci_queue_size(struct virtio_pci *vp, uint16_t max)
{
	vp->vp_common->queue_select = 0;
	return MIN(vp->vp_common->queue_size, max);
}

/*
 * See virtio_pci.h.
 */
void
virtio_pci_queue(struct virtio_pci *vp, uint16_t size, vm_paddr_t desc,
    vm_paddr_t avail, vm_paddr_t used)
{
	volatile struct virtio_pci_common_cfg *c = vp->vp_common;

	c->queue_select = 0;
	c->queue_size = size;
	c->queue_desc_lo = (uint32_t)desc;
	c->queue_desc_hi = (uint32_t)(desc >> 32);
	c->queue_avail_lo = (uint32_t)avail;
	c->queue_avail_hi = (uint32_t)(avail >> 32);
	c->queue_used_lo = (uint32_t)used;
	c->queue_used_hi = (uint32_t)(used >> 32);
	vp->vp_bell = (volatile uint16_t *)(vp->vp_notify +
	    (size_t)c->queue_notify_off * vp->vp_notify_step);
}

/*
 * See virtio_pci.h. Message 0 is for the queue and for changes of the
 * device's state.
 */
int
virtio_pci_start(struct virtio_pci *vp, void (*fn)(void *))
{
	volatile struct virtio_pci_common_cfg *c = vp->vp_common;
	int error = pci_msix(vp->vp_dev, fn, NULL);

	if (error != 0)
		return error;
	c->msix_config = 0;
	c->queue_select = 0;
	c->queue_msix_vector = 0;
	if (c->msix_config != 0 || c->queue_msix_vector != 0)
		return EBUSY;
	c->queue_enable = 1;
	add_status(vp, VIRTIO_CONFIG_S_DRIVER_OK);
	return 0;
}

/*
 * See virtio_pci.h.
 */
void
virtio_pci_kick(struct virtio_pci *vp)
{
	*vp->vp_bell = 0;
}

/*
 * See virtio_pci.h.
 */
bool
virtio_pci_failed(struct virtio_pci *vp)
{
	return (vp->vp_common->device_status & VIRTIO_CONFIG_S_NEEDS_RESET) !=
	    0;
}
