# SPDX-License-Identifier: BSD-2-Clause
"""
The kernel's data, read: lists, trees, flags, and what the parts of the rework
move from one place to another. A stage that has not (or no longer) what is asked
for raises Absent, which says so in a sentence.
"""

import gdb

DMAP = 0xffff800000000000
PAGE_SHIFT = 12
FRAME = 0x000ffffffffff000

OBJECT_TYPES = ["default", "swap", "vnode", "device", "phys", "dead"]
ENTRY_FLAGS = {
    0x0001: "nosync", 0x0002: "stack", 0x0004: "cow", 0x0008: "needs_copy",
    0x0010: "nofault", 0x0020: "user_wired", 0x0040: "sequential",
    0x0080: "random", 0x0100: "in_transition", 0x0400: "nocoredump",
    0x0800: "nofork", 0x1000: "wipeonfork"}
PAGE_FLAGS = {
    0x0001: "mapped", 0x0002: "writeable", 0x0004: "referenced",
    0x0008: "zero", 0x0010: "fictitious", 0x0020: "unmanaged",
    0x0040: "nosync", 0x0080: "ram", 0x0100: "winatcfls", 0x0200: "swapped",
    0x0400: "cleanchk", 0x0800: "need_commit", 0x1000: "marker"}
PTE_FLAGS = {
    0x001: "valid", 0x002: "write", 0x004: "user", 0x020: "accessed",
    0x040: "modified", 0x080: "large", 0x100: "global", 0x200: "wired",
    0x400: "managed", 0x800: "device", 1 << 63: "noexec"}


class Absent(Exception):
    """What was asked for is not there; the text says what."""


def symbol(name):
    """A global or static variable of the kernel."""
    sym = gdb.lookup_global_symbol(name) or gdb.lookup_static_symbol(name)
    if sym is None:
        raise Absent("this kernel has no variable %s" % name)
    return sym.value()


def has(value, field):
    return field in [f.name for f in value.type.strip_typedefs().fields()]


def member(value, field):
    """value.field, where a stage may not have it."""
    if not has(value, field):
        raise Absent("this kernel's %s has no member %s" %
                     (value.type.strip_typedefs(), field))
    return value[field]


def tailq(head, link):
    at = head["tqh_first"]
    while int(at) != 0:
        yield at
        at = at[link]["tqe_next"]


def bsd_list(head, link):
    at = head["lh_first"]
    while int(at) != 0:
        yield at
        at = at[link]["le_next"]


def rb_tree(head, link):
    """In order, without recursion: a broken tree ends in gdb's own error."""
    stack, at = [], head["rbh_root"]
    while stack or int(at) != 0:
        while int(at) != 0:
            stack.append(at)
            at = at[link]["rbe_left"]
        at = stack.pop()
        yield at
        at = at[link]["rbe_right"]


def flags(word, names):
    word = int(word)
    return ",".join(n for bit, n in names.items() if word & bit)


def rights(prot):
    prot = int(prot)
    return "".join(c if prot & b else "-" for b, c in
                   ((1, "r"), (2, "w"), (4, "x")))


def text(value):
    return value.string(errors="replace") if int(value) != 0 else "-"


def process(pid):
    for p in tailq(symbol("allproc"), "p_all"):
        if int(p["p_pid"]) == pid:
            return p
    raise Absent("there is no process %d; nymph ps lists them" % pid)


def vmspace(pid):
    vm = process(pid)["p_vmspace"]
    if int(vm) == 0:
        raise Absent("process %d has no memory any more" % pid)
    return vm


def entry_range(entry):
    """Where an entry begins and ends; its backing knows from part 8 on."""
    at = entry if has(entry, "start") else member(entry, "ba")
    return int(member(at, "start")), int(member(at, "end"))


def entries(vm):
    return (e.dereference() for e in
            rb_tree(vm["vm_map"]["rb_root"], "rb_entry"))


def entry_at(vm, address):
    for entry in entries(vm):
        start, end = entry_range(entry)
        if start <= address < end:
            return entry
    raise Absent("nothing is mapped at 0x%x" % address)


def chain(entry):
    """
    The objects behind an entry, front first, each with the byte offset of the
    entry's start in it: linked by the objects themselves, or from part 2 on by
    the entry's backings.
    """
    if int(entry["maptype"]) == 3:  # a submap
        return
    if has(entry, "ba"):
        ba = entry["ba"]
        start = entry_range(entry)[0]
        while True:
            offset = int(ba["offset"])
            if int(ba["object"]) == 0:
                return
            yield ba["object"].dereference(), offset
            if int(ba["backing_ba"]) == 0:
                return
            ba = ba["backing_ba"].dereference()
    at, offset = member(entry, "object")["vm_object"], int(entry["offset"])
    while int(at) != 0:
        yield at.dereference(), offset
        offset += int(at["backing_object_offset"])
        at = at["backing_object"]


def object_page(obj, pindex):
    """The object's page at an index, or None."""
    at = obj["rb_memq"]["rbh_root"]
    while int(at) != 0:
        here = int(at["pindex"])
        if here == pindex:
            return at
        at = at["rb_entry"]["rbe_left" if pindex < here else "rbe_right"]
    return None


def page_by_address(pa):
    index = (pa >> PAGE_SHIFT) - int(symbol("first_page"))
    if index < 0 or index >= int(symbol("vm_page_array_size")):
        raise Absent("0x%x is not an address of RAM that the VM manages" % pa)
    return symbol("vm_page_array")[index]


def queue_kind(number):
    """The kind and colour of a queue number (vm_page.h)."""
    if number == 0:
        return "none", 0
    per_kind = int(symbol("vm_page_queues").type.sizeof //
                   symbol("vm_page_queues")[0].type.sizeof) // 5
    kinds = ["free", "inactive", "active", "cache", "hold"]
    return kinds[(number - 1) // per_kind], (number - 1) % per_kind


def read_u64(address):
    pointer = gdb.lookup_type("unsigned long").pointer()
    return int(gdb.Value(address).cast(pointer).dereference())


def walk(pmap, address):
    """The entries met on the way to an address: (level, index, entry)."""
    table = int(pmap["pm_pml4_pa"])
    for level, shift in (("PML4", 39), ("PDP", 30), ("PD", 21), ("PT", 12)):
        index = address >> shift & 511
        pte = read_u64(DMAP + table + index * 8)
        yield level, index, pte
        if not pte & 1 or (pte & 0x80 and level in ("PDP", "PD")):
            return
        table = pte & FRAME
