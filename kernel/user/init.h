/* SPDX-License-Identifier: BSD-2-Clause */
/* The records of the first process: JSON lines and tables of numbers. */
#ifndef USER_INIT_H
#define USER_INIT_H

#include <stddef.h>
#include <sys/types.h>

#define TABLE_MAX 160

/* A text of lines "name value", as /proc/vmstat and /proc/leaks have it. */
struct table {
	int n;
	struct {
		char name[40];
		long value;
	} row[TABLE_MAX];
};

ssize_t file_read(const char *path, char *buf, size_t size);

long json_number(const char *json, const char *key);

long table_value(const struct table *t, const char *name);
void table_read(struct table *t, const char *path);
void table_growth(struct table *t, const struct table *before);
void table_keep_leaks(struct table *t);
void table_intersect(struct table *t, const struct table *other);

void record_nonce(int fd);
void record_begin(const char *test, const char *event);
void record_number(const char *key, long value);
void record_text(const char *key, const char *text, size_t len);
void record_table(const char *key, const struct table *t);
void record_end(int fd);

#endif
