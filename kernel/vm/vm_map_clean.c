/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writing what was changed through shared mappings back to the files.
 */
#include <linux/errno.h>
#include <linux/mman.h>

#include <fs/vnode.h>
#include <vm/vm_map.h>

/*
 * The file whose pages start..end of the entry are, if they are to be written
 * back: it is mapped shared. A reference is made; *first and *last get the
 * pages. Private changes belong to no file, and anonymous memory has none.
 * Lock held.
 */
static vm_object_t
clean_object(vm_map_entry_t entry, vm_offset_t start, vm_offset_t end,
    vm_pindex_t *first, vm_pindex_t *last)
{
	vm_object_t object = vm_map_entry_object(entry);
	vm_ooffset_t offset =
	    vm_map_entry_offset(entry) + (start - entry->start);

	if (entry->maptype != VM_MAPTYPE_NORMAL || object == NULL ||
	    entry->inheritance != VM_INHERIT_SHARE ||
	    object->type != OBJT_VNODE)
		return NULL;
	*first = OFF_TO_IDX(offset);
	*last = *first + OFF_TO_IDX(end - start);
	vm_object_reference_quick(object);
	return object;
}

/* Writes the dirty ones of a file's pages, and then what leads to them. EIO,
 * ENOSPC. */
static int
sync_pages(vm_object_t object, vm_pindex_t first, vm_pindex_t last)
{
	struct vnode *vp = object->handle;

	vm_object_page_clean(object, first, last);
	return vp->v_ops->vop_fsync == NULL ? 0 : vp->v_ops->vop_fsync(vp);
}

/*
 * msync(2) on start..end. MS_SYNC writes the dirty pages of shared files;
 * MS_ASYNC has nothing to do, since dirty pages are written in time anyway;
 * MS_INVALIDATE neither, since a file's mappings and its reads and writes
 * work on the same pages. ENOMEM tells of holes when the rest is done; EBUSY
 * of MS_INVALIDATE on locked pages, and errors of writing, at once. Takes the lock; may sleep for
 * I/O, without the lock.
 */
int
vm_map_clean(vm_map_t map, vm_offset_t start, vm_offset_t end, int flags)
{
	vm_map_entry_t entry;
	vm_object_t object;
	vm_pindex_t first, last;
	vm_offset_t e;
	int error = 0, e2;

	while (start < end) {
		vm_map_lock_read(map);
		entry = vm_map_entry_from(map, start);
		if (entry == NULL || entry->start > start) {
			error = ENOMEM;
			if (entry == NULL || entry->start >= end) {
				vm_map_unlock_read(map);
				break;
			}
			start = entry->start;
		}
		if ((flags & MS_INVALIDATE) &&
		    (entry->eflags & MAP_ENTRY_USER_WIRED)) {
			vm_map_unlock_read(map);
			return EBUSY;
		}
		e = MIN(end, entry->end);
		object = clean_object(entry, start, e, &first, &last);
		vm_map_unlock_read(map);
		if (object != NULL) {
			e2 = flags & MS_SYNC ? sync_pages(object, first, last)
					     : 0;
			vm_object_deallocate(object);
			if (e2 != 0)
				return e2;
		}
		start = e;
	}
	return error;
}
