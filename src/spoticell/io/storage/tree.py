"""What HDF5 files and zarr stores have in common: arrays and attributes under paths.

Readers ask a :class:`Tree` for a node by its path and get an array or a group that has
been checked, or ``None``.  What is checked depends on the store: see ``hdf5`` and ``zarr``.
Libraries raise anything over a damaged file; :func:`reading` stands around their calls, one by
one, so that a fault of our own is never taken for the file's.
Nothing here knows what the arrays mean.
"""

from __future__ import annotations

import math
import struct
import zipfile
import zlib
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spoticell.errors import DownloadError, FileFormatError, OutputError
from spoticell.io.storage.room import Holds, check_list

MOST_CELLS = 500_000_000
MOST_GENES = 1_000_000
MOST_CHUNK_BYTES = 1 << 30
"""A file that declares more than these is refused before anything is allocated."""

DAMAGE = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    NotImplementedError,
    OSError,
    RuntimeError,
    SystemError,
    TypeError,
    ValueError,
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
)
"""What libraries raise over a damaged file."""


class Tree(ABC):
    """A store of named arrays, opened for reading."""

    name: str
    """How messages call the file."""
    room: Holds
    """How many bytes it takes on disk."""

    @abstractmethod
    def node(self, path: str) -> Any | None:  # noqa: ANN401 - h5py and zarr share no type
        """Array or group at ``path`` (``"raw/var"``; ``""`` is the root), checked; ``None`` where there is none."""

    @abstractmethod
    def names(self, path: str) -> list[str]:
        """Names of the members of the group at ``path``, sorted; empty if there is no such group."""

    @abstractmethod
    def n_missing_chunks(self, array: Any) -> int:  # noqa: ANN401
        """How many chunks of ``array`` are not stored."""

    @abstractmethod
    def is_unwritten(self, array: Any) -> bool:  # noqa: ANN401
        """Whether ``array`` was declared and nothing was ever put into it."""

    def attribute(self, path: str, name: str) -> Any | None:  # noqa: ANN401
        """Attribute of the node at ``path`` with bytes made text; ``None`` where there is none."""
        node = self.node(path)
        if node is None:
            return None
        with reading(self.name, f"'{path}'"):
            value = node.attrs.get(name)
        if isinstance(value, np.ndarray) and value.shape == ():
            value = value.item()
        return value.decode("utf-8", "replace") if isinstance(value, bytes) else value

    def read(self, array: Any, path: str) -> Any:  # noqa: ANN401
        """Give all of an array, as the library does; ``path`` is how messages call it."""
        check_list(self.name, path, n_bytes_of(array), self.room)
        with reading(self.name, f"'{path}'"):
            return array[() if array.shape == () else slice(None)]

    def array(self, path: str) -> Any | None:  # noqa: ANN401
        """Array at ``path``, or ``None`` where there is none or a group."""
        node = self.node(path)
        return None if node is None or is_group(node) else node

    @abstractmethod
    def close(self) -> None:
        """Let go of the file."""


def n_bytes_of(array: Any) -> int:  # noqa: ANN401
    """Bytes that an array declares to unpack to; pieces of text of any length count as 8."""
    width = getattr(np.dtype(getattr(array, "dtype", object)), "itemsize", 8)
    return math.prod(map(int, array.shape)) * width


def is_group(node: Any) -> bool:  # noqa: ANN401
    """Whether a node holds other nodes."""
    return hasattr(node, "keys")


def text(values: Any) -> NDArray[np.object_]:  # noqa: ANN401
    """Array of Python strings from any list of names: bytes are decoded, numbers written out, missing ones empty.

    The character NUL, which few formats can hold, is dropped.

    Examples
    --------
    >>> text(np.array([b"CD3E", b"CD8A"])).tolist()
    ['CD3E', 'CD8A']
    >>> text(np.array([1, 2])).tolist()
    ['1', '2']
    """
    words = values.tolist() if isinstance(values, np.ndarray) else list(values)
    out = np.empty(len(words), dtype=object)
    out[:] = [_word(word) for word in words]
    return out


def is_nested(values: Any) -> bool:  # noqa: ANN401
    """Whether an array holds arrays; these are no names."""
    return values.dtype.kind == "O" and any(issubclass(kind, np.ndarray) for kind in set(map(type, values.flat)))


def _word(value: object) -> str:
    if isinstance(value, str):
        return value.replace("\0", "")
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace").replace("\0", "")
    if value is None or (np.isscalar(value) and value != value):  # noqa: PLR0124 - only NaN differs from itself
        return ""
    return str(value).replace("\0", "")


@contextmanager
def reading(name: str, what: str) -> Iterator[None]:
    """Turn whatever a damaged file makes a library raise into a :class:`FileFormatError`; for its calls alone."""
    try:
        yield
    except (DownloadError, OutputError):  # of a store that is read over the network
        raise
    except DAMAGE as error:
        raise damaged(name, what, " ".join(str(error).split()) or type(error).__name__) from error


def damaged(name: str, what: str, reason: str) -> FileFormatError:
    """Error about a part of a file that can't be what it should be."""
    return FileFormatError(
        f"{name}: {what} can't be read, the file is damaged or cut short ({reason[:200]}). "
        "Get a fresh copy or write the file again."
    )
