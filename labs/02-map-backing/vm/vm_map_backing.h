/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Map backings: what stands behind a map entry.
 *
 * The chain belongs to the map. An entry embeds the first backing, its head;
 * each backing names one object and the next backing behind it. Objects know
 * nothing of each other any more. A fork lets the child's head point at the
 * node that the parent's points at, so that siblings share their tails: the
 * backings of all entries make a tree that fans in.
 *
 *  I1 a node (a backing that is not a head) has an object; a file's or a
 *	device's object is at the tail only
 *  I2 a node never changes, save its refs. A head changes under the
 *	exclusive map lock, save its flags, which are a hint and atomic
 *  I3 node.refs counts the backings that point at it. object.ref_count
 *	counts the backings that name it, and those who have it by a handle
 *  I4 the index at level k is (va - entry.start + offsets of levels 0..k)
 *	/ PAGE_SIZE: a clip moves the head's offset and so all the others
 *  I5 only who owns a reference adds another, so that takes no lock
 *  I6 order: map lock, tokens from the front back, busy pages. A fault keeps
 *	the map locked from the lookup until the page is mapped, and nobody
 *	who has a page busy waits for a map
 *  I7 that refs is 1 proves nothing: a node further up may be shared.
 *	ref_count 1 proves that an object is one's own only for the head's
 *
 *  (M) the map's lock, exclusive to change; (A) atomic; (k) constant
 */
#ifndef VM_VM_MAP_BACKING_H
#define VM_VM_MAP_BACKING_H

#include <vm/vm_object.h>

struct vm_map_backing {
	struct vm_map_backing *backing_ba; /* (k; head: M) next one, or NULL;
					    * owns one of its refs */
	union {
		struct vm_object *object; /* (k; head: M) owns a reference */
		struct vm_map *sub_map;	  /* (k) a SUBMAP's head */
		void *map_object;	  /* (k) either, for comparing */
	};
	vm_ooffset_t offset; /* (k; head: M) bytes, added to those before */
	long refs;	     /* (A) backings that point here; a head: 0 */
	uint32_t flags;	     /* (A) VM_MAP_BACK_* */
	uint32_t unused01;
};

/* The last fault here had to allocate: start with the exclusive token. */
#define VM_MAP_BACK_EXCL_HEUR 0x00000001U

/* --- vm_map_backing.c --- */
/* Exclusive lock. Puts a new object in front of a NEEDS_COPY entry, unless
 * its object is anonymous, handle-free and the entry's alone. addref: the
 * object in front gets a second reference, the caller's. May sleep. */
void vm_map_entry_shadow(struct vm_map_entry *entry, bool addref);
/* Exclusive lock. Gives an entry without an object one. */
void vm_map_entry_allocate_object(struct vm_map_entry *entry);
/* Makes what a copy of an entry's head owns: a reference on its object and
 * one on the node behind. Takes no lock and never sleeps. */
void vm_map_backing_ref(struct vm_map_backing *ba);
/* Drops a reference on a node (NULL: nothing); with the last one goes what
 * the node owns, and so on down. No token held; may sleep. */
void vm_map_backing_drop(struct vm_map_backing *ba);
/* Lock held. The object at the tail of the entry's chain when that is not
 * anonymous (a file, a device), held shared: vm_object_drop it; *offp gets
 * the byte offset into it of the entry's start. NULL: anonymous memory. */
vm_object_t vm_map_entry_file(struct vm_map_entry *entry, vm_ooffset_t *offp);

#endif
