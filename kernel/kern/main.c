/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The order in which the kernel comes to life. Each line needs what stands
 * above it; amd64/init.c has done the CPU before.
 */
#include <kern/bootopt.h>
#include <kern/kmalloc.h>
#include <kern/kprintf.h>
#include <kern/inject.h>
#include <kern/ktest.h>
#include <kern/main.h>
#include <kern/proc.h>
#include <kern/sched.h>
#include <kern/thread.h>
#include <fs/vnode.h>
#include <pmap/pmap.h>
#include <vm/vm_kern.h>
#include <vm/vm_fault.h>
#include <vm/swap_pager.h>
#include <vm/vm_object.h>
#include <vm/vm_page.h>
#include <vm/vm_pageout.h>

#include <amd64/cpu_md.h>
#include <amd64/cpufunc.h>
#include <amd64/machdep.h>
#include <dev/blk.h>
#include <dev/framebuffer.h>
#include <dev/uart.h>
#include <san/kcsan.h>
#include <san/san_test.h>

BOOTOPT(bo_limit, "limit", "20", "for init: the seconds a test may take");
BOOTOPT(bo_tests, "tests", "", "for init: the tests to run, by commas");

/*
 * See main.h.
 */
void
kmain(void)
{
	size_t size;
	const void *cpio = boot_module(&size);
	int error;

	vm_page_startup();
	pmap_bootstrap();
	kmem_init();
	kmalloc_init();
	pmap_init();
	vm_object_init();
	swap_meta_init();
	vm_map_startup();
	vm_fault_init();

	sched_init();
	thread_init();
	sched_init_cpu(mycpu);
	cpu_enable_intr();
	blk_init();
	fb_init();
	mp_start();
	kcsan_start();
	san_test_run();
	ktest_run();

	vm_pageout_start();
	swap_boot();
	inject_init();
	proc_init();
	vfs_init();
	error = vfs_mountroot(cpio, size);
	if (error != 0)
		boot_die("the initramfs cannot be unpacked: error %d", error);
	uart_input_start();
	sched_points_start();
	proc_start_init();
	idle_loop();
}
