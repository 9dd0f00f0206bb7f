/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mmap.
 *
 * The order of the checks in sys_mmap is Linux's (mm/mmap.c), so that a call
 * wrong in several ways gives the errno that it gives there.
 */
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/mman.h>
#include <linux/resource.h>

#include <fs/vnode.h>
#include <kern/bootopt.h>
#include <kern/file.h>
#include <kern/proc.h>
#include <kern/syscalls.h>
#include <vm/vm_fault.h>
#include <vm/vm_map.h>
#include <vm/vm_mmap.h>
#include <vm/vm_pager.h>

BOOTOPT(bo_vkernel_enable, "vm.vkernel_enable", "1",
    "mmap can make mappings with virtual page tables");

/* What MAP_32BIT means: Linux looks in the second gibibyte. */
#define MAP32_LOW  0x40000000UL
#define MAP32_HIGH 0x80000000UL

/* The greatest file size, in bytes. */
#define FILE_MAX 0x7fffffffffffffffUL

/* The flags that MAP_SHARED_VALIDATE knows: Linux's LEGACY_MAP_MASK. */
#define MAP_LEGACY                                                      \
	(MAP_SHARED | MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS |         \
	    MAP_DENYWRITE | MAP_EXECUTABLE | MAP_UNINITIALIZED |        \
	    MAP_GROWSDOWN | MAP_LOCKED | MAP_NORESERVE | MAP_POPULATE | \
	    MAP_NONBLOCK | MAP_STACK | MAP_HUGETLB | MAP_32BIT |        \
	    MAP_HUGE_2MB | MAP_HUGE_1GB)

/* The errno for the result of a map function. */
int
vm_errno(int kern_result)
{
	switch (kern_result) {
	case KERN_SUCCESS:
		return 0;
	case KERN_INVALID_ADDRESS:
	case KERN_NO_SPACE:
	case KERN_RESOURCE_SHORTAGE:
		return ENOMEM;
	case KERN_PROTECTION_FAILURE:
		return EACCES;
	case KERN_FAILURE:
		return EFAULT;
	default:
		return EINVAL;
	}
}

/* The running process's soft limit of a resource, in bytes. */
uint64_t
vm_rlimit(int resource)
{
	struct proc *p = curproc;

	return p == NULL ? RLIM64_INFINITY : p->p_rlim[resource].cur;
}

/* Whether RLIMIT_AS allows size bytes more in the map. */
bool
vm_map_may_grow(vm_map_t map, vm_size_t size)
{
	uint64_t limit = vm_rlimit(RLIMIT_AS);

	return limit == RLIM64_INFINITY || map->size + size <= limit;
}

/*
 * The place for a new mapping: *addrp as it is, emptied, with MAP_FIXED;
 * found otherwise. KERN_NO_SPACE. Exclusive lock.
 */
static int
mmap_place(vm_map_t map, vm_offset_t *addrp, vm_size_t size, int flags)
{
	vm_map_entry_t entry;
	vm_offset_t addr;

	if (flags & MAP_FIXED_NOREPLACE) {
		entry = vm_map_entry_from(map, *addrp);
		return entry != NULL && entry->start < *addrp + size
		    ? KERN_NO_SPACE
		    : KERN_SUCCESS;
	}
	if (flags & MAP_FIXED) {
		/* An entry that comes to be while it waits goes as well. */
		do {
			vm_map_delete(map, *addrp, *addrp + size);
			entry = vm_map_entry_from(map, *addrp);
		} while (entry != NULL && entry->start < *addrp + size);
		return KERN_SUCCESS;
	}
	if (flags & MAP_32BIT) {
		if (*addrp != 0 && *addrp + size <= MAP32_HIGH &&
		    vm_map_range_free(map, *addrp, *addrp + size))
			return KERN_SUCCESS;
		addr = vm_map_search_down(
		    map, MAP32_LOW, MAP32_HIGH, size, PAGE_SIZE);
		*addrp = addr;
		return addr == 0 ? KERN_NO_SPACE : KERN_SUCCESS;
	}
	return vm_map_findspace(map, *addrp, size, PAGE_SIZE, addrp);
}

/*
 * A MAP_GROWSDOWN mapping has just been made: it may grow to what
 * RLIMIT_STACK allows. Exclusive lock.
 */
static void
mmap_growsdown(vm_map_t map, vm_offset_t addr, vm_size_t size)
{
	uint64_t limit = vm_rlimit(RLIMIT_STACK);
	vm_map_entry_t entry;

	if (!vm_map_lookup_entry(map, addr, &entry))
		return;
	limit = MIN(limit, addr - map->min_addr + size);
	entry->aux.avail_ssize = limit > size ? trunc_page(limit - size) : 0;
}

/* The object for a mapping: a file's or a device's, with a reference; a new
 * one for shared memory; none (yet) for private memory. NULL and *errorp. May
 * sleep. */
static vm_object_t
mmap_object(struct vnode *vp, vm_size_t size, vm_prot_t prot, int flags,
    vm_ooffset_t off, int *errorp)
{
	vm_object_t object = NULL;

	*errorp = 0;
	if (vp != NULL && vp->v_type == VCHR) {
		object =
		    dev_pager_alloc(cdev_find(vp->v_rdev), size, prot, off);
		if (object == NULL)
			*errorp = EINVAL;
	} else if (vp != NULL) {
		object = vnode_pager_reference(vp);
		if (object == NULL)
			*errorp = ENODEV;
	} else if ((flags & MAP_TYPE) != MAP_PRIVATE) {
		object = vm_object_allocate(OBJT_DEFAULT,
		    (flags & MAP_VPAGETABLE) ? VPT_OBJECT_SIZE
					     : OFF_TO_IDX(size));
	}
	return object;
}

/*
 * Maps size bytes, whole pages, of an object (NULL: private memory to be) from
 * off on, as Linux's MAP_* flags and the cow argument say, and as id. *addr:
 * where; without MAP_FIXED a hint, and then the place found. The reference on
 * the object is used up in any case. 0 or an errno: ENOMEM, EEXIST
 * (FIXED_NOREPLACE). Takes the lock; may sleep.
 */
int
vm_mmap_object(vm_map_t map, vm_offset_t *addr, vm_size_t size, vm_prot_t prot,
    vm_prot_t maxprot, int flags, vm_object_t object, vm_ooffset_t off, int cow,
    int id)
{
	vm_maptype_t maptype = (flags & MAP_VPAGETABLE) ? VM_MAPTYPE_VPAGETABLE
							: VM_MAPTYPE_NORMAL;
	int error = 0, rv;
	bool wire;

	vm_map_lock(map);
	if (!vm_map_may_grow(map, size))
		rv = KERN_NO_SPACE;
	else
		rv = mmap_place(map, addr, size, flags);
	if (rv == KERN_SUCCESS)
		rv = vm_map_insert(map, object, off, *addr, *addr + size,
		    maptype, id, prot, maxprot, cow);
	else if (flags & MAP_FIXED_NOREPLACE)
		error = EEXIST;
	if (rv == KERN_SUCCESS && (flags & MAP_GROWSDOWN))
		mmap_growsdown(map, *addr, size);
	wire = (map->flags & MAP_WIREFUTURE) || (flags & MAP_LOCKED);
	vm_map_unlock(map);

	if (rv != KERN_SUCCESS) {
		vm_object_deallocate(object);
		return error != 0 ? error : vm_errno(rv);
	}
	if (wire)
		(void)vm_map_unwire(map, *addr, *addr + size, false);
	return 0;
}

/*
 * Maps size bytes (rounded up to pages) of the file vp from off on, or of
 * anonymous memory, as Linux's MAP_* flags say. *addr: where; without
 * MAP_FIXED a hint, and then the place found. maxprot is the most that
 * mprotect may grant later. A device's mapping is always shared. 0 or an
 * errno: ENOMEM, EEXIST (FIXED_NOREPLACE), ENODEV, EINVAL. Takes the lock;
 * may sleep.
 */
int
vm_mmap(vm_map_t map, vm_offset_t *addr, vm_size_t size, vm_prot_t prot,
    vm_prot_t maxprot, int flags, struct vnode *vp, vm_ooffset_t off)
{
	vm_object_t object;
	int cow = 0, error;

	size = round_page(size);
	if (size == 0 || (off & PAGE_MASK) != 0)
		return EINVAL;
	if (flags & MAP_FIXED_NOREPLACE)
		flags |= MAP_FIXED;
	if ((flags & MAP_FIXED) && (*addr & PAGE_MASK) != 0)
		return EINVAL;
	if (vp != NULL && vp->v_type == VCHR)
		flags = (flags & ~MAP_TYPE) | MAP_SHARED;
	object = mmap_object(vp, size, prot, flags, off, &error);
	if (error != 0)
		return error;
	if (vp != NULL)
		cow |= MAP_PREFAULT_PARTIAL;
	if ((flags & MAP_TYPE) != MAP_PRIVATE)
		cow |= MAP_IS_SHARED;
	else if (vp != NULL)
		cow |= MAP_COPY_ON_WRITE;
	if (flags & MAP_GROWSDOWN)
		cow |= MAP_IS_STACK;
	return vm_mmap_object(map, addr, size, prot, maxprot, flags, object,
	    vp == NULL ? 0 : off, cow, VM_SUBSYS_MMAP);
}

/*
 * The checks of address and length that come first, in Linux's order; rounds
 * both. 0 or an errno.
 */
static int
mmap_check_range(vm_offset_t *addr, size_t *len, int flags)
{
	if (*len == 0)
		return EINVAL;
	*len = round_page(*len);
	if (*len == 0 || *len > VM_MAX_USER_ADDRESS)
		return ENOMEM;
	if (flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)) {
		if (*addr > VM_MAX_USER_ADDRESS - *len)
			return ENOMEM;
		if (*addr & PAGE_MASK)
			return EINVAL;
		return *addr < VM_MIN_USER_ADDRESS ? EPERM : 0;
	}
	*addr = trunc_page(*addr);
	if (*addr != 0)
		*addr = MAX(*addr, VM_MMAP_MIN);
	return 0;
}

/* Whether anything is mapped in the range: MAP_FIXED_NOREPLACE fails early
 * then, before Linux looks at the file. */
static bool
mmap_exists(vm_map_t map, vm_offset_t addr, size_t len)
{
	vm_map_entry_t entry;
	bool exists;

	vm_map_lock_read(map);
	entry = vm_map_entry_from(map, addr);
	exists = entry != NULL && entry->start < addr + len;
	vm_map_unlock_read(map);
	return exists;
}

/* Whether there are pages that a mapping of the file could show. */
static bool
mmap_possible(struct vnode *vp)
{
	const struct cdevsw *d;

	if (vp->v_type == VCHR) {
		d = cdev_find(vp->v_rdev);
		return d != NULL && d->d_mmap != NULL;
	}
	return vp->v_type == VREG && vp->v_ops->vop_getpage != NULL;
}

/*
 * Whether a mapping can have a virtual page table: 0 or an errno. The kernel
 * writes to the table, the field for its root is a stack's too, and a device
 * has no room for a table.
 */
static int
mmap_check_vpagetable(struct vnode *vp, int prot, int flags)
{
	if (!bootopt_bool(&bo_vkernel_enable))
		return EOPNOTSUPP;
	if ((prot & (PROT_READ | PROT_WRITE)) != (PROT_READ | PROT_WRITE) ||
	    (flags & MAP_GROWSDOWN) || (vp != NULL && vp->v_type == VCHR))
		return EINVAL;
	return 0;
}

/*
 * What the file allows, in the order of Linux's do_mmap: 0 or an errno. *vpp
 * gets the vnode to map, NULL for anonymous memory; *maxprot what may ever be
 * granted.
 */
static int
mmap_check_file(struct file *fp, size_t len, int prot, int flags, uint64_t off,
    struct vnode **vpp, vm_prot_t *maxprot)
{
	struct vnode *vp = file_vnode(fp);
	uint32_t acc = fp->f_flags & O_ACCMODE;
	uint64_t max = vp != NULL && vp->v_type == VREG ? FILE_MAX : UINT64_MAX;

	/* Pages that no offset reaches. */
	if (len > max || OFF_TO_IDX(off) > OFF_TO_IDX(max - len))
		return EOVERFLOW;
	switch (flags & MAP_TYPE) {
	case MAP_SHARED_VALIDATE:
		if (flags & ~(MAP_LEGACY | MAP_SHARED_VALIDATE))
			return EOPNOTSUPP;
		/* FALLTHROUGH */
	case MAP_SHARED:
		if ((prot & PROT_WRITE) && acc == O_RDONLY)
			return EACCES;
		if (acc == O_RDONLY)
			*maxprot &= ~VM_PROT_WRITE;
		break;
	case MAP_PRIVATE:
		/* There is no private mapping of a device. */
		if (vp == NULL || vp->v_type != VCHR ||
		    vp->v_rdev == MKDEV(1, 5) || acc != O_RDONLY)
			break;
		if (prot & PROT_WRITE)
			return EACCES;
		*maxprot &= ~VM_PROT_WRITE;
		break;
	default:
		return EINVAL;
	}
	if (acc == O_WRONLY)
		return EACCES;
	/* Pipes are in a file system that is mounted noexec. */
	if (vp == NULL)
		return (prot & PROT_EXEC) ? EPERM : ENODEV;
	if (vp->v_type == VCHR && vp->v_rdev == MKDEV(1, 5))
		vp = NULL; /* /dev/zero: memory by another name */
	else if (!mmap_possible(vp))
		return ENODEV;
	if (flags & MAP_GROWSDOWN)
		return EINVAL;
	*vpp = vp;
	return 0;
}

/*
 * mmap(2). The address, or an errno: EBADF, EINVAL, EACCES, ENODEV, ENOMEM,
 * EOVERFLOW, EEXIST, EPERM, EOPNOTSUPP.
 */
long
sys_mmap(uintptr_t addr, size_t len, int prot, int flags, int fd, int64_t off)
{
	vm_map_t map = &curproc->p_vmspace->vm_map;
	vm_prot_t maxprot = VM_PROT_ALL;
	struct file *fp = NULL;
	struct vnode *vp = NULL;
	vm_offset_t va = addr;
	int error;

	if (off & PAGE_MASK)
		return -EINVAL;
	if ((flags & MAP_ANONYMOUS) == 0) {
		fp = fget(fd);
		if (fp == NULL)
			return -EBADF;
		error = EBADF;
		if (fp->f_flags & O_PATH)
			goto out;
	}
	/* No huge page is ever set aside here. */
	error = fp != NULL ? EINVAL : ENOMEM;
	if (flags & MAP_HUGETLB)
		goto out;
	error = mmap_check_range(&va, &len, flags);
	if (error == 0 && (flags & MAP_FIXED_NOREPLACE) &&
	    mmap_exists(map, va, len))
		error = EEXIST;
	if (error != 0)
		goto out;
	if (fp != NULL) {
		error =
		    mmap_check_file(fp, len, prot, flags, off, &vp, &maxprot);
	} else if ((flags & MAP_TYPE) == MAP_SHARED) {
		error = (flags & MAP_GROWSDOWN) ? EINVAL : 0;
	} else {
		error = (flags & MAP_TYPE) == MAP_PRIVATE ? 0 : EINVAL;
	}
	if (error == 0 && (flags & MAP_VPAGETABLE))
		error = mmap_check_vpagetable(vp, prot, flags);
	if (error == 0)
		error = vm_mmap(map, &va, len, prot & VM_PROT_ALL, maxprot,
		    flags, vp, vp == NULL ? 0 : off);
out:
	if (fp != NULL)
		file_drop(fp);
	if (error != 0)
		return -error;
	if ((flags & (MAP_POPULATE | MAP_NONBLOCK)) == MAP_POPULATE)
		(void)vm_populate(map, va, va + len,
		    (flags & MAP_TYPE) == MAP_PRIVATE && (prot & PROT_WRITE)
			? VM_PROT_WRITE
			: VM_PROT_READ);
	return va;
}
