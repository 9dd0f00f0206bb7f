# SPDX-License-Identifier: BSD-2-Clause
"""One line each for the VM's structures; print/r shows all members."""

import gdb
import gdb.printing

from nymph import access


class Printer:
    """Says what describe() says, or plainly what is missing."""

    def __init__(self, value):
        self.value = value

    def to_string(self):
        try:
            return self.describe(self.value)
        except access.Absent as absent:
            return "{%s; print/r shows what there is}" % absent


class Map(Printer):
    def describe(self, v):
        return "{map of %d entries, %d KiB}" % (
            int(v["nentries"]), int(v["size"]) // 1024)


class Entry(Printer):
    def describe(self, v):
        start, end = access.entry_range(v)
        objects = " > ".join(short(o) for o, _ in access.chain(v))
        flags = access.flags(v["eflags"], access.ENTRY_FLAGS)
        return "{entry 0x%x-0x%x %s%s: %s}" % (
            start, end, access.rights(v["protection"]),
            " " + flags if flags else "", objects or "no object")


class Object(Printer):
    def describe(self, v):
        return "{object %s %s, size %d}" % (
            short(v), kind(v), int(v["size"]))


class Page(Printer):
    def describe(self, v):
        owner = "no object"
        if int(v["object"]) != 0:
            owner = "#%d[%d]" % (int(v["object"]["id"]), int(v["pindex"]))
        busy = int(v["busy_count"])
        state = " hard-busy" if busy & 0x80000000 else ""
        if busy & 0x1fffffff:
            state += " soft-busy(%d)" % (busy & 0x1fffffff)
        queue, colour = access.queue_kind(int(v["queue"]))
        return "{page 0x%x %s, queue %s/%d, wired %d%s %s}" % (
            int(v["phys_addr"]), owner, queue, colour,
            int(v["wire_count"]), state,
            access.flags(v["flags"], access.PAGE_FLAGS))


class Pmap(Printer):
    def describe(self, v):
        return "{pmap of %d pages, %d wired, page tables at 0x%x, CPUs 0x%x}" % (
            int(v["pm_resident"]), int(v["pm_wired"]), int(v["pm_pml4_pa"]),
            int(v["pm_active"]))


def kind(obj):
    number = int(obj["type"])
    names = access.OBJECT_TYPES
    return names[number] if number < len(names) else "type %d" % number


def short(obj):
    """As the program chain draws one: #id(resident/references)."""
    return "#%d(%d/%d)" % (int(obj["id"]), int(obj["resident_page_count"]),
                           int(obj["ref_count"]))


def register(objfile):
    collection = gdb.printing.RegexpCollectionPrettyPrinter("nymph")
    for name, printer in (("vm_map", Map), ("vm_map_entry", Entry),
                          ("vm_object", Object), ("vm_page", Page),
                          ("pmap", Pmap)):
        collection.add_printer(name, "^%s$" % name, printer)
    gdb.printing.register_pretty_printer(objfile, collection, replace=True)
