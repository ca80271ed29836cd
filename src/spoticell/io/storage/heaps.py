"""Text of any length in HDF5 files: where its lists are damaged the library would never come to their end.

Such text lies in global heaps: "GCOL", a version, the heap's size, and pieces that each state their own length; the
next begins where the last ends.  A piece that states a length of zero, or one beyond the heap, has no next.
Source: HDF5 File Format Specification 3.0, III.E.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

MOST_LOOKED_THROUGH = 1 << 26
"""Bytes of the largest file that is looked through: of a larger one it would take seconds."""
AT_ONCE = 1 << 20
"""Bytes that are read at a time."""
SMALLEST = 4096
"""Bytes of the smallest heap."""
START = b"GCOL\x01\0\0\0"
_HEAD, _PIECE = struct.Struct("<8sQ"), struct.Struct("<HHIQ")


def broken_heap(path: Path) -> int | None:
    """Give the first byte of a heap whose pieces don't fill it, None where there is none.

    Parameters
    ----------
    path
        An HDF5 file.  One larger than `MOST_LOOKED_THROUGH` isn't looked through.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "damaged.h5"
    >>> _ = path.write_bytes(b"GCOL" + bytes([1, 0, 0, 0]) + (4096).to_bytes(8, "little") + bytes(4080))
    >>> broken_heap(path)
    0
    """
    n_bytes = path.stat().st_size
    if n_bytes > MOST_LOOKED_THROUGH:
        return None
    with path.open("rb") as file:
        return next((at for at in _starts(file) if not _is_filled(file, at, n_bytes)), None)


def _starts(file: BinaryIO) -> Iterator[int]:
    """Give the places where heaps may start."""
    first, window = 0, b""
    while part := file.read(AT_ONCE):
        window += part
        places = (found.start() for found in re.finditer(re.escape(START), window))
        after = file.tell()
        for place in places:
            yield first + place
        file.seek(after)
        # a start may lie across two parts
        kept = window[-len(START) + 1 :]
        first += len(window) - len(kept)
        window = kept


def _is_filled(file: BinaryIO, at: int, n_bytes: int) -> bool:
    """Say whether the pieces of a heap follow each other from its head to its end."""
    file.seek(at)
    head = file.read(_HEAD.size)
    size = _HEAD.unpack(head)[1] if len(head) == _HEAD.size else 0
    if not SMALLEST <= size <= n_bytes - at:
        # letters of something else
        return True
    heap, place = file.read(size - _HEAD.size), 0
    while place + _PIECE.size <= len(heap):
        number, _, _, length = _PIECE.unpack_from(heap, place)
        if number == 0:
            # the rest is free; its length counts its own head
            return bool(length == len(heap) - place)
        place += _PIECE.size + -(-length // 8) * 8
    return place <= len(heap)
