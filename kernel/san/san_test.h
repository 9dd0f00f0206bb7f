/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Planted bugs: in a sanitizer's build the boot option san_test=NAME runs the
 * one of that name, which the sanitizer must notice.
 */
#ifndef SAN_SAN_TEST_H
#define SAN_SAN_TEST_H

#ifdef SAN_BUILD

struct san_test {
	const char *st_name; /* (k) */
	void (*st_func)(void);
};

/* At file level: san_test=NAME calls func on thread0, with all CPUs up. It may
 * make threads and sleep. */
#define SAN_TEST(name, func)                                                   \
	static const struct san_test san_test_##func = {name, func};           \
	static const struct san_test *const san_testp_##func __used __section( \
	    "set_san_tests") = &san_test_##func

/* Returns when no planted bug was asked for. */
void san_test_run(void);

#else

static inline void
san_test_run(void)
{
}

#endif

#endif
