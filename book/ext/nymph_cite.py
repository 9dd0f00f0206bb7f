# SPDX-License-Identifier: BSD-2-Clause
"""Citations, {cite}`key`, by sphinxcontrib-bibtex, and what it needs besides.

The list of sources is a row of citations without anything before it. docutils 0.19
takes the last one for the one before the first, so its HTML has an end more than
beginnings; a comment in front helps.
"""

from docutils import nodes
from sphinx.transforms.post_transforms import SphinxPostTransform


class BeginList(SphinxPostTransform):
    default_priority = 6  # the citations come with 5

    def run(self, **_):
        for first in list(self.document.findall(nodes.citation)):
            if first.parent.index(first) == 0:
                first.parent.insert(0, nodes.comment("", ""))


def setup(app):
    app.setup_extension("sphinxcontrib.bibtex")
    app.add_post_transform(BeginList)
    return {"parallel_read_safe": True}
