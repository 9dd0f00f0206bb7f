/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Makes a chain of objects: generations of a process fork, and each writes one
 * page of its own.  Draws the chain behind that memory at every step.
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
#define MAXGEN 1000
#define WIDTH  80

static const char usage[] =
    "usage: chain [-k] [GENERATIONS]\n"
    "\n"
    "Writes eight pages, then forks so many generations (4), each of which\n"
    "writes one page.  Draws at every step the chain of objects behind the\n"
    "pages, the front one first, and again when the last generation is gone.\n"
    "\n"
    "  -k   keep: all generations stay until ^C (or \"kill %1\" when started\n"
    "       with \"&\"), and for each the line is printed that draws it\n";

/* Draws the chain at an address. */
static void
draw(const char *when, int generation, const char *addr)
{
	char *line = NULL, *p, one[64];
	const char *sep = "";
	size_t size = 0;
	int col, len;
	FILE *f;

	f = fopen("/proc/self/vm", "r");
	if (f == NULL) {
		printf("this kernel has no /proc/self/vm\n");
		return;
	}
	while (getline(&line, &size, f) > 0) {
		if (json_number(line, "\"start\":") > (long)addr ||
		    json_number(line, "\"end\":") <= (long)addr)
			continue;
		col = printf("%s %d:", when, generation);
		for (p = strstr(line, "\"id\":"); p != NULL;) {
			len = snprintf(one, sizeof(one), "%s #%ld(%ld/%ld)",
			    sep, json_number(p, "\"id\":"),
			    json_number(p, "\"resident\":"),
			    json_number(p, "\"refs\":"));
			if (col + len >= WIDTH)
				col = printf("\n   ") - 1;
			col += printf("%s", one);
			p = strstr(p + 1, "\"id\":");
			sep = " >";
		}
		printf("\n");
	}
	free(line);
	fclose(f);
	fflush(stdout);
}

/* One generation: writes a page and forks the next. */
static int
generation(char *p, int gen, int last, int keep)
{
	p[gen % NPAGES * PAGE] = gen;
	draw("generation", gen, p);
	if (keep)
		printf("    vmmap %d %lx\n", getpid(), (long)p);
	fflush(stdout);
	if (gen == last) {
		while (keep)
			pause();
		return 0;
	}
	switch (fork()) {
	case -1:
		perror("chain: fork");
		return 1;
	case 0:
		return generation(p, gen + 1, last, keep);
	default:
		wait(NULL);
		draw("back in   ", gen, p);
		return 0;
	}
}

int
main(int argc, char **argv)
{
	int keep = 0, last = 4, i = 1;
	char *p;

	if (argc > 1 && strcmp(argv[1], "--help") == 0) {
		printf("%s", usage);
		return 0;
	}
	if (i < argc && strcmp(argv[i], "-k") == 0) {
		keep = 1;
		i++;
	}
	if (i < argc)
		last = atoi(argv[i++]);
	if (i < argc || last < 1 || last > MAXGEN) {
		fprintf(stderr, "%s", usage);
		return 2;
	}
	p = mmap(NULL, NPAGES * PAGE, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED) {
		perror("chain: mmap");
		return 1;
	}
	memset(p, 1, NPAGES * PAGE);
	printf("#object(pages/references), front one first\n");
	return generation(p, 0, last, keep);
}
