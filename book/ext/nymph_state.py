# SPDX-License-Identifier: BSD-2-Clause
"""States of a recorded program as one picture, for paper: what step.js draws on a
page, a panel for the end of each step."""

from xml.sax.saxutils import escape

PAGES, CELL, LEFT, ROW = 8, 26, 96, 84
WIDE = LEFT + PAGES * CELL + 12
PANEL_W, GAP = 2 * WIDE + 40, 30
STYLE = """
text{font:13px 'DejaVu Sans',Helvetica,sans-serif;fill:#223}
.small{font-size:11px;fill:#556}.what{font-weight:bold}
.frame{font-size:12px;text-anchor:middle}
.entry{fill:#fff7e0;stroke:#b98a1d}.object{fill:#e8f1fb;stroke:#3d74a8}
.node{fill:#f3ecfa;stroke:#7a4fa3}.cell{fill:none;stroke:#99a}.page,.rw{fill:#b9d3ec}.ro{fill:#f0dba8}
.arrow{fill:none;stroke:#556;stroke-width:1.3}
"""


def levels(state):
    """How far an object stands from the front of the longest chain."""
    level = {}
    for proc in state["procs"].values():
        at, depth = proc["front"], 0
        while at is not None:
            level[at] = max(level.get(at, 0), depth)
            at, depth = state["objects"][at]["backing"], depth + 1
    return level


def places(state):
    """Where each object stands: (column, level)."""
    procs, out, taken = state["procs"], {}, set()
    for obj, level in sorted(levels(state).items()):
        child = procs.get("child", {}).get("front") == obj and \
            procs.get("parent", {}).get("front") != obj
        column = 1 if child else 0
        while (column, level) in taken:
            column += 1
        taken.add((column, level))
        out[obj] = (column, level)
    return out


def row(x, y, kind, title, small, cells):
    out = [f'<rect class="{kind}" x="{x}" y="{y}" width="{WIDE}" height="44" rx="4"/>'
           f'<text x="{x + 8}" y="{y + 18}">{escape(title)}</text>'
           f'<text class="small" x="{x + 8}" y="{y + 35}">{escape(small)}</text>']
    for i in range(PAGES):
        text, how = cells.get(i, ("", ""))
        at = x + LEFT + i * CELL
        out.append(f'<rect class="cell {how}" x="{at}" y="{y + 9}" '
                   f'width="{CELL - 3}" height="26"/>'
                   f'<text class="frame" x="{at + 11}" y="{y + 27}">{text}</text>')
    return "".join(out)


def panel(what, state, stage, x, y):
    out = [f'<text class="what" x="{x + 8}" y="{y + 14}">{escape(what)}</text>']
    place = {o: (x + 8 + c * (WIDE + 24), y + 94 + k * ROW)
             for o, (c, k) in places(state).items()}

    def arrow(u, v, to):
        m = (v + to[1]) / 2
        out.append(f'<path class="arrow" marker-end="url(#to)" d="M{u} {v} C{u} {m} '
                   f'{to[0] + 50} {m} {to[0] + 50} {to[1] - 6}"/>')

    for i, name in enumerate(("parent", "child")):
        proc = state["procs"].get(name)
        if proc is None:
            continue
        cells = {n: (f, "rw" if w else "ro") for n, (f, w) in proc["ptes"].items()}
        left = x + 8 + i * (WIDE + 24)
        out.append(row(left, y + 24, "entry", name, "needs copy" if
                       proc["needs_copy"] else "entry, PTEs", cells))
        if proc["front"] in place:
            arrow(left + 40, y + 68, place[proc["front"]])
    for obj, (left, top) in place.items():
        o = state["objects"][obj]
        out.append(row(left, top, "object", f"object #{obj}",
                       f"{o['refs']} reference" + ("s" if o["refs"] != 1 else ""),
                       {n: (f, "page") for n, f in o["pages"].items()}))
        if o["backing"] in place and stage < 2:
            arrow(left + 60, top + 44, place[o["backing"]])
        elif o["backing"] in place:
            # The node behind an object belongs to the entries in front of it.
            out.append(f'<rect class="node" x="{left + 8}" y="{top + 47}" height="16" '
                       f'width="104" rx="4"/><text class="small" x="{left + 14}" '
                       f'y="{top + 59}">node #{o["backing"]}, refs {o["refs"]}</text>')
            arrow(left + 60, top + 63, place[o["backing"]])
    return "".join(out)


def ends(seen):
    """The last state of each step."""
    return [s for s, t in zip(seen, seen[1:] + [None])
            if s["event"] and (t is None or t["what"] != s["what"])]


def states_svg(seen, stage):
    """Two panels a row, as high as the deepest chain in it needs."""
    last, out, y = ends(seen), [], 0
    for i in range(0, len(last), 2):
        pair = last[i:i + 2]
        deep = max([max(levels(s["state"]).values(), default=-1) for s in pair])
        for n, s in enumerate(pair):
            out.append(panel(s["what"], s["state"], stage,
                             n * (PANEL_W + GAP), y))
        y += 94 + (deep + 1) * ROW + 10
    wide = 2 * PANEL_W + GAP
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{wide}" height="{y}" '
            f'viewBox="0 0 {wide} {y}"><style>{STYLE}</style><defs>'
            '<marker id="to" markerWidth="8" markerHeight="8" refX="2" refY="4" '
            'orient="auto"><path d="M0 0 L8 4 L0 8 z" fill="#556"/></marker></defs>'
            + "".join(out) + "</svg>\n")
