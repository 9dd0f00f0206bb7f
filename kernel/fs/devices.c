/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The devices without hardware behind them, and the result stream. Numbers
 * as in Linux's Documentation/admin-guide/devices.txt; results has one of
 * those for local use.
 */
#include <linux/errno.h>

#include <dev/fwcfg.h>
#include <dev/uart.h>
#include <fs/vnode.h>
#include <kern/atomic.h>
#include <kern/kprintf.h>
#include <kern/kstring.h>
#include <kern/random.h>

#define RESULT_CHUNK 65536U /* bytes that come out whole, at most */
#define RESULT_NONCE "opt/nymph/nonce"

static const uint8_t zeroes[PAGE_SIZE];

/* null: the end of the file. */
static int
null_read(struct uio *uio, int ioflag)
{
	return 0;
}

/* null and zero: takes everything, whatever it is, and looks at nothing. */
static int
null_write(struct uio *uio, int ioflag)
{
	uio->uio_resid = 0;
	return 0;
}

/* zero and full: zeroes without end. */
static int
zero_read(struct uio *uio, int ioflag)
{
	int error = 0;

	while (uio->uio_resid > 0 && error == 0)
		error = uiomove((void *)(uintptr_t)zeroes, sizeof(zeroes), uio);
	return error;
}

static int
full_write(struct uio *uio, int ioflag)
{
	return ENOSPC;
}

/* random, urandom: the same sequence in every boot. */
static int
random_read(struct uio *uio, int ioflag)
{
	uint8_t buf[256];
	size_t n;
	int error = 0;

	while (uio->uio_resid > 0 && error == 0) {
		n = MIN(uio->uio_resid, sizeof(buf));
		random_bytes(buf, n);
		error = uiomove(buf, n, uio);
	}
	return error;
}

/* Fetches what is to be written in pieces of up to max bytes, and hands each
 * to put. A fault keeps the whole piece back. */
static int
write_pieces(
    struct uio *uio, size_t max, void (*put)(const char *buf, size_t len))
{
	size_t n = MIN(uio->uio_resid, max);
	char *buf;
	int error = 0;

	if (n == 0)
		return 0;
	buf = kmalloc(n, &M_TEMP, M_WAITOK);
	while (uio->uio_resid > 0) {
		n = MIN(uio->uio_resid, max);
		error = uiomove_whole(buf, n, uio);
		if (error != 0)
			break;
		put(buf, n);
	}
	kfree(buf, &M_TEMP);
	return error;
}

static void
results_put(const char *buf, size_t len)
{
	output_write(UART_RESULTS, buf, len);
}

/* results: COM2; one write is never mixed with another CPU's. */
static int
results_write(struct uio *uio, int ioflag)
{
	return write_pieces(uio, RESULT_CHUNK, results_put);
}

/* results: the nonce that this run's records must bear, from QEMU's fw_cfg. Who
 * reads first gets it, and that is init, before any test; nobody else does, and
 * the kernel keeps no copy. */
static int
results_read(struct uio *uio, int ioflag)
{
	static unsigned int told;
	char nonce[65];
	ssize_t len;

	if (atomic_swap_uint(&told, 1) != 0)
		return 0;
	len = fwcfg_read(RESULT_NONCE, nonce, sizeof(nonce));
	if (len <= 0)
		return 0;
	return uiomove(nonce, MIN((size_t)len, sizeof(nonce) - 1), uio);
}

static void
kmsg_put(const char *buf, size_t len)
{
	bool nl = len > 0 && buf[len - 1] == '\n';

	kprintf("%.*s%s", (int)len, buf, nl ? "" : "\n");
}

/* kmsg: a line on the console, as the kernel prints one. */
static int
kmsg_write(struct uio *uio, int ioflag)
{
	return write_pieces(uio, 1024, kmsg_put);
}

static const struct cdevsw device_table[] = {
    {
	.d_name = "null",
	.d_major = 1,
	.d_minor = 3,
	.d_mode = 0666,
	.d_read = null_read,
	.d_write = null_write,
	.d_seekable = true,
    },
    {
	.d_name = "zero",
	.d_major = 1,
	.d_minor = 5,
	.d_mode = 0666,
	.d_read = zero_read,
	.d_write = null_write,
	.d_seekable = true,
    },
    {
	.d_name = "full",
	.d_major = 1,
	.d_minor = 7,
	.d_mode = 0666,
	.d_read = zero_read,
	.d_write = full_write,
	.d_seekable = true,
    },
    {
	.d_name = "random",
	.d_major = 1,
	.d_minor = 8,
	.d_mode = 0666,
	.d_read = random_read,
	.d_write = null_write,
	.d_seekable = true,
    },
    {
	.d_name = "urandom",
	.d_major = 1,
	.d_minor = 9,
	.d_mode = 0666,
	.d_read = random_read,
	.d_write = null_write,
	.d_seekable = true,
    },
    {
	.d_name = "kmsg",
	.d_major = 1,
	.d_minor = 11,
	.d_mode = 0644,
	.d_write = kmsg_write,
    },
    {
	.d_name = "results",
	.d_major = 240,
	.d_minor = 0,
	.d_mode = 0666,
	.d_read = results_read,
	.d_write = results_write,
    },
};

/* Registers them. Boot, before devfs_mount. */
void
devices_init(void)
{
	size_t i;

	for (i = 0; i < nitems(device_table); i++)
		devfs_register(&device_table[i]);
}
