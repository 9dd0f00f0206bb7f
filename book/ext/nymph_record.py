# SPDX-License-Identifier: BSD-2-Clause
"""nymph_record.py PART RESULTS KERNEL FOLDER: makes the files of book/data.

RESULTS is the result stream of a boot that ran the picture programs, KERNEL the
ELF file with its DWARF.
"""

import json
import os
import sys

from elftools.elf.elffile import ELFFile

from nymph_events import filter_events

STRUCTS = """vm_page vm_object vm_map_entry vm_map vm_map_backing pv_entry pmap
vm_page_queue faultstate lwkt_token lock vmspace swblock""".split()


def outputs(path):
    """What each program has printed."""
    with open(path) as f:
        for line in f:
            try:
                record = json.loads(line)
            except ValueError:
                continue
            if record.get("event") != "end":
                continue
            if record["verdict"] != "exit" or record["code"] != 0:
                sys.exit(f"{record['test']} failed: {record['out']}")
            yield record["test"], record["out"]


def steps(text):
    """The steps of a program."""
    out, events = [], []
    for line in text.splitlines():
        kind, _, rest = line.partition(" ")
        if kind == "step":
            out.append({"what": rest, "procs": [], "events": events})
            events = []
        elif kind == "proc":
            name, _, entry = rest.partition("\t")
            out[-1]["procs"].append(
                {"name": name, "entry": json.loads(entry)["entry"]})
        elif kind == "event":
            word = rest.split()
            events.append({"tid": int(word[3][3:]), "name": word[4],
                           "words": [int(w, 16) for w in word[5:9]]})
    return out


def counts(text):
    """The rows of a measurement: {"walk 3": {counter: number}}."""
    out = {}
    for line in text.splitlines():
        kind, name, number, *values = line.split()
        assert kind == "row", line
        out[f"{name} {number}"] = {k: int(v) for k, v in
                                   (value.split("=") for value in values)}
    return out


def renumber(programs):
    """Object ids count up from the boot; in a figure they begin with 1."""
    for name, program in programs.items():
        ids = {}
        for step in program:
            for proc in step["procs"]:
                for obj in reversed(proc["entry"].get("chain", [])):
                    ids.setdefault(obj["id"], len(ids) + 1)
        for step in program:
            for proc in step["procs"]:
                for obj in proc["entry"].get("chain", []):
                    obj["id"] = ids[obj["id"]]


def type_name(die):
    """A type as C writes it."""
    tag = die.tag if die is not None else None
    if tag is None:
        return "void"

    def inner():
        if "DW_AT_type" not in die.attributes:
            return None
        return die.get_DIE_from_attribute("DW_AT_type")

    name = die.attributes.get("DW_AT_name")
    name = name.value.decode() if name else None
    if tag == "DW_TAG_pointer_type":
        to = inner()
        if to is not None and to.tag == "DW_TAG_subroutine_type":
            return "function *"
        text = type_name(to)
        return text + ("*" if text.endswith("*") else " *")
    if tag == "DW_TAG_array_type":
        count = [c.attributes["DW_AT_upper_bound"].value + 1
                 for c in die.iter_children()
                 if "DW_AT_upper_bound" in c.attributes]
        return type_name(inner()) + "".join(f"[{n}]" for n in count)
    if tag == "DW_TAG_volatile_type":
        return "volatile " + type_name(inner())
    if tag == "DW_TAG_const_type":
        return "const " + type_name(inner())
    for kind in ("structure", "union", "enumeration"):
        if tag == f"DW_TAG_{kind}_type":
            word = {"structure": "struct", "enumeration": "enum"}.get(kind, kind)
            return f"{word} {name}" if name else word
    return name or "?"


def members(die, base=0):
    """Members as [name, type, offset, size]; an anonymous one gives its own."""
    out = []
    for child in die.iter_children():
        if child.tag != "DW_TAG_member":
            continue
        where = child.attributes.get("DW_AT_data_member_location")
        at = base + (where.value if where else 0)
        kind = child.get_DIE_from_attribute("DW_AT_type")
        name = child.attributes.get("DW_AT_name")
        if name is None:
            out += members(kind, at)
            continue
        out.append([name.value.decode(), type_name(kind), at, size(kind)])
    return out


def size(die):
    if "DW_AT_byte_size" in die.attributes:
        return die.attributes["DW_AT_byte_size"].value
    if die.tag == "DW_TAG_array_type":
        n = 1
        for c in die.iter_children():
            if "DW_AT_upper_bound" in c.attributes:
                n *= c.attributes["DW_AT_upper_bound"].value + 1
        return n * size(die.get_DIE_from_attribute("DW_AT_type"))
    return size(die.get_DIE_from_attribute("DW_AT_type"))


def layouts(path):
    """Size and members of the structures that the book shows."""
    found = {}
    with open(path, "rb") as f:
        dwarf = ELFFile(f).get_dwarf_info()
        for unit in dwarf.iter_CUs():
            for die in unit.get_top_DIE().iter_children():
                if die.tag != "DW_TAG_structure_type" or \
                        "DW_AT_byte_size" not in die.attributes or \
                        "DW_AT_name" not in die.attributes:
                    continue
                name = die.attributes["DW_AT_name"].value.decode()
                if name in STRUCTS and name not in found:
                    found[name] = {"size": die.attributes["DW_AT_byte_size"].value,
                                   "members": members(die)}
            if len(found) == len(STRUCTS):
                break
    return found


def keep(folder, name, data):
    with open(os.path.join(folder, name), "w") as f:
        json.dump(data, f, indent=1, sort_keys=True)
        f.write("\n")


def main():
    part, results, kernel, folder = sys.argv[1:]
    made = f"make book-data PART={part}"
    programs, measured, said = {}, {}, {}
    for test, out in outputs(results):
        program, _, name = test.partition("_")
        if program == "measure":
            measured.update(counts(out))
        elif program == "picture":
            programs[name] = steps(out)
        else:
            said[test] = out.splitlines()
    events = filter_events(programs.pop("events"))
    renumber(programs)
    keep(folder, f"chain-{part}.json", {"made": made, "programs": programs})
    keep(folder, f"counts-{part}.json", {"made": made, "rows": measured})
    keep(folder, f"events-{part}.json", {"made": made, "steps": events})
    keep(folder, f"said-{part}.json", {"made": made, "tests": said})
    keep(folder, f"layout-{part}.json", {"made": made, "structs": layouts(kernel)})


if __name__ == "__main__":
    main()
