/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory and strings, as ISO C and BSD define them. The compiler itself
 * calls the first four.
 */
#ifndef KERN_KSTRING_H
#define KERN_KSTRING_H

#include <kern/types.h>

void *memcpy(void *restrict dst, const void *restrict src, size_t n);
void *memmove(void *dst, const void *src, size_t n);
void *memset(void *dst, int c, size_t n);
int memcmp(const void *a, const void *b, size_t n);
void *memchr(const void *s, int c, size_t n);

#define bzero(p, n) memset((p), 0, (n))

size_t strlen(const char *s);
size_t strnlen(const char *s, size_t max);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t n);
char *strchr(const char *s, int c);
char *strrchr(const char *s, int c);
char *strstr(const char *s, const char *what);
/* Always NUL-terminated when size > 0; return strlen(src), and what the
 * whole would have been. */
size_t strlcpy(char *dst, const char *src, size_t size);
size_t strlcat(char *dst, const char *src, size_t size);

/* Digits of base 8, 10 or 16; base 0 goes by the prefix. *endp (may be
 * NULL) is the first character not taken. No sign; stops at overflow. */
uint64_t kstrtoull(const char *s, const char **endp, int base);

#endif
