/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Changing page-table entries that other CPUs may have cached or may be
 * walking to at this moment.
 *
 * The CPU that wants the change (the originator) has the others stop in
 * their interrupt handler, changes the entry while all stand still, and then
 * everyone forgets the translation. So no CPU uses the old entry after the
 * call, and no A or M bit is set in an entry that has been read already.
 *
 * For a user's pmap CPULOCK_EXCL is held around it all. It keeps CPUs that
 * are just loading the pmap out, and it makes the question "is it loaded
 * here only?" have an answer that holds: it must be asked after the lock is
 * taken.
 *
 * No originator waits with its eyes shut: it runs with interrupts disabled,
 * so that the handler never sees a half-done request of its own CPU, and
 * looks after the others' requests in its wait loops. Hence any number of
 * originators get along.
 */
#include <amd64/cpufunc.h>
#include <amd64/frame.h>
#include <amd64/machdep.h>
#include <kern/panic.h>
#include <pmap/pmap_var.h>
#include <san/witness.h>

/* More pages than this: forget everything at once. */
#define MAX_INVAL_PAGES 128

enum inval_mode { INV_STORE, INV_CMPSET, INV_DONE };

/*
 * A CPU's request. The originator writes it while its bit in inval_cpus is
 * clear; then (A) atomic, (o) only the originator.
 */
struct pmap_inval_info {
	vm_offset_t va;
	uint64_t npgs;
	bool kernel;		 /* global translations */
	pt_entry_t *ptep;	 /* (o) may be NULL */
	pt_entry_t opte;	 /* (o) expected; then what was there */
	pt_entry_t npte;	 /* (o) */
	bool success;		 /* (o) INV_CMPSET: it was as expected */
	volatile uint32_t mode;	 /* (A) INV_DONE: the entry is changed */
	volatile cpumask_t mask; /* (A) who has not come to a stop yet */
	volatile cpumask_t done; /* (A) who has not forgotten it yet */
} __cachealigned;

static struct pmap_inval_info invinfo[MAXCPU];
static volatile cpumask_t inval_cpus; /* (A) CPUs with a request out */

/* Makes this CPU forget npgs pages from va. */
static void
inval_local(vm_offset_t va, uint64_t npgs, bool kernel)
{
	if (npgs <= MAX_INVAL_PAGES) {
		for (; npgs > 0; npgs--, va += PAGE_SIZE)
			cpu_invlpg(va);
	} else if (kernel) {
		/* Global ones too: SDM vol. 3, 4.10.4.1. */
		write_cr4(read_cr4() & ~(uint64_t)CR4_PGE);
		write_cr4(read_cr4() | CR4_PGE);
	} else {
		cpu_invltlb();
	}
}

/*
 * One look at the requests of other CPUs: comes to a stop for new ones,
 * forgets what has been changed. True when one is left that has us stopped.
 * Interrupts disabled.
 */
static bool
inval_serve(void)
{
	cpumask_t me = CPUMASK(mycpuid);
	cpumask_t cpus = atomic_load_uint(&inval_cpus) & ~me;
	bool again = false;

	for (; cpus != 0; cpus &= cpus - 1) {
		struct pmap_inval_info *info = &invinfo[__builtin_ctz(cpus)];

		/* Our bit in done is what makes a request one for us; it was
		 * set when the rest was written. */
		if ((atomic_load_uint(&info->done) & me) == 0)
			continue;
		if (atomic_load_uint(&info->mask) & me)
			atomic_clear_uint(&info->mask, me);
		SCHED_POINT("pmap.inval_stop");
		if (atomic_load_uint(&info->mode) == INV_DONE) {
			inval_local(info->va, info->npgs, info->kernel);
			atomic_clear_uint(&info->done, me);
		} else {
			again = true;
		}
	}
	return again;
}

/* A look at the requests, for a wait loop that may run with interrupts
 * disabled. It does not wait; a wait loop comes back. */
void
pmap_inval_poll(void)
{
	uint64_t fl = intr_disable();

	inval_serve();
	intr_restore(fl);
}

/* The IPI: stands still while any originator wants it. */
void
pmap_inval_intr(void)
{
	uint64_t fl = intr_disable();

	while (inval_serve() && !panicking)
		cpu_pause();
	intr_restore(fl);
}

/* Enters an invalidation: a critical section and, for a user's pmap, its
 * CPULOCK_EXCL. */
static void
inval_begin(pmap_t pmap)
{
	crit_enter();
	cnt_inc(v_pmap_inval);
	if (pmap != &kernel_pmap) {
		KASSERT(mycpu->gd_spinlocks == 0,
		    ("TLB shootdown with a spinlock held"));
		SCHED_POINT("pmap.inval_lock");
		witness_want(WK_SPIN, pmap, "cpulock");
		while (
		    !atomic_cmpset_uint(&pmap->pm_cpulock, 0, CPULOCK_EXCL)) {
			pmap_inval_poll();
			cpu_pause();
		}
		witness_got(WK_SPIN, pmap, "cpulock", false);
		cnt_inc(v_cpulock);
		SCHED_POINT("pmap.inval_locked");
	}
	atomic_add_uint(&pmap->pm_invgen, 1);
}

/* Leaves it again. */
static void
inval_end(pmap_t pmap)
{
	SCHED_POINT("pmap.inval_end");
	if (pmap != &kernel_pmap) {
		witness_gone(WK_SPIN, pmap);
		atomic_clear_uint(&pmap->pm_cpulock, CPULOCK_EXCL);
	}
	crit_exit();
}

/* Changes the entry, as the request says. */
static void
inval_execute(struct pmap_inval_info *info)
{
	if (info->ptep == NULL)
		return;
	if (info->mode == INV_STORE)
		info->opte = atomic_swap_ulong(info->ptep, info->npte);
	else
		info->success =
		    atomic_cmpset_ulong(info->ptep, info->opte, info->npte);
}

/*
 * Has the CPUs of `others' stop, changes the entry, and returns when all
 * have forgotten it. Interrupts are disabled, and so the handler does not
 * run here: requests of others are served in the loops.
 */
static void
inval_rendezvous(struct pmap_inval_info *info, cpumask_t others)
{
	cpumask_t me = CPUMASK(mycpuid);
	uint64_t fl = intr_disable();

	info->mask = others;
	atomic_store_uint(&info->done, others);
	atomic_set_uint(&inval_cpus, me);
	ipi_send_mask(others, VEC_INVAL);
	SCHED_POINT("pmap.inval_sent");

	while (atomic_load_uint(&info->mask) != 0 && !panicking) {
		inval_serve();
		cpu_pause();
	}
	SCHED_POINT("pmap.inval_stopped");
	inval_execute(info);
	atomic_store_uint(&info->mode, INV_DONE);
	SCHED_POINT("pmap.inval_changed");
	inval_local(info->va, info->npgs, info->kernel);
	while (atomic_load_uint(&info->done) != 0 && !panicking) {
		inval_serve();
		cpu_pause();
	}
	atomic_clear_uint(&inval_cpus, me);
	SCHED_POINT("pmap.inval_forgotten");

	/* We may have come to a stop for another's request above: it is not
	 * over before it is done. */
	pmap_inval_intr();
	intr_restore(fl);
}

/* Does a request, which is complete but for the CPUs it concerns. */
static void
inval_run(pmap_t pmap, struct pmap_inval_info *info)
{
	cpumask_t others = pmap->pm_active & ~CPUMASK(mycpuid);

	SCHED_POINT("pmap.inval_asked");
	if (others != 0) {
		cnt_inc(v_pmap_shootdown);
		trace(TR_INVAL, (uint64_t)pmap, info->va, info->npgs, others);
		inval_rendezvous(info, others);
	} else {
		inval_execute(info);
		inval_local(info->va, info->npgs, info->kernel);
	}
}

/* See pmap.h. */
pt_entry_t
pmap_inval_smp(pmap_t pmap, vm_offset_t va, uint64_t npgs, pt_entry_t *ptep,
    pt_entry_t npte)
{
	struct pmap_inval_info *info;
	pt_entry_t opte;

	KKASSERT(ptep == NULL || npgs == 1);
	inval_begin(pmap);
	info = &invinfo[mycpuid];
	info->va = va;
	info->npgs = npgs;
	info->kernel = pmap == &kernel_pmap;
	info->ptep = ptep;
	info->opte = 0;
	info->npte = npte;
	info->mode = INV_STORE;
	inval_run(pmap, info);
	opte = info->opte;
	inval_end(pmap);
	return opte;
}

/* See pmap.h. */
int
pmap_inval_smp_cmpset(pmap_t pmap, vm_offset_t va, pt_entry_t *ptep,
    pt_entry_t opte, pt_entry_t npte)
{
	struct pmap_inval_info *info;
	bool success;

	inval_begin(pmap);
	info = &invinfo[mycpuid];
	info->va = va;
	info->npgs = 1;
	info->kernel = pmap == &kernel_pmap;
	info->ptep = ptep;
	info->opte = opte;
	info->npte = npte;
	info->success = false;
	info->mode = INV_CMPSET;
	inval_run(pmap, info);
	success = info->success;
	inval_end(pmap);
	return success;
}
