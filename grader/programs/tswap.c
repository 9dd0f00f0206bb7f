/* SPDX-License-Identifier: BSD-2-Clause */
/* What the behaviour tests share: more memory than there is, and swap. */

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "t.h"

#define WORDS 4 /* of a page, that a test looks at */

/* The i-th word that belongs in a page. */
static uint64_t
word(uint32_t seed, long page, int i)
{
	uint64_t x = ((uint64_t)seed << 32 | (uint32_t)page) * WORDS + i;

	x *= 0x9e3779b97f4a7c15UL;
	return x ^ x >> 29;
}

/* Writes a page. */
void
t_put(char *mem, long page, uint32_t seed)
{
	uint64_t *p = (uint64_t *)(mem + page * PAGE);

	for (int i = 0; i < WORDS; i++)
		p[i * (PAGE / 8 / WORDS)] = word(seed, page, i);
}

/* Is it what was written? */
int
t_is(const char *mem, long page, uint32_t seed)
{
	const uint64_t *p = (const uint64_t *)(mem + page * PAGE);

	for (int i = 0; i < WORDS; i++)
		if (p[i * (PAGE / 8 / WORDS)] != word(seed, page, i))
			return 0;
	return 1;
}

/* Is it zero there? */
int
t_is_zero(const char *mem, long page)
{
	const uint64_t *p = (const uint64_t *)(mem + page * PAGE);

	for (int i = 0; i < WORDS; i++)
		if (p[i * (PAGE / 8 / WORDS)] != 0)
			return 0;
	return 1;
}

void
t_put_all(char *mem, long pages, uint32_t seed)
{
	for (long i = 0; i < pages; i++)
		t_put(mem, i, seed);
}

/* How many pages of a range are not what was written. */
long
t_wrong(const char *mem, long pages, uint32_t seed)
{
	long n = 0;

	for (long i = 0; i < pages; i++)
		n += !t_is(mem, i, seed);
	return n;
}

/* Wants as much memory as there is for a moment, so that what nobody uses goes
 * to swap. */
void
t_squeeze(void)
{
	long pages = T_RAM / PAGE;
	char *mem;
	pid_t pid = t_fork();

	if (pid == 0) {
		mem = t_map(pages);
		t_put_all(mem, pages, 99);
		_exit(0);
	}
	EXPECT(0, t_wait(pid));
}

/* Writes what mkswap would, for so many pages, with the bad ones of a list that
 * ends with 0. */
void
t_mkswap(const char *disk, uint32_t pages, const uint32_t *bad)
{
	static uint32_t page[PAGE / 4];
	int fd = MUST(open(disk, O_WRONLY));

	memset(page, 0, sizeof(page));
	page[256] = 1;
	page[257] = pages - 1;
	for (; bad != NULL && bad[page[258]] != 0; page[258]++)
		page[384 + page[258]] = bad[page[258]];
	memcpy((char *)page + PAGE - 10, "SWAPSPACE2", 10);
	EXPECT(PAGE, write(fd, page, PAGE));
	close(fd);
}

/* Says a command to /dev/diskctl. */
void
t_control(const char *command)
{
	int fd = MUST(open("/dev/diskctl", O_WRONLY));

	EXPECT(strlen(command), write(fd, command, strlen(command)));
	close(fd);
}
