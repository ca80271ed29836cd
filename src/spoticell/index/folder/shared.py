"""What all segments of an index share, in files beside them that never change: ``coarse.faiss`` and ``planes.npy``."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spoticell.errors import SearchError
from spoticell.index.coarse import COARSE, Coarse, parse_coarse
from spoticell.index.manifest import IndexFile, IndexManifest
from spoticell.io.write import atomic

PLANES = "planes.npy"
CHUNK = 1 << 22


def write_coarse(folder: Path, coarse: Coarse) -> IndexFile:
    """Write the centroids of an index."""
    return _write(folder / COARSE, coarse.to_bytes())


def read_coarse(folder: Path, manifest: IndexManifest) -> Coarse | None:
    """Read the centroids of an index, which has none if it is small."""
    if COARSE not in manifest.files:
        return None
    contents = _read(folder / COARSE, manifest.files[COARSE])
    return parse_coarse(contents, size=manifest.fingerprint_size, where=folder / COARSE)


def write_planes(folder: Path, planes_bd: NDArray[np.float32]) -> IndexFile:
    """Write the planes of the binary code."""
    contents = io.BytesIO()
    np.save(contents, planes_bd, allow_pickle=False)
    return _write(folder / PLANES, contents.getvalue())


def read_planes(folder: Path, manifest: IndexManifest) -> NDArray[np.float32]:
    """Read the planes of the binary code, ``(b, d)``."""
    if PLANES not in manifest.files:
        raise SearchError(f"{folder} names no {PLANES}; build the index again.")
    contents = _read(folder / PLANES, manifest.files[PLANES])
    planes_bd: NDArray[np.float32] = np.load(io.BytesIO(contents), allow_pickle=False)
    return planes_bd


def file_record(path: Path) -> IndexFile:
    """State what a file is."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while part := file.read(CHUNK):
            digest.update(part)
    return IndexFile(sha256=digest.hexdigest(), bytes=path.stat().st_size)


def check_size(path: Path, record: IndexFile) -> None:
    """Refuse a file that is missing or has another size than it should have."""
    if not path.is_file():
        raise SearchError(f"the index lacks its file {path}; copy or build it again.")
    found = path.stat().st_size
    if found != record.bytes:
        raise SearchError(
            f"{path} is {found:,} bytes long, not {record.bytes:,}: it was cut short or changed. "
            "Copy or build the index again."
        )


def check_contents(path: Path, record: IndexFile) -> None:
    """Refuse a file whose sha256 isn't the one that it should have."""
    check_size(path, record)
    if file_record(path) != record:
        raise SearchError(
            f"{path} is not the file that was written (its sha256 differs). Copy or build the index again."
        )


def _write(path: Path, contents: bytes) -> IndexFile:
    with atomic(path) as passing:
        passing.write_bytes(contents)
    return file_record(path)


def _read(path: Path, record: IndexFile) -> bytes:
    check_contents(path, record)
    return path.read_bytes()
