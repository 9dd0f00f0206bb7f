/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What rdtsc cannot tell, counted from outside by a plugin of QEMU's: locked
 * instructions, those that fill pages, idle CPUs, and for a profile every single
 * one. The guest runs as it does without the plugin, to the instruction.
 *
 *	-plugin FILE,out=PATH[,fill=START-END...][,idle=START-END][,busy=on]
 *	    [,profile=on]
 *
 * Only what is between the marks of grader/bench/bench.h counts. At each row's
 * beginning a line says what the row before it had:
 *
 *	row N locked L filled F idles I instructions P
 *
 * where P, which leaves out the range idle=, in which the kernel's boot CPU waits, is
 * 0 without busy=on or profile=on; and with profile=on a line "ADDRESS COUNT" follows
 * for each instruction.
 *
 * The declarations are those of QEMU's plugin interface, version 1 (its manual,
 * "QEMU TCG Plugins"), of which Debian ships no header.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))

typedef uint64_t plugin_id;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
enum { CB_NO_REGS };

typedef void (*exec_cb)(unsigned int vcpu, void *data);
typedef void (*trans_cb)(plugin_id id, struct qemu_plugin_tb *tb);
typedef void (*vcpu_cb)(plugin_id id, unsigned int vcpu);
typedef void (*exit_cb)(plugin_id id, void *data);

void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id id, trans_cb cb);
void qemu_plugin_register_vcpu_idle_cb(plugin_id id, vcpu_cb cb);
void qemu_plugin_register_atexit_cb(plugin_id id, exit_cb cb, void *data);
void qemu_plugin_register_vcpu_insn_exec_cb(
    struct qemu_plugin_insn *insn, exec_cb cb, int flags, void *data);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(
    const struct qemu_plugin_tb *tb, size_t i);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *insn);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);

EXPORT int qemu_plugin_version = 1;
EXPORT int qemu_plugin_install(
    plugin_id id, const void *info, int argc, char **argv);

#define MAX_FILL 16
#define BUCKETS	 65536

/* An instruction at an address, in whatever program. */
struct counted {
	struct counted *next;
	uint64_t address, count;
};

static FILE *out;
static bool on, busy, profiling, profile_wanted;
static int row = -1, nfill;
static uint64_t fill_start[MAX_FILL], fill_end[MAX_FILL];
static uint64_t idle_start, idle_end;
static uint64_t locked, filled, idles, all;
static struct counted *buckets[BUCKETS];

/* The counter of an address; they are never freed, since code refers to them. */
static struct counted *
counted(uint64_t address)
{
	struct counted **head, *c;

	head = &buckets[(address ^ address >> 16) % BUCKETS];
	for (c = *head; c != NULL; c = c->next)
		if (c->address == address)
			return c;
	c = calloc(1, sizeof(*c));
	if (c == NULL)
		abort();
	c->address = address;
	c->next = *head;
	*head = c;
	return c;
}

/* Ends a row: says what it had, and starts from zero. */
static void
end_row(void)
{
	if (row >= 0)
		fprintf(out,
		    "row %d locked %lu filled %lu idles %lu instructions %lu\n",
		    row, locked, filled, idles, all);
	for (int i = 0; profiling && i < BUCKETS; i++) {
		for (struct counted *c = buckets[i]; c != NULL; c = c->next) {
			if (row >= 0 && c->count != 0)
				fprintf(out, "%lx %lu\n", c->address, c->count);
			c->count = 0;
		}
	}
	locked = filled = idles = all = 0;
	on = false;
}

static void
mark_row(unsigned int vcpu, void *data)
{
	(void)vcpu;
	(void)data;
	end_row();
	row++;
}

static void
mark_on(unsigned int vcpu, void *data)
{
	(void)vcpu;
	(void)data;
	on = true;
}

static void
mark_off(unsigned int vcpu, void *data)
{
	(void)vcpu;
	(void)data;
	on = false;
}

/* One more of what data counts. */
static void
count(unsigned int vcpu, void *data)
{
	(void)vcpu;
	if (on)
		++*(uint64_t *)data;
}

static void
idle(plugin_id id, unsigned int vcpu)
{
	(void)id;
	(void)vcpu;
	idles += on;
}

/* Does the instruction lock the bus (SDM vol. 3, 8.1.2): the prefix LOCK, or
 * XCHG with memory? */
static bool
is_locked(const uint8_t *p, size_t size)
{
	const uint8_t *end = p + size;

	for (; p < end; p++) {
		if (*p == 0xf0)
			return true;
		if (*p != 0x66 && *p != 0x67 && *p != 0xf2 && *p != 0xf3 &&
		    *p != 0x2e && *p != 0x36 && *p != 0x3e && *p != 0x26 &&
		    *p != 0x64 && *p != 0x65 && (*p & 0xf0) != 0x40)
			break;
	}
	return p + 1 < end && (*p == 0x86 || *p == 0x87) && p[1] >> 6 != 3;
}

/* Decides what is counted of an instruction. */
static void
translate_insn(struct qemu_plugin_insn *insn)
{
	static const uint8_t mark[] = {0x0f, 0x1f, 0x80, 0, 'm', 'y', 'N'};
	static const exec_cb marks[] = {mark_row, mark_on, mark_off};
	const uint8_t *p = qemu_plugin_insn_data(insn);
	uint64_t address = qemu_plugin_insn_vaddr(insn);
	size_t size = qemu_plugin_insn_size(insn);

	if (size == sizeof(mark) && memcmp(p, mark, 3) == 0 &&
	    memcmp(p + 4, mark + 4, 3) == 0 && p[3] >= 1 && p[3] <= 3) {
		qemu_plugin_register_vcpu_insn_exec_cb(
		    insn, marks[p[3] - 1], CB_NO_REGS, NULL);
		return;
	}
	if (is_locked(p, size))
		qemu_plugin_register_vcpu_insn_exec_cb(
		    insn, count, CB_NO_REGS, &locked);
	for (int i = 0; i < nfill; i++)
		if (address >= fill_start[i] && address < fill_end[i])
			qemu_plugin_register_vcpu_insn_exec_cb(
			    insn, count, CB_NO_REGS, &filled);
	if ((profiling || busy) &&
	    !(address >= idle_start && address < idle_end))
		qemu_plugin_register_vcpu_insn_exec_cb(
		    insn, count, CB_NO_REGS, &all);
	if (!profiling)
		return;
	qemu_plugin_register_vcpu_insn_exec_cb(
	    insn, count, CB_NO_REGS, &counted(address)->count);
}

/* Firmware and boot loader are not looked at: they run below the kernel's half
 * of the address space, and before any of it. */
static void
translate(plugin_id id, struct qemu_plugin_tb *tb)
{
	size_t n = qemu_plugin_tb_n_insns(tb);
	static bool kernel;

	(void)id;
	if (!kernel &&
	    qemu_plugin_insn_vaddr(qemu_plugin_tb_get_insn(tb, 0)) >> 63 == 0)
		return;
	kernel = true;
	profiling = profile_wanted;
	for (size_t i = 0; i < n; i++)
		translate_insn(qemu_plugin_tb_get_insn(tb, i));
}

static void
finish(plugin_id id, void *data)
{
	(void)id;
	(void)data;
	end_row();
	fclose(out);
}

/* Takes the arguments; see above. */
EXPORT int
qemu_plugin_install(plugin_id id, const void *info, int argc, char **argv)
{
	char *end;

	(void)info;
	for (int i = 0; i < argc; i++) {
		if (strncmp(argv[i], "out=", 4) == 0)
			out = fopen(argv[i] + 4, "w");
		else if (strncmp(argv[i], "idle=", 5) == 0) {
			idle_start = strtoull(argv[i] + 5, &end, 16);
			idle_end = strtoull(end + 1, NULL, 16);
		} else if (strcmp(argv[i], "busy=on") == 0)
			busy = true;
		else if (strcmp(argv[i], "profile=on") == 0)
			profile_wanted = true;
		else if (strncmp(argv[i], "fill=", 5) == 0 &&
		    nfill < MAX_FILL) {
			fill_start[nfill] = strtoull(argv[i] + 5, &end, 16);
			fill_end[nfill++] = strtoull(end + 1, NULL, 16);
		}
	}
	if (out == NULL) {
		fprintf(stderr, "plugin: no out=FILE that can be written\n");
		return 1;
	}
	qemu_plugin_register_vcpu_tb_trans_cb(id, translate);
	qemu_plugin_register_vcpu_idle_cb(id, idle);
	qemu_plugin_register_atexit_cb(id, finish, NULL);
	return 0;
}
