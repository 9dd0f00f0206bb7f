# SPDX-License-Identifier: BSD-2-Clause
# How Sphinx makes the book.  Run by `make book` and `make book-pdf`.

import hashlib
import os
import re
import sys

extensions_dir = os.path.abspath("ext")
sys.path.insert(0, extensions_dir)

project = "Nymph"
author = "The authors of Nymph"
copyright = "the authors of Nymph, BSD-2-Clause"
today = "for Debian 12"
html_title = "Nymph: a kernel in twelve molts"

extensions = [
    "myst_parser",
    "sphinx.ext.graphviz",
    "sphinx_copybutton",
    "nymph_cite",
    "nymph_source",
    "nymph_data",
    "nymph_bench",
    "nymph_counts",
    "nymph_cells",
    "nymph_mutants",
    "nymph_interface",
    "nymph_step",
]
myst_enable_extensions = ["colon_fence", "deflist"]
bibtex_bibfiles = ["references.bib"]
myst_heading_anchors = 3
myst_footnote_transition = False
exclude_patterns = ["README.md", "chapters/00-collapse.md", "chapters/01-lost.md",
                    "chapters/02-walk.md", "data", "ext"]

numfig = True
numfig_format = {
    "figure": "Figure %s",
    "table": "Table %s",
    "code-block": "Listing %s",
}
nitpicky = True
primary_domain = "c"
highlight_language = "c"
default_role = None
# The types in a declaration are not all described; what the text names is.
nitpick_ignore_regex = [("c:identifier", ".*")]

html_theme = "furo"
# Whose colors can all be read; and the dark pages' own.
pygments_style = "default"
pygments_dark_style = "github-dark"
html_static_path = ["_static"]
html_css_files = ["nymph.css"]
html_js_files = [("step.js", {"defer": "defer"})]
html_show_sphinx = False
html_copy_source = False
html_theme_options = {"navigation_with_keys": True}
graphviz_output_format = "svg"

latex_engine = "xelatex"
latex_use_xindy = False
latex_show_urls = "footnote"
latex_table_style = ["booktabs", "colorrows"]
latex_documents = [
    ("index", "nymph.tex", "Nymph: a kernel in twelve molts", author, "manual"),
]
latex_elements = {
    "papersize": "a4paper",
    "pointsize": "10pt",
    "figure_align": "htbp",
    "fvset": r"\fvset{fontsize=\footnotesize}",
    "extraclassoptions": "openany",
    "tableofcontents": r"\renewcommand{\contentsname}{Contents}"
                       r"\sphinxtableofcontents",
    "fncychap": r"\usepackage[Sonny]{fncychap}",
    "preamble": r"\setcounter{tocdepth}{1}"
                r"\usepackage[justification=centering]{caption}"
                # A table's caption stays with its first rows.
                r"\let\tablestart\sphinxattablestart"
                r"\renewcommand\sphinxattablestart{\needspace{4\baselineskip}\tablestart}",
    "sphinxsetup": "verbatimwithframe=false, vmargin={0.9in,0.8in}, VerbatimColor={gray}{0.96}",
}


# The theme's style sheet as Debian builds it has its dark colors for those only who
# ask for them by the button, not for those whose system is dark.
def dark_as_the_system(app, _):
    path = os.path.join(app.outdir, "_static", "styles", "furo.css")
    if app.builder.format != "html" or not os.path.exists(path):
        return
    with open(path) as f:
        css = f.read()
    colors = re.search(r'body\[data-theme="dark"\] \{(.*?)\}', css, re.S)
    if "prefers-color-scheme" not in css:
        with open(path, "a") as f:
            f.write("@media not print { @media (prefers-color-scheme: dark) {\n"
                    'body:not([data-theme="light"]) {' + colors.group(1) + "} } }\n")


# A page that another extension made is made again.
def extensions_now():
    names = sorted(n for n in os.listdir(extensions_dir) if n.endswith(".py"))
    return hashlib.sha256(b"".join(
        open(os.path.join(extensions_dir, n), "rb").read() for n in names)).hexdigest()


def setup(app):
    app.add_config_value("nymph_extensions", extensions_now(), "env")
    app.connect("build-finished", dark_as_the_system)
