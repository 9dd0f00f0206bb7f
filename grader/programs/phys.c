/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * System V segments that stay in memory.
 *
 * The boot has 8 MiB of RAM and swap, as for swap.c, and shm.use_phys=1: a segment
 * is a physical object, whose pages have no pv's and are on no queue.
 */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <unistd.h>

#include "t.h"

#define PAGES (T_RAM / 4 / PAGE)

/* A segment that ends with its last attachment, attached. */
static char *
segment(long pages, int *id)
{
	char *p;

	*id = (int)MUST(shmget(IPC_PRIVATE, pages * PAGE, 0600));
	p = (char *)MUST(shmat(*id, NULL, 0));
	MUST(shmctl(*id, IPC_RMID, NULL));
	return p;
}

/* It is zero, it is shared with children, and rights, wiring and holes are as with
 * other memory. */
TEST(rights)
{
	char *p, *q, buf[64];
	struct t_object o;
	pid_t pid;
	int id, fd;

	p = segment(16, &id);
	for (long i = 0; i < 16; i++)
		EXPECT(1, t_is_zero(p, i));
	t_put_all(p, 16, 1);
	q = (char *)MUST(shmat(id, NULL, SHM_RDONLY));
	EXPECT(0, t_wrong(q, 16, 1));
	say("read-only: %s\n", t_try('w', q));
	pid = t_fork();
	if (pid == 0) {
		EXPECT(0, t_wrong(p, 16, 1));
		t_put_all(p, 8, 2);
		MUST(shmdt(p));
		say("detached: %s\n", t_try('r', p));
		EXPECT(0, t_wrong(q, 8, 2));
		t_exit();
	}
	t_reap(pid);
	EXPECT(0, t_wrong(p, 8, 2));
	MUST(mprotect(p, 4 * PAGE, PROT_READ));
	say("protected: %s, %s\n", t_try('r', p), t_try('w', p));
	MUST(mprotect(p, 4 * PAGE, PROT_NONE));
	say("closed: %s\n", t_try('r', p));
	MUST(mprotect(p, 4 * PAGE, PROT_READ | PROT_WRITE));
	EXPECT(0, t_wrong(p, 8, 2));
	MUST(mlock(p, 16 * PAGE));
	t_put(p, 3, 3);
	MUST(munlock(p, 16 * PAGE));
	MUST(madvise(p, 16 * PAGE, MADV_DONTNEED));
	EXPECT(1, t_is(q, 3, 3));
	MUST(munmap(p + 5 * PAGE, PAGE));
	say("hole: %s\n", t_try('r', p + 5 * PAGE));
	fd = (int)MUST(open("/proc/self/mem", O_RDWR));
	EXPECT(64, pread(fd, buf, 64, (off_t)(uintptr_t)(p + 3 * PAGE)));
	EXPECT(0, memcmp(buf, q + 3 * PAGE, 64));
	strcpy(buf, "written from outside");
	EXPECT(64, pwrite(fd, buf, 64, (off_t)(uintptr_t)(p + 7 * PAGE)));
	say("%s\n", q + 7 * PAGE);
	MUST(close(fd));
	if (t_chain(0, p, &o, 1) == 1)
		EXPECT(16, o.resident);
	MUST(shmdt(p));
	EXPECT(1, t_is(q, 3, 3));
	MUST(shmdt(q));
}

/* Everybody else's memory goes to swap first. */
TEST(stays)
{
	static unsigned char vec[PAGES];
	long out = t_vmstat("v_swappgsout"), in = 0;
	char *p, *other = t_map(PAGES);
	int id;

	p = segment(PAGES, &id);
	t_put_all(other, PAGES, 1);
	t_put_all(p, PAGES, 2);
	t_squeeze();
	t_squeeze();
	if (t_nymph())
		EXPECT(1, t_vmstat("v_swappgsout") - out >= PAGES);
	MUST(mincore(p, PAGES * PAGE, vec));
	for (long i = 0; i < PAGES; i++)
		in += vec[i] & 1;
	EXPECT(PAGES, in);
	EXPECT(0, t_wrong(p, PAGES, 2));
	EXPECT(0, t_wrong(other, PAGES, 1));
}
