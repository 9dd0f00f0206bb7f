# SPDX-License-Identifier: BSD-2-Clause
# How Sphinx makes the book.  Run by `make book` and `make book-pdf`.

import os
import sys

sys.path.insert(0, os.path.abspath("ext"))

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
    "nymph_interface",
    "nymph_step",
]
myst_enable_extensions = ["colon_fence", "deflist"]
bibtex_bibfiles = ["references.bib"]
myst_heading_anchors = 3
myst_footnote_transition = False
exclude_patterns = ["README.md", "data", "ext"]

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
latex_documents = [
    ("index", "nymph.tex", "Nymph", author, "manual"),
]
latex_elements = {
    "papersize": "a4paper",
    "pointsize": "10pt",
    "figure_align": "htbp",
    "extraclassoptions": "openany",
    "sphinxsetup": "verbatimwithframe=false, VerbatimColor={gray}{0.96}",
}
