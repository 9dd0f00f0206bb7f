/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Mapping an ELF program, and the interpreter it may name, into an address
 * space that is not running yet. Nothing of the old image is touched.
 */
#include <linux/errno.h>
#include <linux/mman.h>

#include <fs/vnode.h>
#include <kern/exec.h>
#include <kern/kstring.h>
#include <vm/vm_fault.h>
#include <vm/vm_map.h>
#include <vm/vm_page.h>

/* Where a position-independent program goes: two thirds up, as Linux puts
 * one when addresses are not random (ELF_ET_DYN_BASE). */
#define PIE_BASE 0x555555554000UL

/* Stacks above this would reach down to where programs are. */
#define STACK_LIMIT (16UL << 30)

/* A file's headers. */
struct elf_file {
	struct vnode *vp;
	Elf64_Ehdr eh;
	Elf64_Phdr *ph;
	struct elf_plan plan;
};

/*
 * Reads exactly len bytes; ENOEXEC when the file is shorter.
 */
static int
read_exactly(struct vnode *vp, void *buf, size_t len, uint64_t off)
{
	size_t done;
	int error = vn_read_kernel(vp, buf, len, off, &done);

	return error == 0 && done != len ? ENOEXEC : error;
}

/*
 * Reads and checks the headers. On success ef->ph is the caller's to free.
 */
static int
elf_open(struct vnode *vp, struct elf_file *ef)
{
	struct kstat st;
	size_t size;
	int error;

	ef->vp = vp;
	ef->ph = NULL;
	error = vn_stat(vp, &st);
	if (error == 0)
		error = read_exactly(vp, &ef->eh, sizeof(ef->eh), 0);
	if (error == 0)
		error = elf_check_header(&ef->eh, st.size);
	if (error != 0)
		return error;
	size = ef->eh.e_phnum * sizeof(Elf64_Phdr);
	ef->ph = kmalloc(size, &M_EXEC, M_WAITOK);
	error = read_exactly(vp, ef->ph, size, ef->eh.e_phoff);
	if (error == 0)
		error = elf_check_phdrs(&ef->eh, ef->ph, st.size, &ef->plan);
	if (error != 0)
		kfree(ef->ph, &M_EXEC);
	return error;
}

/*
 * Zeroes from va to the end of its page, in a copy of the file's page; the
 * mapping itself need not be writable.
 */
static int
zero_tail(vm_map_t map, vm_offset_t va)
{
	vm_page_t m;
	bool busy;
	int rv;

	m = vm_fault_page(map, va,
	    VM_PROT_READ | VM_PROT_WRITE | VM_PROT_OVERRIDE_WRITE,
	    VM_FAULT_NORMAL, &rv, &busy);
	if (m == NULL)
		return rv == KERN_FAILURE ? EIO : vm_errno(rv);
	KKASSERT(busy);
	memset((void *)(PHYS_TO_DMAP(VM_PAGE_TO_PHYS(m)) + (va & PAGE_MASK)), 0,
	    PAGE_SIZE - (va & PAGE_MASK));
	vm_page_wakeup(m);
	return 0;
}

static vm_prot_t
segment_prot(uint32_t flags)
{
	vm_prot_t prot = VM_PROT_NONE;

	if (flags & PF_R)
		prot |= VM_PROT_READ;
	if (flags & PF_W)
		prot |= VM_PROT_WRITE;
	if (flags & PF_X)
		prot |= VM_PROT_EXECUTE;
	return prot;
}

/*
 * Maps one segment: the file's pages privately, zeroes from the end of its
 * data on, and anonymous memory for the rest.
 */
static int
map_segment(vm_map_t map, struct vnode *vp, const Elf64_Phdr *ph, uint64_t bias)
{
	vm_prot_t prot = segment_prot(ph->p_flags);
	vm_offset_t start = trunc_page(bias + ph->p_vaddr);
	vm_offset_t filend = bias + ph->p_vaddr + ph->p_filesz;
	vm_offset_t end = round_page(bias + ph->p_vaddr + ph->p_memsz);
	vm_offset_t at = start;
	int error;

	if (ph->p_filesz != 0) {
		error = vm_mmap(map, &at, round_page(filend) - start, prot,
		    VM_PROT_ALL, MAP_PRIVATE | MAP_FIXED, vp,
		    (vm_ooffset_t)trunc_page(ph->p_offset));
		if (error == 0 && ph->p_memsz > ph->p_filesz &&
		    (filend & PAGE_MASK) != 0)
			error = zero_tail(map, filend);
		if (error != 0)
			return error;
		at = round_page(filend);
	}
	if (at == end)
		return 0;
	return vm_mmap(map, &at, end - at, prot, VM_PROT_ALL,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, NULL, 0);
}

/*
 * Maps all segments, moved by bias.
 */
static int
map_file(vm_map_t map, struct elf_file *ef, uint64_t bias)
{
	int error;

	for (int i = 0; i < ef->eh.e_phnum; i++) {
		if (ef->ph[i].p_type != PT_LOAD || ef->ph[i].p_memsz == 0)
			continue;
		error = map_segment(map, ef->vp, &ef->ph[i], bias);
		if (error != 0)
			return error;
	}
	return 0;
}

/*
 * How far to move a program. ENOMEM: it does not fit below the stack.
 */
static int
choose_bias(struct vmspace *vm, const struct elf_file *ef, uint64_t *bias)
{
	const struct elf_plan *plan = &ef->plan;
	uint64_t base;

	*bias = 0;
	if (ef->eh.e_type == ET_DYN) {
		base = PIE_BASE & ~(plan->align - 1);
		if (base == 0)
			base = plan->align;
		*bias = base - plan->lo;
		if (plan->hi - plan->lo > vm->vm_mmap_top - base ||
		    base > vm->vm_mmap_top)
			return ENOMEM;
	} else if (plan->hi > vm->vm_mmap_top) {
		return ENOMEM;
	}
	return 0;
}

/*
 * The path of the interpreter; kmalloc'd.
 */
static int
interp_path(struct elf_file *ef, char **pathp)
{
	size_t len = ef->plan.interp_len;
	char *path = kmalloc(len, &M_EXEC, M_WAITOK);
	int error;

	error = read_exactly(ef->vp, path, len, ef->plan.interp_off);
	if (error == 0 && path[len - 1] != '\0')
		error = ENOEXEC;
	if (error != 0)
		kfree(path, &M_EXEC);
	else
		*pathp = path;
	return error;
}

/*
 * Maps the interpreter, highest where there is room, and lets the program
 * begin there.
 */
static int
load_interp(struct vmspace *vm, struct elf_file *ef, struct exec_image *im)
{
	vm_map_t map = &vm->vm_map;
	struct elf_file interp;
	struct vnode *vp;
	vm_offset_t base;
	char *path;
	int error, rv;

	error = interp_path(ef, &path);
	if (error != 0)
		return error;
	error = namei(NULL, path, NAMEI_FOLLOW, &vp, NULL, NULL);
	kfree(path, &M_EXEC);
	if (error != 0)
		return error;
	error = vp->v_type == VREG ? vn_access(vp, 1) : EACCES;
	if (error == 0)
		error = elf_open(vp, &interp);
	if (error != 0)
		goto out;
	error = ENOEXEC;
	if (interp.eh.e_type == ET_DYN) {
		vm_map_lock(map);
		rv = vm_map_findspace(map, 0, interp.plan.hi - interp.plan.lo,
		    interp.plan.align, &base);
		vm_map_unlock(map);
		error = vm_errno(rv);
		if (error == 0)
			error = map_file(map, &interp, base - interp.plan.lo);
		im->im_base = base - interp.plan.lo;
		im->im_start = im->im_base + interp.eh.e_entry;
	}
	kfree(interp.ph, &M_EXEC);
out:
	vrele(vp);
	return error;
}

/* See kern/exec.h. What was mapped before an error stays, for the caller to
 * drop with the space. */
int
exec_elf_load(struct vnode *vp, struct vmspace *vm, uint64_t stacksize,
    struct exec_image *im)
{
	struct elf_file ef;
	uint64_t bias;
	int error;

	error = elf_open(vp, &ef);
	if (error != 0)
		return error;
	error = vm_errno(
	    vm_map_stack(vm, VM_MAX_USER_ADDRESS, MIN(stacksize, STACK_LIMIT),
		VM_PROT_RW | (ef.plan.execstack ? VM_PROT_EXECUTE : 0)));
	if (error == 0)
		error = choose_bias(vm, &ef, &bias);
	if (error == 0)
		error = map_file(&vm->vm_map, &ef, bias);
	if (error == 0) {
		vm->vm_brk_start = vm->vm_brk = bias + ef.plan.hi;
		im->im_entry = im->im_start = bias + ef.eh.e_entry;
		im->im_phdr = ef.plan.phdr != 0 ? bias + ef.plan.phdr : 0;
		im->im_phnum = ef.eh.e_phnum;
		im->im_base = 0;
		if (ef.plan.interp_len != 0)
			error = load_interp(vm, &ef, im);
	}
	kfree(ef.ph, &M_EXEC);
	return error;
}
