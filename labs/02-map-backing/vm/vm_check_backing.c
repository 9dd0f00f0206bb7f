/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vm_check() of map backings: the nodes behind the heads of all entries,
 * each once, with as many references as backings point at it. Quiet points
 * only, and so without locks but that of the list of spaces.
 */
#include <kern/kmalloc.h>
#include <vm/vm_check.h>
#include <vm/vm_map.h>

/* A pointer to a node, found in an entry's head or in another node. */
struct node_link {
	struct vm_map_backing *node;
	bool head; /* the entry's own, not one met further down */
};

struct node_list {
	struct node_link *links;
	size_t count, room;
};

/* Calls fn for each entry of each address space. */
static void
foreach_entry(
    void (*fn)(struct node_list *list, vm_map_entry_t), struct node_list *list)
{
	struct vmspace *vm;
	vm_map_entry_t entry;

	spin_lock(&vmspace_list_spin);
	TAILQ_FOREACH (vm, &vmspace_list, vm_list) {
		RB_FOREACH (entry, vm_map_rb_tree, &vm->vm_map.rb_root) {
			if (entry->maptype != VM_MAPTYPE_SUBMAP)
				fn(list, entry);
		}
	}
	spin_unlock(&vmspace_list_spin);
}

/* Counts the nodes behind an entry. */
static void
count_entry(struct node_list *list, vm_map_entry_t entry)
{
	struct vm_map_backing *ba;

	if (entry->ba.refs != 0)
		vm_check_fail("entry %#lx has a head with refs %ld",
		    entry->start, entry->ba.refs);
	for (ba = entry->ba.backing_ba; ba != NULL; ba = ba->backing_ba)
		list->room++;
}

/* Lists the nodes behind an entry. */
static void
list_entry(struct node_list *list, vm_map_entry_t entry)
{
	struct vm_map_backing *ba;
	bool head = true;

	for (ba = entry->ba.backing_ba; ba != NULL && list->count < list->room;
	     ba = ba->backing_ba) {
		list->links[list->count++] = (struct node_link){ba, head};
		head = false;
	}
}

/* Shell's sort, by the node's address. */
static void
sort_links(struct node_list *list)
{
	struct node_link *links = list->links;

	for (size_t gap = list->count / 2; gap > 0; gap /= 2) {
		for (size_t i = gap; i < list->count; i++) {
			struct node_link link = links[i];
			size_t j = i;

			while (j >= gap && links[j - gap].node > link.node) {
				links[j] = links[j - gap];
				j -= gap;
			}
			links[j] = link;
		}
	}
}

/* Backings that point at a node: the heads in its own run of the list, and
 * every node whose next it is, looked at once each. */
static long
count_parents(struct node_list *list, struct vm_map_backing *ba)
{
	struct vm_map_backing *last = NULL;
	long parents = 0;

	for (size_t i = 0; i < list->count; i++) {
		struct node_link *link = &list->links[i];

		if (link->node == ba && link->head)
			parents++;
		if (link->node != last && link->node->backing_ba == ba)
			parents++;
		last = link->node;
	}
	return parents;
}

/* One node. */
static void
check_node(struct node_list *list, struct vm_map_backing *ba)
{
	long parents = count_parents(list, ba);

	if (ba->refs != parents)
		vm_check_fail("a backing of object %u has refs %ld, but %ld "
			      "point at it",
		    ba->object == NULL ? 0 : ba->object->id, ba->refs, parents);
	if (ba->object == NULL)
		vm_check_fail("a backing has no object");
	else if (!OBJT_IS_ANON(ba->object->type) && ba->backing_ba != NULL)
		vm_check_fail("object %u of type %d is not at the tail",
		    ba->object->id, ba->object->type);
	if (ba->offset & PAGE_MASK)
		vm_check_fail("a backing has offset %#lx", ba->offset);
}

/* Checks every node and calls fn once for each. May sleep for memory. */
void
vm_check_backings(void (*fn)(void *arg, vm_object_t object), void *arg)
{
	struct node_list list = {.count = 0};
	struct vm_map_backing *last = NULL;

	foreach_entry(count_entry, &list);
	list.links =
	    kmalloc((list.room + 1) * sizeof(*list.links), &M_TEMP, M_WAITOK);
	foreach_entry(list_entry, &list);
	sort_links(&list);
	for (size_t i = 0; i < list.count; i++) {
		if (list.links[i].node == last)
			continue;
		last = list.links[i].node;
		check_node(&list, last);
		fn(arg, last->object);
	}
	kfree(list.links, &M_TEMP);
}
