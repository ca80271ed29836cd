"""Makes the page out of its templates: whatever is filled into one is text and is escaped.

The templates are in ``templates``, one a section.  A section's module gives plain values, its template makes the HTML.
"""

from __future__ import annotations

import re

from jinja2 import Environment, PackageLoader, StrictUndefined
from jinja2.ext import Extension
from markupsafe import Markup

from spoticell.biology.palette import ink_on
from spoticell.biology.short_names import short_name

# control signs, halves of letters, and signs that turn the direction of the text after them
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069\ufffe\uffff]")


def fill(template: str, **values: object) -> str:
    """Fill values into a template; signs that can't be shown become a replacement sign.

    Parameters
    ----------
    template
        Its name below ``templates``.
    values
        Under the names that the template knows them by; one that it misses is an error.
    """
    return _UNPRINTABLE.sub("\ufffd", _ENVIRONMENT.get_template(template).render(values))


def named(text: str, *, longest: int = 120) -> Markup:
    """Show a name that comes from the data: cut if endless, and kept from turning the text around it.

    It may break after a stop, a dash or an underscore.

    Examples
    --------
    >>> print(named("my_<cell>", longest=4))
    <bdi>my_<wbr/>&lt;…</bdi>
    """
    shown = text if len(text) <= longest else text[:longest] + "…"
    parts = re.split(r"(?<=[._/-])(?=.)", shown)
    return Markup("<bdi>{}</bdi>").format(Markup("<wbr/>").join(parts))


def counted(value: float, noun: str, plural: str | None = None) -> str:
    """Write a number with what it counts.

    Examples
    --------
    >>> counted(1, "cell"), counted(2700, "cell"), counted(0, "study", "studies")
    ('1 cell', '2,700 cells', '0 studies')
    """
    shown = f"{value:,.0f}"
    return f"{shown} {noun if shown == '1' else plural or f'{noun}s'}"


def number(value: float, form: str = ",") -> str:
    """Write a number as a format specification says.

    Examples
    --------
    >>> number(2700), number(0.5, ".2f")
    ('2,700', '0.50')
    """
    return format(value, form)


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


def dense(source: str) -> str:
    r"""Join the lines of a template: on the page there is no space between elements.

    A line break beside a tag or a statement is nothing; any other is a space, as between two words.

    Examples
    --------
    >>> print(dense("<p>\n  {{ n }} cells\n  and <b>\n    more\n  </b>\n</p>"))
    <p>{{ n }} cells and <b>more</b></p>
    """
    source = re.sub(r"(>|%}|#})\s*\n\s*|\s*\n\s*(?=<|{%|{#)", r"\1", source)
    return re.sub(r"\s*\n\s*", " ", source)


class _DenseSections(Extension):
    """Lets the templates of sections be written in indented lines."""

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:
        return dense(source) if name and name.startswith("sections/") else source


_ENVIRONMENT = Environment(
    loader=PackageLoader("spoticell.report"),
    autoescape=True,
    undefined=StrictUndefined,
    keep_trailing_newline=True,
    extensions=[_DenseSections],
)
_ENVIRONMENT.filters |= {
    "counted": counted,
    "ink": ink_on,
    "named": named,
    "number": number,
    "share": share,
    "short_type": short_name,
}
