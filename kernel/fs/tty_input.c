/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The line discipline: what a typed character does (termios(3)). t_lock is
 * held throughout.
 */
#include <linux/signal.h>

#include <fs/tty.h>
#include <kern/kstring.h>
#include <kern/proc.h>

#define CTRL_SHOWN(c) ((char)((c) ^ 0x40)) /* ^C for 3 */

static bool
lflag(const struct tty *t, tcflag_t bit)
{
	return (t->t_ios.c_lflag & bit) != 0;
}

/* Is c this control character? A zero in the table switches it off. */
static bool
is_cc(const struct tty *t, int which, uint8_t c)
{
	return t->t_ios.c_cc[which] != 0 && t->t_ios.c_cc[which] == c;
}

/* Control characters but for tab and newline are echoed as ^X. */
static bool
shown_as_ctrl(const struct tty *t, uint8_t c)
{
	return lflag(t, ECHOCTL) && (c < ' ' || c == 0x7f) && c != '\t' &&
	    c != '\n';
}

static void
echo(struct tty *t, uint8_t c)
{
	char out[2] = {'^', CTRL_SHOWN(c)};
	char ch = (char)c;

	if (!lflag(t, ECHO) && !(c == '\n' && lflag(t, ECHONL)))
		return;
	if (shown_as_ctrl(t, c))
		tty_output(t, out, 2);
	else
		tty_output(t, &ch, 1);
}

/* Puts a character in; at the begin of a line where its echo will start is
 * noted. False: no room (but for what ends a line). */
static bool
put(struct tty *t, uint8_t c, uint8_t mark)
{
	uint32_t room = TTY_INSIZE - (t->t_head - t->t_tail);

	if (room <= (mark == 0 && lflag(t, ICANON) ? 1U : 0U))
		return false;
	if (t->t_head == t->t_line)
		t->t_linecol = t->t_column;
	t->t_in[t->t_head % TTY_INSIZE] = c;
	t->t_mark[t->t_head % TTY_INSIZE] = mark;
	t->t_head++;
	if (mark != 0) {
		t->t_marks++;
		t->t_line = t->t_head;
	}
	return true;
}

/* The width of the line being typed, up to its n-th character. */
static uint32_t
line_column(const struct tty *t, uint32_t end)
{
	uint32_t col = t->t_linecol, i;
	uint8_t c;

	for (i = t->t_line; i != end; i++) {
		c = t->t_in[i % TTY_INSIZE];
		if (c == '\t')
			col = (col | 7) + 1;
		else
			col += shown_as_ctrl(t, c) ? 2 : c >= ' ';
	}
	return col;
}

/* Takes the last character of the line back. */
static void
erase(struct tty *t)
{
	uint32_t col;
	uint8_t c;

	if (t->t_head == t->t_line)
		return;
	t->t_head--;
	c = t->t_in[t->t_head % TTY_INSIZE];
	if (!lflag(t, ECHO))
		return;
	if (!lflag(t, ECHOE)) {
		echo(t, t->t_ios.c_cc[VERASE]);
		return;
	}
	col = line_column(t, t->t_head);
	while (t->t_column > col) {
		if (c == '\t')
			tty_output(t, "\b", 1);
		else
			tty_output(t, "\b \b", 3);
	}
}

/* Takes a word and the blanks behind it back. */
static void
erase_word(struct tty *t)
{
	bool seen = false;

	while (t->t_head != t->t_line) {
		if (t->t_in[(t->t_head - 1) % TTY_INSIZE] != ' ')
			seen = true;
		else if (seen)
			break;
		erase(t);
	}
}

/* Throws away all that was typed and not yet read. */
void
tty_flush_input(struct tty *t)
{
	t->t_tail = t->t_line = t->t_head;
	t->t_marks = 0;
	bzero(t->t_mark, sizeof(t->t_mark));
}

/* The characters that send a signal to the foreground; true when c is one. */
static bool
input_signal(struct tty *t, uint8_t c)
{
	struct ksiginfo ksi = {.code = SI_KERNEL};

	if (is_cc(t, VINTR, c))
		ksi.signo = SIGINT;
	else if (is_cc(t, VQUIT, c))
		ksi.signo = SIGQUIT;
	else if (is_cc(t, VSUSP, c))
		ksi.signo = SIGTSTP;
	else
		return false;
	if (!lflag(t, NOFLSH))
		tty_flush_input(t);
	echo(t, c);
	if (t->t_pgrp != 0)
		ksignal_pgrp(t->t_pgrp, &ksi);
	return true;
}

/* Canonical mode's editing; true when c was taken. */
static bool
input_edit(struct tty *t, uint8_t c)
{
	if (is_cc(t, VERASE, c)) {
		erase(t);
	} else if (is_cc(t, VKILL, c)) {
		while (t->t_head != t->t_line)
			erase(t);
		if (lflag(t, ECHO) && lflag(t, ECHOK) && !lflag(t, ECHOE))
			tty_output(t, "\n", 1);
	} else if (is_cc(t, VWERASE, c) && lflag(t, IEXTEN)) {
		erase_word(t);
	} else if (is_cc(t, VEOF, c)) {
		put(t, 0, MARK_EOF);
	} else {
		return false;
	}
	return true;
}

/* One character. Wakes readers when there is something for them. */
void
tty_input_char(struct tty *t, uint8_t c)
{
	tcflag_t in = t->t_ios.c_iflag;
	bool canon = lflag(t, ICANON), ends;

	if (in & ISTRIP)
		c &= 0x7f;
	if (c == '\r') {
		if (in & IGNCR)
			return;
		if (in & ICRNL)
			c = '\n';
	} else if (c == '\n' && (in & INLCR)) {
		c = '\r';
	}
	if (lflag(t, ISIG) && input_signal(t, c))
		return;
	if (!canon || !input_edit(t, c)) {
		ends = canon &&
		    (c == '\n' || is_cc(t, VEOL, c) ||
			(lflag(t, IEXTEN) && is_cc(t, VEOL2, c)));
		if (put(t, c, ends ? MARK_LINE : 0))
			echo(t, c);
		else
			tty_output(t, "\a", 1);
	}
	if (!canon || t->t_marks > 0) {
		wakeup(&t->t_in);
		pollwakeup();
	}
}
