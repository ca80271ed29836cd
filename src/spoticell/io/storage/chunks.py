"""Lists of numbers in HDF5 files that are packed with gzip, their chunks unpacked side by side.

The HDF5 library unpacks one chunk after another and lets no other thread read meanwhile.  Here it gives the chunks as
they are stored, and zlib, which lets go of Python's lock, unpacks several at once.  Whatever is out of the ordinary is
left to the library.
"""

from __future__ import annotations

import zlib
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from spoticell.io.storage.tree import DAMAGE

PACKED = (("deflate",), ("shuffle", "deflate"))
"""Filters that are undone here, in the order in which they are applied."""
_NAMES = {h5py.h5z.FILTER_DEFLATE: "deflate", h5py.h5z.FILTER_SHUFFLE: "shuffle"}


class Chunks:
    """The chunks of a list of numbers.

    Parameters
    ----------
    array
        The list, packed as `packed` says.
    """

    def __init__(self, array: h5py.Dataset) -> None:
        self._array, self._size = array, int(array.chunks[0])
        self._shuffled = "shuffle" in _filters(array)
        self._last: tuple[int, NDArray[Any]] | None = None

    def read(self, start: int, stop: int, *, threads: int) -> NDArray[Any] | None:
        """Give some numbers; None where a chunk isn't what it should be, for the HDF5 library to say why.

        Parameters
        ----------
        start, stop
            Which, more than none.
        threads
            How many chunks are unpacked at once.
        """
        first, numbers = start // self._size, range(start // self._size, -(-stop // self._size))
        # the last chunk of what was read before is often the first of what is read now
        held = [] if self._last is None or self._last[0] != first else [self._last[1]]
        try:
            with ThreadPoolExecutor(threads, thread_name_prefix="unpack") as pool:
                coming = [pool.submit(self._unpacked, *self._stored(number)) for number in numbers[len(held) :]]
                parts = [*held, *(part.result() for part in coming)]
        except (*DAMAGE, zlib.error):
            return None
        self._last = numbers[-1], parts[-1]
        values: NDArray[Any] = np.concatenate(parts)[start - first * self._size : stop - first * self._size]
        return values

    def _stored(self, number: int) -> tuple[int, bytes]:
        """Give a chunk as it is stored, and which filters were left out."""
        left_out, packed = self._array.id.read_direct_chunk((number * self._size,))
        return left_out, packed

    def _unpacked(self, left_out: int, packed: bytes) -> NDArray[Any]:
        n_bytes = self._size * self._array.dtype.itemsize
        # a chunk may be made to unpack to far more
        values = b"" if left_out else zlib.decompressobj().decompress(packed, n_bytes)
        if len(values) != n_bytes:
            raise ValueError("the chunk is packed otherwise")
        if self._shuffled:
            # the first bytes of all numbers lie together, then the second ones, ...
            values = np.frombuffer(values, np.uint8).reshape(-1, self._size).T.tobytes()
        return np.frombuffer(values, self._array.dtype)


def packed(array: Any) -> bool:  # noqa: ANN401 - arrays of HDF5 and of zarr
    """Whether an array is a list of plain numbers that is packed with gzip alone."""
    if not isinstance(array, h5py.Dataset) or array.chunks is None or len(array.shape) != 1:
        return False
    return array.dtype.kind in "iuf" and _filters(array) in PACKED


def _filters(array: h5py.Dataset) -> tuple[str, ...]:
    settings = array.id.get_create_plist()
    codes = [settings.get_filter(place)[0] for place in range(settings.get_nfilters())]
    return tuple(_NAMES.get(code, "another") for code in codes)
