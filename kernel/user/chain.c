/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A demonstration: draws the chain of objects behind one piece of memory while
 * generations of a process fork and write.  Type "chain" in the shell, or
 * "chain 6" for six generations.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "init.h"

#define PAGE   4096
#define NPAGES 8

static char text[128 * 1024];

/* The number behind a key in a piece of JSON, or -1. */
static long
field(const char *json, const char *key)
{
	const char *p = strstr(json, key);

	if (p == NULL)
		return -1;
	p += strlen(key);
	return strtol(p + (*p == '"'), NULL, 0);
}

/* Draws the chain at an address, front object first. */
static void
draw(int generation, const char *addr)
{
	char *line, *end, *p;

	if (file_read("/proc/self/vm", text, sizeof(text)) < 0) {
		printf("this kernel has no /proc/self/vm\n");
		return;
	}
	for (line = text; (end = strchr(line, '\n')) != NULL; line = end + 1) {
		*end = '\0';
		if (field(line, "\"start\":") > (long)addr ||
		    field(line, "\"end\":") <= (long)addr)
			continue;
		printf("generation %d: ", generation);
		for (p = strstr(line, "\"id\":"); p != NULL;) {
			printf("#%ld(%ld pages, %ld refs)", field(p, "\"id\":"),
			    field(p, "\"resident\":"), field(p, "\"refs\":"));
			p = strstr(p + 1, "\"id\":");
			if (p != NULL)
				printf(" -> ");
		}
		printf("\n");
	}
}

/* Every generation writes one page of its own and forks the next. */
int
main(int argc, char **argv)
{
	int n = argc > 1 ? atoi(argv[1]) : 4, gen;
	char *p;

	p = mmap(NULL, NPAGES * PAGE, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED) {
		perror("mmap");
		return 1;
	}
	memset(p, 1, NPAGES * PAGE);
	for (gen = 0;; gen++) {
		p[gen % NPAGES * PAGE] = gen;
		draw(gen, p);
		fflush(stdout);
		if (gen >= n)
			return 0;
		switch (fork()) {
		case -1:
			perror("fork");
			return 1;
		case 0:
			continue;
		default:
			wait(NULL);
			if (gen == 0)
				draw(gen, p);
			return 0;
		}
	}
}
