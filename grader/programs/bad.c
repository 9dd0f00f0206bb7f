/* SPDX-License-Identifier: BSD-2-Clause */
/* Bad pointers, flags and sizes: the errno that Linux gives, and no harm. */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "t.h"

/*
 * The bad addresses: the null page, an unmapped page, one that only reads, the
 * kernel's own memory, its very end, and one that no processor translates.
 */
static long bad[7];
static const char *const bad_names[7] = {
    "null", "unmapped", "none", "readonly", "kernel", "top", "hole"};

#define READONLY 3 /* its place among the bad addresses */

/* Makes the bad addresses. */
static void
make_bad(void)
{
	char *p = t_map(4);

	bad[0] = 8;
	bad[1] = (long)p;
	bad[2] = (long)p + PAGE;
	bad[3] = (long)p + 2 * PAGE;
	bad[4] = 0xffffffff80100000;
	bad[5] = -16;
	bad[6] = 0x0000900000000000;
	MUST(munmap(p, PAGE));
	MUST(mprotect(p + PAGE, PAGE, PROT_NONE));
	p[2 * PAGE] = 1;
	MUST(mprotect(p + 2 * PAGE, PAGE, PROT_READ));
}

/*
 * Calls with every bad address in the place of `a`; prints what is not EFAULT.
 * The address that reads is left out where the kernel only reads.
 */
#define EACH(writes, call)                                                     \
	do {                                                                   \
		for (int i_ = 0; i_ < 7; i_++) {                               \
			long a = bad[i_], r_;                                  \
			if (i_ == READONLY && !(writes))                       \
				continue;                                      \
			r_ = (call);                                           \
			if (r_ != -1 || errno != EFAULT)                       \
				say("%s at %s: %s\n", #call, bad_names[i_],    \
				    r_ == -1 ? t_errname(errno) : "no error"); \
		}                                                              \
	} while (0)

/* read, readv, pread, getdents64, getcwd: the kernel writes. */
TEST(read_into)
{
	struct iovec iov = {0, 4};
	int fd, dir, p[2];

	make_bad();
	fd = t_file("ri", "content", 7);
	dir = MUST(open(".", O_RDONLY));
	MUST(pipe(p));
	EXPECT(4, write(p[1], "pipe", 4));
	EACH(1, syscall(SYS_read, fd, a, 4L));
	EACH(1, syscall(SYS_pread64, fd, a, 4L, 0L));
	EACH(1, (iov.iov_base = (void *)a, readv(fd, &iov, 1)));
	EACH(0, syscall(SYS_readv, fd, a, 1L));
	EACH(1, syscall(SYS_getdents64, dir, a, 512L));
	EACH(1, syscall(SYS_getcwd, a, 64L));
	EACH(1, syscall(SYS_read, p[0], a, 4L));
	EACH(1, syscall(SYS_readlink, "/proc/self/exe", a, 64L));
	EXPECT(0, lseek(fd, 0, SEEK_CUR));
	EXPECT(0, syscall(SYS_read, fd, bad[0], 0L));
	MUST(close(fd));
	MUST(unlink("ri"));
	say("done\n");
}

/* write, writev, pwrite: the kernel reads. */
TEST(write_from)
{
	struct iovec iov = {0, 4};
	int fd, p[2];

	make_bad();
	fd = t_file("wf", "content", 7);
	MUST(pipe(p));
	EACH(0, syscall(SYS_write, fd, a, 4L));
	EACH(0, syscall(SYS_pwrite64, fd, a, 4L, 0L));
	EACH(0, syscall(SYS_pwrite64, fd, a, 4L, 7L));
	EACH(0, syscall(SYS_pwrite64, fd, a, 9L, 5L));
	EACH(0, syscall(SYS_write, p[1], a, 4L));
	EACH(0, (iov.iov_base = (void *)a, writev(fd, &iov, 1)));
	EACH(0, syscall(SYS_writev, fd, a, 1L));
	EXPECT(0, lseek(fd, 0, SEEK_CUR));
	EXPECT(7, lseek(fd, 0, SEEK_END));
	MUST(close(fd));
	MUST(unlink("wf"));
	say("done\n");
}

/* Everything that takes a path. */
TEST(paths)
{
	struct stat st;
	char buf[16];

	make_bad();
	EACH(0, syscall(SYS_open, a, O_RDONLY));
	EACH(0, syscall(SYS_openat, AT_FDCWD, a, O_RDONLY));
	EACH(0, syscall(SYS_stat, a, &st));
	EACH(0, syscall(SYS_lstat, a, &st));
	EACH(0, syscall(SYS_access, a, 0L));
	EACH(0, syscall(SYS_mkdir, a, 0755L));
	EACH(0, syscall(SYS_rmdir, a));
	EACH(0, syscall(SYS_unlink, a));
	EACH(0, syscall(SYS_chdir, a));
	EACH(0, syscall(SYS_rename, a, "x"));
	EACH(0, syscall(SYS_symlink, a, "x"));
	EACH(0, syscall(SYS_readlink, a, buf, 16L));
	EACH(0, syscall(SYS_execve, a, NULL, NULL));
	say("done\n");
}

/* Where the kernel puts what it found out. */
TEST(results)
{
	int low;

	make_bad();
	low = MUST(dup(0));
	MUST(close(low));
	EACH(1, syscall(SYS_stat, "/", a));
	EACH(1, syscall(SYS_lstat, "/", a));
	EACH(1, syscall(SYS_fstat, 0, a));
	EACH(1, syscall(SYS_newfstatat, AT_FDCWD, "/", a, 0L));
	EACH(1, syscall(SYS_pipe, a));
	EACH(1, syscall(SYS_pipe2, a, 0L));
	EXPECT(low, dup(0)); /* no end was left open */
	EXPECT(low + 1, dup(0));
	EACH(1, syscall(SYS_uname, a));
	EACH(1, syscall(SYS_sysinfo, a));
	EACH(1, syscall(SYS_getrlimit, 3, a));
	EACH(1, syscall(SYS_getrusage, 0, a));
	say("done\n");
}

/* Time. */
TEST(times)
{
	struct timespec ts = {0, 1};

	make_bad();
	EACH(1, syscall(SYS_clock_gettime, CLOCK_MONOTONIC, a));
	EACH(1, syscall(SYS_gettimeofday, a, NULL));
	EACH(0, syscall(SYS_nanosleep, a, NULL));
	ts.tv_nsec = 1000000000;
	FAILS(EINVAL, nanosleep(&ts, NULL));
	ts.tv_nsec = -1;
	FAILS(EINVAL, nanosleep(&ts, NULL));
	ts.tv_sec = -1;
	ts.tv_nsec = 0;
	FAILS(EINVAL, nanosleep(&ts, NULL));
	FAILS(EINVAL, syscall(SYS_clock_gettime, 99, &ts));
	say("done\n");
}

/* Signals. */
TEST(signals)
{
	sigset_t set;

	make_bad();
	sigemptyset(&set);
	EACH(0, syscall(SYS_rt_sigaction, SIGUSR1, a, NULL, 8L));
	EACH(1, syscall(SYS_rt_sigaction, SIGUSR1, NULL, a, 8L));
	EACH(0, syscall(SYS_rt_sigprocmask, SIG_BLOCK, a, NULL, 8L));
	EACH(1, syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, a, 8L));
	EACH(1, syscall(SYS_rt_sigpending, a, 8L));
	EACH(0, syscall(SYS_rt_sigsuspend, a, 8L));
	EACH(0, syscall(SYS_sigaltstack, a, NULL));
	EACH(1, syscall(SYS_sigaltstack, NULL, a));
	FAILS(EINVAL, syscall(SYS_rt_sigaction, SIGUSR1, NULL, NULL, 4L));
	FAILS(EINVAL, syscall(SYS_rt_sigprocmask, SIG_BLOCK, &set, NULL, 4L));
	FAILS(EINVAL, syscall(SYS_rt_sigprocmask, 77, &set, NULL, 8L));
	say("done\n");
}

/* execve: the arrays, and what they point at. */
TEST(exec)
{
	char *argv[] = {"exec", NULL, NULL};

	make_bad();
	EACH(0, syscall(SYS_execve, "/tests/exec", a, NULL));
	EACH(0,
	    (argv[1] = (char *)a,
		syscall(SYS_execve, "/tests/exec", argv, NULL)));
	argv[1] = NULL;
	EACH(0, syscall(SYS_execve, "/tests/exec", argv, a));
	say("done\n");
}

/* Descriptors that are none, and operations that do not fit. */
TEST(descriptors)
{
	char buf[8];
	struct stat st;
	int fd, dir;

	fd = t_file("ds", "x", 1);
	MUST(close(fd));
	fd = MUST(open("ds", O_RDONLY));
	dir = MUST(open(".", O_RDONLY));
	FAILS(EBADF, read(-1, buf, 1));
	FAILS(EBADF, write(777, buf, 1));
	FAILS(EBADF, close(777));
	FAILS(EBADF, close(-1));
	FAILS(EBADF, lseek(777, 0, SEEK_SET));
	FAILS(EBADF, fstat(777, &st));
	FAILS(EBADF, ftruncate(777, 0));
	FAILS(EBADF, fcntl(777, F_GETFL));
	FAILS(EBADF, write(fd, "x", 1));
	FAILS(EINVAL, ftruncate(fd, 0));
	FAILS(EISDIR, read(dir, buf, 1));
	FAILS(ENOTDIR, syscall(SYS_getdents64, fd, buf, 8L));
	FAILS(EINVAL, syscall(SYS_getdents64, dir, buf, 8L));
	FAILS(EBADF, openat(777, "x", O_RDONLY));
	FAILS(ENOTDIR, openat(fd, "x", O_RDONLY));
	FAILS(EINVAL, pread(fd, buf, 1, -1));
	FAILS(ENOENT, open("", O_RDONLY));
	FAILS(ENOTTY, syscall(SYS_ioctl, fd, 0x5401L, buf));
	FAILS(EBADF, syscall(SYS_ioctl, 777, 0x5401L, buf));
	MUST(close(fd));
	MUST(unlink("ds"));
	say("done\n");
}

/* Vectors: too many, too long, and the sum of the lengths. */
TEST(vectors)
{
	struct iovec iov[2];
	char buf[8];
	int fd;

	fd = t_file("bv", "0123456789", 10);
	iov[0].iov_base = iov[1].iov_base = buf;
	iov[0].iov_len = iov[1].iov_len = 4;
	FAILS(EINVAL, readv(fd, iov, -1));
	FAILS(EINVAL, readv(fd, iov, 1025));
	EXPECT(0, readv(fd, iov, 0));
	iov[1].iov_len = -1L;
	FAILS(EINVAL, readv(fd, iov, 2));
	EXPECT(0, lseek(fd, 0, SEEK_CUR));
	MUST(close(fd));
	MUST(unlink("bv"));
	say("done\n");
}

/* Numbers that belong to no system call. */
TEST(numbers)
{
	FAILS(ENOSYS, syscall(100000));
	FAILS(ENOSYS, syscall(-5));
	FAILS(ENOSYS, syscall(0x7fffffff));
	FAILS(ENOSYS, syscall(1000));
	say("done\n");
}

/* clone: flags that contradict each other. */
TEST(clone)
{
	int status = -1;
	pid_t pid;

	FAILS(EINVAL, syscall(SYS_clone, 0x00010000L, 0, 0, 0, 0)); /* THREAD */
	FAILS(
	    EINVAL, syscall(SYS_clone, 0x00000800L, 0, 0, 0, 0)); /* SIGHAND */
	FAILS(EINVAL, syscall(SYS_clone, 0x00010000L | 0x800, 0, 0, 0, 0));
	FAILS(EINVAL, syscall(SYS_clone, 0x00020000L | 0x200, 0, 0, 0, 0));
	/* A signal to the parent that there is not: none is sent. */
	pid = MUST(syscall(SYS_clone, 200L, 0, 0, 0, 0));
	if (pid == 0)
		_exit(5);
	MUST(waitpid(pid, &status, __WALL));
	say("%s\n", t_status(status));
	say("done\n");
}

/* A string that runs from a good page into a bad one. */
TEST(crossing)
{
	char *p = t_map(2), *s;
	int fd;

	MUST(munmap(p + PAGE, PAGE));
	s = p + PAGE - 3;
	memcpy(s, "abc", 3); /* no end in sight */
	FAILS(EFAULT, syscall(SYS_open, s, O_RDONLY));
	memcpy(s, "ab", 3);
	FAILS(ENOENT, syscall(SYS_open, s, O_RDONLY));
	fd = t_file("cr", "0123456789", 10);
	FAILS(EFAULT, syscall(SYS_fstat, fd, p + PAGE - 8));
	FAILS(
	    EFAULT, syscall(SYS_clock_gettime, CLOCK_MONOTONIC, p + PAGE - 8));
	FAILS(EFAULT, syscall(SYS_pipe, p + PAGE - 4));
	MUST(close(fd));
	MUST(unlink("cr"));
	say("done\n");
}
