"""Where cells come from and results go: paths, and addresses of object stores and web servers.

An address is shown without what must stay secret: its `str` has no query, in which signatures stand.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeAlias
from urllib.parse import quote, unquote, urlsplit

from spoticell.errors import ConfigError

if TYPE_CHECKING:
    from anndata import AnnData

LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})
"""Hosts that may be spoken to without encryption."""
STORES = frozenset({"s3", "gs"})
"""Schemes of object stores: these list what they hold, and are written to."""
_WEB = frozenset({"https", "http"})
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.:-]+)://")
_HALF = re.compile(r"(s3|gs|https?):(?!//)", re.IGNORECASE)
"""How an address begins that lost a slash; taken for a path it would be shown whole, signature and all."""
_LONGEST = 150
"""Letters that the name of a fetched file may have: disks take 255 bytes, and passing files have longer names."""
_TAKEN = "Cells are read from paths and from s3://, gs:// and https:// addresses."


@dataclass(frozen=True)
class Address:
    """An address that may be read, or written to if it is an object store's.

    Examples
    --------
    >>> str(Address("https://example.org/cells.h5ad?signature=secret"))
    'https://example.org/cells.h5ad'
    >>> Address("s3://bucket/folder") / "cells.h5ad"
    Address('s3://bucket/folder/cells.h5ad')
    """

    full: str = field(repr=False)
    """All of it, for the libraries; never to be shown."""

    def __post_init__(self) -> None:
        plain = str(self)
        host = self.scheme in _WEB and urlsplit(self.full).hostname
        if "@" in _host_part(self.full):
            raise ConfigError(
                f"{plain} has a user or a password in it, which logs would keep. Leave them out; credentials come from "
                "the environment or a profile."
            )
        if self.scheme in STORES and not (self.folders and self.name):
            raise ConfigError(f"{plain} names no object; an address has the form {self.scheme}://BUCKET/NAME.")
        if self.scheme in _WEB and not host:
            raise ConfigError(f"{plain} is no address.")
        if self.scheme == "http" and host not in LOCAL:
            raise ConfigError(f"{plain} is not encrypted. Give an https address; http is for this machine only.")

    def __str__(self) -> str:
        scheme, _, rest = self.full.partition("://")
        # in the names of objects these letters are letters like others
        shown = rest if scheme in STORES else re.split(r"[?#]", rest, maxsplit=1)[0]
        host, slash, path = shown.partition("/")
        return f"{scheme}://{host.rpartition('@')[2]}{slash}{path}"

    def __repr__(self) -> str:
        return f"Address({str(self)!r})"

    def __truediv__(self, name: str) -> Self:
        if self.scheme in STORES:
            return type(self)(f"{self.full.rstrip('/')}/{name}")
        # a token that lets people in stands in the query, and does so for all that lies below
        query = urlsplit(self.full).query
        return type(self)(f"{str(self).rstrip('/')}/{quote(name)}{'?' if query else ''}{query}")

    @property
    def scheme(self) -> str:
        """``s3``, ``gs``, ``https`` or ``http``."""
        return self.full.partition("://")[0]

    @property
    def name(self) -> str:
        """The last part, as a file may be called."""
        name = str(self).rstrip("/").rpartition("/")[2]
        name = re.sub(r'[\x00-\x1f\x7f/\\:"]', "_", unquote(name) if self.scheme in _WEB else name)
        return "cells" if name in {"", ".", ".."} else name[-_LONGEST:]

    @property
    def suffix(self) -> str:
        """The ending of the name, with its dot."""
        return Path(self.name).suffix

    @property
    def stem(self) -> str:
        """The name without its ending."""
        return Path(self.name).stem

    @property
    def folders(self) -> tuple[str, ...]:
        """Bucket or host, and the folders in it, outermost first."""
        return tuple(part for part in str(self).partition("://")[2].rstrip("/").split("/")[:-1] if part)

    def resolve(self) -> Self:
        """Give itself: there are no links to follow."""
        return self


Place: TypeAlias = Path | Address
"""Where something is or shall be."""


def place(given: Place | str) -> Place:
    """Give the place that a path or an address names; only text is ever taken for an address.

    Raises
    ------
    ConfigError
        If it is an address of a kind that isn't taken.

    Examples
    --------
    >>> place("s3://bucket/cells.h5ad")
    Address('s3://bucket/cells.h5ad')
    >>> place("file:///data/cells.h5ad").name
    'cells.h5ad'
    >>> place("ftp://example.org/cells.h5ad")
    Traceback (most recent call last):
    spoticell.errors.ConfigError: ftp:// addresses aren't taken. Cells are read from paths and from s3://, ...
    """
    if not isinstance(given, str):
        return given
    found = _SCHEME.match(given)
    if found is None:
        if half := _HALF.match(given):
            begin = half[0].lower()
            raise ConfigError(
                f"an address begins with {begin}//, and this one with {begin} alone. If it is a path, put ./ before it."
            )
        return Path(given)
    scheme = found[1].lower()
    if scheme == "file":
        from urllib.request import url2pathname  # noqa: PLC0415 - slow to load, and hardly anybody gives such a path

        return Path(url2pathname(urlsplit(given).path))
    if scheme not in STORES | _WEB:
        raise ConfigError(f"{scheme}:// addresses aren't taken. {_TAKEN}")
    try:
        return Address(f"{scheme}{given[len(scheme) :]}")
    except ValueError as error:
        if isinstance(error, ConfigError):
            raise
        raise ConfigError(f"this {scheme}:// address is none that can be. {_TAKEN}") from None


def place_in(cells: AnnData | Place | str) -> Place | None:
    """Give the place of cells, None where they are an object.

    Examples
    --------
    >>> place_in("cells.h5ad").name, place_in(None)
    ('cells.h5ad', None)
    """
    known: Any = cells
    return place(known) if isinstance(known, Path | str | Address) else None


def _host_part(address: str) -> str:
    return address.partition("://")[2].partition("/")[0].partition("?")[0]
