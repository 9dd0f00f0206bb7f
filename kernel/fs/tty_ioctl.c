/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The console terminal's settings (tty_ioctl(2), TIOCGWINSZ(2const)...).
 */
#include <linux/errno.h>
#include <linux/signal.h>

#include <asm/ioctls.h>

#include <fs/tty.h>
#include <kern/kstring.h>
#include <kern/proc.h>
#include <kern/uaccess.h>

#define CC(c) ((cc_t)((c)&0x1f))

/* What a terminal is when nobody has set it: cooked, with echo, 24 by 80. */
void
tty_defaults(struct tty *t)
{
	static const struct termios dflt = {
	    .c_iflag = ICRNL,
	    .c_oflag = OPOST | ONLCR,
	    .c_cflag = B115200 | CS8 | CREAD | CLOCAL | HUPCL,
	    .c_lflag = ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE |
		IEXTEN,
	    .c_cc =
		{
		    [VINTR] = CC('C'),
		    [VQUIT] = CC('\\'),
		    [VERASE] = 0x7f,
		    [VKILL] = CC('U'),
		    [VEOF] = CC('D'),
		    [VMIN] = 1,
		    [VSUSP] = CC('Z'),
		    [VSTART] = CC('Q'),
		    [VSTOP] = CC('S'),
		    [VREPRINT] = CC('R'),
		    [VDISCARD] = CC('O'),
		    [VWERASE] = CC('W'),
		    [VLNEXT] = CC('V'),
		},
	};

	t->t_ios = dflt;
	t->t_winsize.ws_row = 24;
	t->t_winsize.ws_col = 80;
}

/* From one mode to the other: what is half typed becomes readable, or what
 * is unread a line. t_lock is held. */
static void
mode_changed(struct tty *t, tcflag_t old)
{
	if (((old ^ t->t_ios.c_lflag) & ICANON) == 0)
		return;
	if ((t->t_ios.c_lflag & ICANON) && t->t_head != t->t_tail) {
		uint8_t *mark = &t->t_mark[(t->t_head - 1) % TTY_INSIZE];

		if (*mark == 0) {
			*mark = MARK_LINE;
			t->t_marks++;
		}
	}
	t->t_line = t->t_head;
	wakeup(&t->t_in);
	pollwakeup();
}

/* TCSETS and its kin. */
static int
set_termios(struct tty *t, uintptr_t arg, bool flush)
{
	struct termios ios;
	tcflag_t old;
	int error;

	error = copyin((void *)arg, &ios, sizeof(ios));
	if (error == 0)
		error = tty_job(t, SIGTTOU);
	if (error != 0)
		return error;
	lockmgr(&t->t_lock, LK_EXCLUSIVE);
	if (flush)
		tty_flush_input(t);
	old = t->t_ios.c_lflag;
	t->t_ios = ios;
	mode_changed(t, old);
	lockmgr(&t->t_lock, LK_RELEASE);
	return 0;
}

/* TIOCSWINSZ: tells the foreground when it changes. */
static int
set_winsize(struct tty *t, uintptr_t arg)
{
	struct ksiginfo ksi = {.signo = SIGWINCH, .code = SI_KERNEL};
	struct winsize ws;
	bool changed;
	int error, pgrp;

	error = copyin((void *)arg, &ws, sizeof(ws));
	if (error != 0)
		return error;
	lockmgr(&t->t_lock, LK_EXCLUSIVE);
	changed = memcmp(&ws, &t->t_winsize, sizeof(ws)) != 0;
	t->t_winsize = ws;
	pgrp = t->t_pgrp;
	lockmgr(&t->t_lock, LK_RELEASE);
	if (changed && pgrp != 0)
		ksignal_pgrp(pgrp, &ksi);
	return 0;
}

/* FIONREAD: what a read would find. */
static int
input_count(struct tty *t, uintptr_t arg)
{
	uint32_t n;

	lockmgr(&t->t_lock, LK_SHARED);
	n = t->t_ios.c_lflag & ICANON ? t->t_line - t->t_tail
				      : t->t_head - t->t_tail;
	lockmgr(&t->t_lock, LK_RELEASE);
	return suword32((void *)arg, n);
}

/* TCFLSH; output is never queued. */
static int
flush(struct tty *t, uintptr_t arg)
{
	if (arg > TCIOFLUSH)
		return EINVAL;
	lockmgr(&t->t_lock, LK_EXCLUSIVE);
	if (arg != TCOFLUSH)
		tty_flush_input(t);
	lockmgr(&t->t_lock, LK_RELEASE);
	return 0;
}

/* d_ioctl. ENOTTY for what is not known. */
int
tty_ioctl(unsigned long cmd, uintptr_t arg)
{
	struct tty *t = &console_tty;
	struct termios ios;
	struct winsize ws;

	switch (cmd) {
	case TCGETS:
		lockmgr(&t->t_lock, LK_SHARED);
		ios = t->t_ios;
		lockmgr(&t->t_lock, LK_RELEASE);
		return copyout(&ios, (void *)arg, sizeof(ios));
	case TCSETS:
	case TCSETSW: /* output never waits */
		return set_termios(t, arg, false);
	case TCSETSF:
		return set_termios(t, arg, true);
	case TIOCGWINSZ:
		lockmgr(&t->t_lock, LK_SHARED);
		ws = t->t_winsize;
		lockmgr(&t->t_lock, LK_RELEASE);
		return copyout(&ws, (void *)arg, sizeof(ws));
	case TIOCSWINSZ:
		return set_winsize(t, arg);
	case TIOCSCTTY:
	case TIOCNOTTY:
	case TIOCGPGRP:
	case TIOCSPGRP:
	case TIOCGSID:
		return tty_job_ioctl(t, cmd, arg);
	case FIONREAD:
		return input_count(t, arg);
	case TIOCOUTQ:
		return suword32((void *)arg, 0);
	case TCFLSH:
		return flush(t, arg);
	case TCSBRK:
	case TCSBRKP:
	case TCXONC:
		return 0;
	default:
		return ENOTTY;
	}
}
