/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Planted bugs for UBSan. The comments in brackets name the lines that its
 * report must name: the grader looks for them.
 */
#include <kern/cdefs.h>
#include <kern/types.h>
#include <san/san_test.h>

static volatile int zero, one = 1, sink;
static int array[4];

static void
shift(void)
{
	sink = one << (32 + zero); /* [shift] */
}
SAN_TEST("ubsan_shift", shift);

static void
overflow(void)
{
	int max = INT32_MAX - zero;

	sink = max + one; /* [overflow] */
}
SAN_TEST("ubsan_overflow", overflow);

static void
bounds(void)
{
	array[4 + zero] = 1; /* [bounds] */
	sink = array[zero];
}
SAN_TEST("ubsan_bounds", bounds);

static void
null(void)
{
	int *p = (int *)(uintptr_t)zero;

	sink = *p; /* [null] */
}
SAN_TEST("ubsan_null", null);

static void
align(void)
{
	int *p = (int *)((uintptr_t)array + 1 + (uintptr_t)zero);

	sink = *p; /* [align] */
}
SAN_TEST("ubsan_align", align);

static void
divide(void)
{
	sink = one / zero; /* [divide] */
}
SAN_TEST("ubsan_divide", divide);

static void
boolean(void)
{
	union {
		uint8_t byte;
		bool truth;
	} u = {.byte = (uint8_t)(2 + zero)};

	sink = u.truth; /* [bool] */
}
SAN_TEST("ubsan_bool", boolean);
