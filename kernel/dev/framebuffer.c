/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The screen: the standard VGA of QEMU and Bochs as a plain array of pixels,
 * /dev/fb0, as Linux's frame buffer devices are (linux/fb.h). Programs map
 * it and draw.
 *
 * The mode is set by the card's DISPI registers, an index and a data port
 * (QEMU, docs/specs/standard-vga.rst). A pixel is 32 bits: blue, green, red
 * and a byte that is ignored. What of the card's memory the screen does not
 * show can be mapped too, and be shown by panning.
 */
#include <linux/errno.h>
#include <linux/fb.h>

#include <amd64/cpufunc.h>
#include <dev/framebuffer.h>
#include <dev/pci.h>
#include <fs/vnode.h>
#include <kern/kprintf.h>
#include <kern/kstring.h>
#include <kern/uaccess.h>

#define VGA_VENDOR 0x1234
#define VGA_DEVICE 0x1111

#define DISPI_PORT_INDEX 0x1ce
#define DISPI_PORT_DATA	 0x1cf

enum dispi {
	DISPI_ID = 0x0,
	DISPI_XRES = 0x1,
	DISPI_YRES = 0x2,
	DISPI_BPP = 0x3,
	DISPI_ENABLE = 0x4,
	DISPI_VIRT_WIDTH = 0x6,
	DISPI_X_OFFSET = 0x8,
	DISPI_Y_OFFSET = 0x9,
	DISPI_MEMORY_64K = 0xa,
};

#define DISPI_ID_FIRST 0xb0c2 /* the first with 32 bits a pixel */
#define DISPI_ID_LAST  0xb0cf

/* DISPI_ENABLE: on; all memory in one piece. Without NOCLEARMEM (0x80) the
 * card then clears its memory. */
#define DISPI_ON  0x01
#define DISPI_LFB 0x40

#define PIXEL	   4U /* bytes */
#define XRES_MAX   2560U
#define YRES_MAX   1600U
#define FIRST_XRES 800
#define FIRST_YRES 600

static struct {
	vm_paddr_t pa;	/* (k) of the card's memory */
	vm_size_t size; /* (k) of it, bytes */
	struct lock lock;
	uint32_t xres, yres;	   /* lock */
	uint32_t xoffset, yoffset; /* lock; of what is shown */
} fb;

static void
dispi_write(enum dispi reg, uint16_t value)
{
	outw(DISPI_PORT_INDEX, (uint16_t)reg);
	outw(DISPI_PORT_DATA, value);
}

static uint16_t
dispi_read(enum dispi reg)
{
	outw(DISPI_PORT_INDEX, (uint16_t)reg);
	return inw(DISPI_PORT_DATA);
}

/* Sets the mode, which clears the screen. fb.lock is held. */
static void
fb_set_mode(uint32_t xres, uint32_t yres)
{
	dispi_write(DISPI_ENABLE, 0);
	dispi_write(DISPI_XRES, (uint16_t)xres);
	dispi_write(DISPI_YRES, (uint16_t)yres);
	dispi_write(DISPI_BPP, 8 * PIXEL);
	dispi_write(DISPI_ENABLE, DISPI_ON | DISPI_LFB);
	dispi_write(DISPI_VIRT_WIDTH, (uint16_t)xres);
	dispi_write(DISPI_X_OFFSET, 0);
	dispi_write(DISPI_Y_OFFSET, 0);
	fb.xres = xres;
	fb.yres = yres;
	fb.xoffset = 0;
	fb.yoffset = 0;
}

/* How many lines the memory has, as far as the card can count. fb.lock is held. */
static uint32_t
fb_lines(void)
{
	return (uint32_t)MIN(fb.size / (fb.xres * PIXEL), UINT16_MAX);
}

/* What can be changed, as it is. fb.lock is held. */
static void
fb_var(struct fb_var_screeninfo *var)
{
	*var = (struct fb_var_screeninfo){
	    .xres = fb.xres,
	    .yres = fb.yres,
	    .xres_virtual = fb.xres,
	    .yres_virtual = fb_lines(),
	    .xoffset = fb.xoffset,
	    .yoffset = fb.yoffset,
	    .bits_per_pixel = 8 * PIXEL,
	    .red = {.offset = 16, .length = 8},
	    .green = {.offset = 8, .length = 8},
	    .blue = {.offset = 0, .length = 8},
	    .height = (uint32_t)-1, /* unknown */
	    .width = (uint32_t)-1,
	    .vmode = FB_VMODE_NONINTERLACED,
	};
}

/* What cannot be changed but by a mode. fb.lock is held. */
static void
fb_fix(struct fb_fix_screeninfo *fix)
{
	*fix = (struct fb_fix_screeninfo){
	    .smem_start = fb.pa,
	    .smem_len = (uint32_t)fb.size,
	    .type = FB_TYPE_PACKED_PIXELS,
	    .visual = FB_VISUAL_TRUECOLOR,
	    .ypanstep = 1,
	    .line_length = fb.xres * PIXEL,
	};
	strlcpy(fix->id, "Bochs VGA", sizeof(fix->id));
}

/* Another mode, as far as the card can do it; what was asked for is replaced
 * by what is. EINVAL: it cannot. fb.lock is held. */
static int
fb_put_var(struct fb_var_screeninfo *var)
{
	if (var->bits_per_pixel != 8 * PIXEL || var->xres == 0 ||
	    var->yres == 0 || var->xres > XRES_MAX || var->yres > YRES_MAX ||
	    var->xres % 8 != 0 ||
	    (vm_size_t)var->xres * var->yres * PIXEL > fb.size)
		return EINVAL;
	if ((var->activate & FB_ACTIVATE_MASK) == FB_ACTIVATE_NOW &&
	    (var->xres != fb.xres || var->yres != fb.yres ||
		(var->activate & FB_ACTIVATE_FORCE)))
		fb_set_mode(var->xres, var->yres);
	if ((var->activate & FB_ACTIVATE_MASK) == FB_ACTIVATE_NOW)
		fb_var(var);
	return 0;
}

/* Shows another part of the memory. EINVAL: not all of it is memory. fb.lock
 * is held. */
static int
fb_pan(const struct fb_var_screeninfo *var)
{
	if (var->xoffset != 0 || var->yoffset > fb_lines() - fb.yres)
		return EINVAL;
	dispi_write(DISPI_Y_OFFSET, (uint16_t)var->yoffset);
	fb.yoffset = var->yoffset;
	return 0;
}

/* ioctl: FBIO{GET,PUT}_VSCREENINFO, FBIOGET_FSCREENINFO, FBIOPAN_DISPLAY;
 * ENOTTY for others. */
static int
fb_ioctl(unsigned long cmd, uintptr_t arg)
{
	struct fb_var_screeninfo var;
	struct fb_fix_screeninfo fix;
	int error = 0;

	if ((cmd == FBIOPUT_VSCREENINFO || cmd == FBIOPAN_DISPLAY) &&
	    copyin((void *)arg, &var, sizeof(var)) != 0)
		return EFAULT;
	lockmgr(&fb.lock, LK_EXCLUSIVE);
	switch (cmd) {
	case FBIOGET_VSCREENINFO:
		fb_var(&var);
		break;
	case FBIOGET_FSCREENINFO:
		fb_fix(&fix);
		break;
	case FBIOPUT_VSCREENINFO:
		error = fb_put_var(&var);
		break;
	case FBIOPAN_DISPLAY:
		error = fb_pan(&var);
		if (error == 0)
			fb_var(&var);
		break;
	default:
		error = ENOTTY;
		break;
	}
	lockmgr(&fb.lock, LK_RELEASE);
	if (error != 0)
		return error;
	if (cmd == FBIOGET_FSCREENINFO)
		return copyout(&fix, (void *)arg, sizeof(fix));
	return copyout(&var, (void *)arg, sizeof(var));
}

/* mmap: the card's memory, from its beginning on. */
static int
fb_mmap(vm_ooffset_t off, vm_prot_t prot, vm_paddr_t *pa)
{
	(void)prot;
	if (off < 0 || (vm_size_t)off >= fb.size)
		return EINVAL;
	*pa = fb.pa + (vm_paddr_t)off;
	return 0;
}

static const struct cdevsw fb_cdevsw = {
    .d_name = "fb0",
    .d_major = 29, /* Documentation/admin-guide/devices.txt of Linux */
    .d_minor = 0,
    .d_mode = 0660,
    .d_ioctl = fb_ioctl,
    .d_mmap = fb_mmap,
};

/* See framebuffer.h. */
void
fb_init(void)
{
	const struct pci_dev *pd = pci_find(VGA_VENDOR, VGA_DEVICE, NULL);
	vm_size_t size;
	uint16_t id;

	if (pd == NULL || !pci_bar(pd, 0, &fb.pa, &size))
		return;
	pci_enable(pd);
	id = dispi_read(DISPI_ID);
	if (id < DISPI_ID_FIRST || id > DISPI_ID_LAST)
		return;
	fb.size = (vm_size_t)dispi_read(DISPI_MEMORY_64K) << 16;
	fb.size = MIN(fb.size, size);
	if (fb.size < FIRST_XRES * FIRST_YRES * PIXEL)
		return;
	lockinit(&fb.lock, "fb");
	fb_set_mode(FIRST_XRES, FIRST_YRES);
	devfs_register(&fb_cdevsw);
	klog(KLOG_INFO, "fb0: %d by %d, %lu KiB at %#lx\n", FIRST_XRES,
	    FIRST_YRES, fb.size >> 10, fb.pa);
}
