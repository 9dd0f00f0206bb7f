/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Starting the secondary CPUs: INIT, a pause, STARTUP (SDM vol. 3, 8.4.4),
 * one after the other and in the order of ACPI's table, so that CPU numbers
 * are the same on every boot.
 */
#include <kern/bootopt.h>
#include <kern/kprintf.h>
#include <kern/kstring.h>
#include <kern/thread.h>
#include <kern/trace.h>
#include <pmap/pmap.h>
#include <vm/vm_kern.h>

#include <amd64/acpi.h>
#include <amd64/cpu_md.h>
#include <amd64/cpufunc.h>
#include <amd64/machdep.h>

BOOTOPT(bo_maxcpu, "maxcpus", "16", "use at most so many CPUs");

/* At the end of boot/trampoline.S. */
struct ap_args {
	uint64_t stack, data, pml4;
	uint32_t cr3, efer;
};
extern const char ap_trampoline[], ap_trampoline_end[], ap_args[];
extern char early_pml4[];

struct globaldata *globaldata_array[MAXCPU];
uint32_t ncpus = 1;
struct globaldata globaldata0;

static volatile uint32_t ap_running; /* number of the CPU that got here */
static volatile uint32_t all_up;     /* ncpus has its final value */

void ap_main(struct globaldata *gd) __noreturn;

/*
 * A secondary's first C function: on its idle thread's stack, interrupts
 * disabled.
 */
void
ap_main(struct globaldata *gd)
{
	desc_load(gd);
	cpu_setup();
	lapic_setup();
	pmap_activate(&kernel_pmap); /* from here on we hear of shootdowns */
	sched_init_cpu(gd);
	atomic_store_uint(&ap_running, gd->gd_cpuid);
	/* The others must all be up before this one takes part: the number
	 * of CPUs is constant from then on. */
	while (atomic_load_uint(&all_up) == 0) {
		pmap_inval_poll();
		cpu_pause();
	}
	lapic_timer_start();
	cpu_enable_intr();
	idle_loop();
}

/*
 * Memory of a CPU's own, from the VM, never given back.
 */
static struct globaldata *
cpu_alloc(uint32_t cpu)
{
	int gdpages = (int)howmany(sizeof(struct globaldata), PAGE_SIZE);
	int mdpages = (int)howmany(sizeof(struct cpu_md), PAGE_SIZE);
	int trpages = (int)howmany(sizeof(trace_ring0), PAGE_SIZE);
	struct globaldata *gd = kmem_page_alloc(gdpages, 1);
	struct cpu_md *md = kmem_page_alloc(mdpages, 1);
	struct trace_rec *ring = kmem_page_alloc(trpages, 1);

	if (gd == NULL || md == NULL || ring == NULL)
		boot_die("too little RAM for %u CPUs", cpu + 1);
	memset(gd, 0, gdpages * PAGE_SIZE);
	memset(md, 0, mdpages * PAGE_SIZE);
	memset(ring, 0, trpages * PAGE_SIZE);
	gd->gd_self = gd;
	gd->gd_cpuid = cpu;
	gd->gd_spinword = cpu + 1;
	gd->gd_apicid = acpi_info.ai_apicid[cpu];
	gd->gd_md = md;
	gd->gd_trace = ring;
	gd->gd_idlethread = thread_create_idle(cpu);
	if (gd->gd_idlethread == NULL)
		boot_die("too little RAM for %u CPUs", cpu + 1);
	gd->gd_curthread = gd->gd_idlethread;
	gd->gd_kstack_top =
	    gd->gd_idlethread->td_kstack + gd->gd_idlethread->td_kstack_size;
	return gd;
}

/*
 * True when the CPU arrived within the time.
 */
static bool
ap_wait(uint32_t cpu, uint64_t ns)
{
	uint64_t end = nanotime() + ns;

	while (atomic_load_uint(&ap_running) != cpu) {
		if (nanotime() > end)
			return false;
		cpu_pause();
	}
	return true;
}

/*
 * Sends one CPU to the trampoline. False when it does not come.
 */
static bool
ap_start(struct globaldata *gd, vm_paddr_t page)
{
	struct ap_args *args = (struct ap_args *)(PHYS_TO_DMAP(page) +
	    (uint64_t)(ap_args - ap_trampoline));
	uint32_t vector = (uint32_t)(page >> PAGE_SHIFT);

	args->stack = gd->gd_kstack_top;
	args->data = (uint64_t)gd;
	args->pml4 = kernel_pml4_pa;
	args->cr3 = (uint32_t)((uint64_t)early_pml4 - KERNBASE);
	args->efer = EFER_NXE;
	for (int i = 0; i < 2; i++) {
		lapic_icr(gd->gd_apicid, ICR_STARTUP | ICR_ASSERT | vector);
		/* Long: a host that is busy may leave a virtual CPU waiting. */
		if (ap_wait(gd->gd_cpuid, i == 0 ? 100000 : 30000000000))
			return true;
	}
	return false;
}

/*
 * Starts all of them. Boot CPU, when threads can be made; afterwards ncpus
 * is set and every CPU runs its idle loop. A CPU that does not come stops
 * the boot: the machine would not be what the command line says.
 */
void
mp_start(void)
{
	uint32_t n = (uint32_t)MIN(acpi_info.ai_cpus, bootopt_u64(&bo_maxcpu));
	vm_paddr_t page;

	if (n == 0)
		n = 1;
	if (n > 1) {
		page = physmem_trampoline();
		memcpy((void *)PHYS_TO_DMAP(page), ap_trampoline,
		    (size_t)(ap_trampoline_end - ap_trampoline));
		/* What follows a secondary is on the kernel's tables, but its
		 * first steps need low addresses and the early ones. */
		for (uint32_t i = 1; i < n; i++) {
			globaldata_array[i] = cpu_alloc(i);
			lapic_icr(acpi_info.ai_apicid[i],
			    ICR_INIT | ICR_LEVEL | ICR_ASSERT);
		}
		cpu_delay(10000000);
		for (uint32_t i = 1; i < n; i++) {
			if (!ap_start(globaldata_array[i], page))
				boot_die("CPU %u (APIC id %u) does not start",
				    i, globaldata_array[i]->gd_apicid);
		}
	}
	ncpus = n;
	atomic_store_uint(&all_up, 1);
	lapic_timer_start();
	klog(KLOG_INFO, "%u CPU%s\n", n, n == 1 ? "" : "s");
}
