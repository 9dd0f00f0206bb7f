# SPDX-License-Identifier: BSD-2-Clause
"""Tables of what booted kernels counted (book/data/counts-N.json).

    ```{counts} read
    :rows: 0 1 2 12
    :of: depth
    :columns: tokens = tok_shared + tok_excl; chain locks = chainlk
    :formulas: tokens = 1 + 2 * n; chain locks = 2 * (n + 1)
    :stages: 0 1
    Caption
    ```

A column is a sum of counters of kern/vmmeter.h, without their v_.  With
:formulas: a number must be what the text derives for that row, or the build fails.
"""

import ast
import operator

from docutils.parsers.rst import directives

from nymph_data import FromData

OPS = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul}


def value(text, names):
    """An expression of names and numbers with +, - and *."""
    def at(node):
        if isinstance(node, ast.BinOp) and type(node.op) in OPS:
            return OPS[type(node.op)](at(node.left), at(node.right))
        if isinstance(node, ast.Name):
            return names[node.id]
        if isinstance(node, ast.Constant) and isinstance(node.value, int):
            return node.value
        raise KeyError(ast.unparse(node))

    return at(ast.parse(text.strip(), mode="eval").body)


def named(text):
    """"a = x; b = y" as pairs."""
    return [tuple(p.strip() for p in part.split("=", 1))
            for part in (text or "").split(";") if part.strip()]


class Counts(FromData):
    option_spec = dict(FromData.option_spec, **{
        "rows": directives.unchanged_required,
        "of": directives.unchanged,
        "columns": directives.unchanged_required,
        "formulas": directives.unchanged,
        "stages": directives.unchanged,
    })

    def cell(self, stage, row, column, formula):
        """One number, or why it can't be."""
        rows = self.data("counts", stage)["rows"]
        key = f"{self.arguments[0]} {row}"
        if key not in rows:
            raise self.error(f"no row \"{key}\" in counts-{stage}.json")
        try:
            number = value(column, {k.removeprefix("v_"): v
                                    for k, v in rows[key].items()})
            wanted = number if formula is None else value(formula, {"n": int(row)})
        except KeyError as what:
            raise self.error(f"{column}: no {what}")
        if number != wanted:
            raise self.error(f"{key}: stage {stage} counted {number} {column}, "
                             f"{formula} is {wanted}")
        return number

    def run(self):
        stages = self.options.get("stages", str(self.options.get("stage", 0))).split()
        columns = named(self.options["columns"])
        formulas = dict(named(self.options.get("formulas")))
        for name in formulas:
            if name not in dict(columns):
                raise self.error(f"no column \"{name}\"")
        head = [self.options.get("of", "")]
        for name, _ in columns:
            head += [name] if len(stages) == 1 else [
                f"{name}, stage {s}" for s in stages]
        rows = [[int(row)] + [self.cell(s, row, column, formulas.get(name))
                              for name, column in columns for s in stages]
                for row in self.options["rows"].split()]
        return self.table(head, rows, self.caption(self.arguments[0]))


def setup(app):
    app.add_directive("counts", Counts)
    return {"parallel_read_safe": True}
