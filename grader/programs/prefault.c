/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Mapping more than was asked for: at mmap, around a fault, by advice. Counted
 * by Nymph's own counters, so what the tests print stands in grader/expect.
 * A fault maps up to four pages on either side of its own.
 */

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "t.h"

#define PRW   (PROT_READ | PROT_WRITE)
#define MANY  200L /* pages: too many to be mapped by mmap */
#define SMALL 60L

static long faults, mapped; /* at the beginning of what is counted */

/* Prints what was counted since begin(), unless there is nothing to say. */
static void
end(const char *what)
{
	long f = t_vmstat("v_vm_faults") - faults;
	long m = t_vmstat("v_prefault") - mapped;

	if (what != NULL)
		say("%s: %ld faults, %ld pages beside\n", what, f, m);
}

/* Begins to count. Twice, as the first time touches pages of its own; and
 * end()'s code may be on a page of its own, too. */
static void
begin(void)
{
	for (int i = 0; i < 2; i++) {
		end(NULL);
		mapped = t_vmstat("v_prefault");
		faults = t_vmstat("v_vm_faults");
	}
}

/* Maps a file with so many pages, all in memory. */
static char *
map_file(long pages)
{
	static char page[PAGE];
	int fd = t_file("/tmp/prefault", NULL, 0);
	long i;

	for (i = 0; i < pages; i++) {
		t_fill(page, PAGE, i);
		EXPECT(PAGE, write(fd, page, PAGE));
	}
	return (char *)MUST(mmap(NULL, pages * PAGE, PRW, MAP_SHARED, fd, 0));
}

/* Looks at every page, forwards or backwards. */
static void
look(const char *p, long pages, int step)
{
	char want[8];
	long i = step > 0 ? 0 : pages - 1;

	for (; i >= 0 && i < pages; i += step) {
		t_fill(want, sizeof(want), i);
		EXPECT(0, memcmp(want, p + i * PAGE, sizeof(want)));
	}
}

/* mmap maps what a small file has in memory. */
TEST(mmap)
{
	char *p = map_file(SMALL);

	look(p, 0, 1);
	begin();
	look(p, SMALL, 1);
	end("reading");
	begin();
	p[0] = 1;
	p[PAGE] = 1;
	end("writing two pages");
}

/* In a large file each fault maps its neighbours. */
TEST(around)
{
	char *p = map_file(MANY);

	look(p, 0, 1);
	begin();
	look(p, MANY, 1);
	end("forwards");
	MUST(madvise(p, MANY * PAGE, MADV_DONTNEED));
	begin();
	look(p, MANY, -1);
	end("backwards");
	MUST(madvise(p, MANY * PAGE, MADV_DONTNEED));
	begin();
	(void)*(volatile char *)(p + 100 * PAGE);
	end("one in the middle");
	MUST(munmap(p + 98 * PAGE, PAGE));
	MUST(mprotect(p + 102 * PAGE, PAGE, PROT_NONE));
	MUST(madvise(p, 98 * PAGE, MADV_DONTNEED));
	MUST(madvise(p + 99 * PAGE, 101 * PAGE, MADV_DONTNEED));
	begin();
	(void)*(volatile char *)(p + 100 * PAGE);
	end("between two edges");
}

/* MADV_WILLNEED maps all that is in memory. */
TEST(willneed)
{
	char *p = map_file(MANY);

	MUST(madvise(p, MANY * PAGE, MADV_WILLNEED));
	look(p, 0, 1);
	begin();
	look(p, MANY, 1);
	end("after the advice");
}

/* A child has nothing mapped, but what it needs is in memory. */
TEST(fork)
{
	char *shared = t_map_shared(SMALL), *private = t_map(SMALL);
	char *other = t_map(1);
	pid_t pid;
	long i;

	for (i = 0; i < SMALL; i++) {
		t_fill(shared + i * PAGE, PAGE, i);
		t_fill(private + i * PAGE, PAGE, i);
	}
	t_fill(other, PAGE, 0);
	pid = t_fork();
	if (pid == 0) {
		/* A child faults on its code, too: not to be counted. */
		look(other, 1, 1);
		begin();
		look(shared, SMALL, 1);
		end("shared memory");
		begin();
		look(private, SMALL, 1);
		end("private memory, reading");
		begin();
		for (i = 0; i < SMALL; i++)
		private[i * PAGE + 100] ^= 1;
		end("private memory, writing");
		look(private, SMALL, 1);
		t_exit();
	}
	t_reap(pid);
	look(private, SMALL, 1);
}

/* With exclusive tokens (the boot says vm.shared_fault=0) zeroes are made, too,
 * and the chain is walked. */
TEST(exclusive)
{
	char *p = t_map(SMALL);
	unsigned char core[SMALL];
	long i, n = 0;
	pid_t pid;

	look(p, 0, 1);
	begin();
	p[30 * PAGE] = 1;
	end("one page written");
	MUST(mincore(p, SMALL * PAGE, core));
	for (i = 0; i < SMALL; i++)
		n += core[i] & 1;
	say("%ld pages are there\n", n);
	begin();
	for (i = 0; i < SMALL; i++)
		t_fill(p + i * PAGE, PAGE, i);
	end("all written");
	pid = t_fork();
	if (pid == 0) {
		p[5 * PAGE + 100] = 1;
		look(p, 0, 1);
		begin();
		look(p, SMALL, 1);
		end("through the chain, reading");
		begin();
		for (i = 0; i < SMALL; i++)
			p[i * PAGE + 100] ^= 1;
		end("through the chain, writing");
		look(p, SMALL, 1);
		t_exit();
	}
	t_reap(pid);
	look(p, SMALL, 1);
}
