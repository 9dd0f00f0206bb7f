/* SPDX-License-Identifier: BSD-2-Clause */
/* The tests of disks, for virtio-blk; its second disk is read-only. */

#define VIRTIO
#define DISK  "vda"
#define OTHER "vdb"
#include "disk.c"
