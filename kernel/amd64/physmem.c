/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which RAM is free: the firmware's map less what boot itself occupies.
 * phys_avail is handed to vm_page_startup(); until then boot_alloc() takes
 * pages from its front.
 */
#include <kern/bootopt.h>
#include <kern/kstring.h>
#include <san/kasan.h>
#include <vm/vm_kern.h>

#include <amd64/cpu_md.h>
#include <amd64/machdep.h>
#include <amd64/multiboot.h>

#define LOW_MEMORY    0x100000UL   /* below: firmware's, and the trampoline */
#define RAM_MINIMUM   (62UL << 20) /* what a 64 MiB machine has at least */
#define EARLY_LIMIT   (4UL << 30)  /* what the first page tables map */
#define LIMIT_MINIMUM (8UL << 20)  /* the least that mem= may leave */

BOOTOPT(bo_mem, "mem", "0", "give the VM so many MiB of the free RAM; 0: all");

/*
 * Makes room for one more range at place i.
 */
static void
range_insert(int i, vm_paddr_t start, vm_paddr_t end)
{
	if (phys_avail_count == PHYS_RANGES_MAX)
		boot_die("RAM is in more than %d pieces", PHYS_RANGES_MAX);
	memmove(&phys_avail[i + 1], &phys_avail[i],
	    (phys_avail_count - i) * sizeof(phys_avail[0]));
	phys_avail[i].start = start;
	phys_avail[i].end = end;
	phys_avail_count++;
}

/*
 * Closes the gap at place i.
 */
static void
range_delete(int i)
{
	phys_avail_count--;
	memmove(&phys_avail[i], &phys_avail[i + 1],
	    (phys_avail_count - i) * sizeof(phys_avail[0]));
}

/*
 * Adds whole pages of start..end, in order of address; ranges of a firmware
 * map do not overlap, but may touch.
 */
static void
range_add(vm_paddr_t start, vm_paddr_t end)
{
	int i;

	start = round_page(start);
	end = trunc_page(end);
	if (start < LOW_MEMORY)
		start = LOW_MEMORY;
	if (end > DMAP_SIZE)
		end = DMAP_SIZE;
	if (start >= end)
		return;
	for (i = 0; i < phys_avail_count; i++) {
		if (phys_avail[i].end == start) {
			phys_avail[i].end = end;
			return;
		}
		if (phys_avail[i].start > start)
			break;
	}
	if (i < phys_avail_count && phys_avail[i].start == end)
		phys_avail[i].start = start;
	else
		range_insert(i, start, end);
}

/*
 * Takes every page that start..end touches out of what is available.
 */
static void
range_reserve(vm_paddr_t start, vm_paddr_t end)
{
	struct phys_range *r;

	if (start >= end)
		return;
	start = trunc_page(start);
	end = round_page(end);
	for (int i = 0; i < phys_avail_count; i++) {
		r = &phys_avail[i];
		if (end <= r->start || start >= r->end)
			continue;
		if (start > r->start && end < r->end) {
			range_insert(i + 1, end, r->end);
			phys_avail[i].end = start;
			return;
		}
		if (start > r->start) {
			r->end = start;
		} else if (end < r->end) {
			r->start = end;
		} else {
			range_delete(i--);
		}
	}
}

/*
 * Forgets all RAM beyond the first so many bytes.
 */
static void
range_limit(vm_size_t bytes)
{
	for (int i = 0; i < phys_avail_count; i++) {
		struct phys_range *r = &phys_avail[i];

		if (bytes == 0) {
			phys_avail_count = i;
			return;
		}
		r->end = r->start + MIN(bytes, r->end - r->start);
		bytes -= r->end - r->start;
	}
}

/*
 * Builds phys_avail. Dies when the machine has too little RAM or brought no
 * initramfs, without which there is nothing to run.
 */
void
physmem_init(void)
{
	vm_paddr_t ram = 0;

	for (int i = 0; i < bootinfo.bi_mmaps; i++) {
		vm_paddr_t base = bootinfo.bi_mmap[i].base;

		if (bootinfo.bi_mmap[i].type != BI_RAM)
			continue;
		range_add(base, base + bootinfo.bi_mmap[i].size);
		ram += bootinfo.bi_mmap[i].size;
	}
	if (ram < RAM_MINIMUM)
		boot_die(
		    "too little RAM: %lu MiB found, 64 MiB needed", ram >> 20);
	if (bootinfo.bi_module >= bootinfo.bi_module_end)
		boot_die("no module (initramfs) given");
	range_reserve(
	    (vm_paddr_t)kernel_start_pa, (vm_paddr_t)kernel_end - KERNBASE);
	range_reserve(bootinfo.bi_module, bootinfo.bi_module_end);
	range_reserve(
	    bootinfo.bi_symtab, bootinfo.bi_symtab + bootinfo.bi_symtab_size);
	range_reserve(
	    bootinfo.bi_strtab, bootinfo.bi_strtab + bootinfo.bi_strtab_size);
	kasan_boot();
	ram = bootopt_u64(&bo_mem) << 20;
	if (ram != 0 && ram < LIMIT_MINIMUM)
		boot_die("mem=%lu: too little RAM", ram >> 20);
	if (ram != 0)
		range_limit(ram);
}

/*
 * Where the initramfs lies; its pages are never given to the VM.
 */
const void *
boot_module(size_t *sizep)
{
	*sizep = bootinfo.bi_module_end - bootinfo.bi_module;
	return (const void *)PHYS_TO_DMAP(bootinfo.bi_module);
}

/*
 * Zeroed pages for boot's own tables, never given back; the lowest that
 * there are, because secondary CPUs start with 32-bit addresses.
 */
void *
boot_alloc(size_t npages)
{
	size_t size = npages * PAGE_SIZE;

	for (int i = 0; i < phys_avail_count; i++) {
		struct phys_range *r = &phys_avail[i];
		vm_paddr_t pa = r->start;

		if (r->end - r->start < size || pa + size > EARLY_LIMIT)
			continue;
		r->start += size;
		if (r->start == r->end)
			range_delete(i);
		memset((void *)PHYS_TO_DMAP(pa), 0, size);
		return (void *)PHYS_TO_DMAP(pa);
	}
	boot_die("no room for boot's tables");
}

/*
 * A page that real mode can reach and that nothing else of ours uses: the
 * highest usable one below 640 KiB that the module and the symbols leave.
 */
vm_paddr_t
physmem_trampoline(void)
{
	for (vm_paddr_t pa = 0x9f000; pa >= 0x1000; pa -= PAGE_SIZE) {
		bool good = false;

		for (int i = 0; i < bootinfo.bi_mmaps; i++) {
			if (bootinfo.bi_mmap[i].type == BI_RAM &&
			    bootinfo.bi_mmap[i].base <= pa &&
			    pa + PAGE_SIZE <= bootinfo.bi_mmap[i].base +
				    bootinfo.bi_mmap[i].size)
				good = true;
		}
#define OVERLAPS(start, size) \
	((start) < pa + PAGE_SIZE && (start) + (size) > pa)
		if (OVERLAPS(bootinfo.bi_module,
			bootinfo.bi_module_end - bootinfo.bi_module) ||
		    OVERLAPS(bootinfo.bi_symtab, bootinfo.bi_symtab_size) ||
		    OVERLAPS(bootinfo.bi_strtab, bootinfo.bi_strtab_size))
			good = false;
#undef OVERLAPS
		if (good)
			return pa;
	}
	boot_die("no page below 640 KiB for starting other CPUs");
}
