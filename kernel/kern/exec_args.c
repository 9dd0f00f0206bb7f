/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The arguments and the environment of a new program, between the old
 * address space and the new one.
 */
#include <linux/errno.h>

#include <kern/exec.h>
#include <kern/kstring.h>
#include <kern/uaccess.h>

#define ARG_STRLEN_MAX (32 * PAGE_SIZE) /* Linux's MAX_ARG_STRLEN */

MALLOC_DEFINE(M_EXEC, "exec");

/* See kern/exec.h. path must stay until exec_args_free(). */
void
exec_args_init(struct exec_args *ea, const char *path, size_t limit)
{
	memset(ea, 0, sizeof(*ea));
	ea->ea_path = path;
	ea->ea_limit = limit;
}

void
exec_args_free(struct exec_args *ea)
{
	for (size_t i = 0; i * PAGE_SIZE < ea->ea_len; i++)
		kfree(ea->ea_page[i], &M_EXEC);
	kfree(ea->ea_page, &M_EXEC);
	kfree(ea->ea_prefix, &M_EXEC);
	memset(ea, 0, sizeof(*ea));
}

/*
 * Whether len more bytes and one more pointer are too much.
 */
static bool
args_full(const struct exec_args *ea, size_t len)
{
	size_t pointers =
	    (size_t)(ea->ea_argc + ea->ea_envc + 1) * sizeof(uint64_t);

	return pointers > ea->ea_limit ||
	    ea->ea_len + ea->ea_prefixlen + len > ea->ea_limit - pointers;
}

/*
 * The free rest of the last piece, or a new one.
 */
static char *
args_room(struct exec_args *ea, size_t *room)
{
	size_t page = ea->ea_len / PAGE_SIZE, at = ea->ea_len % PAGE_SIZE;
	size_t n;

	if (page == ea->ea_npages) {
		n = MAX(2 * ea->ea_npages, 8);
		ea->ea_page = krealloc(
		    ea->ea_page, n * sizeof(char *), &M_EXEC, M_WAITOK);
		ea->ea_npages = n;
	}
	if (at == 0)
		ea->ea_page[page] = kmalloc(PAGE_SIZE, &M_EXEC, M_WAITOK);
	*room = PAGE_SIZE - at;
	return ea->ea_page[page] + at;
}

/*
 * Appends one string, the user's or the kernel's. EFAULT, E2BIG; what was
 * taken up to then stays, to be freed with the rest.
 */
static int
args_add(struct exec_args *ea, const char *str, bool user)
{
	size_t room, len, total = 0;
	char *to;
	int error;

	do {
		to = args_room(ea, &room);
		if (user) {
			len = 0;
			error = copyinstr(str + total, to, room, &len);
		} else {
			len = strnlen(str + total, room);
			error = len == room ? ENAMETOOLONG : 0;
			len = MIN(len + 1, room);
			memcpy(to, str + total, len);
		}
		if (error == ENAMETOOLONG)
			len = room; /* goes on in the next piece */
		else if (error != 0)
			len = 1; /* so that the piece is freed */
		total += len;
		ea->ea_len += len;
		if (error == EFAULT)
			return EFAULT;
		if (total > ARG_STRLEN_MAX || args_full(ea, 0))
			return E2BIG;
	} while (error != 0);
	return 0;
}

/*
 * Appends the strings of an array that ends with a null pointer; how many to
 * *count.
 */
static int
args_add_user(struct exec_args *ea, const void *uarray, int *count)
{
	const uint64_t *at = uarray;
	uint64_t str;
	int error;

	for (*count = 0;; (*count)++, at++) {
		if (fuword64(at, &str) != 0)
			return EFAULT;
		if (str == 0)
			return 0;
		error = args_add(ea, (const char *)str, true);
		if (error != 0)
			return error;
	}
}

static int
args_add_kernel(struct exec_args *ea, char *const array[], int *count)
{
	int error;

	for (*count = 0; array[*count] != NULL; (*count)++) {
		error = args_add(ea, array[*count], false);
		if (error != 0)
			return error;
	}
	return 0;
}

/* See kern/exec.h. A null pointer stands for an empty array, as on Linux. */
int
exec_args_copyin(struct exec_args *ea, const void *uargv, const void *uenvp)
{
	int error = 0;

	if (uargv != NULL)
		error = args_add_user(ea, uargv, &ea->ea_argc);
	/* Programs count on argv[0]: it is there, if empty. */
	if (error == 0 && ea->ea_argc == 0) {
		error = args_add(ea, "", false);
		ea->ea_argc = 1;
	}
	ea->ea_argvlen = ea->ea_len;
	if (error == 0 && uenvp != NULL)
		error = args_add_user(ea, uenvp, &ea->ea_envc);
	return error;
}

/* See kern/exec.h. */
int
exec_args_kernel(struct exec_args *ea, char *const argv[], char *const envp[])
{
	int error;

	error = args_add_kernel(ea, argv, &ea->ea_argc);
	ea->ea_argvlen = ea->ea_len;
	if (error == 0)
		error = args_add_kernel(ea, envp, &ea->ea_envc);
	return error;
}

/*
 * The length of the first string in the pieces, with its zero byte.
 */
static size_t
first_length(const struct exec_args *ea)
{
	size_t at = 0;

	while (ea->ea_page[at / PAGE_SIZE][at % PAGE_SIZE] != '\0')
		at++;
	return at + 1;
}

/*
 * See kern/exec.h. When the interpreter is itself a script, argv[0] is the
 * first string of the prefix that is there already.
 */
int
exec_args_script(
    struct exec_args *ea, const char *interp, const char *arg, const char *path)
{
	const char *rest = ea->ea_prefix;
	size_t restlen = ea->ea_prefixlen, len, l1, l2, l3;
	char *prefix;

	if (rest != NULL) {
		restlen -= strlen(rest) + 1;
		rest += strlen(rest) + 1;
	} else {
		ea->ea_skip = first_length(ea);
	}
	l1 = strlen(interp) + 1;
	l2 = arg != NULL ? strlen(arg) + 1 : 0;
	l3 = strlen(path) + 1;
	len = l1 + l2 + l3 + restlen;
	if (args_full(ea, len))
		return E2BIG;
	prefix = kmalloc(len, &M_EXEC, M_WAITOK);
	memcpy(prefix, interp, l1);
	if (arg != NULL)
		memcpy(prefix + l1, arg, l2);
	memcpy(prefix + l1 + l2, path, l3);
	if (restlen != 0)
		memcpy(prefix + l1 + l2 + l3, rest, restlen);
	ea->ea_nprefix += ea->ea_prefix != NULL ? -1 : 0;
	ea->ea_nprefix += arg != NULL ? 3 : 2;
	kfree(ea->ea_prefix, &M_EXEC);
	ea->ea_prefix = prefix;
	ea->ea_prefixlen = len;
	return 0;
}

/* See kern/exec.h. Stops at fn's first error and returns it. */
int
exec_args_each(struct exec_args *ea,
    int (*fn)(void *arg, const char *bytes, size_t len), void *arg)
{
	size_t at, n;
	int error = 0;

	if (ea->ea_prefixlen != 0)
		error = fn(arg, ea->ea_prefix, ea->ea_prefixlen);
	for (at = ea->ea_skip; error == 0 && at < ea->ea_len; at += n) {
		n = MIN(PAGE_SIZE - at % PAGE_SIZE, ea->ea_len - at);
		error =
		    fn(arg, ea->ea_page[at / PAGE_SIZE] + at % PAGE_SIZE, n);
	}
	return error;
}
