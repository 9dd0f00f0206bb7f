/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The programs' floating-point and SSE registers. The kernel is compiled
 * not to use them, so they stay in the CPU until another user thread runs
 * there.
 */
#include <linux/errno.h>

#include <kern/kstring.h>
#include <kern/thread.h>

#include <amd64/machdep.h>

/* Fields of the FXSAVE area (SDM vol. 1, table 10-2). */
#define FX_FCW	      0
#define FX_MXCSR      24
#define FX_MXCSR_MASK 28

#define FCW_DEFAULT   0x037f
#define MXCSR_DEFAULT 0x1f80
#define MXCSR_VALID   0xffbf /* when the CPU's mask is 0 */

/*
 * Stores this CPU's FPU registers as td's. td is running here, or being
 * switched out, so that nobody else looks at the area.
 */
void
fpu_save(struct thread *td)
{
	__asm__ __volatile__("fxsave64 (%0)"
			     :
			     : "r"(td->td_md.md_fpu)
			     : "memory");
}

/*
 * Loads td's FPU registers; the counterpart.
 */
void
fpu_restore(struct thread *td)
{
	__asm__ __volatile__("fxrstor64 (%0)"
			     :
			     : "r"(td->td_md.md_fpu)
			     : "memory");
}

/*
 * The state of a fresh program: all exceptions masked, everything else 0.
 */
void
fpu_init_area(void *area)
{
	uint16_t fcw = FCW_DEFAULT;
	uint32_t mxcsr = MXCSR_DEFAULT;

	memset(area, 0, FPU_AREA_SIZE);
	memcpy((char *)area + FX_FCW, &fcw, sizeof(fcw));
	memcpy((char *)area + FX_MXCSR, &mxcsr, sizeof(mxcsr));
}

/*
 * FXRSTOR of reserved MXCSR bits faults; a program may have put them into
 * its signal frame.
 */
int
fpu_sanitize(void *area)
{
	uint8_t probe[FPU_AREA_SIZE] __aligned(16);
	uint32_t mxcsr, mask;

	__asm__ __volatile__("fxsave64 (%0)" : : "r"(probe) : "memory");
	memcpy(&mask, probe + FX_MXCSR_MASK, sizeof(mask));
	if (mask == 0)
		mask = MXCSR_VALID;
	memcpy(&mxcsr, (char *)area + FX_MXCSR, sizeof(mxcsr));
	return (mxcsr & ~mask) != 0 ? EINVAL : 0;
}
