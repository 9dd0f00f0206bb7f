/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * UBSan, the undefined-behaviour sanitizer: the compiler checks operations
 * whose result C does not define and calls these when one of them is about to
 * happen. Each ends the machine and says where and with which operands.
 *
 * Names and tables are the compiler's (GCC, ubsan.cc, sanitizer.def). All
 * values are handed over as words: this kernel computes in none wider.
 */
#include <kern/kprintf.h>
#include <kern/panic.h>
#include <san/san_path.h>

struct location {
	const char *file;
	uint32_t line, column;
};

struct type {
	uint16_t kind; /* 0: an integer */
	uint16_t info; /* bit 0: signed; above it log2 of its bits */
	char name[];   /* in quotes */
};

/* All tables begin like this; the types' meaning is the check's. */
struct data {
	struct location where;
	const struct type *type, *type2;
};

struct mismatch_data {
	struct location where;
	const struct type *type;
	uint8_t log2_align, access;
};

struct nonnull_data {
	struct location where, attribute;
	int arg;
};

#define RIP ((uint64_t)__builtin_return_address(0) - 1)
#define RBP (*(uint64_t *)__builtin_frame_address(0))
#define DIE(loc, fmt, ...)                                \
	panic_at(RIP, RBP, NULL, "UBSan: %s:%u:%u: " fmt, \
	    san_path((loc)->file), (loc)->line, (loc)->column, ##__VA_ARGS__)

/* A value in words, sign-extended by its type. */
struct number {
	char text[24];
};

static struct number
number(const struct type *t, uint64_t v)
{
	struct number n;
	int unused = 64 - (1 << (t->info >> 1));

	if (t->kind != 0 || unused < 0)
		ksnprintf(n.text, sizeof(n.text), "%#lx", v);
	else if (t->info & 1)
		ksnprintf(n.text, sizeof(n.text), "%ld",
		    (int64_t)(v << unused) >> unused);
	else
		ksnprintf(n.text, sizeof(n.text), "%lu", v << unused >> unused);
	return n;
}

#define HANDLER(name, ...)                       \
	void __ubsan_handle_##name(__VA_ARGS__); \
	__noinline void __ubsan_handle_##name(__VA_ARGS__)

#define OVERFLOW(operation, op)                                         \
	HANDLER(operation##_overflow, const struct data *d, uint64_t l, \
	    uint64_t r)                                                 \
	{                                                               \
		DIE(&d->where, "%s " op " %s does not fit %s",          \
		    number(d->type, l).text, number(d->type, r).text,   \
		    d->type->name);                                     \
	}

OVERFLOW(add, "+")
OVERFLOW(sub, "-")
OVERFLOW(mul, "*")

HANDLER(divrem_overflow, const struct data *d, uint64_t l, uint64_t r)
{
	if (r == 0)
		DIE(&d->where, "%s divided by 0", number(d->type, l).text);
	DIE(&d->where, "%s / %s does not fit %s", number(d->type, l).text,
	    number(d->type, r).text, d->type->name);
}

HANDLER(negate_overflow, const struct data *d, uint64_t v)
{
	DIE(&d->where, "-(%s) does not fit %s", number(d->type, v).text,
	    d->type->name);
}

HANDLER(shift_out_of_bounds, const struct data *d, uint64_t l, uint64_t r)
{
	DIE(&d->where, "%s shifted by %s does not fit %s",
	    number(d->type, l).text, number(d->type2, r).text, d->type->name);
}

HANDLER(out_of_bounds, const struct data *d, uint64_t index)
{
	DIE(&d->where, "index %s is out of bounds of %s",
	    number(d->type2, index).text, d->type->name);
}

HANDLER(pointer_overflow, const struct data *d, uint64_t base, uint64_t result)
{
	DIE(&d->where, "pointer arithmetic from %#lx to %#lx", base, result);
}

HANDLER(load_invalid_value, const struct data *d, uint64_t v)
{
	DIE(&d->where, "%s is no value of %s", number(d->type, v).text,
	    d->type->name);
}

HANDLER(vla_bound_not_positive, const struct data *d, uint64_t v)
{
	DIE(&d->where, "an array of %s elements", number(d->type, v).text);
}

HANDLER(builtin_unreachable, const struct data *d)
{
	DIE(&d->where, "what cannot be reached was reached");
}

HANDLER(invalid_builtin, const struct data *d)
{
	DIE(&d->where, "bits of zero are counted");
}

HANDLER(nonnull_arg, const struct nonnull_data *d)
{
	DIE(&d->where, "argument %d is NULL, and must not be", d->arg);
}

HANDLER(nonnull_return_v1, const struct data *d, const struct location *where)
{
	DIE(where, "NULL is returned, and must not be");
}

/* The pointer is NULL, or not aligned, or what it points at is too small. */
HANDLER(type_mismatch_v1, const struct mismatch_data *d, uint64_t p)
{
	static const char *const what[] = {"load of", "store to",
	    "binding of a reference to", "member of", "member call of",
	    "constructor call of", "downcast of", "downcast of", "upcast of",
	    "cast to a base of"};
	uint64_t align = 1UL << d->log2_align;
	const char *access =
	    d->access < nitems(what) ? what[d->access] : "access to";

	if (p == 0)
		DIE(&d->where, "%s %s at NULL", access, d->type->name);
	if ((p & (align - 1)) != 0)
		DIE(&d->where, "%s %s at %#lx, which must be aligned to %lu",
		    access, d->type->name, p, align);
	DIE(&d->where, "%s %s at %#lx, where there is no room for it", access,
	    d->type->name, p);
}
