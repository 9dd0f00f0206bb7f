/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What gcc's -fprofile-arcs needs at run time, and no more: its counters, as
 * a .gcda file that gcov reads. In builds with COVERAGE=1 alone.
 *
 * The structures are those of gcc 12 (libgcc/libgcov.h, struct gcov_info), the
 * file's format is described in its gcc/gcov-io.h. gcc collects pointers to
 * the former in the section that -fprofile-info-section names.
 */
#include <dev/uart.h>
#include <kern/gcov.h>
#include <kern/kstring.h>

#ifdef COVERAGE
#define GCOV_COUNTERS	  8 /* kinds; the first one counts arcs */
#define GCDA_MAGIC	  0x67636461U
#define GCDA_TAG_FUNCTION 0x01000000U
#define GCDA_TAG_ARCS	  0x01a10000U

struct gcov_ctr_info {
	uint32_t num;
	int64_t *values;
};

struct gcov_fn_info {
	const struct gcov_info *key; /* whose it is, if several have one */
	uint32_t ident;
	uint32_t lineno_checksum;
	uint32_t cfg_checksum;
	struct gcov_ctr_info ctrs[]; /* of those kinds that are merged */
};

struct gcov_info {
	uint32_t version;
	struct gcov_info *next;
	uint32_t stamp;
	uint32_t checksum;
	const char *filename;
	void (*merge[GCOV_COUNTERS])(int64_t *, uint32_t);
	uint32_t n_functions;
	const struct gcov_fn_info *const *functions;
};

extern const struct gcov_info *const __start_gcov_info[];
extern const struct gcov_info *const __stop_gcov_info[];

/* gcc names it for each kind that it uses; libgcov would call it. */
void __gcov_merge_add(int64_t *counters, uint32_t n);
void
__gcov_merge_add(int64_t *counters, uint32_t n)
{
	(void)counters;
	(void)n;
}

/* One word of the file, in hexadecimal digits, lowest byte first. */
static void
put_word(uint32_t w)
{
	static const char digits[] = "0123456789ABCDEF";

	for (int i = 0; i < 4; i++, w >>= 8) {
		uart_putc(UART_RESULTS, digits[w >> 4 & 15]);
		uart_putc(UART_RESULTS, digits[w & 15]);
	}
}

/* A function's record, and that of its arcs. */
static void
put_function(const struct gcov_info *info, const struct gcov_fn_info *fn)
{
	if (fn == NULL || fn->key != info) {
		put_word(GCDA_TAG_FUNCTION);
		put_word(0);
		return;
	}
	put_word(GCDA_TAG_FUNCTION);
	put_word(3 * sizeof(uint32_t));
	put_word(fn->ident);
	put_word(fn->lineno_checksum);
	put_word(fn->cfg_checksum);
	put_word(GCDA_TAG_ARCS);
	put_word(fn->ctrs[0].num * (uint32_t)sizeof(uint64_t));
	for (uint32_t i = 0; i < fn->ctrs[0].num; i++) {
		put_word((uint32_t)fn->ctrs[0].values[i]);
		put_word((uint32_t)((uint64_t)fn->ctrs[0].values[i] >> 32));
	}
}

/* See gcov.h. */
void
gcov_dump(void)
{
	for (const struct gcov_info *const *p = __start_gcov_info;
	     p < __stop_gcov_info; p++) {
		const struct gcov_info *info = *p;

		output_write(UART_RESULTS, "gcda ", 5);
		output_write(
		    UART_RESULTS, info->filename, strlen(info->filename));
		uart_putc(UART_RESULTS, ' ');
		put_word(GCDA_MAGIC);
		put_word(info->version);
		put_word(info->stamp);
		put_word(info->checksum);
		for (uint32_t i = 0; i < info->n_functions; i++)
			put_function(info, info->functions[i]);
		put_word(0);
		uart_putc(UART_RESULTS, '\n');
	}
}
#endif
