/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Boot options: `name=value' or `name' (which means value "1"), separated by
 * blanks, a value with blanks in double quotes. They come from the
 * multiboot2 command line and then QEMU's fw_cfg; the later one wins. What
 * follows a lone `--' is for init.
 *
 * A subsystem declares its own with BOOTOPT at file level:
 *
 *	BOOTOPT(bo_seed, "seed", "0", "seed of the schedule points");
 *	... bootopt_u64(&bo_seed) ...
 *
 * An option nobody declared stops the boot.
 */
#ifndef KERN_BOOTOPT_H
#define KERN_BOOTOPT_H

#include <kern/cdefs.h>
#include <kern/types.h>

struct bootopt {
	const char *bo_name;  /* (k) */
	const char *bo_value; /* (k) the default, until parsed */
	const char *bo_help;  /* (k) one line */
	bool bo_given;	      /* (k) it stood on the command line */
};

#define BOOTOPT(var, name, dflt, help)                             \
	static struct bootopt var = {name, dflt, help, false};     \
	static struct bootopt *const boset_##var __used __section( \
	    "set_bootopts") = &var

/* Parses; halts with one line on an unknown or broken option. Boot CPU, once,
 * before any other CPU runs. */
void bootopt_init(const char *mbcmdline);

const char *bootopt_str(const struct bootopt *bo);
/* The number in the value; a value that is none stops the boot. */
uint64_t bootopt_u64(const struct bootopt *bo);
bool bootopt_bool(const struct bootopt *bo); /* 0 1 no yes off on */
/* What followed `--', or "". */
const char *bootopt_initargs(void);
/* Calls fn for each declared option, in the order of linking. */
void bootopt_foreach(
    void (*fn)(void *arg, const struct bootopt *bo), void *arg);
/* Early trouble: one line on the console and the result stream, then the
 * panic exit code, without a post-mortem. */
void boot_die(const char *fmt, ...) __printflike(1, 2) __noreturn;

#endif
