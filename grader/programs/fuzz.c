/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Seeded garbage at the system-call entry.  A call is decided by the seed and
 * its number alone: which system call, and six arguments from a mix of values
 * that are valid and values that are not.  A child makes the calls, one after the
 * other; when it dies of one, or hangs in it and is killed, a new child goes on
 * with the next.  That the kernel lives, is in order and has lost nothing is
 * for init to see.
 *
 * Only what acts on the whole system is left out, and other processes are not
 * named.  "/tests/fuzz seed_7:v" shows each call on the console.
 */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "t.h"

#define SHORT	500   /* calls of a seed */
#define LONG	10000 /* and in a long run */
#define BATCH	250   /* of a child, at most */
#define STALL	30000 /* us: after two of them a call is broken off */
#define APAGES	64    /* of the arena that pointers point to */
#define NRMAX	470   /* system calls end somewhere below */
#define VERBOSE 99    /* the child's descriptor for that */

/* What the child shares with its parent. */
static struct shared {
	volatile int call;  /* that it is in, or was in last */
	volatile int steps; /* more of them: it goes on */
} * shared;

static char *arena;
static uint32_t rng;
static pid_t child;
static volatile int last_steps; /* that the watch has seen */
static volatile int ticks;	/* for how long nothing else */

/* The next number, below a limit. */
static uint32_t
pick(uint32_t limit)
{
	rng = rng * 1664525u + 1013904223u;
	return (uint32_t)(((uint64_t)(rng >> 4) * limit) >> 28);
}

/* Begins the numbers for one call. */
static void
pick_from(int seed, int call)
{
	rng = (seed * 0x9e3779b1u) ^ (call * 0x85ebca6bu);
	rng ^= rng >> 15;
	pick(2);
}

#define PICK(list) list[pick(sizeof(list) / sizeof(list[0]))]

/* Half of the calls are of these. */
static const short favoured[] = {SYS_mmap, SYS_mmap, SYS_munmap, SYS_mprotect,
    SYS_mremap, SYS_mremap, SYS_madvise, SYS_madvise, SYS_mincore, SYS_msync,
    SYS_mlock, SYS_munlock, SYS_mlock2, SYS_mlockall, SYS_munlockall, SYS_brk,
    SYS_process_vm_readv, SYS_process_vm_writev, SYS_read, SYS_write, SYS_readv,
    SYS_writev, SYS_pread64, SYS_pwrite64, SYS_ftruncate, SYS_openat,
    SYS_sendfile, SYS_clone, SYS_fork, SYS_futex, SYS_rt_sigaction, SYS_shmget,
    SYS_shmat, SYS_shmdt, SYS_shmctl, SYS_sigaltstack, SYS_set_robust_list,
    SYS_ioctl, SYS_fcntl, SYS_getdents64};

/* Whole numbers: sizes, flags, signals, commands. */
static const long numbers[] = {0, 0, 1, 1, 2, 3, 4, 7, 8, 16, 17, 22, 32, 34,
    50, 64, 100, 128, 255, 256, 512, 1023, 4095, 4096, 4096, 4097, 8192, 0x4000,
    0x8000, 0x10000, 0x10012, 0x32, 0x8022, 0x40000, 0x100000, 0x100011, 0x5401,
    0x5402, 0x5413, 0x541b, 0x10000000, 0x7fffffff, 0x80000000, 0xffffffff,
    0x100000001, 0x7fffffffffffffff, -0x7fffffffffffffff - 1, -1, -2, -8, -22,
    -100, -4095, -4096, -4097, 1L << 47, 1L << 62};

/* Names; none leads to what others use. */
static const char *const names[] = {"a", "b", "c", "dir", "dir/a", "dir/../b",
    "link", ".", "", "a/b", "dir/", "./././a", "/proc/self/fd/0",
    "/proc/self/fd/7", "/proc/self/fd/10", "/proc/self/maps", "/proc/self/vm",
    "/proc/self/mem", "/proc/self/exe", "/proc/self/fd/3", "/proc/vmstat",
    "/none/at/all"};

/* Somewhere in the arena, aligned or not, or near its end. */
static long
place(void)
{
	long at = (long)arena + pick(APAGES) * PAGE;

	switch (pick(8)) {
	case 0:
		return at + pick(PAGE);
	case 1:
		return at + PAGE - 1 - pick(64);
	case 2:
		return (long)arena + APAGES * PAGE - pick(64);
	case 3:
		return at + pick(PAGE / 8) * 8;
	default:
		return at;
	}
}

/* A pointer that leads somewhere, or one that does not. */
static long
pointer(void)
{
	static const long bad[] = {0, 0, 1, 8, 0xfff, 0x7fffffffefff,
	    0x7ffffffff000, 0x800000000000, 0x900000000000,
	    (long)0xffff800000000000, (long)0xffffffff80000000,
	    (long)0xffffffff80100000, -16, -1, 0x10000};

	switch (pick(8)) {
	case 0:
		return PICK(bad);
	case 1:
		return (long)pick_from & ~(PAGE - 1); /* the program's code */
	case 2:
	case 3:
		return (long)strcpy(
		    (char *)shared + 64 + pick(32) * 64, PICK(names));
	default:
		return place();
	}
}

/* A value of any kind. */
static long
value(void)
{
	switch (pick(16)) {
	case 0:
	case 1:
	case 2:
	case 3:
	case 4:
		return pointer();
	case 5:
	case 6:
	case 7:
		return pick(16); /* descriptors among others */
	case 8:
		return (1L << pick(64)) + (long)pick(3) - 1;
	case 9:
		return pick(1u << 28) | (long)pick(1u << 28) << pick(36);
	case 10:
		return 1L << pick(20) | 1L << pick(20) | pick(4);
	default:
		return PICK(numbers);
	}
}

/* A process: the caller, its group, or none; never another one. */
static long
process(void)
{
	static const long none[] = {0, 99999, -99999, 0x80000000, 0x7fffffff};

	return pick(2) ? getpid() : PICK(none);
}

/* Decides a call. */
static long
decide(long arg[6])
{
	long nr;
	int i;

	nr = pick(2) ? (long)pick(NRMAX) : (long)PICK(favoured);
	if (pick(16) == 0)
		nr = value();
	for (i = 0; i < 6; i++)
		arg[i] = value();
	/* What there is of memory, most of the time in pages. */
	if (nr >= SYS_mmap && nr <= SYS_munmap && pick(4)) {
		arg[0] = pick(4) ? place() & -PAGE : arg[0];
		arg[1] = pick(4) ? (1 + pick(8)) * PAGE : arg[1];
		arg[2] = pick(4) ? pick(8) : arg[2];
		arg[3] = pick(4) ? 1 + pick(2) + pick(4) * 0x10 : arg[3];
	}
	switch ((uint32_t)nr) {
	case SYS_reboot:
	case SYS_swapon:
	case SYS_swapoff:
	case SYS_ptrace:
		return SYS_getpid;
	case SYS_tgkill:
	case SYS_rt_tgsigqueueinfo:
		arg[1] = process();
		/* FALLTHROUGH */
	case SYS_kill:
	case SYS_tkill:
	case SYS_rt_sigqueueinfo:
	case SYS_setpgid:
	case SYS_prlimit64:
	case SYS_process_vm_readv:
	case SYS_process_vm_writev:
	case SYS_sched_setaffinity:
	case SYS_pidfd_open:
		arg[0] = process();
		break;
	case SYS_rt_sigreturn:
		arg[5] = place() & -16; /* becomes the stack */
		break;
	}
	return nr;
}

/*
 * Makes the call.  Whoever comes back from it as a new process or thread ends
 * there and then, without touching a stack that may be anywhere.
 */
static long
raw(long nr, const long arg[6])
{
	uint32_t n = (uint32_t)nr;
	long forks = n == SYS_fork || n == SYS_vfork || n == SYS_clone ||
	    n == SYS_clone3;
	long stack = n == SYS_rt_sigreturn ? arg[5] : 0;
	register long r10 __asm__("r10") = arg[3];
	register long r8 __asm__("r8") = arg[4];
	register long r9 __asm__("r9") = arg[5];
	long result = nr;

	__asm__ volatile("mov %%rsp, %%r12\n\t"
			 "test %[stack], %[stack]\n\t"
			 "cmovnz %[stack], %%rsp\n\t"
			 "syscall\n\t"
			 "test %[forks], %[forks]\n\t"
			 "jz 1f\n\t"
			 "test %%rax, %%rax\n\t"
			 "jnz 1f\n\t"
			 "mov %[exit], %%eax\n\t"
			 "xor %%edi, %%edi\n\t"
			 "syscall\n"
			 "1:\tmov %%r12, %%rsp"
			 : "+a"(result), "+r"(r10), "+r"(r8), "+r"(r9)
			 : "D"(arg[0]), "S"(arg[1]),
			 "d"(arg[2]), [stack] "r"(stack), [forks] "r"(forks),
			 [exit] "i"(SYS_exit)
			 : "rcx", "r11", "r12", "memory", "cc");
	return result;
}

/* Gives the child its descriptors, memory and files. */
static void
prepare(void)
{
	int i, null, p[2];

	setsid();
	if (t_extra != NULL)
		dup2(2, VERBOSE);
	for (i = 3; i < 64; i++)
		close(i);
	MUST(mkdir("dir", 0755) == -1 && errno != EEXIST ? -1 : 0);
	MUST(open("a", O_RDWR | O_CREAT, 0644)); /* 3 */
	MUST(pipe2(p, O_NONBLOCK));		 /* 4, 5 */
	MUST(open(".", O_RDONLY));		 /* 6 */
	MUST(open("/dev/zero", O_RDWR));	 /* 7 */
	MUST(open("/proc/self/vm", O_RDONLY));	 /* 8 */
	MUST(open("/proc/self/mem", O_RDWR));	 /* 9 */
	open("/dev/ttyS0", O_RDONLY | O_NONBLOCK | O_NOCTTY);
	MUST(write(3, (char *)(uintptr_t)prepare, 5000));
	null = MUST(open("/dev/null", O_RDWR));
	for (i = 0; i < 3; i++)
		MUST(dup2(null, i));
}

/* For whoever watches: milliseconds. */
static long
now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* The child: so many calls from one on. */
static void
calls(int seed, int first, int n)
{
	long arg[6], nr, result;
	int i;

	prepare();
	shared->steps++;
	for (i = first; i < first + n; i++) {
		shared->call = i;
		shared->steps++;
		pick_from(seed, i);
		nr = decide(arg);
		if (t_extra != NULL)
			dprintf(VERBOSE,
			    "%d: %ld(%lx, %lx, %lx, %lx, %lx, %lx)", i, nr,
			    arg[0], arg[1], arg[2], arg[3], arg[4], arg[5]);
		result = raw(nr, arg);
		if (t_extra != NULL)
			dprintf(VERBOSE, " = %ld at %ld ms\n", result, now());
	}
	_exit(0);
}

/* Time has passed: a child that is still in the same call hangs. */
static void
watch(int sig)
{
	(void)sig;
	if (shared->steps != last_steps)
		ticks = 0;
	else if (++ticks >= 2 && child > 0)
		kill(child, SIGKILL);
	last_steps = shared->steps;
}

/* Removes what may be left: shared memory and files. */
static void
tidy(void)
{
	char *argv[] = {"rm", "-rf", "fuzz", NULL};
	struct shmid_ds ds;
	int i, id;
	pid_t pid;

	for (i = shmctl(0, SHM_INFO, (void *)&ds); i >= 0; i--) {
		id = shmctl(i, SHM_STAT, &ds);
		if (id != -1)
			shmctl(id, IPC_RMID, NULL);
	}
	pid = t_fork();
	if (pid == 0) {
		execve("/bin/rm", argv, environ);
		_exit(9);
	}
	t_reap(pid);
}

/* So many calls of one seed. */
static void
run_seed(int seed, int count)
{
	struct itimerval tick = {{0, STALL}, {0, STALL}},
			 none = {{0, 0}, {0, 0}};
	struct sigaction sa = {.sa_handler = watch, .sa_flags = SA_RESTART};
	int next = 0, n, status, tty;
	struct termios ios;
	struct winsize ws;
	long *word;

	MUST(mkdir("fuzz", 0755));
	MUST(chdir("fuzz"));
	tty = MUST(open("/dev/ttyS0", O_RDWR | O_NOCTTY));
	MUST(tcgetattr(tty, &ios));
	MUST(ioctl(tty, TIOCGWINSZ, &ws));
	pick_from(seed, -1);
	for (word = (long *)arena; word < (long *)(arena + APAGES * PAGE);
	     word += 1 + pick(64))
		*word = value();
	shared->call = -1;
	MUST(sigaction(SIGALRM, &sa, NULL));
	MUST(setitimer(ITIMER_REAL, &tick, NULL));
	while (next < count) {
		n = count - next < BATCH ? count - next : BATCH;
		shared->steps++;
		child = t_fork();
		if (child == 0)
			calls(seed, next, n);
		status = t_wait(child);
		child = 0;
		if (t_extra != NULL)
			dprintf(
			    2, "call %d: %s\n", shared->call, t_status(status));
		if (shared->call < next || shared->call >= next + n) {
			say("call %d: no child gets there: %s\n", next,
			    t_status(status));
			t_fails++;
			break;
		}
		next = shared->call + 1;
	}
	MUST(setitimer(ITIMER_REAL, &none, NULL));
	while (waitpid(-1, NULL, 0) > 0)
		continue;
	MUST(tcsetattr(tty, TCSAFLUSH, &ios));
	MUST(ioctl(tty, TIOCSWINSZ, &ws));
	MUST(close(tty));
	MUST(chdir(".."));
	tidy();
	say("seed %d: %d calls\n", seed, next);
}

/* What all seeds use. */
static void
setup(void)
{
	if (access("/proc/vmcheck", F_OK) == -1) {
		say("this is not for Linux\n");
		_exit(1);
	}
	shared = (struct shared *)t_map_shared(1);
	arena = t_map(APAGES);
}

/* Five seeds, so that four groups have twenty, and ten thousand calls. */
TEST(group)
{
	int i;

	setup();
	for (i = 1; i <= 5; i++)
		run_seed((t_arg - 1) * 5 + i, SHORT);
}

/* A long run of one seed. */
TEST(seed)
{
	setup();
	run_seed(t_arg, LONG);
}
