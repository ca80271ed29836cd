"""Models put into a catalogue, from where others pull them."""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock

from spoticell.errors import ConfigError, OutputError
from spoticell.io.write import atomic, remove, write_json, writing
from spoticell.model.bundle import Bundle, load_bundle
from spoticell.model.catalogue import CATALOGUE, Catalogue, Offer, offer_of
from spoticell.model.manifest import MANIFEST, NAME, UNNAMED
from spoticell.model.shelves import HUB, FolderShelf

LOCK = "models.lock"


def push_model(model: Bundle | Path | str, place: Path | str, *, name: str | None = None) -> tuple[Offer, bool]:
    """Put a trained model into a catalogue: a folder, which any web server can serve, or a repository of the hub.

    Earlier models of the same name stay, and can be pulled by their revision.

    Parameters
    ----------
    model
        A loaded bundle, a bundle's folder, or the name of an installed model; checked before anything is written.
    place
        A folder, made if need be, or ``hf://OWNER/NAME``.
    name
        What others call it, if not as it calls itself; a trained model has no name of its own yet.

    Returns
    -------
    What the catalogue says of the model, and whether it is new in it.

    Raises
    ------
    SpoticellError
        If the bundle isn't sound or has no name, or the place can't be written to.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     offer, is_new = push_model("human-v1", folder)
    ...     offer.name, offer.types, is_new
    ('human-v1', 410, True)
    """
    bundle = model if isinstance(model, Bundle) else load_bundle(model)
    name = bundle.name if name is None else name
    if name == UNNAMED:
        raise ConfigError(f"the model has no name of its own yet ({UNNAMED!r}); give it one: --name, in Python name=.")
    if not re.fullmatch(NAME, name):
        raise ConfigError(
            f"{name[:100]!r} can't be a model's name; it has letters, digits, '.', '_' and '-', at most 100."
        )
    with _called(bundle, name) as named:
        return _push_to(place, named)


@contextmanager
def _called(bundle: Bundle, name: str) -> Iterator[Bundle]:
    """Give a bundle under a name: the same but for its manifest, and so another revision."""
    if name == bundle.name:
        yield bundle
        return
    with tempfile.TemporaryDirectory() as folder:
        for file in bundle.manifest.files:
            shutil.copyfile(bundle.path / file, Path(folder) / file)
        fields = json.loads((bundle.path / MANIFEST).read_text(encoding="utf-8"))
        write_json(Path(folder) / MANIFEST, fields | {"name": name})
        yield load_bundle(folder)


def _push_to(place: Path | str, bundle: Bundle) -> tuple[Offer, bool]:
    offer = offer_of(bundle.manifest, (bundle.path / MANIFEST).read_bytes())
    text = str(place)
    if text.startswith(HUB):
        from spoticell.model.hub import HubShelf  # noqa: PLC0415 - of an extra

        return offer, HubShelf(text.removeprefix(HUB).rstrip("/")).push(bundle, offer)
    if "://" in text:
        raise ConfigError(f"models can't be pushed to {text}; push them into a folder, and serve that folder.")
    folder = Path(place)
    if folder.is_file():
        raise OutputError(f"{folder} is a file, not a folder; a catalogue is a folder.")
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / LOCK):
            return offer, _push(bundle, offer, folder)


def _push(bundle: Bundle, offer: Offer, folder: Path) -> bool:
    shelf = FolderShelf(folder)
    catalogue = shelf.catalogue() if (folder / CATALOGUE).is_file() else Catalogue()
    if any(one.sha256 == offer.sha256 for one in catalogue.models):
        return False
    text = catalogue.with_offer(offer).text()
    target = folder / offer.folder
    part = target.with_name(f"{target.name}.part")
    for left in (part, target):  # of a push that was killed: the catalogue doesn't know it
        remove(left)
    part.mkdir(parents=True)
    try:
        for name in (MANIFEST, *bundle.manifest.files):
            shutil.copyfile(bundle.path / name, part / name)
        part.replace(target)
    finally:
        remove(part)
    try:
        # last, so that whoever reads it finds all that it offers
        with atomic(folder / CATALOGUE) as passing:
            passing.write_text(text, encoding="utf-8")
    except OutputError:
        remove(target)
        raise
    return True
