/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Compiler vocabulary: attributes, assertions, small generic macros.
 */
#ifndef KERN_CDEFS_H
#define KERN_CDEFS_H

#define __packed		__attribute__((packed))
#define __aligned(n)		__attribute__((aligned(n)))
#define __used			__attribute__((used))
#define __unused		__attribute__((unused))
#define __noreturn		__attribute__((noreturn))
#define __noinline		__attribute__((noinline))
#define __keeps_regs		__attribute__((no_caller_saved_registers))
#define __section(s)		__attribute__((section(s)))
#define __weak			__attribute__((weak))
#define __cachealigned		__aligned(64)
#define __printflike(fmt, args) __attribute__((format(printf, fmt, args)))
#define __read_mostly		__section(".data.read_mostly")

#define likely(x)   __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

#define nitems(a)      (sizeof(a) / sizeof((a)[0]))
#define MIN(a, b)      ((a) < (b) ? (a) : (b))
#define MAX(a, b)      ((a) > (b) ? (a) : (b))
#define howmany(x, y)  (((x) + ((y)-1)) / (y))
#define roundup2(x, y) (((x) + ((y)-1)) & ~((y)-1))

#define container_of(ptr, type, member) \
	((type *)(void *)((char *)(ptr)-offsetof(type, member)))

/* Orders the compiler only. */
#define cpu_ccfence() __asm__ __volatile__("" ::: "memory")

/*
 * Calls fn(a, b), which is __keeps_regs. In line code calls so what it seldom
 * needs: gcc believes of every call in C that it changes registers, and would
 * have the function around it save them even when there is none.
 */
#define call_keeping_regs(fn, a, b)                            \
	({                                                     \
		register void *sp_ __asm__("rsp");             \
		uint64_t rv_;                                  \
		__asm__ __volatile__("call %P2"                \
				     : "+r"(sp_), "=a"(rv_)    \
				     : "i"(fn), "D"(a), "S"(b) \
				     : "memory", "cc");        \
		rv_;                                           \
	})

void panic(const char *fmt, ...) __printflike(1, 2) __noreturn;
/* Stands in a lab's starter where an exercise is to be written. */
#define LAB_TODO(lab, exercise) \
	panic("lab %d, exercise %d: not written yet", lab, exercise)

/*
 * Assertions stay in every build: this kernel exists to be understood, and
 * a wrong state must stop where it is made. KASSERT's second argument is a
 * parenthesised printf argument list.
 */
#define KKASSERT(e)                                                       \
	do {                                                              \
		if (unlikely(!(e)))                                       \
			panic("assertion \"%s\" failed in %s, %s:%d", #e, \
			    __func__, __FILE__, __LINE__);                \
	} while (0)

#define KASSERT(e, msg)             \
	do {                        \
		if (unlikely(!(e))) \
			panic msg;  \
	} while (0)

#endif
