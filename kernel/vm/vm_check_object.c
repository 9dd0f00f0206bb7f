/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vm_check() of objects: what each has cached about itself against what is
 * found by walking all objects and all maps. Quiet points only, and so
 * without tokens.
 *
 * A pass over everything counts references and mapped pages by object in a
 * table sorted by address; then each object is compared with its row.
 */
#include <fs/vnode.h>
#include <kern/kmalloc.h>
#include <kern/shm.h>
#include <vm/vm_check.h>
#include <vm/vm_map.h>

struct object_row {
	vm_object_t object;
	int entries;	    /* map entries that name it */
	int links;	    /* objects that shadow it, a segment */
	vm_pindex_t mapped; /* pages of it within those entries' ranges */
};

struct object_table {
	struct object_row *rows;
	size_t count;
};

/* Shell's sort: no recursion, no memory, no worst case to speak of. */
static void
sort_rows(struct object_row *rows, size_t count)
{
	for (size_t gap = count / 2; gap > 0; gap /= 2) {
		for (size_t i = gap; i < count; i++) {
			struct object_row row = rows[i];
			size_t j = i;

			while (j >= gap && rows[j - gap].object > row.object) {
				rows[j] = rows[j - gap];
				j -= gap;
			}
			rows[j] = row;
		}
	}
}

/* A row for each object on the list. */
static void
table_make(struct object_table *table)
{
	size_t count = 0;
	vm_object_t object;

	spin_lock(&vm_object_list_spin);
	TAILQ_FOREACH (object, &vm_object_list, object_list)
		count++;
	spin_unlock(&vm_object_list_spin);
	table->rows = kmalloc(
	    (count + 1) * sizeof(*table->rows), &M_TEMP, M_WAITOK | M_ZERO);
	table->count = 0;
	spin_lock(&vm_object_list_spin);
	TAILQ_FOREACH (object, &vm_object_list, object_list) {
		if (table->count < count)
			table->rows[table->count++].object = object;
	}
	spin_unlock(&vm_object_list_spin);
	sort_rows(table->rows, table->count);
	if ((int64_t)count != vm_object_count)
		vm_check_fail("%lu objects are on the list, vm_object_count "
			      "is %ld",
		    count, vm_object_count);
}

/* The object's row, or NULL: a pointer to what is no object. */
static struct object_row *
table_find(struct object_table *table, vm_object_t object)
{
	size_t lo = 0, hi = table->count;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (table->rows[mid].object == object)
			return &table->rows[mid];
		if (table->rows[mid].object < object)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

/* Counts the links from each object to the one behind it. */
static void
count_links(struct object_table *table)
{
	for (size_t i = 0; i < table->count; i++) {
		vm_object_t object = table->rows[i].object;
		struct object_row *row;

		if (object->backing_object == NULL)
			continue;
		row = table_find(table, object->backing_object);
		if (row == NULL)
			vm_check_fail("object %u is backed by %p, which is no "
				      "object",
			    object->id, (void *)object->backing_object);
		else
			row->links++;
	}
}

/* Counts what one map entry refers to. */
static void
count_entry(struct object_table *table, vm_map_entry_t entry)
{
	vm_object_t object = entry->object.vm_object;
	vm_pindex_t first = OFF_TO_IDX(entry->offset);
	vm_pindex_t last = first + OFF_TO_IDX(entry->end - entry->start);
	struct object_row *row;

	if (entry->maptype == VM_MAPTYPE_SUBMAP || object == NULL)
		return;
	row = table_find(table, object);
	if (row == NULL) {
		vm_check_fail("entry %#lx refers to %p, which is no object",
		    entry->start, (void *)object);
		return;
	}
	row->entries++;
	if (entry->maptype == VM_MAPTYPE_NORMAL && first < object->size)
		row->mapped += MIN(last, object->size) - first;
}

/* Counts all entries of all address spaces. */
static void
count_entries(struct object_table *table)
{
	struct vmspace *vm;
	vm_map_entry_t entry;

	spin_lock(&vmspace_list_spin);
	TAILQ_FOREACH (vm, &vmspace_list, vm_list) {
		RB_FOREACH (entry, vm_map_rb_tree, &vm->vm_map.rb_root)
			count_entry(table, entry);
	}
	spin_unlock(&vmspace_list_spin);
}

/* The pages: that they say whose they are, in order, and how many. */
static void
check_pages(vm_object_t object)
{
	int64_t count = 0;
	vm_page_t m, last = NULL;

	RB_FOREACH (m, vm_page_rb_tree, &object->rb_memq) {
		count++;
		if (m->object != object)
			vm_check_fail("page %#lx is in object %u's tree and "
				      "says %p",
			    m->phys_addr, object->id, (void *)m->object);
		if (last != NULL && last->pindex >= m->pindex)
			vm_check_fail("object %u has index %lu after %lu",
			    object->id, m->pindex, last->pindex);
		if (m->busy_count != 0)
			vm_check_fail("page %lu of object %u is busy at rest "
				      "(%#x)",
			    m->pindex, object->id, m->busy_count);
		if (OBJT_IS_ANON(object->type) && m->valid != VM_PAGE_BITS_ALL)
			vm_check_fail("page %lu of object %u holds no data "
				      "(valid %#x)",
			    m->pindex, object->id, m->valid);
		if (vm_object_in_gap(object, m->pindex))
			vm_check_fail("object %u has page %lu in its gap",
			    object->id, m->pindex);
		last = m;
	}
	m = object->last_page;
	if (m != NULL &&
	    (m->object != object || m->pindex + 1 != object->gap_start))
		vm_check_fail("object %u has no page before its gap at %lu",
		    object->id, object->gap_start);
	if (count != object->resident_page_count)
		vm_check_fail("object %u has %ld pages, says %ld", object->id,
		    count, object->resident_page_count);
}

/* The list of shadows, and our own place on the backing object's. */
static void
check_shadows(vm_object_t object)
{
	vm_object_t backing = object->backing_object, shadow;
	bool onshadow = backing != NULL && backing->type != OBJT_VNODE;
	int count = 0;

	LIST_FOREACH (shadow, &object->shadow_head, shadow_list) {
		count++;
		if (shadow->backing_object != object)
			vm_check_fail("object %u lists %u as its shadow, which "
				      "is another's",
			    object->id, shadow->id);
	}
	if (count != object->shadow_count)
		vm_check_fail("object %u has %d shadows, says %d", object->id,
		    count, object->shadow_count);
	if (onshadow != ((object->flags & OBJ_ONSHADOW) != 0))
		vm_check_fail("object %u (flags %#x) should%s have ONSHADOW",
		    object->id, object->flags, onshadow ? "" : " not");
}

/* Nobody is at work on the object. */
static void
check_rest(vm_object_t object)
{
	if (object->paging_in_progress != 0)
		vm_check_fail("object %u has paging in progress at rest (%#x)",
		    object->id, object->paging_in_progress);
	if (object->chainlk != 0)
		vm_check_fail("object %u is chain-locked at rest (%#x)",
		    object->id, object->chainlk);
	if (object->hold_count != 0 || object->token.t_count != 0)
		vm_check_fail("object %u is held at rest (%u, token %#x)",
		    object->id, object->hold_count, object->token.t_count);
	if (object->flags & OBJ_DEAD)
		vm_check_fail("object %u is dead and on the list", object->id);
}

/* A file's object and its vnode agree. */
static void
check_vnode(vm_object_t object)
{
	struct vnode *vp = object->handle;

	if (vp == NULL || vp->v_object != object)
		vm_check_fail(
		    "object %u is not the object of its vnode", object->id);
	else if (object->size != OFF_TO_IDX(round_page(vp->v_size)))
		vm_check_fail("object %u has size %lu, its file %lu bytes",
		    object->id, object->size, vp->v_size);
}

/* One object against its row. */
static void
check_object(struct object_row *row)
{
	vm_object_t object = row->object;

	check_pages(object);
	check_shadows(object);
	check_rest(object);
	if (OBJ_IS_SHM(object))
		row->links += shm_has_reference(object);
	if (object->ref_count != row->entries + row->links)
		vm_check_fail("object %u has ref_count %d, but %d entries and "
			      "%d links",
		    object->id, object->ref_count, row->entries, row->links);
	if (object->type == OBJT_VNODE)
		check_vnode(object);
	else if (object->ref_count == 0)
		vm_check_fail("object %u lives without references", object->id);
	if ((object->flags & OBJ_ONEMAPPING) && row->mapped > object->size)
		vm_check_fail("object %u says ONEMAPPING, but %lu of its %lu "
			      "pages are mapped by entries",
		    object->id, row->mapped, object->size);
	if (object->type == OBJT_DEFAULT && object->swblock_count != 0)
		vm_check_fail("object %u has %ld swap blocks and no swap",
		    object->id, object->swblock_count);
}

/* Checks every object. May sleep for memory. */
void
vm_object_check(void)
{
	struct object_table table;

	table_make(&table);
	count_links(&table);
	count_entries(&table);
	for (size_t i = 0; i < table.count; i++)
		check_object(&table.rows[i]);
	kfree(table.rows, &M_TEMP);
}
