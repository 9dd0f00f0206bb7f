/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the compiler calls with -fsanitize=thread. Its names, so nothing here
 * has a declaration elsewhere. Atomic operations are made here: instead of
 * the instruction there is a call.
 */
#include <san/kcsan_var.h>

#pragma GCC diagnostic ignored "-Wmissing-prototypes"

void
__tsan_init(void)
{
}

void
__tsan_func_entry(void *pc)
{
}

void
__tsan_func_exit(void)
{
}

#define ACCESS(size)                                         \
	void __tsan_read##size(void *p)                      \
	{                                                    \
		kcsan_access(p, size, KC_READ);              \
	}                                                    \
	void __tsan_write##size(void *p)                     \
	{                                                    \
		kcsan_access(p, size, KC_WRITE);             \
	}                                                    \
	void __tsan_volatile_read##size(void *p)             \
	{                                                    \
		kcsan_access(p, size, KC_MARKED);            \
	}                                                    \
	void __tsan_volatile_write##size(void *p)            \
	{                                                    \
		kcsan_access(p, size, KC_MARKED | KC_WRITE); \
	}                                                    \
	void __tsan_unaligned_read##size(void *p)            \
	{                                                    \
		kcsan_access(p, size, KC_READ);              \
	}                                                    \
	void __tsan_unaligned_write##size(void *p)           \
	{                                                    \
		kcsan_access(p, size, KC_WRITE);             \
	}                                                    \
	void __tsan_unaligned_volatile_read##size(void *p)   \
	{                                                    \
		kcsan_access(p, size, KC_MARKED);            \
	}                                                    \
	void __tsan_unaligned_volatile_write##size(void *p)  \
	{                                                    \
		kcsan_access(p, size, KC_MARKED | KC_WRITE); \
	}

ACCESS(1)
ACCESS(2)
ACCESS(4)
ACCESS(8)
ACCESS(16)

void
__tsan_read_range(void *p, size_t size)
{
	kcsan_access(p, (uint32_t)size, KC_READ);
}

void
__tsan_write_range(void *p, size_t size)
{
	kcsan_access(p, (uint32_t)size, KC_WRITE);
}

#define FETCH(bits, op)                                              \
	uint##bits##_t __tsan_atomic##bits##_fetch_##op(             \
	    volatile uint##bits##_t *p, uint##bits##_t v, int order) \
	{                                                            \
		kcsan_access(p, bits / 8, KC_RMW);                   \
		return __atomic_fetch_##op(p, v, __ATOMIC_SEQ_CST);  \
	}

#define ATOMIC(bits)                                                         \
	uint##bits##_t __tsan_atomic##bits##_load(                           \
	    const volatile uint##bits##_t *p, int order)                     \
	{                                                                    \
		kcsan_access(p, bits / 8, KC_MARKED);                        \
		return __atomic_load_n(p, __ATOMIC_SEQ_CST);                 \
	}                                                                    \
	void __tsan_atomic##bits##_store(                                    \
	    volatile uint##bits##_t *p, uint##bits##_t v, int order)         \
	{                                                                    \
		kcsan_access(p, bits / 8, KC_MARKED | KC_WRITE);             \
		if (order == __ATOMIC_SEQ_CST)                               \
			__atomic_store_n(p, v, __ATOMIC_SEQ_CST);            \
		else                                                         \
			__atomic_store_n(p, v, __ATOMIC_RELEASE);            \
	}                                                                    \
	uint##bits##_t __tsan_atomic##bits##_exchange(                       \
	    volatile uint##bits##_t *p, uint##bits##_t v, int order)         \
	{                                                                    \
		kcsan_access(p, bits / 8, KC_RMW);                           \
		return __atomic_exchange_n(p, v, __ATOMIC_SEQ_CST);          \
	}                                                                    \
	bool __tsan_atomic##bits##_compare_exchange_strong(                  \
	    volatile uint##bits##_t *p, uint##bits##_t *o, uint##bits##_t n, \
	    int order, int failorder)                                        \
	{                                                                    \
		kcsan_access(p, bits / 8, KC_RMW);                           \
		return __atomic_compare_exchange_n(                          \
		    p, o, n, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);     \
	}                                                                    \
	bool __tsan_atomic##bits##_compare_exchange_weak(                    \
	    volatile uint##bits##_t *p, uint##bits##_t *o, uint##bits##_t n, \
	    int order, int failorder)                                        \
	{                                                                    \
		return __tsan_atomic##bits##_compare_exchange_strong(        \
		    p, o, n, order, failorder);                              \
	}                                                                    \
	FETCH(bits, add)                                                     \
	FETCH(bits, sub)                                                     \
	FETCH(bits, and)                                                     \
	FETCH(bits, or)                                                      \
	FETCH(bits, xor)                                                     \
	FETCH(bits, nand)

ATOMIC(8)
ATOMIC(16)
ATOMIC(32)
ATOMIC(64)

void
__tsan_atomic_thread_fence(int order)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

void
__tsan_atomic_signal_fence(int order)
{
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
}
