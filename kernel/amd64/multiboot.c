/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading the multiboot2 information (specification 2.0, section 3.6).
 */
#include <kern/bootopt.h>
#include <kern/kstring.h>

#include <amd64/multiboot.h>

#define MB2_END	    0
#define MB2_CMDLINE 1
#define MB2_MODULE  3
#define MB2_MMAP    6
#define MB2_ELF	    9
#define MB2_RSDP1   14
#define MB2_RSDP2   15

struct mb2_tag {
	uint32_t type, size;
};

struct mb2_module {
	struct mb2_tag tag;
	uint32_t start, end;
};

struct mb2_mmap {
	struct mb2_tag tag;
	uint32_t entsize, version;
	struct mb2_mmap_entry {
		uint64_t base, size;
		uint32_t type, zero;
	} entries[];
};

struct mb2_elf {
	struct mb2_tag tag;
	uint32_t num, entsize, shstrndx;
	uint8_t headers[];
};

struct elf64_shdr { /* GRUB puts them where it likes */
	uint32_t sh_name, sh_type;
	uint64_t sh_flags, sh_addr, sh_offset, sh_size;
	uint32_t sh_link, sh_info;
	uint64_t sh_addralign, sh_entsize;
} __packed __aligned(4);
#define SHT_SYMTAB 2

struct bootinfo bootinfo;

/*
 * Notes every range of the memory map. More ranges than we have room for
 * would mean silently losing RAM or, worse, using what is reserved.
 */
static void
parse_mmap(const struct mb2_mmap *t)
{
	const uint8_t *p = (const uint8_t *)t->entries;
	const uint8_t *end = (const uint8_t *)t + t->tag.size;

	if (t->entsize < sizeof(struct mb2_mmap_entry))
		boot_die("broken multiboot2 memory map");
	for (; p + t->entsize <= end; p += t->entsize) {
		const struct mb2_mmap_entry *e = (const void *)p;
		int i = bootinfo.bi_mmaps;

		if (i == BI_MMAP_MAX)
			boot_die("more than %d memory ranges", BI_MMAP_MAX);
		bootinfo.bi_mmap[i].base = e->base;
		bootinfo.bi_mmap[i].size = e->size;
		bootinfo.bi_mmap[i].type = e->type;
		bootinfo.bi_mmaps = i + 1;
	}
}

/*
 * Finds the symbol table and its strings. GRUB loads sections that are not
 * part of the image somewhere and puts the address into their headers.
 */
static void
parse_elf(const struct mb2_elf *t)
{
	const struct elf64_shdr *sh, *str;

	if (t->entsize < sizeof(*sh) ||
	    (uint64_t)t->num * t->entsize + sizeof(*t) > t->tag.size)
		return;
	for (uint32_t i = 0; i < t->num; i++) {
		sh = (const void *)(t->headers + (size_t)i * t->entsize);
		if (sh->sh_type != SHT_SYMTAB || sh->sh_link >= t->num)
			continue;
		str = (const void *)(t->headers +
		    (size_t)sh->sh_link * t->entsize);
		if (sh->sh_addr == 0 || str->sh_addr == 0)
			continue;
		bootinfo.bi_symtab = sh->sh_addr;
		bootinfo.bi_symtab_size = sh->sh_size;
		bootinfo.bi_strtab = str->sh_addr;
		bootinfo.bi_strtab_size = str->sh_size;
	}
}

/*
 * Fills bootinfo from the structure at mbi. Runs on the first page tables,
 * which reach the low 4 GiB, where GRUB puts everything.
 */
void
multiboot_parse(vm_paddr_t mbi)
{
	const uint8_t *base = (const uint8_t *)PHYS_TO_DMAP(mbi);
	uint32_t total = *(const uint32_t *)base;
	const struct mb2_tag *t;

	for (uint32_t off = 8; off + sizeof(*t) <= total;
	     off += roundup2(t->size, 8)) {
		t = (const void *)(base + off);
		if (t->type == MB2_END || t->size < sizeof(*t) ||
		    t->size > total - off)
			break;
		switch (t->type) {
		case MB2_CMDLINE:
			strlcpy(bootinfo.bi_cmdline, (const char *)(t + 1),
			    sizeof(bootinfo.bi_cmdline));
			break;
		case MB2_MODULE:
			if (bootinfo.bi_module != 0)
				break;
			bootinfo.bi_module =
			    ((const struct mb2_module *)t)->start;
			bootinfo.bi_module_end =
			    ((const struct mb2_module *)t)->end;
			break;
		case MB2_MMAP:
			parse_mmap((const struct mb2_mmap *)t);
			break;
		case MB2_ELF:
			parse_elf((const struct mb2_elf *)t);
			break;
		case MB2_RSDP1: /* a newer one, if any, comes later */
		case MB2_RSDP2:
			memcpy(bootinfo.bi_rsdp, t + 1,
			    MIN(t->size - sizeof(*t),
				sizeof(bootinfo.bi_rsdp)));
			bootinfo.bi_have_rsdp = true;
			break;
		}
	}
	if (bootinfo.bi_mmaps == 0)
		boot_die("the boot loader gave no memory map");
}
