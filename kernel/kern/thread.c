/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Making, ending and counting threads. A dead thread cannot free the stack
 * it stands on: its parent does (thread_reap) or the reaper, once the thread
 * has left its CPU for good. A few stacks are kept for the next threads.
 */
#include <kern/thread.h>

#include <amd64/cpufunc.h>
#include <amd64/machdep.h>
#include <kern/kmalloc.h>
#include <kern/kprintf.h>
#include <kern/kstring.h>
#include <kern/lock.h>
#include <kern/sched.h>
#include <san/witness.h>
#include <vm/vm_kern.h>

#define STACK_CACHE 16 /* stacks kept, KSTACK_SIZE each */

struct thread thread0;

static struct lock reap_lock = LOCK_INITIALIZER("reaper");
static struct spinlock thread_spin = SPINLOCK_INITIALIZER("threads");
/* The rest of the file's variables are guarded by thread_spin. */
static struct threadlist allthreads = TAILQ_HEAD_INITIALIZER(allthreads);
static struct threadlist deadthreads = TAILQ_HEAD_INITIALIZER(deadthreads);
static int nthreads;
static int last_tid, last_ktid;
static vm_offset_t stack_cache[STACK_CACHE];
static int nstacks;

static struct zone thread_zone, fpu_zone;

static void reaper(void *arg);

/* Puts a thread on the list of all. */
static void
thread_enlist(struct thread *td)
{
	spin_lock(&thread_spin);
	TAILQ_INSERT_TAIL(&allthreads, td, td_allq);
	nthreads++;
	spin_unlock(&thread_spin);
}

/* Boot CPU, running thread0, after kmalloc_init(). Starts the reaper, which
 * first runs when thread0 sleeps. */
void
thread_init(void)
{
	zinit(&thread_zone, "thread", sizeof(struct thread), NULL);
	zinit(&fpu_zone, "fpu", FPU_AREA_SIZE, NULL);
	thread0.td_state = TDS_RUNNING;
	thread0.td_pri = PRI_KERN;
	thread0.td_affinity = ~(cpumask_t)0;
	thread0.td_oncpu = 1;
	strlcpy(thread0.td_name, "thread0", sizeof(thread0.td_name));
	thread_enlist(&thread0);
	if (kthread_create("reaper", reaper, NULL) == NULL)
		panic("no memory for the reaper");
}

/* A kernel stack, kept or new; 0 when memory is short. */
static vm_offset_t
stack_alloc(void)
{
	vm_offset_t stack = 0;

	spin_lock(&thread_spin);
	if (nstacks > 0)
		stack = stack_cache[--nstacks];
	spin_unlock(&thread_spin);
	return stack != 0 ? stack : kmem_alloc_stack(KSTACK_SIZE);
}

static void
stack_free(vm_offset_t stack)
{
	spin_lock(&thread_spin);
	if (nstacks < STACK_CACHE) {
		stack_cache[nstacks++] = stack;
		stack = 0;
	}
	spin_unlock(&thread_spin);
	if (stack != 0)
		kmem_free_stack(stack, KSTACK_SIZE);
}

/* See kern/thread.h. Threads of processes count from 1, kernel threads from
 * -1 downwards, so that the first process is number 1. */
struct thread *
thread_create(const char *name, struct proc *p)
{
	struct thread *td;

	td = zalloc(&thread_zone, M_NOWAIT | M_ZERO);
	if (td == NULL)
		return NULL;
	td->td_kstack = stack_alloc();
	if (td->td_kstack == 0)
		goto fail;
	td->td_kstack_size = KSTACK_SIZE;
	td->td_state = TDS_NEW;
	td->td_pri = PRI_KERN;
	td->td_affinity = ~(cpumask_t)0;
	td->td_critcount = 1; /* ended by thread_start_hook() */
	td->td_proc = p;
	strlcpy(td->td_name, name, sizeof(td->td_name));
	if (p != NULL) {
		td->td_md.md_fpu = zalloc(&fpu_zone, M_NOWAIT);
		if (td->td_md.md_fpu == NULL)
			goto fail;
		fpu_init_area(td->td_md.md_fpu);
		td->td_flags = TDF_USER;
		td->td_pri = PRI_USER;
	}
	spin_lock(&thread_spin);
	td->td_tid = p != NULL ? ++last_tid : --last_ktid;
	spin_unlock(&thread_spin);
	thread_enlist(td);
	return td;
fail:
	if (td->td_kstack != 0)
		stack_free(td->td_kstack);
	zfree(&thread_zone, td);
	return NULL;
}

static void
idle_thread(void *arg)
{
	idle_loop();
}

/* See kern/thread.h. On CPU 0, which runs thread0 until it sleeps, the
 * caller makes it a thread that is off its CPU. */
struct thread *
thread_create_idle(uint32_t cpu)
{
	struct thread *td;
	char name[sizeof(td->td_name)];

	ksnprintf(name, sizeof(name), "idle%u", cpu);
	td = thread_create(name, NULL);
	if (td == NULL)
		return NULL;
	td->td_pri = PRI_IDLE;
	td->td_cpu = cpu;
	td->td_affinity = CPUMASK(cpu);
	td->td_flags |= TDF_NORESCHED;
	td->td_state = TDS_RUNNING;
	td->td_oncpu = 1;
	td->td_func = idle_thread;
	if (cpu != 0)
		td->td_critcount = 0; /* it never goes through the hook */
	else
		cpu_thread_init(td);
	return td;
}

/* Lets a TDS_NEW thread begin with func(arg) in the kernel; when func
 * returns the thread exits. */
void
thread_start_kernel(struct thread *td, void (*func)(void *), void *arg)
{
	td->td_func = func;
	td->td_arg = arg;
	cpu_thread_init(td);
	thread_setrunnable(td);
}

/* See kern/thread.h. */
struct thread *
kthread_create(const char *name, void (*func)(void *), void *arg)
{
	struct thread *td = thread_create(name, NULL);

	if (td != NULL) {
		td->td_flags |= TDF_AUTOREAP;
		thread_start_kernel(td, func, arg);
	}
	return td;
}

/* Ends the running thread. It must hold nothing; panics with the names of
 * what it holds. From TDS_DEAD on it does not wait for anything. */
void
thread_exit(void)
{
	struct thread *td = curthread;

	if (td->td_ntoks != 0 || td->td_nlocks != 0 || td->td_critcount != 0 ||
	    mycpu->gd_spinlocks != 0) {
		panic("thread %s exits with %d tokens, %d locks, "
		      "%d critical sections",
		    td->td_name, td->td_ntoks, td->td_nlocks, td->td_critcount);
	}
	witness_holds_nothing("a thread ends with a lock held");
	tsleep_remove(td);
	crit_enter();
	atomic_set_uint(&td->td_flags, TDF_EXITING);
	__atomic_store_n(&td->td_state, TDS_DEAD, __ATOMIC_SEQ_CST);
	if (td->td_flags & TDF_AUTOREAP) {
		spin_lock(&thread_spin);
		TAILQ_INSERT_TAIL(&deadthreads, td, td_runq);
		spin_unlock(&thread_spin);
		wakeup(&deadthreads);
	} else {
		wakeup(td);
	}
	sched_switch();
	panic("thread %s runs after its death", td->td_name);
}

/* Frees a thread in TDS_NEW, or a dead one once it has left its CPU. */
static void
thread_free(struct thread *td)
{
	while (atomic_load_uint(&td->td_oncpu))
		cpu_pause();
	spin_lock(&thread_spin);
	TAILQ_REMOVE(&allthreads, td, td_allq);
	nthreads--;
	spin_unlock(&thread_spin);
	if (td->td_md.md_fpu != NULL)
		zfree(&fpu_zone, td->td_md.md_fpu);
	stack_free(td->td_kstack);
	zfree(&thread_zone, td);
}

/* See kern/thread.h. One caller for one thread, which must not have
 * TDF_AUTOREAP. */
void
thread_reap(struct thread *td)
{
	KKASSERT(td != curthread && (td->td_flags & TDF_AUTOREAP) == 0);
	while (td->td_state != TDS_NEW) {
		tsleep_interlock(td, 0);
		if (__atomic_load_n(&td->td_state, __ATOMIC_SEQ_CST) ==
		    TDS_DEAD) {
			tsleep_remove(curthread);
			break;
		}
		tsleep(td, PINTERLOCKED, "reap", 0);
	}
	thread_free(td);
}

/* Frees the dead threads that nobody waits for. Afterwards there is none, nor
 * is anybody else about to free one. */
void
thread_reap_all(void)
{
	struct thread *td;

	lockmgr(&reap_lock, LK_EXCLUSIVE);
	for (;;) {
		spin_lock(&thread_spin);
		td = TAILQ_FIRST(&deadthreads);
		if (td != NULL)
			TAILQ_REMOVE(&deadthreads, td, td_runq);
		spin_unlock(&thread_spin);
		if (td == NULL)
			break;
		thread_free(td);
	}
	lockmgr(&reap_lock, LK_RELEASE);
}

/* The reaper's thread. */
static void
reaper(void *arg)
{
	for (;;) {
		tsleep_interlock(&deadthreads, 0);
		thread_reap_all();
		tsleep(&deadthreads, PINTERLOCKED, "dead", 0);
	}
}

/* How many threads exist, thread0 and idle threads included. */
int
thread_count(void)
{
	return nthreads;
}

/* See thread.h; max also bounds the walk of a list that may be broken. */
void
thread_print_sleepers(int max)
{
	struct thread *td;

	TAILQ_FOREACH (td, &allthreads, td_allq) {
		if (td->td_state != TDS_SLEEPING)
			continue;
		if (max-- == 0) {
			kprintf("  (and more)\n");
			return;
		}
		kprintf("%d (%s): \"%s\", %p\n", td->td_tid, td->td_name,
		    td->td_wmesg == NULL ? "?" : td->td_wmesg, td->td_wchan);
		thread_print_locks(td);
	}
}

/* Prints what the thread holds, one thing a line, oldest first. Takes no
 * lock: the world may have stopped. */
void
thread_print_locks(struct thread *td)
{
	const struct lwkt_tokref *ref;
	const struct globaldata *gd;
	const struct lock *lk;
	int n;

	n = MIN(MAX(td->td_nlocks, 0), (int)nitems(td->td_locks));
	for (int i = 0; i < n; i++) {
		lk = td->td_locks[i];
		kprintf("  lock %s, %s\n", lk->lk_name,
		    lk->lk_owner == td ? "exclusive" : "shared");
	}
	n = MIN(MAX(td->td_ntoks, 0), LWKT_MAXTOKENS);
	for (int i = 0; i < n; i++) {
		ref = &td->td_toks[i];
		kprintf("  token %s, %s\n", ref->tr_tok->t_desc,
		    ref->tr_count == TOKEN_EXCL ? "exclusive"
			: ref->tr_count == 0	? "recursive"
						: "shared");
	}
	gd = globaldata_array[td->td_cpu];
	if (gd == NULL || gd->gd_curthread != td)
		return;
	for (uint32_t i = 1; i <= gd->gd_spinlocks && i <= GD_SPINHELD; i++)
		kprintf("  spinlock %s\n", gd->gd_spinheld[i]->name);
}
