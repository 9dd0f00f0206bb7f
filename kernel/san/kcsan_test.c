/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Planted races: see san_test.h.
 */
#include <san/kcsan.h>
#include <san/san_test.h>

#include <amd64/machdep.h>
#include <kern/thread.h>

#define ROUNDS 100000

static uint32_t planted_count;
static volatile uint32_t planted_marked;
static uint32_t planted_atomic;

/* Adds to a plain counter, as its brother on another CPU does. */
static __noinline void
count_up(void *arg)
{
	for (int i = 0; i < ROUNDS; i++) {
		planted_count++; /* [count] */
		lwkt_user_yield();
	}
}

static void
planted_counter(void)
{
	struct thread *td = kthread_create("planted", count_up, NULL);

	KKASSERT(td != NULL);
	count_up(NULL);
}
SAN_TEST("kcsan_counter", planted_counter);

/* A plain load beside an atomic addition. */
static __noinline void
add_atomically(void *arg)
{
	for (int i = 0; i < ROUNDS; i++) {
		atomic_add_uint(&planted_atomic, 1); /* [add] */
		lwkt_user_yield();
	}
}

static __noinline void
planted_load(void)
{
	struct thread *td = kthread_create("planted", add_atomically, NULL);
	uint32_t sum = 0;

	KKASSERT(td != NULL);
	for (int i = 0; i < ROUNDS; i++) {
		sum += planted_atomic; /* [load] */
		cpu_ccfence();
	}
	KKASSERT(sum != 1);
}
SAN_TEST("kcsan_load", planted_load);

/* None of these is a race that counts: what must be noticed is the end. */
static __noinline void
count_well(void *arg)
{
	for (int i = 0; i < ROUNDS; i++) {
		planted_marked = planted_marked + 1;
		atomic_add_uint(&planted_atomic, 1);
		/* meant: this is what data_race() is tested with */
		(void)data_race(planted_count++);
		lwkt_user_yield();
	}
}

static void
planted_none(void)
{
	struct thread *td = kthread_create("planted", count_well, NULL);

	KKASSERT(td != NULL);
	count_well(NULL);
}
SAN_TEST("kcsan_none", planted_none);
