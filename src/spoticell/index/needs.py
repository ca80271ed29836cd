"""Libraries that only searching needs, loaded when they are, with a sentence where they are missing."""

from __future__ import annotations

from functools import partial

from spoticell import extras

needed = partial(extras.needed, extra="search", doing="search")
"""Give a module of the extra ``search``, or raise a `ConfigError` that says how to get it."""


lance_needed = partial(extras.needed, extra="lance", doing="an index in a Lance database")
"""Give a module of the extra ``lance``, or raise a `ConfigError` that says how to get it."""


def check_installed() -> None:
    """Refuse to begin what would end for want of a library."""
    for name in ("faiss", "pyarrow"):
        needed(name)
