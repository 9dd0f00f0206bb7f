/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A growing text buffer: what procfs files are written into.
 */
#ifndef KERN_SBUF_H
#define KERN_SBUF_H

#include <kern/cdefs.h>
#include <kern/types.h>

struct sbuf {
	char *sb_buf;	/* always terminated by a zero byte */
	size_t sb_len;	/* bytes without it */
	size_t sb_size; /* bytes allocated */
};

void sbuf_init(struct sbuf *sb); /* M_WAITOK */
void sbuf_free(struct sbuf *sb);
void sbuf_printf(struct sbuf *sb, const char *fmt, ...) __printflike(2, 3);
void sbuf_write(struct sbuf *sb, const void *p, size_t len);

#endif
