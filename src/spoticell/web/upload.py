"""Receiving a file: from the network straight to its place on disk, never whole in memory.

The body's size is limited before this begins (see ``guard``).  What the visitor calls the file is kept as words
only; on disk it has a random name and, of the endings that readers look at, its own.
"""

from __future__ import annotations

import asyncio
import secrets
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from anyio import to_thread
from fastapi import Request
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import ClientDisconnect

from spoticell.errors import FileFormatError
from spoticell.io.sniff import sniff
from spoticell.io.unpack import ZIP
from spoticell.web.refusal import Refusal

FIELD = "file"
PATIENCE = 60.0
"""Seconds that an upload may be silent."""
LONGEST_NAME = 120
MOST_PARTS, MOST_HEADER = 20, 8192
ENDINGS = (
    ".h5ad", ".h5", ".hdf5", ".loom", ".zip", ".csv", ".csv.gz", ".tsv", ".tsv.gz", ".txt", ".txt.gz",
    ".mtx", ".mtx.gz", ".h5seurat", ".h5mu", ".pkl", ".npy", ".npz",
    ".h5ad.gz", ".h5.gz", ".loom.gz", ".tar", ".tar.gz", ".tgz", ".bz2", ".xz",
)  # fmt: skip
"""Endings that are kept, because readers and their messages look at them."""


@dataclass(frozen=True)
class Upload:
    """A file that was received."""

    name: str
    """What the visitor calls it, fit to be shown."""
    file: str
    """Its name on disk."""
    bytes: int


class _Receiver:
    """Hears from the parser what the body holds, and collects what is to be written."""

    def __init__(self, boundary: bytes) -> None:
        self.name: str | None = None
        self.parts: list[bytes] = []
        self.whole = False
        self._n_parts = 0
        self._in_file = False
        self._header = self._value = b""
        self._disposition = b""
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin,
                "on_header_field": self._header_field,
                "on_header_value": self._header_value,
                "on_header_end": self._header_end,
                "on_headers_finished": self._headers_finished,
                "on_part_data": self._data,
                "on_end": self._end,
            },
        )

    def hear(self, chunk: bytes) -> bytes:
        """Take in a part of the body, and give what it holds of the file."""
        self._parser.write(chunk)
        found, self.parts = b"".join(self.parts), []
        return found

    def _begin(self) -> None:
        self._n_parts += 1
        self._header = self._value = self._disposition = b""
        self._in_file = False
        if self._n_parts > MOST_PARTS:
            raise Refusal(400, f"The request has more than {MOST_PARTS} parts. Send one file.")

    def _header_field(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]
        self._check_header()

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]
        self._check_header()

    def _check_header(self) -> None:
        if len(self._header) + len(self._value) > MOST_HEADER:
            raise Refusal(400, "The request has a header that is too long.")

    def _header_end(self) -> None:
        if self._header.lower() == b"content-disposition":
            self._disposition = self._value
        self._header = self._value = b""

    def _headers_finished(self) -> None:
        _, options = parse_options_header(self._disposition)
        if options.get(b"name") != FIELD.encode() or b"filename" not in options:
            return
        if self.name is not None:
            raise Refusal(400, "The request holds several files. Send them one by one.")
        self.name = shown_name(options[b"filename"].decode("utf-8", "replace"))
        self._in_file = True

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._in_file:
            self.parts.append(data[start:end])

    def _end(self) -> None:
        self.whole = True


async def receive(request: Request, folder: Path) -> Upload:
    """Write the file of a request into a folder.

    Parameters
    ----------
    request
        A POST of ``multipart/form-data`` with one file in the field ``file``.
    folder
        Where to; there and empty.

    Raises
    ------
    Refusal
        If there is no such file, it is empty or of a kind that isn't read, or the request breaks off.
    """
    kind, options = parse_options_header(request.headers.get("content-type"))
    if kind != b"multipart/form-data" or not options.get(b"boundary"):
        raise Refusal(415, "Send a file as multipart/form-data in the field 'file'.")
    passing = folder / secrets.token_hex(8)
    receiver = _Receiver(options[b"boundary"])
    try:
        with passing.open("wb") as file:
            size = await _write(request, receiver, file)
    except FormParserError:
        raise Refusal(400, "The request is not valid multipart/form-data.") from None
    except ClientDisconnect:
        raise Refusal(400, "The upload broke off.") from None
    if receiver.name is None:
        raise Refusal(400, "The request holds no file. Send one in the field 'file'.")
    if not receiver.whole:
        raise Refusal(400, "The upload broke off: its end is missing.")
    path = passing.rename(passing.with_name(passing.name + _ending(receiver.name)))
    await to_thread.run_sync(check_kind, path, receiver.name)
    return Upload(receiver.name, path.name, size)


async def _write(request: Request, receiver: _Receiver, file: IO[bytes]) -> int:
    size = 0
    stream = request.stream()
    while True:
        try:
            async with asyncio.timeout(PATIENCE):
                chunk = await anext(stream, None)
        except TimeoutError:
            raise Refusal(408, f"No data came for {PATIENCE:.0f} seconds.") from None
        if chunk is None:
            return size
        found = receiver.hear(chunk) if chunk else b""
        if found:
            size += len(found)
            await to_thread.run_sync(file.write, found)


def check_kind(path: Path, name: str) -> None:
    """Refuse by its first bytes a file that can't be one of cells.

    Archives are looked into by a worker, which has limits.
    """
    with path.open("rb") as file:
        if file.read(4) == ZIP:
            return
    try:
        sniff(path)
    except FileFormatError as error:
        raise Refusal(415, str(error).replace(path.name, name)) from None


def shown_name(name: str) -> str:
    r"""Give a visitor's file name fit to be shown: no folders, no control characters, not too long.

    Examples
    --------
    >>> shown_name("C:\\data\\my cells.h5ad"), shown_name("../../x"), shown_name("\x00")
    ('my cells.h5ad', 'x', 'cells')
    """
    name = name.replace("\\", "/").rsplit("/", 1)[-1]
    name = "".join(sign for sign in name if unicodedata.category(sign)[0] not in "CZ" or sign == " ").strip()
    if len(name) > LONGEST_NAME:
        name = name[: LONGEST_NAME - 20] + "…" + name[-19:]
    return name or "cells"


def _ending(name: str) -> str:
    lower = name.lower()
    return next((ending for ending in sorted(ENDINGS, key=len, reverse=True) if lower.endswith(ending)), "")
