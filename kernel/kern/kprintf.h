/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Formatted output to the console, and into memory.
 *
 * Conversions: %d %i %u %x %X %o %c %s %p %%, with flags - 0 + space #,
 * width and precision (also *), and lengths hh h l ll z j t.
 */
#ifndef KERN_KPRINTF_H
#define KERN_KPRINTF_H

#include <stdarg.h>

#include <kern/cdefs.h>
#include <kern/types.h>

/* One call's text comes out whole, whatever other CPUs print. Any context,
 * from the first C instruction on. */
int kprintf(const char *fmt, ...) __printflike(1, 2);
int kvprintf(const char *fmt, va_list ap);

/* Like kprintf, when the boot option loglevel is at least `level'. */
#define KLOG_ERR   0
#define KLOG_INFO  1
#define KLOG_DEBUG 2
void klog(int level, const char *fmt, ...) __printflike(2, 3);

/* A line of the result stream (COM2), whole as well. */
void result_printf(const char *fmt, ...) __printflike(1, 2);

/* At most size - 1 characters and a NUL (nothing when size is 0); the
 * length that the whole text would have had. */
int ksnprintf(char *buf, size_t size, const char *fmt, ...) __printflike(3, 4);
int kvsnprintf(char *buf, size_t size, const char *fmt, va_list ap);

/* Hands each character to out(arg, ch); how many there were. */
int kvformat(
    void (*out)(void *arg, int ch), void *arg, const char *fmt, va_list ap);

/* For the post-mortem: from now on nobody else's output appears. */
void kprintf_panic_mode(void);

#endif
