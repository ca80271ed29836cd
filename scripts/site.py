"""Builds the docs as a site into ``docs/_build/html``: ``python scripts/site.py``, with the tools of the group docs.

A warning is an error, and so is a page that would ask another machine for a script, a picture, a style or a font.
"""

from __future__ import annotations

import re
import shutil
import sys
from html.parser import HTMLParser
from pathlib import Path

ROOT = Path(__file__).parents[1]
SITE = ROOT / "docs" / "_build" / "html"
LOADED = {"dns-prefetch", "icon", "manifest", "modulepreload", "preconnect", "prefetch", "preload", "stylesheet"}
"""Kinds of ``link`` for which a browser asks by itself."""
ELSEWHERE = r"(?:[a-z]+:)?//"


class _Loads(HTMLParser):
    """Collects what a page makes a browser load from elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Look at one tag."""
        given = dict(attrs)
        places = [given.get("src"), given.get("srcset"), given.get("poster"), given.get("data")]
        if tag == "link" and LOADED & set((given.get("rel") or "").split()):
            places.append(given.get("href"))
        self.found += [place for place in places if place and re.match(ELSEWHERE, place.strip())]


def loads(page: str) -> list[str]:
    """Give what a page of HTML loads from other machines; links that a reader may follow don't count."""
    parser = _Loads()
    parser.feed(page)
    return parser.found


def loads_of_style(style: str) -> list[str]:
    """Give what a style sheet loads from other machines."""
    return re.findall(rf"(?:url\(\s*|@import\s+)[\"']?({ELSEWHERE}[^\"')\s]*)", style)


def build() -> int:
    """Build the site, and give the exit code."""
    from sphinx.cmd.build import build_main  # noqa: PLC0415 - tests look at pages without Sphinx

    # pages that are gone from the docs are to be gone from the site
    shutil.rmtree(SITE, ignore_errors=True)
    strict = ["-q", "-W", "--keep-going"]
    code = build_main([*strict, "-c", str(ROOT / "docs"), "-d", str(SITE.parent / "doctrees"), str(ROOT), str(SITE)])
    pages = [(page, loads(page.read_text(encoding="utf-8"))) for page in SITE.rglob("*.html")]
    styles = [(style, loads_of_style(style.read_text(encoding="utf-8"))) for style in SITE.rglob("*.css")]
    for file, found in (*pages, *styles):
        for place in found:
            print(f"{file.relative_to(ROOT)} would be loaded with {place}", file=sys.stderr)
            code = 1
    if code == 0:
        print(f"{len(pages)} pages: {(SITE / 'index.html').relative_to(ROOT)}")
    return code


if __name__ == "__main__":
    sys.exit(build())
