/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Process 1.
 */
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/resource.h>

#include <fs/vnode.h>
#include <kern/bootopt.h>
#include <kern/file.h>
#include <kern/kprintf.h>
#include <kern/kstring.h>
#include <kern/proc.h>
#include <vm/vm_map.h>

#include <amd64/frame.h>
#include <amd64/machdep.h>

#define MAXINITARGS 16
#define STACK_SIZE  (8UL << 20) /* Linux's default RLIMIT_STACK */

BOOTOPT(bo_init, "init", "/init", "the program that process 1 runs");

/*
 * Descriptors 0, 1 and 2: the console.
 */
static int
init_console(void)
{
	struct file *fp;
	int error;

	error = vn_open(NULL, "/dev/console", O_RDWR, 0, &fp);
	if (error != 0)
		return error;
	for (int i = 0; i < 3; i++) {
		file_ref(fp);
		if (fd_install(fp, i, false) != i)
			error = EMFILE;
	}
	file_drop(fp);
	return error;
}

/*
 * Splits what followed "--" on the command line at blanks, in place.
 */
static void
init_args(char *line, const char **argv)
{
	int n = 1;

	while (*line != '\0' && n < MAXINITARGS) {
		while (*line == ' ')
			*line++ = '\0';
		if (*line == '\0')
			break;
		argv[n++] = line;
		while (*line != '\0' && *line != ' ')
			line++;
	}
	*line = '\0';
	argv[n] = NULL;
}

/*
 * The first thread's way to user mode.
 */
static void
init_main(void *arg)
{
	static const char *const envp[] = {
	    "HOME=/", "TERM=linux", "PATH=/bin:/sbin:/usr/bin:/usr/sbin", NULL};
	const char *argv[MAXINITARGS + 1] = {bootopt_str(&bo_init)};
	char *line = kstrdup(bootopt_initargs(), &M_TEMP);
	int error;

	init_args(line, argv);
	error = init_console();
	if (error != 0)
		boot_die("process 1 has no console: error %d", error);
	error = kern_execve(argv[0], (char *const *)(uintptr_t)argv,
	    (char *const *)(uintptr_t)envp);
	if (error != 0)
		boot_die(
		    "cannot run %s as process 1: error %d", argv[0], error);
	kfree(line, &M_TEMP);
	user_return(USER_FRAME(curthread));
}

/*
 * Limits that children inherit: those of Linux where this kernel enforces
 * one, none otherwise.
 */
static void
init_limits(struct proc *p)
{
	for (int i = 0; i < NRLIMIT; i++)
		p->p_rlim[i].cur = p->p_rlim[i].max = RLIM64_INFINITY;
	p->p_rlim[RLIMIT_STACK].cur = STACK_SIZE;
	p->p_rlim[RLIMIT_NOFILE].cur = p->p_rlim[RLIMIT_NOFILE].max = NOFILE;
	p->p_rlim[RLIMIT_CORE].cur = 0;
}

/*
 * Makes process 1, whose first thread must be the first of all processes',
 * and lets it run. Once, after the root file system is mounted.
 */
void
proc_start_init(void)
{
	struct proc *p = proc_alloc();
	struct thread *td = proc_thread_create(p, "init");

	if (td == NULL || td->td_tid != 1)
		panic("process 1 cannot be made");
	p->p_pid = p->p_pgid = p->p_sid = td->td_tid;
	p->p_vmspace = vmspace_exec_new();
	p->p_fd = fd_alloc();
	p->p_sigacts = sigacts_alloc();
	p->p_cwd = p->p_root = rootvnode;
	vref(rootvnode);
	vref(rootvnode);
	p->p_umask = 022;
	init_limits(p);
	strlcpy(p->p_comm, "init", sizeof(p->p_comm));
	LIST_INSERT_HEAD(&p->p_threads, td, td_plist);
	p->p_nthreads = 1;
	initproc = p;
	lwkt_gettoken(&proc_token);
	proc_link(p, NULL);
	lwkt_reltoken(&proc_token);
	thread_start_kernel(td, init_main, NULL);
}
