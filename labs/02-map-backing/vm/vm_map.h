/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Address maps: which object stands behind which addresses.
 *
 * Everything in a map and its entries is guarded by map->lock: shared to
 * read, exclusive to change. A fault keeps it shared from the lookup until
 * the page is mapped, reading the page in included.
 */
#ifndef VM_VM_MAP_H
#define VM_VM_MAP_H

#include <sys/tree.h>

#include <kern/lock.h>
#include <pmap/pmap.h>
#include <vm/vm_map_backing.h>

#define VM_MAPTYPE_UNSPECIFIED 0
#define VM_MAPTYPE_NORMAL      1
#define VM_MAPTYPE_VPAGETABLE  2
#define VM_MAPTYPE_SUBMAP      3
#define VM_MAPTYPE_UKSMAP      4

union vm_map_aux {
	vm_offset_t avail_ssize; /* a stack may grow down by so many bytes */
	uint64_t master_pde;	 /* VPAGETABLE root */
};

struct vm_map_entry {
	RB_ENTRY(vm_map_entry) rb_entry;
	vm_offset_t start; /* first byte */
	vm_offset_t end;   /* first byte after */
	union vm_map_aux aux;
	struct vm_map_backing ba; /* head of the chain; its object may be NULL
				   * as long as nothing is behind it */
	vm_eflags_t eflags;	  /* MAP_ENTRY_* */
	vm_maptype_t maptype;
	vm_prot_t protection;
	vm_prot_t max_protection;
	vm_inherit_t inheritance;
	int wired_count;
	int id; /* what made it: VM_SUBSYS_* */
};

#define MAP_ENTRY_NOSYNC	0x0001
#define MAP_ENTRY_STACK		0x0002 /* grows down on a fault below it */
#define MAP_ENTRY_COW		0x0004 /* writes go to a shadow */
#define MAP_ENTRY_NEEDS_COPY	0x0008 /* shadow not yet made */
#define MAP_ENTRY_NOFAULT	0x0010
#define MAP_ENTRY_USER_WIRED	0x0020
#define MAP_ENTRY_BEHAV_SEQ	0x0040 /* MADV_SEQUENTIAL */
#define MAP_ENTRY_BEHAV_RANDOM	0x0080 /* MADV_RANDOM */
#define MAP_ENTRY_IN_TRANSITION 0x0100
#define MAP_ENTRY_NEEDS_WAKEUP	0x0200
#define MAP_ENTRY_NOCOREDUMP	0x0400
#define MAP_ENTRY_NOFORK	0x0800 /* MADV_DONTFORK: not inherited */
#define MAP_ENTRY_WIPEONFORK	0x1000 /* inherited empty */

/* Flags that an entry hands on to one that continues it. */
#define MAP_ENTRY_ADVICE                                              \
	(MAP_ENTRY_NOSYNC | MAP_ENTRY_NOCOREDUMP | MAP_ENTRY_NOFORK | \
	    MAP_ENTRY_WIPEONFORK | MAP_ENTRY_BEHAV_SEQ |              \
	    MAP_ENTRY_BEHAV_RANDOM)

/* cow arguments of vm_map_insert. */
#define MAP_COPY_ON_WRITE    0x0002
#define MAP_NOFAULT_ARG	     0x0004
#define MAP_PREFAULT	     0x0008
#define MAP_PREFAULT_PARTIAL 0x0010
#define MAP_IS_STACK	     0x0080
#define MAP_IS_SHARED	     0x0100 /* VM_INHERIT_SHARE; object not NULL */

/* mmap's flag for a mapping with a virtual page table. DragonFly's 0x2000 is
 * Linux's MAP_LOCKED; this bit no flag of Linux's uses. */
#define MAP_VPAGETABLE 0x02000000

/* Advice that only mcontrol(2) takes: control of virtual page tables.
 * DragonFly's 10 and 11, moved beyond all of Linux's numbers. */
#define MADV_INVAL  0x100a
#define MADV_SETMAP 0x100b

/* As many entries as Linux's vm.max_map_count allows unless told. */
#define VM_MAX_MAP_COUNT 65530

/* The least distance a growing stack keeps from the mapping below it, as
 * Linux's stack_guard_gap: 256 pages. */
#define STACK_GUARD_GAP (256 * PAGE_SIZE)
/* A stack starts with, and grows by, so many bytes (DragonFly's sgrowsiz). */
#define SGROWSIZ (128 * 1024UL)
/* The lowest address mmap chooses by itself: Linux's mmap_min_addr. */
#define VM_MMAP_MIN 0x10000UL

enum vm_subsys {
	VM_SUBSYS_NONE,
	VM_SUBSYS_MMAP,
	VM_SUBSYS_BRK,
	VM_SUBSYS_STACK,
	VM_SUBSYS_IMAGE,
	VM_SUBSYS_FORK,
	VM_SUBSYS_SHM,
	VM_SUBSYS_KERNEL
};

/* The object in front of an entry's chain, NULL when it has none yet, and the
 * byte in it at which the entry begins. Map locked. Not for a SUBMAP. */
#define vm_map_entry_object(entry) ((entry)->ba.object)
#define vm_map_entry_offset(entry) ((entry)->ba.offset)

RB_HEAD(vm_map_rb_tree, vm_map_entry);
RB_PROTOTYPE(vm_map_rb_tree, vm_map_entry, rb_entry, rb_vm_map_compare);
int rb_vm_map_compare(vm_map_entry_t a, vm_map_entry_t b);

/*
 * An interlock over a range of addresses, held while a PTE is derived from
 * something that an invalidation could change (virtual page tables).
 */
struct vm_map_ilock {
	struct vm_map_ilock *next; /* map->ilock_spin */
	int flags;
	vm_offset_t ran_beg, ran_end;
};

/* vm_map.flags, under the lock. */
#define MAP_WIREFUTURE 0x0001 /* mlockall(MCL_FUTURE) */

/*
 * A search for space of this length and alignment may begin here: no gap
 * between this address and the top of the search is large enough.
 */
#define VM_MAP_FFCOUNT 4
struct vm_map_freehint {
	vm_offset_t start; /* 0: slot unused */
	vm_size_t length;  /* bytes */
	vm_size_t align;   /* bytes */
};

struct vm_map {
	struct lock lock;
	struct vm_map_rb_tree rb_root;
	vm_offset_t min_addr, max_addr; /* (k) */
	int nentries;
	vm_size_t size;	   /* bytes in entries */
	bool system_map;   /* (k) */
	uint32_t flags;	   /* MAP_WIREFUTURE */
	struct pmap *pmap; /* (k) */
	struct vm_map_freehint freehint[VM_MAP_FFCOUNT];
	uint32_t freehint_newindex; /* slot to be overwritten next */
	struct vm_map_ilock *ilock_base;
	struct spinlock ilock_spin;
	struct lwkt_token token; /* insert, delete, fork and clean against
				  * each other: a soft serialiser */
};

struct vmspace {
	struct vm_map vm_map;
	struct pmap vm_pmap;
	uint32_t vm_refcnt;	  /* (A) processes and threads that use it */
	uint32_t vm_holdcnt;	  /* (A) keeps the memory: procfs readers */
	vm_offset_t vm_brk_start; /* (k) after exec */
	vm_offset_t vm_brk;	  /* map->lock; end of the heap, bytes */
	vm_offset_t vm_stack_top; /* (k) after exec */
	vm_size_t vm_stack_max;	  /* (k) RLIMIT_STACK at exec, bytes */
	vm_offset_t vm_mmap_top;  /* (k) mmap searches down from here */
	TAILQ_ENTRY(vmspace) vm_list; /* vmspace_list_spin */
};

extern struct spinlock vmspace_list_spin;
TAILQ_HEAD(vmspacelist, vmspace);
extern struct vmspacelist vmspace_list; /* vmspace_list_spin; all spaces */

/* --- vm_map_lock.c --- */
#define vm_map_lock(map) vm_map_lock_(map)
void vm_map_lock_(vm_map_t map); /* exclusive */
void vm_map_lock_read(vm_map_t map);
void vm_map_unlock(vm_map_t map);
void vm_map_unlock_read(vm_map_t map);
/* shared -> exclusive: 0, or non-zero with the lock lost. */
int vm_map_lock_upgrade(vm_map_t map);
void vm_map_lock_downgrade(vm_map_t map);
/* Exclusive lock, given up meanwhile: sleeps until an entry that is in
 * transition (and was marked NEEDS_WAKEUP) may no longer be. */
void vm_map_transition_wait(vm_map_t map);
/* The same until no entry of start..end is; true when it had to sleep and
 * the caller must look everything up again. */
bool vm_map_transition_drain(vm_map_t map, vm_offset_t start, vm_offset_t end);
void vm_map_interlock(vm_map_t map, struct vm_map_ilock *il,
    vm_offset_t ran_beg, vm_offset_t ran_end);
void vm_map_deinterlock(vm_map_t map, struct vm_map_ilock *il);

/* --- vm_map.c: life of maps and spaces, lookup --- */
void vm_map_startup(void);
void vm_map_init(vm_map_t map, vm_offset_t min, vm_offset_t max, pmap_t pmap);
struct vmspace *vmspace_alloc(void);
void vmspace_ref(struct vmspace *vm);
/* One user less; the last one unmaps everything and frees it. */
void vmspace_rel(struct vmspace *vm);
void vmspace_hold(struct vmspace *vm);
void vmspace_drop(struct vmspace *vm);
int64_t vmspace_count(void);
int64_t vm_map_entry_inuse(void);
/* The entry that holds addr, or the one before it (NULL: none before) and
 * false. Lock held. */
bool vm_map_lookup_entry(vm_map_t map, vm_offset_t addr, vm_map_entry_t *entry);
vm_map_entry_t vm_map_entry_create(void);
/* The memory, and the reference on what is behind the head; not the one on
 * the head's object. */
void vm_map_entry_dispose(vm_map_entry_t entry);
void vm_map_entry_link(vm_map_t map, vm_map_entry_t entry);
void vm_map_entry_unlink(vm_map_t map, vm_map_entry_t entry);
vm_map_entry_t vm_map_first(vm_map_t map);
vm_map_entry_t vm_map_next(vm_map_entry_t entry);
vm_map_entry_t vm_map_prev(vm_map_entry_t entry);
/* The first entry that ends above addr: it holds addr or follows it. */
vm_map_entry_t vm_map_entry_from(vm_map_t map, vm_offset_t addr);

/* --- vm_map_lookup.c: lookup for faults --- */
/* Rights as the CPU has them: x86 cannot write or execute what it may not
 * read. */
#define VM_PROT_HW(prot) \
	(((prot)&VM_PROT_ALL) != 0 ? (vm_prot_t)((prot) | VM_PROT_READ) : 0)
/*
 * For a fault: finds the entry, checks rights, makes the shadow a write to
 * a NEEDS_COPY entry wants and the object an empty one wants. On success
 * the map is locked shared, *out_map may be a submap.
 */
int vm_map_lookup(vm_map_t *var_map, vm_offset_t va, vm_prot_t fault_type,
    vm_map_entry_t *out_entry, vm_object_t *object, vm_pindex_t *pindex,
    vm_prot_t *out_prot, bool *wired);
void vm_map_lookup_done(vm_map_t map, vm_map_entry_t entry);

/* --- vm_map_insert.c: new ranges; vm_map_findspace.c: where --- */
/* Exclusive lock. Takes over the caller's reference on object on success. */
int vm_map_insert(vm_map_t map, vm_object_t object, vm_ooffset_t offset,
    vm_offset_t start, vm_offset_t end, vm_maptype_t maptype, int id,
    vm_prot_t prot, vm_prot_t max, int cow);
/* First gap of length bytes at or above start that is a multiple of align;
 * top-down below vm_mmap_top for user maps. KERN_NO_SPACE. Lock held. */
int vm_map_findspace(vm_map_t map, vm_offset_t hint, vm_size_t length,
    vm_size_t align, vm_offset_t *addr);
/* Exclusive lock. Maps start..end with what would follow at distance bytes
 * from entry's start, but fresh: a file's own pages, zeroes, or the same
 * shared object. KERN_*, as vm_map_insert. */
int vm_map_insert_like(vm_map_t map, vm_map_entry_t entry, int64_t distance,
    vm_offset_t start, vm_offset_t end);
/* Lock held. Whether start..end is empty, in bounds, and outside what stacks
 * keep for growing. */
bool vm_map_range_free(vm_map_t map, vm_offset_t start, vm_offset_t end);
/* Lock held. The highest gap of length bytes (a multiple of align) in
 * low..high, 0: none. */
vm_offset_t vm_map_search_down(vm_map_t map, vm_offset_t low, vm_offset_t high,
    vm_size_t length, vm_size_t align);
/* Exclusive lock. The hole around addr came to be or grew. */
void vm_map_freehint_hole(vm_map_t map, vm_offset_t addr);
/* The lowest address the entry lays claim to: a stack's room to grow and
 * its guard gap included. */
vm_offset_t vm_map_entry_floor(vm_map_entry_t entry);

/* --- vm_map_stack.c --- */
/* The main stack, ending at top, which may grow to max_ssize; KERN_*. */
int vm_map_stack(
    struct vmspace *vm, vm_offset_t top, vm_size_t max_ssize, vm_prot_t prot);
/* KERN_SUCCESS: addr is mapped now (look up again), or is no stack's
 * business and the caller may do without; KERN_NO_SPACE, and
 * KERN_INVALID_ADDRESS: it cannot be mapped. No lock held. */
int vm_map_growstack(vm_map_t map, vm_offset_t addr);

/* --- vm_map_clip.c --- */
void vm_map_clip_start(vm_map_t map, vm_map_entry_t entry, vm_offset_t at);
void vm_map_clip_end(vm_map_t map, vm_map_entry_t entry, vm_offset_t at);
void vm_map_simplify_entry(vm_map_t map, vm_map_entry_t entry);
/* Clips so that entries tile start..end, and marks them IN_TRANSITION; NULL
 * when there is a hole. Exclusive lock, given up where it has to wait. */
vm_map_entry_t vm_map_clip_range(
    vm_map_t map, vm_offset_t start, vm_offset_t end);
void vm_map_unclip_range(vm_map_t map, vm_map_entry_t start_entry,
    vm_offset_t start, vm_offset_t end);

/* --- vm_map_range.c: operations on ranges; each takes the lock --- */
/* Changes rights from start up to the first hole (KERN_INVALID_ADDRESS) or
 * the first entry that may not have them (KERN_PROTECTION_FAILURE). */
int vm_map_protect(vm_map_t map, vm_offset_t start, vm_offset_t end,
    vm_prot_t new_prot, bool set_max);
int vm_map_remove(vm_map_t map, vm_offset_t start, vm_offset_t end);
/* Exclusive lock, given up where it has to wait for an entry in transition. */
int vm_map_delete(vm_map_t map, vm_offset_t start, vm_offset_t end);
/* Where the first hole at or above start is, end if there is none below.
 * Lock held. */
vm_offset_t vm_map_covered(vm_map_t map, vm_offset_t start, vm_offset_t end);

/* --- vm_map_madvise.c --- */
/* Linux's madvise(2), MADV_INVAL and MADV_SETMAP; takes the lock; 0 or an errno. */
int vm_map_madvise(vm_map_t map, vm_offset_t start, vm_offset_t end, int behav,
    uint64_t value);

/* --- vm_map_wire.c: memory locked by its user; each takes the lock --- */
/* new_pageable false: wires all of start..end (mlock); true: unwires it.
 * KERN_INVALID_ADDRESS: a hole, nothing done. Other KERN_*: some page could
 * not be had; its entry stays marked USER_WIRED with wired_count 0. */
int vm_map_unwire(
    vm_map_t map, vm_offset_t start, vm_offset_t end, bool new_pageable);
/* Wires what is marked USER_WIRED but not wired, as far as possible. */
void vm_map_rewire(vm_map_t map, vm_offset_t start, vm_offset_t end);
/* Exclusive lock: unwires an entry but leaves its mark, for a rewire. */
void vm_map_entry_suspend(vm_map_t map, vm_map_entry_t entry);

/* --- vm_map_move.c: mremap --- */
/* Exclusive lock; start..end is mapped, dst..dst+(end-start) is not. Entries
 * move with their objects; faults map the pages again. */
void vm_map_move(
    vm_map_t map, vm_offset_t start, vm_offset_t end, vm_offset_t dst);
/* Lock held. Whether b continues a: as one mapping in Linux's eyes, with the
 * same rights, of the same kind, of adjacent parts of the same file. */
bool vm_map_same_area(vm_map_entry_t a, vm_map_entry_t b);

/* --- vm_map_clean.c --- */
/* msync(2): writes shared files' dirty pages back. Takes the lock; ENOMEM
 * for holes (the rest is done), EBUSY to invalidate what is wired. */
int vm_map_clean(vm_map_t map, vm_offset_t start, vm_offset_t end, int flags);

/* --- vm_map_fork.c --- */
struct vmspace *vmspace_fork(struct vmspace *vm1);
struct vmspace *vmspace_exec_new(void); /* empty space for execve */
/* vm_fault_copy.c: fork of a wired entry. Both maps locked. */
void vm_fault_copy_entry(vm_map_t dst_map, vm_map_t src_map,
    vm_map_entry_t dst_entry, vm_map_entry_t src_entry);

/* --- vm_mmap.c helpers used by the loader --- */
/* Maps a file or (vp NULL) anonymous memory; flags are Linux's MAP_*. With
 * MAP_FIXED what was there goes, else *addr is a hint. Takes the lock; 0 or
 * an errno. maxprot is what mprotect may ever grant. */
int vm_mmap(vm_map_t map, vm_offset_t *addr, vm_size_t size, vm_prot_t prot,
    vm_prot_t maxprot, int flags, struct vnode *vp, vm_ooffset_t off);

/* --- vm_procmem.c: another's memory, of a held space --- */
/* Part of one page between kbuf and va; force: whatever the rights are, by a
 * private copy if need be. 0 or EFAULT; may sleep. */
int vmspace_rw_page(struct vmspace *vm, vm_offset_t va, void *kbuf, size_t len,
    bool write, bool force);

/* --- vm_map_proc.c: /proc/PID/maps and /proc/PID/vm --- */
struct sbuf;
void vm_map_print_maps(struct vmspace *vm, struct sbuf *sb);
void vm_map_print_vm(struct vmspace *vm, struct sbuf *sb);

#endif
