# SPDX-License-Identifier: BSD-2-Clause
"""Tables of what operations cost, from book/data/bench-N.json.

    ```{bench} zero_fill cow_write_0 storm_write/4
    :stages: 0 1 2
    :show: instructions locked
    :change:
    :name: a-label
    Caption.
    ```

A row of the table for each row of `make bench` (a storm's name has its CPUs behind
it); a column for each stage and each number to show (instructions), and with
:change: one that says by how much the last stage differs from the first.  `linux`
may stand among the stages.  A row or number that is not there fails the build.
"""

from docutils.parsers.rst import directives

from nymph_data import FromData

# What can be shown: the field of a row, and its heading.
SHOWN = {
    "instructions": ("mean", "instructions"),
    "median": ("p50", "median"),
    "rest": ("rest", "without filling"),
    "filled": ("filled", "filling pages"),
    "locked": ("locked", "locked"),
    "tokens": ("tokens", "tokens"),
    "waits": ("waits", "token waits"),
    "retries": ("retries", "retries"),
    "chain": ("chain_locks", "chain locks"),
    "ipis": ("ipis", "IPIs"),
    "pv": ("pv_bytes", "pv bytes"),
    "elapsed": ("elapsed", "elapsed"),
}


def change(first, last):
    """By how many percent, with a sign."""
    if not isinstance(first, (int, float)) or not first:
        return "–"
    return f"{round((last - first) / first * 100):+d} %".replace("-", "−")


class Bench(FromData):
    option_spec = {
        "stages": directives.unchanged,
        "show": directives.unchanged,
        "change": directives.flag,
        "name": directives.unchanged,
    }

    def rows(self, stage):
        return {r["row"]: r for r in self.data("bench", stage)["rows"]}

    def run(self):
        stages = self.options.get("stages", "0").split()
        shown = self.options.get("show", "instructions").split()
        data = [self.rows(s) for s in stages]
        head = ["operation"]
        for what in shown:
            if what not in SHOWN:
                raise self.error(f"{what} is none of {', '.join(SHOWN)}")
            for s in stages:
                where = "Linux" if s == "linux" else f"stage {s}"
                words = SHOWN[what][1]
                head.append(where if len(shown) == 1 else
                            words if len(stages) == 1 else f"{words}, {where}")
            if "change" in self.options:
                head.append("change")
        rows = []
        for name in self.arguments[0].replace(",", " ").split():
            if name not in data[0]:
                raise self.error(f"no row {name} in bench-{stages[0]}.json")
            line = [data[0][name]["what"]]
            if "/" in name:
                line[0] += f", {name.partition('/')[2]} CPUs"
            for what in shown:
                values = [d.get(name, {}).get(SHOWN[what][0], "–") for d in data]
                if all(v == "–" for v in values):
                    raise self.error(f"{name} has no {what}")
                line += values
                if "change" in self.options:
                    line.append(change(values[0], values[-1]))
            rows.append(line)
        return self.table(head, rows, self.caption("For one operation"),
                          [4] + [1] * (len(head) - 1))


def setup(app):
    app.add_directive("bench", Bench)
    return {"parallel_read_safe": True}
