/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A source file's name as the sanitizers' tables have it: with the folder that
 * the stage was laid out in.
 */
#ifndef SAN_SAN_PATH_H
#define SAN_SAN_PATH_H

#include <kern/kstring.h>

/* The path within the kernel. */
static inline const char *
san_path(const char *file)
{
	const char *tree = strstr(file, "/tree/");

	return tree != NULL ? tree + 6 : file;
}

#endif
