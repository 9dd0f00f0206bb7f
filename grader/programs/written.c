/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What was written through a mapping reaches swap, however the mapping goes:
 * until then only the page tables know of it.
 */

#include <sys/mman.h>
#include <unistd.h>

#include "t.h"

#define PAGES (T_RAM / 8 / PAGE)

static char *mem;

/* Memory that lies on swap for the greatest part. */
static char *
paged_out(char *p)
{
	t_put_all(p, PAGES, 1);
	t_squeeze();
	return p;
}

/* The ways in which a process can lose its mapping of pages, or the right to
 * write them. */
static void
lose(int way, char *p, long pages)
{
	switch (way) {
	case 0:
		break; /* with the process */
	case 1:
		MUST(munmap(p, pages * PAGE));
		break;
	case 2:
		MUST(mprotect(p, pages * PAGE, PROT_READ));
		break;
	case 3:
		MUST(mprotect(p, pages * PAGE, PROT_NONE));
		break;
	case 4:
		MUST(mremap(p, pages * PAGE, pages * PAGE,
		    MREMAP_MAYMOVE | MREMAP_FIXED, t_map(pages)));
		break;
	case 5:
		MUST(madvise(p, pages * PAGE, MADV_DONTNEED));
		break;
	case 6:
		MUST(mmap(p, pages * PAGE, PROT_READ,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
		break;
	}
}

/* What was read back from swap is as it is there; what is then written only
 * the page tables know, until a mapping goes. */
TEST(mapping)
{
	const int ways = 7;
	const long part = PAGES / ways;
	long bad;
	char *p;
	pid_t pid;
	int way;

	mem = paged_out(t_map_shared(PAGES));
	for (way = 0; way < ways; way++) {
		p = mem + way * part * PAGE;
		pid = t_fork();
		if (pid == 0) {
			bad = 0;
			for (long i = 0; i < part; i++)
				bad += !t_is(mem, way * part + i, 1);
			EXPECT(0, bad);
			for (long i = 0; i < part; i++)
				t_put(mem, way * part + i, 2);
			lose(way, p, part);
			t_exit();
		}
		t_reap(pid);
	}
	t_squeeze();
	for (way = 0; way < ways; way++) {
		bad = 0;
		for (long i = 0; i < part; i++)
			bad += !t_is(mem, way * part + i, 2);
		say("way %d: %ld lost\n", way, bad);
	}
}

/* The same where a fork takes the right to write. */
TEST(fork)
{
	struct gate go;
	pid_t pid;

	gate_init(&go);
	mem = paged_out(t_map(PAGES));
	t_put(mem, 0, 1); /* memory to be written again: since the last fork */
	EXPECT(0, t_wrong(mem, PAGES, 1));
	t_put_all(mem, PAGES, 2);
	pid = t_fork();
	if (pid == 0) {
		gate_wait(&go);
		EXPECT(0, t_wrong(mem, PAGES, 2));
		t_exit();
	}
	t_squeeze();
	EXPECT(0, t_wrong(mem, PAGES, 2));
	gate_open(&go);
	t_reap(pid);
	say("done\n");
}
