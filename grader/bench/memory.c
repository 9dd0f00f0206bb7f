/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rows: faults, mappings and protection.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bench.h"

#define CALLS	1000
#define SWAPPED 4096L
#define COLOUR	256L /* pages from one page to the next of its colour */

static volatile char sink;

/* One page after the other; step pages from each to the next. */
static void
write_pages(char *p, long pages, long step)
{
	for (long i = 0; i < pages; i++)
		TIMED(((volatile char *)p)[i * step * PAGE] = 1);
}

static void
read_pages(char *p, long pages, long step)
{
	for (long i = 0; i < pages; i++)
		TIMED(sink = ((volatile char *)p)[i * step * PAGE]);
}

static void
write_row(char *p, long pages, long step)
{
	row_begin();
	write_pages(p, pages, step);
	row_end();
}

static void
read_row(char *p, long pages, long step)
{
	row_begin();
	read_pages(p, pages, step);
	row_end();
}

static void
null_call(long arg)
{
	(void)arg;
	row_begin();
	for (int i = 0; i < CALLS; i++)
		TIMED(syscall(SYS_getppid));
	row_end();
}

static void
zero_fill(long write)
{
	char *p = map_private(PAGES);

	row_begin();
	if (write)
		write_pages(p, PAGES, 1);
	else
		read_pages(p, PAGES, 1);
	row_end();
	munmap(p, PAGES * PAGE);
}

/* Uses up the free pages of one colour; then allocation has to look further. */
static void
alloc_empty(long arg)
{
	long used = 256, timed = 256;
	char *p = map_private((used + timed) * COLOUR);

	(void)arg;
	touch(p, used * COLOUR, COLOUR);
	row_begin();
	write_pages(p + used * COLOUR * PAGE, timed, COLOUR);
	row_end();
	munmap(p, (size_t)((used + timed) * COLOUR * PAGE));
}

/*
 * Generations: each writes one page of its own, behind the PAGES of p, and forks the
 * next; the last one does the work while all its ancestors wait.
 */
static void
generations(char *p, long depth, void (*work)(char *, long, long))
{
	long pid = MUST(fork());

	if (pid != 0) {
		reap(pid);
		return;
	}
	if (depth > 0)
		p[(PAGES + depth) * PAGE] = 1;
	if (depth > 1)
		generations(p, depth - 1, work);
	else
		work(p, PAGES, 1);
	_exit(0);
}

/* See bench.h. */
void
behind(long depth, void (*work)(char *, long, long))
{
	char *p = map_private(PAGES + 32);

	touch(p, PAGES, 1);
	generations(p, depth, work);
	munmap(p, (PAGES + 32) * PAGE);
}

/* A child that has written nothing reads at depth 0. */
static void
depth_read(long depth)
{
	behind(depth, read_row);
}

/* At depth 0 there is nobody left to copy for: the child is gone. */
static void
depth_write(long depth)
{
	char *p;
	long pid;

	if (depth > 0) {
		behind(depth, write_row);
		return;
	}
	p = map_private(PAGES);
	touch(p, PAGES, 1);
	pid = MUST(fork());
	if (pid == 0)
		_exit(0);
	reap(pid);
	write_row(p, PAGES, 1);
	munmap(p, PAGES * PAGE);
}

/* A child's first writes, the very first one included. */
static void
cow(long arg)
{
	char *p = map_private(PAGES);
	long pid;

	(void)arg;
	touch(p, PAGES, 1);
	pid = MUST(fork());
	if (pid == 0) {
		write_row(p, PAGES, 1);
		_exit(0);
	}
	reap(pid);
	munmap(p, PAGES * PAGE);
}

/* A file whose pages are all in memory, mapped shared. */
static void
file_fault(long write)
{
	int fd = (int)MUST(open("file", O_RDWR | O_CREAT | O_TRUNC, 0600));
	static char block[PAGE];
	char *p;

	memset(block, 1, sizeof(block));
	for (int i = 0; i < PAGES; i++)
		MUST(pwrite(fd, block, PAGE, i * PAGE) == PAGE ? 0 : -1);
	p = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	MUST(p == MAP_FAILED ? -1 : 0);
	row_begin();
	if (write)
		write_pages(p, PAGES, 1);
	else
		read_pages(p, PAGES, 1);
	row_end();
	munmap(p, PAGES * PAGE);
	close(fd);
	unlink("file");
}

static void
unmap_touched(long arg)
{
	char *p[5];

	(void)arg;
	for (int i = 0; i < 5; i++) {
		p[i] = map_private(PAGES);
		touch(p[i], PAGES, 1);
	}
	row_begin();
	for (int i = 0; i < 5; i++)
		TIMED_AS(PAGES, munmap(p[i], PAGES * PAGE));
	row_end();
}

static void
map_unmap(long touched)
{
	char *p;

	row_begin();
	for (int i = 0; i < CALLS; i++)
		TIMED({
			p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
			if (touched)
				*(volatile char *)p = 1;
			munmap(p, PAGE);
		});
	row_end();
}

/* Protection back and forth: of an entry, or of a page in its middle. */
static void
protect(long split)
{
	char *p = map_private(16), *at = split ? p + 8 * PAGE : p;
	size_t len = split ? PAGE : 16 * PAGE;

	touch(p, 16, 1);
	mprotect(at, len, PROT_READ);
	mprotect(at, len, PROT_READ | PROT_WRITE);
	touch(p, 16, 1);
	row_begin();
	for (int i = 0; i < CALLS; i++)
		TIMED_AS(2, {
			mprotect(at, len, PROT_READ);
			mprotect(at, len, PROT_READ | PROT_WRITE);
		});
	row_end();
	munmap(p, 16 * PAGE);
}

static char *guarded;

static void
handler(int sig)
{
	(void)sig;
	mprotect(guarded, PAGE, PROT_READ | PROT_WRITE);
}

static void
protect_signal(long arg)
{
	struct sigaction sa;

	(void)arg;
	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = handler;
	MUST(sigaction(SIGSEGV, &sa, NULL));
	guarded = map_private(1);
	touch(guarded, 1, 1);
	row_begin();
	for (int i = 0; i < CALLS; i++)
		TIMED({
			mprotect(guarded, PAGE, PROT_READ);
			*(volatile char *)guarded = 1;
		});
	row_end();
	munmap(guarded, PAGE);
	signal(SIGSEGV, SIG_DFL);
}

/* Twice as much memory as there is: written page by page, which makes others go
 * to swap, or then read, which gets them from there. */
static void
swap(long in)
{
	char *p = map_private(SWAPPED);

	if (in)
		touch(p, SWAPPED, 1);
	row_begin();
	TIMED_AS(SWAPPED, {
		for (long i = 0; i < SWAPPED; i++) {
			if (in)
				sink = ((volatile char *)p)[i * PAGE];
			else
				((volatile char *)p)[i * PAGE] = 1;
		}
	});
	row_end();
	munmap(p, SWAPPED * PAGE);
}

#define WRITE(n, what) SINGLE, "page", depth_write, n, what, 0
#define READ(n)                        \
	SINGLE, "page", depth_read, n, \
	    "read in a child, the page " #n " objects or ancestors back", 0
#define COPY(n) WRITE(n, "copy on write, " #n " objects or ancestors back")

const struct row bench_memory[] = {
    {"null", USUAL, "call", null_call, 0, "null system call (getppid)", 0},
    {"zero_fill", USUAL, "page", zero_fill, 1, "zero-fill fault", 0},
    {"zero_read", USUAL, "page", zero_fill, 0,
	"read fault of memory never written", 0},
    {"alloc_empty", USUAL, "page", alloc_empty, 0,
	"zero-fill fault, the local page queue empty", 1},
    {"cow", USUAL, "page", cow, 0, "copy-on-write fault in a child", 0},
    {"file_read", USUAL, "page", file_fault, 0,
	"shared file read, with faults around", 0},
    {"file_read_1", SINGLE, "page", file_fault, 0,
	"shared file read fault, one page a fault", 0},
    {"file_write", SINGLE, "page", file_fault, 1, "shared file write fault", 0},
    {"munmap", USUAL, "page", unmap_touched, 0, "munmap per touched page", 0},
    {"map", USUAL, "pair", map_unmap, 0, "mmap + munmap, one page", 0},
    {"map_touch", USUAL, "pair", map_unmap, 1,
	"mmap + touch + munmap, one page", 0},
    {"protect", USUAL, "call", protect, 0, "mprotect, an entry of its own", 0},
    {"protect_split", USUAL, "call", protect, 1,
	"mprotect with split and merge", 0},
    {"protect_signal", USUAL, "round", protect_signal, 0,
	"mprotect + SIGSEGV + unprotect", 0},
    {"cow_write_0", WRITE(0, "write fault, sole owner after the child's exit")},
    {"cow_write_1", COPY(1)},
    {"cow_write_2", COPY(2)},
    {"cow_write_4", COPY(4)},
    {"cow_write_8", COPY(8)},
    {"cow_write_16", COPY(16)},
    {"cow_read_0", READ(0)},
    {"cow_read_1", READ(1)},
    {"cow_read_2", READ(2)},
    {"cow_read_4", READ(4)},
    {"cow_read_8", READ(8)},
    {"cow_read_16", READ(16)},
    {"swap_out", SWAP, "page", swap, 0,
	"zero-fill fault with memory full: others go to swap", 1},
    {"swap_in", SWAP, "page", swap, 1, "read fault of a page on swap", 1},
    {0},
};
