/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Symbols. Looked up by a plain walk of the ELF symbol table: it happens in
 * post-mortems and when something is asked for by name, never in between.
 */
#include <kern/kprintf.h>
#include <kern/ksyms.h>
#include <kern/kstring.h>

struct elf64_sym {
	uint32_t st_name;
	uint8_t st_info, st_other;
	uint16_t st_shndx;
	uint64_t st_value, st_size;
};

#define STT_FUNC 2 /* below it: no type 0, object 1 */

static const struct elf64_sym *syms; /* (k) all of these */
static size_t nsyms;
static const char *strings;
static size_t strings_size;

/*
 * Takes the tables over. A string table without a final zero is not believed.
 */
void
ksyms_init(
    const void *symtab, size_t symsize, const char *strtab, size_t strsize)
{
	if (strsize == 0 || strtab[strsize - 1] != '\0')
		return;
	syms = symtab;
	nsyms = symsize / sizeof(*syms);
	strings = strtab;
	strings_size = strsize;
}

/*
 * A symbol's name; never outside of the string table.
 */
static const char *
sym_name(const struct elf64_sym *s)
{
	return s->st_name < strings_size ? strings + s->st_name : "?";
}

/*
 * See ksyms.h.
 */
const char *
ksym_lookup(uint64_t pc, uint64_t *offp)
{
	for (size_t i = 0; i < nsyms; i++) {
		const struct elf64_sym *s = &syms[i];

		if ((s->st_info & 15) != STT_FUNC || pc < s->st_value ||
		    pc >= s->st_value + s->st_size)
			continue;
		if (offp != NULL)
			*offp = pc - s->st_value;
		return sym_name(s);
	}
	return NULL;
}

/*
 * Name and offset of pc as text.
 */
void
ksym_format(char *buf, size_t size, uint64_t pc)
{
	uint64_t off;
	const char *name = ksym_lookup(pc, &off);

	if (name == NULL)
		ksnprintf(buf, size, "%#lx", pc);
	else
		ksnprintf(buf, size, "%s+%#lx", name, off);
}
