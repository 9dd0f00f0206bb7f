/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The only ways from the kernel to a user's memory. All may sleep (page
 * fault) and so may be called with no spinlock held; tokens are given up
 * while a fault sleeps. All return 0 or EFAULT, whatever the address.
 */
#ifndef KERN_UACCESS_H
#define KERN_UACCESS_H

#include <kern/types.h>
#include <san/kasan.h>

int copyin(const void *uaddr, void *kaddr, size_t len);
int copyout(const void *kaddr, void *uaddr, size_t len);
/* Copies up to max bytes with the final zero; *lenp (may be NULL) gets the
 * bytes copied with it. ENAMETOOLONG when no zero was among them. */
int copyinstr(const void *uaddr, char *kaddr, size_t max, size_t *lenp);
int zeroout(void *uaddr, size_t len);
int fuword32(const void *uaddr, uint32_t *val);
int fuword64(const void *uaddr, uint64_t *val);
int suword32(void *uaddr, uint32_t val);
int suword64(void *uaddr, uint64_t val);
/* Compare-and-set in user memory; *oldp gets what was there. */
int casuword32(void *uaddr, uint32_t cmp, uint32_t newval, uint32_t *oldp);

#ifdef KASAN
/* Their other side is the kernel's. */
#define copyin(u, k, n)	 (kasan_write(k, n), copyin(u, k, n))
#define copyout(k, u, n) (kasan_read(k, n), copyout(k, u, n))
#endif

#endif
