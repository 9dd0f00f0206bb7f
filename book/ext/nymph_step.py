# SPDX-License-Identifier: BSD-2-Clause
"""A recorded program to step through, forwards and backwards.

    ```{stepper}
    :stage: 0
    :name: step-fork
    Caption.
    ```

The events come from book/data/events-N.json; the state after each is computed
here and must agree with what the kernel showed.  The page's script (step.js)
only draws states.  In print it is one picture, of the end of each step; with
:screen: there is nothing in print.

    ```{events} 2
    ```

shows one step of the recording as a table: what /proc/trace said.
"""

import json
import os
import re

from docutils import nodes
from docutils.parsers.rst import directives

from nymph_data import FromData, Picture
from nymph_events import Disagrees, say, states
from nymph_source import TOP, layers
from nymph_state import states_svg

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
                            "text": [t.expandtabs(8) for t in
                                     lines[first:n + SHOWN + 1]],
                            "line": n - first,
                        }
    return out


class Stepper(Picture):
    required_arguments = 0
    option_spec = {**FromData.option_spec, "screen": directives.flag}

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
            if "screen" in self.options:
                return []
            return self.picture(f"states-{stage}", states_svg(seen, stage), caption,
                                caption)
        data = json.dumps({"states": seen, "code": code, "stage": stage})
        raw = ('<script type="application/json">' + data.replace("</", "<\\/")
               + '</script><noscript><p>This figure needs JavaScript; the events '
               'stand in the tour.</p></noscript>')
        return self.figure(nodes.raw("", raw, format="html"), "stepper", caption)


class Events(FromData):
    """One step of the recording, with the place that recorded each event."""

    def run(self):
        stage = self.options.get("stage", 0)
        steps = self.data("events", stage)["steps"]
        try:
            step = steps[int(self.arguments[0])]
        except (ValueError, IndexError):
            raise self.error(f"no step {self.arguments[0]} in events-{stage}.json")
        code = sources(stage)
        rows = []
        for event in step["events"]:
            if event["name"] not in code:
                raise self.error(f"nothing records {event['name']} now")
            rows.append([f"``{event['name']}``", say(event),
                         "``" + code[event["name"]]["where"].partition("/")[2] + "``"])
        if not rows:
            raise self.error(f"nothing happens in step {self.arguments[0]}")
        return self.table(["event", "what it says", "recorded in"], rows,
                          self.caption(step["what"]), [2, 6, 4])


def setup(app):
    app.add_directive("events", Events)
    app.add_directive("stepper", Stepper)
    return {"parallel_read_safe": True}
