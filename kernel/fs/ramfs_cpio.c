/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ramfs: the tree of files in a cpio archive of the "newc" format (as in
 * Linux's Documentation/driver-api/early-userspace/buffer-format.rst).
 *
 * A member is a header of 110 characters, the magic "070701" and thirteen
 * numbers of eight hexadecimal digits; then the name with its zero byte and
 * then the data, each padded with zeroes to a multiple of four bytes from
 * the beginning of the archive. The last member is called TRAILER!!!.
 *
 * The archive comes from outside: nothing in it is believed before it was
 * compared with what is there, and what is wrong is said in one line.
 */
#include <linux/errno.h>
#include <linux/limits.h>
#include <linux/stat.h>

#include <fs/ramfs.h>
#include <kern/kprintf.h>
#include <kern/kstring.h>

#define CPIO_HEADER  110
#define CPIO_TRAILER "TRAILER!!!"

enum cpio_field {
	C_INO,
	C_MODE,
	C_UID,
	C_GID,
	C_NLINK,
	C_MTIME,
	C_FILESIZE,
	C_MAJ,
	C_MIN,
	C_RMAJ,
	C_RMIN,
	C_NAMESIZE,
	C_CHECK,
	C_FIELDS
};

struct cpio {
	const uint8_t *base;
	size_t size; /* bytes of the archive */
	size_t at;   /* the member's header */
	uint32_t field[C_FIELDS];
	const char *name; /* terminated; made relative */
	const uint8_t *data;
	struct ramfs_node *root;
	char *why; /* what is wrong */
	size_t whysize;
	struct cpio_inode *inodes; /* that more names may follow for */
};

/* A file with several names: the members say so by the same number. */
struct cpio_inode {
	struct cpio_inode *next;
	uint32_t ino, maj, min;
	struct ramfs_node *rn;
};

/* Says what is wrong and where. */
static int
cpio_bad(const struct cpio *c, const char *what)
{
	ksnprintf(c->why, c->whysize, "%s in the member at byte %zu of %zu",
	    what, c->at, c->size);
	return ENOEXEC;
}

/* Eight hexadecimal digits; false when one is none. */
static bool
cpio_hex(const uint8_t *p, uint32_t *valp)
{
	uint32_t val = 0, digit;
	int i;

	for (i = 0; i < 8; i++) {
		if (p[i] >= '0' && p[i] <= '9')
			digit = p[i] - '0';
		else if (p[i] >= 'a' && p[i] <= 'f')
			digit = p[i] - 'a' + 10U;
		else if (p[i] >= 'A' && p[i] <= 'F')
			digit = p[i] - 'A' + 10U;
		else
			return false;
		val = val << 4 | digit;
	}
	*valp = val;
	return true;
}

/* Reads the member at c->at; *endp is the next one's place. */
static int
cpio_member(struct cpio *c, size_t *endp)
{
	const uint8_t *h = c->base + c->at;
	size_t name, data, end, nlen;
	int i;

	if (c->size - c->at < CPIO_HEADER)
		return cpio_bad(c, "the end comes before the trailer");
	if (memcmp(h, "070701", 6) != 0 && memcmp(h, "070702", 6) != 0)
		return cpio_bad(c,
		    c->at == 0 && h[0] == 0x1f && h[1] == 0x8b
			? "gzip (unpack it first)"
			: "no newc magic");
	for (i = 0; i < C_FIELDS; i++) {
		if (!cpio_hex(h + 6 + 8 * i, &c->field[i]))
			return cpio_bad(c, "a digit that is none");
	}
	nlen = c->field[C_NAMESIZE];
	name = c->at + CPIO_HEADER;
	if (nlen == 0 || nlen > PATH_MAX || nlen > c->size - name)
		return cpio_bad(c, "an impossible length of the name");
	c->name = (const char *)c->base + name;
	if (strnlen(c->name, nlen) != nlen - 1)
		return cpio_bad(c, "a name that is not terminated");
	data = roundup2(name + nlen, 4);
	if (data > c->size || c->field[C_FILESIZE] > c->size - data)
		return cpio_bad(c, "more data than there is");
	c->data = c->base + data;
	end = roundup2(data + c->field[C_FILESIZE], 4);
	*endp = MIN(end, c->size);
	return 0;
}

/* Next component of a path, "." and empty ones passed over; length 0 at the
 * end. */
static const char *
component(const char **pathp, size_t *lenp)
{
	const char *p = *pathp, *start;

	for (;;) {
		while (*p == '/')
			p++;
		start = p;
		while (*p != '\0' && *p != '/')
			p++;
		*lenp = (size_t)(p - start);
		if (*lenp != 1 || start[0] != '.')
			break;
	}
	*pathp = p;
	return start;
}

/* The directory that the member stands in, made when the archive forgot it,
 * and the last component; *lenp 0: it is the root itself. */
static int
cpio_parent(
    struct cpio *c, struct ramfs_node **dirp, const char **namep, size_t *lenp)
{
	struct ramfs_node *dir = c->root, *rn;
	struct ramfs_dirent *rd;
	const char *p = c->name, *name, *next;
	size_t len, nlen;

	name = component(&p, &len);
	for (;;) {
		if (len > NAME_MAX)
			return cpio_bad(c, "a name that is too long");
		if (len == 2 && name[0] == '.' && name[1] == '.')
			return cpio_bad(c, "a path with ..");
		next = component(&p, &nlen);
		if (nlen == 0)
			break;
		rd = ramfs_find(dir, name, len);
		if (rd == NULL) {
			rn = ramfs_newnode(dir->rn_mount, VDIR, 0755, 0);
			ramfs_enter(dir, name, len, rn);
			ramfs_drop(rn);
			dir = rn;
		} else if (rd->rd_node->rn_type == VDIR) {
			dir = rd->rd_node;
		} else {
			return cpio_bad(c, "a path through a file");
		}
		name = next;
		len = nlen;
	}
	*dirp = dir;
	*namep = name;
	*lenp = len;
	return 0;
}

/* The node that an earlier member with the same number made, or a new one.
 * The caller gets a reference. */
static struct ramfs_node *
cpio_node(struct cpio *c, enum vtype type)
{
	struct cpio_inode *ci;
	struct ramfs_node *rn;
	bool shared = type != VDIR && c->field[C_NLINK] > 1;

	for (ci = c->inodes; shared && ci != NULL; ci = ci->next) {
		if (ci->ino == c->field[C_INO] && ci->maj == c->field[C_MAJ] &&
		    ci->min == c->field[C_MIN] && ci->rn->rn_type == type) {
			spin_lock(&ramfs_spin);
			ci->rn->rn_refs++;
			spin_unlock(&ramfs_spin);
			return ci->rn;
		}
	}
	rn = ramfs_newnode(c->root->rn_mount, type, c->field[C_MODE],
	    MKDEV(c->field[C_RMAJ], c->field[C_RMIN]));
	if (shared) {
		ci = kmalloc(sizeof(*ci), &M_TEMP, M_WAITOK);
		ci->ino = c->field[C_INO];
		ci->maj = c->field[C_MAJ];
		ci->min = c->field[C_MIN];
		ci->rn = rn;
		rn->rn_refs++; /* nobody else is there yet */
		ci->next = c->inodes;
		c->inodes = ci;
	}
	return rn;
}

/* Owner, mode, time and contents. */
static void
cpio_fill(struct cpio *c, struct ramfs_node *rn)
{
	uint32_t size = c->field[C_FILESIZE];

	rn->rn_mode = c->field[C_MODE] & 07777;
	rn->rn_uid = c->field[C_UID];
	rn->rn_gid = c->field[C_GID];
	rn->rn_mtime = (int64_t)c->field[C_MTIME] * 1000000000;
	rn->rn_atime = rn->rn_ctime = rn->rn_mtime;
	if (rn->rn_type == VREG && size > 0) {
		rn->rn_data = c->data;
		rn->rn_datalen = rn->rn_size = size;
	} else if (rn->rn_type == VLNK && rn->rn_target == NULL) {
		rn->rn_target = kmalloc(size + 1, &M_RAMFS, M_WAITOK);
		memcpy(rn->rn_target, c->data, size);
		rn->rn_target[size] = '\0';
		rn->rn_size = size;
	}
}

/* Enters the member into the tree. A later member of the same name takes the
 * earlier one's place, as in Linux. */
static int
cpio_enter(struct cpio *c)
{
	struct ramfs_node *dir, *rn;
	struct ramfs_dirent *rd;
	enum vtype type;
	const char *name;
	size_t len;
	int error;

	if (!mode_to_vtype(c->field[C_MODE], &type))
		return cpio_bad(c, "an unknown kind of file");
	if (type == VLNK &&
	    (c->field[C_FILESIZE] >= PATH_MAX ||
		memchr(c->data, 0, c->field[C_FILESIZE]) != NULL))
		return cpio_bad(c, "an impossible symlink");
	error = cpio_parent(c, &dir, &name, &len);
	if (error != 0)
		return error;
	rd = len > 0 ? ramfs_find(dir, name, len) : NULL;
	if (len == 0 || (rd != NULL && rd->rd_node->rn_type == VDIR)) {
		if (type != VDIR)
			return cpio_bad(c,
			    "a file in the place of a "
			    "directory");
		cpio_fill(c, len == 0 ? c->root : rd->rd_node);
		return 0;
	}
	rn = cpio_node(c, type);
	cpio_fill(c, rn);
	if (rd == NULL || rd->rd_node != rn) {
		if (rd != NULL)
			ramfs_remove(rd);
		ramfs_enter(dir, name, len, rn);
	}
	ramfs_drop(rn);
	return 0;
}

/* Fills the root, see ramfs.h. Boot: nobody else is there. */
int
ramfs_cpio(struct ramfs_node *root, const void *cpio, size_t size, char *why,
    size_t whysize)
{
	struct cpio c = {
	    .base = cpio,
	    .size = size,
	    .root = root,
	    .why = why,
	    .whysize = whysize,
	};
	struct cpio_inode *ci;
	size_t end;
	int error;

	for (;;) {
		error = cpio_member(&c, &end);
		if (error != 0 || strcmp(c.name, CPIO_TRAILER) == 0)
			break;
		error = cpio_enter(&c);
		if (error != 0)
			break;
		c.at = end;
	}
	while ((ci = c.inodes) != NULL) {
		c.inodes = ci->next;
		ramfs_drop(ci->rn);
		kfree(ci, &M_TEMP);
	}
	return error;
}
