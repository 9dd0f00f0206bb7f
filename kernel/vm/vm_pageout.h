/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The pageout daemon: keeps some pages free.
 *
 * The levels of free and cached pages, from the bottom: v_interrupt_free_min
 * (the daemon's own), v_free_reserved (the kernel's; whoever else needs a
 * page waits), v_free_min (the daemon is at work), v_free_target (it may
 * rest). vmstats has them all, in pages.
 */
#ifndef VM_VM_PAGEOUT_H
#define VM_VM_PAGEOUT_H

#include <vm/vm_page.h>

/* Ages of pages: act_count goes up with use, down without. */
#define ACT_DECLINE 1
#define ACT_ADVANCE 3
#define ACT_INIT    5 /* of a page that was just used */
#define ACT_MAX	    64

/* So few pages that those who need one wait. */
static inline bool
vm_page_count_severe(void)
{
	return vmstats.v_free_count + vmstats.v_cache_count <=
	    vmstats.v_free_reserved;
}

/* Fewer than there should always be, not counting so many. */
static inline bool
vm_page_count_min(int64_t donotcount)
{
	return vmstats.v_free_count + vmstats.v_cache_count <
	    vmstats.v_free_min + donotcount ||
	    vmstats.v_free_count < vmstats.v_free_reserved;
}

/* Is there something for the daemon to do? */
static inline bool
vm_paging_needed(void)
{
	return vmstats.v_free_count + vmstats.v_cache_count <
	    vmstats.v_free_reserved + vmstats.v_cache_min ||
	    vmstats.v_free_count < vmstats.v_free_min;
}

/* How many pages it should free or cache. */
static inline int64_t
vm_paging_target(void)
{
	return vmstats.v_free_target + vmstats.v_cache_min -
	    vmstats.v_free_count - vmstats.v_cache_count;
}

/* --- vm_pageout.c --- */
void vm_pageout_start(void); /* boot: makes the threads */
/* Pages were taken: wakes the daemon if that is called for. Any context that
 * may take a spinlock. */
void pagedaemon_wakeup(void);
void pagedaemon_kick(void);  /* somebody waits: at once */
bool vm_is_pagedaemon(void); /* is the running thread one? */
/* Until the resume no page is moved or written by the daemon, nor is any on
 * its way. Sleeps; not to be called by one who waits for memory. */
void vm_pageout_pause(void);
void vm_pageout_resume(void);

/* What the passes of one round have come to. */
struct pageout_pass {
	int pass;	 /* from 0 on; later ones are less choosy */
	bool emergency;	 /* anonymous memory only */
	int64_t launder; /* dirty pages that it may still write */
	int64_t done;	 /* pages freed, cached, laundered, deactivated */
	int64_t skipped; /* pages that others had at that moment */
};

/* --- vm_pageout_scan.c --- */
/* Looks for so many pages to free, cache or clean among the inactive ones;
 * how many it found. Sleeps. */
int64_t vm_pageout_scan_inactive(struct pageout_pass *pp, int64_t want);
void vm_pageout_scan_cache(void); /* from the cache to the free queues */
void vm_pageout_scan_hold(void);  /* frees what nobody holds any more */

/* --- vm_pageout_active.c --- */
/* Ages the active pages and makes inactive those that are least used, so
 * many, or if `avail' are wanted still, caches them. */
int64_t vm_pageout_scan_active(
    struct pageout_pass *pp, int64_t want, int64_t avail);
/* Ages a part of them while there is no shortage. */
void vm_pageout_stats(void);

/* --- vm_pageout_queue.c --- */
/* How much of a total falls to one queue. No more, lest there be much of few
 * colours: allocation asks for each in turn. */
int64_t pq_share(int64_t n);
/* A walk over the pages of one queue that others change meanwhile. */
struct pq_scan {
	struct vm_page marker;
	int64_t left; /* pages still to be looked at */
};
void pq_scan_begin(struct pq_scan *scan, uint16_t queue);
/* The next page, hard-busy, or NULL. One that is busy is passed over, and
 * counted. */
vm_page_t pq_scan_next(struct pq_scan *scan, int64_t *skipped);
void pq_scan_end(struct pq_scan *scan);

/* --- vm_pageout_clean.c --- */
/* Begins to write a dirty, hard-busy page and its neighbours; the busy is
 * gone afterwards. How many. Sleeps. */
int64_t vm_pageout_clean(struct pageout_pass *pp, vm_page_t m);

/* --- vm_oom.c --- */
/* There is no memory, and no swap: kills the largest process. */
void vm_oom_kill(void);
/* Is the victim of that still there, and was it killed a moment ago? */
bool vm_oom_pending(void);
/* May the running process take what is kept for the kernel, to die? */
bool vm_oom_victim(void);

#endif
