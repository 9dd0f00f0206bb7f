/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the processor can do, and switching it on.
 */
#include <kern/bootopt.h>
#include <kern/kstring.h>

#include <amd64/cpu_md.h>
#include <amd64/cpufunc.h>

bool cpu_has_smap, cpu_has_smep;

/* Places where smap_patch() writes stac or clac; copy.S, vector.S. */
struct smap_fixup {
	uint64_t at;
	uint64_t insn; /* three bytes, low end first */
};
extern const struct smap_fixup __start_smap_fixups[], __stop_smap_fixups[];

/*
 * Reads CPUID. Everything asked for here is in every x86-64 processor and
 * in QEMU's default model; SMEP and SMAP are used where they are.
 */
void
cpu_identify(void)
{
	static const struct {
		int reg, bit; /* of leaf 1 (reg 0-3), 0x80000001 (4-7) */
		const char *name;
	} needed[] = {
	    {3, 4, "TSC"},
	    {3, 9, "APIC"},
	    {3, 13, "PGE"},
	    {3, 24, "FXSR"},
	    {3, 26, "SSE2"},
	    {7, 11, "SYSCALL"},
	    {7, 20, "NX"},
	};
	uint32_t r[8], leaf7[4], max[4];

	cpuid(1, 0, r);
	cpuid(0x80000001, 0, r + 4);
	for (size_t i = 0; i < nitems(needed); i++) {
		if ((r[needed[i].reg] >> needed[i].bit & 1) == 0)
			boot_die("the CPU has no %s", needed[i].name);
	}
	cpuid(0, 0, max);
	if (max[0] >= 7) {
		cpuid(7, 0, leaf7);
		cpu_has_smep = leaf7[1] >> 7 & 1;
		cpu_has_smap = leaf7[1] >> 20 & 1;
	}
}

/*
 * The control registers of this CPU. AVX stays off (no OSXSAVE): the
 * context switch saves what FXSAVE saves. FSGSBASE stays off: the entry
 * code tells by the sign of the GS base whose it is.
 */
void
cpu_setup(void)
{
	uint64_t cr0 = read_cr0(), cr4 = read_cr4();

	wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_SCE | EFER_NXE);
	cr0 &= ~(uint64_t)(CR0_EM | CR0_TS | CR0_NW | CR0_CD);
	write_cr0(cr0 | CR0_WP | CR0_NE | CR0_MP);
	cr4 &= ~(uint64_t)(CR4_FSGSBASE | CR4_OSXSAVE);
	cr4 |= CR4_OSFXSR | CR4_OSXMMEXCPT | CR4_PGE;
	if (cpu_has_smep)
		cr4 |= CR4_SMEP;
	if (cpu_has_smap)
		cr4 |= CR4_SMAP;
	write_cr4(cr4);

	/* SYSRET loads user CS and SS by arithmetic, see specialreg.h. On
	 * SYSCALL the flags named are cleared: no interrupts until the
	 * kernel stack is loaded, no single step, no AC (which would open
	 * user memory under SMAP). */
	wrmsr(MSR_STAR,
	    (uint64_t)(GSEL_UCODE32 | 3) << 48 | (uint64_t)GSEL_KCODE << 32);
	wrmsr(MSR_LSTAR, (uint64_t)syscall_entry);
	wrmsr(MSR_SFMASK,
	    PSL_I | PSL_T | PSL_D | PSL_AC | PSL_NT | PSL_IOPL | PSL_C);
}

/*
 * Puts stac and clac where the code has three-byte no-ops, on a CPU that
 * has them. Must run before the text becomes read-only.
 */
void
smap_patch(void)
{
	const struct smap_fixup *f;

	if (!cpu_has_smap)
		return;
	for (f = __start_smap_fixups; f < __stop_smap_fixups; f++)
		memcpy((void *)f->at, &f->insn, 3);
}
