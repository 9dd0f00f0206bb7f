/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the rest of the kernel asks of amd64/: user memory, time, IPIs,
 * device interrupts, user-mode entry. (Descriptors, APIC registers and the
 * like stay inside amd64/.)
 */
#ifndef AMD64_MACHDEP_H
#define AMD64_MACHDEP_H

#include <kern/cdefs.h>
#include <kern/types.h>

struct globaldata;
struct thread;
struct trapframe;

/*
 * User memory, copy.S. Addresses are checked against VM_MAX_USER_ADDRESS;
 * a fault that vm_fault() cannot resolve gives EFAULT. All may sleep in the
 * fault; so no spinlock may be held. What was copied before a fault stays
 * copied.
 */
int copyin(const void *uaddr, void *kaddr, size_t len);
int copyout(const void *kaddr, void *uaddr, size_t len);
/* Copies a string with its NUL; *lenp (may be NULL) its length with NUL.
 * ENAMETOOLONG when max bytes hold no NUL. */
int copyinstr(const void *uaddr, char *kaddr, size_t max, size_t *lenp);
int user_zero(void *uaddr, size_t len);
int fetch_user32(const void *uaddr, uint32_t *valp);
int store_user32(void *uaddr, uint32_t val);
int fetch_user64(const void *uaddr, uint64_t *valp);
int store_user64(void *uaddr, uint64_t val);
/* Atomic compare and swap; *oldp is what was there, expected or not. */
int cas_user32(void *uaddr, uint32_t expect, uint32_t val, uint32_t *oldp);

/* Whole pages of kernel memory (direct map), page-aligned. One counted
 * instruction for each 8 bytes: rep stosq, rep movsq. */
void pagezero(void *page);
void pagecopy(const void *from, void *to);

/* Time, clock.c. */
uint64_t nanotime(void);  /* ns since the clock started, never backwards */
uint64_t walltime(void);  /* ns since 1970, UTC, from the CMOS clock */
extern uint64_t tsc_hz;	  /* (k) */
#define HZ	100U	  /* clock ticks a second, each CPU */
#define TICK_NS (1000000000UL / HZ)
void cpu_delay(uint64_t ns); /* spins, with PAUSE */

/* Inter-processor interrupts, ipi.c. Any context; the target may be in a
 * critical section: only VEC_INVAL is then served at once. */
void ipi_send(uint32_t cpu, int vector);
void ipi_send_mask(cpumask_t cpus, int vector); /* not to itself */

/* Device interrupts, ioapic.c. fn runs in the interrupt on CPU 0, with
 * interrupts disabled. EINVAL: no such input; EBUSY: taken. */
int intr_establish(int isa_irq, void (*fn)(void *), void *arg);
int intr_establish_gsi(uint32_t gsi, bool level, bool active_low,
    void (*fn)(void *), void *arg);

/* Device memory, mapped uncached for good. Panics when the window of 1 GiB
 * is used up. */
void *mmio_map(vm_paddr_t pa, size_t size);

/* User mode. */
void user_return(struct trapframe *tf) __noreturn; /* leaves by IRET;
						    * tf is USER_FRAME */
/* Registers of a fresh program; all others zero. */
void cpu_exec_regs(struct trapframe *tf, uint64_t entry, uint64_t sp);
#define FPU_AREA_SIZE 512 /* 16-byte aligned */
void fpu_init_area(void *area); /* what a fresh program finds */
void fpu_save(struct thread *td);    /* registers -> td_md.md_fpu */
void fpu_restore(struct thread *td); /* and back; td is curthread */
int fpu_sanitize(void *area);  /* area came from a user; EINVAL if bad */
void cpu_set_fsbase(struct thread *td, uint64_t base); /* td is curthread */
void cpu_set_gsbase(struct thread *td, uint64_t base); /* user's */

/* Stops: orderly, and what panic() ends in. The code goes to
 * isa-debug-exit (QEMU then exits with status 2 * code + 1). */
#define EXIT_ORDERLY 0x10
#define EXIT_PANIC   0x11
void cpu_poweroff(int code) __noreturn;

#endif
