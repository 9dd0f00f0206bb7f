/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fork, vfork and clone: new processes and new threads of this one.
 */
#include <linux/errno.h>
#include <linux/sched.h>

#include <asm/signal.h>

#include <fs/vnode.h>
#include <kern/file.h>
#include <kern/kmalloc.h>
#include <kern/kstring.h>
#include <kern/proc.h>
#include <kern/syscalls.h>
#include <kern/trace.h>
#include <kern/uaccess.h>
#include <vm/vm_map.h>

#include <amd64/frame.h>
#include <amd64/machdep.h>

/* What clone() here knows. Some ask for nothing that this kernel has (one
 * namespace, no tracing, no System V semaphores) and are taken silently, as
 * Linux does; the flags of new namespaces and of pidfds are EINVAL, as on a
 * Linux configured without them. */
#define CLONE_KNOWN                                                     \
	(CSIGNAL | CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND |  \
	    CLONE_VFORK | CLONE_PARENT | CLONE_THREAD | CLONE_SYSVSEM | \
	    CLONE_SETTLS | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID | \
	    CLONE_CHILD_SETTID | CLONE_DETACHED | CLONE_UNTRACED |      \
	    CLONE_PTRACE | CLONE_IO)

/*
 * EINVAL for combinations that mean nothing, or nothing here: threads of one
 * process always share descriptors and directories, processes never share
 * directories.
 */
static int
clone_check(uint64_t flags)
{
	if (flags & ~(uint64_t)CLONE_KNOWN)
		return EINVAL;
	if ((flags & CLONE_THREAD) && (flags & CLONE_SIGHAND) == 0)
		return EINVAL;
	if ((flags & CLONE_SIGHAND) && (flags & CLONE_VM) == 0)
		return EINVAL;
	if (flags & CLONE_THREAD) {
		if ((flags & CLONE_FILES) == 0 || (flags & CLONE_VFORK))
			return EINVAL;
	} else if (flags & CLONE_FS) {
		return EINVAL;
	}
	if ((flags & CLONE_PARENT) && curproc == initproc)
		return EINVAL;
	return 0;
}

/*
 * The new thread's first steps, in the kernel and in its own address space.
 */
static void
fork_child(void *arg)
{
	struct thread *td = curthread;
	int *tidptr = td->td_lwp->l_set_child_tid;

	td->td_lwp->l_set_child_tid = NULL;
	if (tidptr != NULL)
		(void)suword32(tidptr, (uint32_t)td->td_tid);
	user_return(USER_FRAME(td));
}

/*
 * The child's registers: the parent's, with rax 0. td has not run yet.
 */
static void
fork_regs(struct thread *td, uint64_t flags, uint64_t stack, int *child_tid,
    uint64_t tls)
{
	struct thread *parent = curthread;
	struct trapframe *tf = USER_FRAME(td);

	*tf = *USER_FRAME(parent);
	tf->tf_rax = 0;
	tf->tf_trapno = 0;
	if (stack != 0)
		tf->tf_rsp = stack;
	td->td_frame = tf;
	crit_enter();
	fpu_save(parent);
	crit_exit();
	memcpy(td->td_md.md_fpu, parent->td_md.md_fpu, FPU_AREA_SIZE);
	td->td_md.md_fsbase =
	    flags & CLONE_SETTLS ? tls : parent->td_md.md_fsbase;
	td->td_md.md_gsbase = parent->td_md.md_gsbase;

	td->td_sigmask = parent->td_sigmask;
	if (parent->td_flags & TDF_OLDMASK)
		td->td_sigmask = parent->td_oldsigmask;
	if ((flags & (CLONE_VM | CLONE_VFORK)) != CLONE_VM) {
		td->td_sigalt_sp = parent->td_sigalt_sp;
		td->td_sigalt_size = parent->td_sigalt_size;
		td->td_sigalt_flags = parent->td_sigalt_flags;
	}
	if (flags & CLONE_CHILD_SETTID)
		td->td_lwp->l_set_child_tid = child_tid;
	if (flags & CLONE_CHILD_CLEARTID)
		td->td_clear_tid = child_tid;
	td->td_affinity = parent->td_affinity;
	strlcpy(td->td_name, parent->td_name, sizeof(td->td_name));
}

/*
 * Another thread of this process. EAGAIN: no memory, or the process is about
 * to end.
 */
static long
fork_thread(uint64_t flags, uint64_t stack, int *parent_tid, int *child_tid,
    uint64_t tls)
{
	struct proc *p = curproc;
	struct thread *td;
	int tid;

	proc_reap_threads(p);
	td = proc_thread_create(p, p->p_comm);
	if (td == NULL)
		return -EAGAIN;
	fork_regs(td, flags, stack, child_tid, tls);
	tid = td->td_tid;
	if (flags & CLONE_PARENT_SETTID)
		(void)suword32(parent_tid, (uint32_t)tid);
	lwkt_gettoken(&p->p_token);
	if (p->p_single != NULL) {
		lwkt_reltoken(&p->p_token);
		proc_thread_destroy(td);
		return -EAGAIN;
	}
	LIST_INSERT_AFTER(curthread, td, td_plist);
	p->p_nthreads++;
	if (p->p_flags & P_STOPPED)
		atomic_set_uint(&td->td_flags, TDF_SIGPENDING);
	lwkt_reltoken(&p->p_token);
	cnt_inc(v_clones);
	thread_start_kernel(td, fork_child, NULL);
	return tid;
}

/*
 * What the child copies or shares of the parent's process. The vmspace comes
 * last: with it the child is complete. ENOMEM.
 */
static int
fork_proc_state(struct proc *p, struct proc *p2, uint64_t flags)
{
	lwkt_gettoken(&p->p_token);
	p2->p_cwd = p->p_cwd;
	p2->p_root = p->p_root;
	p2->p_text = p->p_text;
	if (p2->p_cwd != NULL)
		vref(p2->p_cwd);
	if (p2->p_root != NULL)
		vref(p2->p_root);
	if (p2->p_text != NULL)
		vref_text(p2->p_text);
	p2->p_umask = p->p_umask;
	p2->p_persona = p->p_persona;
	memcpy(p2->p_rlim, p->p_rlim, sizeof(p2->p_rlim));
	memcpy(p2->p_comm, p->p_comm, sizeof(p2->p_comm));
	p2->p_args = kmalloc(MAX(p->p_argslen, 1), &M_PROC, M_NOWAIT);
	if (p2->p_args != NULL) {
		memcpy(p2->p_args, p->p_args, p->p_argslen);
		p2->p_argslen = p->p_argslen;
	}
	lwkt_reltoken(&p->p_token);

	if (flags & CLONE_SIGHAND) {
		p2->p_sigacts = p->p_sigacts;
		atomic_add_int(&p2->p_sigacts->refs, 1);
	} else {
		p2->p_sigacts = sigacts_copy(p->p_sigacts);
	}
	if (flags & CLONE_FILES) {
		p2->p_fd = p->p_fd;
		fd_share(p2->p_fd);
	} else {
		p2->p_fd = fd_copy(p->p_fd);
	}
	if (flags & CLONE_VM) {
		p2->p_vmspace = p->p_vmspace;
		vmspace_ref(p2->p_vmspace);
	} else {
		p2->p_vmspace = vmspace_fork(p->p_vmspace);
	}
	return p2->p_fd != NULL && p2->p_vmspace != NULL ? 0 : ENOMEM;
}

/*
 * Undoes what of a process was made, before anybody knew it.
 */
static void
fork_undo(struct proc *p2, struct thread *td)
{
	if (p2->p_vmspace != NULL)
		vmspace_rel(p2->p_vmspace);
	if (p2->p_fd != NULL)
		fd_free(p2->p_fd);
	if (p2->p_cwd != NULL)
		vrele(p2->p_cwd);
	if (p2->p_root != NULL)
		vrele(p2->p_root);
	if (p2->p_text != NULL)
		vrele_text(p2->p_text);
	if (td != NULL)
		proc_thread_destroy(td);
	proc_free(p2);
}

/*
 * The parent of a vfork waits until the child execs or exits. Only what ends
 * the process breaks it off. The child is held.
 */
static void
vfork_wait(struct proc *p2)
{
	struct lwp *lwp = curthread->td_lwp;
	int error = 0;

	lwp->l_killable = true;
	while (error != EINTR) {
		tsleep_interlock(p2, PCATCH);
		if ((p2->p_flags & P_VFORK) == 0)
			break;
		error = tsleep(p2, PCATCH | PINTERLOCKED, "vfork", 0);
	}
	tsleep_remove(curthread);
	lwp->l_killable = false;
}

/* See kern/proc.h. The process has left its parent's address space. */
void
vfork_done(struct proc *p)
{
	if (p->p_flags & P_VFORK) {
		atomic_clear_uint(&p->p_flags, P_VFORK);
		wakeup(p);
	}
}

/*
 * Another process. EAGAIN, ENOMEM.
 */
static long
fork_proc(uint64_t flags, uint64_t stack, int *parent_tid, int *child_tid,
    uint64_t tls)
{
	struct proc *p = curproc, *p2, *parent;
	struct thread *td;
	int error, pid;

	p2 = proc_alloc();
	td = proc_thread_create(p2, p->p_comm);
	if (td == NULL) {
		fork_undo(p2, NULL);
		return -EAGAIN;
	}
	p2->p_pid = pid = td->td_tid;
	p2->p_exitsig = flags & CSIGNAL;
	error = fork_proc_state(p, p2, flags);
	if (error != 0) {
		fork_undo(p2, td);
		return -error;
	}
	fork_regs(td, flags, stack, child_tid, tls);
	LIST_INSERT_HEAD(&p2->p_threads, td, td_plist);
	p2->p_nthreads = 1;
	if (flags & CLONE_PARENT_SETTID)
		(void)suword32(parent_tid, (uint32_t)pid);

	lwkt_gettoken(&proc_token);
	if (sig_fatal_pending(curthread)) {
		/* A kill of the whole group must not miss the child. */
		lwkt_reltoken(&proc_token);
		LIST_REMOVE(td, td_plist);
		fork_undo(p2, td);
		return -EAGAIN;
	}
	parent = flags & CLONE_PARENT ? p->p_parent : p;
	if (flags & CLONE_PARENT)
		p2->p_exitsig = p->p_exitsig;
	p2->p_pgid = p->p_pgid;
	p2->p_sid = p->p_sid;
	if (flags & CLONE_VFORK) {
		atomic_set_uint(&p2->p_flags, P_VFORK);
		phold(p2);
	}
	proc_link(p2, parent);
	lwkt_reltoken(&proc_token);

	trace(TR_FORK, (uint64_t)p->p_pid, (uint64_t)pid, 0, 0);
	if (flags & CLONE_VFORK)
		cnt_inc(v_vforks);
	else
		cnt_inc(v_forks);
	thread_start_kernel(td, fork_child, NULL);
	if (flags & CLONE_VFORK) {
		vfork_wait(p2);
		prele(p2);
	}
	return pid;
}

/*
 * A new process or thread that continues where this one is, on its own stack
 * unless stack is 0. Its number, or -errno. Sleeps.
 */
long
do_fork(uint64_t flags, uint64_t stack, void *parent_tid, void *child_tid,
    uint64_t tls)
{
	int error = clone_check(flags);

	if (error != 0)
		return -error;
	if ((flags & CLONE_SETTLS) && tls >= VM_MAX_USER_ADDRESS)
		return -EPERM;
	if (flags & CLONE_THREAD)
		return fork_thread(flags, stack, parent_tid, child_tid, tls);
	return fork_proc(flags, stack, parent_tid, child_tid, tls);
}

long
sys_fork(void)
{
	return do_fork(SIGCHLD, 0, NULL, NULL, 0);
}

long
sys_vfork(void)
{
	return do_fork(CLONE_VFORK | CLONE_VM | SIGCHLD, 0, NULL, NULL, 0);
}

long
sys_clone(unsigned long flags, uintptr_t stack, int *parent_tid, int *child_tid,
    unsigned long tls)
{
	/* The register's upper half is clone3's business. */
	return do_fork((uint32_t)flags, stack, parent_tid, child_tid, tls);
}
