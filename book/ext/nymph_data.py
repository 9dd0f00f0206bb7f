# SPDX-License-Identifier: BSD-2-Clause
"""What the kernel itself said, kept in book/data by `make book-data`.

    ```{layout} vm_object            a structure's members, from DWARF
    ```{chain} fork 3                 step 3 of a recorded program, drawn
    ```{backings} fork 3              its heads and nodes, from part 2 on
    ```{chain-text} fork              all its steps as text, in a table
    ```{vm-lines} fork 3              the lines of /proc/PID/vm it was drawn from
    ```{expected} map_kept            what the grader wants a test to print
    ```{said} backing_tokens          what a test did print, stage by stage
    ```{scenario} A B C D E           what the grader's scenarios must print

with `:stage:`; `{expected}` and `{said}` take `:stages: 0 1 2`. Tables of
`make bench` are nymph_bench.py's.
"""

import json
import os
import subprocess

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.directives.code import container_wrapper
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.docutils import SphinxDirective

from nymph_backing import Inconsistent, backing_svg, backing_words
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


class Picture(FromData):
    def picture(self, name, svg, words, caption):
        """A figure of an SVG text; in print its PDF."""
        folder = os.path.join(self.env.app.outdir, "..", "pictures")
        os.makedirs(folder, exist_ok=True)
        base = os.path.join(folder, name)
        if not os.path.exists(base + ".svg") or open(base + ".svg").read() != svg:
            with open(base + ".svg", "w") as f:
                f.write(svg)
        latex = self.env.app.builder.format == "latex"
        if latex:
            subprocess.run(["rsvg-convert", "-f", "pdf", "-o", base + ".pdf",
                            base + ".svg"], check=True)
        where = os.path.relpath(base + (".pdf" if latex else ".svg"),
                                os.path.dirname(self.env.doc2path(self.env.docname)))
        # Sphinx finds an image from the source's folder.
        return self.figure(nodes.image(uri=where, alt=words, candidates={}),
                           "chain", caption)

    def figure(self, what, kind, caption):
        figure = nodes.figure("", what)
        inline, messages = self.state.inline_text(caption, self.lineno)
        figure += nodes.caption("", "", *inline)
        figure["classes"].append(kind)
        self.add_name(figure)
        return [figure] + messages


class Chain(Picture):
    KIND, SVG, WORDS = "chain", staticmethod(chain_svg), staticmethod(chain_words)

    def run(self):
        stage = self.options.get("stage", 0)
        name, _, step = self.arguments[0].partition(" ")
        try:
            steps = self.data("chain", stage)["programs"][name]
            step = steps[int(step) - 1]
        except (KeyError, IndexError, ValueError):
            raise self.error(f"no {self.arguments[0]} recorded in stage {stage}")
        try:
            svg, words = self.SVG(step), self.WORDS(step)
        except Inconsistent as why:
            raise self.error(f"{self.arguments[0]}, stage {stage}: {why}")
        return self.picture(
            f"{self.KIND}-{stage}-" + self.arguments[0].replace(" ", "-"),
            svg, words, self.caption(step["what"]))


class Backings(Chain):
    KIND, SVG, WORDS = ("backings", staticmethod(backing_svg),
                        staticmethod(backing_words))


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


class VmLines(FromData):
    """As the kernel prints them, a member of a chain on a line of its own."""

    def run(self):
        stage = self.options.get("stage", 0)
        name, _, step = self.arguments[0].partition(" ")
        try:
            step = self.data("chain", stage)["programs"][name][int(step) - 1]
        except (KeyError, IndexError, ValueError):
            raise self.error(f"no {self.arguments[0]} recorded in stage {stage}")
        out = []
        for proc in step["procs"]:
            entry = dict(proc["entry"])
            chain = entry.pop("chain")
            out.append("{\"entry\":" + json.dumps(entry)[:-1] + ", \"chain\":[")
            out += ["    " + json.dumps(obj) + "," for obj in chain]
            out[-1] = out[-1].rstrip(",") + "]}}"
        text = "\n".join(out)
        node = nodes.literal_block(text, text, language="json", force=True)
        self.set_source_info(node)
        node = container_wrapper(self, node, self.caption(step["what"]))
        self.add_name(node)
        return [node]


class Wanted(FromData):
    """The grader's own expectation is the source: it is what a boot must say."""

    def wanted(self, name, stage):
        for n in range(stage, -1, -1):
            path = os.path.join(BOOK, "..", "grader", "expect",
                                f"{n:02d}" if n else "", name)
            if os.path.isfile(path):
                self.env.note_dependency(os.path.abspath(path))
                with open(path) as f:
                    return [line.split(": ", 1) for line in f.read().splitlines()]
        raise self.error(f"the grader expects nothing of {name} in stage {stage}")


class Expected(Wanted):
    """What a test must print, a row for each line, stage beside stage."""

    SAYS = "What ``{}`` must print"
    option_spec = {**FromData.option_spec, "stages": directives.unchanged}

    def run(self):
        stages = [int(s) for s in self.options.get(
            "stages", str(self.options.get("stage", 0))).split()]
        name = self.arguments[0]
        found = [self.wanted(name, s) for s in stages]
        heads = [line[0] for line in found[0]]
        if any([line[0] for line in lines] != heads for lines in found):
            raise self.error(f"{name}: the stages have different lines")
        rows = [[head] + [(lines[i] + [""])[1] for lines in found]
                for i, head in enumerate(heads)]
        return self.table(
            [""] + [f"stage {s}" for s in stages], rows,
            self.caption(self.SAYS.format(name)), [3] + [4] * len(stages))


class Said(Expected):
    """The same of a recorded boot, whether or not the stage's grader asks."""

    SAYS = "What ``{}`` prints"

    def wanted(self, name, stage):
        try:
            return [line.split(": ", 1)
                    for line in self.data("said", stage)["tests"][name]]
        except KeyError:
            raise self.error(f"{name} was not recorded in stage {stage}")


class Scenario(Wanted):
    SHOWN = (1, 2, 3, 6, 12)

    def lines(self, name, stage):
        return dict(self.wanted(f"scenario_{name}", stage))

    def run(self):
        stage = self.options.get("stage", 0)
        rows = []
        for name in self.arguments[0].split():
            lines = self.lines(name, stage)
            rows.append([f"**{name}**"] + [lines[f"{name} {n}"] for n in self.SHOWN])
        return self.table(
            ["generation"] + [str(n) for n in self.SHOWN], rows,
            self.caption(f"Depth / resident pages in stage {stage}"))


class EmptyCells(SphinxPostTransform):
    """In print a paragraph without a word would take a line of its table's row."""

    default_priority = 500
    formats = ("latex",)

    def run(self, **_):
        for entry in self.document.findall(nodes.entry):
            for p in [p for p in entry if isinstance(p, nodes.paragraph)]:
                if not p.children:
                    entry.remove(p)


def setup(app):
    app.add_post_transform(EmptyCells)
    app.add_directive("scenario", Scenario)
    app.add_directive("layout", Layout)
    app.add_directive("chain", Chain)
    app.add_directive("backings", Backings)
    app.add_directive("expected", Expected)
    app.add_directive("said", Said)
    app.add_directive("chain-text", ChainText)
    app.add_directive("vm-lines", VmLines)
    return {"parallel_read_safe": True}
