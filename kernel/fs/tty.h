/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The console terminal: what its two halves share.
 *
 * Characters go three ways: from the interrupt into t_raw; by the tty's
 * thread through the line discipline into t_in; and out by read(). t_in is
 * in pieces: a byte of t_mark says that a line ends there.
 */
#ifndef FS_TTY_H
#define FS_TTY_H

#include <asm/termios.h>

#include <kern/file.h>

#define TTY_RAWSIZE 256U
#define TTY_INSIZE  4096U /* N_TTY_BUF_SIZE of Linux */

#define MARK_LINE 1 /* the last character of a line */
#define MARK_EOF  2 /* likewise, but itself not to be read: ^D */

struct tty {
	struct spinlock t_rawspin; /* guards t_raw and its two counts */
	uint8_t t_raw[TTY_RAWSIZE];
	uint32_t t_rawhead, t_rawtail;

	struct lock t_lock; /* guards the rest; and output, in order */
	struct termios t_ios;
	struct winsize t_winsize;
	int t_pgrp, t_sid; /* 0: nobody's */
	uint8_t t_in[TTY_INSIZE];
	uint8_t t_mark[TTY_INSIZE];
	uint32_t t_head, t_tail; /* free running */
	uint32_t t_line;	 /* where the line being typed begins */
	uint32_t t_marks;	 /* lines (and ends of file) complete */
	uint32_t t_column;	 /* of the output, for tabs and erasing */
	uint32_t t_linecol;	 /* t_column when the line was begun */
};

extern struct tty console_tty;

/* tty_input.c; t_lock held. */
void tty_input_char(struct tty *t, uint8_t c);
void tty_flush_input(struct tty *t);
/* tty.c; t_lock held: output of bytes after OPOST. */
void tty_output(struct tty *t, const char *buf, size_t len);
/* tty_job.c: 0, or the running process is not in the foreground. */
int tty_job(struct tty *t, int signo);
int tty_job_ioctl(struct tty *t, unsigned long cmd, uintptr_t arg);
/* tty_ioctl.c */
int tty_ioctl(unsigned long cmd, uintptr_t arg);
void tty_defaults(struct tty *t);

#endif
