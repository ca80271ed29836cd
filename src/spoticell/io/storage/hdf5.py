"""HDF5 files, opened so that a file from a stranger can neither lead elsewhere nor surprise.

Followed: hard links, and soft links that stay in the file.  Refused: external links,
external and virtual storage, unknown filters, chunks too large to unpack, heaps without an end.
Python can't protect against faults inside the HDF5 library itself.
"""

from __future__ import annotations

import importlib
import math
import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from spoticell.errors import FileFormatError
from spoticell.io.storage.heaps import broken_heap
from spoticell.io.storage.links import MOST_LINKS, link_of
from spoticell.io.storage.room import check_list, holds
from spoticell.io.storage.tree import MOST_CHUNK_BYTES, Tree, damaged, is_group, reading

CACHE = 1 << 23
"""Bytes of unpacked chunks that are kept of each array, so that a chunk isn't unpacked anew for each part of it."""
MOST_TEXT = 1 << 28
"""Characters that text of any length may take at once: each piece may be as long as the file."""
_POINTER = np.dtype([("length", "<u4"), ("where", "V12")])
"""What an array that isn't packed holds in place of each piece of text."""
_FILTERS = {
    307: "bzip2",
    32000: "LZF",
    32001: "Blosc",
    32004: "LZ4",
    32008: "Bitshuffle",
    32013: "ZFP",
    32015: "Zstandard",
    32026: "Blosc2",
}


class Hdf5Tree(Tree):
    """An HDF5 file opened for reading.

    Raises
    ------
    FileFormatError
        If the file is cut short, in use, not HDF5, or leads out of itself.
    """

    def __init__(self, path: Path) -> None:
        self.name, self.room = path.name, holds([path])
        self._path, self._n_bytes = path, path.stat().st_size
        self.file = _open(path)
        if (byte := broken_heap(path)) is not None:
            self.file.close()
            raise FileFormatError(_broken(path, f"the text at byte {byte:,} doesn't add up"))

    def node(self, path: str) -> Any | None:  # noqa: ANN401
        """Array or group at ``path``, or ``None``."""
        where = self._resolve(path)
        if where is None:
            return None
        with reading(self.name, f"'{path}'"):
            node = self.file["/" + "/".join(where)]
            nothing = not isinstance(node, h5py.Group) and node.shape is None
        if nothing:
            return None
        if not is_group(node):
            self._check_array(node, "/".join(where))
        return node

    def names(self, path: str) -> list[str]:
        """Names of the members of a group, sorted."""
        node = self.node(path)
        if node is None or not is_group(node):
            return []
        with reading(self.name, f"'{path}'"):
            return sorted(node.keys())

    def read(self, array: Any, path: str) -> Any:  # noqa: ANN401
        """Give all of an array, text of any length in parts: a piece may be stored once and named often."""
        if len(array.shape) != 1 or array.dtype.kind != "O" or not array.size:
            return super().read(array, path)
        self._check_text(array, path)
        step = max(256, min(MOST_TEXT // self._n_bytes, 1 << 16), (array.chunks or (0,))[0] * 16 // CACHE * 1024)
        parts, n_characters = [], 0
        for start in range(0, array.shape[0], step):
            with reading(self.name, f"'{path}'"):
                parts.append(array[start : start + step])
            n_characters += sum(len(piece) for piece in parts[-1] if hasattr(piece, "__len__"))
            check_list(self.name, path, n_characters, self.room)
        return np.concatenate(parts)

    def _check_text(self, array: h5py.Dataset, path: str) -> None:
        """Compare the lengths of text with that of the file: the library would set memory aside for each at once."""
        start = array.id.get_offset()
        if start is None or self.file.userblock_size or h5py.check_string_dtype(array.dtype) is None:
            return
        most = self._n_bytes // _POINTER.itemsize
        pointers = np.fromfile(self._path, _POINTER, count=min(array.size, most), offset=start)
        longest = pointers["length"].max(initial=0)
        if longest > self._n_bytes:
            why = f"a piece of its text is said to take {longest:,} bytes, more than the file has"
            raise damaged(self.name, f"'{path}'", why)

    def n_missing_chunks(self, array: Any) -> int:  # noqa: ANN401
        """How many chunks of ``array`` were never written; one in a piece counts as one chunk."""
        with reading(self.name, f"'{array.name}'"):
            if array.chunks is None:
                return int(self.is_unwritten(array))
            sides = zip(array.shape, array.chunks, strict=True)
            n_chunks = math.prod(-(-int(side) // int(chunk)) for side, chunk in sides)
            return max(0, n_chunks - int(array.id.get_num_chunks()))

    def is_unwritten(self, array: Any) -> bool:  # noqa: ANN401
        """Whether ``array`` has a size and no byte is stored for it."""
        with reading(self.name, f"'{array.name}'"):
            return bool(array.size) and int(array.id.get_storage_size()) == 0

    def close(self) -> None:
        """Let go of the file."""
        self.file.close()

    def _resolve(self, path: str) -> list[str] | None:
        """Path without soft links, ``None`` if nothing is there."""
        parts, done = [part for part in path.split("/") if part], list[str]()
        n_links = 0
        while parts:
            with reading(self.name, f"'{path}'"):
                here = self.file["/" + "/".join(done)]
                link = link_of(here, parts[0]) if isinstance(here, h5py.Group) else None
            if link is None:
                return None
            if isinstance(link, h5py.ExternalLink):
                raise FileFormatError(
                    f"{self.name}: '{'/'.join([*done, parts[0]])}' is a link to another file ({link.filename}), "
                    "which is not followed. Write the data into one file."
                )
            if not isinstance(link, h5py.SoftLink):
                done.append(parts.pop(0))
                continue
            n_links += 1
            if n_links > MOST_LINKS:
                raise FileFormatError(f"{self.name}: the links at '{'/'.join([*done, parts[0]])}' run in a circle.")
            target = [part for part in link.path.split("/") if part not in {"", "."}]
            done = [] if link.path.startswith("/") else done
            parts = target + parts[1:]
        return done

    def _check_array(self, array: h5py.Dataset, path: str) -> None:
        with reading(self.name, f"'{path}'"):
            elsewhere = bool(array.external) or array.is_virtual
            chunk_bytes = math.prod(map(int, array.chunks or (0,))) * array.dtype.itemsize
            settings = array.id.get_create_plist()
            filters = [settings.get_filter(position) for position in range(settings.get_nfilters())]
            codes = [code for code, *_ in filters]
        if elsewhere:
            raise FileFormatError(
                f"{self.name}: the numbers of '{path}' are kept in another file, which is not followed. "
                "Write the data into one file."
            )
        for code, _, _, label in filters:
            if h5py.h5z.filter_avail(code) or (_load_plugins() and h5py.h5z.filter_avail(code)):
                continue
            known = _FILTERS.get(code) or label.decode("utf-8", "replace") or "unknown"
            raise FileFormatError(
                f"{self.name}: '{path}' is packed with the filter {known} (number {code}), which this HDF5 library "
                "lacks. Install it with `pip install hdf5plugin`, or write the file with gzip."
            )
        if len(set(codes)) < len(codes):
            raise FileFormatError(f"{self.name}: '{path}' is packed more than once. Write the file again with gzip.")
        if chunk_bytes > MOST_CHUNK_BYTES:
            raise FileFormatError(
                f"{self.name}: one chunk of '{path}' unpacks to more than 1 GiB. "
                "Write the file again with smaller chunks."
            )


def _open(path: Path) -> h5py.File:
    try:
        return h5py.File(path, "r", rdcc_nbytes=CACHE)
    except OSError as error:
        raise FileFormatError(_why_closed(path, str(error))) from error


def _why_closed(path: Path, reason: str) -> str:
    ends = re.search(r"truncated file: eof = (\d+).*stored_eof = (\d+)", reason)
    if ends:
        return f"{path.name} is cut short: {ends[1]} of {ends[2]} bytes are there. Copy or download it again."
    if re.search(r"unable to lock|already open|Resource temporarily unavailable", reason):
        return f"{path.name} is in use: another program is writing it. Close that program, or wait until it is done."
    if "Permission denied" in reason:
        return f"{path.name} may not be read: you lack the permission."
    return _broken(path, " ".join(reason.split())[:200])


def _broken(path: Path, why: str) -> str:
    return f"{path.name} is a damaged HDF5 file ({why}). Copy or download it again."


def _load_plugins() -> bool:
    if find_spec("hdf5plugin") is None:
        return False
    importlib.import_module("hdf5plugin")
    return True
