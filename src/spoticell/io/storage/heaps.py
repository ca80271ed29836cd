"""Text of any length in HDF5 files: where its lists are damaged the library would never come to their end.

Such text lies in global heaps: "GCOL", a version, the heap's size, and pieces that each state their own length; the
next begins where the last ends.  A piece that states a length of zero, or one beyond the heap, has no next.
Source: HDF5 File Format Specification 3.0, III.E.
"""

from __future__ import annotations

import mmap
import struct
from pathlib import Path

MOST_LOOKED_THROUGH = 1 << 26
"""Bytes of the largest file that is looked through: of a larger one it would take seconds."""
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
    if not 0 < path.stat().st_size <= MOST_LOOKED_THROUGH:
        return None
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        at = content.find(START)
        while at >= 0:
            if at + _HEAD.size <= len(content):
                size = _HEAD.unpack_from(content, at)[1]
                # what isn't of a possible size are letters of something else
                if SMALLEST <= size <= len(content) - at and not _filled(content, at + _HEAD.size, at + size):
                    return at
            at = content.find(START, at + len(START))
    return None


def _filled(content: mmap.mmap, at: int, end: int) -> bool:
    """Say whether pieces follow each other from one byte to another."""
    while at + _PIECE.size <= end:
        number, _, _, length = _PIECE.unpack_from(content, at)
        if number == 0:
            # the rest is free; its length counts its own head
            return bool(length == end - at)
        at += _PIECE.size + -(-length // 8) * 8
    return at <= end
