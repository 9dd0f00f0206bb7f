# SPDX-License-Identifier: BSD-2-Clause
"""Listings that are quoted from the kernel while the book is built.

    ```{kernel} vm/vm_fault.c vm_fault_object
    :stage: 1
    :from: a text in the first line to show
    :to: a text in the last one
    :language: text (if it is not C, but a piece of a comment)
    :name: a-label
    ```

shows a function (with :comment:, the comment above it, too), a structure
("struct vm_object"), or what is between two lines.

    ```{kernel-diff} vm/vm_object.c vm_object_deallocate
    :stage: 1
    ```

shows what part 1 did to it.  Something that is not there fails the build.
"""

import difflib
import json
import os
import re

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.directives.code import container_wrapper
from sphinx.util.docutils import SphinxDirective

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


class Missing(Exception):
    """What the text asks for is not in the sources."""


def layers(stage):
    """The folders of a stage, the newest first, and what they remove."""
    out, removed = [], {}
    for part in range(stage, 0, -1):
        slugs = [s for s in os.listdir(os.path.join(TOP, "solutions"))
                 if s.startswith(f"{part:02d}-")]
        if not slugs:
            raise Missing(f"there is no stage {stage}")
        out.append((part, os.path.join("solutions", slugs[0])))
        with open(os.path.join(TOP, "labs", slugs[0], "part.json")) as f:
            removed[part] = json.load(f).get("removed", [])
    return out, removed


def find(path, stage):
    """A kernel file as it is at a stage: its path from the top."""
    found, removed = layers(stage)
    for part, folder in found:
        if os.path.isfile(os.path.join(TOP, folder, path)):
            return os.path.join(folder, path)
        if path in removed[part]:
            return None
    base = os.path.join("kernel", path)
    return base if os.path.isfile(os.path.join(TOP, base)) else None


# What only tools read.
MARKS = re.compile(r"^\s*SCHED_POINT\(|/\* (END )?LAB \d")


def read(path, stage):
    """The lines of a file as (number, text), without marks of tools."""
    where = find(path, stage)
    if where is None:
        raise Missing(f"{path} is not in stage {stage}")
    kept, inside = [], False
    with open(os.path.join(TOP, where)) as f:
        for number, text in enumerate(f.read().split("\n"), 1):
            mark = MARKS.search(text)
            if not mark and not inside:
                kept.append((number, text))
            # A hint may take more lines than one.
            inside = (inside or mark and "LAB" in text) and "*/" not in text
    return where, kept


def region(lines, name, comment=False):
    """The lines of a function, structure or macro by its name."""
    if name.startswith("#define "):
        head = re.compile(re.escape(name) + r"\b")
    elif name.startswith(("struct ", "enum ", "union ")):
        head = re.compile(re.escape(name) + r" \{")
    else:
        head = re.compile(re.escape(name) + r"\(")
    for i, (_, text) in enumerate(lines):
        if not head.match(text):
            continue
        last = i
        if name.startswith("#define "):
            while lines[last][1].endswith("\\"):
                last += 1
            return lines[i:last + 1]
        while last < len(lines) and not lines[last][1].startswith("}"):
            if lines[last][1].endswith(";") and not lines[last][1].startswith(
                    ("\t", " ")):
                break  # only a declaration
            last += 1
        else:
            first = i
            if not name.startswith(("struct ", "enum ", "union ")):
                first = i - 1  # the type stands on a line of its own
            if comment:
                while first > 0 and lines[first - 1][1].strip() and \
                        lines[first - 1][1][0] in " /":
                    first -= 1
            return lines[first:last + 1]
    raise Missing(f"no {name}")


def cut(lines, first, last):
    """From the first line that has a text to the first after it that has another."""
    texts = [t for _, t in lines]
    i, j = 0, len(lines) - 1
    if first:
        i = next((k for k, t in enumerate(texts) if first in t), None)
        if i is None:
            raise Missing(f"no line with \"{first}\"")
    if last:
        j = next((k for k in range(i, len(texts)) if last in texts[k]), None)
        if j is None:
            raise Missing(f"no line with \"{last}\" behind the first")
    return lines[i:j + 1]


def spaces(text):
    """Tabs of eight become spaces, which LaTeX and phones like better."""
    return text.expandtabs(8)


class Quoted(SphinxDirective):
    required_arguments = 1
    final_argument_whitespace = True
    option_spec = {
        "stage": directives.nonnegative_int,
        "from": directives.unchanged,
        "to": directives.unchanged,
        "comment": directives.flag,
        "caption": directives.unchanged,
        "language": directives.unchanged,
        "name": directives.unchanged,
        "context": directives.nonnegative_int,
    }

    def wanted(self, stage):
        path, _, name = self.arguments[0].partition(" ")
        where, lines = read(path, stage)
        self.env.note_dependency(os.path.join(TOP, where))
        if name:
            lines = region(lines, name, "comment" in self.options)
        return where, cut(lines, self.options.get("from"),
                          self.options.get("to"))

    def block(self, text, language, caption, first=None):
        node = nodes.literal_block(text, text, language=language)
        if first:
            node["linenos"] = True
            node["highlight_args"] = {"linenostart": first}
        self.set_source_info(node)
        node = container_wrapper(self, node, caption)
        self.add_name(node)
        return [node]

    def run(self):
        try:
            return self.make()
        except Missing as why:
            raise self.error(f"{self.arguments[0]}: {why}")


class Kernel(Quoted):
    def make(self):
        stage = self.options.get("stage", 0)
        where, lines = self.wanted(stage)
        name = self.arguments[0].partition(" ")[2]
        text = "\n".join(spaces(t) for _, t in lines)
        caption = self.options.get("caption", name or "")
        caption = f"{caption} (``{where}:{lines[0][0]}``)".strip()
        return self.block(text, self.options.get("language", "c"), caption)


class KernelDiff(Quoted):
    def make(self):
        stage = self.options["stage"]
        try:
            _, old = self.wanted(stage - 1)
        except Missing:
            old = []
        try:
            where, new = self.wanted(stage)
        except Missing:
            where, new = self.arguments[0].partition(" ")[0], []
        if not old and not new:
            raise Missing(f"neither in stage {stage - 1} nor in stage {stage}")
        diff = list(difflib.unified_diff(
            [spaces(t) for _, t in old], [spaces(t) for _, t in new],
            lineterm="", n=self.options.get("context", 3)))[2:]
        if not diff:
            raise Missing(f"part {stage} does not change it")
        name = self.arguments[0].partition(" ")[2]
        caption = self.options.get("caption", name)
        return self.block(
            "\n".join(diff), "diff",
            f"{caption}: what part {stage} does (``{where}``)")


def setup(app):
    app.add_directive("kernel", Kernel)
    app.add_directive("kernel-diff", KernelDiff)
    return {"parallel_read_safe": True}
