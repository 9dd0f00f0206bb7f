/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Open files that stand for vnodes.
 */
#ifndef FS_VN_FILE_H
#define FS_VN_FILE_H

#include <kern/file.h>

extern const struct fileops vn_fileops;

#endif
