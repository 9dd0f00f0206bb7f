/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The order of locks: the one place where it is written down, and what the
 * witness (make grade SAN=witness) checks every request against.
 *
 * Outermost first. THEN(kind, name, nest) begins a level; ALSO adds a class
 * of locks to the level above it. Who holds a lock may wait for one of a
 * later level, never for one of an earlier level or of another class of the
 * same level. Every lock of the kernel has a line, by kind and by the name it
 * was initialised with. Attempts that do not wait may come in any order.
 *
 * nest says how locks of one class are held together: NEVER; UP, by rising
 * addresses; CHAIN, the one wanted is of an object that one of those locked
 * shadows, or bypassed just now, or of one just made, or is known to be
 * free; ANY, for the reason given.
 *
 * Tokens. Who waits for anything gives all his tokens up meanwhile, so a
 * token is never part of a deadlock: tokens have no order among themselves,
 * and one may be asked for with any lock held that is not a spinlock. But a
 * token that stands behind a lock here must not be held when that lock is
 * waited for: it would be lost unnoticed. The exceptions stand at the end,
 * each with the reason why the loss does no harm.
 *
 * Pages. Nobody waits for a page's busy word with another page busy; a fault
 * keeps the page it has made in the front object busy and goes down the
 * chain. A disk's own pages, the buffer cache's, are a class by themselves,
 * and so are their objects' tokens: the file system looks blocks up while it
 * holds a page of a file.
 *
 * Spinlocks come last: nothing that sleeps may be wanted with one held.
 */
#ifndef KERN_LOCK_ORDER_H
#define KERN_LOCK_ORDER_H

/* clang-format off */
#define LOCK_ORDER(THEN, ALSO)						\
	/* Files, as system calls use them. */				\
	THEN(LOCK, "file", NEVER)		/* its offset */	\
	THEN(LOCK, "vnode I/O", NEVER)		/* whole reads, writes */ \
	THEN(LOCK, "procfs", NEVER)					\
	ALSO(LOCK, "pipe", NEVER)					\
	ALSO(LOCK, "tty", NEVER)					\
	ALSO(LOCK, "fb", NEVER)						\
	ALSO(LOCK, "rename", NEVER)					\
	/* What holds the kernel's own threads back. */			\
	THEN(LOCK, "vm_check", NEVER)					\
	THEN(LOCK, "syncer", NEVER)					\
	ALSO(LOCK, "autoreap", NEVER)					\
	ALSO(LOCK, "reaper", NEVER)					\
	THEN(TOKEN, "mount", NEVER)					\
	THEN(LOCK, "vnode", ANY)	/* a directory before what is	\
		in it; rename's two: kern/sys_rename.c, lock_two */	\
	/* Address maps. */						\
	THEN(LOCK, "pageout", NEVER)					\
	ALSO(LOCK, "swapon", NEVER)					\
	THEN(LOCK, "futex", UP)		/* a requeue has two */		\
	THEN(LOCK, "vm_map", ANY)	/* fork: the child's after the	\
		parent's; nobody else knows the child's */		\
	THEN(TOKEN, "vm_map", NEVER)					\
	THEN(RANGE, "map range", NEVER)					\
	THEN(LOCK, "shm", NEVER)					\
	ALSO(LOCK, "devpgr", NEVER)					\
	THEN(TOKEN, "proc", NEVER)					\
	THEN(TOKEN, "process", NEVER)					\
	THEN(TOKEN, "vnode", NEVER)					\
	/* Objects. */							\
	THEN(TOKEN, "vmobj", NEVER)					\
	THEN(PAGE, "page", NEVER)					\
	THEN(CHAIN, "chain", CHAIN)					\
	/* What a pager needs to bring a page in. */			\
	THEN(LOCK, "ext2 inode", NEVER)					\
	THEN(LOCK, "ext2", NEVER)	/* the mount's bitmaps */	\
	THEN(LOCK, "ext2 bounce", NEVER)				\
	THEN(BUF, "buffer", NEVER)	/* one at a time: fs/buf.h */	\
	THEN(TOKEN, "disk object", NEVER)				\
	THEN(PAGE, "disk page", NEVER)					\
	THEN(LOCK, "disk", NEVER)					\
	/* Indexes of a pmap: pmap/pmap_var.h. */			\
	THEN(PV, "pv leaf", NEVER)					\
	THEN(PV, "pv PT", NEVER)					\
	THEN(PV, "pv PD", NEVER)					\
	THEN(PV, "pv PDP", NEVER)					\
	THEN(PV, "pv PML4", NEVER)					\
	/* Spinlocks under which others are taken, and those that are	\
	 * taken alone. */						\
	THEN(SPIN, "pmap", NEVER)	/* pv's are made under it */	\
	THEN(SPIN, "cpulock", NEVER)					\
	ALSO(SPIN, "lock", NEVER)					\
	ALSO(SPIN, "tokens", NEVER)					\
	ALSO(SPIN, "buf", NEVER)					\
	ALSO(SPIN, "ext2", NEVER)					\
	ALSO(SPIN, "ilock", NEVER)					\
	ALSO(SPIN, "swap io", NEVER)					\
	ALSO(SPIN, "detdisk", NEVER)					\
	ALSO(SPIN, "virtio-blk", NEVER)					\
	ALSO(SPIN, "disk errors", NEVER)				\
	ALSO(SPIN, "filedesc", NEVER)					\
	ALSO(SPIN, "futexinit", NEVER)					\
	ALSO(SPIN, "ioapic", NEVER)					\
	ALSO(SPIN, "itimer", NEVER)					\
	ALSO(SPIN, "kmalloc class", NEVER)				\
	ALSO(SPIN, "kmalloc runs", NEVER)				\
	ALSO(SPIN, "kpt", NEVER)					\
	ALSO(SPIN, "kva", NEVER)					\
	ALSO(SPIN, "pci", NEVER)					\
	ALSO(SPIN, "quarantine", NEVER)		/* kasan's */		\
	ALSO(SPIN, "ramfs", NEVER)					\
	ALSO(SPIN, "random", NEVER)					\
	ALSO(SPIN, "sigacts", NEVER)					\
	ALSO(SPIN, "swap", NEVER)					\
	ALSO(SPIN, "threads", NEVER)					\
	ALSO(SPIN, "ttyraw", NEVER)					\
	ALSO(SPIN, "vm_check_fail", NEVER)				\
	ALSO(SPIN, "vm_object_list", NEVER)				\
	ALSO(SPIN, "vmspaces", NEVER)					\
	ALSO(SPIN, "zone", NEVER)					\
	ALSO(SPIN, "zones", NEVER)					\
	ALSO(SPIN, "vm_page", NEVER)					\
	ALSO(SPIN, "dev_page", NEVER)					\
	THEN(SPIN, "vm_page_queue", NEVER)				\
	ALSO(SPIN, "blk timer", NEVER)					\
	ALSO(SPIN, "sleepq", NEVER)					\
	THEN(SPIN, "timeouts", NEVER)					\
	ALSO(SPIN, "runq", NEVER)					\
	THEN(SPIN, "kasan stacks", NEVER)	/* of what is freed, too */

/* EXCEPT(kind held, name, kind wanted, name): may be waited for all the same;
 * most are tokens that may be lost meanwhile. */
#define LOCK_ORDER_EXCEPT(EXCEPT)					\
	/* A map's token keeps those who change it out of each other's	\
	 * way while they run; what they know they know by the lock. */	\
	EXCEPT(TOKEN, "vm_map", LOCK, "vm_map")				\
	/* The last reference is gone, nobody else can find the object:	\
	 * there is nothing to be lost but the object's own end. */	\
	EXCEPT(TOKEN, "vmobj", LOCK, "shm")				\
	EXCEPT(TOKEN, "vmobj", LOCK, "devpgr")				\
	/* A fault looks at nothing in the front object before it has	\
	 * the range, and keeps it from ending by a hold. */		\
	EXCEPT(TOKEN, "vmobj", RANGE, "map range")			\
	/* munmap of a part of an object, each page of which is mapped	\
	 * once (OBJ_ONEMAPPING): who has one busy is a fault of the	\
	 * same map, which is locked, or the pageout daemon, which asks	\
	 * for no chain lock. */					\
	EXCEPT(CHAIN, "chain", PAGE, "page")
/* clang-format on */

#endif
