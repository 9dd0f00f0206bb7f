/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the witness's files share. All of it is guarded by the witness's own
 * lock, under which nothing else is taken.
 */
#ifndef SAN_WITNESS_VAR_H
#define SAN_WITNESS_VAR_H

#include <sys/queue.h>

#include <san/san_stack.h>
#include <san/witness.h>

#define WIT_DEPTH   12	/* of the stacks kept */
#define WIT_CLASSES 160 /* of locks */
#define WIT_EDGES   1024
#define WIT_HELD    8192 /* locks held at one time by all threads */

/* How locks of one class may be held together. */
enum witness_nest {
	NEST_NEVER, /* not at all */
	NEST_ANY,   /* in any order; why is said beside it */
	NEST_UP,    /* by rising addresses */
	NEST_CHAIN  /* an object before the objects behind it */
};

struct witness_class {
	enum witness_kind c_kind;
	const char *c_name;
	int c_rank;		  /* level in the table; 0: not there */
	int c_line;		  /* place in the table */
	enum witness_nest c_nest; /* of those in the table */
};

/* A lock that is held. */
struct witness_held {
	LIST_ENTRY(witness_held)
	h_link; /* bucket of the thread, newest first */
	LIST_ENTRY(witness_held) h_hash; /* bucket of the lock */
	struct thread *h_td;		 /* NULL: handed over */
	const void *h_lock;
	uint16_t h_class;
	bool h_shared;
	int h_count; /* levels of recursion */
	uint64_t h_pcs[WIT_DEPTH];
};

/* That one class was held when another was wanted, and where first. */
struct witness_edge {
	uint16_t e_from, e_to;
	char e_thread[20];
	uint64_t e_held[WIT_DEPTH], e_want[WIT_DEPTH];
};

/* What is wrong; for the report. */
struct witness_fault {
	const char *f_why;		   /* a sentence */
	const struct witness_held *f_held; /* or NULL */
	int f_want;			   /* class wanted, or -1 */
	uint64_t f_pcs[WIT_DEPTH];	   /* where */
};

/* witness_graph.c */
extern struct witness_class witness_classes[WIT_CLASSES];
extern int witness_nclasses;
int witness_class_of(enum witness_kind kind, const char *name);
bool witness_edge_known(int from, int to);
/* Notes an edge; its stacks are copied. */
void witness_edge_add(
    const struct witness_held *held, int to, const uint64_t *pcs);
/* The classes on the shortest way along known edges from one to another, the
 * first and the last included; how many, 0 for no way. */
int witness_path(int from, int to, uint16_t *path);
const struct witness_edge *witness_edge_of(int from, int to);
/* What a lock is called that goes by the object it belongs to: a token or a
 * page. May change when the page gets another object. */
const char *witness_object_name(
    enum witness_kind kind, const void *lock, const char *name);
/* Whether the table excepts an order of two classes. */
bool witness_excepted(
    const struct witness_class *h, const struct witness_class *w);
/* Whether the table lets a lock of class `to' be taken under the one held;
 * NULL, or what is wrong. */
const char *witness_rule(
    const struct witness_held *held, int to, const void *lock);

/* witness_report.c */
void witness_report(const struct witness_fault *fault) __noreturn;
const char *witness_kind_name(enum witness_kind kind);

#endif
