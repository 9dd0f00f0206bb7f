/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Single instructions that C has no words for.
 */
#ifndef AMD64_CPUFUNC_H
#define AMD64_CPUFUNC_H

#include <kern/types.h>

#include <amd64/specialreg.h>

/*
 * A hint in every wait loop. Under QEMU's -icount it also hands the
 * emulator's only thread to the next CPU: a loop without it never ends.
 */
static inline void
cpu_pause(void)
{
	__asm__ __volatile__("pause" ::: "memory");
}

/* Halts until an interrupt. sti takes effect after the next instruction, so
 * an interrupt that is already pending wakes the hlt (SDM vol. 2, STI). */
static inline void
cpu_sti_hlt(void)
{
	__asm__ __volatile__("sti; hlt" ::: "memory");
}

static inline void
cpu_enable_intr(void)
{
	__asm__ __volatile__("sti" ::: "memory");
}

static inline void
cpu_disable_intr(void)
{
	__asm__ __volatile__("cli" ::: "memory");
}

static inline uint64_t
read_rflags(void)
{
	uint64_t fl;

	__asm__ __volatile__("pushfq; popq %0" : "=r"(fl) : : "memory");
	return fl;
}

/* Disables interrupts and returns what intr_restore() wants. */
static inline uint64_t
intr_disable(void)
{
	uint64_t fl = read_rflags();

	cpu_disable_intr();
	return fl;
}

static inline void
intr_restore(uint64_t fl)
{
	if (fl & PSL_I)
		cpu_enable_intr();
}

static inline void
outb(uint16_t port, uint8_t v)
{
	__asm__ __volatile__("outb %0, %1" : : "a"(v), "Nd"(port));
}

static inline void
outw(uint16_t port, uint16_t v)
{
	__asm__ __volatile__("outw %0, %1" : : "a"(v), "Nd"(port));
}

static inline void
outl(uint16_t port, uint32_t v)
{
	__asm__ __volatile__("outl %0, %1" : : "a"(v), "Nd"(port));
}

static inline uint8_t
inb(uint16_t port)
{
	uint8_t v;

	__asm__ __volatile__("inb %1, %0" : "=a"(v) : "Nd"(port));
	return v;
}

static inline uint16_t
inw(uint16_t port)
{
	uint16_t v;

	__asm__ __volatile__("inw %1, %0" : "=a"(v) : "Nd"(port));
	return v;
}

static inline uint32_t
inl(uint16_t port)
{
	uint32_t v;

	__asm__ __volatile__("inl %1, %0" : "=a"(v) : "Nd"(port));
	return v;
}

static inline uint64_t
rdmsr(uint32_t msr)
{
	uint32_t lo, hi;

	__asm__ __volatile__("rdmsr" : "=a"(lo), "=d"(hi) : "c"(msr));
	return (uint64_t)hi << 32 | lo;
}

static inline void
wrmsr(uint32_t msr, uint64_t v)
{
	__asm__ __volatile__(
	    "wrmsr"
	    :
	    : "a"((uint32_t)v), "d"((uint32_t)(v >> 32)), "c"(msr)
	    : "memory");
}

/* RDTSC clears the upper halves of both registers (SDM vol. 2). */
static inline uint64_t
rdtsc(void)
{
	uint64_t lo, hi;

	__asm__ __volatile__("rdtsc" : "=a"(lo), "=d"(hi) : : "memory");
	return hi << 32 | lo;
}

/* The same, stored at *tsc. */
static inline void
rdtsc_to(uint64_t *tsc)
{
	uint32_t *half = (uint32_t *)tsc;

	__asm__ __volatile__("rdtsc"
			     : "=a"(half[0]), "=d"(half[1])
			     :
			     : "memory");
}

static inline void
cpuid(uint32_t leaf, uint32_t sub, uint32_t r[4])
{
	__asm__ __volatile__("cpuid"
			     : "=a"(r[0]), "=b"(r[1]), "=c"(r[2]), "=d"(r[3])
			     : "a"(leaf), "c"(sub));
}

#define READ_WRITE_CR(n)                                               \
	static inline uint64_t read_cr##n(void)                        \
	{                                                              \
		uint64_t v;                                            \
		__asm__ __volatile__("movq %%cr" #n ", %0" : "=r"(v)); \
		return v;                                              \
	}                                                              \
	static inline void write_cr##n(uint64_t v)                     \
	{                                                              \
		__asm__ __volatile__("movq %0, %%cr" #n                \
				     :                                 \
				     : "r"(v)                          \
				     : "memory");                      \
	}
READ_WRITE_CR(0)
READ_WRITE_CR(2)
READ_WRITE_CR(3)
READ_WRITE_CR(4)
#undef READ_WRITE_CR

/* Forgets one page's translation on this CPU, global ones included. */
static inline void
cpu_invlpg(vm_offset_t va)
{
	__asm__ __volatile__("invlpg (%0)" : : "r"(va) : "memory");
}

/* Forgets every translation but the global ones on this CPU. */
static inline void
cpu_invltlb(void)
{
	write_cr3(read_cr3());
}

#endif
