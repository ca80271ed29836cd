"""Where catalogues of models lie: a folder, an https address, a repository of the Hugging Face hub.

Each kind of shelf gives its catalogue and brings single files.  What comes is compared with its hash by ``pull``.  The
hub is in ``hub``.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Protocol
from urllib.parse import quote, urlsplit

from spoticell.errors import BundleError, ConfigError
from spoticell.io.address import LOCAL
from spoticell.io.download import fetch
from spoticell.io.write import writing
from spoticell.model.catalogue import CATALOGUE, CATALOGUE_LIMIT, Catalogue, Offer, parse_catalogue
from spoticell.progress import Progress

HUB = "hf://"
"""How the place of a catalogue on the hub begins."""


class Shelf(Protocol):
    """A place with a catalogue, and the files of the models in it."""

    place: str
    """How messages and records call it."""

    def catalogue(self) -> Catalogue:
        """Give what is offered."""

    def bring(self, offer: Offer, name: str, to: Path, *, most: int, on_progress: Progress | None = None) -> None:
        """Put one file of a model at a path, unless it is longer than it may be."""


def open_shelf(place: Path | str) -> Shelf:
    """Give the shelf at a place; nothing is read yet.

    Parameters
    ----------
    place
        A folder, an ``https`` address (``http`` on this machine only), or ``hf://OWNER/NAME``; the address of the
        ``models.json`` itself will do too.

    Raises
    ------
    ConfigError
        If it is none of these, or the hub's library is not installed.

    Examples
    --------
    >>> open_shelf("http://example.org/models")
    Traceback (most recent call last):
    spoticell.errors.ConfigError: http://example.org/models is not encrypted; catalogues are read over https...
    """
    text = str(place).removesuffix(f"/{CATALOGUE}").rstrip("/")
    if isinstance(place, str) and "://" in place:
        if text.startswith(HUB):
            from spoticell.model.hub import HubShelf  # noqa: PLC0415 - of an extra

            return HubShelf(text.removeprefix(HUB))
        check_address(text)
        return WebShelf(text)
    return FolderShelf(Path(text))


def check_address(address: str) -> None:
    """Refuse an address that is neither encrypted nor on this machine."""
    try:
        parts = urlsplit(address)
    except ValueError:
        raise ConfigError(f"{address[:300]} is no address.") from None
    if parts.scheme == "https" and parts.hostname:
        return
    if parts.scheme == "http" and parts.hostname in LOCAL:
        return
    if parts.scheme == "http":
        raise ConfigError(
            f"{address} is not encrypted; catalogues are read over https, over http on this machine only."
        )
    raise ConfigError(f"{address} is no place of a catalogue; give a folder, an https address, or hf://OWNER/NAME.")


class FolderShelf:
    """A catalogue in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.place = folder, str(folder)

    def catalogue(self) -> Catalogue:
        """Give what is offered."""
        path = self.folder / CATALOGUE
        if not path.is_file():
            raise BundleError(f"{self.place} is no catalogue of models: it holds no {CATALOGUE}.")
        _check_length(path, CATALOGUE_LIMIT)
        return parse_catalogue(path.read_bytes(), where=str(path))

    def bring(self, offer: Offer, name: str, to: Path, *, most: int, on_progress: Progress | None = None) -> None:
        """Copy one file of a model."""
        if "://" in offer.folder:
            raise BundleError(f"{self.place} is a folder, and {offer.name} lies elsewhere: {offer.folder[:200]}.")
        path = self.folder / offer.folder / name
        if not path.resolve().is_relative_to(self.folder.resolve()):
            raise BundleError(f"{path} is a link that leads out of the catalogue {self.place}.")
        if not path.is_file():
            raise BundleError(f"{self.place} offers {offer.name}, and its file {path} is missing.")
        _check_length(path, most)
        with writing(to):
            to.unlink(missing_ok=True)
            with path.open("rb") as file, to.open("xb") as copy:  # never into a file that is there, or through a link
                shutil.copyfileobj(file, copy)
        if on_progress is not None:
            on_progress(1, 1)


class WebShelf:
    """A catalogue on a web server."""

    def __init__(self, address: str) -> None:
        self.place = address

    def catalogue(self) -> Catalogue:
        """Give what is offered, as the server has it now."""
        where = f"{self.place}/{CATALOGUE}"
        with tempfile.TemporaryDirectory() as folder:
            path = fetch(where, Path(folder) / CATALOGUE, most=CATALOGUE_LIMIT)
            return parse_catalogue(path.read_bytes(), where=where)

    def bring(self, offer: Offer, name: str, to: Path, *, most: int, on_progress: Progress | None = None) -> None:
        """Fetch one file of a model, or the rest of it if some is there."""
        folder = offer.folder if "://" in offer.folder else f"{self.place}/{quote(offer.folder)}"
        fetch(f"{folder}/{quote(name)}", to, most=most, on_progress=on_progress)


def _check_length(path: Path, most: int) -> None:
    size = path.stat().st_size
    if size > most:
        raise BundleError(f"{path} is {size:,} bytes long, and {most:,} is the most that it may have.")
