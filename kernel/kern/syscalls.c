/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of system calls. What has no entry is -ENOSYS: rseq and
 * membarrier among others, which C libraries probe for.
 *
 * A call's function takes what it declares, in the registers where the
 * psABI puts arguments; the table's type only says that there are at most
 * six.
 */
#include <kern/syscalls.h>

#include <linux/errno.h>

#include <asm/unistd_64.h>

#include <kern/cdefs.h>
#include <kern/syscall.h>
#include <kern/thread.h>

#include <amd64/frame.h>

#define CALL(name) [__NR_##name] = (syscall_fn)(void (*)(void))sys_##name

const syscall_fn syscall_table[SYSCALL_MAX] = {
    /* files */
    CALL(read),
    CALL(write),
    CALL(pread64),
    CALL(pwrite64),
    CALL(readv),
    CALL(writev),
    CALL(preadv),
    CALL(pwritev),
    CALL(open),
    CALL(openat),
    CALL(creat),
    CALL(close),
    CALL(stat),
    CALL(fstat),
    CALL(lstat),
    CALL(newfstatat),
    CALL(statx),
    CALL(statfs),
    CALL(fstatfs),
    CALL(poll),
    CALL(ppoll),
    CALL(select),
    CALL(pselect6),
    CALL(lseek),
    CALL(ioctl),
    CALL(access),
    CALL(faccessat),
    CALL(faccessat2),
    CALL(pipe),
    CALL(pipe2),
    CALL(dup),
    CALL(dup2),
    CALL(dup3),
    CALL(fcntl),
    CALL(flock),
    CALL(fsync),
    CALL(fdatasync),
    CALL(sync),
    CALL(syncfs),
    CALL(sendfile),
    CALL(truncate),
    CALL(ftruncate),
    CALL(getdents64),
    CALL(getcwd),
    CALL(chdir),
    CALL(fchdir),
    CALL(chroot),
    CALL(rename),
    CALL(renameat),
    CALL(renameat2),
    CALL(mkdir),
    CALL(mkdirat),
    CALL(rmdir),
    CALL(link),
    CALL(linkat),
    CALL(unlink),
    CALL(unlinkat),
    CALL(symlink),
    CALL(symlinkat),
    CALL(readlink),
    CALL(readlinkat),
    CALL(mknod),
    CALL(mknodat),
    CALL(chmod),
    CALL(fchmod),
    CALL(fchmodat),
    CALL(chown),
    CALL(fchown),
    CALL(lchown),
    CALL(fchownat),
    CALL(utimensat),
    CALL(umask),
    CALL(mount),
    CALL(umount2),

    /* memory */
    CALL(mmap),
    CALL(munmap),
    CALL(mprotect),
    CALL(mremap),
    CALL(madvise),
    [SYS_MCONTROL] = (syscall_fn)(void (*)(void))sys_mcontrol,
    CALL(mincore),
    CALL(msync),
    CALL(swapon),
    CALL(swapoff),
    CALL(mlock),
    CALL(mlock2),
    CALL(munlock),
    CALL(mlockall),
    CALL(munlockall),
    CALL(brk),
    CALL(process_vm_readv),
    CALL(process_vm_writev),

    /* shared memory */
    CALL(shmget),
    CALL(shmat),
    CALL(shmdt),
    CALL(shmctl),

    /* processes and threads */
    CALL(fork),
    CALL(vfork),
    CALL(clone),
    CALL(execve),
    CALL(execveat),
    CALL(exit),
    CALL(exit_group),
    CALL(wait4),
    CALL(waitid),
    CALL(getpid),
    CALL(getppid),
    CALL(gettid),
    CALL(getuid),
    CALL(geteuid),
    CALL(getgid),
    CALL(getegid),
    CALL(setuid),
    CALL(setgid),
    CALL(getgroups),
    CALL(getpgid),
    CALL(getpgrp),
    CALL(setpgid),
    CALL(getsid),
    CALL(setsid),
    CALL(uname),
    CALL(arch_prctl),
    CALL(prctl),
    CALL(personality),
    CALL(set_tid_address),
    CALL(futex),
    CALL(set_robust_list),
    CALL(get_robust_list),
    CALL(sched_yield),
    CALL(sched_getaffinity),
    CALL(sched_setaffinity),
    CALL(getcpu),

    /* signals */
    CALL(rt_sigaction),
    CALL(rt_sigprocmask),
    CALL(rt_sigpending),
    CALL(rt_sigsuspend),
    CALL(rt_sigtimedwait),
    CALL(rt_sigreturn),
    CALL(sigaltstack),
    CALL(kill),
    CALL(tkill),
    CALL(tgkill),
    CALL(pause),

    /* time */
    CALL(clock_gettime),
    CALL(clock_getres),
    CALL(clock_nanosleep),
    CALL(nanosleep),
    CALL(restart_syscall),
    CALL(gettimeofday),
    CALL(time),
    CALL(times),
    CALL(alarm),
    CALL(setitimer),
    CALL(getitimer),

    /* resources */
    CALL(getrlimit),
    CALL(setrlimit),
    CALL(prlimit64),
    CALL(getrusage),
    CALL(sysinfo),
    CALL(getrandom),
    CALL(reboot),
};

/*
 * Whether a result asks for the call to be settled by signal_userret().
 */
static bool
wants_restart(long result)
{
	return result == -ERESTARTSYS || result == -ERESTARTNOHAND ||
	    result == -ERESTART_RESTARTBLOCK;
}

/*
 * Runs the call of a frame that came by SYSCALL. Interrupts are enabled and
 * nothing is held, before and after. The call may have rewritten the frame
 * (execve, rt_sigreturn); rax is its result all the same.
 */
void
syscall(struct trapframe *tf)
{
	/* As Linux: the number is an int, the upper half is not looked at. */
	uint32_t number = (uint32_t)tf->tf_err;
	syscall_fn fn = NULL;
	long result = -ENOSYS;

	if (number < SYSCALL_MAX)
		fn = syscall_table[number];
	if (fn != NULL)
		result =
		    fn((long)tf->tf_rdi, (long)tf->tf_rsi, (long)tf->tf_rdx,
			(long)tf->tf_r10, (long)tf->tf_r8, (long)tf->tf_r9);
	tf->tf_rax = (uint64_t)result;
	/* Another thread may take the signal that broke the call off. */
	if (unlikely(wants_restart(result)) && tf->tf_trapno == T_SYSCALL)
		atomic_set_uint(&curthread->td_flags, TDF_SIGPENDING);
}
