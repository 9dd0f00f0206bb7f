/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the pmap keeps inside a vm_page. Apart from pmap.h so that vm_page.h
 * can embed it.
 */
#ifndef PMAP_PMAP_MD_H
#define PMAP_PMAP_MD_H

#include <sys/queue.h>

struct pv_entry;

struct md_page {
	TAILQ_HEAD(pv_list, pv_entry) pv_list; /* m->spin */
};

#endif
