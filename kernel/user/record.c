/* SPDX-License-Identifier: BSD-2-Clause */
/* The records of the first process: JSON lines and tables of numbers. */

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "init.h"

/* One record; text may grow sixfold by escapes. */
static char line[320 * 1024];
static size_t used;
static char nonce[65]; /* what each record bears, or empty */

/*
 * Reads a file whole and ends it with a null byte.  Returns its length, or -1
 * with errno set.
 */
ssize_t
file_read(const char *path, char *buf, size_t size)
{
	size_t len = 0;
	ssize_t n;
	int fd;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		return -1;
	while (len < size - 1 && (n = read(fd, buf + len, size - 1 - len)) > 0)
		len += n;
	buf[len] = '\0';
	close(fd);
	return len;
}

/* Reads a table; what cannot be read is an empty one. */
void
table_read(struct table *t, const char *path)
{
	static char text[16 * 1024];
	char *p, *end;

	t->n = 0;
	if (file_read(path, text, sizeof(text)) < 0)
		return;
	for (p = text; t->n < TABLE_MAX && *p != '\0'; p = end + 1) {
		end = strchr(p, '\n');
		if (end == NULL)
			break;
		*end = '\0';
		if (sscanf(p, "%39s %ld", t->row[t->n].name,
			&t->row[t->n].value) == 2)
			t->n++;
	}
}

/* The number behind a key in a piece of JSON, in quotes or not; or -1. */
long
json_number(const char *json, const char *key)
{
	const char *p = strstr(json, key);

	if (p == NULL)
		return -1;
	p += strlen(key);
	return strtol(p + (*p == '"'), NULL, 0);
}

/* The value of a name, or 0. */
long
table_value(const struct table *t, const char *name)
{
	int i;

	for (i = 0; i < t->n; i++)
		if (strcmp(t->row[i].name, name) == 0)
			return t->row[i].value;
	return 0;
}

/* Turns the values into what they grew since an earlier reading. */
void
table_growth(struct table *t, const struct table *before)
{
	int i;

	for (i = 0; i < t->n; i++)
		t->row[i].value -= table_value(before, t->row[i].name);
}

/* Keeps of a table of growths what may be a leak: what grew. */
void
table_keep_leaks(struct table *t)
{
	int i, k = 0;

	for (i = 0; i < t->n; i++)
		if (t->row[i].value > 0)
			t->row[k++] = t->row[i];
	t->n = k;
}

/* Drops what did not grow in the other table as well. */
void
table_intersect(struct table *t, const struct table *other)
{
	int i, k = 0;

	for (i = 0; i < t->n; i++)
		if (t->row[i].value > 0 &&
		    table_value(other, t->row[i].name) > 0)
			t->row[k++] = t->row[i];
	t->n = k;
}

/* Adds to the record what fits. */
static void
put(const char *text, size_t len)
{
	if (len > sizeof(line) - 2 - used)
		len = sizeof(line) - 2 - used;
	memcpy(line + used, text, len);
	used += len;
}

/* Adds a key, with a comma before it unless it is the first. */
static void
put_key(const char *key)
{
	if (used > 1)
		put(",", 1);
	put("\"", 1);
	put(key, strlen(key));
	put("\":", 2);
}

/*
 * Reads this run's nonce from where the records go. A line without it is no
 * record, whoever has printed it.
 */
void
record_nonce(int fd)
{
	ssize_t n = read(fd, nonce, sizeof(nonce) - 1);

	nonce[n > 0 ? n : 0] = '\0';
}

/* Begins a record. */
void
record_begin(const char *test, const char *event)
{
	used = 0;
	put("{", 1);
	if (nonce[0] != '\0')
		record_text("nonce", nonce, strlen(nonce));
	record_text("event", event, strlen(event));
	if (*test != '\0')
		record_text("test", test, strlen(test));
}

/* Adds a number. */
void
record_number(const char *key, long value)
{
	char buf[24];

	put_key(key);
	put(buf, snprintf(buf, sizeof(buf), "%ld", value));
}

/*
 * Adds a text.  Bytes outside ASCII are kept one for one as \u00xx, so that the
 * record is valid JSON whatever a program printed.
 */
void
record_text(const char *key, const char *text, size_t len)
{
	unsigned char c;
	char esc[8];
	size_t i;

	put_key(key);
	put("\"", 1);
	for (i = 0; i < len; i++) {
		c = text[i];
		if (c == '"' || c == '\\') {
			esc[0] = '\\';
			esc[1] = c;
			put(esc, 2);
		} else if (c == '\n') {
			put("\\n", 2);
		} else if (c >= ' ' && c < 0x7f) {
			put((char *)&c, 1);
		} else {
			put(esc, snprintf(esc, sizeof(esc), "\\u%04x", c));
		}
	}
	put("\"", 1);
}

/* Adds the rows of a table that are not zero. */
void
record_table(const char *key, const struct table *t)
{
	char buf[80];
	int i, n = 0;

	put_key(key);
	put("{", 1);
	for (i = 0; i < t->n; i++) {
		if (t->row[i].value == 0)
			continue;
		put(buf,
		    snprintf(buf, sizeof(buf), "%s\"%s\":%ld",
			n++ > 0 ? "," : "", t->row[i].name, t->row[i].value));
	}
	put("}", 1);
}

/* Ends the record and sends it with as few writes as the kernel allows. */
void
record_end(int fd)
{
	size_t done = 0;
	ssize_t n;

	line[used++] = '}';
	line[used++] = '\n';
	while (done < used && (n = write(fd, line + done, used - done)) > 0)
		done += n;
}
