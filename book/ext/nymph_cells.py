# SPDX-License-Identifier: BSD-2-Clause
"""One moment of the figures to step through, as a picture that stands still.

    ```{cells} 4
    :stage: 0
    :name: a-label
    Caption.
    ```

is the state at the end of the recording's fourth step: for each process its page
table, for each object its eight places and the page frames in them.
"""

from nymph_data import Picture
from nymph_events import Disagrees, states
from nymph_state import PANEL_W, ROW, STYLE, levels, panel

TITLE = 22  # a panel's heading, which the caption replaces


def svg(state, stage):
    deep = max(levels(state).values(), default=-1)
    wide = PANEL_W - 16 if len(state["procs"]) > 1 else (PANEL_W - 16) / 2
    high = 80 + (deep + 1) * ROW - TITLE
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{wide}" '
            f'height="{high}" viewBox="0 {TITLE} {wide} {high}">'
            f'<style>{STYLE}</style><defs><marker id="to" markerWidth="8" '
            'markerHeight="8" refX="2" refY="4" orient="auto">'
            '<path d="M0 0 L8 4 L0 8 z" fill="#556"/></marker></defs>'
            f'<rect width="{wide}" height="{high + TITLE}" fill="#fdfdfb"/>'
            + panel("", state, stage, 0, 0) + "</svg>\n")


def words(state):
    out = []
    for name, proc in state["procs"].items():
        at, chain = proc["front"], []
        while at is not None:
            obj = state["objects"][at]
            chain.append(f"object #{at} with pages "
                         + (" ".join(map(str, sorted(obj["pages"]))) or "none"))
            at = obj["backing"]
        out.append(f"{name}: " + ", behind it ".join(chain))
    return "; ".join(out)


class Cells(Picture):
    def run(self):
        stage = self.options.get("stage", 0)
        number = self.arguments[0]
        steps = self.data("events", stage)["steps"]
        try:
            step = steps[int(number)]
            state = states(steps[:int(number) + 1])[-1]["state"]
        except (IndexError, ValueError):
            raise self.error(f"no step {number} recorded")
        except Disagrees as why:
            raise self.error(f"events-{stage}.json: {why}")
        return self.picture(f"cells-{stage}-{number}", svg(state, stage),
                            words(state), self.caption(step["what"]))


def setup(app):
    app.add_directive("cells", Cells)
    return {"parallel_read_safe": True}
