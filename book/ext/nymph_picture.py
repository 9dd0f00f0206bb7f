# SPDX-License-Identifier: BSD-2-Clause
"""Chains of objects, drawn from what /proc/PID/vm said.

A step is {"what": text, "procs": [{"name": text, "entry": {...}}]}, where the
entry is a line of /proc/PID/vm.  An object that several chains share is drawn
once; the front ones stand at the left.
"""

from xml.sax.saxutils import escape

BASE = 0x10000000  # where the programs of grader/programs/picture.c map them
BOX, HIGH, GAP, ROW = 148, 46, 46, 66
STYLE = """
text{font:12px 'DejaVu Sans',Helvetica,sans-serif;fill:#223}
.small{font-size:10px;fill:#556}
.entry{fill:#fff7e0;stroke:#b98a1d}.object{fill:#e8f1fb;stroke:#3d74a8}
.file{fill:#eef6ea;stroke:#55874a}
line,path{stroke:#556;fill:none;stroke-width:1.3}
"""


def depth(step):
    """For each object the column it stands in, and for each the row."""
    column, row, used = {}, {}, {}
    for n, proc in enumerate(step["procs"]):
        for k, obj in enumerate(proc["entry"]["chain"]):
            column[obj["id"]] = max(column.get(obj["id"], 0), k)
    for n, proc in enumerate(step["procs"]):
        for obj in proc["entry"]["chain"]:
            if obj["id"] not in row:
                row[obj["id"]] = max(n, 0)
    for obj in sorted(row):
        place = (column[obj], row[obj])
        while place in used:
            place = (place[0], place[1] + 1)
        used[place] = obj
        row[obj] = place[1]
    return column, row


def words(obj):
    return f"#{obj['id']} ({obj['resident']}/{obj['refs']})"


def chain_words(step):
    """The same as a line of text: for tables, and for who does not see."""
    out = []
    for proc in step["procs"]:
        chain = " > ".join(words(o) for o in proc["entry"]["chain"])
        flags = " needs-copy" if "needs_copy" in flags_of(proc) else ""
        out.append(f"{proc['name']}{flags}: {chain or 'no object'}")
    return "; ".join(out)


def flags_of(proc):
    return [f.lower() for f in proc["entry"].get("flags", [])]


def pages(proc):
    """Which of the eight pages an entry has."""
    first = (int(proc["entry"]["start"], 16) - BASE) // 4096
    last = (int(proc["entry"]["end"], 16) - BASE) // 4096 - 1
    return f"pages {first}-{last}"


def counted(n, what):
    """n of them, in words."""
    return f"{n} {what}" + ("s" if n != 1 else "")


def box(x, y, kind, title, small):
    return (f'<rect class="{kind}" x="{x}" y="{y}" width="{BOX}" '
            f'height="{HIGH}" rx="4"/>'
            f'<text x="{x + 8}" y="{y + 19}">{escape(title)}</text>'
            f'<text class="small" x="{x + 8}" y="{y + 36}">{escape(small)}</text>')


def chain_svg(step):
    column, row = depth(step)
    objects = {o["id"]: o for p in step["procs"] for o in p["entry"]["chain"]}
    out, lines = [], set()

    def left(obj):
        return 10 + (column[obj] + 1) * (BOX + GAP)

    def top(n):
        return 10 + n * ROW

    for n, proc in enumerate(step["procs"]):
        entry = proc["entry"]
        flags = ", needs copy" if "needs_copy" in flags_of(proc) else ""
        out.append(box(10, top(n), "entry", proc["name"], pages(proc) + flags))
        at = (10 + BOX, top(n) + HIGH / 2)
        for obj in entry["chain"]:
            to = (left(obj["id"]), top(row[obj["id"]]) + HIGH / 2)
            lines.add((*at, *to))
            at = (to[0] + BOX, to[1])
    for key, obj in objects.items():
        kind = "file" if obj["type"] in ("vnode", "device") else "object"
        out.append(box(left(key), top(row[key]), kind, f"#{key} {obj['type']}",
                       f"{counted(obj['resident'], 'page')}, "
                       f"{counted(obj['refs'], 'ref')}"))
    for x, y, u, v in sorted(lines):
        m = (x + u) / 2
        out.append(f'<path marker-end="url(#to)" d="M{x} {y} '
                   f'C{m} {y} {m} {v} {u - 7} {v}"/>')
    wide = 20 + BOX + (max(column.values(), default=-1) + 1) * (BOX + GAP)
    high = 20 + HIGH - ROW + \
        ROW * max([len(step["procs"])] + [r + 1 for r in row.values()])
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{wide}" '
            f'height="{high}" viewBox="0 0 {wide} {high}" role="img">'
            f'<title>{escape(chain_words(step))}</title>'
            f'<style>{STYLE}</style><defs><marker id="to" markerWidth="8" '
            'markerHeight="8" refX="1" refY="4" orient="auto">'
            '<path d="M0 0 L8 4 L0 8 z" fill="#556" stroke="none"/></marker></defs>'
            f'<rect width="{wide}" height="{high}" fill="#fdfdfb"/>'
            + "".join(out) + "</svg>\n")
