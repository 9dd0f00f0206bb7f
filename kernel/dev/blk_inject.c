/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Errors and delays on demand. A command is one of
 *
 *	DISK fail read|write FIRST..LAST [COUNT]
 *	DISK fail flush [COUNT]
 *	DISK latency NANOSECONDS
 *	DISK clear
 *
 * and comes by the boot option `disk_inject' (several, with semicolons) or as
 * a write to /dev/diskctl. A transfer that touches the sectors FIRST to LAST
 * ends with EIO, after the disk's latency, and moves nothing; the first COUNT
 * of them, or all. The latency is also that of the deterministic disk's other
 * transfers.
 */
#include <linux/errno.h>

#include <amd64/machdep.h>
#include <dev/blk.h>
#include <fs/vnode.h>
#include <kern/bootopt.h>
#include <kern/inject.h>
#include <kern/kprintf.h>
#include <kern/kstring.h>

#define RULES	    16
#define COMMAND_MAX 128
#define LATENCY_MAX 10000000000UL /* 10 s */

BOOTOPT(bo_inject, "disk_inject", "",
    "disk errors: \"DISK fail read|write FIRST..LAST [COUNT]; ...\"");

static struct rule {
	struct blkdev *r_disk; /* NULL: the place is free */
	enum bio_op r_op;
	uint64_t r_first, r_last; /* sectors */
	uint64_t r_count;	  /* still to fail */
} rules[RULES];			  /* inject_spin */

static struct spinlock inject_spin = SPINLOCK_INITIALIZER("disk errors");

/*
 * Does the rule say anything about this transfer?
 */
static bool
rule_matches(const struct rule *r, const struct bio *bio)
{
	uint64_t sectors = 0;

	if (r->r_disk != bio->bio_dev || r->r_op != bio->bio_op)
		return false;
	for (int i = 0; i < bio->bio_nsegs; i++)
		sectors += bio->bio_segs[i].len / BLK_SECTOR;
	return bio->bio_op == BIO_FLUSH ||
	    (bio->bio_sector <= r->r_last &&
		bio->bio_sector + sectors > r->r_first);
}

static void
inject_due(struct bio *bio)
{
	biodone(bio, EIO);
}

/*
 * See blk.h. In a critical section. The first rule that matches counts.
 */
bool
blk_inject(struct bio *bio)
{
	struct blkdev *bd = bio->bio_dev;
	bool fail = inject(INJECT_DISK);

	spin_lock(&inject_spin);
	for (struct rule *r = rules; r < rules + RULES && !fail; r++) {
		fail = rule_matches(r, bio);
		if (fail && --r->r_count == 0) {
			r->r_disk = NULL;
			bd->bd_inject--;
		}
	}
	spin_unlock(&inject_spin);
	if (fail)
		blk_timer_add(bio, nanotime() + bd->bd_latency, inject_due);
	return fail;
}

/*
 * Takes the next word off the line; "" at its end.
 */
static const char *
next_word(char **line)
{
	char *word, *p = *line;

	while (*p == ' ' || *p == '\t' || *p == '\n')
		p++;
	word = p;
	while (*p != '\0' && *p != ' ' && *p != '\t' && *p != '\n')
		p++;
	if (*p != '\0')
		*p++ = '\0';
	*line = p;
	return word;
}

/*
 * Reads a decimal number at s and what must come after it; false when it is
 * not so.
 */
static bool
number(const char *s, const char *after, uint64_t *np, const char **endp)
{
	const char *end;

	*np = kstrtoull(s, &end, 10);
	if (end == s || strncmp(end, after, strlen(after)) != 0)
		return false;
	*endp = end + strlen(after);
	return true;
}

/*
 * A whole word that is a number.
 */
static bool
whole_number(const char *s, uint64_t *np)
{
	const char *end;

	return number(s, "", np, &end) && *end == '\0';
}

/*
 * The rest of a "fail" command.
 */
static int
parse_fail(char *line, struct rule *r)
{
	const char *word = next_word(&line), *rest;

	if (strcmp(word, "flush") == 0)
		r->r_op = BIO_FLUSH;
	else if (strcmp(word, "read") == 0)
		r->r_op = BIO_READ;
	else if (strcmp(word, "write") == 0)
		r->r_op = BIO_WRITE;
	else
		return EINVAL;
	if (r->r_op != BIO_FLUSH) {
		word = next_word(&line);
		if (!number(word, "..", &r->r_first, &rest) ||
		    !whole_number(rest, &r->r_last) || r->r_first > r->r_last)
			return EINVAL;
	}
	word = next_word(&line);
	r->r_count = UINT64_MAX;
	if (*word != '\0' &&
	    (!whole_number(word, &r->r_count) || r->r_count == 0 ||
		*next_word(&line) != '\0'))
		return EINVAL;
	return 0;
}

/*
 * Puts a rule in a free place; ENOSPC when there is none.
 */
static int
add_rule(const struct rule *new)
{
	int error = ENOSPC;

	spin_lock(&inject_spin);
	for (struct rule *r = rules; r < rules + RULES; r++) {
		if (r->r_disk == NULL) {
			*r = *new;
			r->r_disk->bd_inject++;
			error = 0;
			break;
		}
	}
	spin_unlock(&inject_spin);
	return error;
}

/*
 * Takes away all rules about a disk.
 */
static void
clear_rules(struct blkdev *bd)
{
	spin_lock(&inject_spin);
	for (struct rule *r = rules; r < rules + RULES; r++) {
		if (r->r_disk == bd)
			r->r_disk = NULL;
	}
	bd->bd_inject = 0;
	spin_unlock(&inject_spin);
}

/*
 * See blk.h.
 */
int
blk_control(const char *command)
{
	struct rule r = {0};
	char buf[COMMAND_MAX], *line = buf;
	const char *verb, *word;
	uint64_t ns;
	int error;

	if (strlcpy(buf, command, sizeof(buf)) >= sizeof(buf))
		return EINVAL;
	r.r_disk = blk_lookup(next_word(&line));
	if (r.r_disk == NULL)
		return ENODEV;
	verb = next_word(&line);
	if (strcmp(verb, "fail") == 0) {
		error = parse_fail(line, &r);
		return error != 0 ? error : add_rule(&r);
	}
	word = next_word(&line);
	if (strcmp(verb, "clear") == 0 && *word == '\0') {
		clear_rules(r.r_disk);
		return 0;
	}
	if (strcmp(verb, "latency") != 0 || !whole_number(word, &ns) ||
	    ns > LATENCY_MAX || *next_word(&line) != '\0')
		return EINVAL;
	atomic_store_ulong(&r.r_disk->bd_latency, ns);
	return 0;
}

/*
 * d_write of /dev/diskctl: one command, which counts as written when it was
 * followed.
 */
static int
diskctl_write(struct uio *uio, int ioflag)
{
	char buf[COMMAND_MAX];
	struct uio before = *uio;
	size_t n = uio->uio_resid;
	int error;

	if (n >= sizeof(buf))
		return EINVAL;
	error = uiomove_whole(buf, n, uio);
	if (error != 0)
		return error;
	buf[n] = '\0';
	error = blk_control(buf);
	if (error != 0)
		*uio = before;
	return error;
}

static const struct cdevsw diskctl = {
    .d_name = "diskctl",
    .d_major = 240,
    .d_minor = 1,
    .d_mode = 0600,
    .d_write = diskctl_write,
};

/*
 * See blk.h. A command that cannot be followed stops the boot: a test that
 * waits for an error would be in vain.
 */
void
blk_inject_init(void)
{
	const char *p = bootopt_str(&bo_inject), *end;
	char command[COMMAND_MAX];
	size_t n;
	int error;

	devfs_register(&diskctl);
	while (*p != '\0') {
		end = strchr(p, ';');
		if (*p == ' ') {
			p++;
			continue;
		}
		n = end != NULL ? (size_t)(end - p) : strlen(p);
		strlcpy(command, p, MIN(n + 1, sizeof(command)));
		error = n < sizeof(command) ? blk_control(command) : EINVAL;
		if (error != 0)
			boot_die(
			    "disk_inject: \"%s\": error %d", command, error);
		p += n + (end != NULL);
	}
}
