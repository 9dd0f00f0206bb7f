/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The system calls about who a process is: numbers, groups, sessions, names.
 * There is one user, root, and nobody ever changes to another.
 */
#include <linux/errno.h>
#include <linux/prctl.h>
#include <linux/utsname.h>

#include <asm/prctl.h>

#include <kern/kstring.h>
#include <kern/proc.h>
#include <kern/syscalls.h>
#include <kern/uaccess.h>

#include <amd64/machdep.h>

#define PERSONALITY_QUERY 0xffffffffU

long
sys_getpid(void)
{
	return curproc->p_pid;
}

/*
 * 0 for process 1, as on Linux. The parent cannot go away under proc_token.
 */
long
sys_getppid(void)
{
	struct proc *p = curproc;
	long pid;

	lwkt_gettoken_shared(&proc_token);
	pid = p->p_parent != NULL ? p->p_parent->p_pid : 0;
	lwkt_reltoken(&proc_token);
	return pid;
}

long
sys_gettid(void)
{
	return curthread->td_tid;
}

long
sys_getuid(void)
{
	return 0;
}

long
sys_geteuid(void)
{
	return 0;
}

long
sys_getgid(void)
{
	return 0;
}

long
sys_getegid(void)
{
	return 0;
}

long
sys_setuid(uint32_t uid)
{
	return uid == 0 ? 0 : -EINVAL;
}

long
sys_setgid(uint32_t gid)
{
	return gid == 0 ? 0 : -EINVAL;
}

/*
 * There are no supplementary groups.
 */
long
sys_getgroups(int size, uint32_t *list)
{
	return size < 0 ? -EINVAL : 0;
}

/*
 * The group or session of a process, 0 meaning the caller.
 */
static long
get_group(int pid, bool session)
{
	struct proc *p;
	long id;

	if (pid == 0)
		return session ? curproc->p_sid : curproc->p_pgid;
	p = pfind(pid);
	if (p == NULL)
		return -ESRCH;
	id = session ? p->p_sid : p->p_pgid;
	prele(p);
	return id;
}

long
sys_getpgid(int pid)
{
	return get_group(pid, false);
}

long
sys_getpgrp(void)
{
	return get_group(0, false);
}

long
sys_getsid(int pid)
{
	return get_group(pid, true);
}

/*
 * Whether some process of the session is in the group. proc_token is held.
 */
static bool
pgrp_exists(int pgid, int sid)
{
	struct proc *p;

	TAILQ_FOREACH (p, &allproc, p_all) {
		if (p->p_pgid == pgid && (sid == 0 || p->p_sid == sid))
			return true;
	}
	return false;
}

/*
 * What forbids to move p to a group. proc_token is held.
 */
static int
setpgid_check(const struct proc *self, const struct proc *p, int pgid)
{
	if (p->p_parent == self) {
		if (p->p_sid != self->p_sid)
			return EPERM;
		if (p->p_flags & P_EXECED)
			return EACCES;
	} else if (p != self) {
		return ESRCH;
	}
	if (p->p_sid == p->p_pid)
		return EPERM;
	if (pgid != p->p_pid && !pgrp_exists(pgid, self->p_sid))
		return EPERM;
	return 0;
}

long
sys_setpgid(int pid, int pgid)
{
	struct proc *self = curproc, *p;
	int error;

	if (pid == 0)
		pid = self->p_pid;
	if (pgid == 0)
		pgid = pid;
	if (pgid < 0)
		return -EINVAL;
	p = pfind(pid);
	if (p == NULL)
		return -ESRCH;
	lwkt_gettoken(&proc_token);
	error = setpgid_check(self, p, pgid);
	if (error == 0)
		p->p_pgid = pgid;
	lwkt_reltoken(&proc_token);
	prele(p);
	return -error;
}

long
sys_setsid(void)
{
	struct proc *p = curproc;
	long result = -EPERM;

	lwkt_gettoken(&proc_token);
	if (!pgrp_exists(p->p_pid, 0)) {
		p->p_pgid = p->p_sid = p->p_pid;
		result = p->p_pid;
	}
	lwkt_reltoken(&proc_token);
	return result;
}

/*
 * The release is the Linux whose interface the system calls follow: C
 * libraries refuse to start on one that is too old.
 */
long
sys_uname(void *ubuf)
{
	struct new_utsname name = {
	    .sysname = "Linux",
	    .nodename = "nymph",
	    .release = "6.1.0-nymph",
	    .version = "#1 SMP Nymph",
	    .machine = "x86_64",
	    .domainname = "(none)",
	};

	return -copyout(&name, ubuf, sizeof(name));
}

long
sys_arch_prctl(int option, unsigned long addr)
{
	struct thread *td = curthread;

	switch (option) {
	case ARCH_SET_FS:
	case ARCH_SET_GS:
		if (addr >= VM_MAX_USER_ADDRESS)
			return -EPERM;
		if (option == ARCH_SET_FS)
			cpu_set_fsbase(td, addr);
		else
			cpu_set_gsbase(td, addr);
		return 0;
	case ARCH_GET_FS:
		return -suword64((void *)addr, td->td_md.md_fsbase);
	case ARCH_GET_GS:
		return -suword64((void *)addr, td->td_md.md_gsbase);
	default:
		return -EINVAL;
	}
}

/*
 * A thread's name, which is the process's as well if it is the first one.
 */
static long
set_name(const char *uname)
{
	struct thread *td = curthread;
	struct proc *p = td->td_proc;
	char name[MAXCOMM];
	int error;

	error = copyinstr(uname, name, sizeof(name), NULL);
	if (error == EFAULT)
		return -EFAULT;
	name[sizeof(name) - 1] = '\0'; /* longer ones are cut off */
	strlcpy(td->td_name, name, sizeof(td->td_name));
	if (td->td_tid == p->p_pid) {
		lwkt_gettoken(&p->p_token);
		memcpy(p->p_comm, name, sizeof(p->p_comm));
		lwkt_reltoken(&p->p_token);
	}
	return 0;
}

static long
get_name(char *uname)
{
	char name[MAXCOMM] = "";

	strlcpy(name, curthread->td_name, sizeof(name));
	return -copyout(name, uname, sizeof(name));
}

long
sys_prctl(int option, unsigned long a2, unsigned long a3, unsigned long a4,
    unsigned long a5)
{
	switch (option) {
	case PR_SET_NAME:
		return set_name((const char *)a2);
	case PR_GET_NAME:
		return get_name((char *)a2);
	case PR_GET_DUMPABLE:
		return 1;
	case PR_SET_DUMPABLE:
		return a2 <= 1 ? 0 : -EINVAL;
	default:
		return -EINVAL;
	}
}

/*
 * Remembered and inherited, but nothing here depends on it: addresses are
 * never random anyway.
 */
long
sys_personality(unsigned int persona)
{
	struct proc *p = curproc;
	long old = (long)p->p_persona;

	if (persona != PERSONALITY_QUERY)
		p->p_persona = persona;
	return old;
}
