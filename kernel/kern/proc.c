/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The tree of processes: making, finding, holding and freeing them.
 *
 * A process is in allproc, in the hash and on its parent's list of children
 * from fork until somebody reaps it. Freeing is in two steps: the threads'
 * memory, once the last of them is off its CPU, and then the process, once
 * nobody holds it.
 */
#include <kern/proc.h>

#include <kern/kmalloc.h>
#include <kern/kstring.h>
#include <kern/lock.h>
#include <kern/syscalls.h>
#include <vm/vm_page.h>

#include <amd64/machdep.h>

MALLOC_DEFINE(M_PROC, "proc");
MALLOC_DEFINE(M_LWP, "lwp");

#define PIDHASH	  64
#define PIDH(pid) (&pidhash[(unsigned int)(pid) % PIDHASH])

struct lwkt_token proc_token = LWKT_TOKEN_INITIALIZER("proc");
struct proclist allproc = TAILQ_HEAD_INITIALIZER(allproc);
struct proc *initproc;

LIST_HEAD(procs, proc);
static struct procs pidhash[PIDHASH]; /* (l) */
static struct proclist autoreap =     /* (l) zombies without a parent */
    TAILQ_HEAD_INITIALIZER(autoreap);
static int nprocs; /* (l) */
static struct lock autoreap_lock = LOCK_INITIALIZER("autoreap");

/*
 * Frees the zombies whose parents ignore SIGCHLD: nobody waits for them, and
 * none of them can free itself. Afterwards there is none, nor is anybody else
 * about to free one.
 */
void
proc_reap_all(void)
{
	struct proc *p;

	lockmgr(&autoreap_lock, LK_EXCLUSIVE);
	for (;;) {
		lwkt_gettoken(&proc_token);
		p = TAILQ_FIRST(&autoreap);
		if (p != NULL)
			TAILQ_REMOVE(&autoreap, p, p_sibling);
		lwkt_reltoken(&proc_token);
		if (p == NULL)
			break;
		proc_reap(p);
	}
	lockmgr(&autoreap_lock, LK_RELEASE);
}

/* The thread that does it in time. */
static void
proc_reaper(void *arg)
{
	for (;;) {
		tsleep_interlock(&autoreap, 0);
		proc_reap_all();
		tsleep(&autoreap, PINTERLOCKED, "autoreap", 0);
	}
}

/*
 * Boot, once threads can be made. Panics without memory.
 */
void
proc_init(void)
{
	if (kthread_create("zombies", proc_reaper, NULL) == NULL)
		panic("no memory for the reaper of processes");
	itimer_init();
}

/*
 * Keeps the memory of a process that the caller knows to be there: found
 * under proc_token, or its own.
 */
void
phold(struct proc *p)
{
	atomic_add_uint(&p->p_holds, 1);
}

/*
 * Ends a hold; the process may be gone afterwards.
 */
void
prele(struct proc *p)
{
	/* Only the address is used from here on, not what it points to. */
	if (atomic_fetchadd_uint(&p->p_holds, -1U) == (PHOLD_WAIT | 1))
		wakeup(&p->p_holds);
}

/*
 * The process of that number, a zombie too, held; NULL when there is none.
 * May wait for proc_token.
 */
struct proc *
pfind(int pid)
{
	struct proc *p;

	lwkt_gettoken_shared(&proc_token);
	LIST_FOREACH (p, PIDH(pid), p_hash) {
		if (p->p_pid == pid) {
			phold(p);
			break;
		}
	}
	lwkt_reltoken(&proc_token);
	return p;
}

/*
 * The process's living thread of that number, or NULL. p_token is held and
 * keeps the thread.
 */
struct thread *
proc_thread(struct proc *p, int tid)
{
	struct thread *td;

	ASSERT_LWKT_TOKEN_HELD(&p->p_token);
	LIST_FOREACH (td, &p->p_threads, td_plist) {
		if (td->td_tid == tid)
			return td;
	}
	return NULL;
}

static bool
match_all(struct proc *p, int arg)
{
	return true;
}

/*
 * The process that has a thread of that number, held; NULL when none has.
 * The thread may be gone when the caller looks for it under p_token. May
 * wait for tokens.
 */
struct proc *
pfind_tid(int tid)
{
	struct proc *p, *found = NULL, **list;
	int count;

	p = pfind(tid);
	if (p != NULL)
		return p;
	list = procs_collect(match_all, 0, &count);
	for (int i = 0; i < count && found == NULL; i++) {
		p = list[i];
		lwkt_gettoken_shared(&p->p_token);
		if (proc_thread(p, tid) != NULL) {
			found = p;
			phold(p);
		}
		lwkt_reltoken(&p->p_token);
	}
	procs_release(list, count);
	return found;
}

/*
 * See kern/proc.h. match is called under proc_token and must not sleep. The
 * order is that of creation. Sleeps for memory.
 */
struct proc **
procs_collect(bool (*match)(struct proc *p, int arg), int arg, int *countp)
{
	struct proc *p, **list;
	int size, n;

	for (;;) {
		size = nprocs + 8;
		list = kmalloc((size_t)size * sizeof(*list), &M_PROC, M_WAITOK);
		n = 0;
		lwkt_gettoken_shared(&proc_token);
		if (nprocs <= size)
			break;
		lwkt_reltoken(&proc_token);
		kfree(list, &M_PROC);
	}
	TAILQ_FOREACH (p, &allproc, p_all) {
		if (match(p, arg)) {
			phold(p);
			list[n++] = p;
		}
	}
	lwkt_reltoken(&proc_token);
	*countp = n;
	return list;
}

void
procs_release(struct proc **list, int count)
{
	for (int i = 0; i < count; i++)
		prele(list[i]);
	kfree(list, &M_PROC);
}

/*
 * Processes that exist, zombies included.
 */
int
proc_count(void)
{
	return nprocs;
}

/*
 * A process that nobody knows yet. Sleeps for memory.
 */
struct proc *
proc_alloc(void)
{
	struct proc *p;

	p = kmalloc(sizeof(*p), &M_PROC, M_WAITOK | M_ZERO);
	lwkt_token_init(&p->p_token, "process");
	TAILQ_INIT(&p->p_children);
	LIST_INIT(&p->p_threads);
	LIST_INIT(&p->p_zthreads);
	TAILQ_INIT(&p->p_sigq);
	p->p_state = PS_EMBRYO;
	p->p_start_ns = nanotime();
	return p;
}

/*
 * Frees a process that is in no list any more, once nobody holds it. What
 * it owned besides its signals and arguments is gone already.
 */
void
proc_free(struct proc *p)
{
	KKASSERT(LIST_EMPTY(&p->p_threads) && LIST_EMPTY(&p->p_zthreads));
	for (;;) {
		tsleep_interlock(&p->p_holds, 0);
		atomic_set_uint(&p->p_holds, PHOLD_WAIT);
		if ((atomic_load_uint(&p->p_holds) & ~PHOLD_WAIT) == 0)
			break;
		tsleep(&p->p_holds, PINTERLOCKED, "phold", 0);
	}
	tsleep_remove(curthread);
	sig_flush(&p->p_sigpend, &p->p_sigq, ~0UL);
	if (p->p_sigacts != NULL)
		sigacts_free(p->p_sigacts);
	kfree(p->p_args, &M_PROC);
	lwkt_token_uninit(&p->p_token);
	kfree(p, &M_PROC);
}

/*
 * Makes a process known. proc_token is held exclusively; p_pid is set.
 */
void
proc_link(struct proc *p, struct proc *parent)
{
	ASSERT_LWKT_TOKEN_HELD_EXCL(&proc_token);
	p->p_parent = parent;
	p->p_state = PS_ACTIVE;
	LIST_INSERT_HEAD(PIDH(p->p_pid), p, p_hash);
	TAILQ_INSERT_TAIL(&allproc, p, p_all);
	if (parent != NULL)
		TAILQ_INSERT_TAIL(&parent->p_children, p, p_sibling);
	nprocs++;
}

/*
 * Gives a zombie that is still its parent's child to the kernel to free.
 * proc_token is held exclusively.
 */
void
proc_autoreap(struct proc *p)
{
	ASSERT_LWKT_TOKEN_HELD_EXCL(&proc_token);
	TAILQ_REMOVE(&p->p_parent->p_children, p, p_sibling);
	TAILQ_INSERT_TAIL(&autoreap, p, p_sibling);
	wakeup(&autoreap);
}

/*
 * The end of a zombie that the caller took off its parent's list. Sleeps
 * until its last thread is off its CPU and all holds are gone, so that what
 * it used is free when this returns.
 */
void
proc_reap(struct proc *p)
{
	KKASSERT(p->p_state == PS_ZOMBIE && TAILQ_EMPTY(&p->p_children));
	lwkt_gettoken(&proc_token);
	LIST_REMOVE(p, p_hash);
	TAILQ_REMOVE(&allproc, p, p_all);
	nprocs--;
	lwkt_reltoken(&proc_token);
	proc_reap_threads(p);
	proc_free(p);
}

/*
 * A thread for a process, on none of its lists yet; NULL when memory is
 * short. Undone by thread_reap() and kfree of td_lwp: see
 * proc_thread_destroy().
 */
struct thread *
proc_thread_create(struct proc *p, const char *name)
{
	struct thread *td;
	struct lwp *lwp;
	int tries = 0;

	lwp = kmalloc(sizeof(*lwp), &M_LWP, M_WAITOK | M_ZERO);
	TAILQ_INIT(&lwp->l_sigq);
	/* A fork, too, can wait for pages to be written out. */
	while ((td = thread_create(name, p)) == NULL &&
	    !signal_pending(curthread) && tries++ < 10)
		vm_wait_catch("thread");
	if (td == NULL) {
		kfree(lwp, &M_LWP);
		return NULL;
	}
	td->td_lwp = lwp;
	td->td_sigalt_flags = 0;
	return td;
}

/*
 * Frees a thread that has not run yet, or one that exits, after it did.
 */
void
proc_thread_destroy(struct thread *td)
{
	struct lwp *lwp = td->td_lwp;

	thread_reap(td);
	kfree(lwp, &M_LWP);
}

/*
 * Frees the process's exited threads. Sleeps until each is off its CPU.
 */
void
proc_reap_threads(struct proc *p)
{
	struct thread *td;

	for (;;) {
		lwkt_gettoken(&p->p_token);
		td = LIST_FIRST(&p->p_zthreads);
		if (td != NULL)
			LIST_REMOVE(td, td_plist);
		lwkt_reltoken(&p->p_token);
		if (td == NULL)
			return;
		KKASSERT(td != curthread);
		proc_thread_destroy(td);
	}
}

/*
 * What all threads have used that a process has or had. p_token is held.
 */
struct usage
proc_usage(struct proc *p)
{
	struct usage used = p->p_used, one;
	struct thread *td;

	ASSERT_LWKT_TOKEN_HELD(&p->p_token);
	LIST_FOREACH (td, &p->p_threads, td_plist) {
		one = thread_usage(td);
		usage_add(&used, &one);
	}
	return used;
}
