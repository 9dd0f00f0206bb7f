/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * execve: another program in the same process.
 *
 * The new image is made complete beside the old one first, so that whatever
 * is wrong with the file leaves the old program running. Only then are the
 * other threads ended and the address spaces exchanged; what fails after
 * that kills the process.
 */
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/limits.h>
#include <linux/resource.h>

#include <asm/signal.h>

#include <fs/vnode.h>
#include <kern/exec.h>
#include <kern/file.h>
#include <kern/kprintf.h>
#include <kern/kstring.h>
#include <kern/proc.h>
#include <kern/syscalls.h>
#include <kern/trace.h>
#include <kern/uaccess.h>
#include <vm/vm_map.h>

#include <amd64/frame.h>
#include <amd64/machdep.h>

#define HEAD_SIZE    256 /* what is looked at for "#!": BINPRM_BUF_SIZE */
#define SCRIPT_DEPTH 5	 /* interpreters of interpreters, as on Linux */
#define ARGS_LIMIT   (6UL << 20)      /* bytes; three quarters of 8 MiB */
#define ARGS_LEAST   (32 * PAGE_SIZE) /* Linux's ARG_MAX, always there */
#define PROCARGS_MAX PAGE_SIZE	      /* of the arguments kept for procfs */

/*
 * How much memory arguments may take: a quarter of the stack.
 */
static size_t
args_limit(struct proc *p)
{
	uint64_t quarter = p->p_rlim[RLIMIT_STACK].cur / 4;

	return MAX(MIN(quarter, ARGS_LIMIT), ARGS_LEAST);
}

/*
 * Takes a "#!" line apart: interpreter and at most one argument, both in
 * head, which is zero-terminated. ENOEXEC: there is no interpreter, or its
 * name is cut off.
 */
static int
script_parse(char *head, size_t len, char **interp, char **arg)
{
	char *s, *end = memchr(head, '\n', len);
	bool cut = end == NULL;

	if (cut)
		end = head + strnlen(head, len);
	while (end > head + 2 && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	*end = '\0';
	for (s = head + 2; *s == ' ' || *s == '\t'; s++)
		continue;
	if (*s == '\0')
		return ENOEXEC;
	*interp = s;
	while (*s != '\0' && *s != ' ' && *s != '\t')
		s++;
	if (*s == '\0' && cut && len == HEAD_SIZE)
		return ENOEXEC;
	*arg = NULL;
	if (*s != '\0') {
		*s++ = '\0';
		while (*s == ' ' || *s == '\t')
			s++;
		if (*s != '\0')
			*arg = s;
	}
	return 0;
}

/*
 * Whether the file may be executed, and its first bytes.
 */
static int
exec_check(struct vnode *vp, char *head, size_t *len)
{
	int error;

	if (vp->v_type != VREG)
		return EACCES;
	error = vn_access(vp, 1);
	if (error == 0)
		error = vn_read_kernel(vp, head, HEAD_SIZE, 0, len);
	if (error == 0)
		head[*len] = '\0';
	return error;
}

/*
 * Goes from script to interpreter until a file is no script. *vpp, a
 * reference of the caller's, becomes the program; path names the first file.
 */
static int
exec_resolve(struct vnode **vpp, const char *path, struct exec_args *ea)
{
	char *head = kmalloc(2 * (HEAD_SIZE + 1), &M_EXEC, M_WAITOK);
	char *name = head + HEAD_SIZE + 1; /* the interpreter's, kept */
	char *interp, *arg;
	struct vnode *vp;
	size_t len;
	int error, depth;

	for (depth = 0;; depth++) {
		error = exec_check(*vpp, head, &len);
		if (error != 0 || len < 2 || head[0] != '#' || head[1] != '!')
			break;
		error = ELOOP;
		if (depth >= SCRIPT_DEPTH)
			break;
		error = script_parse(head, len, &interp, &arg);
		if (error == 0)
			error = exec_args_script(
			    ea, interp, arg, depth == 0 ? path : name);
		if (error != 0)
			break;
		strlcpy(name, interp, HEAD_SIZE + 1);
		error = namei(NULL, name, NAMEI_FOLLOW, &vp, NULL, NULL);
		if (error != 0)
			break;
		vrele(*vpp);
		*vpp = vp;
	}
	kfree(head, &M_EXEC);
	return error;
}

/*
 * Handlers belong to the old program: caught signals get their default,
 * ignored ones stay so. The dispositions are the process's own from now on.
 */
static void
exec_signals(struct thread *td, struct proc *p)
{
	struct sigacts *sa, *old = p->p_sigacts;

	if (old->refs > 1) {
		sa = sigacts_copy(old);
		lwkt_gettoken(&p->p_token);
		p->p_sigacts = sa;
		lwkt_reltoken(&p->p_token);
		sigacts_free(old);
	}
	sa = p->p_sigacts;
	spin_lock(&sa->spin);
	for (int i = 0; i < NSIGNAL; i++) {
		if (sa->sa[i].sa_handler != (uint64_t)SIG_IGN)
			sa->sa[i].sa_handler = (uint64_t)SIG_DFL;
		sa->sa[i].sa_flags = 0;
		sa->sa[i].sa_restorer = 0;
		sa->sa[i].sa_mask = 0;
	}
	spin_unlock(&sa->spin);
	td->td_sigalt_sp = td->td_sigalt_size = 0;
	td->td_sigalt_flags = 0;
}

static int
collect_args(void *arg, const char *bytes, size_t len)
{
	struct proc *p = arg;
	size_t n = MIN(len, PROCARGS_MAX - p->p_argslen);

	memcpy(p->p_args + p->p_argslen, bytes, n);
	p->p_argslen += n;
	return 0;
}

/*
 * The process is now known as the new program: name, arguments, file.
 */
static void
exec_identity(
    struct thread *td, struct proc *p, struct vnode *vp, struct exec_args *ea)
{
	const char *base = strrchr(ea->ea_path, '/');
	char *args = kmalloc(PROCARGS_MAX, &M_PROC, M_WAITOK), *oldargs;
	struct vnode *oldtext;
	size_t argslen = ea->ea_prefixlen + ea->ea_argvlen - ea->ea_skip;

	vref_text(vp);
	lwkt_gettoken(&p->p_token);
	oldargs = p->p_args;
	p->p_args = args;
	p->p_argslen = 0;
	(void)exec_args_each(ea, collect_args, p);
	p->p_argslen = MIN(p->p_argslen, argslen);
	oldtext = p->p_text;
	p->p_text = vp;
	strlcpy(p->p_comm, base != NULL ? base + 1 : ea->ea_path,
	    sizeof(p->p_comm));
	strlcpy(td->td_name, p->p_comm, sizeof(td->td_name));
	/* What was the process's first thread is gone; this is it now. */
	td->td_tid = p->p_pid;
	lwkt_reltoken(&p->p_token);
	kfree(oldargs, &M_PROC);
	if (oldtext != NULL)
		vrele_text(oldtext);
}

/*
 * Leaves the old address space for the new one.
 */
static void
exec_switch(struct thread *td, struct proc *p, struct vmspace *vm)
{
	struct vmspace *old;

	futex_exit(td);
	lwkt_gettoken(&p->p_token);
	old = p->p_vmspace;
	crit_enter();
	p->p_vmspace = vm;
	pmap_activate(&vm->vm_pmap);
	crit_exit();
	lwkt_reltoken(&p->p_token);
	vmspace_rel(old);
	vfork_done(p);
}

/*
 * The CPU's side of a fresh program.
 */
static void
exec_regs(struct thread *td, const struct exec_image *im)
{
	struct trapframe *tf = USER_FRAME(td);

	cpu_exec_regs(tf, im->im_start, im->im_sp);
	td->td_frame = tf;
	fpu_init_area(td->td_md.md_fpu);
	crit_enter();
	fpu_restore(td);
	crit_exit();
	cpu_set_fsbase(td, 0);
	cpu_set_gsbase(td, 0);
}

/*
 * Descriptors of the process's own, without those that are to be closed.
 */
static void
exec_files(struct proc *p)
{
	struct filedesc *fd, *old = p->p_fd;

	if (old->fd_refs > 1) {
		fd = fd_copy(old);
		lwkt_gettoken(&p->p_token);
		p->p_fd = fd;
		lwkt_reltoken(&p->p_token);
		fd_free(old);
	}
	fd_closeexec(p->p_fd);
}

/*
 * Everything from the open file on. On success the frame is the new
 * program's; an error leaves the old one as it was.
 */
static int
exec_vnode(struct vnode *vp, struct exec_args *ea)
{
	struct thread *td = curthread;
	struct proc *p = td->td_proc;
	struct exec_image im;
	struct vmspace *vm;
	int error;

	vm = vmspace_exec_new();
	if (vm == NULL)
		return ENOMEM;
	error = exec_elf_load(vp, vm, p->p_rlim[RLIMIT_STACK].cur, &im);
	if (error == 0 &&
	    exec_args_bytes(ea) + EXEC_STACK_EXTRA +
		    (uint64_t)(ea->ea_argc + ea->ea_envc) * sizeof(uint64_t) >
		vm->vm_stack_max)
		error = E2BIG;
	if (error == 0)
		error = proc_single(p);
	if (error != 0) {
		vmspace_rel(vm);
		return error;
	}

	/* From here on there is no way back. */
	exec_switch(td, p, vm);
	exec_files(p);
	exec_signals(td, p);
	exec_identity(td, p, vp, ea);
	atomic_set_uint(&p->p_flags, P_EXECED);
	if (exec_stack_write(vm, ea, &im) != 0)
		proc_exit(SIGSEGV);
	exec_regs(td, &im);
	lwkt_gettoken(&p->p_token);
	p->p_single = NULL;
	lwkt_reltoken(&p->p_token);
	trace(TR_EXEC, (uint64_t)p->p_pid, im.im_start, 0, 0);
	cnt_inc(v_execs);
	return 0;
}

/*
 * The same from the path on; base is where it starts (NULL: the process's
 * directory), and what an empty path means.
 */
static int
exec_path(
    struct vnode *base, const char *path, int follow, struct exec_args *ea)
{
	struct vnode *vp;
	int error = 0;

	if (path[0] == '\0' && base != NULL) {
		vp = base;
		vref(vp);
	} else {
		error = namei(base, path, follow, &vp, NULL, NULL);
	}
	if (error != 0)
		return error;
	if (vp->v_type == VLNK)
		error = ELOOP;
	else
		error = exec_resolve(&vp, ea->ea_path, ea);
	if (error == 0)
		error = exec_vnode(vp, ea);
	vrele(vp);
	return error;
}

/*
 * execve for the kernel's own strings: process 1. Errno or 0.
 */
int
kern_execve(const char *path, char *const argv[], char *const envp[])
{
	struct exec_args ea;
	int error;

	exec_args_init(&ea, path, args_limit(curproc));
	error = exec_args_kernel(&ea, argv, envp);
	if (error == 0)
		error = exec_path(NULL, path, NAMEI_FOLLOW, &ea);
	exec_args_free(&ea);
	return error;
}

/*
 * What the program is told to be called, for a file found from a descriptor:
 * a name by which it could be opened. kmalloc'd.
 */
static char *
fd_name(int fd, const char *path)
{
	size_t size = strlen(path) + sizeof("/dev/fd/2147483647/");
	char *name = kmalloc(size, &M_EXEC, M_WAITOK);

	ksnprintf(
	    name, size, "/dev/fd/%d%s%s", fd, *path != '\0' ? "/" : "", path);
	return name;
}

/*
 * Finds what dirfd means for a path: a referenced open file or NULL, when
 * nothing is relative. EBADF, ENOTDIR, EACCES.
 */
static int
exec_base(int dirfd, const char *path, struct file **fpp)
{
	*fpp = NULL;
	if (dirfd == AT_FDCWD || path[0] == '/')
		return 0;
	*fpp = fget(dirfd);
	if (*fpp == NULL)
		return EBADF;
	if (file_vnode(*fpp) == NULL)
		return path[0] != '\0' ? ENOTDIR : EACCES;
	return 0;
}

/*
 * execveat: relative to an open directory, or the open file itself.
 */
static long
exec_at(int dirfd, const char *upath, const void *uargv, const void *uenvp,
    int flags)
{
	int follow =
	    flags & AT_SYMLINK_NOFOLLOW ? NAMEI_NOFOLLOW : NAMEI_FOLLOW;
	struct exec_args ea;
	struct file *fp = NULL;
	char *path, *name;
	int error;

	if (flags & ~(AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW))
		return -EINVAL;
	path = kmalloc(PATH_MAX, &M_EXEC, M_WAITOK);
	error = copyinstr(upath, path, PATH_MAX, NULL);
	if (error == 0 && path[0] == '\0' && (flags & AT_EMPTY_PATH) == 0)
		error = ENOENT;
	if (error == 0)
		error = exec_base(dirfd, path, &fp);
	if (error != 0)
		goto out;
	name = fp != NULL ? fd_name(dirfd, path) : path;
	exec_args_init(&ea, name, args_limit(curproc));
	error = exec_args_copyin(&ea, uargv, uenvp);
	if (error == 0)
		error = exec_path(
		    fp != NULL ? file_vnode(fp) : NULL, path, follow, &ea);
	exec_args_free(&ea);
	if (name != path)
		kfree(name, &M_EXEC);
out:
	if (fp != NULL)
		file_drop(fp);
	kfree(path, &M_EXEC);
	return -error;
}

long
sys_execve(const char *path, const void *argv, const void *envp)
{
	return exec_at(AT_FDCWD, path, argv, envp, 0);
}

long
sys_execveat(
    int dirfd, const char *path, const void *argv, const void *envp, int flags)
{
	return exec_at(dirfd, path, argv, envp, flags);
}
