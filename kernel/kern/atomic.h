/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Atomic operations by their BSD names, on the compiler's builtins. All are
 * sequentially consistent: on amd64 a locked instruction is a full barrier
 * (SDM vol. 3, 8.2.2), so weaker forms would cost the same.
 *
 * atomic_cmpset: true when *p was o and became n.
 * atomic_fcmpset: like it, and on failure *o becomes what *p was.
 * atomic_fetchadd: the value before.
 */
#ifndef KERN_ATOMIC_H
#define KERN_ATOMIC_H

#include <kern/types.h>

#define ATOMIC_OPS(sfx, T)                                                \
	static inline T atomic_load_##sfx(const volatile T *p)            \
	{                                                                 \
		return __atomic_load_n(p, __ATOMIC_ACQUIRE);              \
	}                                                                 \
	static inline void atomic_store_##sfx(volatile T *p, T v)         \
	{                                                                 \
		__atomic_store_n(p, v, __ATOMIC_RELEASE);                 \
	}                                                                 \
	static inline void atomic_add_##sfx(volatile T *p, T v)           \
	{                                                                 \
		__atomic_fetch_add(p, v, __ATOMIC_SEQ_CST);               \
	}                                                                 \
	static inline void atomic_subtract_##sfx(volatile T *p, T v)      \
	{                                                                 \
		__atomic_fetch_sub(p, v, __ATOMIC_SEQ_CST);               \
	}                                                                 \
	static inline T atomic_fetchadd_##sfx(volatile T *p, T v)         \
	{                                                                 \
		return __atomic_fetch_add(p, v, __ATOMIC_SEQ_CST);        \
	}                                                                 \
	static inline void atomic_set_##sfx(volatile T *p, T v)           \
	{                                                                 \
		__atomic_fetch_or(p, v, __ATOMIC_SEQ_CST);                \
	}                                                                 \
	static inline void atomic_clear_##sfx(volatile T *p, T v)         \
	{                                                                 \
		__atomic_fetch_and(p, (T)~v, __ATOMIC_SEQ_CST);           \
	}                                                                 \
	static inline T atomic_swap_##sfx(volatile T *p, T v)             \
	{                                                                 \
		return __atomic_exchange_n(p, v, __ATOMIC_SEQ_CST);       \
	}                                                                 \
	static inline bool atomic_cmpset_##sfx(volatile T *p, T o, T n)   \
	{                                                                 \
		return __atomic_compare_exchange_n(                       \
		    p, &o, n, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST); \
	}                                                                 \
	static inline bool atomic_fcmpset_##sfx(volatile T *p, T *o, T n) \
	{                                                                 \
		return __atomic_compare_exchange_n(                       \
		    p, o, n, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);  \
	}

ATOMIC_OPS(int, int32_t)
ATOMIC_OPS(uint, uint32_t)
ATOMIC_OPS(long, int64_t)
ATOMIC_OPS(ulong, uint64_t)
ATOMIC_OPS(ushort, uint16_t)
ATOMIC_OPS(uchar, uint8_t)

#undef ATOMIC_OPS

/* A full barrier. */
static inline void
cpu_mfence(void)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

#endif
