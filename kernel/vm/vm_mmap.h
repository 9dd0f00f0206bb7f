/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the memory system calls have in common.
 */
#ifndef VM_VM_MMAP_H
#define VM_VM_MMAP_H

#include <vm/vm_map.h>

/* The running process's soft limit of a RLIMIT_*; RLIM64_INFINITY. */
uint64_t vm_rlimit(int resource);
/* Lock held: whether RLIMIT_AS allows so many bytes more. */
bool vm_map_may_grow(vm_map_t map, vm_size_t size);
/* Maps size bytes of an object from off on; uses the reference up. See
 * vm_mmap(), which is this for files and new memory. */
int vm_mmap_object(vm_map_t map, vm_offset_t *addr, vm_size_t size,
    vm_prot_t prot, vm_prot_t maxprot, int flags, vm_object_t object,
    vm_ooffset_t off, int cow, int id);
/* Faults all pages of start..end in. The first failure's KERN_*. No lock
 * held; may sleep. */
int vm_populate(
    vm_map_t map, vm_offset_t start, vm_offset_t end, vm_prot_t prot);

#endif
