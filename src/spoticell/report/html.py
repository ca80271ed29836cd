"""HTML whose text is always escaped: every piece of a page is made here.

A piece of HTML is a `Markup`; anything else that goes into an element is text and is escaped.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable

VOID = frozenset({"circle", "image", "path", "wbr"})
"""Elements without contents."""

# control signs, halves of letters, and signs that turn the direction of the text after them
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069\ufffe\uffff]")


class Markup(str):
    """A piece of HTML."""

    __slots__ = ()


Content = Markup | str | None
Value = str | float | None


def tag(name: str, /, *children: Content, **attributes: Value) -> Markup:
    """Make an element.

    Parameters
    ----------
    name
        Of the element.
    children
        What is in it: pieces of HTML, or texts, which are escaped; None is nothing.
    attributes
        Escaped too; ``class_`` is written ``class``, ``stroke_width`` ``stroke-width``.  None is left out.

    Examples
    --------
    >>> tag("p", "1 < 2", tag("b", "!"), class_="note")
    '<p class="note">1 &lt; 2<b>!</b></p>'
    """
    words = [name, *(_attribute(key, value) for key, value in attributes.items() if value is not None)]
    start = " ".join(words)
    return Markup(f"<{start}/>" if name in VOID else f"<{start}>{join(children)}</{name}>")


def join(pieces: Iterable[Content]) -> Markup:
    """Put pieces after each other.

    Examples
    --------
    >>> join([tag("b", "a"), " & ", None])
    '<b>a</b> &amp; '
    """
    return Markup("".join(piece if isinstance(piece, Markup) else escape(piece) for piece in pieces if piece))


def escape(text: str) -> Markup:
    """Make a text harmless; signs that can't be shown become a replacement sign.

    Examples
    --------
    >>> escape('<b title="x">')
    '&lt;b title=&quot;x&quot;&gt;'
    """
    return Markup(html.escape(_UNPRINTABLE.sub("\ufffd", text)))


def named(text: str, *, longest: int = 120) -> Markup:
    """Show a name that comes from the data: cut if endless, and kept from turning the text around it.

    It may break after a stop, a dash or an underscore.

    Examples
    --------
    >>> named("my_cell-1", longest=7)
    '<bdi>my_<wbr/>cell…</bdi>'
    """
    shown = text if len(text) <= longest else text[:longest] + "…"
    first, *rest = re.split(r"(?<=[._/-])(?=.)", shown)
    return tag("bdi", first, *(join([tag("wbr"), part]) for part in rest))


def share(part: float, whole: float) -> str:
    """Give a share in percent.

    Examples
    --------
    >>> share(1, 8), share(1, 10000), share(0, 0)
    ('12.5%', '<0.1%', '0%')
    """
    if part == 0:
        return "0%"
    percent = 100 * part / max(whole, 1)
    return "<0.1%" if percent < 0.1 else "100%" if part == whole else f"{min(percent, 99.9):.1f}%"


def _attribute(key: str, value: str | float) -> str:
    shown = f"{value:.6g}" if isinstance(value, float) else str(value)
    return f'{key.rstrip("_").replace("_", "-")}="{escape(shown)}"'
