/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The console terminal: reading, writing, and the thread between the
 * interrupt and the line discipline.
 */
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/poll.h>
#include <linux/signal.h>

#include <dev/uart.h>
#include <fs/tty.h>
#include <fs/vnode.h>
#include <kern/kstring.h>
#include <kern/proc.h>
#include <kern/syscalls.h>

#define TTY_CHUNK 128U /* bytes written with interrupts disabled */

struct tty console_tty;

/* A character came: any CPU, in a critical section. When the thread does not
 * keep up, it is lost, as on a real line. */
void
console_input(int ch)
{
	struct tty *t = &console_tty;

	spin_lock(&t->t_rawspin);
	if (t->t_rawhead - t->t_rawtail < TTY_RAWSIZE)
		t->t_raw[t->t_rawhead++ % TTY_RAWSIZE] = (uint8_t)ch;
	spin_unlock(&t->t_rawspin);
	wakeup(&t->t_raw);
}

/* The next raw character, or -1. */
static int
tty_rawget(struct tty *t)
{
	int ch = -1;

	spin_lock(&t->t_rawspin);
	if (t->t_rawhead != t->t_rawtail)
		ch = t->t_raw[t->t_rawtail++ % TTY_RAWSIZE];
	spin_unlock(&t->t_rawspin);
	return ch;
}

/* The thread: echoes, edits lines, sends signals, whoever reads or not. */
static void
tty_thread(void *arg)
{
	struct tty *t = arg;
	int ch;

	for (;;) {
		tsleep_interlock(&t->t_raw, 0);
		ch = tty_rawget(t);
		if (ch < 0) {
			tsleep(&t->t_raw, PINTERLOCKED, "ttyin", 0);
			continue;
		}
		tsleep_remove(curthread);
		lockmgr(&t->t_lock, LK_EXCLUSIVE);
		do
			tty_input_char(t, (uint8_t)ch);
		while ((ch = tty_rawget(t)) >= 0);
		lockmgr(&t->t_lock, LK_RELEASE);
	}
}

/* Bytes on their way out: OPOST's translation. t_lock is held. */
void
tty_output(struct tty *t, const char *buf, size_t len)
{
	tcflag_t o = t->t_ios.c_oflag;
	char out[TTY_CHUNK + 2];
	size_t n = 0;

	for (; len > 0; buf++, len--) {
		char c = *buf;

		if ((o & OPOST) && c == '\n' && (o & ONLCR)) {
			out[n++] = '\r';
			t->t_column = 0;
		} else if ((o & OPOST) && c == '\r' && (o & OCRNL)) {
			c = '\n';
		}
		out[n++] = c;
		if (c == '\r')
			t->t_column = 0;
		else if (c == '\b')
			t->t_column -= t->t_column > 0;
		else if (c == '\t')
			t->t_column = (t->t_column | 7) + 1;
		else if ((uint8_t)c >= ' ' && c != 0x7f)
			t->t_column++;
		if (n >= TTY_CHUNK) {
			output_write(UART_CONSOLE, out, n);
			n = 0;
		}
	}
	if (n > 0)
		output_write(UART_CONSOLE, out, n);
}

/* d_write. The user's bytes are fetched before the terminal is locked, as a
 * fault may take its time. */
static int
tty_write(struct uio *uio, int ioflag)
{
	struct tty *t = &console_tty;
	size_t n = MIN(uio->uio_resid, PAGE_SIZE);
	int error = 0;
	char *buf;

	if (n == 0)
		return 0;
	buf = kmalloc(n, &M_TEMP, M_WAITOK);
	while (uio->uio_resid > 0) {
		n = MIN(uio->uio_resid, PAGE_SIZE);
		error = uiomove_whole(buf, n, uio);
		if (error != 0)
			break;
		lockmgr(&t->t_lock, LK_EXCLUSIVE);
		tty_output(t, buf, n);
		lockmgr(&t->t_lock, LK_RELEASE);
	}
	kfree(buf, &M_TEMP);
	return error;
}

/* How many bytes a read may take now: in canonical mode up to the end of the
 * line; *eof: the line ends by ^D, which is to be swallowed. 0 and !*eof:
 * wait. t_lock is held. */
static size_t
tty_ready(struct tty *t, bool *eof)
{
	uint32_t i;

	*eof = false;
	if ((t->t_ios.c_lflag & ICANON) == 0)
		return t->t_head - t->t_tail;
	if (t->t_marks == 0)
		return 0;
	for (i = t->t_tail; t->t_mark[i % TTY_INSIZE] == 0; i++)
		continue;
	if (t->t_mark[i % TTY_INSIZE] == MARK_EOF) {
		*eof = true;
		return i - t->t_tail;
	}
	return i - t->t_tail + 1;
}

/* Takes n bytes out. t_lock is held. */
static void
tty_take(struct tty *t, uint8_t *buf, size_t n)
{
	uint8_t *mark;

	while (n-- > 0) {
		mark = &t->t_mark[t->t_tail % TTY_INSIZE];
		if (buf != NULL)
			*buf++ = t->t_in[t->t_tail % TTY_INSIZE];
		if (*mark != 0)
			t->t_marks--;
		*mark = 0;
		t->t_tail++;
	}
}

/* Waits for input; t_lock is held, and given up meanwhile. */
static int
tty_wait(struct tty *t, int ioflag, uint64_t timo_ns)
{
	int error;

	if (ioflag & O_NONBLOCK)
		return EAGAIN;
	tsleep_interlock(&t->t_in, PCATCH);
	lockmgr(&t->t_lock, LK_RELEASE);
	error = tsleep(&t->t_in, PCATCH | PINTERLOCKED, "ttyrd", timo_ns);
	lockmgr(&t->t_lock, LK_EXCLUSIVE);
	if (error == EWOULDBLOCK)
		return ETIMEDOUT;
	return error != 0 ? ERESTARTSYS : 0;
}

/* Waits until a read of up to want bytes has something to return; how much
 * in *np. termios(3) has the four cases of VMIN and VTIME. */
static int
tty_wait_input(struct tty *t, size_t want, int ioflag, size_t *np, bool *eof)
{
	uint64_t timo;
	size_t n, min;
	int error;

	for (;;) {
		n = tty_ready(t, eof);
		*np = MIN(n, want);
		timo = t->t_ios.c_cc[VTIME] * 100000000UL;
		min = MIN(t->t_ios.c_cc[VMIN], want);
		if (t->t_ios.c_lflag & ICANON) {
			if (n > 0 || *eof)
				return 0;
			timo = 0;
		} else {
			if (n > 0 && n >= min)
				return 0;
			if (min == 0 && timo == 0)
				return 0;
			if (min > 0 && n == 0)
				timo = 0; /* runs from the first byte on */
		}
		error = tty_wait(t, ioflag, timo);
		if (error == ETIMEDOUT)
			return 0;
		if (error != 0)
			return n > 0 ? 0 : error;
	}
}

/* d_read: at most what is typed, one line in canonical mode. */
static int
tty_read(struct uio *uio, int ioflag)
{
	struct tty *t = &console_tty;
	size_t want = MIN(uio->uio_resid, TTY_INSIZE), n;
	uint8_t *buf;
	bool eof;
	int error;

	error = tty_job(t, SIGTTIN);
	if (error != 0 || want == 0)
		return error;
	buf = kmalloc(want, &M_TEMP, M_WAITOK);
	lockmgr(&t->t_lock, LK_EXCLUSIVE);
	error = tty_wait_input(t, want, ioflag, &n, &eof);
	if (error == 0) {
		tty_take(t, buf, n);
		/* A ^D ends what is before it, and goes unseen with it. */
		if (eof && t->t_mark[t->t_tail % TTY_INSIZE] == MARK_EOF)
			tty_take(t, NULL, 1);
	}
	lockmgr(&t->t_lock, LK_RELEASE);
	if (error == 0)
		error = uiomove(buf, n, uio);
	kfree(buf, &M_TEMP);
	return error;
}

/* d_poll. */
static int
tty_poll(int events)
{
	struct tty *t = &console_tty;
	int ready = POLLOUT | POLLWRNORM;
	bool eof;

	lockmgr(&t->t_lock, LK_SHARED);
	if (tty_ready(t, &eof) > 0 || eof)
		ready |= POLLIN | POLLRDNORM;
	lockmgr(&t->t_lock, LK_RELEASE);
	return ready;
}

/* d_open of /dev/tty: only for those whose controlling terminal it is. */
static int
tty_open_ctty(int flags)
{
	struct proc *p = curproc;

	return p != NULL && p->p_sid != 0 && p->p_sid == console_tty.t_sid
	    ? 0
	    : ENXIO;
}

static const struct cdevsw tty_devices[] = {
    {
	.d_name = "console",
	.d_major = 5,
	.d_minor = 1,
	.d_mode = 0600,
	.d_read = tty_read,
	.d_write = tty_write,
	.d_ioctl = tty_ioctl,
	.d_poll = tty_poll,
    },
    {
	.d_name = "tty",
	.d_major = 5,
	.d_minor = 0,
	.d_mode = 0666,
	.d_read = tty_read,
	.d_write = tty_write,
	.d_ioctl = tty_ioctl,
	.d_poll = tty_poll,
	.d_open = tty_open_ctty,
    },
    {
	.d_name = "ttyS0",
	.d_major = 4,
	.d_minor = 64,
	.d_mode = 0600,
	.d_read = tty_read,
	.d_write = tty_write,
	.d_ioctl = tty_ioctl,
	.d_poll = tty_poll,
    },
};

/* The console comes to life. Boot, before devfs_mount; the scheduler runs. */
void
tty_init(void)
{
	struct tty *t = &console_tty;
	size_t i;

	spin_init(&t->t_rawspin, "ttyraw");
	lockinit(&t->t_lock, "tty");
	tty_defaults(t);
	for (i = 0; i < nitems(tty_devices); i++)
		devfs_register(&tty_devices[i]);
	if (kthread_create("tty", tty_thread, t) == NULL)
		panic("no memory for the terminal's thread");
}
