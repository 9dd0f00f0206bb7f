/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The race finder: the compiler calls it at every access to memory. Now and
 * then it watches the address of an access for as long as other CPUs run, and
 * when one of them comes to the same bytes meanwhile, that is a race.
 *
 * It is none when both sides are marked: atomic operations and accesses to
 * what is volatile. Nor when a plain store of an aligned word meets a marked
 * load: the store is one instruction on amd64, and the load said that it
 * expects it.
 *
 * A race that is meant stands in data_race(), with the reason beside it:
 *
 *	// a hint; whoever it misleads looks again under the lock
 *	if (data_race(q->lcnt) == 0)
 *
 * or, when a whole function is one, has __no_kcsan.
 */
#ifndef SAN_KCSAN_H
#define SAN_KCSAN_H

#ifdef KCSAN

/* Accesses of this CPU between the two are nobody's race. They nest. */
void kcsan_ignore_begin(void);
void kcsan_ignore_end(void);

#define data_race(e)                             \
	({                                       \
		__typeof__(({ e; })) data_race_; \
		kcsan_ignore_begin();            \
		data_race_ = (e);                \
		kcsan_ignore_end();              \
		data_race_;                      \
	})
#define __no_kcsan __attribute__((no_sanitize("thread"), noinline))

/* From here on, with all CPUs up. */
void kcsan_start(void);

#else

#define data_race(e) (e)
#define __no_kcsan
#define kcsan_ignore_begin() ((void)0)
#define kcsan_ignore_end()   ((void)0)
#define kcsan_start()	     ((void)0)

#endif
#endif
