"""What all segments of an index share, in files beside them that never change: ``coarse.faiss`` and ``planes.npy``."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spoticell.errors import SearchError
from spoticell.index.coarse import COARSE, Coarse, parse_coarse
from spoticell.index.manifest import IndexManifest
from spoticell.io.sealed import FileRecord, Seal, record_of
from spoticell.io.write import atomic

PLANES = "planes.npy"

SEAL = Seal(
    SearchError,
    missing="the index lacks its file {path}; copy or build it again.",
    resized=(
        "{path} is {found:,} bytes long, not {stated:,}: it was cut short or changed. Copy or build the index again."
    ),
    changed="{path} is not the file that was written (its sha256 differs). Copy or build the index again.",
)


def write_coarse(folder: Path, coarse: Coarse) -> FileRecord:
    """Write the centroids of an index."""
    return _write(folder / COARSE, coarse.to_bytes())


def read_coarse(folder: Path, manifest: IndexManifest) -> Coarse | None:
    """Read the centroids of an index, which has none if it is small."""
    if COARSE not in manifest.files:
        return None
    contents = SEAL.read(folder / COARSE, manifest.files[COARSE])
    return parse_coarse(contents, size=manifest.fingerprint_size, where=folder / COARSE)


def write_planes(folder: Path, planes_bd: NDArray[np.float32]) -> FileRecord:
    """Write the planes of the binary code."""
    contents = io.BytesIO()
    np.save(contents, planes_bd, allow_pickle=False)
    return _write(folder / PLANES, contents.getvalue())


def read_planes(folder: Path, manifest: IndexManifest) -> NDArray[np.float32]:
    """Read the planes of the binary code, ``(b, d)``."""
    if PLANES not in manifest.files:
        raise SearchError(f"{folder} names no {PLANES}; build the index again.")
    contents = SEAL.read(folder / PLANES, manifest.files[PLANES])
    shape = (manifest.code_bits, manifest.fingerprint_size)
    try:
        planes_bd: NDArray[np.float32] = np.load(io.BytesIO(contents), allow_pickle=False)
    except (OSError, ValueError, EOFError, MemoryError) as error:
        raise SearchError(f"{folder / PLANES} is damaged ({error}); build the index again.") from None
    if planes_bd.shape != shape or planes_bd.dtype.kind != "f" or not np.isfinite(planes_bd).all():
        raise SearchError(f"{folder / PLANES} isn't {shape[0]} x {shape[1]} finite numbers; build the index again.")
    return planes_bd


def _write(path: Path, contents: bytes) -> FileRecord:
    with atomic(path) as passing:
        passing.write_bytes(contents)
    return record_of(path)
