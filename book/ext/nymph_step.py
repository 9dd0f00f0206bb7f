# SPDX-License-Identifier: BSD-2-Clause
"""A recorded program to step through, forwards and backwards.

    ```{stepper}
    :stage: 0
    :name: step-fork
    Caption.
    ```

The events come from book/data/events-N.json; the state after each is computed
here and must agree with what the kernel showed.  The page's script (step.js)
only draws states.  In print it is a table of what happened.
"""

import html
import json
import os
import re

from docutils import nodes

from nymph_data import FromData
from nymph_events import Disagrees, states
from nymph_source import TOP, layers

SHOWN = 2  # lines before and after a call of trace()


def sources(stage):
    """For each event the place that records it: path, line, text."""
    found, removed = layers(stage)
    folders = [os.path.join(TOP, f) for _, f in found] + [
        os.path.join(TOP, "kernel")]
    seen, out = {p for gone in removed.values() for p in gone}, {}
    for folder in folders:
        for part in ("vm", "pmap", "kern"):
            where = os.path.join(folder, part)
            for name in sorted(os.listdir(where)) if os.path.isdir(where) else []:
                path = f"{part}/{name}"
                if path in seen or not name.endswith(".c"):
                    continue
                seen.add(path)
                with open(os.path.join(where, name)) as f:
                    lines = f.read().split("\n")
                for n, text in enumerate(lines):
                    m = re.search(r"\btrace\(\s*TR_(\w+)", text)
                    if m and m.group(1) not in out:
                        first = max(0, n - SHOWN)
                        out[m.group(1)] = {
                            "where": f"{os.path.relpath(where, TOP)}/{name}:{n + 1}",
                            "text": "\n".join(t.expandtabs(8) for t in
                                              lines[first:n + SHOWN + 1]),
                        }
    return out


class Stepper(FromData):
    required_arguments = 0

    def run(self):
        stage = self.options.get("stage", 0)
        try:
            seen = states(self.data("events", stage)["steps"])
        except Disagrees as why:
            raise self.error(f"events-{stage}.json: {why}")
        code = sources(stage)
        for s in seen:
            if s["event"] and s["event"] not in code:
                raise self.error(f"nothing records {s['event']} in stage {stage}")
        caption = self.caption(f"A fork, two writes and an exit in stage {stage}")
        if self.env.app.builder.format != "html":
            rows = [[str(n), s["say"]] for n, s in enumerate(seen) if s["event"]]
            return self.table(["", "event"], rows, caption, [1, 12])
        data = json.dumps({"states": seen, "code": code}).replace("</", "<\\/")
        name = self.options.get("name", f"stepper-{stage}")
        raw = (f'<figure class="stepper" id="{name}" tabindex="0" role="group" '
               f'aria-label="{html.escape(caption)}">'
               f'<script type="application/json">{data}</script>'
               '<noscript><p>This figure needs JavaScript; the events stand in '
               'the printed book.</p></noscript>'
               f'<figcaption>{html.escape(caption)}</figcaption></figure>')
        return [nodes.raw("", raw, format="html")]


def setup(app):
    app.add_directive("stepper", Stepper)
    return {"parallel_read_safe": True}
