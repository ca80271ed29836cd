"""How the docs become a site: ``make docs`` builds it into ``docs/_build/html``.

The sources are the Markdown files of the whole repository, so that a link between two of them holds on the site as
it does in a clone.  What stands where in the navigation is in ``_toc.yml``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import spoticell

if TYPE_CHECKING:
    from sphinx.application import Sphinx

project = "Spoticell"
author = "The Spoticell authors"
copyright = f"2026, {author}"  # noqa: A001 - Sphinx's word
release = version = spoticell.__version__

extensions = ["myst_nb", "numpydoc", "sphinx.ext.autodoc", "sphinx_external_toc"]
external_toc_path = "docs/_toc.yml"
include_patterns = [
    "docs/**",
    "*.md",
    "benchmarks/results/*.md",
    "src/spoticell/data/human-v1/MODEL_CARD.md",
]
exclude_patterns = [".*", "docs/_build", "docs/_static"]

# Markdown: the anchors of a git host; notebooks are shown as they were run
myst_heading_anchors = 4
nb_execution_mode = "off"

# the reference is made of docstrings
default_role = "py:obj"
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
python_maximum_signature_line_length = 80
numpydoc_show_class_members = False
# other packages' pages can't be looked up offline, and inner names have no page
nitpicky = True
nitpick_ignore_regex = [
    ("py:obj", ".*"),
    ("py:class", r"(?!spoticell\.\w+$).*"),
]

html_theme = "furo"
pygments_style, pygments_dark_style = "tango", "github-dark"
html_title = "Spoticell"
html_favicon = html_logo = "../src/spoticell/web/static/icon.svg"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_sphinx = False
html_copy_source = False
# the colours of the web page
html_theme_options = {
    "navigation_with_keys": True,
    "light_css_variables": {"color-brand-primary": "#0a6a8a", "color-brand-content": "#0a6a8a"},
    "dark_css_variables": {"color-brand-primary": "#62c0e0", "color-brand-content": "#62c0e0"},
}


def where_lines_break(_app: Sphinx, _page: str, _template: str, context: dict[str, Any], _tree: object) -> None:
    """Let names break after an underscore, and options nowhere; keep figures together that belong together."""
    body = re.sub(r'(?<=<span class="pre">)[^<]+', lambda name: name[0].replace("_", "_<wbr>"), context.get("body", ""))
    body = re.sub(r'<span class="pre">(?=--\w)', '<span class="pre option">', body)
    context["body"] = re.sub(r"(\d) (/|±|→) (?=[-+]?\d)", r"\1&nbsp;\2&nbsp;", body)


def plain_signature(
    _app: Sphinx, what: str, _name: str, _object: object, _options: object, arguments: str | None, given: str | None
) -> tuple[str, str] | None:
    """Name classes alone, as most are given, never made; write arrays as numpy does."""
    if what == "class":
        return "", ""
    if arguments is None:
        return None
    array = r"~numpy\.ndarray\[tuple\[~typing\.Any, \.\.\.], ~numpy\.dtype\[((?:[^][]|\[[^]]*])*)]]"
    return tuple(re.sub(array, r"~numpy.typing.NDArray[\1]", said or "") for said in (arguments, given))


def setup(app: Sphinx) -> None:
    """Tell Sphinx of the two."""
    app.connect("autodoc-process-signature", plain_signature)
    app.connect("html-page-context", where_lines_break)
