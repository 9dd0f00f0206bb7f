# SPDX-License-Identifier: BSD-2-Clause
"""Backings, drawn from what /proc/PID/vm said of the objects.

The kernel prints the objects of a chain, not the nodes.  But from part 2 on all
backings that name an object point at the same next node, because each is a
copy of the first one: so the node behind an object is known by that object, and
it has as many references as backings name the object in front of it.  The
objects' reference counts, which the kernel did print, must say the same.
"""

from xml.sax.saxutils import escape

from nymph_picture import BOX, GAP, HIGH, ROW, STYLE, box, flags_of, pages

MORE = ".node{fill:#f3ecfa;stroke:#7a4fa3}.names{stroke-dasharray:4 3;stroke:#889}"


class Inconsistent(Exception):
    """The chains do not fit together."""


def backings(step):
    """Heads as (proc, object, offset, next), nodes as front: (object, offset,
    refs, next); next is the object in front of the next node, or None."""
    heads, nodes, named = [], {}, {}
    for proc in step["procs"]:
        chain = proc["entry"]["chain"]
        for k, obj in enumerate(chain):
            front = chain[k - 1]["id"] if k else None
            behind = obj["id"] if k + 1 < len(chain) else None
            offset = obj["offset"] - (chain[k - 1]["offset"] if k else 0)
            if k == 0:
                heads.append((proc, obj["id"], offset, behind))
            elif nodes.setdefault(front, (obj["id"], offset, behind)) != \
                    (obj["id"], offset, behind):
                raise Inconsistent(f"two different nodes behind #{front}")
    for _, obj, _, _ in heads:
        named[obj] = named.get(obj, 0) + 1
    for obj, _, _ in nodes.values():
        named[obj] = named.get(obj, 0) + 1
    for proc in step["procs"]:
        for obj in proc["entry"]["chain"]:
            if obj["refs"] != named[obj["id"]]:
                raise Inconsistent(f"#{obj['id']} has {obj['refs']} references, "
                                   f"but {named[obj['id']]} backings name it")
    return heads, {f: (o, off, named[f], b) for f, (o, off, b) in nodes.items()}


def count(n, what):
    return f"{n} {what}" + ("" if n == 1 else "s")


def offset_words(offset):
    return f"offset {count(offset // 4096, 'page')}" if offset else "offset 0"


def backing_words(step):
    """The picture as text, for who does not see it."""
    heads, nodes = backings(step)
    out = []
    for proc, obj, offset, behind in heads:
        text = f"{proc['name']}, {pages(proc)}: head names #{obj}, " \
               f"{offset_words(offset)}"
        while behind is not None:
            obj, offset, refs, after = nodes[behind]
            text += f"; then a node behind #{behind} names #{obj}, " \
                    f"{offset_words(offset)}, refs {refs}"
            behind = after
        out.append(text)
    return ". ".join(out)


def backing_svg(step):
    heads, nodes = backings(step)
    objects = {o["id"]: o for p in step["procs"] for o in p["entry"]["chain"]}
    wide_entry, first = 128, 10 + 128 + 26
    place, lines, names, out = {}, [], [], []
    column, row = {}, {}
    for n, (_, _, _, behind) in enumerate(heads):
        k = 1
        while behind is not None:
            column[behind] = max(column.get(behind, 0), k)
            row.setdefault(behind, n)
            behind, k = nodes[behind][3], k + 1
    taken = set()
    for key in sorted(column, key=lambda b: (row[b], column[b])):
        while (column[key], row[key]) in taken:
            row[key] += 1
        taken.add((column[key], row[key]))
        place[key] = (first + column[key] * (BOX + GAP), 10 + row[key] * ROW)
    for n, (proc, obj, offset, behind) in enumerate(heads):
        y = 10 + n * ROW
        flags = ", needs copy" if "needs_copy" in flags_of(proc) else ""
        out.append(f'<rect class="entry" x="10" y="{y}" height="{HIGH}" rx="4" '
                   f'width="{wide_entry + 26 + BOX - 10}"/>'
                   f'<text x="18" y="{y + 19}">{escape(proc["name"])}</text>'
                   f'<text class="small" x="18" y="{y + 36}">'
                   f'{escape(pages(proc) + flags)}</text>')
        out.append(f'<rect class="node" x="{first}" y="{y + 4}" rx="4" '
                   f'width="{BOX - 14}" height="{HIGH - 8}"/>'
                   f'<text x="{first + 8}" y="{y + 21}">head: #{obj}</text>'
                   f'<text class="small" x="{first + 8}" y="{y + 36}">'
                   f'{offset_words(offset)}</text>')
        names.append((first + 60, y + HIGH - 4, obj))
        if behind is not None:
            lines.append((first + BOX - 14, y + HIGH / 2, *place[behind]))
    for key, (obj, offset, refs, behind) in nodes.items():
        x, y = place[key]
        out.append(box(x, y, "node", f"node: #{obj}",
                       f"{offset_words(offset)}, refs {refs}"))
        names.append((x + 60, y + HIGH, obj))
        if behind is not None:
            lines.append((x + BOX, y + HIGH / 2, *place[behind]))
    # The objects stand in a line below, each under the middle of its backings.
    rows = max([len(heads)] + [r + 1 for r in row.values()])
    low = 10 + rows * ROW + 14
    middle = {o: sum(x for x, _, p in names if p == o) /
              sum(1 for _, _, p in names if p == o) for o in objects}
    at, right = 0, {}
    for obj in sorted(objects, key=lambda o: (middle[o], -o)):
        at = right[obj] = max(at, middle[obj] - BOX / 2, 10)
        at += BOX + 14
        o = objects[obj]
        out.append(box(right[obj], low, "object", f"#{obj} {o['type']}",
                       f"{count(o['resident'], 'page')}, "
                       f"{count(o['refs'], 'ref')}"))
    for x, y, obj in names:
        u = right[obj] + BOX / 2
        out.insert(0, f'<path class="names" d="M{x} {y} C{x} {y + 30} {u} '
                      f'{low - 30} {u} {low}"/>')
    for x, y, u, v in lines:
        m, v = (x + u) / 2, v + HIGH / 2
        out.append(f'<path marker-end="url(#to)" d="M{x} {y} '
                   f'C{m} {y} {m} {v} {u - 7} {v}"/>')
    wide = max([first + BOX + 10, at + 6] + [p[0] + BOX + 10 for p in place.values()])
    high = low + HIGH + 10
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{wide:.0f}" '
            f'height="{high}" viewBox="0 0 {wide:.0f} {high}" role="img">'
            f'<title>{escape(backing_words(step))}</title>'
            f'<style>{STYLE}{MORE}</style><defs><marker id="to" markerWidth="8" '
            'markerHeight="8" refX="1" refY="4" orient="auto">'
            '<path d="M0 0 L8 4 L0 8 z" fill="#556" stroke="none"/></marker></defs>'
            f'<rect width="{wide:.0f}" height="{high}" fill="#fdfdfb"/>'
            + "".join(out) + "</svg>\n")
