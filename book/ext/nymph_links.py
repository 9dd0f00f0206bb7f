# SPDX-License-Identifier: BSD-2-Clause
"""nymph_links.py FOLDER: does every link between the pages lead somewhere?"""

import os
import sys
from html.parser import HTMLParser
from urllib.parse import unquote, urlsplit


class Page(HTMLParser):
    """The names and the links of one page."""

    def __init__(self, path):
        super().__init__()
        self.names, self.links = set(), []
        with open(path, encoding="utf-8") as f:
            self.feed(f.read())

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        for key in ("id", "name"):
            if attrs.get(key):
                self.names.add(attrs[key])
        for key in ("href", "src"):
            if attrs.get(key):
                self.links.append(attrs[key])


def main():
    top = sys.argv[1]
    pages = {}
    for folder, _, files in os.walk(top):
        for name in files:
            if name.endswith(".html"):
                path = os.path.join(folder, name)
                pages[os.path.normpath(path)] = Page(path)
    bad = 0
    for path, page in sorted(pages.items()):
        for link in page.links:
            url = urlsplit(link)
            if url.scheme or url.netloc:
                if not url.scheme.startswith(("http", "mailto", "data")):
                    print(f"{path}: {link}: what is this?")
                    bad += 1
                continue
            to = os.path.normpath(os.path.join(os.path.dirname(path),
                                               unquote(url.path))) \
                if url.path else path
            name = unquote(url.fragment)
            if not os.path.exists(to):
                print(f"{path}: {link}: no such file")
                bad += 1
            elif name and to in pages and name not in pages[to].names:
                print(f"{path}: {link}: no such place")
                bad += 1
    print(f"{len(pages)} pages, {bad} bad links")
    sys.exit(bad > 0 or not pages)


if __name__ == "__main__":
    main()
