/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fw_cfg by its two I/O ports (QEMU, docs/specs/fw_cfg): a selector, and a
 * port from which the selected item is read byte by byte.
 */
#include <kern/cdefs.h>
#include <kern/kstring.h>

#include <amd64/cpufunc.h>
#include <dev/fwcfg.h>

#define FWCFG_SELECT 0x510
#define FWCFG_DATA   0x511

#define FWCFG_SIGNATURE 0x00
#define FWCFG_DIR	0x19

struct fwcfg_file {
	uint32_t size;	 /* big-endian */
	uint16_t select; /* big-endian */
	uint16_t reserved;
	char name[56];
};

/*
 * The next n bytes of the selected item.
 */
static void
fwcfg_bytes(void *buf, size_t n)
{
	uint8_t *p = buf;

	while (n-- > 0)
		*p++ = inb(FWCFG_DATA);
}

/*
 * Walks the directory of files for the name (see fwcfg.h).
 */
ssize_t
fwcfg_read(const char *name, char *buf, size_t size)
{
	char sig[4];
	uint32_t count;
	struct fwcfg_file f;
	size_t len;

	outw(FWCFG_SELECT, FWCFG_SIGNATURE);
	fwcfg_bytes(sig, sizeof(sig));
	if (memcmp(sig, "QEMU", 4) != 0)
		return -1;
	outw(FWCFG_SELECT, FWCFG_DIR);
	fwcfg_bytes(&count, sizeof(count));
	for (count = __builtin_bswap32(count); count > 0; count--) {
		fwcfg_bytes(&f, sizeof(f));
		f.name[sizeof(f.name) - 1] = '\0';
		if (strcmp(f.name, name) != 0)
			continue;
		len = __builtin_bswap32(f.size);
		outw(FWCFG_SELECT, __builtin_bswap16(f.select));
		fwcfg_bytes(buf, MIN(len, size - 1));
		buf[MIN(len, size - 1)] = '\0';
		return (ssize_t)len;
	}
	return -1;
}
