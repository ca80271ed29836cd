"""What a catalogue of models offers: its file ``models.json``, and how one of the models is chosen.

    models.json             {"format_version": "1.0", "models": [an `Offer` each, the newest last]}
    NAME/REVISION/          the files of each model's bundle

The revision of a model is the beginning of the sha256 of its ``bundle.json``, which states the sha256 of all other
files: the same revision is the same model, to the byte, wherever it comes from.  Places of catalogues: ``shelves``.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection
from difflib import get_close_matches
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic_core import from_json

from spoticell.errors import BundleError
from spoticell.io.sealed import Sha256, check_plain, first_fault, format_of
from spoticell.model.manifest import Manifest, Name, Text

CATALOGUE = "models.json"
CATALOGUE_LIMIT = 5_000_000
"""Longest ``models.json`` that is read, in bytes."""
MAJOR, MINOR = 1, 0
"""The format that this release writes; it reads every ``MAJOR.x``."""
REVISION = 12
"""Characters of a revision."""
MODEL_LIMIT = 4_000_000_000
"""Most bytes that a model on offer may have; far above what one needs."""
_PINNED = re.compile(r"[0-9a-f]{6,64}")


Some = Annotated[int, Field(strict=True, gt=0, le=1_000_000)]


class Offer(BaseModel):
    """One model: what it is, how large, and what its bytes must be."""

    # what a later minor format adds is passed over
    model_config = ConfigDict(extra="ignore", frozen=True)

    name: Name
    sha256: Sha256
    """Of ``bundle.json``, which holds the sha256 of all the rest."""
    bytes: Annotated[int, Field(strict=True, gt=0, le=MODEL_LIMIT)]
    """Of all files together."""
    date: Text
    licence: Text
    description: Text
    types: Some
    genes: Some
    spoticell_version: Text
    """The release that made it."""
    folder: Annotated[str, Field(max_length=1_000)]
    """Where its files lie: a path below the catalogue's own folder, or an https address."""

    @property
    def revision(self) -> str:
        """What tells it from other models of its name."""
        return revision_of(self.sha256)

    @field_validator("folder")
    @classmethod
    def _stays_inside(cls, folder: str) -> str:
        address = urlsplit(folder)
        if address.scheme != "https" or not address.netloc:
            try:
                check_plain(folder.split("/"), manifest="")
            except ValueError:
                raise ValueError(f"{folder[:100]!r} leads out of the catalogue and is no https address") from None
        return folder


class Catalogue(BaseModel):
    """The contents of ``models.json``."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    models: tuple[Offer, ...] = ()
    minor: int = MINOR
    """Of the format that it was read in."""

    @field_validator("models")
    @classmethod
    def _each_once(cls, models: tuple[Offer, ...]) -> tuple[Offer, ...]:
        return tuple({(offer.name, offer.sha256): offer for offer in reversed(models)}.values())[::-1]

    def choose(self, name: str, revision: str | None = None, *, place: str) -> Offer:
        """Give the newest model of a name, or the one of a revision.

        Parameters
        ----------
        name, revision
            The model's; of the revision the first characters will do.
        place
            How messages call the catalogue.

        Raises
        ------
        BundleError
            If it is not on offer; the message names what is.
        """
        found = [offer for offer in self.models if offer.name == name]
        if not found:
            raise BundleError(f"{place} offers no model {name[:100]!r}; {self._nearest(name)}")
        if revision is None:
            return found[-1]
        check_revision(revision)
        fitting = [offer for offer in found if offer.sha256.startswith(revision)]
        if fitting:
            check_single(name, revision, [offer.sha256 for offer in fitting], place=place)
            return fitting[0]
        offered = ", ".join(offer.revision for offer in found)
        raise BundleError(f"{place} offers no revision {revision} of {name}; it offers {offered}, newest last.")

    def _nearest(self, name: str) -> str:
        names = list(dict.fromkeys(offer.name for offer in self.models))
        near = get_close_matches(name, names, n=1, cutoff=0.5)
        if near:
            return f"the nearest that it offers is {near[0]!r}."
        return f"it offers {', '.join(names)}." if names else "it is empty."

    def with_offer(self, offer: Offer) -> Catalogue:
        """Give the same with one more model.

        Raises
        ------
        BundleError
            If it is of a later format, whose further fields would be lost.
        """
        if self.minor > MINOR:
            raise BundleError(
                f"the catalogue has the later format {MAJOR}.{self.minor}, and this Spoticell writes {MAJOR}.{MINOR}; "
                "push with a later release."
            )
        return Catalogue(models=(*self.models, offer))

    def text(self) -> str:
        """Give the text of ``models.json``."""
        fields = {"format_version": f"{MAJOR}.{MINOR}", **self.model_dump(mode="json", include={"models"})}
        return json.dumps(fields, indent=1, ensure_ascii=False) + "\n"


def parse_catalogue(raw: bytes, *, where: str) -> Catalogue:
    """Make a catalogue of the bytes of ``models.json``.

    Parameters
    ----------
    raw
        The file's contents.
    where
        How messages call the file.

    Raises
    ------
    BundleError
        If it isn't one, is of another major format, or a field can't be.

    Examples
    --------
    >>> parse_catalogue(b'{"format_version": "2.0"}', where="models.json")
    Traceback (most recent call last):
    spoticell.errors.BundleError: models.json is a catalogue of format 2.0, and this Spoticell reads 1.x...
    """
    try:
        fields = from_json(raw, allow_inf_nan=False)
    except ValueError as error:
        raise BundleError(f"{where} is not JSON ({error}).") from None
    version = format_of(fields)
    if version is None:
        raise BundleError(f"{where} is not a catalogue of models: it states no format_version.")
    if version[0] != MAJOR:
        stated = ".".join(map(str, version))
        raise BundleError(
            f"{where} is a catalogue of format {stated}, and this Spoticell reads {MAJOR}.x; use a later release."
        )
    try:
        return Catalogue.model_validate(fields | {"minor": version[1]})
    except ValidationError as error:
        raise BundleError(f"{where} is not a sound catalogue of models: {first_fault(error)}.") from None


def offer_of(manifest: Manifest, raw: bytes, *, folder: str = "") -> Offer:
    """Say of a bundle what a catalogue says of it.

    Parameters
    ----------
    manifest, raw
        What its ``bundle.json`` says, and the bytes of that file.
    folder
        Where its files lie in the catalogue, ``NAME/REVISION`` if not given.
    """
    sha256 = hashlib.sha256(raw).hexdigest()
    return Offer(
        name=manifest.name,
        sha256=sha256,
        bytes=len(raw) + bytes_of(manifest),
        date=manifest.date,
        licence=manifest.licence,
        description=manifest.description,
        types=len(manifest.labels),
        genes=manifest.n_genes,
        spoticell_version=manifest.spoticell_version,
        folder=folder or f"{manifest.name}/{revision_of(sha256)}",
    )


def revision_of(sha256: str) -> str:
    """Give the revision of a model, by the sha256 of its ``bundle.json``."""
    return sha256[:REVISION]


def bytes_of(manifest: Manifest) -> int:
    """Add up the bytes of all files that a manifest states."""
    return sum(record.bytes for record in manifest.files.values())


def split_name(text: str) -> tuple[str, str | None]:
    """Give the name and the revision of a model that is called ``NAME`` or ``NAME@REVISION``.

    Examples
    --------
    >>> split_name("blood@0123456789ab"), split_name("blood")
    (('blood', '0123456789ab'), ('blood', None))
    """
    name, at, revision = text.partition("@")
    return name, revision if at else None


def check_revision(revision: str) -> None:
    """Refuse what can't be the beginning of a sha256.

    Raises
    ------
    BundleError
        If it is too short to be told from others, or has other characters.
    """
    if not _PINNED.fullmatch(revision):
        raise BundleError(f"{revision[:100]!r} is no revision; it has 6 or more of the characters 0-9 and a-f.")


def check_single(name: str, revision: str, found: Collection[str], *, place: str) -> None:
    """Refuse a beginning that several models have.

    Parameters
    ----------
    name, revision
        What was asked for.
    found
        The sha256 of each model that begins so.
    place
        How messages call where they are.

    Raises
    ------
    BundleError
        If there are several; the message names them.
    """
    several = sorted(set(found))
    if len(several) > 1:
        # twelve characters, or as many more as tell them apart
        size = next(size for size in range(REVISION, 65) if len({one[:size] for one in several}) == len(several))
        names = " and ".join(one[:size] for one in several)
        raise BundleError(f"{place} has several revisions of {name} that begin with {revision}: {names}. Name one.")
