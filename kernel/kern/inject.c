/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fault injection; see inject.h.
 */
#include <kern/bootopt.h>
#include <kern/inject.h>
#include <kern/kstring.h>
#include <kern/proc.h>

BOOTOPT(bo_fault, "fault_inject", "",
    "SEED:RATE[:page,kmalloc,pager,disk]: one attempt in RATE fails");

static const char *const kind_names[] = {
    [INJECT_PAGE] = "page",
    [INJECT_KMALLOC] = "kmalloc",
    [INJECT_PAGER] = "pager",
    [INJECT_DISK] = "disk",
};

uint32_t inject_kinds;
static uint64_t inject_seed;			       /* (k) */
static uint64_t inject_rate;			       /* (k) */
static volatile uint64_t attempts[nitems(kind_names)]; /* (A) */

/* Reads a decimal number that ends at a colon or the text's end, and passes
 * over that. False when there is none. */
static bool
take_number(const char **pp, uint64_t *np)
{
	const char *p = *pp;

	for (*np = 0; *p >= '0' && *p <= '9' && *np < 1000000000; p++)
		*np = *np * 10 + (uint64_t)(*p - '0');
	if (p == *pp || (*p != ':' && *p != '\0'))
		return false;
	*pp = *p == ':' ? p + 1 : p;
	return true;
}

/* The kinds of a list with commas; 0: it is none. */
static uint32_t
take_kinds(const char *p)
{
	uint32_t kinds = 0, kind;
	size_t len;

	for (; *p != '\0'; p += len + (p[len] == ',')) {
		for (len = 0; p[len] != '\0' && p[len] != ','; len++)
			;
		for (kind = 0; kind < nitems(kind_names); kind++) {
			if (strlen(kind_names[kind]) == len &&
			    memcmp(kind_names[kind], p, len) == 0)
				break;
		}
		if (kind == nitems(kind_names))
			return 0;
		kinds |= 1U << kind;
	}
	return kinds;
}

/* See inject.h. A broken option stops the boot. */
void
inject_init(void)
{
	const char *p = bootopt_str(&bo_fault);
	uint32_t kinds = (1U << nitems(kind_names)) - 1;

	if (*p == '\0')
		return;
	if (!take_number(&p, &inject_seed) || !take_number(&p, &inject_rate) ||
	    inject_rate < 2 || (*p != '\0' && (kinds = take_kinds(p)) == 0))
		boot_die("fault_inject=%s: not SEED:RATE[:WHAT], RATE at "
			 "least 2, WHAT of page,kmalloc,pager,disk",
		    bootopt_str(&bo_fault));
	inject_kinds = kinds;
}

/* The mixing function of splitmix64 (Steele, Lea and Flood, 2014). */
static uint64_t
mix(uint64_t x)
{
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9UL;
	x = (x ^ x >> 27) * 0x94d049bb133111ebUL;
	return x ^ x >> 31;
}

/* See inject.h. Process 1 has a child from the moment on when there is
 * anything to test. */
bool
inject_now(enum inject_kind kind)
{
	uint64_t n;

	if (initproc == NULL || curproc == initproc ||
	    TAILQ_EMPTY(&initproc->p_children))
		return false;
	n = atomic_fetchadd_ulong(&attempts[kind], 1);
	if (mix(inject_seed * nitems(kind_names) + kind + mix(n)) %
		inject_rate !=
	    0)
		return false;
	cnt_inc(v_injected);
	return true;
}
