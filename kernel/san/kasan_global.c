/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel's variables: the compiler leaves room behind each and writes, for
 * each source file, a table of them and a function that hands the table in.
 */
#include <kern/kprintf.h>
#include <san/kasan_var.h>
#include <san/san_path.h>

/* The compiler's structures (GCC, asan.cc: asan_add_global). */
struct location {
	const char *file;
	int line, column;
};
struct global {
	uint64_t address, size, size_with_redzone;
	const char *name, *module;
	uint64_t is_dynamic;
	const struct location *location;
	uint64_t odr;
};

#define TABLES 1024

static struct table {
	const struct global *globals;
	size_t n;
} tables[TABLES]; /* (k) after kasan_global_init() */
static int ntables;

extern void (*const init_array_start[])(void), (*const init_array_end[])(void);

void __asan_register_globals(const struct global *g, size_t n);
void __asan_unregister_globals(const struct global *g, size_t n);

/* One source file's variables. */
void
__asan_register_globals(const struct global *g, size_t n)
{
	if (ntables == TABLES)
		panic("kasan: more than %d source files", TABLES);
	tables[ntables].globals = g;
	tables[ntables++].n = n;
	for (size_t i = 0; i < n; i++) {
		uint64_t end = g[i].address + g[i].size;
		uint64_t redzone = roundup2(end, 8UL);

		kasan_poison((void *)redzone,
		    g[i].address + g[i].size_with_redzone - redzone,
		    KASAN_GLOBAL);
		kasan_unpoison((void *)g[i].address, g[i].size);
	}
}

/* A kernel has no end in which it would be called. */
void
__asan_unregister_globals(const struct global *g, size_t n)
{
}

/* Runs all those functions; boot, when there is a shadow. */
void
kasan_global_init(void)
{
	for (void (*const *f)(void) = init_array_start; f < init_array_end; f++)
		(*f)();
}

/* Which variable ends before addr. */
void
kasan_global_print(uint64_t addr)
{
	for (int t = 0; t < ntables; t++) {
		for (size_t i = 0; i < tables[t].n; i++) {
			const struct global *g = &tables[t].globals[i];

			if (addr - g->address >= g->size_with_redzone)
				continue;
			kprintf("    %lu bytes behind the %lu bytes of %s",
			    addr - g->address - g->size, g->size, g->name);
			if (g->location != NULL)
				kprintf(", %s:%d", san_path(g->location->file),
				    g->location->line);
			else
				kprintf(", %s", san_path(g->module));
			kprintf("\n");
			return;
		}
	}
	kprintf("    behind a variable that is not known\n");
}
