/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which lines were executed: the counters of a kernel built with COVERAGE=1.
 */
#ifndef KERN_GCOV_H
#define KERN_GCOV_H

#ifdef COVERAGE
/* Writes the counters of each instrumented file on the result stream, as a
 * line `gcda FILE HEX', where HEX is what belongs into the file. */
void gcov_dump(void);
#else
static inline void
gcov_dump(void)
{
}
#endif

#endif
