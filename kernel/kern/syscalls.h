/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every system call's kernel function, as kern/syscalls.c's table names it.
 *
 * Pointers are user addresses, to be touched by kern/uaccess.h only. Widths
 * are those of Linux's own SYSCALL_DEFINEs: an int argument is the low half
 * of its register. All return a result >= 0 or a negative errno, and run
 * with no lock, token or critical section held. ERESTART and its kin (below)
 * may be returned by calls that a signal interrupted; signal_userret() turns
 * them into EINTR or a repeated call and no program ever sees them.
 */
#ifndef KERN_SYSCALLS_H
#define KERN_SYSCALLS_H

#include <kern/types.h>

/*
 * Linux's own internal numbers (include/linux/errno.h there), beyond every
 * errno of the ABI. Return the negative of:
 *   ERESTARTSYS   repeat, if the handler has SA_RESTART or there is none;
 *                 what read, write, wait4, futex WAIT without a timeout use;
 *   ERESTARTNOHAND repeat only if no handler runs (a stop and continue):
 *                 sigsuspend, pause, poll, select, nanosleep with absolute
 *                 time.
 * A sleep that counts its time down returns EINTR if it cannot resume; see
 * ERESTART_RESTARTBLOCK in kern/time.c.
 */
#define ERESTARTSYS	      512
#define ERESTARTNOHAND	      514
#define ERESTART_RESTARTBLOCK 516

/* --- files: fs/ (descriptors, paths, pipes, terminals) --- */
long sys_read(int fd, void *buf, size_t len);
long sys_write(int fd, const void *buf, size_t len);
long sys_pread64(int fd, void *buf, size_t len, int64_t off);
long sys_pwrite64(int fd, const void *buf, size_t len, int64_t off);
long sys_readv(int fd, const void *iov, int iovcnt);
long sys_writev(int fd, const void *iov, int iovcnt);
long sys_preadv(int fd, const void *iov, int iovcnt, unsigned long off_lo,
    unsigned long off_hi);
long sys_pwritev(int fd, const void *iov, int iovcnt, unsigned long off_lo,
    unsigned long off_hi);
long sys_open(const char *path, int flags, uint32_t mode);
long sys_openat(int dirfd, const char *path, int flags, uint32_t mode);
long sys_creat(const char *path, uint32_t mode);
long sys_close(int fd);
long sys_stat(const char *path, void *st);
long sys_fstat(int fd, void *st);
long sys_lstat(const char *path, void *st);
long sys_newfstatat(int dirfd, const char *path, void *st, int flags);
long sys_statx(
    int dirfd, const char *path, int flags, unsigned int mask, void *stx);
long sys_statfs(const char *path, void *st);
long sys_fstatfs(int fd, void *st);
long sys_poll(void *fds, unsigned int nfds, int timeout_ms);
long sys_ppoll(void *fds, unsigned int nfds, const void *ts,
    const uint64_t *sigmask, size_t sigsetsize);
long sys_select(int nfds, void *rd, void *wr, void *ex, void *tv);
long sys_pselect6(
    int nfds, void *rd, void *wr, void *ex, void *ts, const void *sigarg);
long sys_lseek(int fd, int64_t off, int whence);
long sys_ioctl(int fd, unsigned int cmd, unsigned long arg);
long sys_access(const char *path, int mode);
long sys_faccessat(int dirfd, const char *path, int mode);
long sys_faccessat2(int dirfd, const char *path, int mode, int flags);
long sys_pipe(int *fds);
long sys_pipe2(int *fds, int flags);
long sys_dup(int fd);
long sys_dup2(int fd, int newfd);
long sys_dup3(int fd, int newfd, int flags);
long sys_fcntl(int fd, unsigned int cmd, unsigned long arg);
long sys_flock(int fd, unsigned int op);
long sys_fsync(int fd);
long sys_fdatasync(int fd);
long sys_sync(void);
long sys_syncfs(int fd);
long sys_sendfile(int out_fd, int in_fd, int64_t *off, size_t count);
long sys_truncate(const char *path, int64_t len);
long sys_ftruncate(int fd, int64_t len);
long sys_getdents64(int fd, void *buf, unsigned int len);
long sys_getcwd(char *buf, size_t len);
long sys_chdir(const char *path);
long sys_fchdir(int fd);
long sys_chroot(const char *path);
long sys_rename(const char *from, const char *to);
long sys_renameat(int fromfd, const char *from, int tofd, const char *to);
long sys_renameat2(
    int fromfd, const char *from, int tofd, const char *to, unsigned int flags);
long sys_mkdir(const char *path, uint32_t mode);
long sys_mkdirat(int dirfd, const char *path, uint32_t mode);
long sys_rmdir(const char *path);
long sys_link(const char *from, const char *to);
long sys_linkat(
    int fromfd, const char *from, int tofd, const char *to, int flags);
long sys_unlink(const char *path);
long sys_unlinkat(int dirfd, const char *path, int flags);
long sys_symlink(const char *target, const char *path);
long sys_symlinkat(const char *target, int dirfd, const char *path);
long sys_readlink(const char *path, char *buf, int len);
long sys_readlinkat(int dirfd, const char *path, char *buf, int len);
long sys_mknod(const char *path, uint32_t mode, unsigned int dev);
long sys_mknodat(int dirfd, const char *path, uint32_t mode, unsigned int dev);
long sys_chmod(const char *path, uint32_t mode);
long sys_fchmod(int fd, uint32_t mode);
long sys_fchmodat(int dirfd, const char *path, uint32_t mode);
long sys_chown(const char *path, uint32_t uid, uint32_t gid);
long sys_fchown(int fd, uint32_t uid, uint32_t gid);
long sys_lchown(const char *path, uint32_t uid, uint32_t gid);
long sys_fchownat(
    int dirfd, const char *path, uint32_t uid, uint32_t gid, int flags);
long sys_utimensat(int dirfd, const char *path, const void *times, int flags);
long sys_umask(int mask);
long sys_mount(const char *dev, const char *dir, const char *type,
    unsigned long flags, const void *data);
long sys_umount2(const char *path, int flags);

/* --- memory: vm/ --- */
long sys_mmap(
    uintptr_t addr, size_t len, int prot, int flags, int fd, int64_t off);
long sys_munmap(uintptr_t addr, size_t len);
long sys_mprotect(uintptr_t addr, size_t len, int prot);
long sys_mremap(
    uintptr_t addr, size_t oldlen, size_t newlen, int flags, uintptr_t newaddr);
long sys_madvise(uintptr_t addr, size_t len, int advice);
/* Nymph's own, with DragonFly's number: Linux has come to 4xx. behav is
 * MADV_INVAL, MADV_SETMAP (vm/vm_map.h) or any of madvise's. */
#define SYS_MCONTROL 485
long sys_mcontrol(uintptr_t addr, size_t len, int behav, uint64_t value);
long sys_mincore(uintptr_t addr, size_t len, unsigned char *vec);
long sys_msync(uintptr_t addr, size_t len, int flags);
long sys_swapon(const char *path, int flags);
long sys_swapoff(const char *path);
long sys_mlock(uintptr_t addr, size_t len);
long sys_mlock2(uintptr_t addr, size_t len, int flags);
long sys_munlock(uintptr_t addr, size_t len);
long sys_mlockall(int flags);
long sys_munlockall(void);
long sys_brk(uintptr_t addr);
long sys_process_vm_readv(int pid, const void *liov, unsigned long liovcnt,
    const void *riov, unsigned long riovcnt, unsigned long flags);
long sys_process_vm_writev(int pid, const void *liov, unsigned long liovcnt,
    const void *riov, unsigned long riovcnt, unsigned long flags);

/* --- shared memory: kern/shm.c --- */
long sys_shmget(int key, size_t size, int flag);
long sys_shmat(int id, uintptr_t addr, int flag);
long sys_shmdt(uintptr_t addr);
long sys_shmctl(int id, int cmd, void *buf);

/* --- processes: kern/fork.c, exec.c, exit.c, wait.c --- */
long sys_fork(void);
long sys_vfork(void);
long sys_clone(unsigned long flags, uintptr_t stack, int *parent_tid,
    int *child_tid, unsigned long tls);
long sys_execve(const char *path, const void *argv, const void *envp);
long sys_execveat(
    int dirfd, const char *path, const void *argv, const void *envp, int flags);
long sys_exit(int code);
long sys_exit_group(int code);
long sys_wait4(int pid, int *status, int options, void *rusage);
long sys_waitid(int which, int pid, void *info, int options, void *rusage);

/* --- signals: kern/signal_sys.c, amd64/signal_md.c --- */
long sys_rt_sigaction(int sig, const void *act, void *oact, size_t sigsetsize);
long sys_rt_sigprocmask(
    int how, const uint64_t *set, uint64_t *oset, size_t sigsetsize);
long sys_rt_sigpending(uint64_t *set, size_t sigsetsize);
long sys_rt_sigsuspend(const uint64_t *set, size_t sigsetsize);
long sys_rt_sigtimedwait(
    const uint64_t *set, void *info, const void *ts, size_t sigsetsize);
long sys_rt_sigreturn(void);
long sys_sigaltstack(const void *ss, void *oss);
long sys_kill(int pid, int sig);
long sys_tkill(int tid, int sig);
long sys_tgkill(int tgid, int tid, int sig);
long sys_pause(void);

/* --- futex: kern/futex.c --- */
long sys_futex(uint32_t *uaddr, int op, uint32_t val, const void *utime,
    uint32_t *uaddr2, uint32_t val3);
long sys_set_robust_list(void *head, size_t len);
long sys_get_robust_list(int pid, void *headp, size_t *lenp);

/* --- time: kern/time.c, kern/itimer.c --- */
long sys_clock_gettime(int clock, void *ts);
long sys_clock_getres(int clock, void *ts);
long sys_clock_nanosleep(int clock, int flags, const void *req, void *rem);
long sys_nanosleep(const void *req, void *rem);
long sys_restart_syscall(void);
long sys_gettimeofday(void *tv, void *tz);
long sys_time(int64_t *tp);
long sys_times(void *tms);
long sys_alarm(unsigned int seconds);
long sys_setitimer(int which, const void *val, void *oval);
long sys_getitimer(int which, void *val);

/* --- identity and the rest: kern/kern_misc.c, kern/resource.c --- */
long sys_getpid(void);
long sys_getppid(void);
long sys_gettid(void);
long sys_getuid(void);
long sys_geteuid(void);
long sys_getgid(void);
long sys_getegid(void);
long sys_setuid(uint32_t uid);
long sys_setgid(uint32_t gid);
long sys_getgroups(int size, uint32_t *list);
long sys_getpgid(int pid);
long sys_getpgrp(void);
long sys_setpgid(int pid, int pgid);
long sys_getsid(int pid);
long sys_setsid(void);
long sys_uname(void *buf);
long sys_arch_prctl(int option, unsigned long addr);
long sys_prctl(int option, unsigned long a2, unsigned long a3, unsigned long a4,
    unsigned long a5);
long sys_set_tid_address(int *tidptr);
long sys_sched_yield(void);
long sys_sched_getaffinity(int pid, unsigned int len, unsigned long *mask);
long sys_sched_setaffinity(
    int pid, unsigned int len, const unsigned long *mask);
long sys_getcpu(unsigned int *cpu, unsigned int *node, void *unused);
long sys_getrlimit(unsigned int resource, void *rlim);
long sys_setrlimit(unsigned int resource, const void *rlim);
long sys_prlimit64(
    int pid, unsigned int resource, const void *newlim, void *oldlim);
long sys_getrusage(int who, void *usage);
long sys_sysinfo(void *info);
long sys_getrandom(void *buf, size_t len, unsigned int flags);
long sys_reboot(int magic1, int magic2, unsigned int cmd, void *arg);
long sys_personality(unsigned int persona);

#endif
