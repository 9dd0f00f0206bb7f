# SPDX-License-Identifier: BSD-2-Clause
"""Kernels that were broken on purpose, and the tests that notice.

    ```{mutants} lab01/count-stays lab01/never-ends
    :name: a-label
    Caption
    ```

The names are those of grader/mutants without their numbers; each patch says in its
second line what it breaks, and in its first one who notices.
"""

import glob
import os

from nymph_data import FromData
from nymph_source import TOP

SHOWN = 3  # tests of each


class Mutants(FromData):
    def row(self, name):
        group, _, which = name.partition("/")
        found = glob.glob(os.path.join(TOP, "grader", "mutants",
                                       f"{group}-[0-9]*-{which}.patch"))
        if len(found) != 1:
            raise self.error(f"{len(found)} mutants are called {name}")
        self.env.note_dependency(found[0])
        with open(found[0]) as f:
            tests, what = f.readline().split()[2:], f.readline().lstrip("# ").strip()
        said = ", ".join(f"`{t}`" for t in tests[:SHOWN])
        return [what, said + (" and others" if len(tests) > SHOWN else "")]

    def run(self):
        return self.table(["broken", "noticed by"],
                          [self.row(n) for n in self.arguments[0].split()],
                          self.caption("Broken on purpose"), [3, 2])


def setup(app):
    app.add_directive("mutants", Mutants)
    return {"parallel_read_safe": True}
