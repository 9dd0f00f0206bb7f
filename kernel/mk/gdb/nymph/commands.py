# SPDX-License-Identifier: BSD-2-Clause
"""The commands "nymph ps", "nymph map PID" and so on; see "help nymph"."""

import gdb

from nymph import access, printers

COMMANDS = []


def command(usage, words):
    """Makes a function the command "nymph USAGE"; it gets its numbers."""
    def make(function):
        class Command(gdb.Command):
            __doc__ = "nymph %s: %s" % (usage, words)

            def __init__(self):
                super().__init__("nymph " + usage.split()[0],
                                 gdb.COMMAND_DATA)

            def invoke(self, argument, from_tty):
                run(function, usage, gdb.string_to_argv(argument))

        COMMANDS.append(Command)
        return function
    return make


def run(function, usage, argv):
    """Runs a command; whatever is wrong is one sentence."""
    wanted = usage.split()[1:]
    least = len([w for w in wanted if not w.startswith("[")])
    try:
        if not least <= len(argv) <= len(wanted):
            print("usage: nymph " + usage)
            return
        function(*[int(gdb.parse_and_eval(a)) for a in argv])
    except access.Absent as absent:
        print("nymph %s: %s" % (usage.split()[0], absent))
    except gdb.error as error:
        print("nymph %s: this kernel, or its memory now, does not have what "
              "that needs (%s)" % (usage.split()[0], error))


THREAD_STATES = ["new", "runnable", "running", "sleeping", "dead"]
PROCESS_STATES = ["embryo", "active", "stopped", "zombie"]


@command("ps", "processes and their threads")
def ps():
    print("%5s %5s %-8s %8s  %s" % ("PID", "PPID", "STATE", "RESIDENT", "NAME"))
    for p in access.tailq(access.symbol("allproc"), "p_all"):
        vm, parent = p["p_vmspace"], p["p_parent"]
        print("%5d %5d %-8s %8s  %s" % (
            int(p["p_pid"]), int(parent["p_pid"]) if int(parent) else 0,
            PROCESS_STATES[int(p["p_state"])],
            int(vm["vm_pmap"]["pm_resident"]) if int(vm) else "-",
            access.text(p["p_comm"].address.cast(
                gdb.lookup_type("char").pointer()))))
        for td in access.bsd_list(p["p_threads"], "td_plist"):
            state = THREAD_STATES[int(td["td_state"])]
            if state == "sleeping":
                state += " in \"%s\"" % access.text(td["td_wmesg"])
            print("%11s thread %d, CPU %d, %s" % (
                "", int(td["td_tid"]), int(td["td_cpu"]), state))


INHERIT = ["share", "copy", "none"]
MAPTYPES = ["unspecified", "normal", "vpagetable", "submap", "uksmap"]


@command("map PID", "a process's mappings, each with its objects: "
         "#id(resident pages/references), front first")
def show_map(pid):
    vm = access.vmspace(pid)
    for e in access.entries(vm):
        start, end = access.entry_range(e)
        flags = access.flags(e["eflags"], access.ENTRY_FLAGS)
        print("0x%x-0x%x %s %s %s%s%s: %s" % (
            start, end, access.rights(e["protection"]),
            INHERIT[int(e["inheritance"])], MAPTYPES[int(e["maptype"])],
            " wired %d" % int(e["wired_count"]) if int(e["wired_count"]) else "",
            " " + flags if flags else "",
            " > ".join(printers.short(o) for o, _ in access.chain(e))
            or "no object"))
    print(vm["vm_pmap"])


@command("chain PID ADDR", "the objects behind an address, and in which of "
         "them its page is")
def show_chain(pid, address):
    entry = access.entry_at(access.vmspace(pid), address)
    start = access.entry_range(entry)[0]
    for depth, (obj, offset) in enumerate(access.chain(entry)):
        pindex = (offset + address - start) >> access.PAGE_SHIFT
        page = access.object_page(obj, pindex)
        print("%d: %s %s, offset 0x%x, index %d: %s" % (
            depth, printers.short(obj), printers.kind(obj), offset, pindex,
            "page 0x%x" % int(page["phys_addr"]) if page is not None
            else "no page"))


@command("walk PID ADDR", "the page tables on the way to an address")
def show_walk(pid, address):
    for level, index, pte in access.walk(
            access.vmspace(pid)["vm_pmap"], address):
        print("%-4s[%3d] 0x%016x %s" % (
            level, index, pte,
            access.flags(pte, access.PTE_FLAGS) if pte & 1 else "not valid"))


@command("page PA", "the page at a physical address, and who maps it")
def show_page(pa):
    m = access.page_by_address(pa)
    print(m)
    print("valid 0x%x, dirty 0x%x, held %d" % (
        int(m["valid"]), int(m["dirty"]), int(m["hold_count"])))
    if not access.has(m["md"], "pv_list"):
        print("this kernel keeps no list of a page's mappings")
        return
    for pv in access.tailq(m["md"]["pv_list"], "pv_list"):
        owner = [int(p["p_pid"]) for p in
                 access.tailq(access.symbol("allproc"), "p_all")
                 if int(p["p_vmspace"]) != 0 and
                 int(p["p_vmspace"]["vm_pmap"].address) == int(pv["pv_pmap"])]
        print("mapped at 0x%x by %s" % (
            int(pv["pv_pindex"]) << access.PAGE_SHIFT,
            ", ".join("process %d" % p for p in owner)
            or "pmap 0x%x" % int(pv["pv_pmap"])))


@command("queues", "how many pages are on each kind of queue")
def queues():
    total, used = {}, {}
    array = access.symbol("vm_page_queues")
    for number in range(1, array.type.range()[1] + 1):
        kind, _ = access.queue_kind(number)
        n = int(array[number]["lcnt"])
        total[kind] = total.get(kind, 0) + n
        used[kind] = used.get(kind, 0) + (n != 0)
    for kind in total:
        print("%-8s %8d pages on %d queues" % (kind, total[kind], used[kind]))


@command("trace [N]", "the newest events of the VM (20), oldest first")
def trace(n=20):
    cpus, names = access.symbol("globaldata_array"), access.symbol("trace_names")
    slots, records = 1024, []
    base, mult = int(access.symbol("tsc_base")), int(access.symbol("tsc_mult"))
    for cpu in range(int(access.symbol("ncpus"))):
        ring = cpus[cpu]["gd_trace"]
        last = int(cpus[cpu]["gd_trace_next"])
        for i in range(max(0, last - min(n, slots)), last):
            r = ring[i % slots]
            if int(r["tr_seq"]) != 0:
                records.append((int(r["tr_seq"]), cpu, r))
    for seq, cpu, r in sorted(records, key=lambda x: x[0])[-n:]:
        print("%8d %12d cpu%d tid %d %-10s %s" % (
            seq, (int(r["tr_ns"]) - base) * mult >> 32, cpu,
            int(r["tr_tid"]), access.text(names[int(r["tr_event"])]),
            " ".join("%x" % int(r["tr_w"][i]) for i in range(4))))


def held(td):
    """The names of what a thread holds."""
    for i in range(int(td["td_ntoks"])):
        tok = td["td_toks"][i]["tr_tok"]
        how = "exclusive" if int(tok["t_count"]) & 0x80000000 else "shared"
        yield "token %s (%s)" % (access.text(tok["t_desc"]), how)
    lock = gdb.lookup_type("struct lock").pointer()
    for i in range(int(td["td_nlocks"])):
        lk = td["td_locks"][i].cast(lock)
        how = "exclusive" if int(lk["lk_count"]) < 0 else "shared"
        yield "lock %s (%s)" % (access.text(lk["lk_name"]), how)


@command("locks", "who holds tokens, locks and spinlocks, and who sleeps "
         "holding a lock")
def locks():
    found = False
    for td in access.tailq(access.symbol("allthreads"), "td_allq"):
        names = list(held(td))
        if not names:
            continue
        found = True
        state = THREAD_STATES[int(td["td_state"])]
        if state == "sleeping":
            # Its tokens are given up while it sleeps.
            state += " in \"%s\"" % access.text(td["td_wmesg"])
        print("thread %d (%s), %s: %s" % (
            int(td["td_tid"]), td["td_name"].string(), state,
            ", ".join(names)))
    cpus = access.symbol("globaldata_array")
    for cpu in range(int(access.symbol("ncpus"))):
        gd = cpus[cpu]
        for i in range(1, int(gd["gd_spinlocks"]) + 1):
            found = True
            print("CPU %d: spinlock %s" % (
                cpu, access.text(gd["gd_spinheld"][i]["name"])))
    if not found:
        print("nobody holds anything")


def register():
    class Nymph(gdb.Command):
        """Nymph's kernel: processes, memory, pages, locks."""

        def __init__(self):
            super().__init__("nymph", gdb.COMMAND_DATA, prefix=True)

    Nymph()
    for make in COMMANDS:
        make()
