# SPDX-License-Identifier: BSD-2-Clause
"""The functions of a kernel header, with what stands above each.

    ```{interface} vm/vm_object.h
    :stage: 2
    :also: vm/vm_fault_object.c vm_fault_object
    ```

lists what the header declares, and of a .c file the function named, so that
{c:func}`vm_object_hold` leads there.  Each function may be listed once.

    ```{gdb-commands}
    :name: a-label
    Caption.
    ```

is a table of the commands that the kernel's scripts add to gdb.
"""

import ast
import os
import re

from docutils import nodes
from docutils.parsers.rst import directives
from docutils.statemachine import StringList
from sphinx.util.docutils import SphinxDirective

from nymph_data import FromData
from nymph_source import TOP, Missing, read, region


def plain(comment):
    """The text of a comment."""
    text = re.sub(r"^\s*/\*+|\*/\s*$", "", comment.strip())
    return " ".join(re.sub(r"^\s*\*\s?", "", t).strip() for t in text.split("\n")).strip()


def prototypes(lines):
    """(declaration, comment) for each function of a header."""
    text = "\n".join(t for _, t in lines)
    token = re.compile(
        r"/\*.*?\*/|^[a-z][\w *]*?[ *]\**(\w+)\([^;{}]*?\)[^;{}]*;[^\n]*|^\n", re.S | re.M)
    comment = ""
    for m in token.finditer(text):
        piece = m.group(0)
        if piece.startswith("/*"):
            comment = piece if "---" not in piece else ""
        elif piece == "\n":
            comment = ""
        elif m.group(1) and not piece.startswith(("typedef", "extern", "static")):
            decl, _, tail = piece.partition(";")
            tail = re.search(r"/\*.*", tail)
            decl = re.sub(r"__attribute__\(\(.*\)\)|__dead2|__printf\w*\(.*?\)",
                          "", decl)
            said = plain(comment)
            if tail and "*/" in tail.group(0):
                said = plain(tail.group(0)) or said
            yield " ".join(decl.split()), said
            comment = ""


class Interface(SphinxDirective):
    required_arguments = 1
    option_spec = {
        "stage": directives.nonnegative_int,
        "also": directives.unchanged,
    }

    def run(self):
        stage = self.options.get("stage", 0)
        out = []
        try:
            where, lines = read(self.arguments[0], stage)
            found = list(prototypes(lines))
            words = self.options.get("also", "").split()
            for path, name in zip(words[::2], words[1::2]):
                _, body = read(path, stage)
                body = region(body, name, True)
                text = "\n".join(t for _, t in body)
                text = text[:text.index("\n{")]
                comment, _, decl = text.rpartition("*/")
                found.append((" ".join(decl.split()), plain(comment + "*/")))
        except Missing as why:
            raise self.error(f"{self.arguments[0]}: {why}")
        for decl, said in found:
            decl = re.sub(r"^static (inline )?", "", decl)
            out += [f"```{{c:function}} {decl}", "", escape(said), "```", ""]
        node = nodes.section()
        node.document = self.state.document
        self.state.nested_parse(StringList(out, where), 0, node)
        return node.children


class GdbCommands(FromData):
    required_arguments = 0

    def run(self):
        path = os.path.join(TOP, "kernel", "mk", "gdb", "nymph", "commands.py")
        self.env.note_dependency(path)
        with open(path) as f:
            tree = ast.parse(f.read())
        rows = [[f"``nymph {call.args[0].value}``", escape(call.args[1].value)]
                for node in tree.body if isinstance(node, ast.FunctionDef)
                for call in node.decorator_list
                if isinstance(call, ast.Call) and call.func.id == "command"]
        if not rows:
            raise self.error("no commands found")
        return self.table(["command", "what it shows"], rows,
                          self.caption("Commands for gdb"), [2, 5])


def escape(text):
    return re.sub(r"([\\`*_<>\[\]#])", r"\\\1", text)


def setup(app):
    app.add_directive("interface", Interface)
    app.add_directive("gdb-commands", GdbCommands)
    return {"parallel_read_safe": True}
