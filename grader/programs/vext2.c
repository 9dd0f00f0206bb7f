/* SPDX-License-Identifier: BSD-2-Clause */
/* The tests of ext2, on virtio-blk. */

#define DISKS "vd"
#include "ext2.c"
