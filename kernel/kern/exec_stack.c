/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a program finds on its stack when it begins (x86-64 psABI, 3.4.1, and
 * Linux's fs/binfmt_elf.c for what stands above). From the top down: a zero
 * word; the file's name; the strings; platform and random bytes; then, with
 * rsp at its lowest, argc, argv, envp and the auxiliary vector.
 */
#include <linux/auxvec.h>
#include <linux/errno.h>

#include <asm/auxvec.h>
#include <asm/signal.h>

#include <kern/exec.h>
#include <kern/kstring.h>
#include <kern/uaccess.h>
#include <vm/vm_map.h>

#include <amd64/cpufunc.h>

#define USER_HZ	     100 /* AT_CLKTCK: the unit of times(2) */
#define RANDOM_BYTES 16	 /* AT_RANDOM */
#define AUX_MAX	     24
#ifndef AT_MINSIGSTKSZ
#define AT_MINSIGSTKSZ 51 /* newer than some linux-libc-dev */
#endif

static const char platform[] = "x86_64";

/* AT_RANDOM's bytes: stack protectors and the like start from them, and must
 * start the same at every run. The low one is 0 in C libraries' canaries. */
static const uint8_t random_seed[RANDOM_BYTES] = {0x4e, 0x79, 0x6d, 0x70, 0x68,
    0x20, 0x6d, 0x6f, 0x6c, 0x74, 0x73, 0x20, 0x31, 0x32, 0x78, 0x2e};

struct auxv {
	struct {
		uint64_t type, val;
	} a[AUX_MAX];
	size_t n;
};

/* Where the strings and the pointers to them are being written. */
struct writing {
	uint64_t str; /* next byte of a string */
	uint64_t vec; /* next word of argv and envp */
	int left;     /* arguments that have no pointer yet */
	bool begin;   /* the next byte begins a string */
};

static void
aux_add(struct auxv *aux, uint64_t type, uint64_t val)
{
	KKASSERT(aux->n < AUX_MAX);
	aux->a[aux->n].type = type;
	aux->a[aux->n].val = val;
	aux->n++;
}

/*
 * Linux's order, less what this kernel has not: the vDSO, rseq.
 */
static void
aux_fill(struct auxv *aux, const struct exec_image *im, uint64_t execfn,
    uint64_t platform_at, uint64_t random_at)
{
	uint32_t r[4];

	cpuid(1, 0, r);
	aux->n = 0;
	aux_add(aux, AT_MINSIGSTKSZ, MINSIGSTKSZ);
	aux_add(aux, AT_HWCAP, r[3]);
	aux_add(aux, AT_PAGESZ, PAGE_SIZE);
	aux_add(aux, AT_CLKTCK, USER_HZ);
	aux_add(aux, AT_PHDR, im->im_phdr);
	aux_add(aux, AT_PHENT, sizeof(Elf64_Phdr));
	aux_add(aux, AT_PHNUM, im->im_phnum);
	aux_add(aux, AT_BASE, im->im_base);
	aux_add(aux, AT_FLAGS, 0);
	aux_add(aux, AT_ENTRY, im->im_entry);
	aux_add(aux, AT_UID, 0);
	aux_add(aux, AT_EUID, 0);
	aux_add(aux, AT_GID, 0);
	aux_add(aux, AT_EGID, 0);
	aux_add(aux, AT_SECURE, 0);
	aux_add(aux, AT_RANDOM, random_at);
	aux_add(aux, AT_HWCAP2, 0);
	aux_add(aux, AT_EXECFN, execfn);
	aux_add(aux, AT_PLATFORM, platform_at);
	aux_add(aux, AT_NULL, 0);
}

/*
 * One word of argv or envp.
 */
static int
put_word(struct writing *w, uint64_t val)
{
	int error = suword64((void *)w->vec, val);

	w->vec += sizeof(val);
	return error;
}

/*
 * Writes a run of strings' bytes, and a pointer for each that begins in it.
 */
static int
put_bytes(void *arg, const char *bytes, size_t len)
{
	struct writing *w = arg;
	int error;

	error = copyout(bytes, (void *)w->str, len);
	for (size_t i = 0; i < len && error == 0; i++) {
		if (w->begin) {
			/* A null pointer parts argv from envp. */
			if (w->left-- == 0)
				error = put_word(w, 0);
			if (error == 0)
				error = put_word(w, w->str + i);
		}
		w->begin = bytes[i] == '\0';
	}
	w->str += len;
	return error;
}

/* See kern/exec.h. May sleep in page faults, which let the stack grow. */
int
exec_stack_write(
    struct vmspace *vm, struct exec_args *ea, struct exec_image *im)
{
	int argc = exec_args_argc(ea);
	struct writing w;
	struct auxv aux;
	uint64_t sp, execfn, platform_at, random_at, words;
	size_t namelen = strlen(ea->ea_path) + 1;
	int error;

	execfn = vm->vm_stack_top - sizeof(uint64_t) - namelen;
	w.str = execfn - exec_args_bytes(ea);
	platform_at = (w.str - sizeof(platform)) & ~15UL;
	random_at = platform_at - RANDOM_BYTES;
	aux_fill(&aux, im, execfn, platform_at, random_at);
	words = 1 + (uint64_t)argc + 1 + (uint64_t)ea->ea_envc + 1;
	sp = random_at - words * sizeof(uint64_t) - aux.n * sizeof(aux.a[0]);
	sp &= ~15UL;
	im->im_sp = sp;

	w.vec = sp;
	w.left = argc;
	w.begin = true;
	if (put_word(&w, (uint64_t)argc) != 0 ||
	    copyout(ea->ea_path, (void *)execfn, namelen) != 0 ||
	    copyout(platform, (void *)platform_at, sizeof(platform)) != 0 ||
	    copyout(random_seed, (void *)random_at, RANDOM_BYTES) != 0)
		return EFAULT;
	error = exec_args_each(ea, put_bytes, &w);
	/* Without an environment nothing has ended argv yet. */
	if (error == 0 && ea->ea_envc == 0)
		error = put_word(&w, 0);
	if (error == 0)
		error = put_word(&w, 0);
	if (error == 0)
		error = copyout(aux.a, (void *)w.vec, aux.n * sizeof(aux.a[0]));
	return error;
}
