# SPDX-License-Identifier: BSD-2-Clause
"""What the kernel itself said, kept in book/data by `make book-data`.

    ```{layout} vm_object            a structure's members, from DWARF
    ```{chain} fork 3                 step 3 of a recorded program, drawn
    ```{chain-text} fork              all its steps as text, in a table
    ```{scenario} A B C D E           what the grader's scenarios must print

with `:stage:`. Tables of `make bench` are nymph_bench.py's.
"""

import json
import os
import subprocess

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.util.docutils import SphinxDirective

from nymph_picture import chain_svg, chain_words

BOOK = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


class FromData(SphinxDirective):
    required_arguments = 1
    final_argument_whitespace = True
    has_content = True
    option_spec = {
        "stage": directives.nonnegative_int,
        "fields": directives.unchanged,
        "name": directives.unchanged,
    }

    def data(self, kind, stage):
        path = os.path.join(BOOK, "data", f"{kind}-{stage}.json")
        self.env.note_dependency(path)
        try:
            with open(path) as f:
                return json.load(f)
        except FileNotFoundError:
            raise self.error(f"{os.path.relpath(path)} is not there: "
                             f"make book-data PART={stage}")

    def caption(self, default):
        return "\n".join(self.content) if self.content else default

    def table(self, head, rows, caption, widths=None):
        """A table, with numbers set to the right."""
        table = nodes.table(classes=["data"])
        self.add_name(table)
        title = nodes.title()
        inline, messages = self.state.inline_text(caption, self.lineno)
        title += inline
        table += title
        group = nodes.tgroup(cols=len(head))
        table += group
        for i in range(len(head)):
            group += nodes.colspec(colwidth=widths[i] if widths else 1)
        for part, lines in ((nodes.thead(), [head]), (nodes.tbody(), rows)):
            group += part
            for line in lines:
                row = nodes.row()
                part += row
                for cell in line:
                    entry = nodes.entry()
                    row += entry
                    number = isinstance(cell, (int, float))
                    text = f"{cell:,}" if number else str(cell)
                    if number:
                        entry["classes"].append("number")
                    inline, _ = self.state.inline_text(text, self.lineno)
                    entry += nodes.paragraph("", "", *inline)
        return [table] + messages


class Layout(FromData):
    def run(self):
        stage = self.options.get("stage", 0)
        name = self.arguments[0]
        try:
            struct = self.data("layout", stage)["structs"][name]
        except KeyError:
            raise self.error(f"struct {name} is not in stage {stage}")
        members = struct["members"]
        if "fields" in self.options:
            wanted = self.options["fields"].replace(",", " ").split()
            have = {m[0] for m in members}
            for field in wanted:
                if field not in have:
                    raise self.error(f"struct {name} has no {field} "
                                     f"in stage {stage}")
            members = [m for m in members if m[0] in wanted]
        return self.table(
            ["offset", "bytes", "member", "type"],
            [[m[2], m[3], f"``{m[0]}``", f"``{m[1]}``"] for m in members],
            self.caption(f"``struct {name}``: {struct['size']} bytes "
                         f"in stage {stage}"), [1, 1, 4, 5])


class Chain(FromData):
    def run(self):
        stage = self.options.get("stage", 0)
        name, _, step = self.arguments[0].partition(" ")
        try:
            steps = self.data("chain", stage)["programs"][name]
            step = steps[int(step) - 1]
        except (KeyError, IndexError, ValueError):
            raise self.error(f"no {self.arguments[0]} recorded in stage {stage}")
        words = chain_words(step)
        folder = os.path.join(self.env.app.outdir, "..", "pictures")
        os.makedirs(folder, exist_ok=True)
        base = os.path.join(folder, f"chain-{stage}-"
                            + self.arguments[0].replace(" ", "-"))
        svg = chain_svg(step)
        if not os.path.exists(base + ".svg") or open(base + ".svg").read() != svg:
            with open(base + ".svg", "w") as f:
                f.write(svg)
        latex = self.env.app.builder.format == "latex"
        if latex:
            subprocess.run(["rsvg-convert", "-f", "pdf", "-o", base + ".pdf",
                            base + ".svg"], check=True)
        where = os.path.relpath(base + (".pdf" if latex else ".svg"),
                                os.path.dirname(self.env.doc2path(self.env.docname)))
        figure = nodes.figure()
        figure += nodes.image(uri=where, alt=words, candidates={})
        text = self.caption(step["what"])
        inline, messages = self.state.inline_text(text, self.lineno)
        figure += nodes.caption("", "", *inline)
        figure["classes"].append("chain")
        # Sphinx finds an image from the source's folder.
        figure[0]["uri"] = where
        self.add_name(figure)
        return [figure] + messages


class ChainText(FromData):
    def run(self):
        stage = self.options.get("stage", 0)
        try:
            steps = self.data("chain", stage)["programs"][self.arguments[0]]
        except KeyError:
            raise self.error(f"no {self.arguments[0]} recorded in stage {stage}")
        return self.table(
            ["step", "chains, front first: #object (pages / references)"],
            [[s["what"], chain_words(s)] for s in steps],
            self.caption(f"{self.arguments[0]}, stage {stage}"), [2, 5])


class Scenario(FromData):
    """The grader's own expectation is the source: it is what a boot must say."""

    SHOWN = (1, 2, 3, 6, 12)

    def lines(self, name, stage):
        for n in range(stage, -1, -1):
            path = os.path.join(BOOK, "..", "grader", "expect",
                                f"{n:02d}" if n else "", f"scenario_{name}")
            if os.path.isfile(path):
                self.env.note_dependency(os.path.abspath(path))
                with open(path) as f:
                    return dict(line.split(": ") for line in f.read().splitlines())
        raise self.error(f"no scenario {name}")

    def run(self):
        stage = self.options.get("stage", 0)
        rows = []
        for name in self.arguments[0].split():
            lines = self.lines(name, stage)
            rows.append([f"**{name}**"] + [lines[f"{name} {n}"] for n in self.SHOWN])
        return self.table(
            ["generation"] + [str(n) for n in self.SHOWN], rows,
            self.caption(f"Depth / resident pages in stage {stage}"))


def setup(app):
    app.add_directive("scenario", Scenario)
    app.add_directive("layout", Layout)
    app.add_directive("chain", Chain)
    app.add_directive("chain-text", ChainText)
    return {"parallel_read_safe": True}
