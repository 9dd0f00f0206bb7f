/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the behaviour tests share.
 *
 * A test program holds several tests and is called "PROGRAM TEST", for example
 * "cow depth_3".  It prints facts that must be the same on Linux and on Nymph,
 * so a fact never depends on an address that the kernel chose, on a process id,
 * or on timing.  The same static binary runs on both and the grader compares
 * output and exit status byte for byte.  A check that fails says where it
 * stands, what it expected and what it saw; the exit status is then 1.
 */
#ifndef GRADER_T_H
#define GRADER_T_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define PAGE 4096L /* the only page size of the tests (Intel SDM vol. 3, 4.5) */

/* One test of a program. */
struct t_test {
	const char *name;
	void (*run)(void);
};

/*
 * Defines the test NAME and enters it in the program's table.  A test called
 * with a number behind its name, "depth_3" for the test "depth", finds the
 * number in t_arg.
 */
#define TEST(n)                                                     \
	static void test_##n(void);                                 \
	static const struct t_test entry_##n = {#n, test_##n};      \
	static const struct t_test *const link_##n                  \
	    __attribute__((used, section("t_tests"))) = &entry_##n; \
	static void test_##n(void)

extern int t_arg;	     /* number behind the test's name, or 0 */
extern const char *t_extra;  /* text behind the name ("name:text"), or NULL */
extern volatile int t_fails; /* failed checks in this process */
extern char **environ;

/* Output and checks. */
void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
const char *t_errname(long error);
void t_expect(
    const char *file, int line, const char *what, long want, long seen);
long t_must(const char *file, int line, const char *what, long result);
void t_errno(
    const char *file, int line, const char *what, long want, long result);

/* The value of the expression must be the wanted one; the test goes on. */
#define EXPECT(want, expr) \
	t_expect(__FILE__, __LINE__, #expr, (long)(want), (long)(expr))
/* The call must not return -1; otherwise the program ends with status 3. */
#define MUST(call) t_must(__FILE__, __LINE__, #call, (long)(call))
/* The call must return -1 with this errno. */
#define FAILS(want, call) \
	t_errno(__FILE__, __LINE__, #call, (long)(want), (long)(call))

#define T_CHAIN 24 /* no test makes a longer chain */

/* One object of a chain, as /proc/PID/vm has it. */
struct t_object {
	long id, refs, shadows, resident;
};

/* Memory. */
char *t_map(long pages);
char *t_map_shared(long pages);
void t_fill(void *buf, size_t len, uint32_t seed);
uint32_t t_sum(const void *buf, size_t len);
const char *t_try(int how, volatile void *addr);
long t_depth(int pid, const void *addr);
int t_chain(int pid, const void *addr, struct t_object *chain, int max);
long t_entries(const void *start, const void *end);
long t_read_text(const char *path, char *buf, size_t size);
long t_vmstat(const char *name);
long t_tokens(const char *name);

/* More memory than there is: pages that say which they are. The boots for that
 * have T_RAM bytes. */
#define MIB   (1L << 20)
#define T_RAM (8 * MIB)
void t_put(char *mem, long page, uint32_t seed);
int t_is(const char *mem, long page, uint32_t seed);
int t_is_zero(const char *mem, long page);
void t_put_all(char *mem, long pages, uint32_t seed);
long t_wrong(const char *mem, long pages, uint32_t seed);
void t_squeeze(void);
void t_mkswap(const char *disk, uint32_t pages, const uint32_t *bad);
void t_control(const char *command);

/* Processes. */
pid_t t_fork(void);
void t_exit(void) __attribute__((noreturn));
int t_wait(pid_t pid);
void t_reap(pid_t pid);
void t_gone(pid_t pid);
const char *t_status(int status);

/* A gate holds one process back until another opens it. */
struct gate {
	int fd[2];
};

void gate_init(struct gate *g);
void gate_open(struct gate *g);
void gate_wait(struct gate *g);
void gate_close(struct gate *g);

/* Files, below the current folder. */
int t_file(const char *path, const void *data, size_t len);

/* File systems on disks. */
struct stat;
int t_nymph(void);
void t_mount(const char *disk);
void t_umount(const char *disk);
int t_names(const char *dir, char **names, int max);
uint32_t t_file_sum(const char *path);
void t_walk(const char *dir, int after,
    void (*fn)(const char *path, const struct stat *st, int after));
void t_show(const char *dir);
void t_clear(const char *dir);

#endif
