"""Refusals for people: who opens an address in a browser reads words in the page's look, programs get JSON."""

from __future__ import annotations

from functools import lru_cache
from html import escape
from importlib.resources import files

from starlette.datastructures import Headers

TITLES = {401: "This link doesn’t open the server", 404: "There is nothing here"}
OTHER = "That didn’t work"
MORE = {
    401: "The link may be an old one. Ask the person who runs the server for the new one, or enter the token yourself."
}
BUTTONS = {401: "Enter a token"}
START = "Go to the start"


def is_person(headers: Headers) -> bool:
    """Whether a browser asks for a page to show; scripts and programs ask for anything or for JSON.

    Examples
    --------
    >>> (
    ...     is_person(Headers({"accept": "text/html,application/xhtml+xml,*/*;q=0.8"})),
    ...     is_person(Headers({"accept": "*/*"})),
    ... )
    (True, False)
    """
    return "text/html" in headers.get("accept", "")


def refusal_page(status: int, sentence: str) -> bytes:
    """Give the page that says why a request is refused."""
    words = {
        "title": TITLES.get(status, OTHER),
        "text": f"{sentence} {MORE.get(status, '')}".strip(),
        "button": BUTTONS.get(status, START),
    }
    page = _template()
    for name, text in words.items():
        page = page.replace(f"[[{name}]]", escape(text))
    return page.encode()


@lru_cache(maxsize=1)
def _template() -> str:
    return files("spoticell").joinpath("web", "static", "refusal.html").read_text(encoding="utf-8")
