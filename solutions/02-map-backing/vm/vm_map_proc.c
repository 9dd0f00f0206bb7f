/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Address spaces as text: /proc/PID/maps as Linux writes it, and
 * /proc/PID/vm, which shows every entry with its chain of objects.
 */
#include <linux/limits.h>

#include <fs/vnode.h>
#include <kern/kmalloc.h>
#include <kern/kprintf.h>
#include <kern/sbuf.h>
#include <kern/shm.h>
#include <vm/vm_map.h>

/* Columns before the name in /proc/PID/maps. */
#define MAPS_NAME_COLUMN 73

/* One line of /proc/PID/maps, collected under the map's lock and printed
 * without it: names and attributes of files take other locks. */
struct maps_line {
	vm_offset_t start, end;
	vm_prot_t prot;
	bool shared;
	bool heap, stack;
	struct vnode *vp;    /* referenced, or NULL */
	vm_ooffset_t offset; /* into the file, bytes */
	uint64_t anon_id;    /* shared memory without a file: its object,
			      * or segment + 1 */
	uint32_t shm_key;    /* of the segment */
	bool shm;
};

/* Fills the line for an entry. The map is locked. */
static void
maps_collect(struct vmspace *vm, vm_map_entry_t entry, struct maps_line *ml)
{
	vm_object_t object;

	ml->start = entry->start;
	ml->end = entry->end;
	ml->prot = entry->protection;
	ml->shared = entry->inheritance == VM_INHERIT_SHARE;
	object = vm_map_entry_file(entry, &ml->offset);
	if (object != NULL) {
		if (object->type == OBJT_VNODE) {
			ml->vp = object->handle;
			vref(ml->vp);
		}
		vm_object_drop(object);
		return;
	}
	if (ml->shared && entry->ba.object != NULL) {
		object = entry->ba.object;
		ml->anon_id = object->id;
		ml->shm = OBJ_IS_SHM(object);
		if (ml->shm) {
			shm_identity(object, &ml->shm_key, &ml->anon_id);
			ml->anon_id++;
		}
		ml->offset = entry->ba.offset;
		return;
	}
	ml->heap = entry->start <= vm->vm_brk &&
	    vm->vm_brk > vm->vm_brk_start && entry->end >= vm->vm_brk_start &&
	    entry->id == VM_SUBSYS_BRK;
	ml->stack = entry->id == VM_SUBSYS_STACK;
}

/* Joins a line's entry with the next line's where Linux has one mapping. */
static bool
maps_join(struct maps_line *a, struct maps_line *b)
{
	if (a->end != b->start || a->prot != b->prot ||
	    a->shared != b->shared || a->vp != b->vp || a->heap != b->heap ||
	    a->stack != b->stack || a->anon_id != b->anon_id ||
	    a->shm != b->shm)
		return false;
	if ((a->vp != NULL || a->anon_id != 0) &&
	    a->offset + (vm_ooffset_t)(a->end - a->start) != b->offset)
		return false;
	a->end = b->end;
	return true;
}

/* Prints one line. No lock held; may sleep. */
static void
maps_print(struct maps_line *ml, struct sbuf *sb, char *path)
{
	struct kstat st = {.ino = 0};
	const char *name = NULL, *suffix = "";
	size_t from = sb->sb_len;

	if (ml->vp != NULL) {
		if (vn_stat(ml->vp, &st) != 0)
			st.ino = 0;
		name = path;
		if (vn_fullpath(ml->vp, path, PATH_MAX) != 0) {
			name = "";
			suffix = " (deleted)";
		} else if (st.nlink == 0) {
			suffix = " (deleted)";
		}
	} else if (ml->anon_id != 0) {
		name = "/dev/zero";
		suffix = " (deleted)";
		st.dev = MKDEV(0, 1);
		st.ino = ml->anon_id;
		if (ml->shm) {
			ksnprintf(path, PATH_MAX, "/SYSV%08x", ml->shm_key);
			name = path;
			st.ino--;
		}
	} else if (ml->heap) {
		name = "[heap]";
	} else if (ml->stack) {
		name = "[stack]";
	}
	sbuf_printf(sb, "%08lx-%08lx %c%c%c%c %08lx %02x:%02x %lu ", ml->start,
	    ml->end, ml->prot & VM_PROT_READ ? 'r' : '-',
	    ml->prot & VM_PROT_WRITE ? 'w' : '-',
	    ml->prot & VM_PROT_EXECUTE ? 'x' : '-', ml->shared ? 's' : 'p',
	    ml->vp != NULL || ml->anon_id != 0 ? ml->offset : 0L,
	    DEV_MAJOR(st.dev), DEV_MINOR(st.dev), st.ino);
	if (name != NULL) {
		while (sb->sb_len - from < MAPS_NAME_COLUMN)
			sbuf_write(sb, " ", 1);
		sbuf_printf(sb, "%s%s", name, suffix);
	}
	sbuf_write(sb, "\n", 1);
}

/*
 * Writes /proc/PID/maps. The caller holds the vmspace. Entries that Linux
 * would show as one mapping are one line. May sleep.
 */
void
vm_map_print_maps(struct vmspace *vm, struct sbuf *sb)
{
	vm_map_t map = &vm->vm_map;
	struct maps_line *lines;
	vm_map_entry_t entry;
	char *path;
	int n = 0;

	vm_map_lock_read(map);
	lines = kmalloc(
	    (map->nentries + 1) * sizeof(*lines), &M_TEMP, M_WAITOK | M_ZERO);
	RB_FOREACH (entry, vm_map_rb_tree, &map->rb_root) {
		maps_collect(vm, entry, &lines[n]);
		if (n > 0 && maps_join(&lines[n - 1], &lines[n])) {
			if (lines[n].vp != NULL)
				vrele(lines[n].vp);
			lines[n] = (struct maps_line){.start = 0};
		} else {
			n++;
		}
	}
	vm_map_unlock_read(map);

	path = kmalloc(PATH_MAX, &M_TEMP, M_WAITOK);
	for (int i = 0; i < n; i++) {
		maps_print(&lines[i], sb, path);
		if (lines[i].vp != NULL)
			vrele(lines[i].vp);
	}
	kfree(path, &M_TEMP);
	kfree(lines, &M_TEMP);
}

/* A bit of a flags word, and its name. */
struct flag_name {
	uint32_t bit;
	const char *name;
};

static const struct flag_name entry_flags[] = {
    {MAP_ENTRY_NOSYNC, "nosync"},
    {MAP_ENTRY_STACK, "stack"},
    {MAP_ENTRY_COW, "cow"},
    {MAP_ENTRY_NEEDS_COPY, "needs_copy"},
    {MAP_ENTRY_NOFAULT, "nofault"},
    {MAP_ENTRY_USER_WIRED, "user_wired"},
    {MAP_ENTRY_BEHAV_SEQ, "sequential"},
    {MAP_ENTRY_BEHAV_RANDOM, "random"},
    {MAP_ENTRY_IN_TRANSITION, "in_transition"},
    {MAP_ENTRY_NOCOREDUMP, "nocoredump"},
    {MAP_ENTRY_NOFORK, "nofork"},
    {MAP_ENTRY_WIPEONFORK, "wipeonfork"},
    {0, NULL},
};

static const struct flag_name object_flags[] = {
    {OBJ_DEAD, "dead"},
    {OBJ_NOSPLIT, "nosplit"},
    {OBJ_MIGHTBEDIRTY, "mightbedirty"},
    {OBJ_ONEMAPPING, "onemapping"},
    {0, NULL},
};

static const char *const type_names[OBJT_COUNT] = {
    [OBJT_DEFAULT] = "default",
    [OBJT_SWAP] = "swap",
    [OBJT_VNODE] = "vnode",
    [OBJT_DEVICE] = "device",
    [OBJT_PHYS] = "phys",
    [OBJT_DEAD] = "dead",
};

static const char *const maptype_names[] = {
    [VM_MAPTYPE_UNSPECIFIED] = "unspecified",
    [VM_MAPTYPE_NORMAL] = "normal",
    [VM_MAPTYPE_VPAGETABLE] = "vpagetable",
    [VM_MAPTYPE_SUBMAP] = "submap",
    [VM_MAPTYPE_UKSMAP] = "uksmap",
};

static const char *const inherit_names[] = {
    [VM_INHERIT_SHARE] = "share",
    [VM_INHERIT_COPY] = "copy",
    [VM_INHERIT_NONE] = "none",
};

/* Appends the names of the set bits as a JSON list. */
static void
vm_print_flags(struct sbuf *sb, uint32_t word, const struct flag_name *fn)
{
	const char *sep = "";

	sbuf_printf(sb, "[");
	for (; fn->name != NULL; fn++) {
		if (word & fn->bit) {
			sbuf_printf(sb, "%s\"%s\"", sep, fn->name);
			sep = ",";
		}
	}
	sbuf_printf(sb, "]");
}

/* Appends rights as "rwx". */
static void
vm_print_prot(struct sbuf *sb, const char *key, vm_prot_t prot)
{
	sbuf_printf(sb, "\"%s\":\"%c%c%c\",", key,
	    prot & VM_PROT_READ ? 'r' : '-', prot & VM_PROT_WRITE ? 'w' : '-',
	    prot & VM_PROT_EXECUTE ? 'x' : '-');
}

/* One object of a chain; offset is where the entry's start is in it. The
 * object is held. */
static void
vm_print_object(struct sbuf *sb, vm_object_t object, vm_ooffset_t offset)
{
	sbuf_printf(sb,
	    "{\"id\":%u,\"type\":\"%s\",\"refs\":%d,\"shadows\":0,"
	    "\"resident\":%ld,\"size\":%lu,\"offset\":%ld,\"flags\":",
	    object->id, type_names[object->type], object->ref_count,
	    object->resident_page_count, object->size, offset);
	vm_print_flags(sb, object->flags, object_flags);
	sbuf_printf(sb, "}");
}

/* An entry's chain, front first, each object held shared while it is printed.
 * The map is locked shared, which keeps the chain. */
static void
vm_print_chain(struct sbuf *sb, vm_map_entry_t entry)
{
	struct vm_map_backing *ba = &entry->ba;
	vm_ooffset_t offset = 0;

	if (entry->maptype == VM_MAPTYPE_SUBMAP || ba->object == NULL)
		return;
	for (; ba != NULL; ba = ba->backing_ba) {
		/* LAB 2.1b: where does the entry begin in this level's object? */
		offset += ba->offset;
		/* END LAB 2.1b */
		if (ba != &entry->ba)
			sbuf_printf(sb, ",");
		vm_object_hold_shared(ba->object);
		vm_print_object(sb, ba->object, offset);
		vm_object_drop(ba->object);
	}
}

/*
 * Writes /proc/PID/vm: a JSON object a line, one for each entry, and one for
 * the pmap at the end. The caller holds the vmspace. May sleep.
 */
void
vm_map_print_vm(struct vmspace *vm, struct sbuf *sb)
{
	vm_map_t map = &vm->vm_map;
	vm_map_entry_t entry;

	vm_map_lock_read(map);
	RB_FOREACH (entry, vm_map_rb_tree, &map->rb_root) {
		sbuf_printf(sb,
		    "{\"entry\":{\"start\":\"0x%lx\",\"end\":\"0x%lx\",",
		    entry->start, entry->end);
		vm_print_prot(sb, "prot", entry->protection);
		vm_print_prot(sb, "max", entry->max_protection);
		sbuf_printf(sb, "\"flags\":");
		vm_print_flags(sb, entry->eflags, entry_flags);
		sbuf_printf(sb,
		    ",\"inherit\":\"%s\",\"type\":\"%s\",\"wired\":%d,"
		    "\"chain\":[",
		    inherit_names[entry->inheritance],
		    maptype_names[entry->maptype], entry->wired_count);
		vm_print_chain(sb, entry);
		sbuf_printf(sb, "]}}\n");
	}
	vm_map_unlock_read(map);
	sbuf_printf(sb,
	    "{\"pmap\":{\"resident\":%ld,\"wired\":%ld,\"ptpages\":%ld}}\n",
	    vm->vm_pmap.pm_resident, vm->vm_pmap.pm_wired,
	    vm->vm_pmap.pm_ptpages);
}
