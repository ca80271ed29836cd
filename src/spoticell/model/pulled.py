"""Models that were pulled: where they lie on this machine, and which of them a name means.  No network here.

    NAME/REVISION/      a bundle, and ``pulled.json``: from which catalogue it came
    NAME/meant          the revision that the bare name means
    NAME/lock           held by the process that pulls one

The folder of all names is that of `models_folder`.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from spoticell.errors import BundleError, note
from spoticell.io.sealed import record_of
from spoticell.io.write import atomic
from spoticell.model.catalogue import REVISION, Offer, check_revision, check_single, offer_of, split_name
from spoticell.model.manifest import MANIFEST, MEANT, NAME, PULLED, read_manifest

FOLDER = "SPOTICELL_MODELS"
"""Environment variable that names the folder of pulled models."""
_HERE = re.compile(f"[0-9a-f]{{{REVISION}}}")


@dataclass(frozen=True)
class Pulled:
    """A model that was pulled."""

    offer: Offer
    path: Path
    is_meant: bool
    """Whether the bare name means this revision."""
    source: str
    """The catalogue that it came from."""


def models_folder() -> Path:
    """Give the folder of pulled models: ``SPOTICELL_MODELS``, or one among the user's caches."""
    named = os.environ.get(FOLDER)
    if named:
        return Path(named)
    caches = os.environ.get("XDG_CACHE_HOME")
    return (Path(caches) if caches else Path.home() / ".cache") / "spoticell" / "models"


def find_pulled(text: str) -> Path | None:
    """Give the folder of a pulled model by ``NAME`` or ``NAME@REVISION``; None where none was pulled.

    Raises
    ------
    BundleError
        If the revision can't be one, or the model was changed since it was pulled.
    """
    name, revision = split_name(text)
    if not re.fullmatch(NAME, name):
        return None
    folder = models_folder() / name
    with _reading():
        if not folder.is_dir():
            return None
        revision = meant_revision(folder) if revision is None else revision
        if revision is None:
            return None
        check_revision(revision)
        fitting = [
            path
            for path in folder.glob(f"{revision[:REVISION]}*")
            if _HERE.fullmatch(path.name) and (path / MANIFEST).is_file()
        ]
        if not fitting:
            return None
        check_single(name, revision, [path.name for path in fitting], place="this machine")
        path = fitting[0]
        sha256 = record_of(path / MANIFEST).sha256
    if not sha256.startswith(path.name) or not sha256.startswith(revision):
        raise BundleError(
            f"the model {text} was changed since it was pulled: the sha256 of {path / MANIFEST} is {sha256}. "
            "Pull it again with --overwrite, in Python overwrite=True."
        )
    return path


@contextmanager
def _reading() -> Iterator[None]:
    """Turn what the system refuses into a sentence."""
    try:
        yield
    except OSError as error:
        raise BundleError(
            f"the folder of pulled models, {str(models_folder())[:200]}, can't be read ({error.strerror}). "
            f"Name another one with {FOLDER}."
        ) from None


def meant_revision(folder: Path) -> str | None:
    """Give the revision that a bare name means, by the folder of the name; None where it isn't here (any more).

    Raises
    ------
    BundleError
        If the file that says it is damaged.
    """
    path = folder / MEANT
    if not path.is_file():
        return None
    revision = path.read_text(encoding="utf-8", errors="replace").strip()
    if not _HERE.fullmatch(revision):
        raise BundleError(
            f"{path} is damaged: it names no revision. Name one, as in {folder.name}@REVISION, or pull {folder.name} "
            "again with --overwrite, in Python overwrite=True."
        )
    return revision if (folder / revision).is_dir() else None


def let_mean(folder: Path, revision: str) -> None:
    """Let a bare name mean a revision."""
    if (folder / MEANT).is_symlink():
        (folder / MEANT).unlink()
    with atomic(folder / MEANT) as passing:
        passing.write_text(f"{revision}\n", encoding="utf-8")


def pulled_name(path: Path) -> str | None:
    """Give ``NAME@REVISION`` of a pulled model's folder; None of any other folder."""
    return f"{path.parent.name}@{path.name}" if path.parent.parent == models_folder() else None


def pulled_models() -> list[Pulled]:
    """List the pulled models by name and date; one that can't be read is passed over, and what is damaged is noted."""
    found = []
    try:
        with _reading():
            folders = [path for path in models_folder().iterdir() if path.is_dir()] if models_folder().is_dir() else []
            for folder in sorted(folders):
                found += _pulled_of(folder)
    except BundleError as error:
        note(str(error))
    return sorted(found, key=lambda model: (model.offer.name, model.offer.date))


def _pulled_of(folder: Path) -> list[Pulled]:
    """List the pulled models of one name."""
    found = []
    try:
        meant = meant_revision(folder)
    except BundleError as error:
        note(str(error))
        meant = None
    for manifest in sorted(folder.glob(f"{'[0-9a-f]' * REVISION}/{MANIFEST}")):
        path = manifest.parent
        try:
            offer = stated(path)
        except BundleError:
            continue
        found.append(Pulled(offer, path, path.name == meant, source_of(path)))
    return found


def source_of(folder: Path) -> str:
    """Give the catalogue that a model was pulled from, by its folder; '' where it came otherwise."""
    source = read_source(folder)
    if source is None:
        note(f"{folder / PULLED} is damaged, so where the model is from is not known; pull it again to mend that.")
    return source or ""


def read_source(folder: Path) -> str | None:
    """Give the same, or None where the file that says it is damaged."""
    record = folder / PULLED
    if not record.exists():
        return ""
    try:
        source = json.loads(record.read_bytes())["from"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    return source if isinstance(source, str) else None


def stated(folder: Path) -> Offer:
    """Say of a bundle's folder what a catalogue says of it; only its manifest is read."""
    return offer_of(*read_manifest(folder / MANIFEST))
