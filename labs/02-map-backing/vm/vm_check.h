/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vm_check(): compares what is cached with what is true, by brute force.
 * Call it when nothing else runs in the VM (the other threads asleep
 * outside it or stopped). It never changes anything.
 */
#ifndef VM_VM_CHECK_H
#define VM_VM_CHECK_H

#include <kern/cdefs.h>
#include <vm/vm_types.h>

struct sbuf;

/* Runs every check; one line a violation into sb (the first 50); returns
 * how many there were. */
int vm_check(struct sbuf *sb);
void vm_map_check_all(void); /* vm_check_map.c */
void vm_page_check(void);    /* vm_page_check.c */
void vm_object_check(void);  /* vm_check_object.c */
/* vm_check_backing.c: checks all nodes; fn gets each one's object. */
void vm_check_backings(void (*fn)(void *arg, vm_object_t object), void *arg);
/* For the checking functions: reports one violation. */
void vm_check_fail(const char *fmt, ...) __printflike(1, 2);

#endif
