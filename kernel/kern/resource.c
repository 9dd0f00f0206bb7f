/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The system calls about resources: CPUs, limits, what was used, what the
 * machine has; and switching it off.
 */
#include <linux/errno.h>
#include <linux/reboot.h>
#include <linux/resource.h>
#include <linux/sysinfo.h>

#include <fs/vnode.h>
#include <kern/file.h>
#include <kern/gcov.h>
#include <kern/kprintf.h>
#include <kern/kstring.h>
#include <kern/ktime.h>
#include <kern/proc.h>
#include <kern/sched.h>
#include <kern/syscalls.h>
#include <kern/uaccess.h>
#include <vm/swap_pager.h>
#include <vm/vm_map.h>
#include <vm/vm_page.h>

#include <amd64/machdep.h>

#define AFFINITY_SIZE sizeof(uint64_t) /* Linux's cpumask up to 64 CPUs */

_Static_assert(NRLIMIT == RLIM_NLIMITS, "one for each");
_Static_assert(sizeof(struct krlimit) == sizeof(struct rlimit64), "ABI");

long
sys_sched_yield(void)
{
	lwkt_yield();
	return 0;
}

long
sys_sched_getaffinity(int pid, unsigned int len, unsigned long *umask)
{
	struct thread *td = curthread;
	struct proc *p;
	uint64_t mask;

	if (len * 8UL < ncpus || len % sizeof(long) != 0)
		return -EINVAL;
	if (pid == 0 || pid == td->td_tid) {
		mask = td->td_affinity;
	} else {
		p = pfind_tid(pid);
		if (p == NULL)
			return -ESRCH;
		lwkt_gettoken(&p->p_token);
		td = proc_thread(p, pid);
		mask = td != NULL ? td->td_affinity : 0;
		lwkt_reltoken(&p->p_token);
		prele(p);
		if (td == NULL)
			return -ESRCH;
	}
	mask &= sched_online;
	len = MIN(len, AFFINITY_SIZE);
	if (copyout(&mask, umask, len) != 0)
		return -EFAULT;
	return (long)len;
}

long
sys_sched_setaffinity(int pid, unsigned int len, const unsigned long *umask)
{
	struct thread *td = curthread;
	struct proc *p;
	uint64_t mask = 0;

	if (copyin(umask, &mask, MIN(len, AFFINITY_SIZE)) != 0)
		return -EFAULT;
	mask &= sched_online;
	if (pid == 0 || pid == td->td_tid) {
		if (mask == 0)
			return -EINVAL;
		thread_setaffinity(td, (cpumask_t)mask);
		return 0;
	}
	p = pfind_tid(pid);
	if (p == NULL)
		return -ESRCH;
	lwkt_gettoken(&p->p_token);
	td = proc_thread(p, pid);
	if (td != NULL && mask != 0)
		thread_setaffinity(td, (cpumask_t)mask);
	lwkt_reltoken(&p->p_token);
	prele(p);
	if (td == NULL)
		return -ESRCH;
	return mask != 0 ? 0 : -EINVAL;
}

long
sys_getcpu(unsigned int *cpu, unsigned int *node, void *unused)
{
	if (cpu != NULL && suword32(cpu, mycpuid) != 0)
		return -EFAULT;
	if (node != NULL && suword32(node, 0) != 0)
		return -EFAULT;
	return 0;
}

/*
 * Gives a process's limit and, with new, sets it. EPERM above what the
 * table of descriptors holds.
 */
static int
rlimit_exchange(struct proc *p, unsigned int resource,
    const struct krlimit *new, struct krlimit *old)
{
	if (resource >= NRLIMIT)
		return EINVAL;
	if (new != NULL) {
		if (new->cur > new->max)
			return EINVAL;
		if (resource == RLIMIT_NOFILE && new->max > NOFILE)
			return EPERM;
	}
	lwkt_gettoken(&p->p_token);
	*old = p->p_rlim[resource];
	if (new != NULL)
		p->p_rlim[resource] = *new;
	lwkt_reltoken(&p->p_token);
	return 0;
}

long
sys_prlimit64(int pid, unsigned int resource, const void *unew, void *uold)
{
	struct krlimit new, old;
	struct proc *p = curproc;
	int error;

	if (unew != NULL && copyin(unew, &new, sizeof(new)) != 0)
		return -EFAULT;
	if (pid == 0) {
		phold(p);
	} else {
		p = pfind_tid(pid);
		if (p == NULL)
			return -ESRCH;
	}
	error = rlimit_exchange(p, resource, unew != NULL ? &new : NULL, &old);
	prele(p);
	if (error == 0 && uold != NULL)
		error = copyout(&old, uold, sizeof(old));
	return -error;
}

long
sys_getrlimit(unsigned int resource, void *rlim)
{
	struct krlimit old;
	int error = rlimit_exchange(curproc, resource, NULL, &old);

	return error != 0 ? -error : -copyout(&old, rlim, sizeof(old));
}

long
sys_setrlimit(unsigned int resource, const void *rlim)
{
	struct krlimit new, old;

	if (copyin(rlim, &new, sizeof(new)) != 0)
		return -EFAULT;
	return -rlimit_exchange(curproc, resource, &new, &old);
}

/*
 * All CPU time counts as the program's: see sys_times().
 */
long
sys_getrusage(int who, void *uusage)
{
	struct proc *p = curproc;
	struct rusage ru;
	uint64_t ns;

	memset(&ru, 0, sizeof(ru));
	switch (who) {
	case RUSAGE_SELF:
		lwkt_gettoken(&p->p_token);
		ns = proc_usage(p).ns;
		lwkt_reltoken(&p->p_token);
		ru.ru_minflt = (long)p->p_minflt;
		ru.ru_maxrss = p->p_vmspace->vm_pmap.pm_resident *
		    (long)(PAGE_SIZE / 1024);
		break;
	case RUSAGE_CHILDREN:
		ns = p->p_cused.ns;
		ru.ru_minflt = (long)p->p_cminflt;
		break;
	case RUSAGE_THREAD:
		ns = thread_usage(curthread).ns;
		break;
	default:
		return -EINVAL;
	}
	ru.ru_utime.tv_sec = (long)(ns / NSEC_PER_SEC);
	ru.ru_utime.tv_usec = (long)(ns % NSEC_PER_SEC / 1000);
	return -copyout(&ru, uusage, sizeof(ru));
}

long
sys_sysinfo(void *uinfo)
{
	struct sysinfo info;
	int64_t pages;

	memset(&info, 0, sizeof(info));
	info.uptime = (long)(nanotime() / NSEC_PER_SEC);
	info.totalram = (uint64_t)vmstats.v_page_count * PAGE_SIZE;
	info.freeram =
	    (uint64_t)(vmstats.v_free_count + vmstats.v_cache_count) *
	    PAGE_SIZE;
	info.freeswap = (uint64_t)swap_space(&pages) * PAGE_SIZE;
	info.totalswap = (uint64_t)pages * PAGE_SIZE;
	info.procs = (uint16_t)proc_count();
	info.mem_unit = 1;
	return -copyout(&info, uinfo, sizeof(info));
}

/*
 * All ways to stop end the machine, which under QEMU means the emulator: a
 * test must not begin again by itself.
 */
long
sys_reboot(int magic1, int magic2, unsigned int cmd, void *arg)
{
	if (magic1 != (int)LINUX_REBOOT_MAGIC1)
		return -EINVAL;
	switch (magic2) {
	case LINUX_REBOOT_MAGIC2:
	case LINUX_REBOOT_MAGIC2A:
	case LINUX_REBOOT_MAGIC2B:
	case LINUX_REBOOT_MAGIC2C:
		break;
	default:
		return -EINVAL;
	}
	switch (cmd) {
	case LINUX_REBOOT_CMD_CAD_ON:
	case LINUX_REBOOT_CMD_CAD_OFF:
		return 0;
	case LINUX_REBOOT_CMD_RESTART:
	case LINUX_REBOOT_CMD_HALT:
	case LINUX_REBOOT_CMD_POWER_OFF:
		vfs_shutdown();
		sched_points_report();
		klog(KLOG_INFO, "power off\n");
		gcov_dump();
		cpu_poweroff(EXIT_ORDERLY);
	default:
		return -EINVAL;
	}
}
