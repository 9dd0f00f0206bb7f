/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Address spaces, their maps, and the entries of a map.
 *
 * A vmspace lives in two stages. While somebody uses it (vm_refcnt) it has
 * mappings. When the last user goes they are all taken out; the empty shell
 * stays as long as somebody merely looks at it (vm_holdcnt, of which each
 * user owns one), so that procfs never meets freed memory.
 */
#include <kern/atomic.h>
#include <kern/kmalloc.h>
#include <kern/kstring.h>
#include <vm/vm_map.h>

/* vm_refcnt when the last user is gone: nobody may become one again. */
#define VM_REF_DELETED 0x80000000U

/* What Linux leaves for the stack at least before mmap's first address. */
#define MMAP_MIN_GAP (128UL << 20)

static struct zone mapentzone;
static struct zone vmspace_zone;

struct spinlock vmspace_list_spin = SPINLOCK_INITIALIZER("vmspaces");
struct vmspacelist vmspace_list = TAILQ_HEAD_INITIALIZER(vmspace_list);

RB_GENERATE(vm_map_rb_tree, vm_map_entry, rb_entry, rb_vm_map_compare);

/* Boot: makes the zones of this file. */
void
vm_map_startup(void)
{
	zinit(&mapentzone, "MAP ENTRY", sizeof(struct vm_map_entry), NULL);
	zinit(&vmspace_zone, "VMSPACE", sizeof(struct vmspace), NULL);
}

/* Order of the tree: by start address. */
int
rb_vm_map_compare(vm_map_entry_t a, vm_map_entry_t b)
{
	if (a->start < b->start)
		return -1;
	return a->start > b->start;
}

/* Makes an empty map of min..max over a pmap. Never sleeps. */
void
vm_map_init(vm_map_t map, vm_offset_t min, vm_offset_t max, pmap_t pmap)
{
	memset(map, 0, sizeof(*map));
	RB_INIT(&map->rb_root);
	map->min_addr = min;
	map->max_addr = max;
	map->pmap = pmap;
	lockinit(&map->lock, "vm_map");
	spin_init(&map->ilock_spin, "ilock");
	lwkt_token_init(&map->token, "vm_map");
}

/*
 * A new, empty user address space with one user. May sleep for memory.
 */
struct vmspace *
vmspace_alloc(void)
{
	struct vmspace *vm;

	vm = zalloc(&vmspace_zone, M_WAITOK | M_ZERO);
	vm_map_init(&vm->vm_map, VM_MIN_USER_ADDRESS, VM_MAX_USER_ADDRESS,
	    &vm->vm_pmap);
	pmap_pinit(&vm->vm_pmap);
	vm->vm_refcnt = 1;
	vm->vm_holdcnt = 1;
	vm->vm_mmap_top = VM_MAX_USER_ADDRESS - MMAP_MIN_GAP - STACK_GUARD_GAP;

	spin_lock(&vmspace_list_spin);
	TAILQ_INSERT_TAIL(&vmspace_list, vm, vm_list);
	spin_unlock(&vmspace_list_spin);
	return vm;
}

/* One user more; the caller knows that there is one. */
void
vmspace_ref(struct vmspace *vm)
{
	uint32_t n;

	atomic_add_uint(&vm->vm_holdcnt, 1);
	n = atomic_fetchadd_uint(&vm->vm_refcnt, 1);
	KKASSERT(n != 0 && (n & VM_REF_DELETED) == 0);
}

/* Keeps the structure, not the mappings; the caller knows it is there. */
void
vmspace_hold(struct vmspace *vm)
{
	atomic_add_uint(&vm->vm_holdcnt, 1);
}

/* First stage of the end: out with all mappings. */
static void
vmspace_unmap(struct vmspace *vm)
{
	/*
	 * Emptying the page tables in one sweep is cheaper than entry by
	 * entry. But to unwire pages the PTEs are needed, so then not.
	 */
	if (vm->vm_pmap.pm_wired == 0)
		pmap_remove_pages(
		    &vm->vm_pmap, VM_MIN_USER_ADDRESS, VM_MAX_USER_ADDRESS);
	vm_map_remove(&vm->vm_map, VM_MIN_USER_ADDRESS, VM_MAX_USER_ADDRESS);
	KKASSERT(vm->vm_map.nentries == 0 && vm->vm_map.size == 0);
}

/*
 * Ends a hold; the last one frees the structure and the page tables. May
 * sleep. No CPU has the pmap loaded any more when the last hold ends.
 */
void
vmspace_drop(struct vmspace *vm)
{
	SCHED_POINT("vm.space_drop");
	if (atomic_fetchadd_uint(&vm->vm_holdcnt, -1) != 1)
		return;
	KKASSERT(vm->vm_refcnt == VM_REF_DELETED);
	KKASSERT(vm->vm_map.nentries == 0);

	spin_lock(&vmspace_list_spin);
	TAILQ_REMOVE(&vmspace_list, vm, vm_list);
	spin_unlock(&vmspace_list_spin);

	pmap_release(&vm->vm_pmap);
	lwkt_token_uninit(&vm->vm_map.token);
	lockuninit(&vm->vm_map.lock);
	zfree(&vmspace_zone, vm);
}

/*
 * One user less. The last one takes out all mappings and, unless somebody
 * still looks, frees the space. May sleep; no map lock and no token held.
 */
void
vmspace_rel(struct vmspace *vm)
{
	SCHED_POINT("vm.space_rel");
	if (atomic_fetchadd_uint(&vm->vm_refcnt, -1) == 1) {
		atomic_set_uint(&vm->vm_refcnt, VM_REF_DELETED);
		vmspace_unmap(vm);
	}
	vmspace_drop(vm);
}

/* An empty space for execve to load a program into. May sleep. */
struct vmspace *
vmspace_exec_new(void)
{
	return vmspace_alloc();
}

/* Address spaces in existence, for leak checks. */
int64_t
vmspace_count(void)
{
	return vmspace_zone.z_inuse;
}

/* Map entries in existence, all maps. */
int64_t
vm_map_entry_inuse(void)
{
	return mapentzone.z_inuse;
}

/* Memory for an entry, zeroed. May sleep; the map may be locked. */
vm_map_entry_t
vm_map_entry_create(void)
{
	return zalloc(&mapentzone, M_WAITOK | M_ZERO);
}

/* Frees an entry's memory and gives back its reference on the node behind
 * its head. The one on the head's object is the caller's business. No token
 * but the map's held; may sleep. */
void
vm_map_entry_dispose(vm_map_entry_t entry)
{
	/* LAB 2.2h: what does the entry still own? */
	vm_map_backing_drop(entry->ba.backing_ba);
	/* END LAB 2.2h */
	zfree(&mapentzone, entry);
}

/* Puts an entry into the map. Exclusive lock; its range must be free. */
void
vm_map_entry_link(vm_map_t map, vm_map_entry_t entry)
{
	KKASSERT(lockheld_excl(&map->lock));
	map->nentries++;
	if (RB_INSERT(vm_map_rb_tree, &map->rb_root, entry) != NULL)
		panic("vm_map_entry_link: 0x%lx is in the map already",
		    entry->start);
}

/* Takes an entry out of the map. Exclusive lock. */
void
vm_map_entry_unlink(vm_map_t map, vm_map_entry_t entry)
{
	KKASSERT(lockheld_excl(&map->lock));
	KASSERT((entry->eflags & MAP_ENTRY_IN_TRANSITION) == 0,
	    ("vm_map_entry_unlink: 0x%lx is in transition", entry->start));
	RB_REMOVE(vm_map_rb_tree, &map->rb_root, entry);
	map->nentries--;
}

/* The lowest entry or NULL. Lock held, as for the next three. */
vm_map_entry_t
vm_map_first(vm_map_t map)
{
	return RB_MIN(vm_map_rb_tree, &map->rb_root);
}

/* The entry above this one, or NULL. */
vm_map_entry_t
vm_map_next(vm_map_entry_t entry)
{
	return RB_NEXT(vm_map_rb_tree, NULL, entry);
}

/* The entry below this one, or NULL. */
vm_map_entry_t
vm_map_prev(vm_map_entry_t entry)
{
	return RB_PREV(vm_map_rb_tree, NULL, entry);
}

/*
 * Finds the entry that holds addr: true. Otherwise false, and *entryp is the
 * last one before addr, NULL if there is none. Lock held.
 */
bool
vm_map_lookup_entry(vm_map_t map, vm_offset_t addr, vm_map_entry_t *entryp)
{
	vm_map_entry_t entry, last = NULL;

	/* Each turn to the right leaves behind a better "last before". */
	entry = RB_ROOT(&map->rb_root);
	while (entry != NULL) {
		if (addr < entry->start) {
			entry = RB_LEFT(entry, rb_entry);
			continue;
		}
		if (addr < entry->end) {
			*entryp = entry;
			return true;
		}
		last = entry;
		entry = RB_RIGHT(entry, rb_entry);
	}
	*entryp = last;
	return false;
}

/* The entry that holds addr or else the first one above it; NULL when there
 * is none. Lock held. */
vm_map_entry_t
vm_map_entry_from(vm_map_t map, vm_offset_t addr)
{
	vm_map_entry_t entry;

	if (vm_map_lookup_entry(map, addr, &entry))
		return entry;
	return entry == NULL ? vm_map_first(map) : vm_map_next(entry);
}
