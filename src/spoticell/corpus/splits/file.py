"""Splits in a store: one JSON file each, with a hash over all that it says."""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import ValidationError

from spoticell.corpus.splits.split import MAJOR, MINOR, Split
from spoticell.errors import OutputError, StoreError
from spoticell.io.sealed import format_of
from spoticell.io.write import write_json, writing

FOLDER = "splits"
SHA256 = "sha256"


def write_split(folder: Path, split: Split) -> Path:
    """Write a split into a store, and give its file.

    The same split may be written again; another one of its name is refused.

    Raises
    ------
    OutputError
        If another split is called so, or the disk refuses.
    """
    path = folder / FOLDER / f"{split.name}.json"
    if path.exists():
        if read_split(folder, split.name) == split:
            return path
        raise OutputError(f"{path} is there already and is another split. Give this one another name.")
    with writing(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
    content = {**split.model_dump(mode="json"), SHA256: split.sha256}
    write_json(path, content)
    return path


def read_split(folder: Path, name: str) -> Split:
    """Read a split of a store.

    Raises
    ------
    StoreError
        If there is none of that name, it isn't what was written, or a later release wrote it.

    Examples
    --------
    >>> read_split(Path("nowhere"), "donors")
    Traceback (most recent call last):
    spoticell.errors.StoreError: nowhere has no split 'donors'; it has none.
    """
    path = folder / FOLDER / f"{name}.json"
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        there = ", ".join(repr(other.stem) for other in sorted(path.parent.glob("*.json"))) or "none"
        raise StoreError(f"{folder} has no split {name!r}; it has {there}.") from None
    except (OSError, ValueError, RecursionError) as error:
        raise StoreError(f"{path} can't be read as a split: {error}.") from error
    said = content.pop(SHA256, None) if isinstance(content, dict) else None
    _check_format(path, content)
    try:
        split = Split.model_validate(content)
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        raise StoreError(f"{path} is no split: {fault['msg']}. Make the split again.") from None
    if split.sha256 != said or split.name != name:
        raise StoreError(f"{path} was changed after it was written: its hash doesn't fit. Make the split again.")
    return split


def _check_format(path: Path, content: object) -> None:
    version = format_of(content)
    if version is not None and version > (MAJOR, MINOR):
        stated = ".".join(map(str, version))
        raise StoreError(f"{path} is a split of format {stated}, which a later release wrote. Update Spoticell.")
