/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * LWKT tokens: locks that a thread holds only while it runs.
 *
 * A thread's tokens stand in td_toks, oldest first. When it leaves its CPU
 * they are given up, and before it goes on it must have them all again. A
 * thread that cannot have one of them gives back what it got and queues for
 * that one, so that whoever waits holds nothing: no cycle of waiters can
 * form, whatever the order tokens are taken in.
 *
 * Threads queue for a token first come, first served: a sharer goes when no
 * exclusive request stands before it, an exclusive one when it is the first
 * and the token is free. TOKEN_WAIT in the token's word says that there is a
 * queue; as long as it is set a newcomer joins the queue rather than pass
 * it, so neither sharers nor a thread that takes and releases in a loop can
 * starve anybody.
 *
 * Many tokens at once could still starve their thread, or two such threads
 * each other, by always losing one while waiting for another. So after a few
 * rounds a thread takes its tokens in the order of their addresses and keeps
 * those it has while it queues for the next. Waiters that hold something
 * then wait only for higher addresses than they hold: no cycle either.
 */
#include <kern/thread.h>

#include <amd64/cpufunc.h>
#include <kern/sched.h>
#include <san/kcsan.h>
#include <san/witness.h>

/* Pauses before a running thread gives up its tokens. Few: under QEMU's -icount
 * a pause lasts until the holder's CPU pauses as well, up to a tick. */
#define TOK_SPINS  4
#define TOK_ROUNDS 8 /* attempts at all tokens before the ordered way */

#define TOK_BUCKETS 64

/* A thread in a token's queue: on its own stack, all under tb_spin. */
struct tokwait {
	TAILQ_ENTRY(tokwait) tw_link;
	struct lwkt_token *tw_tok;
	struct thread *tw_td;
	bool tw_excl;
	bool tw_awake; /* running, or made runnable to look again */
};

/* The queues of the tokens that hash here, in one list. */
static struct tokbucket {
	struct spinlock tb_spin;
	TAILQ_HEAD(, tokwait) tb_queue;
} __cachealigned tokbuckets[TOK_BUCKETS] = {
    [0 ... TOK_BUCKETS - 1] = {.tb_spin = SPINLOCK_INITIALIZER("tokens")}};

/* The bucket of a token, its list made at the first use: tokens work before
 * anything was initialised. Returned locked. */
static struct tokbucket *
bucket_lock(const struct lwkt_token *tok)
{
	uintptr_t a = (uintptr_t)tok;
	struct tokbucket *tb;

	tb = &tokbuckets[(a >> 4 ^ a >> 10 ^ a >> 16) % TOK_BUCKETS];
	spin_lock(&tb->tb_spin);
	if (tb->tb_queue.tqh_last == NULL)
		TAILQ_INIT(&tb->tb_queue);
	return tb;
}

/* Makes a free token; desc must stay. */
void
lwkt_token_init(struct lwkt_token *tok, const char *desc)
{
	tok->t_count = 0;
	tok->t_ref = NULL;
	tok->t_desc = desc;
	tok->t_collisions = 0;
}

/* Asserts that nobody holds the token or waits for it. */
void
lwkt_token_uninit(struct lwkt_token *tok)
{
	KASSERT(tok->t_count == 0 && tok->t_ref == NULL,
	    ("token %s: destroyed while held, word %x", tok->t_desc,
		tok->t_count));
}

/*
 * Adds want to the token's word, TOKEN_EXCL or a number of sharers, if
 * holders and queue allow; ref is to become the exclusive owner's. `first'
 * means that the queue need not be respected: the caller stands in it and
 * it is his turn, or he shares the token already. Never sleeps.
 */
static bool
tok_try(
    struct lwkt_token *tok, struct lwkt_tokref *ref, uint32_t want, bool first)
{
	uint32_t c = tok->t_count, deny;

	deny = want == TOKEN_EXCL ? ~TOKEN_WAIT : TOKEN_EXCL;
	if (!first)
		deny |= TOKEN_WAIT;
	do {
		if (c & deny)
			return false;
	} while (!atomic_fcmpset_uint(&tok->t_count, &c, c + want));
	if (want == TOKEN_EXCL)
		tok->t_ref = ref;
	return true;
}

/* Lets those in the token's queue look who may have it now. Bucket locked.
 * Touches the token only when somebody is queued, and so keeps it alive. */
static void
tok_wake(struct tokbucket *tb, struct lwkt_token *tok)
{
	struct tokwait *tw;
	bool first = true;

	TAILQ_FOREACH (tw, &tb->tb_queue, tw_link) {
		if (tw->tw_tok != tok)
			continue;
		if (tw->tw_excl ? !first || (tok->t_count & ~TOKEN_WAIT) != 0
				: (tok->t_count & TOKEN_EXCL) != 0)
			return;
		if (!tw->tw_awake) {
			tw->tw_awake = true;
			thread_setrunnable(tw->tw_td);
		}
		if (tw->tw_excl)
			return;
		first = false;
	}
}

/* Lets those in the token's queue look. Out of line: seldom needed. */
static __noinline void
tok_wake_queue(struct lwkt_token *tok)
{
	struct tokbucket *tb = bucket_lock(tok);

	tok_wake(tb, tok);
	spin_unlock(&tb->tb_spin);
}

/* Takes back what tok_try() added. */
static inline __attribute__((always_inline)) void
tok_drop(struct lwkt_token *tok, uint32_t had)
{
	uint32_t c;

	if (had == TOKEN_EXCL)
		tok->t_ref = NULL;
	SCHED_POINT("token.drop");
	c = atomic_fetchadd_uint(&tok->t_count, -had);
	if (unlikely(c & TOKEN_WAIT))
		tok_wake_queue(tok);
}

/* Whether it is this waiter's turn, and whether others are queued for the
 * same token. Bucket locked. */
static bool
tok_turn(struct tokbucket *tb, const struct tokwait *me, bool *othersp)
{
	const struct tokwait *tw;
	bool turn = true, before = true;

	*othersp = false;
	TAILQ_FOREACH (tw, &tb->tb_queue, tw_link) {
		if (tw == me) {
			before = false;
		} else if (tw->tw_tok == me->tw_tok) {
			*othersp = true;
			if (before && (tw->tw_excl || me->tw_excl))
				turn = false;
		}
	}
	return turn;
}

/*
 * Queues for a token and sleeps until it is taken. The thread may hold
 * other tokens only if their addresses are lower. Nobody passes a queue, so
 * its first must not stand behind programs on a run queue: it waits at a
 * better priority than theirs.
 */
static void
tok_wait(struct thread *td, struct lwkt_token *tok, struct lwkt_tokref *ref,
    uint32_t want)
{
	struct tokwait tw = {.tw_tok = tok,
	    .tw_td = td,
	    .tw_awake = true,
	    .tw_excl = want == TOKEN_EXCL};
	struct tokbucket *tb;
	const char *wmesg = td->td_wmesg;
	int pri = td->td_pri;
	bool others;

	td->td_wmesg = tok->t_desc;
	td->td_pri = MIN(pri, PRI_TOKEN);
	tb = bucket_lock(tok);
	TAILQ_INSERT_TAIL(&tb->tb_queue, &tw, tw_link);
	SCHED_POINT("token.queue");
	atomic_set_uint(&tok->t_count, TOKEN_WAIT);
	while (!tok_turn(tb, &tw, &others) || !tok_try(tok, ref, want, true)) {
		tw.tw_awake = false;
		td->td_state = TDS_SLEEPING;
		spin_unlock(&tb->tb_spin);
		sched_switch();
		spin_lock(&tb->tb_spin);
	}
	TAILQ_REMOVE(&tb->tb_queue, &tw, tw_link);
	if (others)
		tok_wake(tb, tok);
	else
		atomic_clear_uint(&tok->t_count, TOKEN_WAIT);
	spin_unlock(&tb->tb_spin);
	td->td_wmesg = wmesg;
	td->td_pri = pri;
}

/* Gives up all the thread's tokens; the list stays, to get them again. */
void
lwkt_relalltokens(struct thread *td)
{
	SCHED_POINT("token.giveup");
	for (int i = td->td_ntoks; --i >= 0;)
		if (td->td_toks[i].tr_count != 0)
			tok_drop(
			    td->td_toks[i].tr_tok, td->td_toks[i].tr_count);
}

/* One distinct token of a thread, and all that its references want of it. */
struct tokneed {
	struct lwkt_tokref *tn_ref; /* the oldest */
	uint32_t tn_want;
	bool tn_have;
};

/* Gathers what the thread's list wants, by rising address of the token; how
 * many. References under one's own exclusive want nothing. */
static int
tok_needs(struct thread *td, struct tokneed *need)
{
	struct lwkt_tokref *ref;
	int n = 0, i, j;

	for (i = 0; i < td->td_ntoks; i++) {
		ref = &td->td_toks[i];
		if (ref->tr_count == 0)
			continue;
		for (j = n; j > 0; j--)
			if (need[j - 1].tn_ref->tr_tok <= ref->tr_tok)
				break;
		if (j > 0 && need[j - 1].tn_ref->tr_tok == ref->tr_tok) {
			need[j - 1].tn_want += ref->tr_count;
			continue;
		}
		for (int k = n; k > j; k--)
			need[k] = need[k - 1];
		need[j] = (struct tokneed){ref, ref->tr_count, false};
		n++;
	}
	return n;
}

/* Gets all tokens of the running thread's list, of which it holds none, and
 * sleeps as long as that takes. */
void
lwkt_getalltokens(struct thread *td)
{
	struct tokneed need[LWKT_MAXTOKENS], *wait = NULL;
	int n = tok_needs(td, need), i;

	for (int round = 0; round < TOK_ROUNDS; round++) {
		if (wait != NULL) {
			tok_wait(td, wait->tn_ref->tr_tok, wait->tn_ref,
			    wait->tn_want);
			wait->tn_have = true;
		}
		for (i = 0; i < n; i++) {
			if (need[i].tn_have)
				continue;
			if (!tok_try(need[i].tn_ref->tr_tok, need[i].tn_ref,
				need[i].tn_want, false))
				break;
			need[i].tn_have = true;
		}
		if (i == n)
			return;
		wait = &need[i];
		/* a hint: whether some are lost is no matter */
		(void)data_race(wait->tn_ref->tr_tok->t_collisions++);
		for (i = n; --i >= 0;) {
			if (need[i].tn_have)
				tok_drop(
				    need[i].tn_ref->tr_tok, need[i].tn_want);
			need[i].tn_have = false;
		}
	}
	for (i = 0; i < n; i++)
		if (!tok_try(need[i].tn_ref->tr_tok, need[i].tn_ref,
			need[i].tn_want, false))
			tok_wait(td, need[i].tn_ref->tr_tok, need[i].tn_ref,
			    need[i].tn_want);
}

/* How many references to the token the thread's list has. */
int
lwkt_cnttoken(const struct lwkt_token *tok, const struct thread *td)
{
	int n = 0;

	for (int i = 0; i < td->td_ntoks; i++)
		n += td->td_toks[i].tr_tok == tok;
	return n;
}

/* Begins a reference to the token at the end of the running thread's list,
 * where it does not count yet. */
static struct lwkt_tokref *
tok_newref(struct thread *td, struct lwkt_token *tok, uint32_t want)
{
	struct lwkt_tokref *ref = &td->td_toks[td->td_ntoks];

	KASSERT(td->td_ntoks < LWKT_MAXTOKENS,
	    ("token %s: thread holds %d already", tok->t_desc, LWKT_MAXTOKENS));
	ref->tr_tok = tok;
	ref->tr_owner = td;
	ref->tr_count = want;
	return ref;
}

/* The token could not be had at once: tries a little longer, then gives up
 * the other tokens too and sleeps until all can be had. */
static void
tok_contested(struct thread *td, struct lwkt_tokref *ref)
{
	struct lwkt_token *tok = ref->tr_tok;

	if (unlikely(mycpu->gd_spinlocks != 0))
		panic("token %s: waiting with spinlock %s held", tok->t_desc,
		    mycpu->gd_spinheld[mycpu->gd_spinlocks]->name);
	cnt_inc(v_tok_wait);
	(void)data_race(tok->t_collisions++); /* a hint */
	for (int n = 0; n < TOK_SPINS; n++) {
		if ((tok->t_count & TOKEN_WAIT) ||
		    (mycpu->gd_reqflags & RQF_RESCHED))
			break;
		cpu_pause();
		if (tok_try(tok, ref, ref->tr_count, false)) {
			td->td_ntoks++;
			return;
		}
	}
	SCHED_POINT("token.contested");
	lwkt_relalltokens(td);
	td->td_ntoks++;
	lwkt_getalltokens(td);
}

/* Takes the token exclusively. May sleep, and then gives up the thread's
 * other tokens meanwhile; so no spinlock may be held. */
void
lwkt_gettoken(struct lwkt_token *tok)
{
	struct thread *td = curthread;
	struct lwkt_tokref *ref = tok_newref(td, tok, TOKEN_EXCL);

	SCHED_POINT_SLEEP("token.get");
	cnt_inc(v_tok_excl);
	witness_want(WK_TOKEN, tok, tok->t_desc);
	if (tok_try(tok, ref, TOKEN_EXCL, false)) {
		td->td_ntoks++;
	} else if (lwkt_token_held_excl(tok)) {
		ref->tr_count = 0;
		td->td_ntoks++;
	} else if (unlikely(lwkt_cnttoken(tok, td) != 0)) {
		panic("token %s: wanted exclusively, held shared", tok->t_desc);
	} else {
		tok_contested(td, ref);
	}
	witness_got(WK_TOKEN, tok, tok->t_desc, false);
}

/* Takes the token shared. May sleep like lwkt_gettoken(). */
void
lwkt_gettoken_shared(struct lwkt_token *tok)
{
	struct thread *td = curthread;
	struct lwkt_tokref *ref = tok_newref(td, tok, 1);

	SCHED_POINT_SLEEP("token.get_shared");
	cnt_inc(v_tok_shared);
	witness_want(WK_TOKEN, tok, tok->t_desc);
	if (tok_try(tok, ref, 1, false)) {
		td->td_ntoks++;
	} else if (lwkt_token_held_excl(tok)) {
		ref->tr_count = 0;
		td->td_ntoks++;
	} else if (lwkt_cnttoken(tok, td) != 0) {
		KKASSERT(tok_try(tok, ref, 1, true));
		td->td_ntoks++;
	} else {
		tok_contested(td, ref);
	}
	witness_got(WK_TOKEN, tok, tok->t_desc, true);
}

/* Takes the token exclusively if that needs no waiting. */
bool
lwkt_trytoken(struct lwkt_token *tok)
{
	struct thread *td = curthread;
	struct lwkt_tokref *ref = tok_newref(td, tok, TOKEN_EXCL);

	SCHED_POINT("token.try");
	if (!tok_try(tok, ref, TOKEN_EXCL, false)) {
		if (!lwkt_token_held_excl(tok))
			return false;
		ref->tr_count = 0;
	}
	td->td_ntoks++;
	cnt_inc(v_tok_excl);
	witness_got(WK_TOKEN, tok, tok->t_desc, false);
	return true;
}

/* Releases the newest token held, which must be this one. */
void
lwkt_reltoken(struct lwkt_token *tok)
{
	struct thread *td = curthread;
	struct lwkt_tokref *ref;

	ref = &td->td_toks[td->td_ntoks - 1];
	KASSERT(td->td_ntoks > 0 && ref->tr_tok == tok,
	    ("token %s: released out of order", tok->t_desc));
	td->td_ntoks--;
	witness_gone(WK_TOKEN, tok);
	if (ref->tr_count != 0)
		tok_drop(tok, ref->tr_count);
}

/* See kern/thread.h. References to one and the same token stay as they are:
 * the older of them carries the weight. */
void
lwkt_token_swap(void)
{
	struct thread *td = curthread;
	struct lwkt_tokref *a, *b, tmp;

	KASSERT(td->td_ntoks >= 2, ("fewer than two tokens to exchange"));
	a = &td->td_toks[td->td_ntoks - 2];
	b = &td->td_toks[td->td_ntoks - 1];
	if (a->tr_tok == b->tr_tok)
		return;
	tmp = *a;
	*a = *b;
	*b = tmp;
	if (a->tr_count == TOKEN_EXCL)
		a->tr_tok->t_ref = a;
	if (b->tr_count == TOKEN_EXCL)
		b->tr_tok->t_ref = b;
}

/* Whether the running thread's list has the token. */
bool
lwkt_token_listed(const struct lwkt_token *tok)
{
	return lwkt_cnttoken(tok, curthread) != 0;
}

/* How many references to tokens the running thread holds. */
int
lwkt_numtokens(void)
{
	return curthread->td_ntoks;
}
