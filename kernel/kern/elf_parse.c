/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Is this an ELF file that can be run? Everything that the loader will rely
 * on is looked at here, and all of it could be a lie. No sum is formed
 * before it is known not to overflow.
 */
#include <linux/errno.h>

#include <kern/exec.h>

/* Linux's default vm.mmap_min_addr: nothing is mapped below. */
#define ELF_MIN_ADDRESS 0x10000UL

/* See kern/exec.h. */
int
elf_check_header(const Elf64_Ehdr *eh, uint64_t filesize)
{
	if (eh->e_ident[EI_MAG0] != ELFMAG0 ||
	    eh->e_ident[EI_MAG1] != ELFMAG1 ||
	    eh->e_ident[EI_MAG2] != ELFMAG2 ||
	    eh->e_ident[EI_MAG3] != ELFMAG3 ||
	    eh->e_ident[EI_CLASS] != ELFCLASS64 ||
	    eh->e_ident[EI_DATA] != ELFDATA2LSB)
		return ENOEXEC;
	if ((eh->e_type != ET_EXEC && eh->e_type != ET_DYN) ||
	    eh->e_machine != EM_X86_64)
		return ENOEXEC;
	if (eh->e_phentsize != sizeof(Elf64_Phdr) || eh->e_phnum == 0 ||
	    eh->e_phnum > ELF_MAX_PHDRS)
		return ENOEXEC;
	if (eh->e_phoff > filesize ||
	    filesize - eh->e_phoff < eh->e_phnum * sizeof(Elf64_Phdr))
		return ENOEXEC;
	return 0;
}

/*
 * One PT_LOAD: lies in the file and in the user's addresses, can be mapped by
 * pages, and comes after the one before. (The ELF standard wants them in
 * ascending order.)
 */
static int
check_load(const Elf64_Phdr *ph, uint64_t filesize, bool first,
    uint64_t min_address, struct elf_plan *plan)
{
	uint64_t lo, hi;

	if (ph->p_filesz > ph->p_memsz || ph->p_offset > filesize ||
	    ph->p_filesz > filesize - ph->p_offset)
		return ENOEXEC;
	if (((ph->p_vaddr ^ ph->p_offset) & PAGE_MASK) != 0)
		return ENOEXEC;
	if ((ph->p_align & (ph->p_align - 1)) != 0)
		return ENOEXEC;
	if (ph->p_vaddr >= VM_MAX_USER_ADDRESS ||
	    ph->p_memsz > VM_MAX_USER_ADDRESS - ph->p_vaddr)
		return ENOEXEC;
	lo = trunc_page(ph->p_vaddr);
	hi = round_page(ph->p_vaddr + ph->p_memsz);
	if (lo < min_address || (!first && lo < plan->hi))
		return ENOEXEC;
	if (first)
		plan->lo = lo;
	plan->hi = hi;
	if (ph->p_align > plan->align)
		plan->align = ph->p_align;
	return 0;
}

/*
 * Whether the bytes off..off+len of the file are in memory after loading;
 * then *addr is where.
 */
static bool
loaded_at(const Elf64_Ehdr *eh, const Elf64_Phdr *ph, uint64_t off,
    uint64_t len, uint64_t *addr)
{
	for (int i = 0; i < eh->e_phnum; i++) {
		if (ph[i].p_type == PT_LOAD && off >= ph[i].p_offset &&
		    off - ph[i].p_offset <= ph[i].p_filesz &&
		    len <= ph[i].p_filesz - (off - ph[i].p_offset)) {
			*addr = ph[i].p_vaddr + (off - ph[i].p_offset);
			return true;
		}
	}
	return false;
}

/*
 * Whether the program begins in a segment that can be executed.
 */
static bool
entry_loaded(const Elf64_Ehdr *eh, const Elf64_Phdr *ph)
{
	for (int i = 0; i < eh->e_phnum; i++) {
		if (ph[i].p_type == PT_LOAD && (ph[i].p_flags & PF_X) &&
		    eh->e_entry >= ph[i].p_vaddr &&
		    eh->e_entry - ph[i].p_vaddr < ph[i].p_memsz)
			return true;
	}
	return false;
}

/* See kern/exec.h. */
int
elf_check_phdrs(const Elf64_Ehdr *eh, const Elf64_Phdr *ph, uint64_t filesize,
    struct elf_plan *plan)
{
	uint64_t min_address = eh->e_type == ET_EXEC ? ELF_MIN_ADDRESS : 0;
	bool first = true;
	int error;

	plan->lo = plan->hi = plan->phdr = 0;
	plan->interp_off = plan->interp_len = 0;
	plan->align = PAGE_SIZE;
	plan->execstack = false;
	for (int i = 0; i < eh->e_phnum; i++) {
		switch (ph[i].p_type) {
		case PT_LOAD:
			if (ph[i].p_memsz == 0)
				break;
			error = check_load(
			    &ph[i], filesize, first, min_address, plan);
			if (error != 0)
				return error;
			first = false;
			break;
		case PT_INTERP:
			/* A path and its zero byte: at least "/". */
			if (plan->interp_len != 0 || ph[i].p_filesz < 2 ||
			    ph[i].p_filesz > PAGE_SIZE ||
			    ph[i].p_offset > filesize ||
			    ph[i].p_filesz > filesize - ph[i].p_offset)
				return ENOEXEC;
			plan->interp_off = ph[i].p_offset;
			plan->interp_len = ph[i].p_filesz;
			break;
		case PT_GNU_STACK:
			plan->execstack = (ph[i].p_flags & PF_X) != 0;
			break;
		default:
			break;
		}
	}
	if (first || !entry_loaded(eh, ph))
		return ENOEXEC;
	(void)loaded_at(
	    eh, ph, eh->e_phoff, eh->e_phnum * sizeof(Elf64_Phdr), &plan->phdr);
	return 0;
}
