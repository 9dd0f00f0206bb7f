/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Races that the rework of the VM brought, one after another: R2, R3, R4, R6
 * and R8 of its history, a missing TLB shootdown, and what it did away with, the
 * walk upward. Two threads meet in the same few instructions of the kernel.
 *
 * "race R2" has them meet by a script, grader/races/R2: the first thread waits
 * at the script's point, then the second one does its part. What became of the
 * script is printed, so that one that no longer fits the kernel fails. "race
 * loop_R2" does the same thing again and again, without, and leaves it to the
 * schedule's seed.
 *
 * Needs a kernel with schedule points; what it prints stands in
 * grader/expect.
 */

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/swap.h>
#include <unistd.h>

#include "t.h"

#define PRW	 (PROT_READ | PROT_WRITE)
#define PAGES	 4L
#define SLOTS	 64 /* pages that far apart share a placemark */
#define ROUNDS	 30 /* of a loop */
#define PATIENCE 300

static volatile int go, gone;
static int round_no;	   /* of a loop */
static const char *script; /* NULL: a loop */
static int fd;		   /* the file */
static char *p;		   /* its mapping */
static const char *seen;
static char text[4096];

/* Gives the other CPU its turn. */
static void
pause_cpu(void)
{
	__builtin_ia32_pause();
}

/* Writes a command to /proc/sched. */
static void
sched(const char *fmt, const char *arg)
{
	char line[512];
	int f = MUST(open("/proc/sched", O_WRONLY)), n;

	n = snprintf(line, sizeof(line), fmt, arg);
	EXPECT(n, write(f, line, n));
	close(f);
}

/* Arms what the script of that name says: the lines that are no comments. */
static void
arm(const char *name)
{
	char path[64], line[512] = "", *s, *save = NULL;

	snprintf(path, sizeof(path), "/races/%s", name);
	if (t_read_text(path, text, sizeof(text)) == -1) {
		say("%s is not there\n", path);
		_exit(3);
	}
	for (s = strtok_r(text, "\n", &save); s != NULL;
	     s = strtok_r(NULL, "\n", &save)) {
		if (*s == '#')
			continue;
		if (*line != '\0')
			strcat(line, "; ");
		strcat(line, s);
	}
	sched("arm %s", line);
}

/* Returns when a thread waits at an armed point. */
static void
await_armed(void)
{
	int i;

	for (i = 0; i < PATIENCE; i++) {
		t_read_text("/proc/sched", text, sizeof(text));
		if (strstr(text, ": waiting") != NULL)
			return;
		pause_cpu();
	}
}

/* Prints what became of the script. */
static void
say_outcome(void)
{
	char *s, *save = NULL;

	t_read_text("/proc/sched", text, sizeof(text));
	for (s = strtok_r(text, "\n", &save); s != NULL;
	     s = strtok_r(NULL, "\n", &save)) {
		if (strncmp(s, "arm ", 4) == 0)
			say("%.*s\n", (int)strcspn(s, ","), s);
	}
}

/* Stays on a CPU from now on. Who waits at a point leaves his CPU to nobody. */
static void
stay_on(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	MUST(sched_setaffinity(0, sizeof(set), &set));
}

static void *
first_thread(void *arg)
{
	stay_on(1);
	while (!go)
		pause_cpu();
	((void (*)(void))arg)();
	return NULL;
}

/* Runs both at once, the second when the first waits at its point, or in a
 * loop after as many turns as the round says. */
static void
meet(void (*first)(void), void (*second)(void))
{
	pthread_t t;
	int i;

	go = 0;
	stay_on(0);
	EXPECT(0, pthread_create(&t, NULL, first_thread, (void *)first));
	sched_yield();
	if (script != NULL)
		arm(script);
	go = 1;
	if (script != NULL)
		await_armed();
	else
		for (i = 0; i < round_no; i++)
			pause_cpu();
	second();
	EXPECT(0, pthread_join(t, NULL));
}

/*
 * Everything that the program is made of gets mapped: a fault would want the
 * lock of the map, which the thread that waits at a point may hold. What is
 * mapped later is as usual.
 */
static void
begin(void)
{
	MUST(mlockall(MCL_CURRENT));
}

/* A file of some pages on a disk, all written, and mapped. */
static void
file_begin(void)
{
	static char page[PAGE];
	int i;

	begin();
	t_mount("dda");
	fd = MUST(open("dda/f", O_RDWR | O_CREAT | O_TRUNC, 0600));
	for (i = 0; i < PAGES; i++)
		EXPECT(PAGE, write(fd, page, PAGE));
	MUST(fsync(fd));
	p = (char *)MUST(mmap(NULL, PAGES * PAGE, PRW, MAP_SHARED, fd, 0));
}

/* And its end. */
static void
file_end(void)
{
	MUST(munmap(p, PAGES * PAGE));
	close(fd);
	MUST(unlink("dda/f"));
	t_umount("dda");
}

/* Syncs the file; how many pages that wrote. */
static long
pages_synced(void)
{
	long before = t_vmstat("v_vnodepgsout");

	MUST(fsync(fd));
	return t_vmstat("v_vnodepgsout") - before;
}

/* The policy of the boot, for loops; scripts go without. */
static char policy[64];

/* Does a race by its script, or, without one, again and again. */
static void
race(const char *name, void (*once)(void))
{
	script = name;
	t_read_text("/proc/sched", text, sizeof(text));
	snprintf(
	    policy, sizeof(policy), "%.*s", (int)strcspn(text, "\n"), text);
	if (script != NULL) {
		sched("%s", "sched off");
		once();
		say_outcome();
		sched("%s", policy);
		return;
	}
	for (round_no = 0; round_no < ROUNDS; round_no++)
		once();
	say("%d rounds\n", round_no);
}

/*
 * R2: a page that was written loses its mapping, and the M bit is in the hand
 * of the CPU that took it, when the file is synced.
 */
static long wrote;

/* Takes the first page's mapping away, and no object's token. */
static void
unmap_page(void)
{
	MUST(madvise(p, PAGE, MADV_DONTNEED));
}

/* Maps it by reading: writable, and the page stays clean. */
static void
map_page(void)
{
	unmap_page();
	(void)*(volatile char *)p;
}

static void
sync_file(void)
{
	wrote = pages_synced();
}

static void
r2(void)
{
	map_page();
	p[0] = 1; /* by the hardware alone */
	meet(unmap_page, sync_file);
	EXPECT(1, wrote);
}

TEST(R2)
{
	file_begin();
	race("R2", r2);
	say("fsync wrote %ld page\n", wrote);
	file_end();
}

TEST(loop_R2)
{
	file_begin();
	race(NULL, r2);
	file_end();
}

/* R3: the hardware sets the M bit of an entry that is being write-protected,
 * after it was read and before it is changed. */
static void
protect(void)
{
	MUST(mprotect(p, PAGE, PROT_READ));
}

static void
write_page(void)
{
	seen = t_try('w', p);
	sched("%s", "tell");
}

static void
r3(void)
{
	map_page();
	meet(protect, write_page);
	EXPECT(strcmp(seen, "ok") == 0, pages_synced());
	MUST(mprotect(p, PAGE, PRW));
}

TEST(R3)
{
	file_begin();
	race("R3", r3);
	say("the write: %s\n", seen);
	file_end();
}

TEST(loop_R3)
{
	file_begin();
	race(NULL, r3);
	file_end();
}

/* R4: a mapping is removed by its page, since the file is cut, and by its
 * address. */
static void
cut_file(void)
{
	MUST(ftruncate(fd, 0));
}

static void
r4(void)
{
	map_page();
	meet(cut_file, unmap_page);
	MUST(ftruncate(fd, PAGES * PAGE));
}

TEST(R4)
{
	file_begin();
	race("R4", r4);
	file_end();
}

TEST(loop_R4)
{
	file_begin();
	race(NULL, r4);
	file_end();
}

/* R6: a page found in the hash is freed before it is busied. A read puts it
 * there: each place of the hash has the page that was looked up last. */
static void
touch_page(void)
{
	char byte;

	EXPECT(1, pread(fd, &byte, 1, 0) == 1 || script == NULL);
	seen = t_try('r', p);
}

static void
cut_and_tell(void)
{
	cut_file();
	sched("%s", "tell");
}

static void
r6(void)
{
	char byte = 1;

	unmap_page();
	EXPECT(1, pwrite(fd, &byte, 1, 0));
	meet(touch_page, cut_and_tell);
	EXPECT(1, strcmp(seen, "ok") == 0 || strcmp(seen, "BUS_ADRERR") == 0);
	MUST(ftruncate(fd, PAGES * PAGE));
}

TEST(R6)
{
	file_begin();
	race("R6", r6);
	say("the read: %s\n", seen);
	file_end();
}

TEST(loop_R6)
{
	file_begin();
	race(NULL, r6);
	file_end();
}

/* R8: who waits for a placemark is not yet armed when it is released, and
 * taken anew. No mapping that a program can have needs placemarks; so the
 * kernel is asked to lock addresses by them. */
static void
mark(long page)
{
	char addr[32];

	snprintf(addr, sizeof(addr), "%#lx", (unsigned long)page * PAGE);
	sched("mark %s", addr);
}

static void
mark_two(void)
{
	mark(SLOTS);
	mark(3 * SLOTS);
}

static void
mark_other(void)
{
	mark(2 * SLOTS);
}

static void
r8(void)
{
	meet(mark_two, mark_other);
}

TEST(R8)
{
	begin();
	race("R8", r8);
}

TEST(loop_R8)
{
	begin();
	race(NULL, r8);
}

/* A CPU that has the mapping cached when another one takes it away. */
static void
read_after(void)
{
	(void)*(volatile char *)p;
	go = 2;
	while (!gone)
		pause_cpu();
	seen = t_try('r', p);
}

static void
take_away(void)
{
	while (go != 2)
		pause_cpu();
	MUST(mprotect(p, PAGE, PROT_NONE));
	gone = 1;
}

static void
shootdown(void)
{
	gone = 0;
	p = t_map(1);
	p[0] = 1;
	meet(read_after, take_away);
	EXPECT(0, strcmp(seen, "SEGV_ACCERR"));
	MUST(munmap(p - PAGE, 3 * PAGE));
}

TEST(shootdown)
{
	race(NULL, shootdown);
	say("the last read: %s\n", seen);
}

/*
 * The walk upward gives up, and what it leaves moves up by and by.
 *
 * A child shares an object with us, who have a shadow in front of it.  A thread
 * of the child reads a page of it from swap; our fork, with the shadow
 * chain-locked, waits for that.  Then the child unmaps the object: it should be
 * taken in by the shadow, which is locked.  So that is given up, though nobody
 * but the shadow has the object any more.  Before the fork can do it, swapoff
 * begins to read the object's pages: only those that are at hand move up.  So
 * does, instead of being copied, one that we write and that has to be read.
 */
#define SWAPPED (T_RAM / 8 / PAGE)

static void *
read_one(void *arg)
{
	(void)arg;
	EXPECT(1, t_is(p, SWAPPED / 2, 1));
	return NULL;
}

/* The child's part, from when the gate opens. */
static void
let_go(struct gate *g)
{
	pthread_t t;

	gate_wait(g);
	EXPECT(0, pthread_create(&t, NULL, read_one, NULL));
	EXPECT(0, pthread_join(t, NULL));
	MUST(munmap(p, SWAPPED * PAGE));
	MUST(swapoff("/dev/ddc"));
	t_exit();
}

/* Our part, when the child's thread reads. */
static void
fork_and_write(void)
{
	pid_t pid = t_fork();

	if (pid == 0)
		t_exit();
	t_reap(pid);
	t_put(p, SWAPPED - 1, 1);
}

/* Prints whether a counter has grown. */
static void
say_grown(const char *what, const char *name, long before)
{
	say("%s: %s\n", what, t_vmstat(name) > before ? "yes" : "no");
}

TEST(upward)
{
	long gave = t_vmstat("v_upward_giveup"), few = t_vmstat("v_qcollapse");
	long one = t_vmstat("v_cow_optim"), reads;
	struct gate g;
	pid_t pid;

	/* All else goes to the other disk, or nowhere. */
	begin();
	t_squeeze();
	t_mkswap("/dev/ddc", 4096, NULL);
	MUST(swapon("/dev/ddc", SWAP_FLAG_PREFER | 7));
	p = t_map(SWAPPED);
	t_put_all(p, SWAPPED, 1);
	t_squeeze();

	gate_init(&g);
	pid = t_fork();
	if (pid == 0)
		let_go(&g);
	t_put(p, 0, 1); /* makes the shadow */
	sched("%s", "sched off");
	arm("upward");
	t_control("ddc latency 200000000");
	reads = t_vmstat("v_swapin");
	gate_open(&g);
	while (t_vmstat("v_swapin") == reads)
		pause_cpu();
	fork_and_write();
	t_reap(pid);
	t_control("ddc latency 100000");

	say_outcome();
	say_grown("the walk upward gave up", "v_upward_giveup", gave);
	say_grown("pages at hand moved up", "v_qcollapse", few);
	say_grown("a page moved that was to be copied", "v_cow_optim", one);
	EXPECT(0, t_wrong(p, SWAPPED, 1));
	MUST(munmap(p, SWAPPED * PAGE));
	gate_close(&g);
}
