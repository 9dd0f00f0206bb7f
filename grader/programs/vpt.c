/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Virtual page tables: mappings whose translation the program itself keeps, in
 * the mapped object. Linux has none, so what the tests print stands in
 * grader/expect.
 */

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "t.h"

/* Nymph's own numbers: kernel/vm/vm_map.h, kernel/kern/syscalls.h, vm/vpte.h. */
#define MAP_VPAGETABLE 0x02000000
#define SYS_MCONTROL   485
#define MADV_INVAL     0x100a
#define MADV_SETMAP    0x100b
#define V	       0x001UL
#define RW	       0x002UL
#define A	       0x020UL
#define M	       0x040UL
#define PS	       0x080UL
#define NX	       0x800UL

#define PRW	  (PROT_READ | PROT_WRITE)
#define FRAME(n)  ((uint64_t)(n) << 12)
#define RET	  0xc3 /* the instruction */
#define NDATA	  600L
#define NTABLES	  5L /* of three levels one, of the lowest two */
#define FIRSTDATA 16L
#define NFILE	  (FIRSTDATA + NDATA)
#define FILENAME  "/tmp/vpt"

typedef uint64_t vpte_t;

static char *direct; /* the file as it is */
static char *mapped; /* the same through the table */
static int file;

static long
mcontrol(void *addr, size_t len, int behav, uint64_t value)
{
	return syscall(SYS_MCONTROL, addr, len, behav, value);
}

/* Makes a file of so many pages, and maps it. */
static void
make_file(long pages)
{
	file = t_file(FILENAME, NULL, 0);
	MUST(ftruncate(file, pages * PAGE));
	direct =
	    (char *)MUST(mmap(NULL, pages * PAGE, PRW, MAP_SHARED, file, 0));
}

/* Maps so many pages of it through a table, from this index on. */
static char *
map_table(long pages, int flags, uint64_t index)
{
	return (char *)MUST(mmap(NULL, pages * PAGE, PRW | PROT_EXEC,
	    flags | MAP_VPAGETABLE, file, index * PAGE));
}

static vpte_t *
table(long page)
{
	return (vpte_t *)(direct + page * PAGE);
}

static void
set_root(char *p, long pages, vpte_t root)
{
	MUST(mcontrol(p, pages * PAGE, MADV_SETMAP, root));
}

/* The root is a window: index i is page first + i, without a table. */
TEST(window)
{
	long i;

	make_file(8);
	for (i = 0; i < 8; i++)
		t_fill(direct + i * PAGE, PAGE, i);
	mapped = map_table(4, MAP_SHARED, 0);
	say("without a root: read %s", t_try('r', mapped));
	say(", write %s\n", t_try('w', mapped));
	set_root(mapped, 4, FRAME(2) | V | RW | PS);
	for (i = 0; i < 4; i++)
		EXPECT(0,
		    memcmp(mapped + i * PAGE, direct + (i + 2) * PAGE, PAGE));
	mapped[PAGE] = 'x';
	EXPECT('x', direct[3 * PAGE]);

	/* Another root: what was mapped is gone. */
	set_root(mapped, 4, FRAME(6) | V | PS | NX);
	EXPECT(0, memcmp(mapped, direct + 6 * PAGE, 2 * PAGE));
	say("without RW: write %s\n", t_try('w', mapped));
	direct[6 * PAGE] = (char)RET;
	say("with NX: execute %s\n", t_try('x', mapped));
	say("beyond the file: %s\n", t_try('r', mapped + 2 * PAGE));
	set_root(mapped, 4, FRAME(6) | V | PS);
	say("without NX: execute %s\n", t_try('x', mapped));
	set_root(mapped, 4, 0);
	say("with root 0: read %s\n", t_try('r', mapped));
}

/* One leaf, all combinations of its bits, each access on its own. */
TEST(matrix)
{
	static const char how[] = "rwx";
	vpte_t bits;
	int c, i;

	make_file(FIRSTDATA);
	mapped = map_table(1, MAP_SHARED, 0);
	for (i = 1; i < 4; i++)
		table(i)[0] = FRAME(i + 1) | V | RW;
	set_root(mapped, 1, FRAME(1) | V | RW);
	for (c = 0; c < 8; c++) {
		bits = (c & 1 ? V : 0) | (c & 2 ? RW : 0) | (c & 4 ? NX : 0);
		say("%s%s%s:", c & 1 ? "V" : "-", c & 2 ? "RW" : "--",
		    c & 4 ? "NX" : "--");
		for (i = 0; how[i] != '\0'; i++) {
			direct[8 * PAGE] = (char)RET;
			table(4)[0] = FRAME(8) | bits;
			MUST(mcontrol(mapped, PAGE, MADV_INVAL, 0));
			say(" %c %s", how[i], t_try(how[i], mapped));
			say("%s%s", table(4)[0] & A ? "+A" : "",
			    table(4)[0] & M ? "+M" : "");
		}
		say("\n");
	}
	/* The upper levels count as well. */
	table(4)[0] = FRAME(8) | V | RW;
	table(2)[0] &= ~RW;
	MUST(mcontrol(mapped, PAGE, MADV_INVAL, 0));
	say("directory without RW: %s", t_try('r', mapped));
	say(", %s\n", t_try('w', mapped));
	table(3)[0] &= ~V;
	MUST(mcontrol(mapped, PAGE, MADV_INVAL, 0));
	say("directory without V: %s\n", t_try('r', mapped));
}

static uint32_t seed = 12345;

static uint32_t
rnd(uint32_t below)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % below;
}

static long place[NDATA]; /* where the table has each page */

/* The index of the first page: so that every level has another slot, and that
 * the lowest needs two tables. */
#define INDEX ((3UL << 27) | (5UL << 18) | (7UL << 9) | 200)

/* A table of four levels that shows the file's data in a random order. */
static void
make_table(void)
{
	long i, j, x;

	for (i = 0; i < NDATA; i++)
		place[i] = i;
	for (i = NDATA - 1; i > 0; i--) {
		j = rnd(i + 1);
		x = place[i];
		place[i] = place[j];
		place[j] = x;
	}
	memset(direct, 0, NTABLES * PAGE);
	table(0)[3] = FRAME(1) | V | RW;
	table(1)[5] = FRAME(2) | V | RW;
	table(2)[7] = FRAME(3) | V | RW;
	table(2)[8] = FRAME(4) | V | RW;
	for (i = 0; i < NDATA; i++)
		table(3 + (200 + i) / 512)[(200 + i) % 512] =
		    FRAME(FIRSTDATA + place[i]) | V | RW;
}

/* Everything is where the table says. */
TEST(walk)
{
	char *d;
	long i;

	make_file(NFILE);
	make_table();
	mapped = map_table(NDATA, MAP_SHARED, INDEX);
	set_root(mapped, NDATA, FRAME(0) | V | RW);
	for (i = 0; i < NDATA; i++) {
		d = direct + (FIRSTDATA + i) * PAGE;
		*(long *)d = i;
	}
	for (i = 0; i < NDATA; i++)
		EXPECT(place[i], *(volatile long *)(mapped + i * PAGE));
	for (i = 0; i < NDATA; i += 7)
		*(volatile long *)(mapped + i * PAGE + 8) = i + 1;
	for (i = 0; i < NDATA; i++) {
		d = direct + (FIRSTDATA + place[i]) * PAGE;
		EXPECT(i % 7 == 0 ? i + 1 : 0, *(long *)(d + 8));
	}
	say("%ld pages through two tables\n", NDATA);
}

/* Which of A and M an entry has after a trace of accesses: the model. */
static struct {
	vpte_t leaf[NDATA], dir[4];
} model;

static void
model_access(long i, vpte_t bits)
{
	model.leaf[i] |= bits;
	model.dir[0] |= bits;
	model.dir[1] |= bits;
	model.dir[(200 + i) / 512 + 2] |= bits;
}

/* Compares every word of every table with the model. */
static void
model_compare(const char *when)
{
	vpte_t want[NTABLES][512] = {{0}};
	long i, k, bad = 0, a = 0, m = 0;

	want[0][3] = FRAME(1) | V | RW | model.dir[0];
	want[1][5] = FRAME(2) | V | RW | model.dir[1];
	want[2][7] = FRAME(3) | V | RW | model.dir[2];
	want[2][8] = FRAME(4) | V | RW | model.dir[3];
	for (i = 0; i < NDATA; i++) {
		want[3 + (200 + i) / 512][(200 + i) % 512] =
		    FRAME(FIRSTDATA + place[i]) | V | RW | model.leaf[i];
		a += (model.leaf[i] & A) != 0;
		m += (model.leaf[i] & M) != 0;
	}
	for (k = 0; k < NTABLES; k++)
		for (i = 0; i < 512; i++)
			if (table(k)[i] != want[k][i] && bad++ < 5)
				say("table %ld, entry %ld is %lx, not %lx\n", k,
				    i, table(k)[i], want[k][i]);
	t_fails += bad != 0;
	say("%s: %ld accessed, %ld modified\n", when, a, m);
}

/* A trace of random reads and writes; what it does to the model. */
static void
trace(long accesses)
{
	volatile char *p;
	long i, n;

	for (n = 0; n < accesses; n++) {
		i = rnd(NDATA);
		p = mapped + i * PAGE + rnd(PAGE);
		if (rnd(4) == 0) {
			*p = (char)n;
			model_access(i, A | M);
		} else {
			(void)*p;
			model_access(i, A);
		}
	}
}

/* A and M are set exactly where something was read or written. */
TEST(marks)
{
	long i;

	make_file(NFILE);
	make_table();
	mapped = map_table(NDATA, MAP_SHARED, INDEX);
	set_root(mapped, NDATA, FRAME(0) | V | RW);
	model_compare("at first");
	trace(300);
	model_compare("after a trace");
	trace(300);
	model_compare("after another");

	/* Begin anew: the marks off, and the kernel's mappings too. */
	make_table();
	memset(&model, 0, sizeof(model));
	MUST(mcontrol(mapped, NDATA * PAGE, MADV_INVAL, 0));
	trace(100);
	model_compare("begun anew");

	/* Without MADV_INVAL nobody looks at the table again. */
	for (i = 0; i < NDATA; i++)
		if (model.leaf[i] == (A | M))
			break;
	table(3 + (200 + i) / 512)[(200 + i) % 512] &= ~(A | M);
	mapped[i * PAGE] = 1;
	model.leaf[i] = 0;
	model_compare("without MADV_INVAL");
	MUST(mcontrol(mapped + i * PAGE, PAGE, MADV_INVAL, 0));
	mapped[i * PAGE] = 1;
	model_access(i, A | M);
	model_compare("with MADV_INVAL");
}

/* The kernel reads and writes user memory through the table, too. */
TEST(kernel)
{
	struct iovec local, remote;
	char buf[64];
	int fd[2];

	make_file(FIRSTDATA);
	mapped = map_table(2, MAP_SHARED, 0);
	set_root(mapped, 2, FRAME(8) | V | RW | PS);
	strcpy(direct + 9 * PAGE, "nine");
	MUST(pipe(fd));
	EXPECT(5, write(fd[1], mapped + PAGE, 5));
	EXPECT(5, read(fd[0], mapped, 5));
	say("read(2): %s\n", direct + 8 * PAGE);
	local = (struct iovec){buf, 5};
	remote = (struct iovec){mapped + PAGE, 5};
	EXPECT(5, process_vm_readv(getpid(), &local, 1, &remote, 1, 0));
	say("process_vm_readv: %s\n", buf);
	strcpy(buf, "four");
	EXPECT(5, process_vm_writev(getpid(), &local, 1, &remote, 1, 0));
	say("process_vm_writev: %s\n", direct + 9 * PAGE);
	set_root(mapped, 2, FRAME(8) | V | PS);
	FAILS(EFAULT, read(fd[0], mapped, (write(fd[1], "x", 1), 1)));
	FAILS(EFAULT, process_vm_writev(getpid(), &local, 1, &remote, 1, 0));
	set_root(mapped, 2, 0);
	FAILS(EFAULT, write(fd[1], mapped, 1));
	FAILS(EFAULT, process_vm_readv(getpid(), &local, 1, &remote, 1, 0));
}

/*
 * Memory without a file: filled through a window, and then, with the table in
 * it, seen through that.
 */
static char *
make_anonymous(int flags)
{
	vpte_t *t;
	char *p;
	long i;

	p = (char *)MUST(mmap(NULL, FIRSTDATA * PAGE, PRW,
	    flags | MAP_ANONYMOUS | MAP_VPAGETABLE, -1, 0));
	set_root(p, FIRSTDATA, FRAME(0) | V | RW | PS);
	for (i = 0; i < 3; i++) {
		t = (vpte_t *)(p + i * PAGE);
		t[0] = FRAME(i + 1) | V | RW;
	}
	t = (vpte_t *)(p + 3 * PAGE);
	for (i = 0; i < FIRSTDATA; i++)
		t[i] = FRAME(FIRSTDATA - 1 - i) | V | RW;
	for (i = 4; i < FIRSTDATA; i++)
		t_fill(p + i * PAGE, PAGE, i);
	set_root(p, FIRSTDATA, FRAME(0) | V | RW);
	return p;
}

/* Checks the data pages 4 .. 15, which appear in reverse order. */
static void
check_anonymous(char *p, uint32_t shift, const char *who)
{
	char want[PAGE];
	long i;

	for (i = 4; i < FIRSTDATA; i++) {
		t_fill(want, PAGE, i == 8 ? i + shift : i);
		if (memcmp(want, p + (FIRSTDATA - 1 - i) * PAGE, PAGE) != 0) {
			say("%s: page %ld is wrong\n", who, i);
			t_fails++;
		}
	}
}

/* A fork copies table and data, or shares both. */
static void
forks(int flags, const char *kind)
{
	uint32_t shift = flags == MAP_SHARED ? 100 : 0;
	char *p = make_anonymous(flags);
	vpte_t *t = (vpte_t *)(p + (FIRSTDATA - 1 - 3) * PAGE);
	pid_t pid;

	check_anonymous(p, 0, "before the fork");
	pid = t_fork();
	if (pid == 0) {
		check_anonymous(p, 0, "child");
		t_fill(p + (FIRSTDATA - 1 - 8) * PAGE, PAGE, 8 + 100);
		check_anonymous(p, 100, "child, written");
		/* Its own table: page 9 in the place of page 8. */
		t[FIRSTDATA - 1 - 8] = FRAME(9) | V | RW;
		MUST(mcontrol(p, FIRSTDATA * PAGE, MADV_INVAL, 0));
		EXPECT(0,
		    memcmp(p + (FIRSTDATA - 1 - 8) * PAGE,
			p + (FIRSTDATA - 1 - 9) * PAGE, PAGE));
		if (flags == MAP_SHARED)
			t[FIRSTDATA - 1 - 8] = FRAME(8) | V | RW;
		t_exit();
	}
	t_reap(pid);
	check_anonymous(p, shift, "parent");
	MUST(mcontrol(p, FIRSTDATA * PAGE, MADV_INVAL, 0));
	check_anonymous(p, shift, "parent, invalidated");
	MUST(munmap(p, FIRSTDATA * PAGE));
	say("%s\n", kind);
}

TEST(fork)
{
	forks(MAP_SHARED, "shared");
	forks(MAP_PRIVATE, "private");
}

/* A private mapping's marks are not seen in the file, nor is what it writes. */
TEST(private)
{
	static char before[NTABLES * PAGE];
	long i;

	make_file(NFILE);
	make_table();
	for (i = 0; i < NDATA; i++)
		direct[(FIRSTDATA + i) * PAGE] = 'f';
	mapped = map_table(100, MAP_PRIVATE, 0);
	set_root(mapped, 100, FRAME(FIRSTDATA) | V | RW | PS);
	mapped[0] = 'p';
	EXPECT('f', direct[FIRSTDATA * PAGE]);
	EXPECT('f', mapped[PAGE]);
	/* A table that is its own next level, and its own data. */
	table(4)[0] = FRAME(4) | V | RW;
	memcpy(before, direct, sizeof(before));
	set_root(mapped, 100, FRAME(4) | V | RW);
	say("a table in itself: %s\n", t_try('w', mapped + 8));
	EXPECT(FRAME(4) | V | RW | A | M, *(vpte_t *)mapped);
	EXPECT(0, memcmp(before, direct, sizeof(before)));
}

/* Parts of the mapping can go, be protected, be locked. */
TEST(parts)
{
	make_file(FIRSTDATA);
	t_fill(direct, FIRSTDATA * PAGE, 1);
	mapped = map_table(8, MAP_SHARED, 0);
	set_root(mapped, 8, FRAME(4) | V | RW | PS);
	EXPECT(0, memcmp(mapped, direct + 4 * PAGE, 8 * PAGE));
	MUST(munmap(mapped + 2 * PAGE, 2 * PAGE));
	EXPECT(0, memcmp(mapped, direct + 4 * PAGE, 2 * PAGE));
	say("unmapped: %s\n", t_try('r', mapped + 2 * PAGE));
	EXPECT(0, memcmp(mapped + 4 * PAGE, direct + 8 * PAGE, 4 * PAGE));
	MUST(mprotect(mapped + 4 * PAGE, PAGE, PROT_NONE));
	say("protected: %s\n", t_try('r', mapped + 4 * PAGE));
	MUST(mprotect(mapped + 4 * PAGE, PAGE, PRW | PROT_EXEC));
	EXPECT(0, memcmp(mapped + 4 * PAGE, direct + 8 * PAGE, 4 * PAGE));

	MUST(mlock(mapped + 6 * PAGE, 2 * PAGE));
	FAILS(EINVAL, mcontrol(mapped + 6 * PAGE, PAGE, MADV_INVAL, 0));
	FAILS(EINVAL, mcontrol(mapped + 6 * PAGE, PAGE, MADV_SETMAP, 0));
	MUST(munlock(mapped + 6 * PAGE, 2 * PAGE));
	MUST(mcontrol(mapped + 6 * PAGE, PAGE, MADV_INVAL, 0));
	EXPECT(0, memcmp(mapped + 6 * PAGE, direct + 10 * PAGE, 2 * PAGE));
	MUST(madvise(mapped, 2 * PAGE, MADV_DONTNEED));
	MUST(madvise(mapped, 2 * PAGE, MADV_WILLNEED));
	EXPECT(0, memcmp(mapped, direct + 4 * PAGE, 2 * PAGE));
}

TEST(errors)
{
	int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_VPAGETABLE;
	char *p = t_map(4), *q;

	FAILS(EINVAL, (long)mmap(NULL, PAGE, PROT_READ, flags, -1, 0));
	FAILS(EINVAL, (long)mmap(NULL, PAGE, PROT_WRITE, flags, -1, 0));
	FAILS(
	    EINVAL, (long)mmap(NULL, PAGE, PRW, flags | MAP_GROWSDOWN, -1, 0));
	FAILS(EINVAL, mcontrol(p, PAGE, MADV_SETMAP, 0));
	MUST(mcontrol(p, PAGE, MADV_INVAL, 0));
	MUST(mcontrol(p, PAGE, MADV_WILLNEED, 0));
	q = (char *)MUST(mmap(p + PAGE, PAGE, PRW, flags | MAP_FIXED, -1, 0));
	MUST(mcontrol(q, PAGE, MADV_SETMAP, FRAME(0) | V | RW | PS));
	FAILS(EINVAL, mcontrol(q, 2 * PAGE, MADV_SETMAP, 0));
	FAILS(EINVAL, mcontrol(q + 1, PAGE, MADV_INVAL, 0));
	FAILS(EINVAL, mcontrol(q, (size_t)-PAGE, MADV_INVAL, 0));
	FAILS(EINVAL, mcontrol(q, PAGE, 0x100c, 0));
	FAILS(EINVAL, madvise(q, PAGE, MADV_SETMAP));
	FAILS(EINVAL, madvise(q, PAGE, MADV_INVAL));
	FAILS(EINVAL, (long)mremap(q, PAGE, 2 * PAGE, MREMAP_MAYMOVE));
	MUST(munmap(p, PAGE));
	FAILS(ENOMEM, mcontrol(p, 2 * PAGE, MADV_INVAL, 0));
	FAILS(ENOMEM, mcontrol(p, 2 * PAGE, MADV_SETMAP, 0));
	MUST(mcontrol(p, 0, MADV_INVAL, 0));
	say("refused\n");
}

/*
 * Several CPUs: one thread moves a page through the frames, each of which is
 * tagged, and invalidates; the others read, and must never see a frame older
 * than the last one that was announced as mapped.
 */
#define NFRAMES	 64
#define NREADERS 3
#define MOVES	 400

static atomic_long begun, done;
static atomic_int stop, ready;
static atomic_long stale, reads;

static void *
reader(void *arg)
{
	volatile long *p = (volatile long *)(mapped + (long)arg * PAGE);
	long from, to, tag, n = 0;

	ready++;
	while (!stop) {
		from = done;
		tag = *p;
		to = begun;
		/* tag is a number of a move, modulo the frames. */
		if (((tag - from) & (NFRAMES - 1)) > to - from &&
		    to - from < NFRAMES)
			stale++;
		n++;
		__builtin_ia32_pause();
	}
	reads += n;
	return NULL;
}

TEST(smp_inval)
{
	pthread_t td[NREADERS];
	long i, n;

	make_file(FIRSTDATA + NFRAMES);
	mapped = map_table(NREADERS, MAP_SHARED, 0);
	for (i = 0; i < 3; i++)
		table(i)[0] = FRAME(i + 1) | V | RW;
	for (i = 0; i < NFRAMES; i++)
		*(long *)(direct + (FIRSTDATA + i) * PAGE) = i;
	for (i = 0; i < NREADERS; i++)
		table(3)[i] = FRAME(FIRSTDATA) | V | RW;
	set_root(mapped, NREADERS, FRAME(0) | V | RW);
	for (i = 0; i < NREADERS; i++)
		MUST(-pthread_create(&td[i], NULL, reader, (void *)i));
	while (ready < NREADERS)
		usleep(1000);
	for (n = 1; n <= MOVES; n++) {
		begun = n;
		for (i = 0; i < NREADERS; i++)
			((_Atomic vpte_t *)table(3))[i] =
			    FRAME(FIRSTDATA + n % NFRAMES) | V | RW;
		MUST(mcontrol(mapped, NREADERS * PAGE, MADV_INVAL, 0));
		done = n;
		if (n % 16 == 0)
			usleep(100);
	}
	stop = 1;
	for (i = 0; i < NREADERS; i++)
		pthread_join(td[i], NULL);
	EXPECT(0, stale);
	EXPECT(1, reads > MOVES);
	say("%d moves, nothing stale\n", MOVES);
}
