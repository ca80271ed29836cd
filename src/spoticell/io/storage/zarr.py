"""AnnData zarr stores: a folder or a zip file, of zarr format 2 or 3.

zarr fills a lost chunk with zeros and says nothing, so lost chunks are counted here.
Only codecs that can't run code are let through: one codec of zarr 2 unpickles.
"""

from __future__ import annotations

import math
import zipfile
from pathlib import Path
from typing import Any

from spoticell.errors import FileFormatError
from spoticell.io.storage.room import check_chunks, holds
from spoticell.io.storage.tree import MOST_CHUNK_BYTES, Tree, is_group, reading

MOST_METADATA = 1 << 26
"""Longest file about arrays in a packed store, in bytes."""
METADATA = frozenset(["zarr.json", ".zarray", ".zattrs", ".zgroup", ".zmetadata"])
_CODECS = frozenset(
    [
        "adler32",
        "bitround",
        "blosc",
        "bytes",
        "bz2",
        "crc32",
        "crc32c",
        "delta",
        "fixedscaleoffset",
        "fletcher32",
        "gzip",
        "lz4",
        "lzma",
        "packbits",
        "quantize",
        "sharding_indexed",
        "shuffle",
        "transpose",
        "variable_length_utf8",
        "vlen-bytes",
        "vlen-utf8",
        "zlib",
        "zstd",
    ]
)


class ZarrTree(Tree):
    """A zarr store opened for reading.

    Raises
    ------
    FileFormatError
        If it can't be opened.
    """

    def __init__(self, path: Path) -> None:
        import zarr  # noqa: PLC0415 - slow to load, and only zarr stores need it

        self.name, self.room = path.name, holds([path])
        self._store: Any = None
        inside = _inside(path) if path.is_file() else None
        with reading(self.name, "the store"):
            if path.is_file():
                self._store = zarr.storage.ZipStore(path, mode="r")
            self._root: Any = zarr.open_group(self._store or str(path), path=inside, mode="r")

    def node(self, path: str) -> Any | None:  # noqa: ANN401
        """Array or group at ``path``, or ``None``."""
        with reading(self.name, f"'{path}'"):
            node = self._root.get(path) if path else self._root
        if node is not None and not is_group(node):
            self._check_array(node, path)
        return node

    def names(self, path: str) -> list[str]:
        """Names of the members of a group, sorted."""
        node = self.node(path)
        if node is None or not is_group(node):
            return []
        with reading(self.name, f"'{path}'"):
            return sorted(node.keys())

    def n_missing_chunks(self, array: Any) -> int:  # noqa: ANN401
        """How many chunks of ``array`` are not stored."""
        with reading(self.name, f"'{array.name}'"):
            return int(array.nchunks) - int(array.nchunks_initialized)

    def is_unwritten(self, array: Any) -> bool:  # noqa: ANN401
        """Say no: zarr stores no chunk of zeros, so a matrix without chunks may be one of empty cells."""
        return False

    def close(self) -> None:
        """Let go of the store."""
        if self._store is not None:
            self._store.close()

    def _check_array(self, array: Any, path: str) -> None:  # noqa: ANN401
        with reading(self.name, f"'{path}'"):
            metadata = array.metadata.to_dict()
            chunk_bytes = math.prod(array.chunks) * (getattr(array.dtype, "itemsize", 8) or 8)
        for codec in _codecs(metadata):
            if codec not in _CODECS:
                raise FileFormatError(
                    f"{self.name}: '{path}' is packed with the codec {codec!r}, which is not known to be safe. "
                    "Write the store again with zstd or gzip."
                )
        check_chunks(self.name, path, int(array.nchunks), self.room)
        if chunk_bytes > MOST_CHUNK_BYTES:
            raise FileFormatError(
                f"{self.name}: one chunk of '{path}' unpacks to more than 1 GiB. "
                "Write the store again with smaller chunks."
            )


def is_zarr(path: Path) -> bool:
    """Whether a folder is a zarr store."""
    return any((path / name).is_file() for name in ("zarr.json", ".zgroup", ".zmetadata"))


def _inside(path: Path) -> str:
    """Folder of a zip archive in which the store lies: its top, or the one folder that was packed."""
    with reading(path.name, "the store"), zipfile.ZipFile(path) as archive:
        members = archive.infolist()
    for member in members:
        is_metadata = member.filename.rpartition("/")[2] in METADATA
        if member.file_size > (MOST_METADATA if is_metadata else MOST_CHUNK_BYTES):
            raise FileFormatError(
                f"{path.name}: '{member.filename[:100]}' unpacks to {member.file_size:,} bytes, which is too much. "
                "Write the store again."
            )
    names = [member.filename for member in members]
    places = [name for name in names if name.rsplit("/", 1)[-1] in {"zarr.json", ".zgroup"}]
    return min((name.rpartition("/")[0] for name in places), key=len, default="")


def _codecs(metadata: dict[str, Any]) -> list[str]:
    """Names of all codecs of an array, those inside shards too."""
    listed = [metadata.get("compressor"), *(metadata.get("filters") or ()), *(metadata.get("codecs") or ())]
    names = []
    for codec in listed:
        if codec is None:
            continue
        plain = (
            codec
            if isinstance(codec, dict)
            else codec.get_config()
            if hasattr(codec, "get_config")
            else codec.to_dict()
        )
        settings = plain.get("configuration", {})
        names.append(str(plain.get("id", plain.get("name"))).removeprefix("numcodecs."))
        names += _codecs({"codecs": [*settings.get("codecs", ()), *settings.get("index_codecs", ())]})
    return names
