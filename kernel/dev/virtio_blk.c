/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Disks by virtio (Virtual I/O Device Specification 1.1, section 5.2), one
 * split queue each. virtio_pci.c finds the registers; here are the queue and
 * the transfers. A transfer takes a descriptor for its header, one for each
 * piece of memory and one for the status byte; when too few are free it waits
 * on a list, in order.
 */
#include <linux/errno.h>
#include <linux/virtio_blk.h>
#include <linux/virtio_ring.h>

#include <amd64/cpufunc.h>
#include <dev/blk.h>
#include <dev/virtio_pci.h>
#include <fs/vnode.h>
#include <kern/kprintf.h>
#include <kern/kstring.h>
#include <vm/vm_kern.h>

#define VB_MAX	  8
#define VB_MAJOR  254 /* where Linux usually puts virtio disks */
#define VB_MINORS 16  /* of each disk, for partitions */
#define VB_QUEUE  256 /* descriptors, at most */
#define VB_NDESC  (BIO_MAXSEGS + 2)

/* What the device reads and writes beside the queue itself, by the number of
 * the transfer's first descriptor. */
struct vb_slot {
	struct virtio_blk_outhdr hdr;
	uint8_t status;
	uint8_t pad[15];
};

static struct vblk {
	struct blkdev vb_blk;
	struct virtio_pci vb_pci; /* (k) */
	char vb_name[4];	  /* (k) */
	bool vb_flush;		  /* (k) it has a cache, and a command for it */
	uint16_t vb_size;	  /* (k) descriptors, a power of two */
	struct vring_desc *vb_desc;
	volatile struct vring_avail *vb_avail;
	volatile struct vring_used *vb_used;
	struct vb_slot *vb_slots;
	struct spinlock vb_spin;       /* guards all that follows */
	uint16_t vb_free;	       /* first free descriptor */
	uint16_t vb_nfree;	       /* how many there are */
	uint16_t vb_seen;	       /* how far the used ring was read */
	bool vb_dead;		       /* the device gave up */
	struct bio *vb_bios[VB_QUEUE]; /* by the first descriptor */
	struct biolist vb_wait;	       /* no room for them yet */
} vblks[VB_MAX];
static int nvblks; /* (k) after boot */

/*
 * Takes a free descriptor and describes memory by it. vb_spin is held, and
 * there is one.
 */
static uint16_t
desc_take(struct vblk *vb, vm_paddr_t pa, uint32_t len, uint16_t flags)
{
	uint16_t i = vb->vb_free;

	vb->vb_free = vb->vb_desc[i].next;
	vb->vb_nfree--;
	vb->vb_desc[i].addr = pa;
	vb->vb_desc[i].len = len;
	vb->vb_desc[i].flags = flags;
	return i;
}

/*
 * Gives a whole chain back. vb_spin is held.
 */
static void
desc_free(struct vblk *vb, uint16_t head)
{
	uint16_t i = head, n = 1;

	for (; vb->vb_desc[i].flags & VRING_DESC_F_NEXT; n++)
		i = vb->vb_desc[i].next;
	vb->vb_desc[i].next = vb->vb_free;
	vb->vb_free = head;
	vb->vb_nfree = (uint16_t)(vb->vb_nfree + n);
}

/*
 * Puts a transfer on the queue. vb_spin is held; there are descriptors.
 */
static void
start(struct vblk *vb, struct bio *bio)
{
	uint16_t head = vb->vb_free, last, i;
	struct vb_slot *slot = &vb->vb_slots[head];
	vm_paddr_t pa = DMAP_TO_PHYS((vm_offset_t)slot);
	uint16_t in = bio->bio_op == BIO_READ ? VRING_DESC_F_WRITE : 0;

	slot->hdr.type = bio->bio_op == BIO_READ ? VIRTIO_BLK_T_IN
	    : bio->bio_op == BIO_WRITE		 ? VIRTIO_BLK_T_OUT
						 : VIRTIO_BLK_T_FLUSH;
	slot->hdr.ioprio = 0;
	slot->hdr.sector = bio->bio_op == BIO_FLUSH ? 0 : bio->bio_sector;
	slot->status = 0xff;
	last = desc_take(vb, pa, sizeof(slot->hdr), VRING_DESC_F_NEXT);
	for (int s = 0; s < bio->bio_nsegs; s++) {
		i = desc_take(vb, bio->bio_segs[s].pa, bio->bio_segs[s].len,
		    VRING_DESC_F_NEXT | in);
		vb->vb_desc[last].next = i;
		last = i;
	}
	i = desc_take(
	    vb, pa + offsetof(struct vb_slot, status), 1, VRING_DESC_F_WRITE);
	vb->vb_desc[last].next = i;
	vb->vb_bios[head] = bio;
	vb->vb_avail->ring[vb->vb_avail->idx & (vb->vb_size - 1)] = head;
	cpu_ccfence(); /* x86 keeps stores in order */
	vb->vb_avail->idx++;
}

/*
 * Starts what has room, and tells the device. vb_spin is held.
 */
static void
start_waiting(struct vblk *vb)
{
	struct bio *bio;
	bool any = false;

	while ((bio = TAILQ_FIRST(&vb->vb_wait)) != NULL &&
	    vb->vb_nfree >= bio->bio_nsegs + 2) {
		TAILQ_REMOVE(&vb->vb_wait, bio, bio_link);
		start(vb, bio);
		any = true;
	}
	if (any)
		virtio_pci_kick(&vb->vb_pci);
}

/*
 * bd_strategy. A flush where there is nothing to flush is done at once.
 */
static void
vblk_strategy(struct blkdev *bd, struct bio *bio)
{
	struct vblk *vb = bd->bd_softc;
	bool dead;

	if (bio->bio_op == BIO_FLUSH && !vb->vb_flush) {
		biodone(bio, 0);
		return;
	}
	spin_lock(&vb->vb_spin);
	dead = vb->vb_dead;
	if (!dead) {
		TAILQ_INSERT_TAIL(&vb->vb_wait, bio, bio_link);
		start_waiting(vb);
	}
	spin_unlock(&vb->vb_spin);
	if (dead)
		biodone(bio, EIO);
}

/*
 * Takes the transfers that the device is done with; the answer of each is in
 * its bio_error. False when the device answers what it was not asked. vb_spin
 * is held.
 */
static bool
reap(struct vblk *vb, struct biolist *done)
{
	while (vb->vb_seen != vb->vb_used->idx) {
		uint32_t head =
		    vb->vb_used->ring[vb->vb_seen & (vb->vb_size - 1)].id;
		struct bio *bio = head < vb->vb_size ? vb->vb_bios[head] : NULL;

		if (bio == NULL)
			return false;
		vb->vb_seen++;
		vb->vb_bios[head] = NULL;
		cpu_ccfence(); /* x86 keeps loads in order */
		bio->bio_error =
		    vb->vb_slots[head].status == VIRTIO_BLK_S_OK ? 0 : EIO;
		desc_free(vb, (uint16_t)head);
		TAILQ_INSERT_TAIL(done, bio, bio_link);
	}
	return true;
}

/*
 * Buries a device: it is reset, so that it writes nowhere any more, and all
 * that it had or would have got has failed. vb_spin is held.
 */
static void
bury(struct vblk *vb, struct biolist *done)
{
	struct bio *bio;

	klog(KLOG_ERR, "%s: the device has failed\n", vb->vb_name);
	vb->vb_dead = true;
	virtio_pci_reset(&vb->vb_pci);
	for (int i = 0; i < vb->vb_size; i++) {
		if (vb->vb_bios[i] != NULL)
			TAILQ_INSERT_TAIL(
			    &vb->vb_wait, vb->vb_bios[i], bio_link);
		vb->vb_bios[i] = NULL;
	}
	while ((bio = TAILQ_FIRST(&vb->vb_wait)) != NULL) {
		TAILQ_REMOVE(&vb->vb_wait, bio, bio_link);
		bio->bio_error = EIO;
		TAILQ_INSERT_TAIL(done, bio, bio_link);
	}
}

/*
 * See blk.h. CPU 0, in a critical section.
 */
void
virtio_blk_poll(void)
{
	struct biolist done = TAILQ_HEAD_INITIALIZER(done);
	struct bio *bio;

	for (struct vblk *vb = vblks; vb < vblks + nvblks; vb++) {
		spin_lock(&vb->vb_spin);
		if (!vb->vb_dead) {
			if (reap(vb, &done) && !virtio_pci_failed(&vb->vb_pci))
				start_waiting(vb);
			else
				bury(vb, &done);
		}
		spin_unlock(&vb->vb_spin);
	}
	while ((bio = TAILQ_FIRST(&done)) != NULL) {
		TAILQ_REMOVE(&done, bio, bio_link);
		biodone(bio, bio->bio_error);
	}
}

/*
 * The queue's memory: descriptors, the two rings, each on a page of its own,
 * and the slots. ENOMEM.
 */
static int
make_queue(struct vblk *vb)
{
	int npages =
	    3 + (int)howmany(VB_QUEUE * sizeof(struct vb_slot), PAGE_SIZE);
	char *mem = kmem_page_alloc(npages, 1);

	if (mem == NULL)
		return ENOMEM;
	memset(mem, 0, (size_t)npages * PAGE_SIZE);
	vb->vb_desc = (void *)mem;
	vb->vb_avail = (void *)(mem + PAGE_SIZE);
	vb->vb_used = (void *)(mem + 2 * PAGE_SIZE);
	vb->vb_slots = (void *)(mem + 3 * PAGE_SIZE);
	for (int i = 0; i < vb->vb_size; i++)
		vb->vb_desc[i].next = (uint16_t)(i + 1);
	vb->vb_nfree = vb->vb_size;
	TAILQ_INIT(&vb->vb_wait);
	spin_init(&vb->vb_spin, "virtio-blk");
	virtio_pci_queue(&vb->vb_pci, vb->vb_size,
	    DMAP_TO_PHYS((vm_offset_t)vb->vb_desc),
	    DMAP_TO_PHYS((vm_offset_t)vb->vb_avail),
	    DMAP_TO_PHYS((vm_offset_t)vb->vb_used));
	return 0;
}

/*
 * Brings one device up as far as it can be used; an errno when it cannot.
 */
static int
vblk_attach(struct vblk *vb, const struct pci_dev *pd)
{
	struct virtio_pci *vp = &vb->vb_pci;
	const volatile struct virtio_blk_config *config;
	uint64_t features = 1UL << VIRTIO_BLK_F_SEG_MAX |
	    1UL << VIRTIO_BLK_F_RO | 1UL << VIRTIO_BLK_F_FLUSH;
	int error = virtio_pci_attach(vp, pd);

	if (error == 0)
		error = virtio_pci_negotiate(vp, &features);
	if (error != 0)
		return error;
	config = vp->vp_config;
	if (features & 1UL << VIRTIO_BLK_F_SEG_MAX &&
	    config->seg_max < BIO_MAXSEGS)
		return EOPNOTSUPP;
	vb->vb_flush = (features & 1UL << VIRTIO_BLK_F_FLUSH) != 0;
	vb->vb_blk.bd_rdonly = (features & 1UL << VIRTIO_BLK_F_RO) != 0;
	vb->vb_blk.bd_sectors = config->capacity;
	vb->vb_size = virtio_pci_queue_size(vp, VB_QUEUE);
	if (vb->vb_size < VB_NDESC)
		return EOPNOTSUPP;
	error = make_queue(vb);
	if (error != 0)
		return error;
	return virtio_pci_start(vp, blk_notify);
}

/*
 * Finds the disks, in the order of their place on the bus.
 */
void
virtio_blk_init(void)
{
	const struct pci_dev *pd = NULL;
	struct vblk *vb;
	int error;

	while ((pd = pci_find(VIRTIO_VENDOR, PCI_ANY, pd)) != NULL) {
		if (pd->pd_device != VIRTIO_BLK_OLD &&
		    pd->pd_device != VIRTIO_BLK_NEW)
			continue;
		if (nvblks == VB_MAX)
			break;
		vb = &vblks[nvblks];
		ksnprintf(
		    vb->vb_name, sizeof(vb->vb_name), "vd%c", 'a' + nvblks);
		error = vblk_attach(vb, pd);
		if (error != 0) {
			klog(KLOG_ERR, "%s: cannot be used: error %d\n",
			    vb->vb_name, error);
			continue;
		}
		vb->vb_blk.bd_name = vb->vb_name;
		vb->vb_blk.bd_rdev =
		    MKDEV(VB_MAJOR, (uint64_t)nvblks * VB_MINORS);
		vb->vb_blk.bd_strategy = vblk_strategy;
		vb->vb_blk.bd_softc = vb;
		blk_register(&vb->vb_blk);
		nvblks++;
	}
}
