/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The parts of a post-mortem that know the CPU: traps, page faults and
 * tables in words, registers, the stack. Nothing here trusts a pointer that
 * it has not looked up in the page tables first.
 */
#include <kern/kprintf.h>
#include <kern/ksyms.h>
#include <kern/thread.h>
#include <pmap/pmap.h>

#include <amd64/cpu_md.h>
#include <amd64/cpufunc.h>
#include <amd64/frame.h>
#include <amd64/trap.h>

#define STACK_FRAMES 1000 /* a 16 KiB stack has fewer */

/*
 * What the manual calls the vector.
 */
const char *
trap_name(uint64_t no)
{
	static const char *const names[] = {
	    [T_DIVIDE] = "divide error",
	    [T_DEBUG] = "debug exception",
	    [T_NMI] = "non-maskable interrupt",
	    [T_BREAKPOINT] = "breakpoint",
	    [T_OVERFLOW] = "overflow",
	    [T_BOUND] = "bound range exceeded",
	    [T_INVOPCODE] = "invalid opcode",
	    [T_NODEVICE] = "no floating-point device",
	    [T_DOUBLE] = "double fault",
	    [T_TSS] = "invalid task state segment",
	    [T_NOSEGMENT] = "segment not present",
	    [T_STACK] = "stack segment fault",
	    [T_PROTECT] = "general protection fault",
	    [T_PAGEFLT] = "page fault",
	    [T_FPERR] = "floating-point error",
	    [T_ALIGN] = "alignment check",
	    [T_MACHCHECK] = "machine check",
	    [T_SIMD] = "SIMD floating-point error",
	};

	if (no == T_SYSCALL)
		return "system call";
	if (no >= VEC_LEGACY && no <= VEC_SPURIOUS)
		return "interrupt";
	if (no < nitems(names) && names[no] != NULL)
		return names[no];
	return "reserved exception";
}

/*
 * What a page fault's error code says was tried.
 */
const char *
fault_verb(uint64_t err)
{
	if (err & PGEX_I)
		return "execution";
	return err & PGEX_W ? "write" : "read";
}

/*
 * All registers of a frame, three a line.
 */
void
print_regs(const struct trapframe *tf)
{
	kprintf("rax %016lx  rbx %016lx  rcx %016lx\n", tf->tf_rax, tf->tf_rbx,
	    tf->tf_rcx);
	kprintf("rdx %016lx  rsi %016lx  rdi %016lx\n", tf->tf_rdx, tf->tf_rsi,
	    tf->tf_rdi);
	kprintf("rbp %016lx  rsp %016lx  r8  %016lx\n", tf->tf_rbp, tf->tf_rsp,
	    tf->tf_r8);
	kprintf("r9  %016lx  r10 %016lx  r11 %016lx\n", tf->tf_r9, tf->tf_r10,
	    tf->tf_r11);
	kprintf("r12 %016lx  r13 %016lx  r14 %016lx\n", tf->tf_r12, tf->tf_r13,
	    tf->tf_r14);
	kprintf("r15 %016lx  rip %016lx  rfl %016lx\n", tf->tf_r15, tf->tf_rip,
	    tf->tf_rflags);
	kprintf("cs  %016lx  ss  %016lx  cr3 %016lx\n", tf->tf_cs, tf->tf_ss,
	    read_cr3());
}

/*
 * A page fault's error code as a sentence.
 */
void
print_fault(uint64_t va, uint64_t err)
{
	kprintf("%s of %#lx by %s: ", fault_verb(err), va,
	    err & PGEX_U ? "the program" : "the kernel");
	if (err & PGEX_RSV)
		kprintf("a reserved bit is set in the tables");
	else if (err & PGEX_P)
		kprintf("it is mapped, but not for that");
	else
		kprintf("it is not mapped");
	kprintf(" (error code %#lx)\n", err);
}

/*
 * Looks va up in the tables that CR3 holds. e gets an entry for each level
 * there is; how many.
 */
static int
walk(uint64_t va, pt_entry_t e[4])
{
	pt_entry_t *table;
	uint64_t pa = read_cr3() & X86_PG_FRAME;

	for (int level = 0; level < 4; level++) {
		table = (pt_entry_t *)PHYS_TO_DMAP(pa);
		e[level] = table[va >> (39 - 9 * level) & 511];
		if ((e[level] & X86_PG_V) == 0 ||
		    (level > 0 && (e[level] & X86_PG_PS) != 0))
			return level + 1;
		pa = e[level] & X86_PG_FRAME;
	}
	return 4;
}

/*
 * Could this be a virtual address at all?
 */
static bool
is_canonical(uint64_t va)
{
	return (int64_t)(va << 16) >> 16 == (int64_t)va;
}

/*
 * Every level of the translation of va, by the tables that CR3 holds, with the
 * flags in words, down to where it ends.
 */
void
print_walk(uint64_t va)
{
	static const char *const level_names[4] = {
	    "PML4", "PDP ", "PD  ", "PT  "};
	static const struct {
		pt_entry_t bit;
		const char *name;
	} flags[] = {
	    {X86_PG_RW, "write"},
	    {X86_PG_U, "user"},
	    {X86_PG_NX, "no-exec"},
	    {X86_PG_PCD, "uncached"},
	    {X86_PG_A, "accessed"},
	    {X86_PG_M, "modified"},
	    {X86_PG_G, "global"},
	    {X86_PG_W, "wired"},
	    {X86_PG_MANAGED, "managed"},
	};
	pt_entry_t e[4];
	int n;

	kprintf("\nPage tables for %#lx, from cr3 %#lx\n", va, read_cr3());
	if (!is_canonical(va)) {
		kprintf("  not an address: bits 48 to 63 must equal bit 47\n");
		return;
	}
	n = walk(va, e);
	for (int i = 0; i < n; i++) {
		kprintf("  %s[%3lu] %016lx", level_names[i],
		    va >> (39 - 9 * i) & 511, e[i]);
		if ((e[i] & X86_PG_V) == 0) {
			kprintf(" not present\n");
			continue;
		}
		for (size_t f = 0; f < nitems(flags); f++) {
			if (e[i] & flags[f].bit)
				kprintf(" %s", flags[f].name);
		}
		if (i > 0 && i < 3 && (e[i] & X86_PG_PS))
			kprintf(" large");
		kprintf("\n");
	}
}

/*
 * Can the two words at va be read?
 */
static bool
readable(uint64_t va)
{
	pt_entry_t e[4];

	if (va < VM_MAX_USER_ADDRESS || !is_canonical(va) || va % 8 != 0 ||
	    (va & PAGE_MASK) > PAGE_SIZE - 16)
		return false;
	return (e[walk(va, e) - 1] & X86_PG_V) != 0;
}

/*
 * One line of a stack trace.
 */
static void
print_pc(uint64_t pc, bool is_return)
{
	uint64_t off;
	/* The call of a function that does not return may be the last thing
	 * in its caller: look up the call, not what follows it. */
	const char *name = ksym_lookup(pc - (is_return ? 1 : 0), &off);

	if (name != NULL)
		kprintf(
		    "  %016lx %s+%#lx\n", pc, name, off + (is_return ? 1 : 0));
	else
		kprintf("  %016lx\n", pc);
}

/*
 * Prints a return address, but a recursion's many equal ones only as a
 * number.
 */
static void
print_return(uint64_t pc, uint64_t *last, int *again)
{
	if (pc == *last) {
		++*again;
		return;
	}
	if (*again > 0)
		kprintf("  (%d more)\n", *again);
	*again = 0;
	*last = pc;
	if (pc != 0)
		print_pc(pc, true);
}

/*
 * The chain of frame pointers, through interrupted frames, to where the
 * thread began or entered the kernel.
 */
void
print_stack(uint64_t rip, uint64_t rbp)
{
	const struct trapframe *tf;
	const uint64_t *fp;
	uint64_t last = 0;
	int again = 0;

	if (rip < VM_MAX_USER_ADDRESS) {
		kprintf("  %016lx in user mode\n", rip);
		return;
	}
	print_pc(rip, false);
	for (int n = 0; n < STACK_FRAMES && rbp != 0; n++) {
		if (!readable(rbp)) {
			print_return(0, &last, &again);
			kprintf("  (frame pointer %#lx leads nowhere)\n", rbp);
			return;
		}
		fp = (const uint64_t *)rbp;
		if (fp[1] == 0 || fp[0] == rbp)
			break;
		if (fp[1] != (uint64_t)trap_return) {
			print_return(fp[1], &last, &again);
			rbp = fp[0];
			continue;
		}
		/* trap()'s frame: above its return address the registers. */
		print_return(0, &last, &again);
		tf = (const struct trapframe *)(rbp + 16);
		kprintf("  --- %s%s\n", trap_name(tf->tf_trapno),
		    TF_USERMODE(tf) ? " from user mode" : "");
		if (TF_USERMODE(tf)) {
			kprintf("  %016lx in user mode\n", tf->tf_rip);
			return;
		}
		print_pc(tf->tf_rip, false);
		rbp = tf->tf_rbp;
	}
	print_return(0, &last, &again);
}
