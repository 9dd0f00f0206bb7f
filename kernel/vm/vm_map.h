/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Address maps: which object stands behind which addresses.
 *
 * Everything in a map and its entries is guarded by map->lock: shared to
 * read (faults), exclusive to change. timestamp is bumped at each exclusive
 * acquisition: a fault that let the lock go compares it.
 */
#ifndef VM_VM_MAP_H
#define VM_VM_MAP_H

#include <sys/tree.h>

#include <kern/lock.h>
#include <pmap/pmap.h>
#include <vm/vm_object.h>

#define VM_MAPTYPE_UNSPECIFIED 0
#define VM_MAPTYPE_NORMAL      1
#define VM_MAPTYPE_VPAGETABLE  2
#define VM_MAPTYPE_SUBMAP      3
#define VM_MAPTYPE_UKSMAP      4

union vm_map_object {
	struct vm_object *vm_object; /* NORMAL, VPAGETABLE; may be NULL */
	struct vm_map *sub_map;	     /* SUBMAP */
};

union vm_map_aux {
	vm_offset_t avail_ssize; /* a stack may grow down by so many bytes */
	uint64_t master_pde;	 /* VPAGETABLE root */
};

struct vm_map_entry {
	RB_ENTRY(vm_map_entry) rb_entry;
	vm_offset_t start; /* first byte */
	vm_offset_t end;   /* first byte after */
	union vm_map_aux aux;
	union vm_map_object object; /* owns one reference */
	vm_ooffset_t offset;	    /* bytes into object at start */
	vm_eflags_t eflags;	    /* MAP_ENTRY_* */
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
#define MAP_ENTRY_IN_TRANSITION 0x0100
#define MAP_ENTRY_NEEDS_WAKEUP	0x0200
#define MAP_ENTRY_NOCOREDUMP	0x0400

/* cow arguments of vm_map_insert and vm_map_find. */
#define MAP_COPY_ON_WRITE    0x0002
#define MAP_NOFAULT_ARG	     0x0004
#define MAP_PREFAULT	     0x0008
#define MAP_PREFAULT_PARTIAL 0x0010
#define MAP_IS_STACK	     0x0080

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

struct vm_map {
	struct lock lock;
	struct vm_map_rb_tree rb_root;
	vm_offset_t min_addr, max_addr; /* (k) */
	int nentries;
	uint32_t timestamp;
	vm_size_t size;	   /* bytes in entries */
	bool system_map;   /* (k) */
	struct pmap *pmap; /* (k) */
	struct vm_map_ilock *ilock_base;
	struct spinlock ilock_spin;
	struct lwkt_token token; /* brk, mmap and mremap against each
					 * other: soft serialiser */
};

struct vmspace {
	struct vm_map vm_map;
	struct pmap vm_pmap;
	uint32_t vm_refcnt;	  /* (A) processes and threads that use it */
	uint32_t vm_holdcnt;	  /* (A) keeps the memory: procfs readers */
	vm_offset_t vm_brk_start; /* (k) after exec */
	vm_offset_t vm_brk;	  /* map->token; end of the heap, bytes */
	vm_offset_t vm_stack_top; /* (k) after exec */
	vm_size_t vm_stack_max;	  /* (k) RLIMIT_STACK at exec, bytes */
	vm_offset_t vm_mmap_top;  /* (k) mmap searches down from here */
};

/* --- vm_map_lock.c --- */
#define vm_map_lock(map) vm_map_lock_(map)
void vm_map_lock_(vm_map_t map); /* exclusive; bumps timestamp */
void vm_map_lock_read(vm_map_t map);
int vm_map_lock_read_try(vm_map_t map); /* 0 or EBUSY */
int vm_map_lock_read_to(vm_map_t map);	/* timed: 0 or EWOULDBLOCK */
void vm_map_unlock(vm_map_t map);
void vm_map_unlock_read(vm_map_t map);
/* shared -> exclusive: 0, or non-zero with the lock lost. */
int vm_map_lock_upgrade(vm_map_t map);
void vm_map_lock_downgrade(vm_map_t map);
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
void vm_map_entry_dispose(vm_map_entry_t entry); /* memory only */
void vm_map_entry_link(vm_map_t map, vm_map_entry_t entry);
void vm_map_entry_unlink(vm_map_t map, vm_map_entry_t entry);
vm_map_entry_t vm_map_first(vm_map_t map);
vm_map_entry_t vm_map_next(vm_map_entry_t entry);
vm_map_entry_t vm_map_prev(vm_map_entry_t entry);
/*
 * For a fault: finds the entry, checks rights, makes the shadow a write to
 * a NEEDS_COPY entry wants and the object an empty one wants. On success
 * the map is locked shared, *out_map may be a submap.
 */
int vm_map_lookup(vm_map_t *var_map, vm_offset_t va, vm_prot_t fault_type,
    vm_map_entry_t *out_entry, vm_object_t *object, vm_pindex_t *pindex,
    vm_prot_t *out_prot, bool *wired);
void vm_map_lookup_done(vm_map_t map, vm_map_entry_t entry);

/* --- vm_map_insert.c: new ranges --- */
/* Exclusive lock. Takes over the caller's reference on object on success. */
int vm_map_insert(vm_map_t map, vm_object_t object, vm_ooffset_t offset,
    vm_offset_t start, vm_offset_t end, vm_maptype_t maptype, int id,
    vm_prot_t prot, vm_prot_t max, int cow);
/* First gap of length bytes at or above start that is a multiple of align;
 * top-down below vm_mmap_top for user maps. KERN_NO_SPACE. Lock held. */
int vm_map_findspace(vm_map_t map, vm_offset_t hint, vm_size_t length,
    vm_size_t align, vm_offset_t *addr);
int vm_map_find(vm_map_t map, vm_object_t object, vm_ooffset_t offset,
    vm_offset_t *addr, vm_size_t length, bool fitit, vm_maptype_t maptype,
    int id, vm_prot_t prot, vm_prot_t max, int cow); /* takes the lock */
int vm_map_stack(
    struct vmspace *vm, vm_offset_t top, vm_size_t max_ssize, vm_prot_t prot);
int vm_map_growstack(vm_map_t map, vm_offset_t addr); /* no lock held */

/* --- vm_map_clip.c --- */
void vm_map_clip_start(vm_map_t map, vm_map_entry_t entry, vm_offset_t at);
void vm_map_clip_end(vm_map_t map, vm_map_entry_t entry, vm_offset_t at);
void vm_map_simplify_entry(vm_map_t map, vm_map_entry_t entry);
/* Clips so that entries tile start..end; NULL when there is a hole. */
vm_map_entry_t vm_map_clip_range(
    vm_map_t map, vm_offset_t start, vm_offset_t end);

/* --- vm_map_range.c: operations on ranges; each takes the lock --- */
int vm_map_protect(vm_map_t map, vm_offset_t start, vm_offset_t end,
    vm_prot_t new_prot, bool set_max);
int vm_map_madvise(vm_map_t map, vm_offset_t start, vm_offset_t end, int behav,
    uint64_t value);
int vm_map_inherit(
    vm_map_t map, vm_offset_t start, vm_offset_t end, vm_inherit_t inherit);
int vm_map_remove(vm_map_t map, vm_offset_t start, vm_offset_t end);
int vm_map_delete(vm_map_t map, vm_offset_t start, vm_offset_t end); /* locked
								       */
/* --- vm_map_fork.c --- */
struct vmspace *vmspace_fork(struct vmspace *vm1);
/* vm_map_split.c: gives entry an object of its own, if clipping had it
 * share one. */
void vm_map_split(vm_map_entry_t entry, vm_object_t oobject);
struct vmspace *vmspace_exec_new(void); /* empty space for execve */

/* --- vm_mmap.c helpers used by the loader --- */
/* Maps a file or (vp NULL) anonymous memory; flags are Linux's MAP_*. */
int vm_mmap(vm_map_t map, vm_offset_t *addr, vm_size_t size, vm_prot_t prot,
    vm_prot_t maxprot, int flags, struct vnode *vp, vm_ooffset_t off);

/* --- vm_map_proc.c: /proc/PID/maps and /proc/PID/vm --- */
struct sbuf;
void vm_map_print_maps(struct vmspace *vm, struct sbuf *sb);
void vm_map_print_vm(struct vmspace *vm, struct sbuf *sb);

#endif
