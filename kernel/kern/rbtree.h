/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What <sys/tree.h> lacks: an insertion that needs no search.
 */
#ifndef KERN_RBTREE_H
#define KERN_RBTREE_H

#include <sys/tree.h>

/* Puts elm into the tree next behind prev, where the caller knows that it
 * belongs. It goes to the right of prev, or to the left of what followed prev
 * until now, whichever place is empty: one of them is. */
#define RB_INSERT_BEHIND(name, head, prev, elm, field)      \
	do {                                                \
		__typeof__(elm) at_ = (prev);               \
		if (RB_RIGHT(at_, field) == NULL) {         \
			RB_RIGHT(at_, field) = (elm);       \
		} else {                                    \
			at_ = RB_RIGHT(at_, field);         \
			while (RB_LEFT(at_, field) != NULL) \
				at_ = RB_LEFT(at_, field);  \
			RB_LEFT(at_, field) = (elm);        \
		}                                           \
		RB_SET(elm, at_, field);                    \
		name##_RB_INSERT_COLOR(head, elm);          \
	} while (0)

#endif
