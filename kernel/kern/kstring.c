/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory and strings. Copies and fills move eight bytes an instruction count
 * (rep movsq, rep stosq) and then the rest.
 */
#include <kern/kstring.h>
#include <san/kasan.h>

/*
 * Copies n bytes; the two do not overlap.
 */
void *
memcpy(void *restrict dst, const void *restrict src, size_t n)
{
	void *d = dst;
	size_t words = n / 8, rest = n % 8;

	kasan_read(src, n);
	kasan_write(dst, n);
	__asm__ __volatile__("rep movsq"
			     : "+D"(d), "+S"(src), "+c"(words)
			     :
			     : "memory");
	__asm__ __volatile__("rep movsb"
			     : "+D"(d), "+S"(src), "+c"(rest)
			     :
			     : "memory");
	return dst;
}

/*
 * Copies n bytes; they may overlap.
 */
void *
memmove(void *dst, const void *src, size_t n)
{
	char *d = dst;
	const char *s = src;

	if ((uintptr_t)d - (uintptr_t)s >= n)
		return memcpy(dst, src, n);
	kasan_read(src, n);
	kasan_write(dst, n);
	/* The end of dst overlaps src: copy downward. */
	d += n - 1;
	s += n - 1;
	__asm__ __volatile__("std; rep movsb; cld"
			     : "+D"(d), "+S"(s), "+c"(n)
			     :
			     : "memory", "cc");
	return dst;
}

/*
 * Fills n bytes with c.
 */
void *
memset(void *dst, int c, size_t n)
{
	void *d = dst;
	uint64_t word = (uint8_t)c * 0x0101010101010101UL;
	size_t words = n / 8, rest = n % 8;

	kasan_write(dst, n);
	__asm__ __volatile__("rep stosq"
			     : "+D"(d), "+c"(words)
			     : "a"(word)
			     : "memory");
	__asm__ __volatile__("rep stosb"
			     : "+D"(d), "+c"(rest)
			     : "a"(word)
			     : "memory");
	return dst;
}

/*
 * Compares n bytes as unsigned numbers; <0, 0 or >0.
 */
int
memcmp(const void *a, const void *b, size_t n)
{
	const unsigned char *p = a, *q = b;

	for (; n > 0; n--, p++, q++) {
		if (*p != *q)
			return *p - *q;
	}
	return 0;
}

/*
 * The first byte c among n, or NULL.
 */
void *
memchr(const void *s, int c, size_t n)
{
	const unsigned char *p = s;

	for (; n > 0; n--, p++) {
		if (*p == (unsigned char)c)
			return (void *)(uintptr_t)p;
	}
	return NULL;
}

/*
 * Bytes before the NUL.
 */
size_t
strlen(const char *s)
{
	size_t n = 0;

	while (s[n] != '\0')
		n++;
	return n;
}

/*
 * Bytes before the NUL, at most max.
 */
size_t
strnlen(const char *s, size_t max)
{
	size_t n = 0;

	while (n < max && s[n] != '\0')
		n++;
	return n;
}

/*
 * Compares as unsigned bytes; <0, 0 or >0.
 */
int
strcmp(const char *a, const char *b)
{
	while (*a != '\0' && *a == *b)
		a++, b++;
	return (unsigned char)*a - (unsigned char)*b;
}

/*
 * Compares at most n bytes.
 */
int
strncmp(const char *a, const char *b, size_t n)
{
	for (; n > 0; n--, a++, b++) {
		if (*a != *b || *a == '\0')
			return (unsigned char)*a - (unsigned char)*b;
	}
	return 0;
}

/*
 * The first c, which may be the NUL, or NULL.
 */
char *
strchr(const char *s, int c)
{
	for (; *s != (char)c; s++) {
		if (*s == '\0')
			return NULL;
	}
	return (char *)(uintptr_t)s;
}

/*
 * The last c, which may be the NUL, or NULL.
 */
char *
strrchr(const char *s, int c)
{
	const char *last = NULL;

	do {
		if (*s == (char)c)
			last = s;
	} while (*s++ != '\0');
	return (char *)(uintptr_t)last;
}

/*
 * Where `what' first occurs, or NULL.
 */
char *
strstr(const char *s, const char *what)
{
	size_t n = strlen(what);

	for (;; s++) {
		if (strncmp(s, what, n) == 0)
			return (char *)(uintptr_t)s;
		if (*s == '\0')
			return NULL;
	}
}

/*
 * Copies what fits of src (see kstring.h).
 */
size_t
strlcpy(char *dst, const char *src, size_t size)
{
	size_t len = strlen(src), n;

	if (size > 0) {
		n = len < size ? len : size - 1;
		memcpy(dst, src, n);
		dst[n] = '\0';
	}
	return len;
}

/*
 * Appends what fits of src (see kstring.h).
 */
size_t
strlcat(char *dst, const char *src, size_t size)
{
	size_t have = strnlen(dst, size);

	return have + strlcpy(dst + have, src, size - have);
}

/*
 * A digit's value; 16 when it is none.
 */
static int
digit(int c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return 16;
}

/*
 * Reads a number (see kstring.h).
 */
uint64_t
kstrtoull(const char *s, const char **endp, int base)
{
	uint64_t v = 0, d;

	if ((base == 0 || base == 16) && s[0] == '0' && (s[1] | 0x20) == 'x' &&
	    digit(s[2]) < 16) {
		s += 2;
		base = 16;
	} else if (base == 0) {
		base = s[0] == '0' ? 8 : 10;
	}
	for (; (d = (uint64_t)digit(*s)) < (uint64_t)base; s++) {
		if (v > (UINT64_MAX - d) / (uint64_t)base)
			break;
		v = v * (uint64_t)base + d;
	}
	if (endp != NULL)
		*endp = s;
	return v;
}
