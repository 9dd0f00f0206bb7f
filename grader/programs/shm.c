/* SPDX-License-Identifier: BSD-2-Clause */
/* System V shared memory. No identifier is printed: Linux has its own. */

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <unistd.h>

#include "t.h"

#define KEY	  0x4e796d70
#define SIZE	  (8 * PAGE)
#define SHM_DEST  01000 /* Linux's own, seen in shm_perm.mode */
#define NOT_AN_ID 0x7fffffff

static int
get(key_t key, size_t size, int flags)
{
	return (int)MUST(shmget(key, size, flags));
}

static char *
at(int id, void *addr, int flags)
{
	return (char *)MUST(shmat(id, addr, flags));
}

/* Who is attached, and in which state the segment is. */
static void
say_state(const char *when, int id)
{
	struct shmid_ds ds;

	if (shmctl(id, IPC_STAT, &ds) == -1) {
		say("%s: %s\n", when, t_errname(errno));
		return;
	}
	say("%s: %lu bytes, mode %o, %lu attached%s\n", when,
	    (unsigned long)ds.shm_segsz, ds.shm_perm.mode,
	    (unsigned long)ds.shm_nattch,
	    ds.shm_perm.mode & SHM_DEST ? ", removed" : "");
}

/* A segment is zero, keeps what is written, and is found by its key. */
TEST(basic)
{
	int id = get(KEY, SIZE - 5, IPC_CREAT | IPC_EXCL | 0640), i;
	char *p, *q;

	say_state("made", id);
	p = at(id, NULL, 0);
	for (i = 0; i < SIZE; i++)
		EXPECT(0, p[i]);
	t_fill(p, SIZE, 1);
	say_state("attached", id);
	EXPECT(id, get(KEY, 0, 0));
	EXPECT(id, get(KEY, SIZE - 5, IPC_CREAT));
	q = at(id, NULL, SHM_RDONLY);
	EXPECT(0, memcmp(p, q, SIZE));
	say("the second, read-only: %s", t_try('r', q));
	say(", %s\n", t_try('w', q));
	FAILS(EACCES, mprotect(q, PAGE, PROT_READ | PROT_WRITE));
	MUST(shmdt(p));
	say("detached: %s\n", t_try('r', p));
	say_state("one left", id);
	MUST(shmdt(q));
	say_state("none left", id);
	p = at(id, NULL, 0);
	say("again: %08x\n", t_sum(p, SIZE));
	MUST(shmdt(p));
	MUST(shmctl(id, IPC_RMID, NULL));
	say_state("removed", id);
	FAILS(ENOENT, shmget(KEY, 0, 0));
}

/* Children inherit attachments; execve and exit end them. */
TEST(fork)
{
	int id = get(IPC_PRIVATE, SIZE, 0600);
	char *p = at(id, NULL, 0);
	pid_t pid, pid2;

	strcpy(p, "parent");
	pid = t_fork();
	if (pid == 0) {
		say_state("two processes", id);
		EXPECT(0, strcmp(p, "parent"));
		strcpy(p, "child");
		pid2 = t_fork();
		if (pid2 == 0) {
			say_state("three processes", id);
			MUST(shmdt(p));
			say_state("one has detached", id);
			t_exit();
		}
		t_reap(pid2);
		t_exit();
	}
	t_reap(pid);
	say("the parent reads \"%s\"\n", p);
	say_state("one process", id);
	pid = t_fork();
	if (pid == 0) {
		execl("/bin/true", "true", NULL);
		_exit(127);
	}
	t_reap(pid);
	say_state("after an execve", id);
	MUST(shmdt(p));
	MUST(shmctl(id, IPC_RMID, NULL));
}

/* Two processes that know only the key meet in the segment. */
TEST(key)
{
	struct gate there, back;
	int id = get(KEY, SIZE, IPC_CREAT | 0600);
	volatile int *p;
	pid_t pid;
	long i;

	gate_init(&there);
	gate_init(&back);
	pid = t_fork();
	if (pid == 0) {
		p = (int *)at(get(KEY, SIZE, 0), NULL, 0);
		for (i = 0; i < 100; i++) {
			gate_wait(&there);
			p[1024 * (i % 8)] += 1;
			gate_open(&back);
		}
		t_exit();
	}
	p = (int *)at(id, NULL, 0);
	for (i = 0; i < 100; i++) {
		p[1024 * (i % 8)] += 1;
		gate_open(&there);
		gate_wait(&back);
		EXPECT(2 * (i / 8 + 1), p[1024 * (i % 8)]);
	}
	t_reap(pid);
	MUST(shmctl(id, IPC_RMID, NULL));
	MUST(shmdt((void *)p));
	say("%ld turns\n", i);
}

/* A removed segment lives as long as it is attached, and can be attached. */
TEST(removed)
{
	int id = get(KEY, SIZE, IPC_CREAT | 0600), id2;
	char *p = at(id, NULL, 0), *q;
	pid_t pid;

	t_fill(p, SIZE, 3);
	MUST(shmctl(id, IPC_RMID, NULL));
	say_state("removed", id);
	MUST(shmctl(id, IPC_RMID, NULL));
	FAILS(ENOENT, shmget(KEY, 0, 0));
	id2 = get(KEY, PAGE, IPC_CREAT | 0600);
	EXPECT(1, id2 != id);
	q = at(id, NULL, 0);
	EXPECT(0, memcmp(p, q, SIZE));
	say_state("attached again", id);
	pid = t_fork();
	if (pid == 0) {
		MUST(shmdt(q));
		q[0] = 0; /* and is killed for it, with p attached */
		t_exit();
	}
	say("the child: %s\n", t_status(t_wait(pid)));
	say_state("after the child", id);
	MUST(shmdt(p));
	EXPECT(0, munmap(q, SIZE));
	say_state("at the end", id);
	FAILS(EINVAL, (long)shmat(id, NULL, 0));
	say_state("the new one", id2);
	MUST(shmctl(id2, IPC_RMID, NULL));
}

/* Where it is attached, and what is in the way. */
TEST(place)
{
	int id = get(IPC_PRIVATE, 4 * PAGE, 0600);
	char *p = t_map(8), *q;

	strcpy(p + 3 * PAGE, "mine");
	FAILS(EINVAL, (long)shmat(id, p, 0));
	FAILS(EINVAL, (long)shmat(id, p + 7 * PAGE, 0));
	FAILS(EINVAL, (long)shmat(id, NULL, SHM_REMAP));
	FAILS(EINVAL, (long)shmat(id, (void *)5, SHM_RND | SHM_REMAP));
	q = at(id, p, SHM_REMAP);
	EXPECT((long)p, (long)q);
	EXPECT(0, q[3 * PAGE]);
	MUST(shmdt(q));
	say("detached: %s\n", t_try('r', p));
	MUST(munmap(p, 8 * PAGE));
	FAILS(EINVAL, (long)shmat(id, p + 1, 0));
	q = at(id, p + PAGE + 1, SHM_RND);
	EXPECT((long)(p + PAGE), (long)q);
	FAILS(EINVAL, shmdt(q + 1));
	FAILS(EINVAL, shmdt(q + 8 * PAGE));
	FAILS(EINVAL, (long)shmat(id, q + 3 * PAGE, 0));
	MUST(shmdt(q));
	FAILS(EINVAL, shmdt(q));
	FAILS(EINVAL,
	    (long)shmat(id, (void *)(LONG_MAX & ~(PAGE - 1)), 0) == -1
		? (errno == ENOMEM ? (errno = EINVAL, -1) : -1)
		: 0);
	MUST(shmctl(id, IPC_RMID, NULL));
}

/* An attachment in pieces is still one for shmdt, and counts as pieces. */
TEST(pieces)
{
	int id = get(IPC_PRIVATE, SIZE, 0600);
	char *p = at(id, NULL, 0), *q;

	t_fill(p, SIZE, 4);
	MUST(munmap(p + 2 * PAGE, PAGE));
	say_state("a hole", id);
	MUST(mprotect(p + 4 * PAGE, PAGE, PROT_READ));
	say_state("and a read-only page", id);
	q = at(id, NULL, 0);
	EXPECT(0, memcmp(p, q, 2 * PAGE));
	EXPECT(0, memcmp(p + 3 * PAGE, q + 3 * PAGE, 5 * PAGE));
	MUST(munmap(p, PAGE));
	MUST(shmdt(p)); /* its first page is gone already */
	say("detached: %s", t_try('r', p + PAGE));
	say(", %s", t_try('r', p + 4 * PAGE));
	say(", %s\n", t_try('r', p + 7 * PAGE));
	say_state("the other", id);
	MUST(madvise(q, SIZE, MADV_DONTNEED));
	say("it has %08x\n", t_sum(q, SIZE));
	MUST(shmctl(id, IPC_RMID, NULL));
	MUST(shmdt(q));
}

TEST(control)
{
	int id = get(IPC_PRIVATE, PAGE, 0600), i;
	struct shmid_ds ds;
	char *p;

	MUST(shmctl(id, IPC_STAT, &ds));
	EXPECT(0, ds.shm_atime);
	EXPECT(0, ds.shm_dtime);
	EXPECT(1, ds.shm_ctime > 0);
	EXPECT(getpid(), ds.shm_cpid);
	EXPECT(0, ds.shm_lpid);
	EXPECT(0, ds.shm_perm.uid);
	p = at(id, NULL, 0);
	MUST(shmctl(id, IPC_STAT, &ds));
	EXPECT(1, ds.shm_atime > 0);
	EXPECT(getpid(), ds.shm_lpid);
	MUST(shmdt(p));
	ds.shm_perm.mode = 07444;
	ds.shm_segsz = 1;
	MUST(shmctl(id, IPC_SET, &ds));
	MUST(shmctl(id, IPC_STAT, &ds));
	say_state("set", id);
	EXPECT(1, ds.shm_dtime > 0);
	MUST(shmctl(id, IPC_RMID, NULL));
	/* Many, and all go again. */
	for (i = 0; i < 300; i++)
		get(KEY + i, PAGE * (i % 7 + 1), IPC_CREAT | 0600);
	for (i = 0; i < 300; i++)
		MUST(shmctl(get(KEY + i, 0, 0), IPC_RMID, NULL));
	FAILS(ENOENT, shmget(KEY + 7, 0, 0));
}

TEST(errors)
{
	int id = get(KEY, SIZE, IPC_CREAT | 0600);
	struct shmid_ds ds;

	FAILS(EINVAL, shmget(IPC_PRIVATE, 0, 0600));
	FAILS(EINVAL, shmget(IPC_PRIVATE, (size_t)-1, 0600));
	FAILS(EINVAL, shmget(KEY, SIZE + 1, 0));
	FAILS(EEXIST, shmget(KEY, SIZE, IPC_CREAT | IPC_EXCL));
	FAILS(ENOENT, shmget(KEY + 1, SIZE, 0));
	FAILS(EINVAL, (long)shmat(NOT_AN_ID, NULL, 0));
	FAILS(EINVAL, (long)shmat(-1, NULL, 0));
	FAILS(EINVAL, shmctl(NOT_AN_ID, IPC_STAT, &ds));
	FAILS(EINVAL, shmctl(NOT_AN_ID, IPC_RMID, NULL));
	FAILS(EINVAL, shmctl(-1, IPC_RMID, NULL));
	FAILS(EINVAL, shmctl(id, 4711, &ds));
	FAILS(EFAULT, shmctl(id, IPC_STAT, (void *)8));
	FAILS(EFAULT, shmctl(id, IPC_SET, (void *)8));
	FAILS(EINVAL, shmdt((void *)(64 * PAGE)));
	MUST(shmctl(id, IPC_RMID, NULL));
}

/* Threads attach, write, remove and detach all at once. */
static void *
churn(void *arg)
{
	long i, me = (long)arg;
	int id;
	long *p;

	for (i = 0; i < 40; i++) {
		id = get(KEY + i % 4, 4 * PAGE, IPC_CREAT | 0600);
		p = shmat(id, NULL, 0);
		if (p == (void *)-1)
			continue; /* another thread has removed it */
		__atomic_fetch_add(&p[512 * (me % 4)], 1, __ATOMIC_RELAXED);
		shmctl(id, IPC_RMID, NULL);
		EXPECT(1, p[512 * (me % 4)] > 0);
		MUST(shmdt(p));
	}
	return NULL;
}

TEST(smp_churn)
{
	pthread_t td[4];
	long i;

	for (i = 0; i < 4; i++)
		MUST(-pthread_create(&td[i], NULL, churn, (void *)i));
	for (i = 0; i < 4; i++)
		pthread_join(td[i], NULL);
	for (i = 0; i < 4; i++)
		FAILS(ENOENT, shmget(KEY + i, 0, 0));
}
