/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The buffer cache: blocks of disks, for what a file system keeps about its
 * files. (What is in the files is in the pages of their own objects.)
 *
 * A buffer is a view of a block. The bytes are in a page of the disk's VM
 * object, as those of a file are; the buffer keeps the page wired and maps
 * it at an address of its own in a window of the kernel, the clean map
 * (clean_sva .. clean_eva). Those mappings are not managed: whoever writes
 * through one says so by bwrite or bdwrite, and no M bit counts. A page
 * whose buffers have been given to other blocks stays in the object, clean,
 * until its memory is wanted elsewhere.
 *
 * A buffer is used by one at a time: getblk and bread lock it, brelse and
 * the writing calls give it back. Whoever wants two at once must know that
 * they are not the same block, which on a damaged disk nobody does; so the
 * rule is one at a time, and asking for a block that one has already fails.
 *
 * (S) buf_spin; (L) the lock, B_LOCKED; (k) constant; (A) atomic
 */
#ifndef FS_BUF_H
#define FS_BUF_H

#include <sys/queue.h>

#include <dev/blk.h>
#include <vm/vm_types.h>

struct vnode;

struct buf {
	LIST_ENTRY(buf) b_hash;	     /* (S) while it stands for a block */
	TAILQ_ENTRY(buf) b_freelist; /* (S) unlocked ones, by last use */
	struct vnode *b_vp;	     /* (S; L to change) the disk, or NULL */
	uint64_t b_loffset;	     /* (same) bytes, from the disk's start */
	uint32_t b_bcount;	     /* (same) bytes, within one page */
	volatile uint32_t b_flags;   /* (A) B_* */
	struct thread *b_owner;	     /* (S) who locked it; NULL: the disk */
	char *b_data;		     /* (L) the bytes */
	vm_offset_t b_kvabase;	     /* (k) its page of the clean map */
	vm_page_t b_page;	     /* (L) wired; or NULL */
	struct bio b_bio;	     /* (L) */
};

#define B_LOCKED 0x0001U /* in use, by a thread or by the disk */
#define B_WANTED 0x0002U /* somebody sleeps for it */
#define B_CACHE	 0x0004U /* the bytes are what the disk has, or newer */
#define B_DELWRI 0x0008U /* newer: to be written */
#define B_ASYNC	 0x0010U /* on its way to the disk; freed at the end */
#define B_INVAL	 0x0020U /* stands for nothing: forgotten when released */
#define B_ERROR	 0x0040U /* a write failed since bflush last asked */

void bufinit(void); /* after the VM and blk_init */

/* --- buf.c --- */
/* The buffer of size bytes (a power of two from BLK_SECTOR to PAGE_SIZE) at
 * loffset, a multiple of size, of a disk's vnode that bopen made ready; locked.
 * B_CACHE: it has the bytes; otherwise the caller will write them all. NULL:
 * the thread has it locked already. Sleeps; no other buffer is locked. */
struct buf *getblk(struct vnode *devvp, uint64_t loffset, uint32_t size);
void brelse(struct buf *bp);
/* Forgets a block, changes and all, if it is cached: it belongs to a file
 * now, or to nobody. Sleeps. */
void binval(struct vnode *devvp, uint64_t loffset, uint32_t size);
/* Makes a disk's vnode ready for buffers, and ends that: whatever has not
 * been written is lost. A reference on the vnode is held between the two. */
int bopen(struct vnode *devvp);
void bclose(struct vnode *devvp);
/* A new page for an object, hard-busy; NULL when there is one now, or none
 * could be had and it slept: look again. Object held. */
vm_page_t bio_page_alloc(vm_object_t object, vm_pindex_t pindex);

/* --- buf_io.c --- */
/* The same with the bytes of the disk. EIO. */
int bread(
    struct vnode *devvp, uint64_t loffset, uint32_t size, struct buf **bpp);
int bwrite(struct buf *bp);   /* writes, waits, releases: 0 or EIO */
void bawrite(struct buf *bp); /* begins to write; released at the end */
void bdwrite(struct buf *bp); /* releases; written later */
/* Writes all that is to be written of a disk and waits. EIO when any write
 * has failed since the last call; such buffers stay to be written. No buffer
 * is locked. */
int bflush(struct vnode *devvp);

/* --- between the two --- */
extern struct spinlock buf_spin;
extern struct buf *bufs; /* (k) nbuf of them */
extern int nbuf;
void buf_take(struct buf *bp);	  /* (S) held; an unlocked one: locks it */
void buf_release(struct buf *bp); /* any context: unlocks, wakes */
void buf_wait(struct buf *bp);	  /* (S) held: sleeps while it is locked */
void buf_set_valid(struct buf *bp);

#endif
