/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The deterministic disk: a host file that QEMU's ivshmem-plain shows as the
 * memory behind BAR 2 of a PCI device (QEMU, docs/specs/ivshmem-spec). A
 * transfer is a copy, made when the transfer ends; it ends a set time after
 * it began, by the clock that counts instructions, and no sooner than those
 * that began before it. So the same program sees the same disk, to the
 * nanosecond, and what was still on its way when the machine stops never
 * happened.
 *
 * The BAR is mapped cacheable: it is RAM of the host's. (On real hardware the
 * MTRRs would have the last word; KVM takes it for RAM too.)
 */
#include <linux/errno.h>

#include <amd64/machdep.h>
#include <dev/blk.h>
#include <dev/pci.h>
#include <fs/vnode.h>
#include <kern/bootopt.h>
#include <kern/kprintf.h>
#include <kern/kstring.h>
#include <pmap/pmap.h>
#include <vm/vm_kern.h>

#define IVSHMEM_VENDOR 0x1af4
#define IVSHMEM_DEVICE 0x1110
#define IVSHMEM_BAR    2

#define DETDISK_MAX   8
#define DETDISK_BYTES (512UL << 20) /* half of the KVA window */
#define DETDISK_MAJOR 240	    /* for local use, in Linux's list */

BOOTOPT(bo_latency, "disk_latency_ns", "100000",
    "deterministic disks: how long a transfer takes");

static struct detdisk {
	struct blkdev dd_blk;
	char dd_name[4]; /* (k) */
	char *dd_mem;	 /* (k) the disk's contents */
	struct spinlock dd_spin;
	uint64_t dd_last; /* dd_spin; when the newest transfer ends */
} detdisks[DETDISK_MAX];

/*
 * The end of a transfer: it happens now.
 */
static void
detdisk_due(struct bio *bio)
{
	struct detdisk *dd = bio->bio_dev->bd_softc;
	char *disk = dd->dd_mem + bio->bio_sector * BLK_SECTOR;

	for (int i = 0; i < bio->bio_nsegs; i++) {
		void *mem = (void *)PHYS_TO_DMAP(bio->bio_segs[i].pa);
		uint32_t len = bio->bio_segs[i].len;

		if (bio->bio_op == BIO_READ)
			memcpy(mem, disk, len);
		else
			memcpy(disk, mem, len);
		disk += len;
	}
	biodone(bio, 0);
}

/*
 * bd_strategy. First come, first done, also when the latency was just made
 * shorter: a flush has all that was written before it behind it.
 */
static void
detdisk_strategy(struct blkdev *bd, struct bio *bio)
{
	struct detdisk *dd = bd->bd_softc;

	spin_lock(&dd->dd_spin);
	dd->dd_last = MAX(dd->dd_last, nanotime() + bd->bd_latency);
	blk_timer_add(bio, dd->dd_last, detdisk_due);
	spin_unlock(&dd->dd_spin);
}

/*
 * Maps the disk's contents, for good; NULL when it is too large.
 */
static char *
map_contents(vm_paddr_t pa, vm_size_t size)
{
	vm_offset_t va = 0;

	if (size <= DETDISK_BYTES)
		va = kva_alloc(size);
	for (vm_size_t off = 0; va != 0 && off < size; off += PAGE_SIZE)
		pmap_kenter(va + off, pa + off, X86_PG_RW | X86_PG_NX);
	return (char *)va;
}

/*
 * Finds the disks, in the order of their place on the bus.
 */
void
detdisk_init(void)
{
	const struct pci_dev *pd = NULL;
	struct detdisk *dd = detdisks;
	vm_paddr_t pa;
	vm_size_t size;

	while ((pd = pci_find(IVSHMEM_VENDOR, IVSHMEM_DEVICE, pd)) != NULL &&
	    dd < detdisks + DETDISK_MAX) {
		if (!pci_bar(pd, IVSHMEM_BAR, &pa, &size))
			continue;
		pci_enable(pd);
		dd->dd_mem = map_contents(pa, size);
		if (dd->dd_mem == NULL) {
			klog(KLOG_ERR, "detdisk: %lu MiB are too large\n",
			    size >> 20);
			continue;
		}
		spin_init(&dd->dd_spin, "detdisk");
		ksnprintf(dd->dd_name, sizeof(dd->dd_name), "dd%c",
		    'a' + (int)(dd - detdisks));
		dd->dd_blk.bd_name = dd->dd_name;
		dd->dd_blk.bd_rdev =
		    MKDEV(DETDISK_MAJOR, (uint64_t)(dd - detdisks));
		dd->dd_blk.bd_sectors = size / BLK_SECTOR;
		dd->dd_blk.bd_strategy = detdisk_strategy;
		dd->dd_blk.bd_softc = dd;
		dd->dd_blk.bd_latency = bootopt_u64(&bo_latency);
		blk_register(&dd->dd_blk);
		dd++;
	}
}
