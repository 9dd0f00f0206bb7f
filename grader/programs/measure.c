/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What operations take, in the kernel's own counters: tokens, chain locks, pages.
 * The tables of the book are made of it.  Tokens are this process's own; of the
 * other counters, which are everybody's, the least of several rounds is taken, so
 * that a clock tick in between does not show.  What reading the counters takes
 * itself is taken out.
 */

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "t.h"

#define ROUNDS 9
#define PAGES  16L
#define DEEP \
	12 /* generations of a line, and the depth of the last one's chain */

enum { TOK_SHARED = 2, TOK_EXCL };
static const char *const names[] = {"v_vm_faults",
    "v_fault_passes", [TOK_SHARED] = "v_tok_shared", [TOK_EXCL] = "v_tok_excl",
    "v_chainlk", "v_pip", "v_pgalloc", "v_pgfree", "v_cow_faults", "v_shadow",
    "v_collapse", "v_bypass", "v_upward"};
#define NNAMES ((int)(sizeof(names) / sizeof(names[0])))

static char text[8192];
static long before[NNAMES], after[NNAMES];
static long *least; /* shared with children */

/* All counters at one time. */
static void
look(long *to)
{
	char *s;
	int i, fd = open("/proc/vmstat", O_RDONLY);
	ssize_t n = read(fd, text, sizeof(text) - 1);

	close(fd);
	text[n > 0 ? n : 0] = '\0';
	for (i = 0; i < NNAMES; i++) {
		s = strstr(text, names[i]);
		to[i] = s != NULL ? atol(s + strlen(names[i])) : -1;
	}
	to[TOK_SHARED] = t_tokens("shared");
	to[TOK_EXCL] = t_tokens("exclusive");
}

/* From here on is counted. What a process needs for itself, like its stack's
 * page after a fork, it has after a first look. */
static void
from_here(void)
{
	look(after);
	look(before);
}

static void
keep_least(long *kept)
{
	int i;

	look(after);
	for (i = 0; i < NNAMES; i++)
		if (after[i] - before[i] < kept[i])
			kept[i] = after[i] - before[i];
}

static void
to_here(void)
{
	keep_least(least);
}

static void
forget(long *kept)
{
	int i;

	for (i = 0; i < NNAMES; i++)
		kept[i] = LONG_MAX;
}

/* Prints what was counted since the last row, and begins with the next one. What
 * looking takes is measured here, as it is in this process at this time. */
static void
row(const char *what, int n)
{
	static long idle[NNAMES];
	int i;

	forget(idle);
	for (i = 0; i < ROUNDS; i++) {
		from_here();
		keep_least(idle);
	}
	say("row %s %d", what, n);
	for (i = 0; i < NNAMES; i++)
		say(" %s=%ld", names[i], least[i] - idle[i]);
	say("\n");
	forget(least);
}

static void
begin(void)
{
	least = (long *)t_map_shared(1);
	forget(least);
}

static void
write_page(char *p, long i)
{
	*(volatile char *)(p + i * PAGE) = 1;
}

static void
write_pages(char *p, long from, long n)
{
	long i;

	for (i = from; i < from + n; i++)
		write_page(p, i);
}

/* Reads, and then writes, pages that only the lowest object has. */
static void
walk(char *p, int depth)
{
	long first = 1 + (long)depth * ROUNDS, i;

	for (i = first; i < first + ROUNDS; i++) {
		from_here();
		(void)*(volatile char *)(p + i * PAGE);
		to_here();
	}
	row("read", depth);
	if (depth == 0)
		return;
	for (i = first; i < first + ROUNDS; i++) {
		from_here();
		write_page(p, i);
		to_here();
	}
	row("write", depth);
}

/* Faults behind chains of every depth; all ancestors stay alive. */
TEST(walk)
{
	long pages = 1 + (DEEP + 1) * ROUNDS;
	char *p = t_map(pages);
	int depth;
	pid_t pid;

	begin();
	write_pages(p, 0, pages);
	for (depth = 0; depth <= DEEP; depth++) {
		/* The first child has no object of its own yet. */
		if (depth != 1) {
			pid = t_fork();
			if (pid != 0) {
				t_reap(pid);
				if (depth > 0)
					t_exit();
				return;
			}
		}
		if (depth > 0)
			write_page(p, 0);
		walk(p, depth);
	}
	t_exit();
}

/* A child that has written all pages unmaps them, while its parent has written
 * some: what giving up that reference takes. */
static void
drop(long written)
{
	struct gate ready, go;
	char *p;
	pid_t pid;
	int i;

	for (i = 0; i < ROUNDS; i++) {
		p = t_map(PAGES);
		write_pages(p, 0, PAGES);
		gate_init(&ready);
		gate_init(&go);
		pid = t_fork();
		if (pid == 0) {
			write_pages(p, 0, PAGES);
			gate_open(&ready);
			gate_wait(&go);
			from_here();
			munmap(p, PAGES * PAGE);
			to_here();
			t_exit();
		}
		gate_wait(&ready);
		write_pages(p, 0, written);
		gate_open(&go);
		t_reap(pid);
		gate_close(&ready);
		gate_close(&go);
		MUST(munmap(p, PAGES * PAGE));
	}
	row("drop", (int)written);
}

TEST(drop)
{
	begin();
	drop(1);
	drop(PAGES / 2);
	drop(PAGES);
}

/* The parent wrote half of its pages while a child lived, which has ended. What
 * does it take to write to them all? */
TEST(survivor)
{
	struct gate go;
	char *p;
	pid_t pid;
	int i;

	begin();
	for (i = 0; i < ROUNDS; i++) {
		p = t_map(PAGES);
		write_pages(p, 0, PAGES);
		gate_init(&go);
		pid = t_fork();
		if (pid == 0) {
			gate_wait(&go);
			t_exit();
		}
		write_pages(p, 0, PAGES / 2);
		gate_open(&go);
		t_reap(pid);
		gate_close(&go);
		from_here();
		write_pages(p, 0, PAGES);
		to_here();
		MUST(munmap(p, PAGES * PAGE));
	}
	row("survivor", PAGES);
}

/* A process has forked, its child has ended, it writes a page and unmaps half of
 * its pages. */
TEST(unmap)
{
	char *p;
	pid_t pid;
	int i;

	begin();
	for (i = 0; i < ROUNDS; i++) {
		p = t_map(PAGES);
		write_pages(p, 0, PAGES);
		pid = t_fork();
		if (pid == 0)
			t_exit();
		t_reap(pid);
		write_page(p, 0);
		from_here();
		munmap(p + PAGES / 2 * PAGE, PAGES / 2 * PAGE);
		to_here();
		MUST(munmap(p, PAGES / 2 * PAGE));
	}
	row("unmap", PAGES / 2);
}
