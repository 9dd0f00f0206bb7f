/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Watchpoints in software: see kcsan.h.
 *
 * A CPU has one watchpoint. It sets it at every so manyth plain access, looks
 * at the value, pauses, and looks again. Under -icount each pause is the
 * other CPUs' turn, so what happens in it is decided by the seed alone. Each
 * access of another CPU is compared with all watchpoints; one that meets a
 * watchpoint leaves its side of the story there and goes on, and who had set
 * it tells both.
 *
 * Interrupts are disabled meanwhile: what an interrupt of the same CPU does
 * to the value is not a race with the CPU itself.
 */
#include <san/kcsan_var.h>

#include <amd64/cpufunc.h>
#include <amd64/machdep.h>
#include <kern/bootopt.h>
#include <kern/kprintf.h>
#include <kern/panic.h>
#include <kern/thread.h>
#include <pmap/pmap.h>

BOOTOPT(bo_seed, "kcsan_seed", "1", "which accesses are watched for races");
BOOTOPT(bo_every, "kcsan_every", "200", "accesses between two watched ones");
BOOTOPT(bo_pauses, "kcsan_pauses", "4", "turns of other CPUs while watching");

/* One side of a race. */
struct kcsan_side {
	struct thread *s_td;
	uint32_t s_cpu;
	uint32_t s_kind; /* KC_* */
	uint64_t s_addr;
	uint32_t s_size;
	uint64_t s_pcs[KCSAN_DEPTH];
};

/* A CPU's watchpoint; its own CPU's but for what is marked. */
static struct kcsan_cpu {
	volatile uint32_t c_watching; /* 1: set; read by all */
	volatile uint32_t c_met;   /* (A) 1: c_other is being written; 2: is */
	struct kcsan_side c_own;   /* constant while it is set */
	struct kcsan_side c_other; /* by whom c_met let in */
	uint64_t c_random;
	uint64_t c_left; /* accesses to go to the next watched one */
	uint32_t c_ignore;
} __cachealigned cpus[MAXCPU];

static volatile uint32_t kcsan_on;    /* 1: since kcsan_start() */
static volatile uint32_t kcsan_watch; /* (A) CPUs that watch */
static uint64_t every, pauses;	      /* (k) */

static struct kcsan_cpu *told; /* whose watchpoint the report is about */
static uint64_t told_old, told_new;

/* Steps a CPU's random numbers: xorshift. */
static uint64_t
next_random(struct kcsan_cpu *c)
{
	c->c_random ^= c->c_random << 13;
	c->c_random ^= c->c_random >> 7;
	c->c_random ^= c->c_random << 17;
	return c->c_random;
}

/* See kcsan.h. */
void
kcsan_start(void)
{
	every = bootopt_u64(&bo_every);
	pauses = bootopt_u64(&bo_pauses);
	if (every == 0)
		return;
	for (uint64_t i = 0; i < MAXCPU; i++) {
		cpus[i].c_random = (bootopt_u64(&bo_seed) * MAXCPU + i + 1) *
		    0x9e3779b97f4a7c15;
		cpus[i].c_left = next_random(&cpus[i]) % (2 * every) + 1;
	}
	kcsan_on = ncpus > 1;
}

/* See kcsan.h. */
void
kcsan_ignore_begin(void)
{
	cpus[mycpuid].c_ignore++;
}

/* See kcsan.h. */
void
kcsan_ignore_end(void)
{
	cpus[mycpuid].c_ignore--;
}

/* The value at an address, of at most eight bytes. */
static uint64_t
value_of(const volatile void *p, uint32_t size)
{
	switch (size) {
	case 1:
		return *(const volatile uint8_t *)p;
	case 2:
		return *(const volatile uint16_t *)p;
	case 4:
		return *(const volatile uint32_t *)p;
	default:
		return *(const volatile uint64_t *)p;
	}
}

/* Prints one side. */
static void
print_side(const struct kcsan_side *s)
{
	kprintf(" %s%s of %u bytes at %#lx by CPU %u, thread %s\n",
	    s->s_kind & KC_MARKED ? "marked " : "",
	    (s->s_kind & KC_RMW) == KC_RMW ? "change"
		: s->s_kind & KC_WRITE	   ? "write"
					   : "read",
	    s->s_size, s->s_addr, s->s_cpu, s->s_td->td_name);
	san_stack_print(s->s_pcs, KCSAN_DEPTH);
}

/* Both sides. Runs in the post-mortem. */
static void
print_race(void)
{
	kprintf("\nThe race\n");
	print_side(&told->c_own);
	if (told->c_met)
		print_side(&told->c_other);
	else
		kprintf(" somebody whose accesses are not seen\n");
	if (told_old != told_new)
		kprintf(" the value was %#lx and became %#lx\n", told_old,
		    told_new);
}

/* Whether two accesses of the same bytes are a race. */
static bool
is_race(const struct kcsan_side *a, uint32_t kind, uint32_t size, uint64_t addr)
{
	bool marked_a = a->s_kind & KC_MARKED, marked_b = kind & KC_MARKED;

	if (((a->s_kind | kind) & KC_WRITE) == 0 || (marked_a && marked_b))
		return false;
	/* a plain store of a word, and a marked load */
	if (marked_b && (kind & KC_WRITE) == 0)
		return a->s_size > 8 || a->s_addr % a->s_size != 0;
	if (marked_a && (a->s_kind & KC_WRITE) == 0)
		return size > 8 || addr % size != 0;
	return true;
}

/* Fills a side in for the running CPU. */
static inline void
fill_side(struct kcsan_side *s, uint64_t addr, uint32_t size, uint32_t kind)
{
	s->s_td = curthread;
	s->s_cpu = mycpuid;
	s->s_kind = kind;
	s->s_addr = addr;
	s->s_size = size;
}

/* Compares an access with the watchpoints of the other CPUs. */
static __noinline void
meet(uint64_t addr, uint32_t size, uint32_t kind)
{
	uint32_t me = mycpuid;

	for (uint32_t i = 0; i < ncpus; i++) {
		struct kcsan_cpu *c = &cpus[i];

		if (i == me || !c->c_watching ||
		    addr + size <= c->c_own.s_addr ||
		    c->c_own.s_addr + c->c_own.s_size <= addr ||
		    !is_race(&c->c_own, kind, size, addr))
			continue;
		if (!atomic_cmpset_uint(&c->c_met, 0, 1))
			continue;
		fill_side(&c->c_other, addr, size, kind);
		san_stack(c->c_other.s_pcs, KCSAN_DEPTH);
		atomic_store_uint(&c->c_met, 2);
	}
}

/* Watches an access of this CPU. Interrupts are disabled. */
static __noinline void
watch(struct kcsan_cpu *c, uint64_t addr, uint32_t size, uint32_t kind)
{
	bool looked = size <= 8;
	uint64_t old = 0, new = 0;

	fill_side(&c->c_own, addr, size, kind);
	c->c_met = 0;
	if (looked)
		old = value_of((void *)addr, size);
	c->c_watching = 1;
	atomic_add_uint(&kcsan_watch, 1);
	for (uint64_t n = next_random(c) % pauses + 1; n > 0; n--)
		cpu_pause();
	atomic_subtract_uint(&kcsan_watch, 1);
	c->c_watching = 0;
	while (c->c_met == 1)
		cpu_pause();
	if (looked)
		new = value_of((void *)addr, size);
	if ((!c->c_met && old == new) || panicking)
		return;
	kcsan_on = 0;
	san_stack(c->c_own.s_pcs, KCSAN_DEPTH);
	told = c;
	told_old = old;
	told_new = new;
	panic_at((uint64_t)__builtin_return_address(0),
	    *(uint64_t *)__builtin_frame_address(0), print_race,
	    "kcsan: race of a %s and a %s",
	    c->c_own.s_kind & KC_WRITE ? "write" : "read",
	    !c->c_met			       ? "change"
		: c->c_other.s_kind & KC_WRITE ? "write"
					       : "read");
}

/* Is this the running thread's own stack? Others look there, too, but what
 * it does itself need not be watched. */
static inline bool
on_stack(uint64_t addr)
{
	return addr - (uint64_t)__builtin_frame_address(0) < KSTACK_SIZE;
}

/* An access, before it is made. */
void
kcsan_access(const volatile void *p, uint32_t size, uint32_t kind)
{
	uint64_t addr = (uint64_t)p, fl;
	struct kcsan_cpu *c;

	if (likely(kcsan_on == 0))
		return;
	c = &cpus[mycpuid];
	if (c->c_ignore != 0)
		return;
	if (kcsan_watch != 0)
		meet(addr, size, kind);
	if (--c->c_left != 0)
		return;
	c->c_left = next_random(c) % (2 * every) + 1;
	if ((kind & KC_MARKED) != 0 || addr < VM_MAX_USER_ADDRESS ||
	    on_stack(addr)) {
		c->c_left = 1;
		return;
	}
	fl = intr_disable();
	if (c->c_watching == 0)
		watch(c, addr, size, kind);
	intr_restore(fl);
}
