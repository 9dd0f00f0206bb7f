/* SPDX-License-Identifier: BSD-2-Clause */
/* mmap and munmap: what is mapped where, and what is left of it. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "t.h"

#define RW   (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)

/* mmap without musl's own checks, the address as a number. */
static long
raw_mmap(long addr, size_t len, int prot, int flags, int fd, long off)
{
	return syscall(SYS_mmap, addr, len, prot, flags, fd, off);
}

/* Says for each page of a region what a read does. */
static void
say_pages(char *p, int n)
{
	int i;

	for (i = 0; i < n; i++)
		say("%d %s\n", i, t_try('r', p + i * PAGE));
}

/* Private anonymous memory reads as zero and keeps what is written. */
TEST(private)
{
	char *p = t_map(16);

	say("%08x\n", t_sum(p, 16 * PAGE));
	t_fill(p, 16 * PAGE, 1);
	say("%08x\n", t_sum(p, 16 * PAGE));
}

/* Shared anonymous memory: the child's writes are the parent's. */
TEST(shared)
{
	char *p = t_map_shared(8);
	pid_t pid;

	t_fill(p, 4 * PAGE, 1);
	pid = t_fork();
	if (pid == 0) {
		say("child: %08x\n", t_sum(p, 8 * PAGE));
		t_fill(p + 2 * PAGE, 4 * PAGE, 2);
		t_exit();
	}
	t_reap(pid);
	say("parent: %08x\n", t_sum(p, 8 * PAGE));
}

/* Shared beside private in one process: one fork treats each its own way. */
TEST(both_kinds)
{
	char *s = t_map_shared(2), *p = t_map(2);
	struct gate g;
	pid_t pid;

	gate_init(&g);
	pid = t_fork();
	if (pid == 0) {
		gate_wait(&g);
		say("child: %d %d\n", s[0], p[0]);
		s[PAGE] = 3;
		p[PAGE] = 4;
		t_exit();
	}
	s[0] = 1;
	p[0] = 2;
	gate_open(&g);
	t_reap(pid);
	say("parent: %d %d\n", s[PAGE], p[PAGE]);
}

/* A shared mapping outlives the process that made it. */
TEST(shared_outlives)
{
	char *p = t_map_shared(3);
	pid_t pid;

	pid = t_fork();
	if (pid == 0) {
		pid = t_fork();
		if (pid == 0) {
			t_fill(p, 3 * PAGE, 9);
			t_exit();
		}
		t_reap(pid);
		MUST(munmap(p, 3 * PAGE));
		t_exit();
	}
	t_reap(pid);
	say("%08x\n", t_sum(p, 3 * PAGE));
}

/* Unmapping the middle leaves both ends, their contents and their places. */
TEST(unmap_middle)
{
	char *p = t_map(7);

	t_fill(p, 7 * PAGE, 1);
	MUST(munmap(p + 2 * PAGE, 3 * PAGE));
	say_pages(p, 7);
	say("%08x %08x\n", t_sum(p, 2 * PAGE), t_sum(p + 5 * PAGE, 2 * PAGE));
}

/* Unmapping the head. */
TEST(unmap_head)
{
	char *p = t_map(5);

	t_fill(p, 5 * PAGE, 1);
	MUST(munmap(p, 2 * PAGE));
	say_pages(p, 5);
	say("%08x\n", t_sum(p + 2 * PAGE, 3 * PAGE));
}

/* Unmapping the tail. */
TEST(unmap_tail)
{
	char *p = t_map(5);

	t_fill(p, 5 * PAGE, 1);
	MUST(munmap(p + 3 * PAGE, 2 * PAGE));
	say_pages(p, 5);
	say("%08x\n", t_sum(p, 3 * PAGE));
}

/* One munmap across several mappings and holes takes them all. */
TEST(unmap_many)
{
	char *p = t_map(12);

	t_fill(p, 12 * PAGE, 1);
	MUST(munmap(p + 2 * PAGE, PAGE));
	MUST(mprotect(p + 5 * PAGE, PAGE, PROT_READ));
	MUST(munmap(p + 8 * PAGE, 2 * PAGE));
	MUST(munmap(p + PAGE, 10 * PAGE));
	MUST(munmap(p + PAGE, 10 * PAGE)); /* nothing there: no error */
	say_pages(p, 12);
	say("%08x %08x\n", t_sum(p, PAGE), t_sum(p + 11 * PAGE, PAGE));
}

/* Every second page unmapped, then mapped again: the new ones are zero. */
TEST(comb)
{
	char *p = t_map(32);
	int i;

	t_fill(p, 32 * PAGE, 1);
	for (i = 0; i < 32; i += 2)
		MUST(munmap(p + i * PAGE, PAGE));
	for (i = 0; i < 32; i += 4)
		MUST(mmap(p + i * PAGE, PAGE, RW, ANON | MAP_FIXED, -1, 0));
	say_pages(p, 32);
	for (i = 0; i < 32; i++)
		if (i % 2 == 1 || i % 4 == 0)
			say("%d %08x\n", i, t_sum(p + i * PAGE, PAGE));
}

/* MAP_FIXED replaces what was there, and only that. */
TEST(fixed)
{
	char *p = t_map(6);

	t_fill(p, 6 * PAGE, 1);
	EXPECT((long)p + 2 * PAGE,
	    mmap(p + 2 * PAGE, 2 * PAGE, RW, ANON | MAP_FIXED, -1, 0));
	say("%08x %08x %08x\n", t_sum(p, 2 * PAGE),
	    t_sum(p + 2 * PAGE, 2 * PAGE), t_sum(p + 4 * PAGE, 2 * PAGE));
	EXPECT((long)p, mmap(p, 6 * PAGE, PROT_READ, ANON | MAP_FIXED, -1, 0));
	say("%08x %s\n", t_sum(p, 6 * PAGE), t_try('w', p + 3 * PAGE));
}

/* MAP_FIXED_NOREPLACE takes a free place and refuses a taken one. */
TEST(noreplace)
{
	int flags = ANON | MAP_FIXED_NOREPLACE;
	char *p = t_map(6);

	MUST(munmap(p + 2 * PAGE, 2 * PAGE));
	EXPECT(
	    (long)p + 2 * PAGE, mmap(p + 2 * PAGE, 2 * PAGE, RW, flags, -1, 0));
	FAILS(EEXIST, (long)mmap(p + 3 * PAGE, 2 * PAGE, RW, flags, -1, 0));
	t_fill(p, 6 * PAGE, 1);
	say("%08x\n", t_sum(p, 6 * PAGE));
}

/* A free hint is honoured, a taken one is not harmed. */
TEST(hint)
{
	char *p = t_map(8), *q;

	t_fill(p, 8 * PAGE, 1);
	MUST(munmap(p + 4 * PAGE, 2 * PAGE));
	q = (char *)MUST(mmap(p + 4 * PAGE, 2 * PAGE, RW, ANON, -1, 0));
	EXPECT((long)p + 4 * PAGE, q);
	/* Far below everything, where no search would end. */
	EXPECT((long)p - (256 << 20),
	    mmap(p - (256 << 20), PAGE, RW, ANON, -1, 0));
	q = (char *)MUST(mmap(p, 2 * PAGE, RW, ANON, -1, 0));
	EXPECT(1, q + 2 * PAGE <= p || q >= p + 8 * PAGE);
	say("%08x %08x\n", t_sum(p, 4 * PAGE), t_sum(q, 2 * PAGE));
	q = (char *)MUST(mmap(p + 1, PAGE, RW, ANON, -1, 0));
	EXPECT(0, (long)q & (PAGE - 1));
	say("%08x\n", t_sum(q, PAGE));
}

/* Every argument that Linux refuses, with its errno. */
TEST(errors)
{
	char *p = t_map(4);
	int fd[2], rd, wr, dir;
	long top = 0x7ffffffff000;

	close(t_file("errs", "x", 1));
	rd = MUST(open("errs", O_RDONLY));
	wr = MUST(open("errs", O_WRONLY));
	dir = MUST(open(".", O_RDONLY));
	MUST(pipe(fd));
	FAILS(EINVAL, raw_mmap(0, 0, RW, ANON, -1, 0));
	FAILS(EINVAL, raw_mmap(0, PAGE, RW, MAP_ANONYMOUS, -1, 0));
	FAILS(EINVAL, raw_mmap((long)p + 1, PAGE, RW, ANON | MAP_FIXED, -1, 0));
	FAILS(EINVAL, raw_mmap(0, PAGE, PROT_READ, MAP_PRIVATE, rd, 1));
	FAILS(EBADF, raw_mmap(0, PAGE, PROT_READ, MAP_PRIVATE, 999, 0));
	FAILS(EBADF, raw_mmap(0, PAGE, PROT_READ, MAP_PRIVATE, -1, 0));
	FAILS(ENOMEM, raw_mmap(0, 1L << 47, RW, ANON, -1, 0));
	FAILS(ENOMEM, raw_mmap(0, -PAGE, RW, ANON, -1, 0));
	FAILS(ENOMEM, raw_mmap(0, ~0UL, RW, ANON, -1, 0));
	FAILS(ENOMEM, raw_mmap(top, PAGE, RW, ANON | MAP_FIXED, -1, 0));
	FAILS(ENOMEM,
	    raw_mmap(top - PAGE, 2 * PAGE, RW, ANON | MAP_FIXED, -1, 0));
	FAILS(ENOMEM, raw_mmap(1L << 63, PAGE, RW, ANON | MAP_FIXED, -1, 0));
	FAILS(EACCES, raw_mmap(0, PAGE, PROT_READ, MAP_PRIVATE, wr, 0));
	FAILS(EACCES, raw_mmap(0, PAGE, RW, MAP_SHARED, rd, 0));
	FAILS(ENODEV, raw_mmap(0, PAGE, PROT_READ, MAP_PRIVATE, dir, 0));
	FAILS(ENODEV, raw_mmap(0, PAGE, PROT_READ, MAP_PRIVATE, fd[0], 0));
	FAILS(EOVERFLOW,
	    raw_mmap(0, 2 * PAGE, PROT_READ, MAP_PRIVATE, rd, -PAGE));
	FAILS(EINVAL, syscall(SYS_munmap, p + 1, PAGE));
	FAILS(EINVAL, syscall(SYS_munmap, p, 0L));
	FAILS(EINVAL, syscall(SYS_munmap, p, -PAGE));
	FAILS(EINVAL, syscall(SYS_munmap, 1L << 47, PAGE));
	EXPECT(0, p[0]);
	MUST(close(rd));
	MUST(unlink("errs"));
	say("done\n");
}

/* A length that is no multiple of the page is rounded up. */
TEST(odd_length)
{
	char *p = t_map(4), *q;

	MUST(munmap(p, 4 * PAGE));
	q = (char *)MUST(mmap(p, PAGE + 1, RW, ANON | MAP_FIXED, -1, 0));
	q[2 * PAGE - 1] = 1;
	say_pages(p, 4);
	MUST(munmap(p, 1));
	say_pages(p, 4);
}

/* A gigabyte costs nothing until it is touched, here and there. */
TEST(sparse)
{
	size_t size = 1UL << 30, i;
	char *p;

	p = (char *)MUST(mmap(NULL, size, RW, ANON | MAP_NORESERVE, -1, 0));
	madvise(p, size, MADV_NOHUGEPAGE); /* refused where there are none */
	for (i = 0; i < size; i += size / 32)
		p[i + 5] = i / (size / 32) + 1;
	for (i = 0; i < size; i += size / 32)
		say("%d%d ", p[i + 5], p[i + PAGE]);
	say("\n");
	MUST(munmap(p, size));
	say("%s\n", t_try('r', p + 5));
}

/* Five hundred mappings, of which every other goes again. */
TEST(many)
{
	static char *p[500];
	unsigned int i, sum = 0;

	for (i = 0; i < 500; i++) {
		p[i] = (char *)MUST(mmap(NULL, PAGE * (1 + i % 3),
		    i % 2 ? RW : RW | PROT_EXEC, ANON, -1, 0));
		p[i][7] = i;
	}
	for (i = 0; i < 500; i += 2)
		MUST(munmap(p[i], PAGE * (1 + i % 3)));
	for (i = 1; i < 500; i += 2)
		sum += (unsigned char)p[i][7];
	for (i = 1; i < 500; i += 2)
		MUST(munmap(p[i], PAGE * (1 + i % 3)));
	say("%u\n", sum);
}

/* MAP_POPULATE maps the same memory, only sooner. */
TEST(populate)
{
	unsigned char there[16];
	char *p;
	int i, n = 0;

	p = (char *)MUST(mmap(NULL, 16 * PAGE, RW, ANON | MAP_POPULATE, -1, 0));
	MUST(mincore(p, 16 * PAGE, there));
	for (i = 0; i < 16; i++)
		n += there[i] & 1;
	say("%d pages at once\n", n);
	say("%08x\n", t_sum(p, 16 * PAGE));
	t_fill(p, 16 * PAGE, 1);
	say("%08x\n", t_sum(p, 16 * PAGE));
}

/* Unmapping and mapping again never shows the old contents. */
TEST(reuse_zero)
{
	char *p = t_map(4);
	uint32_t zero = t_sum(p, 4 * PAGE);
	int i;

	for (i = 0; i < 20; i++) {
		t_fill(p, 4 * PAGE, i);
		MUST(munmap(p, 4 * PAGE));
		MUST(mmap(p, 4 * PAGE, RW, ANON | MAP_FIXED, -1, 0));
		EXPECT(zero, t_sum(p, 4 * PAGE));
	}
	say("%08x\n", t_sum(p, 4 * PAGE));
}

/* MAP_32BIT maps below two gigabytes; MAP_SHARED_VALIDATE knows its flags. */
TEST(low)
{
	char *a = mmap(NULL, 3 * PAGE, RW, ANON | MAP_32BIT, -1, 0), *b;

	EXPECT(0, a == MAP_FAILED);
	EXPECT(0, (uintptr_t)a >> 31);
	t_fill(a, 3 * PAGE, 1);
	say("%08x\n", t_sum(a, 3 * PAGE));
	b = mmap(a, PAGE, RW, ANON | MAP_32BIT, -1, 0);
	EXPECT(0, (uintptr_t)b >> 31);
	EXPECT(0, b == a);
	MUST(munmap(a, 3 * PAGE));
	MUST(munmap(b, PAGE));
}
