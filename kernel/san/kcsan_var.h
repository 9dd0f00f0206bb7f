/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Between the compiler's calls and the race finder.
 */
#ifndef SAN_KCSAN_VAR_H
#define SAN_KCSAN_VAR_H

#include <san/kcsan.h>
#include <san/san_stack.h>

#define KCSAN_DEPTH 14

#define KC_READ	  0U
#define KC_WRITE  1U
#define KC_MARKED 2U /* atomic or volatile */
#define KC_RMW	  7U /* an atomic operation that reads and writes */

void kcsan_access(const volatile void *p, uint32_t size, uint32_t kind);

#endif
