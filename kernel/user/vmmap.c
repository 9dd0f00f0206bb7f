/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Draws a process's memory, as /proc/PID/vm tells it: a line for each map
 * entry, and below it the chain of objects that a fault there walks down.
 */

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "init.h"

#define BAR	16 /* columns of an object's drawing */
#define NAMELEN 41 /* what 80 columns leave for a name or for flags */

static const char usage[] =
    "usage: vmmap [-d] PID [ADDRESS]\n"
    "\n"
    "Draws each entry of a process's map, and below it its objects: the one\n"
    "in front first, then those it shadows.  PID may be \"self\".\n"
    "\n"
    "  -d        only entries behind which there is more than one object\n"
    "  ADDRESS   only the entry at this address\n"
    "\n"
    "An object's line: its number, its type, which share of its pages is\n"
    "resident, how many entries and objects refer to it, how many of these\n"
    "shadow it, and the page of it at which the entry begins.\n";

static char maps[256 * 1024]; /* /proc/PID/maps, for the names */

/* What is between the quotes behind a key; returns its length, 0 for none. */
static int
word(const char *json, const char *key, const char **start)
{
	const char *p = strstr(json, key);

	*start = "";
	if (p == NULL)
		return 0;
	p += strlen(key) + 1;
	*start = p;
	return (int)strcspn(p, "\"");
}

/* The list of flags behind a key, with commas and without quotes. */
static void
flags(const char *json, const char *key, char *buf, size_t size)
{
	const char *p = strstr(json, key);
	size_t n = 0;

	if (p != NULL)
		for (p += strlen(key) + 1; *p != ']' && *p != '\0'; p++)
			if (*p != '"' && n + 1 < size)
				buf[n++] = *p;
	buf[n] = '\0';
}

/* The name that /proc/PID/maps gives to an address; its length. */
static int
name_at(long addr, const char **name)
{
	const char *line, *p;
	long start, end;
	int i;

	for (line = maps; *line != '\0'; line = strchr(line, '\n') + 1) {
		if (strchr(line, '\n') == NULL)
			break;
		if (sscanf(line, "%lx-%lx", &start, &end) != 2 ||
		    addr < start || addr >= end)
			continue;
		/* Five words, blanks, and what is left. */
		for (p = line, i = 0; i < 5; i++) {
			p += strcspn(p, " \n");
			p += strspn(p, " ");
		}
		*name = p;
		return (int)strcspn(p, "\n");
	}
	*name = "";
	return 0;
}

/* A size in four columns and a letter. */
static void
print_size(long bytes)
{
	static const char units[] = "KMGT";
	int u = 0;

	for (bytes /= 1024; bytes > 9999 && units[u + 1] != '\0'; u++)
		bytes /= 1024;
	printf("%5ld%c", bytes, units[u]);
}

/* "1 ref", "2 refs". */
static void
print_count(long n, const char *what)
{
	printf(" %ld %s%s", n, what, n == 1 ? "" : "s");
}

/* One object of a chain, so many objects down. */
static void
draw_object(const char *json, int depth)
{
	long size = json_number(json, "\"size\":");
	long resident = json_number(json, "\"resident\":");
	long shadows = json_number(json, "\"shadows\":");
	char bar[BAR + 1];
	const char *type;
	int len, i, full;

	/* One page of very many is to be seen, and so is one that lacks. */
	full = size > 0 ? (int)((resident * BAR + size - 1) / size) : 0;
	if (full >= BAR)
		full = resident < size ? BAR - 1 : BAR;
	for (i = 0; i < BAR; i++)
		bar[i] = i < full ? '#' : '-';
	bar[BAR] = '\0';
	len = word(json, "\"type\":", &type);
	printf("  %s #%-5ld %-7.*s [%s] %5ld/%-6ld", depth == 0 ? "+" : "`>",
	    json_number(json, "\"id\":"), len, type, bar, resident, size);
	print_count(json_number(json, "\"refs\":"), "ref");
	if (shadows > 0)
		print_count(shadows, "shadow");
	printf(" @%ld\n", json_number(json, "\"offset\":") / 4096);
}

/* One entry and its chain, unless the options leave it out. */
static void
draw_entry(const char *json, int deep, long addr)
{
	long start = json_number(json, "\"start\":");
	long end = json_number(json, "\"end\":");
	const char *first = strstr(json, "\"id\":"), *p, *name, *prot;
	char list[80];
	int len, depth;

	if (addr != 0 && (addr < start || addr >= end))
		return;
	if (deep && (first == NULL || strstr(first + 1, "\"id\":") == NULL))
		return;
	word(json, "\"prot\":", &prot);
	printf("%012lx-%012lx %.3s%c ", start, end, prot,
	    strstr(json, "\"inherit\":\"share\"") != NULL ? 's' : 'p');
	print_size(end - start);
	len = name_at(start, &name);
	flags(json, "\"flags\":", list, sizeof(list));
	if (len > 0)
		printf(" %.*s", len > NAMELEN ? NAMELEN : len, name);
	if (*list != '\0' && len + 1 < NAMELEN)
		printf(" %.*s", NAMELEN - len - 1, list);
	printf("\n");
	for (p = first, depth = 0; p != NULL; depth++) {
		draw_object(p, depth);
		p = strstr(p + 1, "\"id\":");
	}
}

/* Draws the whole. Returns the exit status. */
static int
draw(const char *pid, int deep, long addr)
{
	char path[64], *line = NULL;
	size_t size = 0;
	int entries = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%s/maps", pid);
	if (file_read(path, maps, sizeof(maps)) < 0)
		maps[0] = '\0';
	snprintf(path, sizeof(path), "/proc/%s/vm", pid);
	f = fopen(path, "r");
	if (f == NULL) {
		fprintf(stderr, "vmmap: %s: no such process\n", pid);
		return 1;
	}
	while (getline(&line, &size, f) > 0) {
		if (strncmp(line, "{\"pmap\"", 7) == 0) {
			printf("%d entries, %ld pages mapped (%ld wired), %ld "
			       "pages of page tables\n",
			    entries, json_number(line, "\"resident\":"),
			    json_number(line, "\"wired\":"),
			    json_number(line, "\"ptpages\":"));
			break;
		}
		entries++;
		draw_entry(line, deep, addr);
	}
	free(line);
	fclose(f);
	if (entries == 0)
		printf("process %s has no memory any more\n", pid);
	return 0;
}

int
main(int argc, char **argv)
{
	int deep = 0, i = 1;
	char *end = NULL;
	long addr = 0;

	if (argc > 1 && strcmp(argv[1], "--help") == 0) {
		printf("%s", usage);
		return 0;
	}
	if (i < argc && strcmp(argv[i], "-d") == 0) {
		deep = 1;
		i++;
	}
	if (i + 1 < argc)
		addr = strtol(argv[i + 1], &end, 16);
	if (i >= argc || i + 2 < argc || (end != NULL && *end != '\0') ||
	    (strcmp(argv[i], "self") != 0 &&
		!isdigit((unsigned char)argv[i][0]))) {
		fprintf(stderr, "%s", usage);
		return 2;
	}
	return draw(argv[i], deep, addr);
}
