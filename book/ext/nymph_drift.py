# SPDX-License-Identifier: BSD-2-Clause
"""nymph_drift.py KEPT NEW: do two files of what make bench says tell the same?

Instructions change a little with each edit of the kernel, and with the compiler; a
reader is served if they are right to the percent.  So a number of one CPU may be
another by 2 %, or by 0.1 if it is small; where several CPUs meet, where waiting has
its part in it, by 10 %.  A row that came, went, or has other words differs.
"""

import json
import sys


def rows(path):
    with open(path) as f:
        return {r["row"]: r for r in json.load(f)["rows"]}


def near(a, b, cpus):
    """Is one near the other?  Words and numbers that are not there must be equal."""
    if not all(isinstance(n, (int, float)) for n in (a, b)):
        return a == b
    return abs(a - b) <= max(0.1, (0.02 if cpus == 1 else 0.1) * max(abs(a), abs(b)))


def main():
    path, new = sys.argv[1:]
    old, new = rows(path), rows(new)
    bad = [f"row {n} {'went' if n in old else 'came'}" for n in sorted(old.keys() ^ new)]
    for name in sorted(old.keys() & new):
        a, b = old[name], new[name]
        bad += [f"{name}: {k} is {b.get(k)}, not {a.get(k)}"
                for k in sorted(a.keys() | b)
                if not near(a.get(k), b.get(k), b["cpus"])]
    for line in bad:
        print(f"{path}: {line}")
    sys.exit(bool(bad))


if __name__ == "__main__":
    main()
