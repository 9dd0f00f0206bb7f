/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Growing text buffers.
 */
#include <stdarg.h>

#include <kern/kmalloc.h>
#include <kern/kprintf.h>
#include <kern/kstring.h>
#include <kern/sbuf.h>

MALLOC_DEFINE(M_SBUF, "sbuf");

#define SBUF_MIN 512 /* bytes, first allocation */

/* Makes an empty buffer. Sleeps for memory. */
void
sbuf_init(struct sbuf *sb)
{
	sb->sb_buf = kmalloc(SBUF_MIN, &M_SBUF, M_WAITOK);
	sb->sb_buf[0] = '\0';
	sb->sb_len = 0;
	sb->sb_size = SBUF_MIN;
}

/* Gives the memory back; the structure may be made again. */
void
sbuf_free(struct sbuf *sb)
{
	kfree(sb->sb_buf, &M_SBUF);
	sb->sb_buf = NULL;
	sb->sb_len = sb->sb_size = 0;
}

/* Sees to it that len more bytes and the final zero fit. */
static void
sbuf_reserve(struct sbuf *sb, size_t len)
{
	size_t size = sb->sb_size;
	char *buf;

	if (sb->sb_len + len + 1 <= size)
		return;
	while (sb->sb_len + len + 1 > size)
		size *= 2;
	buf = kmalloc(size, &M_SBUF, M_WAITOK);
	memcpy(buf, sb->sb_buf, sb->sb_len + 1);
	kfree(sb->sb_buf, &M_SBUF);
	sb->sb_buf = buf;
	sb->sb_size = size;
}

/* Appends len bytes, whatever they are. Sleeps for memory. */
void
sbuf_write(struct sbuf *sb, const void *p, size_t len)
{
	sbuf_reserve(sb, len);
	memcpy(sb->sb_buf + sb->sb_len, p, len);
	sb->sb_len += len;
	sb->sb_buf[sb->sb_len] = '\0';
}

/* Appends formatted text. Sleeps for memory. */
void
sbuf_printf(struct sbuf *sb, const char *fmt, ...)
{
	va_list ap;
	size_t room;
	int n;

	room = sb->sb_size - sb->sb_len;
	va_start(ap, fmt);
	n = kvsnprintf(sb->sb_buf + sb->sb_len, room, fmt, ap);
	va_end(ap);
	if ((size_t)n >= room) {
		sbuf_reserve(sb, (size_t)n);
		va_start(ap, fmt);
		kvsnprintf(sb->sb_buf + sb->sb_len, (size_t)n + 1, fmt, ap);
		va_end(ap);
	}
	sb->sb_len += (size_t)n;
}
