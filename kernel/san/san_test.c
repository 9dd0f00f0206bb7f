/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs the planted bug that the boot option names. A sanitizer that notices
 * does not come back, so coming back is itself a panic, of other words.
 */
#include <kern/bootopt.h>
#include <kern/kstring.h>
#include <san/san_test.h>

BOOTOPT(bo_san_test, "san_test", "", "the planted bug to run");

extern const struct san_test *const __start_set_san_tests[] __weak;
extern const struct san_test *const __stop_set_san_tests[] __weak;

/* See san_test.h. */
void
san_test_run(void)
{
	const char *name = bootopt_str(&bo_san_test);
	const struct san_test *const *t;

	if (*name == '\0')
		return;
	for (t = __start_set_san_tests; t < __stop_set_san_tests; t++) {
		if (strcmp((*t)->st_name, name) != 0)
			continue;
		(*t)->st_func();
		panic("san_test=%s: nothing was noticed", name);
	}
	boot_die("san_test=%s: there is no such planted bug", name);
}
