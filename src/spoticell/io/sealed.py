"""Folders whose manifest states the sha256 and size of every file: bundles, indexes, stores of cells.

Here is what they have in common: formats, plain names, records of files, and locks.  Each kind of folder brings its own
errors and words.  Files are put in place by ``write``.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from io import BufferedRandom
from pathlib import Path
from typing import Annotated

from filelock import lock_descriptor
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from spoticell.errors import SpoticellError

NAME_LIMIT = 200
"""Bytes that the name of a file may have: disks take 255, and passing files have longer names."""

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class FileRecord(BaseModel):
    """What a file must be."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    sha256: Sha256
    bytes: Annotated[int, Field(ge=0)]


def record_of(path: Path) -> FileRecord:
    """State what a file is."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return FileRecord(sha256=digest, bytes=os.fstat(file.fileno()).st_size)


@dataclass(frozen=True)
class Seal:
    """What a kind of folder says of a file that isn't what its manifest states.

    The sentences may hold ``{path}``, ``{folder}`` and ``{name}`` of the file, and ``{found}`` and ``{stated}`` bytes.
    """

    error: type[SpoticellError]
    missing: str
    resized: str
    changed: str

    def check_size(self, path: Path, record: FileRecord) -> None:
        """Refuse a file that is missing or has another size."""
        if not path.is_file():
            raise self._error(self.missing, path)
        found = path.stat().st_size
        if found != record.bytes:
            raise self._error(self.resized, path, found=found, stated=record.bytes)

    def check(self, path: Path, record: FileRecord) -> None:
        """Refuse a file that is missing or has another size or sha256."""
        self.check_size(path, record)
        if record_of(path).sha256 != record.sha256:
            raise self._error(self.changed, path)

    def read(self, path: Path, record: FileRecord) -> bytes:
        """Give the contents of a file, once they are checked."""
        self.check_size(path, record)
        contents = path.read_bytes()
        if hashlib.sha256(contents).hexdigest() != record.sha256:
            raise self._error(self.changed, path)
        return contents

    def _error(self, sentence: str, path: Path, **sizes: int) -> SpoticellError:
        return self.error(sentence.format(path=path, folder=path.parent, name=path.name, **sizes))


def check_plain(names: Iterable[str], *, manifest: str) -> None:
    """Refuse names of files that lead out of a folder, that no disk takes or nobody can read, and that of its manifest.

    Raises
    ------
    ValueError
        If there is one.

    Examples
    --------
    >>> check_plain(["genes.tsv", "../genes.tsv"], manifest="bundle.json")
    Traceback (most recent call last):
    ValueError: '../genes.tsv' is not a plain file name
    """
    for name in names:
        strange = set(name) & set('/\\:"') or not name.isprintable() or len(name.encode()) > NAME_LIMIT
        if name in {"", ".", "..", manifest} or strange:
            raise ValueError(f"{name[:100]!r} is not a plain file name")


def format_of(fields: object) -> tuple[int, int] | None:
    """Give the major and minor number of the format that a manifest states; None where it states none.

    Examples
    --------
    >>> format_of({"format_version": "1.2"}), format_of({"format_version": "new"}), format_of([])
    ((1, 2), None, None)
    """
    stated = fields.get("format_version") if isinstance(fields, dict) else None
    found = re.fullmatch(r"(\d{1,4})\.(\d{1,4})", str(stated))
    return (int(found[1]), int(found[2])) if found else None


def first_fault(error: Exception) -> str:
    """Say what is wrong with a manifest: of fields that can't be, the first."""
    if not isinstance(error, ValidationError):
        return str(error)
    first = error.errors(include_url=False)[0]
    field = ".".join(str(part) for part in first["loc"])[:100]
    message = first["msg"].removeprefix("Value error, ")
    return f"{field}: {message}" if field else message


def alone(path: Path, taken: SpoticellError) -> BufferedRandom:
    """Open a file that no other process has open so; made if need be, and neither cut nor removed.

    The lock is the system's and ends when the file is closed or the process ends, however that ends.

    Parameters
    ----------
    path
        The file.  On Windows its first byte can be read through no other handle meanwhile.
    taken
        What to raise if another process has it.
    """
    with ExitStack() as stack:
        file = stack.enter_context(path.open("a+b"))
        if not lock_descriptor(file.fileno(), blocking=False):
            raise taken
        stack.pop_all()
        return file
