/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the VM asks of System V shared memory. An anonymous or a physical
 * object with a handle is a segment's.
 */
#ifndef KERN_SHM_H
#define KERN_SHM_H

#include <vm/vm_object.h>

#define OBJ_IS_SHM(o)                                           \
	((OBJT_IS_ANON((o)->type) || (o)->type == OBJT_PHYS) && \
	    (o)->handle != NULL)

/* The segment's object ends: so does the segment. Its token is held; may
 * sleep. */
void shm_object_end(vm_object_t object);
/* Whether the segment itself has a reference on the object; vm_check. */
bool shm_has_reference(vm_object_t object);
/* The key it was made with and its identifier, for /proc/PID/maps. The caller
 * has a reference. */
void shm_identity(vm_object_t object, uint32_t *key, uint64_t *id);

#endif
