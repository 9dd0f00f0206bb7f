/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The memory of another process: process_vm_readv, process_vm_writev, and
 * what /proc/PID/mem needs.
 *
 * All goes through a buffer of the kernel's: a page of the other space may
 * be busy while it is written to, and must not be while we fault on one of
 * our own, which could be the same.
 */
#include <linux/errno.h>
#include <linux/uio.h>

#include <kern/kmalloc.h>
#include <kern/kstring.h>
#include <kern/proc.h>
#include <kern/syscalls.h>
#include <kern/uaccess.h>
#include <vm/vm_fault.h>
#include <vm/vm_map.h>

/*
 * Whether the entry at va has the right by its name: what is only readable
 * because x86 cannot help it is not for others.
 */
static bool
may_access(struct vmspace *vm, vm_offset_t va, vm_prot_t prot)
{
	vm_map_entry_t entry;
	bool may;

	vm_map_lock_read(&vm->vm_map);
	may = vm_map_lookup_entry(&vm->vm_map, va, &entry) &&
	    (entry->protection & prot) == prot;
	vm_map_unlock_read(&vm->vm_map);
	return may;
}

/*
 * Copies between kbuf and a page, or a part of one, of a space: EFAULT where
 * the process itself could not read (write: write). force: where it could if
 * it changed the rights, as a debugger needs. The caller holds the space;
 * may sleep.
 */
int
vmspace_rw_page(struct vmspace *vm, vm_offset_t va, void *kbuf, size_t len,
    bool write, bool force)
{
	vm_prot_t prot = write ? VM_PROT_WRITE : VM_PROT_READ;
	int result;
	char *page;
	vm_page_t m;
	bool busy;

	KKASSERT((va & PAGE_MASK) + len <= PAGE_SIZE);
	if (va >= VM_MAX_USER_ADDRESS || (!force && !may_access(vm, va, prot)))
		return EFAULT;
	if (force)
		prot |= VM_PROT_OVERRIDE_WRITE;
	m = vm_fault_page(
	    &vm->vm_map, va, prot, VM_FAULT_NORMAL, &result, &busy);
	if (m == NULL)
		return EFAULT;
	page = (char *)PHYS_TO_DMAP(VM_PAGE_TO_PHYS(m)) + (va & PAGE_MASK);
	if (write)
		memcpy(page, kbuf, len);
	else
		memcpy(kbuf, page, len);
	if (busy)
		vm_page_wakeup(m);
	else
		vm_page_unhold(m);
	return 0;
}

/* Copies an iovec array in: 0, EINVAL, EFAULT. *total: bytes in all. */
static int
iov_copyin(
    const void *uiov, unsigned long count, struct iovec **iovp, size_t *total)
{
	struct iovec *iov;
	int error;

	*iovp = NULL;
	*total = 0;
	if (count > UIO_MAXIOV)
		return EINVAL;
	if (count == 0)
		return 0;
	iov = kmalloc(count * sizeof(*iov), &M_TEMP, M_WAITOK);
	error = copyin(uiov, iov, count * sizeof(*iov));
	for (unsigned long i = 0; i < count && error == 0; i++) {
		if ((int64_t)iov[i].iov_len < 0)
			error = EINVAL;
		else if (*total + iov[i].iov_len > INT64_MAX)
			error = EINVAL;
		else
			*total += iov[i].iov_len;
	}
	if (error != 0) {
		kfree(iov, &M_TEMP);
		return error;
	}
	*iovp = iov;
	return 0;
}

/* The process's space, held: 0 or ESRCH. */
static int
vmspace_of(int pid, struct vmspace **vmp)
{
	struct proc *p = pfind(pid);
	int error = 0;

	if (p == NULL)
		return ESRCH;
	lwkt_gettoken(&p->p_token);
	*vmp = p->p_vmspace;
	if (*vmp != NULL)
		vmspace_hold(*vmp);
	else
		error = ESRCH;
	lwkt_reltoken(&p->p_token);
	prele(p);
	return error;
}

/* A place in an array of segments. */
struct iov_pos {
	struct iovec *iov;
	unsigned long left; /* segments, this one included */
	size_t off;	    /* bytes done of it */
};

/* Steps over segments that are used up; false at the end of all. */
static bool
iov_more(struct iov_pos *pos)
{
	while (pos->left > 0 && pos->off == pos->iov->iov_len) {
		pos->iov++;
		pos->left--;
		pos->off = 0;
	}
	return pos->left > 0;
}

/* Transfers until one side's segments end or something faults: bytes moved,
 * or, if none could be, -EFAULT. */
static long
procmem_transfer(struct vmspace *vm, struct iov_pos *local,
    struct iov_pos *remote, bool write)
{
	char *buf = kmalloc(PAGE_SIZE, &M_TEMP, M_WAITOK);
	long done = 0;
	int error = 0;

	while (iov_more(local) && iov_more(remote) && !long_loop_over()) {
		char *laddr = (char *)local->iov->iov_base + local->off;
		vm_offset_t raddr =
		    (vm_offset_t)remote->iov->iov_base + remote->off;
		size_t n = PAGE_SIZE - (raddr & PAGE_MASK);

		n = MIN(n, local->iov->iov_len - local->off);
		n = MIN(n, remote->iov->iov_len - remote->off);
		if (write) {
			error = copyin(laddr, buf, n);
			if (error == 0)
				error = vmspace_rw_page(
				    vm, raddr, buf, n, true, false);
		} else {
			error =
			    vmspace_rw_page(vm, raddr, buf, n, false, false);
			if (error == 0)
				error = copyout(buf, laddr, n);
		}
		if (error != 0)
			break;
		local->off += n;
		remote->off += n;
		done += n;
	}
	kfree(buf, &M_TEMP);
	return done == 0 && error != 0 ? -error : done;
}

/* Both calls: bytes moved, or -EINVAL, -EFAULT, -ESRCH. */
static long
procmem(int pid, const void *liov, unsigned long liovcnt, const void *riov,
    unsigned long riovcnt, unsigned long flags, bool write)
{
	struct iovec *lv = NULL, *rv = NULL;
	struct iov_pos local, remote;
	struct vmspace *vm;
	size_t llen, rlen;
	long result;

	if (flags != 0)
		return -EINVAL;
	result = -iov_copyin(liov, liovcnt, &lv, &llen);
	if (result != 0 || llen == 0)
		goto out;
	result = -iov_copyin(riov, riovcnt, &rv, &rlen);
	if (result != 0 || rlen == 0)
		goto out;
	result = -vmspace_of(pid, &vm);
	if (result != 0)
		goto out;
	local = (struct iov_pos){lv, liovcnt, 0};
	remote = (struct iov_pos){rv, riovcnt, 0};
	result = procmem_transfer(vm, &local, &remote, write);
	vmspace_drop(vm);
out:
	kfree(lv, &M_TEMP);
	kfree(rv, &M_TEMP);
	return result;
}

/* process_vm_readv(2). */
long
sys_process_vm_readv(int pid, const void *liov, unsigned long liovcnt,
    const void *riov, unsigned long riovcnt, unsigned long flags)
{
	return procmem(pid, liov, liovcnt, riov, riovcnt, flags, false);
}

/* process_vm_writev(2). */
long
sys_process_vm_writev(int pid, const void *liov, unsigned long liovcnt,
    const void *riov, unsigned long riovcnt, unsigned long flags)
{
	return procmem(pid, liov, liovcnt, riov, riovcnt, flags, true);
}
