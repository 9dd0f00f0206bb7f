/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Parsing of the boot options (see bootopt.h).
 */
#include <kern/bootopt.h>
#include <kern/kprintf.h>
#include <kern/kstring.h>

#include <amd64/machdep.h>
#include <dev/fwcfg.h>

#define LINE_SIZE  8192
#define FWCFG_FILE "opt/nymph/cmdline"

extern struct bootopt *const __start_set_bootopts[];
extern struct bootopt *const __stop_set_bootopts[];

static char line[LINE_SIZE]; /* (k) cut into words: values point here */
static const char *initargs = "";

/*
 * See bootopt.h. Works from the first C instruction on.
 */
void
boot_die(const char *fmt, ...)
{
	char msg[640];
	va_list ap;

	va_start(ap, fmt);
	kvsnprintf(msg, sizeof(msg), fmt, ap);
	va_end(ap);
	kprintf("Nymph cannot start: %s\n", msg);
	result_printf(
	    "{\"ev\":\"panic\",\"what\":\"%s\",\"where\":\"boot\"}\n", msg);
	cpu_poweroff(EXIT_PANIC);
}

/*
 * The option of that name, or NULL.
 */
static struct bootopt *
bootopt_find(const char *name)
{
	struct bootopt *const *b;

	for (b = __start_set_bootopts; b < __stop_set_bootopts; b++) {
		if (strcmp((*b)->bo_name, name) == 0)
			return *b;
	}
	return NULL;
}

/*
 * Dies, naming the options that there are.
 */
static void
unknown_option(const char *name)
{
	static char known[512];
	struct bootopt *const *b;

	for (b = __start_set_bootopts; b < __stop_set_bootopts; b++) {
		strlcat(known, " ", sizeof(known));
		strlcat(known, (*b)->bo_name, sizeof(known));
	}
	boot_die("unknown boot option '%s' (known:%s)", name, known);
}

/*
 * Cuts the next word off, without its double quotes; NULL at the end.
 */
static char *
next_word(char **pp)
{
	char *p = *pp, *word, *to;
	bool quoted = false;

	while (*p == ' ' || *p == '\t' || *p == '\n')
		p++;
	if (*p == '\0')
		return NULL;
	for (word = to = p; *p != '\0'; p++) {
		if (*p == '"')
			quoted = !quoted;
		else if (!quoted && (*p == ' ' || *p == '\t' || *p == '\n'))
			break;
		else
			*to++ = *p;
	}
	if (quoted)
		boot_die("boot option with an unfinished quote: %s", word);
	*pp = *p == '\0' ? p : p + 1;
	*to = '\0';
	return word;
}

/*
 * Joins the two command lines, and sets each option named there.
 */
void
bootopt_init(const char *mbcmdline)
{
	char *p = line, *word, *value;
	struct bootopt *bo;
	size_t len;
	ssize_t more;

	len = strlcpy(line, mbcmdline, sizeof(line) - 1);
	line[len++] = ' ';
	more = fwcfg_read(FWCFG_FILE, line + len, sizeof(line) - len);
	if (more >= (ssize_t)(sizeof(line) - len))
		boot_die("boot options longer than %d characters", LINE_SIZE);
	if (more < 0)
		line[len] = '\0';

	while ((word = next_word(&p)) != NULL) {
		if (strcmp(word, "--") == 0) {
			initargs = p;
			break;
		}
		value = strchr(word, '=');
		if (value != NULL)
			*value++ = '\0';
		bo = bootopt_find(word);
		if (bo == NULL)
			unknown_option(word);
		bo->bo_value = value != NULL ? value : "1";
		bo->bo_given = true;
	}
}

/*
 * The option's value as text.
 */
const char *
bootopt_str(const struct bootopt *bo)
{
	return bo->bo_value;
}

/*
 * The option's value as a number.
 */
uint64_t
bootopt_u64(const struct bootopt *bo)
{
	const char *end;
	uint64_t v = kstrtoull(bo->bo_value, &end, 0);

	if (end == bo->bo_value || *end != '\0')
		boot_die("boot option %s wants a number, not '%s'", bo->bo_name,
		    bo->bo_value);
	return v;
}

/*
 * The option's value as a yes or no.
 */
bool
bootopt_bool(const struct bootopt *bo)
{
	static const char *const words[2][3] = {
	    {"0", "no", "off"}, {"1", "yes", "on"}};

	for (int i = 0; i < 6; i++) {
		if (strcmp(bo->bo_value, words[i / 3][i % 3]) == 0)
			return i >= 3;
	}
	boot_die(
	    "boot option %s wants 0 or 1, not '%s'", bo->bo_name, bo->bo_value);
}

/*
 * What is meant for init.
 */
const char *
bootopt_initargs(void)
{
	return initargs;
}

/*
 * Walks the linker set.
 */
void
bootopt_foreach(void (*fn)(void *arg, const struct bootopt *bo), void *arg)
{
	struct bootopt *const *b;

	for (b = __start_set_bootopts; b < __stop_set_bootopts; b++)
		fn(arg, *b);
}
