/* SPDX-License-Identifier: BSD-2-Clause */
/* Signals: handlers, masks, and what comes back from them. */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "t.h"

static volatile int *volatile no_address = (volatile int *)8;
static volatile int hits, last_sig, last_code, last_pid, in_handler_mask;

/* Counts and notes. */
static void
note(int sig, siginfo_t *si, void *uc)
{
	sigset_t mask;

	(void)uc;
	hits++;
	last_sig = sig;
	last_code = si->si_code;
	last_pid = si->si_pid;
	sigprocmask(SIG_BLOCK, NULL, &mask);
	in_handler_mask =
	    sigismember(&mask, sig) + 2 * sigismember(&mask, SIGUSR2);
}

/* Installs note() for one signal. */
static void catch (int sig, int flags)
{
	struct sigaction sa;

	memset(&sa, 0, sizeof(sa));
	sa.sa_sigaction = note;
	sa.sa_flags = SA_SIGINFO | flags;
	sigaddset(&sa.sa_mask, SIGUSR2);
	MUST(sigaction(sig, &sa, NULL));
}

/* A handler runs before kill() of oneself returns, with its mask set. */
TEST(handler)
{
	sigset_t mask;

	catch (SIGUSR1, 0);
	MUST(kill(getpid(), SIGUSR1));
	say("%d hits, signal %d, code %d, self %d, mask %d\n", hits, last_sig,
	    last_code, last_pid == getpid(), in_handler_mask);
	sigprocmask(SIG_BLOCK, NULL, &mask);
	say("after: %d %d\n", sigismember(&mask, SIGUSR1),
	    sigismember(&mask, SIGUSR2));
}

/* A blocked signal waits, once however often it was sent. */
TEST(blocked)
{
	sigset_t set, pend;
	int i;

	catch (SIGUSR1, 0);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	MUST(sigprocmask(SIG_BLOCK, &set, NULL));
	for (i = 0; i < 5; i++)
		MUST(kill(getpid(), SIGUSR1));
	MUST(sigpending(&pend));
	say("%d hits, pending %d\n", hits, sigismember(&pend, SIGUSR1));
	MUST(sigprocmask(SIG_UNBLOCK, &set, NULL));
	MUST(sigpending(&pend));
	say("%d hits, pending %d\n", hits, sigismember(&pend, SIGUSR1));
}

/* SIG_IGN, SIG_DFL, and the action that sigaction gives back. */
TEST(actions)
{
	struct sigaction sa, old;
	pid_t pid;

	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = SIG_IGN;
	MUST(sigaction(SIGUSR1, &sa, &old));
	EXPECT(1, old.sa_handler == SIG_DFL);
	MUST(kill(getpid(), SIGUSR1));
	MUST(sigaction(SIGUSR1, NULL, &old));
	EXPECT(1, old.sa_handler == SIG_IGN);
	catch (SIGUSR1, SA_RESETHAND);
	MUST(kill(getpid(), SIGUSR1));
	MUST(sigaction(SIGUSR1, NULL, &old));
	EXPECT(1, old.sa_handler == SIG_DFL);
	say("%d hits\n", hits);
	pid = t_fork();
	if (pid == 0) {
		kill(getpid(), SIGUSR1);
		_exit(0);
	}
	say("%s\n", t_status(t_wait(pid)));
	FAILS(EINVAL, sigaction(SIGKILL, &sa, NULL));
	FAILS(EINVAL, sigaction(SIGSTOP, &sa, NULL));
	FAILS(EINVAL, sigaction(0, &sa, NULL));
	FAILS(EINVAL, sigaction(65, &sa, NULL));
}

/* kill: whom, with what, and nobody there. */
TEST(kill_forms)
{
	FAILS(EINVAL, kill(getpid(), 65));
	FAILS(EINVAL, kill(getpid(), -1));
	FAILS(ESRCH, kill(1 << 21, 0));
	EXPECT(0, kill(getpid(), 0));
	catch (SIGUSR1, 0);
	MUST(syscall(SYS_tkill, syscall(SYS_gettid), SIGUSR1));
	say("%d hits, code %d\n", hits, last_code);
}

/*
 * Gives every register a value, faults, and looks at them again: nothing may
 * have changed but what the handler mended.
 */
static volatile char *mend_page;

static void
mend(int sig)
{
	volatile double x = 1.5;

	(void)sig;
	hits++;
	x = x * hits + 3; /* uses the vector registers */
	mprotect((char *)mend_page, PAGE, PROT_READ | PROT_WRITE);
}

/* Registers, flags and vector registers survive a handler. */
TEST(registers)
{
	uint64_t in[14], out[14], flags;
	uint64_t xin[4] = {1, 0x123456789abcdef0, 3, ~0UL}, xout[4];
	int i, same = 0;

	mend_page = t_map(1);
	MUST(mprotect((char *)mend_page, PAGE, PROT_READ));
	signal(SIGSEGV, mend);
	for (i = 0; i < 14; i++)
		in[i] = 0x0101010101010101UL * (i + 1);
	in[2] = (uint64_t)mend_page;
	__asm__ volatile(
	    "push %%rbp; push %%rbx; push %%rdi; push %%rsi; push %%rdx\n"
	    "movdqu (%%rdx), %%xmm0; movdqu 16(%%rdx), %%xmm15\n"
	    "mov 0(%%rdi), %%rax; mov 8(%%rdi), %%rbx; mov 16(%%rdi), %%rcx\n"
	    "mov 24(%%rdi), %%rdx; mov 32(%%rdi), %%rsi\n"
	    "mov 48(%%rdi), %%r8; mov 56(%%rdi), %%r9; mov 64(%%rdi), %%r10\n"
	    "mov 72(%%rdi), %%r11; mov 80(%%rdi), %%r12; mov 88(%%rdi), %%r13\n"
	    "mov 96(%%rdi), %%r14; mov 104(%%rdi), %%rbp\n"
	    "stc; std\n"
	    "movb $7, 9(%%rcx)\n" /* the fault */
	    "pushfq; cld\n"
	    "push %%rsi\n"
	    "mov 24(%%rsp), %%rsi\n"
	    "mov %%rax, 0(%%rsi); mov %%rbx, 8(%%rsi); mov %%rcx, 16(%%rsi)\n"
	    "mov %%rdx, 24(%%rsi); pop %%rax; mov %%rax, 32(%%rsi)\n"
	    "mov %%rdi, 40(%%rsi); mov %%r8, 48(%%rsi); mov %%r9, 56(%%rsi)\n"
	    "mov %%r10, 64(%%rsi); mov %%r11, 72(%%rsi); mov %%r12, 80(%%rsi)\n"
	    "mov %%r13, 88(%%rsi); mov %%r14, 96(%%rsi); mov %%rbp, "
	    "104(%%rsi)\n"
	    "pop %%rax\n"
	    "pop %%rdx; pop %%rsi; pop %%rdi; pop %%rbx; pop %%rbp\n"
	    "mov %%rax, (%2)\n"
	    "movdqu %%xmm0, (%3); movdqu %%xmm15, 16(%3)\n"
	    :
	    : "D"(in), "S"(out), "r"(&flags), "r"(xout), "d"(xin)
	    : "rax", "rcx", "r8", "r9", "r10", "r11", "r12", "r13", "r14",
	    "memory", "cc", "xmm0", "xmm15");
	in[5] = (uint64_t)in;
	for (i = 0; i < 14; i++)
		same += in[i] == out[i];
	say("%d of 14 registers, carry %d, direction %d\n", same,
	    (int)(flags & 1), (int)(flags >> 10 & 1));
	say("vectors %d, %d handlers, byte %d\n",
	    memcmp(xin, xout, sizeof(xin)), hits, mend_page[9]);
}

/* SIGCHLD comes when a child ends, and tells whose and how. */
static volatile int chld_status, chld_code, chld_pid;

static void
chld(int sig, siginfo_t *si, void *uc)
{
	(void)sig;
	(void)uc;
	hits++;
	chld_status = si->si_status;
	chld_code = si->si_code;
	chld_pid = si->si_pid;
}

/* By exit and by signal. */
TEST(child)
{
	struct sigaction sa;
	sigset_t set, old;
	pid_t pid;
	int i;

	memset(&sa, 0, sizeof(sa));
	sa.sa_sigaction = chld;
	sa.sa_flags = SA_SIGINFO;
	MUST(sigaction(SIGCHLD, &sa, NULL));
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	MUST(sigprocmask(SIG_BLOCK, &set, &old));
	for (i = 0; i < 2; i++) {
		pid = t_fork();
		if (pid == 0) {
			if (i == 1)
				raise(SIGKILL);
			_exit(33);
		}
		FAILS(EINTR, sigsuspend(&old));
		say("%d hits, status %d, code %d, right pid %d\n", hits,
		    chld_status, chld_code, chld_pid == pid);
		say("%s\n", t_status(t_wait(pid)));
	}
}

/* A read that a handler interrupts: EINTR, or started again by SA_RESTART. */
TEST(interrupt)
{
	int fd[2], i, flags;
	char c = 0;
	pid_t pid, me = getpid();

	for (i = 0; i < 2; i++) {
		flags = i == 0 ? 0 : SA_RESTART;
		MUST(pipe(fd));
		catch (SIGUSR1, flags);
		pid = t_fork();
		if (pid == 0) {
			usleep(50000);
			kill(me, SIGUSR1);
			usleep(50000);
			(void)!write(fd[1], "r", 1);
			t_exit();
		}
		if (i == 0)
			FAILS(EINTR, read(fd[0], &c, 1));
		else
			EXPECT(1, read(fd[0], &c, 1));
		t_reap(pid);
		close(fd[0]);
		close(fd[1]);
		say("%d hits\n", hits);
	}
}

/* nanosleep says how much of the sleep was left. */
TEST(sleep)
{
	struct timespec ts = {30, 0}, left = {0, 0};
	pid_t pid, me = getpid();

	catch (SIGUSR1, 0);
	pid = t_fork();
	if (pid == 0) {
		usleep(50000);
		kill(me, SIGUSR1);
		t_exit();
	}
	FAILS(EINTR, nanosleep(&ts, &left));
	t_reap(pid);
	say("%d\n", left.tv_sec >= 20 && left.tv_sec < 30);
	ts.tv_sec = 0;
	ts.tv_nsec = 1000000;
	EXPECT(0, nanosleep(&ts, &left));
}

/* A fault while SIGSEGV is blocked or ignored kills. */
TEST(forced)
{
	sigset_t set;
	pid_t pid;
	int i;

	for (i = 0; i < 3; i++) {
		pid = t_fork();
		if (pid == 0) {
			sigemptyset(&set);
			sigaddset(&set, SIGSEGV);
			if (i == 0)
				sigprocmask(SIG_BLOCK, &set, NULL);
			else if (i == 1)
				signal(SIGSEGV, SIG_IGN);
			*no_address = 1;
			_exit(0);
		}
		say("%s\n", t_status(t_wait(pid)));
	}
}

/* Past the end of a file's last page there is SIGBUS. */
TEST(bus)
{
	char *p;
	int fd;

	fd = t_file("bus", "end", 3);
	p = (char *)MUST(
	    mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
	say("%s %s ", t_try('r', p), t_try('r', p + PAGE - 1));
	say("%s ", t_try('r', p + PAGE));
	say("%s\n", t_try('w', p + 2 * PAGE + 7));
	MUST(munmap(p, 3 * PAGE));
	MUST(close(fd));
	MUST(unlink("bus"));
}

/* Other traps: divide error, undefined instruction, breakpoint. */
TEST(traps)
{
	pid_t pid;
	int i;

	for (i = 0; i < 4; i++) {
		pid = t_fork();
		if (pid == 0) {
			if (i == 0)
				__asm__ volatile(
				    "xor %%ecx, %%ecx; mov $1, %%eax; cltd;"
				    "idiv %%ecx" ::
					: "eax", "ecx", "edx");
			else if (i == 1)
				__asm__ volatile("ud2");
			else if (i == 2)
				__asm__ volatile("int3");
			else
				__asm__ volatile("hlt");
			_exit(0);
		}
		say("%d\n", WTERMSIG(t_wait(pid)));
	}
}

/* Signals do not pass to the child; handlers and the mask do. */
TEST(fork)
{
	sigset_t set, pend;
	pid_t pid;

	catch (SIGUSR1, 0);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	MUST(sigprocmask(SIG_BLOCK, &set, NULL));
	MUST(kill(getpid(), SIGUSR1));
	pid = t_fork();
	if (pid == 0) {
		MUST(sigpending(&pend));
		EXPECT(0, sigismember(&pend, SIGUSR1));
		MUST(kill(getpid(), SIGUSR1));
		EXPECT(0, hits);
		MUST(sigprocmask(SIG_UNBLOCK, &set, NULL));
		say("child %d\n", hits);
		t_exit();
	}
	t_reap(pid);
	MUST(sigprocmask(SIG_UNBLOCK, &set, NULL));
	say("parent %d\n", hits);
}
