/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the rest of the kernel asks of amd64/: time, IPIs, device
 * interrupts, user-mode entry. (Descriptors, APIC registers and the
 * like stay inside amd64/.)
 */
#ifndef AMD64_MACHDEP_H
#define AMD64_MACHDEP_H

#include <kern/cdefs.h>
#include <kern/types.h>
#include <kern/uaccess.h> /* implemented in copy.S */

struct globaldata;
struct thread;
struct trapframe;

/* Whole pages of kernel memory (direct map), page-aligned. One counted
 * instruction for each 8 bytes: rep stosq, rep movsq. */
void pagezero(void *page);
void pagecopy(const void *from, void *to);

/* Time, clock.c. */
uint64_t nanotime(void); /* ns since the clock started, never backwards */
uint64_t tsc_to_ns(uint64_t tsc); /* what nanotime() was then */
uint64_t walltime(void);	  /* ns since 1970, UTC, from the CMOS clock */
extern uint64_t tsc_hz;		  /* (k) */
#define HZ	100U		  /* clock ticks a second, each CPU */
#define TICK_NS (1000000000UL / HZ)
void cpu_delay(uint64_t ns); /* spins, with PAUSE */

/* Inter-processor interrupts, ipi.c. Any context; the target may be in a
 * critical section: only VEC_INVAL is then served at once. */
void ipi_send(uint32_t cpu, int vector);
void ipi_send_mask(cpumask_t cpus, int vector); /* not to itself */

/* Device interrupts, ioapic.c. fn runs in the interrupt on CPU 0, with
 * interrupts disabled. EINVAL: no such input; EBUSY: taken. */
int intr_establish(int isa_irq, void (*fn)(void *), void *arg);
int intr_establish_gsi(
    uint32_t gsi, bool level, bool active_low, void (*fn)(void *), void *arg);
/* The same for a device that writes its interrupts to memory (MSI): what it
 * is to write, and where. EBUSY: no vector left. */
int intr_establish_msi(
    void (*fn)(void *), void *arg, uint64_t *addr, uint32_t *data);

/* The initramfs that the boot loader brought, in the direct map. */
const void *boot_module(size_t *sizep);

/* The idle thread's rest: halts with interrupts enabled, which they were not
 * (so that a wakeup cannot slip in between), and returns after one came. */
void cpu_idle_halt(void);

/* User mode. */
void user_return(struct trapframe *tf) __noreturn; /* leaves by IRET;
						    * tf is USER_FRAME */
/* Registers of a fresh program; all others zero. */
void cpu_exec_regs(struct trapframe *tf, uint64_t entry, uint64_t sp);
#define FPU_AREA_SIZE 512	     /* 16-byte aligned */
void fpu_init_area(void *area);	     /* what a fresh program finds */
void fpu_save(struct thread *td);    /* registers -> td_md.md_fpu */
void fpu_restore(struct thread *td); /* and back; td is curthread */
int fpu_sanitize(void *area);	     /* area came from a user; EINVAL if bad */
void cpu_set_fsbase(struct thread *td, uint64_t base); /* td is curthread */
void cpu_set_gsbase(struct thread *td, uint64_t base); /* user's */

/* Stops: orderly, and what panic() ends in. The code goes to
 * isa-debug-exit (QEMU then exits with status 2 * code + 1). */
#define EXIT_ORDERLY 0x10
#define EXIT_PANIC   0x11
void cpu_poweroff(int code) __noreturn;

#endif
