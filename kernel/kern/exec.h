/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of execve share: arguments on their way from the old
 * address space to the new one, the plan of an ELF file, the new image.
 */
#ifndef KERN_EXEC_H
#define KERN_EXEC_H

#include <linux/elf.h>

#include <kern/kmalloc.h>
#include <kern/types.h>

struct vmspace;
struct vnode;

MALLOC_DECLARE(M_EXEC);

/* --- exec_args.c: the strings --- */

/*
 * All strings, zero bytes included, one after the other: the arguments and
 * then the environment, in pieces of a page. A script's interpreter puts
 * other strings in the place of the first argument: the prefix.
 */
struct exec_args {
	char **ea_page;	      /* the pieces */
	size_t ea_npages;     /* allocated */
	size_t ea_len;	      /* bytes of strings in the pieces */
	size_t ea_argvlen;    /* of them arguments, which come first */
	size_t ea_limit;      /* most bytes of strings and their pointers */
	int ea_argc, ea_envc; /* strings in the pieces */
	size_t ea_skip;	      /* bytes of the first one, if it is replaced */
	char *ea_prefix;      /* what replaces it, NULL nothing */
	size_t ea_prefixlen;
	int ea_nprefix;	     /* strings in the prefix */
	const char *ea_path; /* as execve got it: AT_EXECFN */
};

/* limit: bytes of strings and pointers together, beyond is E2BIG. */
void exec_args_init(struct exec_args *ea, const char *path, size_t limit);
void exec_args_free(struct exec_args *ea);
/* A NULL-terminated array of strings, the user's or the kernel's. EFAULT,
 * E2BIG. Sleeps. */
int exec_args_copyin(
    struct exec_args *ea, const void *uargv, const void *uenvp);
int exec_args_kernel(
    struct exec_args *ea, char *const argv[], char *const envp[]);
/* argv[0] becomes interp, arg (unless NULL) and path. E2BIG. */
int exec_args_script(struct exec_args *ea, const char *interp, const char *arg,
    const char *path);
/* Calls fn with each run of bytes as the program will find them. */
int exec_args_each(struct exec_args *ea,
    int (*fn)(void *arg, const char *bytes, size_t len), void *arg);
#define exec_args_bytes(ea) ((ea)->ea_prefixlen + (ea)->ea_len - (ea)->ea_skip)
#define exec_args_argc(ea) \
	((ea)->ea_argc + (ea)->ea_nprefix - ((ea)->ea_skip != 0))

/* --- elf_parse.c: looking at an ELF file; no kernel in it --- */

#define ELF_MAX_PHDRS (PAGE_SIZE / sizeof(Elf64_Phdr)) /* as Linux */

struct elf_plan {
	uint64_t lo, hi; /* pages covered by segments, before bias */
	uint64_t align;	 /* the greatest of all segments, bytes */
	uint64_t phdr;	 /* where the program headers are, 0: nowhere */
	uint64_t interp_off, interp_len; /* PT_INTERP; length 0: none */
	bool execstack;
};

/* ENOEXEC unless it is one this kernel can run, and its program headers are
 * where they can be read. */
int elf_check_header(const Elf64_Ehdr *eh, uint64_t filesize);
/* The same for all program headers of a checked header; fills the plan. */
int elf_check_phdrs(const Elf64_Ehdr *eh, const Elf64_Phdr *ph,
    uint64_t filesize, struct elf_plan *plan);

/* --- exec_elf.c: mapping it --- */

struct exec_image {
	uint64_t im_start; /* where the program begins to run */
	uint64_t im_entry; /* AT_ENTRY */
	uint64_t im_phdr;  /* AT_PHDR */
	uint64_t im_phnum; /* AT_PHNUM */
	uint64_t im_base;  /* AT_BASE: the interpreter's, 0 without */
	uint64_t im_sp;	   /* set by exec_stack_write() */
};

/* Maps the program into an empty space with a stack of at most stacksize
 * bytes. ENOEXEC, ENOMEM, EIO, and what opening an interpreter gives. */
int exec_elf_load(struct vnode *vp, struct vmspace *vm, uint64_t stacksize,
    struct exec_image *im);

/* --- exec_stack.c: what a program finds on its stack --- */

/* Bytes that are needed besides the strings. */
#define EXEC_STACK_EXTRA PAGE_SIZE
/* The space is the running one. EFAULT: it would not take it. */
int exec_stack_write(
    struct vmspace *vm, struct exec_args *ea, struct exec_image *im);

#endif
