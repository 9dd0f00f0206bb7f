/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * QEMU's fw_cfg: named files that the host passes to the guest.
 */
#ifndef DEV_FWCFG_H
#define DEV_FWCFG_H

#include <kern/types.h>

/* Reads at most size - 1 bytes of the file and puts a NUL after them. The
 * file's own length, or -1 when there is no such file (or no QEMU). Boot. */
ssize_t fwcfg_read(const char *name, char *buf, size_t size);

#endif
