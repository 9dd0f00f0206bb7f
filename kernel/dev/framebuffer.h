/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The screen, if the machine has one: /dev/fb0.
 */
#ifndef DEV_FRAMEBUFFER_H
#define DEV_FRAMEBUFFER_H

/* Looks for the card, sets a mode and registers the device. Boot, after
 * pci_init() and before devfs_mount(). */
void fb_init(void);

#endif
