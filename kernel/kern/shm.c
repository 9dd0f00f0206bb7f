/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * System V shared memory: segments of anonymous memory that are found by a
 * key, and outlive who made them.
 *
 * A segment is a VM object with a name. It owns one reference until it is
 * removed; each map entry that shows it owns one, so the number of attachments
 * needs no book-keeping at fork, exec, exit and munmap. A removed segment is
 * its object's, by the handle, and ends with it: at the last detachment,
 * however that comes about.
 *
 * shm_lock comes after a map's lock, and is not held while one is waited for.
 *
 * With shm.use_phys (DragonFly's kern.ipc.shm_use_phys) segments are physical
 * objects: their pages are never paged out and have no pv's.
 */
#include <linux/errno.h>
#include <linux/mman.h>
#include <linux/shm.h>

#include <asm/shmbuf.h>

#include <amd64/machdep.h>
#include <kern/bootopt.h>
#include <kern/kmalloc.h>
#include <kern/proc.h>
#include <kern/shm.h>
#include <kern/syscalls.h>
#include <kern/uaccess.h>
#include <vm/vm_mmap.h>

#define ULONG_MAX UINT64_MAX /* linux/shm.h has its limits from it */

/* Bits of shm_perm.mode that Linux keeps to itself (its own shm.h). */
#define SHM_DEST 01000 /* ends at the last detachment */

#define SHM_PERM      0777
#define SHM_SEQ_SHIFT 15 /* an id is a slot, and how often ids came round */
#define SHM_SEQ_MAX   0xffff

struct shm_segment {
	struct shmid64_ds sh_ds; /* shm_lock; but for shm_nattch */
	uint32_t sh_key;	 /* (k) as made */
	int sh_slot;		 /* (k) */
	vm_object_t sh_object;	 /* (k) see above */
};

MALLOC_DEFINE(M_SHM, "shm");

BOOTOPT(bo_use_phys, "shm.use_phys", "0", "segments stay in memory");

static struct lock shm_lock = LOCK_INITIALIZER("shm");
static struct shm_segment *shm_slots[SHMMNI]; /* shm_lock */
static uint16_t shm_seq;		      /* shm_lock */

static int
shm_id(const struct shm_segment *sh)
{
	return sh->sh_ds.shm_perm.seq << SHM_SEQ_SHIFT | sh->sh_slot;
}

/* Seconds since 1970. */
static long
shm_now(void)
{
	return (long)(walltime() / 1000000000UL);
}

/* The segment with an identifier, or NULL. shm_lock is held. */
static struct shm_segment *
shm_find(int id)
{
	int slot = id & ((1 << SHM_SEQ_SHIFT) - 1);

	if (id < 0 || slot >= SHMMNI || shm_slots[slot] == NULL ||
	    shm_id(shm_slots[slot]) != id)
		return NULL;
	return shm_slots[slot];
}

/* The segment with a key, or NULL; a removed one has none. shm_lock is
 * held. */
static struct shm_segment *
shm_find_key(int key)
{
	for (int i = 0; i < SHMMNI; i++) {
		if (shm_slots[i] != NULL &&
		    shm_slots[i]->sh_ds.shm_perm.key == key)
			return shm_slots[i];
	}
	return NULL;
}

/* How many map entries show the segment. shm_lock is held, and the object's
 * memory kept by it. */
static unsigned long
shm_nattch(const struct shm_segment *sh)
{
	return (unsigned long)sh->sh_object->ref_count -
	    shm_has_reference(sh->sh_object);
}

/* A new segment: its identifier, or a negative errno. shm_lock is held; may
 * sleep for memory. */
static int
shm_create(int key, size_t size, int flag)
{
	struct shm_segment *sh;
	int slot;

	if (size < SHMMIN || size > SHMMAX || round_page(size) == 0)
		return -EINVAL;
	if (flag & SHM_HUGETLB)
		return -ENOMEM; /* no huge page is ever set aside here */
	for (slot = 0; slot < SHMMNI && shm_slots[slot] != NULL; slot++)
		;
	if (slot == SHMMNI)
		return -ENOSPC;
	sh = kmalloc(sizeof(*sh), &M_SHM, M_WAITOK | M_ZERO);
	sh->sh_key = (uint32_t)key;
	sh->sh_slot = slot;
	sh->sh_ds.shm_perm.key = key;
	sh->sh_ds.shm_perm.mode = (unsigned int)flag & SHM_PERM;
	sh->sh_ds.shm_perm.seq = shm_seq;
	sh->sh_ds.shm_segsz = size;
	sh->sh_ds.shm_ctime = shm_now();
	sh->sh_ds.shm_cpid = curproc->p_pid;
	sh->sh_object = vm_object_allocate(
	    bootopt_bool(&bo_use_phys) ? OBJT_PHYS : OBJT_DEFAULT,
	    OFF_TO_IDX(round_page(size)));
	sh->sh_object->handle = sh;
	vm_object_set_flag(sh->sh_object, OBJ_NOSPLIT);
	vm_object_clear_flag(sh->sh_object, OBJ_ONEMAPPING);
	shm_slots[slot] = sh;
	return shm_id(sh);
}

/* shmget(2): the identifier, or EINVAL, ENOENT, EEXIST, ENOSPC, ENOMEM. */
long
sys_shmget(int key, size_t size, int flag)
{
	struct shm_segment *sh = NULL;
	long result;

	lockmgr(&shm_lock, LK_EXCLUSIVE);
	if (key != IPC_PRIVATE)
		sh = shm_find_key(key);
	if (sh == NULL && key != IPC_PRIVATE && (flag & IPC_CREAT) == 0)
		result = -ENOENT;
	else if (sh == NULL)
		result = shm_create(key, size, flag);
	else if ((flag & (IPC_CREAT | IPC_EXCL)) == (IPC_CREAT | IPC_EXCL))
		result = -EEXIST;
	else if (size > sh->sh_ds.shm_segsz)
		result = -EINVAL;
	else
		result = shm_id(sh);
	lockmgr(&shm_lock, LK_RELEASE);
	return result;
}

/* Another reference on the segment's object; false when it is about to end.
 * shm_lock is held. */
static bool
shm_reference(struct shm_segment *sh)
{
	vm_object_t object = sh->sh_object;
	bool alive;

	vm_object_hold(object);
	alive = vm_object_reference_alive(object);
	vm_object_drop(object);
	return alive;
}

/* Where it is to be attached: 0 or EINVAL, EPERM. *addr is rounded; *flags
 * gets mmap's. */
static int
shm_place(vm_offset_t *addr, vm_size_t size, int shmflg, int *flags)
{
	*flags = MAP_SHARED;
	if (*addr == 0)
		return (shmflg & SHM_REMAP) ? EINVAL : 0;
	if (*addr & PAGE_MASK) {
		if ((shmflg & SHM_RND) == 0)
			return EINVAL;
		*addr = trunc_page(*addr);
		if (*addr == 0 && (shmflg & SHM_REMAP))
			return EINVAL;
	}
	*flags |= (shmflg & SHM_REMAP) ? MAP_FIXED : MAP_FIXED_NOREPLACE;
	if (*addr > VM_MAX_USER_ADDRESS || size > VM_MAX_USER_ADDRESS - *addr)
		return ENOMEM;
	return *addr < VM_MIN_USER_ADDRESS ? EPERM : 0;
}

/* shmat(2): the address, or EINVAL, ENOMEM, EPERM. */
long
sys_shmat(int id, uintptr_t shmaddr, int shmflg)
{
	vm_map_t map = &curproc->p_vmspace->vm_map;
	vm_prot_t prot = VM_PROT_READ, maxprot = VM_PROT_ALL;
	vm_offset_t addr = shmaddr;
	struct shm_segment *sh;
	vm_object_t object;
	vm_size_t size = 0;
	int flags, error;

	if (shmflg & SHM_RDONLY)
		maxprot &= ~VM_PROT_WRITE;
	else
		prot |= VM_PROT_WRITE;
	if (shmflg & SHM_EXEC)
		prot |= VM_PROT_EXECUTE;

	lockmgr(&shm_lock, LK_EXCLUSIVE);
	sh = shm_find(id);
	if (sh != NULL)
		size = round_page(sh->sh_ds.shm_segsz);
	error = shm_place(&addr, size, shmflg, &flags);
	if (error == 0 && (sh == NULL || !shm_reference(sh)))
		error = EINVAL;
	if (error == 0) {
		object = sh->sh_object;
		sh->sh_ds.shm_atime = shm_now();
		sh->sh_ds.shm_lpid = curproc->p_pid;
	}
	lockmgr(&shm_lock, LK_RELEASE);
	if (error != 0)
		return -error;
	error = vm_mmap_object(map, &addr, size, prot, maxprot, flags, object,
	    0, MAP_IS_SHARED, VM_SUBSYS_SHM);
	if (error == EEXIST)
		error = EINVAL;
	return error != 0 ? -error : (long)addr;
}

/* The lowest entry at or above from that would be part of an attachment at
 * addr, of the object unless that is NULL. Map locked. */
static vm_map_entry_t
shm_attached(
    vm_map_t map, vm_offset_t from, vm_offset_t addr, vm_object_t object)
{
	vm_map_entry_t entry;
	vm_object_t o;

	for (entry = vm_map_entry_from(map, from); entry != NULL;
	     entry = vm_map_next(entry)) {
		o = vm_map_entry_object(entry);
		if (entry->start >= from && o != NULL &&
		    entry->maptype == VM_MAPTYPE_NORMAL && OBJ_IS_SHM(o) &&
		    (object == NULL || o == object) &&
		    entry->start - addr ==
			(vm_offset_t)vm_map_entry_offset(entry))
			return entry;
	}
	return NULL;
}

/* shmdt(2): what is left of an attachment at the address goes. 0 or
 * EINVAL. */
long
sys_shmdt(uintptr_t addr)
{
	vm_map_t map = &curproc->p_vmspace->vm_map;
	struct shm_segment *sh;
	vm_map_entry_t entry;
	vm_object_t object;
	vm_offset_t end;

	if (addr & PAGE_MASK)
		return -EINVAL;
	vm_map_lock(map);
	entry = shm_attached(map, addr, addr, NULL);
	if (entry == NULL) {
		vm_map_unlock(map);
		return -EINVAL;
	}
	object = vm_map_entry_object(entry);
	sh = object->handle;
	lockmgr(&shm_lock, LK_EXCLUSIVE);
	sh->sh_ds.shm_dtime = shm_now();
	sh->sh_ds.shm_lpid = curproc->p_pid;
	end = addr + round_page(sh->sh_ds.shm_segsz);
	lockmgr(&shm_lock, LK_RELEASE);
	do {
		vm_offset_t next = entry->end;

		vm_map_delete(map, entry->start, next);
		entry = shm_attached(map, next, addr, object);
	} while (entry != NULL && entry->start < end);
	vm_map_unlock(map);
	return 0;
}

/* IPC_RMID: no key finds it any more; it goes with its last attachment.
 * shm_lock is held. The reference to be dropped after that, or NULL. */
static vm_object_t
shm_remove(struct shm_segment *sh)
{
	if (sh->sh_ds.shm_perm.mode & SHM_DEST)
		return NULL;
	sh->sh_ds.shm_perm.mode |= SHM_DEST;
	sh->sh_ds.shm_perm.key = IPC_PRIVATE;
	return sh->sh_object;
}

/* See shm.h. */
void
shm_object_end(vm_object_t object)
{
	struct shm_segment *sh = object->handle;

	lockmgr(&shm_lock, LK_EXCLUSIVE);
	shm_slots[sh->sh_slot] = NULL;
	shm_seq = shm_seq == SHM_SEQ_MAX ? 0 : shm_seq + 1;
	lockmgr(&shm_lock, LK_RELEASE);
	kfree(sh, &M_SHM);
}

/* See shm.h. */
bool
shm_has_reference(vm_object_t object)
{
	const struct shm_segment *sh = object->handle;

	return (sh->sh_ds.shm_perm.mode & SHM_DEST) == 0;
}

/* See shm.h. */
void
shm_identity(vm_object_t object, uint32_t *key, uint64_t *id)
{
	const struct shm_segment *sh = object->handle;

	*key = sh->sh_key;
	*id = (uint64_t)shm_id(sh);
}

/* The greatest slot in use, 0 when none is; and what all segments use.
 * shm_lock is held. */
static int
shm_totals(struct shm_info *info)
{
	int last = 0;

	*info = (struct shm_info){.used_ids = 0};
	for (int i = 0; i < SHMMNI; i++) {
		if (shm_slots[i] == NULL)
			continue;
		last = i;
		info->used_ids++;
		info->shm_tot += shm_slots[i]->sh_object->size;
		info->shm_rss +=
		    (unsigned long)shm_slots[i]->sh_object->resident_page_count;
	}
	return last;
}

/* IPC_INFO, SHM_INFO: about all segments. The greatest slot, or EFAULT. */
static long
shmctl_info(int cmd, void *buf)
{
	struct shminfo64 limits = {
	    .shmmax = SHMMAX,
	    .shmmin = SHMMIN,
	    .shmmni = SHMMNI,
	    .shmseg = SHMSEG,
	    .shmall = SHMMAX,
	};
	struct shm_info info;
	int last, error;

	lockmgr(&shm_lock, LK_EXCLUSIVE);
	last = shm_totals(&info);
	lockmgr(&shm_lock, LK_RELEASE);
	if (cmd == IPC_INFO)
		error = copyout(&limits, buf, sizeof(limits));
	else
		error = copyout(&info, buf, sizeof(info));
	return error != 0 ? -error : last;
}

/* What a command does with one segment; its result, and what to copy out or
 * to drop afterwards. shm_lock is held. */
static long
shmctl_segment(
    struct shm_segment *sh, int cmd, struct shmid64_ds *ds, vm_object_t *drop)
{
	switch (cmd) {
	case IPC_SET:
		sh->sh_ds.shm_perm.uid = ds->shm_perm.uid;
		sh->sh_ds.shm_perm.gid = ds->shm_perm.gid;
		sh->sh_ds.shm_perm.mode =
		    (sh->sh_ds.shm_perm.mode & ~(unsigned int)SHM_PERM) |
		    (ds->shm_perm.mode & SHM_PERM);
		sh->sh_ds.shm_ctime = shm_now();
		return 0;
	case IPC_RMID:
		*drop = shm_remove(sh);
		return 0;
	default:
		*ds = sh->sh_ds;
		ds->shm_nattch = shm_nattch(sh);
		return cmd == IPC_STAT ? 0 : shm_id(sh);
	}
}

/* shmctl(2): IPC_STAT, IPC_SET, IPC_RMID, IPC_INFO, SHM_INFO, SHM_STAT,
 * SHM_STAT_ANY. EINVAL for other commands, and without such a segment. */
long
sys_shmctl(int id, int cmd, void *buf)
{
	bool stat = cmd == IPC_STAT, by_slot = false;
	struct shm_segment *sh;
	vm_object_t drop = NULL;
	struct shmid64_ds ds;
	long result;

	if (id < 0 || cmd < 0)
		return -EINVAL;
	switch (cmd) {
	case IPC_INFO:
	case SHM_INFO:
		return shmctl_info(cmd, buf);
	case SHM_STAT:
	case SHM_STAT_ANY:
		stat = by_slot = true;
		break;
	case IPC_SET:
		if (copyin(buf, &ds, sizeof(ds)) != 0)
			return -EFAULT;
		break;
	case IPC_STAT:
	case IPC_RMID:
		break;
	default:
		return -EINVAL;
	}
	lockmgr(&shm_lock, LK_EXCLUSIVE);
	if (by_slot)
		sh = id < SHMMNI ? shm_slots[id] : NULL;
	else
		sh = shm_find(id);
	result = sh == NULL ? -EINVAL : shmctl_segment(sh, cmd, &ds, &drop);
	lockmgr(&shm_lock, LK_RELEASE);
	vm_object_deallocate(drop);
	if (result >= 0 && stat && copyout(&ds, buf, sizeof(ds)) != 0)
		return -EFAULT;
	return result;
}
