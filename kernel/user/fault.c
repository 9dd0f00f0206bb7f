/* SPDX-License-Identifier: BSD-2-Clause */
/* Touches an address, so that what happens then can be watched. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "usage: fault [read|write|execute [ADDRESS]]\n"
    "\n"
    "Reads (or writes, or calls) the byte at an address, 0 unless another is\n"
    "given: there the program is killed, and the shell says by which signal.\n";

int
main(int argc, char **argv)
{
	const char *how = argc > 1 ? argv[1] : "read";
	unsigned long addr = argc > 2 ? strtoul(argv[2], NULL, 16) : 0;
	volatile char *p = (volatile char *)addr;

	if (strcmp(how, "--help") == 0) {
		printf("%s", usage);
		return 0;
	}
	if (argc <= 3 && strcmp(how, "read") == 0) {
		printf("there is 0x%02x\n", (unsigned char)*p);
	} else if (argc <= 3 && strcmp(how, "write") == 0) {
		*p = 1;
		printf("written\n");
	} else if (argc <= 3 && strcmp(how, "execute") == 0) {
		((void (*)(void))addr)();
		printf("back from there\n");
	} else {
		fprintf(stderr, "%s", usage);
		return 2;
	}
	return 0;
}
