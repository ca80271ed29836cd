"""Receiving a file: from the network straight to its place on disk, never whole in memory.

The body's size is limited before this begins (see ``guard``).  What the visitor calls the file is kept as words
only; on disk it has a random name and, of the endings that readers look at, its own.
"""

from __future__ import annotations

import asyncio
import secrets
import time
import unicodedata
from collections.abc import Callable
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
from spoticell.web.matrix_files import part_matrix
from spoticell.web.refusal import Refusal

FIELD = "file"
PATIENCE = 60.0
"""Seconds that an upload may be silent."""
WINDOW, LEAST_RATE = 60.0, 16_000
"""Seconds over which an upload's pace is measured, and bytes a second that it must have.  Who sends a byte now and
then would hold a place for days; the slowest honest lines send several times as much."""
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
        self.names: list[str] = []
        self.sizes: list[int] = []
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
            raise Refusal(
                400,
                f"The request has more than {MOST_PARTS} parts. Send one file, or one matrix with its files of names.",
            )

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
        self.names.append(options[b"filename"].decode("utf-8", "replace"))
        self.sizes.append(0)
        self._in_file = True

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._in_file:
            self.parts.append(data[start:end])
            self.sizes[-1] += end - start

    def _end(self) -> None:
        self.whole = True


async def receive(request: Request, folder: Path, *, on_bytes: Callable[[int], None]) -> Upload:
    """Write the file of a request into a folder, or a matrix with its files of names into a folder in it.

    Parameters
    ----------
    request
        A POST of ``multipart/form-data`` with one file in the field ``file``, or several that are one matrix.
    folder
        Where to; there and empty.
    on_bytes
        Called with the bytes of the file that are here; what it raises ends the upload.

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
            size = await _write(request, receiver, file, on_bytes)
    except FormParserError:
        raise Refusal(400, "The request is not valid multipart/form-data.") from None
    except ClientDisconnect:
        raise Refusal(400, "The upload broke off.") from None
    if not receiver.names:
        raise Refusal(400, "The request holds no file. Send one in the field 'file'.")
    if not receiver.whole:
        raise Refusal(400, "The upload broke off: its end is missing.")
    if len(receiver.names) > 1:
        files = list(zip(receiver.names, receiver.sizes, strict=True))
        folder, shown = await to_thread.run_sync(part_matrix, passing, files)
        return Upload(shown_name(shown), folder.name, size)
    name = shown_name(receiver.names[0])
    path = passing.rename(passing.with_name(passing.name + _ending(name)))
    await to_thread.run_sync(check_kind, path, name)
    return Upload(name, path.name, size)


class _Pace:
    """Refuses an upload that comes too slowly."""

    def __init__(self) -> None:
        self._since, self._bytes = time.monotonic(), 0

    def keep(self, n_bytes: int) -> None:
        """Take note of what has come."""
        self._bytes += n_bytes
        seconds = time.monotonic() - self._since
        if seconds < WINDOW:
            return
        if self._bytes < LEAST_RATE * seconds:
            raise Refusal(
                408,
                f"The file came too slowly: {self._bytes / seconds / 1000:,.1f} kB a second. This server needs "
                f"{LEAST_RATE / 1000:,.0f} at least. Pack the file, or send it over a faster line.",
            )
        self._since, self._bytes = time.monotonic(), 0


async def _write(request: Request, receiver: _Receiver, file: IO[bytes], on_bytes: Callable[[int], None]) -> int:
    size = 0
    stream, pace = request.stream(), _Pace()
    while True:
        try:
            async with asyncio.timeout(PATIENCE):
                chunk = await anext(stream, None)
        except TimeoutError:
            raise Refusal(408, f"No data came for {PATIENCE:.0f} seconds.") from None
        if chunk is None:
            return size
        pace.keep(len(chunk))
        found = receiver.hear(chunk) if chunk else b""
        if found:
            size += len(found)
            on_bytes(size)
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
