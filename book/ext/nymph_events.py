# SPDX-License-Identifier: BSD-2-Clause
"""Replays VM events: what they make of entries, objects, pages and PTEs.

filter_events() keeps, of all events of a boot, those that concern the eight
pages; states() computes the state after each of them and compares it, at the
end of every step, with what /proc/PID/vm said.  The words of an event are
described in kernel/kern/trace.h.
"""

import copy

BASE, END, PAGE = 0x10000000, 0x10008000, 4096


class Disagrees(Exception):
    """The events do not lead to what the kernel showed."""


def where(event):
    """The range of addresses an event is about, or None."""
    w = event["words"]
    return {
        "FAULT": (w[1], w[1] + 1), "FAULT_DONE": (w[0], w[0] + 1),
        "ENTER": (w[1], w[1] + 1), "REMOVE": (w[1], w[2]),
        "PROTECT": (w[1], w[2]), "MAP": (w[1], w[2]), "UNMAP": (w[1], w[2]),
    }.get(event["name"])


OBJECTS = {"PGALLOC": 1, "ZFOD": 1, "COW": 2, "SHADOW": 2, "COLLAPSE": 2,
           "BYPASS": 3, "OBJ_NEW": 1, "OBJ_REF": 1, "OBJ_DEREF": 1, "OBJ_DEAD": 1}


def filter_events(steps):
    """Keeps what concerns the pages; gives objects and pages small numbers."""
    front = set()  # objects that are on the chains of the pages
    for step in steps:
        for proc in step["procs"]:
            front |= {o["id"] for o in proc["entry"].get("chain", [])}
    for step in steps:
        for e in step["events"]:
            if e["name"] == "SHADOW" and e["words"][0] in front:
                front.add(e["words"][1])
    ids = {n: i for i, n in enumerate(sorted(front), 1)}
    phys, tids, spaces = {}, {}, {}
    for step in steps:
        kept = []
        for e in step["events"]:
            w, name, at = e["words"], e["name"], where(e)
            if at is not None:
                if at[1] <= BASE or at[0] >= END:
                    continue
                if name in ("FAULT", "ENTER", "REMOVE", "PROTECT", "MAP", "UNMAP"):
                    w[0] = spaces.setdefault(w[0], len(spaces) + 1)
                if name == "ENTER":
                    pa = w[2] & 0x000ffffffffff000
                    w[2] = [phys.setdefault(pa, len(phys) + 1), w[2] >> 1 & 1]
                if name == "FAULT_DONE":
                    w[1] = phys.setdefault(w[1], len(phys) + 1)
                if name == "FAULT":
                    w[3] = 0
            elif name in OBJECTS:
                if w[0] not in ids:
                    continue
                for i in range(OBJECTS[name]):
                    w[i] = ids.get(w[i], 0)
                if name in ("PGALLOC", "ZFOD"):
                    w[2], w[3] = phys.setdefault(w[2], len(phys) + 1), 0
                if name == "COW":
                    w[3] = phys.setdefault(w[3], len(phys) + 1)
            elif name == "PGFREE":
                if w[0] not in phys:
                    continue
                w[0] = phys[w[0]]
            elif name not in ("FORK", "EXIT"):
                continue
            else:
                w[0] = w[1] = 0
            e["tid"] = tids.setdefault(e["tid"], len(tids) + 1)
            kept.append(e)
        step["events"] = kept
        for proc in step["procs"]:
            for o in proc["entry"].get("chain", []):
                o["id"] = ids[o["id"]]
    return steps


NAMES = {1: "parent", 2: "child"}


def page(va):
    return (va - BASE) // PAGE


def say(event):
    """An event as a sentence."""
    w, name = event["words"], event["name"]
    who = NAMES.get(event["tid"], f"thread {event['tid']}")
    how = {1: "read", 2: "write", 3: "write", 4: "execute"}
    return {
        "MAP": lambda: f"The {who} gets an entry for pages 0 to {page(w[2]) - 1}.",
        "UNMAP": lambda: f"The {who}'s entry goes.",
        "FAULT": lambda: f"The {who} faults: a {how.get(w[2], 'read')} of page {page(w[1])}.",
        "FAULT_DONE": lambda: f"The fault is done; the page had been found at "
                              f"depth {w[2]}.",
        "OBJ_NEW": lambda: f"Object #{w[0]} is made.",
        "PGALLOC": lambda: f"Page frame {w[2]} becomes page {w[1]} of object #{w[0]}.",
        "ZFOD": lambda: f"Page frame {w[2]} is filled with zeros.",
        "COW": lambda: f"Page {w[2]} is copied from object #{w[0]} to object #{w[1]}.",
        "ENTER": lambda: f"The {who}'s page table names frame {w[2][0]} for page "
                         f"{page(w[1])}, {'writable' if w[2][1] else 'read-only'}.",
        "PROTECT": lambda: f"The {who}'s page table entries become read-only.",
        "REMOVE": lambda: f"The {who}'s page table entries are removed.",
        "OBJ_REF": lambda: f"Object #{w[0]} has {w[1]} references now.",
        "OBJ_DEREF": lambda: f"Object #{w[0]} has {w[1]} left.",
        "SHADOW": lambda: f"Object #{w[1]} is put on top of object #{w[0]}.",
        "COLLAPSE": lambda: f"Object #{w[1]} is collapsed into object #{w[0]}: "
                            f"{w[2]} page{'s' if w[2] != 1 else ''} moved.",
        "BYPASS": lambda: f"Object #{w[0]} bypasses object #{w[1]}.",
        "OBJ_DEAD": lambda: f"Object #{w[0]} is dead.",
        "PGFREE": lambda: f"Page frame {w[0]} is free.",
        "FORK": lambda: "The child exists.",
        "EXIT": lambda: "The child is gone.",
    }[name]()


def apply(state, event):
    """One event changes the state."""
    w, name, tid = event["words"], event["name"], event["tid"]
    procs, objects = state["procs"], state["objects"]
    who = NAMES.get(tid)
    if name == "MAP":
        procs[who] = {"front": None, "needs_copy": False, "ptes": {}}
    elif name == "UNMAP":
        procs.pop(who, None)
    elif name == "OBJ_NEW":
        objects[w[0]] = {"refs": 1, "pages": {}, "backing": None}
        if procs[who]["front"] is None:
            procs[who]["front"] = w[0]
    elif name == "PGALLOC":
        objects[w[0]]["pages"][w[1]] = w[2]
    elif name == "ENTER":
        procs[who]["ptes"][page(w[1])] = w[2]
    elif name == "PROTECT":
        for pte in procs[who]["ptes"].values():
            pte[1] = 0
        procs[who]["needs_copy"] = True
    elif name == "REMOVE":
        if who in procs:
            procs[who]["ptes"] = {}
    elif name == "FORK":
        procs["child"] = {"front": procs["parent"]["front"],
                          "needs_copy": True, "ptes": {}}
    elif name in ("OBJ_REF", "OBJ_DEREF"):
        objects[w[0]]["refs"] = w[1]
    elif name == "SHADOW":
        objects[w[1]]["backing"] = w[0]
        procs[who]["front"] = w[1]
        procs[who]["needs_copy"] = False
    elif name == "COLLAPSE":
        above, below = objects[w[0]], objects.pop(w[1])
        for n, frame in below["pages"].items():
            above["pages"].setdefault(n, frame)
        above["backing"] = below["backing"]
    elif name == "BYPASS":
        objects[w[0]]["backing"] = w[2] or None
    elif name == "OBJ_DEAD":
        if w[0] in objects:
            objects[w[0]]["dead"] = True
    elif name == "PGFREE":
        for obj in objects.values():
            obj["pages"] = {n: f for n, f in obj["pages"].items() if f != w[0]}


def tidy(state):
    """Dead objects that nothing names are gone."""
    for key in [k for k, o in state["objects"].items()
                if o.get("dead") and not o["pages"]]:
        if not any(o["backing"] == key for o in state["objects"].values()):
            del state["objects"][key]


def chain(state, who):
    out, at = [], state["procs"][who]["front"]
    while at is not None:
        out.append((at, len(state["objects"][at]["pages"]),
                    state["objects"][at]["refs"]))
        at = state["objects"][at]["backing"]
    return out


def states(steps):
    """A list of {"what", "event", "state"}: the first is the beginning."""
    state = {"procs": {}, "objects": {}}
    out = [{"what": "", "say": "Nothing is mapped.", "event": None,
            "state": copy.deepcopy(state)}]
    for step in steps:
        for event in step["events"]:
            apply(state, event)
            if event["name"] != "COLLAPSE":
                tidy(state)
            out.append({"what": step["what"], "say": say(event),
                        "event": event["name"], "state": copy.deepcopy(state)})
        for proc in step["procs"]:
            told = [(o["id"], o["resident"], o["refs"])
                    for o in proc["entry"].get("chain", [])]
            if told != chain(state, proc["name"]):
                raise Disagrees(f"{step['what']} {proc['name']}: events lead to "
                                f"{chain(state, proc['name'])}, /proc said {told}")
    return out
