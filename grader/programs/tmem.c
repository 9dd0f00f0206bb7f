/* SPDX-License-Identifier: BSD-2-Clause */
/* What the behaviour tests share: memory, faults, and /proc readers. */

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "t.h"

/* The text of /proc/PID/vm; static, so that reading it maps nothing new. */
static char vmtext[256 * 1024];

static sigjmp_buf tryjmp;
static volatile int trysig, trycode;
static void *volatile tryaddr;

/* Maps private anonymous memory between two pages that nobody may touch. */
char *
t_map(long pages)
{
	char *p;

	p = (char *)MUST(mmap(NULL, (pages + 2) * PAGE, PROT_NONE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	return (char *)MUST(mmap(p + PAGE, pages * PAGE, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
}

/* The same, shared with the children to come. */
char *
t_map_shared(long pages)
{
	char *p;

	p = (char *)MUST(mmap(NULL, (pages + 2) * PAGE, PROT_NONE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	return (char *)MUST(mmap(p + PAGE, pages * PAGE, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
}

/*
 * Fills memory with a pattern that no two seeds share.  Eight bytes at a time:
 * under emulation every instruction counts.
 */
void
t_fill(void *buf, size_t len, uint32_t seed)
{
	uint64_t x = (seed + 1) * 0x9e3779b97f4a7c15UL;
	unsigned char *p = buf;
	size_t n;

	for (; len > 0; len -= n, p += n) {
		x = x * 6364136223846793005UL + 1442695040888963407UL;
		n = len < sizeof(x) ? len : sizeof(x);
		memcpy(p, &x, n);
	}
}

/* A checksum of memory, in which every byte and its place count. */
uint32_t
t_sum(const void *buf, size_t len)
{
	const unsigned char *p = buf;
	uint64_t h = len, x;
	size_t n;

	for (; len > 0; len -= n, p += n) {
		x = 0;
		n = len < sizeof(x) ? len : sizeof(x);
		memcpy(&x, p, n);
		h = (h ^ x) * 0x9e3779b97f4a7c15UL;
		h ^= h >> 29;
	}
	return h ^ h >> 32;
}

/* Notes the fault of t_try and leaves the access. */
static void
try_handler(int sig, siginfo_t *si, void *uc)
{
	(void)uc;
	trysig = sig;
	trycode = si->si_code;
	tryaddr = si->si_addr;
	siglongjmp(tryjmp, 1);
}

/*
 * Tries one access, 'r'ead, 'w'rite (of the byte that is there) or e'x'ecute
 * (the code must return), and says what came of it: "ok" or the signal with its
 * code.  The fault's address must be the accessed one, unless how is 'R' or 'W'.
 */
const char *
t_try(int how, volatile void *addr)
{
	static char other[40];
	struct sigaction sa, segv, bus;
	volatile char *p = addr;

	memset(&sa, 0, sizeof(sa));
	sa.sa_sigaction = try_handler;
	sa.sa_flags = SA_SIGINFO;
	MUST(sigaction(SIGSEGV, &sa, &segv));
	MUST(sigaction(SIGBUS, &sa, &bus));
	trysig = 0;
	if (sigsetjmp(tryjmp, 1) == 0) {
		if (how == 'r' || how == 'R')
			(void)*p;
		else if (how == 'w' || how == 'W')
			*p = (char)0xa5;
		else
			((void (*)(void))(uintptr_t)addr)();
	}
	MUST(sigaction(SIGSEGV, &segv, NULL));
	MUST(sigaction(SIGBUS, &bus, NULL));
	if (trysig == 0)
		return "ok";
	if (how >= 'a')
		EXPECT((uintptr_t)addr, (uintptr_t)tryaddr);
	if (trysig == SIGSEGV && trycode == SEGV_MAPERR)
		return "SEGV_MAPERR";
	if (trysig == SIGSEGV && trycode == SEGV_ACCERR)
		return "SEGV_ACCERR";
	if (trysig == SIGBUS && trycode == BUS_ADRERR)
		return "BUS_ADRERR";
	snprintf(other, sizeof(other), "signal %d code %d", trysig, trycode);
	return other;
}

/*
 * Reads a text file whole and ends it with a null byte.  Returns its length, or
 * -1 when it cannot be opened.
 */
long
t_read_text(const char *path, char *buf, size_t size)
{
	size_t len = 0;
	ssize_t n;
	int fd;

	fd = open(path, O_RDONLY);
	if (fd == -1)
		return -1;
	while (len < size - 1 && (n = read(fd, buf + len, size - 1 - len)) > 0)
		len += n;
	buf[len] = '\0';
	close(fd);
	return len;
}

/* A number behind "key": in a JSON text, decimal or "0x"; -1 when absent. */
static long
number(const char *text, const char *key)
{
	char pat[40];
	const char *p;

	snprintf(pat, sizeof(pat), "\"%s\":", key);
	p = strstr(text, pat);
	if (p == NULL)
		return -1;
	p += strlen(pat);
	if (*p == '"')
		p++;
	return strtol(p, NULL, 0);
}

/*
 * Finds the line of /proc/PID/vm (0: the caller's) whose entry holds the
 * address, and cuts it out of the text.  NULL when there is no such file, as on
 * Linux, or no such entry.
 */
static char *
find_entry(int pid, const void *addr)
{
	char path[32], *line, *end;

	if (pid == 0)
		snprintf(path, sizeof(path), "/proc/self/vm");
	else
		snprintf(path, sizeof(path), "/proc/%d/vm", pid);
	if (t_read_text(path, vmtext, sizeof(vmtext)) == -1)
		return NULL;
	for (line = vmtext; *line != '\0'; line = end + 1) {
		end = strchr(line, '\n');
		if (end == NULL)
			break;
		*end = '\0';
		if (number(line, "start") <= (long)(uintptr_t)addr &&
		    (long)(uintptr_t)addr < number(line, "end"))
			return line;
	}
	return NULL;
}

/*
 * Reads the chain at an address, front object first; at most max objects.
 * Returns how many there are, or -1 where the kernel does not tell.
 */
int
t_chain(int pid, const void *addr, struct t_object *chain, int max)
{
	char *p = find_entry(pid, addr);
	int n = 0;

	if (p == NULL)
		return -1;
	for (p = strstr(p, "\"id\":"); p != NULL && n < max;
	     p = strstr(p + 1, "\"id\":"), n++) {
		chain[n].id = number(p, "id");
		chain[n].refs = number(p, "refs");
		chain[n].shadows = number(p, "shadows");
		chain[n].resident = number(p, "resident");
	}
	return n;
}

/*
 * How many objects lie below the front object at this address: 0 for a chain of
 * one, -1 where the kernel does not tell (Linux) or there is no object.
 */
long
t_depth(int pid, const void *addr)
{
	struct t_object chain[T_CHAIN];
	int n = t_chain(pid, addr, chain, T_CHAIN);

	return n > 0 ? n - 1 : -1;
}

/* How many map entries of the caller lie in a range; -1 where unknown. */
long
t_entries(const void *start, const void *end)
{
	long lo = (long)(uintptr_t)start, hi = (long)(uintptr_t)end, n = 0;
	char *p;

	if (t_read_text("/proc/self/vm", vmtext, sizeof(vmtext)) == -1)
		return -1;
	for (p = strstr(vmtext, "\"start\":"); p != NULL;
	     p = strstr(p + 1, "\"start\":"))
		if (number(p, "start") < hi && number(p, "end") > lo)
			n++;
	return n;
}

/* The value behind a name in a file of such lines; -1 where there is none. */
static long
line_value(const char *path, const char *name)
{
	size_t len = strlen(name);
	char *p;

	if (t_read_text(path, vmtext, sizeof(vmtext)) == -1)
		return -1;
	for (p = vmtext; p != NULL; p = strchr(p, '\n')) {
		while (*p == '\n')
			p++;
		if (strncmp(p, name, len) == 0 && p[len] == ' ')
			return strtol(p + len + 1, NULL, 10);
		if (*p == '\0')
			break;
	}
	return -1;
}

/* A counter of /proc/vmstat. */
long
t_vmstat(const char *name)
{
	return line_value("/proc/vmstat", name);
}

/* Tokens that this process has taken, "shared" or "exclusive", or its children
 * until their ends, "children_shared" or "children_exclusive". Nobody else's are
 * among them, so the same work counts the same every time. */
long
t_tokens(const char *name)
{
	return line_value("/proc/self/tokens", name);
}
