/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * procfs: the files about one process.
 */
#include <linux/errno.h>
#include <linux/limits.h>

#include <fs/procfs.h>
#include <kern/kprintf.h>
#include <kern/kstring.h>
#include <kern/proc.h>
#include <vm/vm_map.h>

#define TICK (1000000000UL / 100) /* ns a unit of times in stat: USER_HZ */

/* The process's address space, held; NULL when it has none any more. */
static struct vmspace *
proc_vmspace(struct proc *p)
{
	struct vmspace *vm;

	lwkt_gettoken(&p->p_token);
	vm = p->p_vmspace;
	if (vm != NULL)
		vmspace_hold(vm);
	lwkt_reltoken(&p->p_token);
	return vm;
}

/* What maps and vm have in common: a process without memory has no lines. */
static int
print_vm(struct proc *p, struct sbuf *sb,
    void (*print)(struct vmspace *vm, struct sbuf *sb))
{
	struct vmspace *vm = proc_vmspace(p);

	if (vm != NULL) {
		print(vm, sb);
		vmspace_drop(vm);
	}
	return 0;
}

static int
text_maps(struct proc *p, struct sbuf *sb)
{
	return print_vm(p, sb, vm_map_print_maps);
}

static int
text_vm(struct proc *p, struct sbuf *sb)
{
	return print_vm(p, sb, vm_map_print_vm);
}

/* What several files tell of a process, taken at one time. */
struct pinfo {
	char comm[MAXCOMM];
	char state;
	int ppid, pgid, sid, threads;
	uint64_t cpu_ns, sigpend, sigmask;
	uint64_t vsize, rss; /* bytes, pages */
};

/* The state's letter of ps(1). p_token and proc_token are held. */
static char
state_letter(struct proc *p)
{
	struct thread *td;
	char c = 'S';

	if (p->p_state == PS_ZOMBIE)
		return 'Z';
	if (p->p_state == PS_STOPPED)
		return 'T';
	LIST_FOREACH (td, &p->p_threads, td_plist) {
		if (td->td_state == TDS_RUNNING || td->td_state == TDS_RUNNABLE)
			c = 'R';
	}
	return c;
}

static void
get_info(struct proc *p, struct pinfo *pi)
{
	struct vmspace *vm = proc_vmspace(p);
	struct thread *td;

	bzero(pi, sizeof(*pi));
	lwkt_gettoken(&proc_token);
	lwkt_gettoken(&p->p_token);
	strlcpy(pi->comm, p->p_comm, sizeof(pi->comm));
	pi->state = state_letter(p);
	pi->ppid = p->p_parent != NULL ? p->p_parent->p_pid : 0;
	pi->pgid = p->p_pgid;
	pi->sid = p->p_sid;
	pi->threads = p->p_nthreads;
	pi->cpu_ns = proc_usage(p).ns;
	pi->sigpend = p->p_sigpend;
	td = LIST_FIRST(&p->p_threads);
	pi->sigmask = td != NULL ? td->td_sigmask : 0;
	lwkt_reltoken(&p->p_token);
	lwkt_reltoken(&proc_token);
	if (vm != NULL) {
		pi->vsize = vm->vm_map.size;
		pi->rss = (uint64_t)vm->vm_pmap.pm_resident;
		vmspace_drop(vm);
	}
}

/* proc(5): 52 fields in a line; what there is not is 0. */
static int
text_stat(struct proc *p, struct sbuf *sb)
{
	struct pinfo pi;
	int i;

	get_info(p, &pi);
	sbuf_printf(sb, "%d (%s) %c %d %d %d 0 -1 0 ", p->p_pid, pi.comm,
	    pi.state, pi.ppid, pi.pgid, pi.sid);
	sbuf_printf(sb, "%lu %lu 0 0 %lu 0 %lu 0 20 0 %d 0 %lu %lu %lu ",
	    p->p_minflt, p->p_cminflt, pi.cpu_ns / TICK, p->p_cused.ns / TICK,
	    pi.threads, p->p_start_ns / TICK, pi.vsize, pi.rss);
	sbuf_printf(sb, "18446744073709551615"); /* rsslim: none */
	for (i = 26; i <= 52; i++)
		sbuf_printf(sb, " 0");
	sbuf_printf(sb, "\n");
	return 0;
}

static int
text_statm(struct proc *p, struct sbuf *sb)
{
	struct pinfo pi;

	get_info(p, &pi);
	sbuf_printf(sb, "%lu %lu 0 0 0 0 0\n", pi.vsize / PAGE_SIZE, pi.rss);
	return 0;
}

/* Tokens taken: by the process, then by its children that it has waited for. A
 * process that reads its own sees exactly what it did. */
static int
text_tokens(struct proc *p, struct sbuf *sb)
{
	struct usage used, children;

	lwkt_gettoken(&proc_token);
	lwkt_gettoken(&p->p_token);
	used = proc_usage(p);
	children = p->p_cused;
	lwkt_reltoken(&p->p_token);
	lwkt_reltoken(&proc_token);
	sbuf_printf(
	    sb, "shared %lu\nexclusive %lu\n", used.tok_shared, used.tok_excl);
	sbuf_printf(sb, "children_shared %lu\nchildren_exclusive %lu\n",
	    children.tok_shared, children.tok_excl);
	return 0;
}

static const char *
state_name(char c)
{
	switch (c) {
	case 'R':
		return "running";
	case 'T':
		return "stopped";
	case 'Z':
		return "zombie";
	default:
		return "sleeping";
	}
}

static int
text_status(struct proc *p, struct sbuf *sb)
{
	struct pinfo pi;

	get_info(p, &pi);
	sbuf_printf(sb, "Name:\t%s\nUmask:\t%04o\nState:\t%c (%s)\n", pi.comm,
	    p->p_umask, pi.state, state_name(pi.state));
	sbuf_printf(sb, "Tgid:\t%d\nPid:\t%d\nPPid:\t%d\nTracerPid:\t0\n",
	    p->p_pid, p->p_pid, pi.ppid);
	sbuf_printf(sb, "Uid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\n");
	if (pi.vsize != 0)
		sbuf_printf(sb, "VmSize:\t%8lu kB\nVmRSS:\t%8lu kB\n",
		    pi.vsize / 1024, pi.rss * (PAGE_SIZE / 1024));
	sbuf_printf(sb, "Threads:\t%d\nShdPnd:\t%016lx\nSigBlk:\t%016lx\n",
	    pi.threads, pi.sigpend, pi.sigmask);
	return 0;
}

/* The arguments, each with its zero byte. */
static int
text_cmdline(struct proc *p, struct sbuf *sb)
{
	char *args = NULL;
	size_t len;

	/* Allocating may sleep, and then the arguments may be others. */
	for (;;) {
		lwkt_gettoken(&p->p_token);
		len = p->p_args != NULL ? p->p_argslen : 0;
		lwkt_reltoken(&p->p_token);
		if (len == 0)
			return 0;
		args = kmalloc(len, &M_TEMP, M_WAITOK);
		lwkt_gettoken(&p->p_token);
		if (p->p_args != NULL && p->p_argslen == len)
			break;
		lwkt_reltoken(&p->p_token);
		kfree(args, &M_TEMP);
	}
	memcpy(args, p->p_args, len);
	lwkt_reltoken(&p->p_token);
	sbuf_write(sb, args, len);
	kfree(args, &M_TEMP);
	return 0;
}

static int
text_comm(struct proc *p, struct sbuf *sb)
{
	char comm[MAXCOMM];

	lwkt_gettoken(&p->p_token);
	strlcpy(comm, p->p_comm, sizeof(comm));
	lwkt_reltoken(&p->p_token);
	sbuf_printf(sb, "%s\n", comm);
	return 0;
}

/* One of the process's vnodes, referenced; ENOENT when it has none. */
static int
get_vnode(struct proc *p, struct vnode **which, struct vnode **vpp)
{
	lwkt_gettoken(&p->p_token);
	*vpp = *which;
	if (*vpp != NULL)
		vref(*vpp);
	lwkt_reltoken(&p->p_token);
	return *vpp == NULL ? ENOENT : 0;
}

/* And its path. */
static int
link_vnode(struct proc *p, struct vnode **which, char *buf, size_t size)
{
	struct vnode *vp;
	int error;

	error = get_vnode(p, which, &vp);
	if (error != 0)
		return error;
	error = vn_fullpath(vp, buf, size);
	vrele(vp);
	return error;
}

static int
link_exe(struct proc *p, char *buf, size_t size)
{
	return link_vnode(p, &p->p_text, buf, size);
}

static int
follow_exe(struct proc *p, struct vnode **vpp)
{
	return get_vnode(p, &p->p_text, vpp);
}

static int
link_cwd(struct proc *p, char *buf, size_t size)
{
	return link_vnode(p, &p->p_cwd, buf, size);
}

static int
follow_cwd(struct proc *p, struct vnode **vpp)
{
	return get_vnode(p, &p->p_cwd, vpp);
}

static int
link_root(struct proc *p, char *buf, size_t size)
{
	return link_vnode(p, &p->p_root, buf, size);
}

static int
follow_root(struct proc *p, struct vnode **vpp)
{
	return get_vnode(p, &p->p_root, vpp);
}

/* mem: the offset is the address. Rights do not count, as for a debugger.
 * EIO where nothing is. */
static int
mem_rw(struct proc *p, struct uio *uio)
{
	struct vmspace *vm = proc_vmspace(p);
	vm_offset_t va;
	size_t n;
	char *buf;
	int error = 0;

	if (vm == NULL)
		return 0;
	buf = kmalloc(PAGE_SIZE, &M_TEMP, M_WAITOK);
	while (uio->uio_resid > 0 && error == 0) {
		va = (vm_offset_t)uio->uio_offset;
		n = PAGE_SIZE - (va & PAGE_MASK);
		n = MIN(n, uio->uio_resid);
		if (uio->uio_write) {
			struct uio before = *uio;

			error = uiomove_whole(buf, n, uio);
			if (error == 0 &&
			    vmspace_rw_page(vm, va, buf, n, true, true) != 0) {
				*uio = before;
				error = EIO;
			}
		} else if (vmspace_rw_page(vm, va, buf, n, false, true) != 0) {
			error = EIO;
		} else {
			error = uiomove(buf, n, uio);
		}
	}
	kfree(buf, &M_TEMP);
	vmspace_drop(vm);
	return error;
}

const struct procent procfs_pid[] = {
    {.pe_name = "cmdline", .pe_mode = 0444, .pe_text = text_cmdline},
    {.pe_name = "comm", .pe_mode = 0644, .pe_text = text_comm},
    {.pe_name = "cwd",
	.pe_mode = 0777,
	.pe_link = link_cwd,
	.pe_follow = follow_cwd},
    {.pe_name = "exe",
	.pe_mode = 0777,
	.pe_link = link_exe,
	.pe_follow = follow_exe},
    {.pe_name = "fd", .pe_mode = 0500, .pe_dir = procfs_fddir},
    {.pe_name = "maps", .pe_mode = 0444, .pe_text = text_maps},
    {.pe_name = "mem", .pe_mode = 0600, .pe_mem = mem_rw},
    {.pe_name = "root",
	.pe_mode = 0777,
	.pe_link = link_root,
	.pe_follow = follow_root},
    {.pe_name = "stat", .pe_mode = 0444, .pe_text = text_stat},
    {.pe_name = "statm", .pe_mode = 0444, .pe_text = text_statm},
    {.pe_name = "status", .pe_mode = 0444, .pe_text = text_status},
    {.pe_name = "tokens", .pe_mode = 0444, .pe_text = text_tokens},
    {.pe_name = "vm", .pe_mode = 0444, .pe_text = text_vm},
};
const size_t procfs_npid = nitems(procfs_pid);
