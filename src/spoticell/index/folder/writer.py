"""Writing an index in a folder: new cells become a new segment, and then ``index.json`` is replaced.

Whatever stops the work, the index is the one from before or the new one, whole.  A segment that was written
but never named in ``index.json`` doesn't belong to the index and is removed by the next writer.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spoticell.errors import SearchError
from spoticell.index.cells import ReferenceCells
from spoticell.index.coarse import COARSE, Coarse
from spoticell.index.folder.segment import SEGMENTS
from spoticell.index.folder.shared import PLANES, read_coarse, read_planes, write_coarse, write_planes
from spoticell.index.folder.spool import Spool
from spoticell.index.manifest import INDEX, IndexManifest, Segment, read_manifest, write_manifest
from spoticell.index.needs import check_installed
from spoticell.io.passing import PASSING, remove_left
from spoticell.io.sealed import alone, record_of
from spoticell.io.write import sync, writing

LOCK = "lock"


def create(
    folder: Path, manifest: IndexManifest, planes_bd: NDArray[np.float32], blocks: Iterable[ReferenceCells]
) -> None:
    """Make a new index of some cells in a folder; see `create_index`."""
    check_installed()
    _check_vacant(folder)
    with writing(folder):
        folder.mkdir(exist_ok=True)
    with locked(folder):
        _check_vacant(folder)  # another process may have made it since
        try:
            files = {PLANES: write_planes(folder, planes_bd)}
            _append(folder, manifest.model_copy(update={"files": files}), blocks)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise


def append(folder: Path, blocks: Iterable[ReferenceCells]) -> None:
    """Add cells to the index in a folder; see `verbs.append`."""
    check_installed()
    with locked(folder):
        _append(folder, read_manifest(folder), blocks)


def set_background(folder: Path, background: dict[str, Any], segments: Sequence[Segment] | None) -> None:
    """State the background of the index in a folder; see `verbs.set_background`."""
    with locked(folder):
        manifest = read_manifest(folder)
        if segments is None or tuple(segments) == manifest.segments:
            write_manifest(folder, manifest.model_copy(update={"background": background}))


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep other writers out of an index; readers need no leave."""
    taken = SearchError(f"{folder} is being written to by another process; try again when it is done.")
    with writing(folder), alone(folder / LOCK, taken):
        yield


def _append(folder: Path, manifest: IndexManifest, blocks: Iterable[ReferenceCells]) -> None:
    _clean(folder, manifest)
    token = secrets.token_hex(4)
    passing, spooled = (folder / SEGMENTS / f".{token}.{kind}" for kind in ("tmp", "spool"))
    try:
        with writing(folder):
            passing.mkdir(parents=True)
            spool = Spool(spooled, manifest.fingerprint_size)
            spool.fill(blocks)
            if not spool.n_cells:
                raise SearchError("there are no cells to put into the index.")
            manifest, coarse = _with_coarse(folder, manifest, spool)
            spool.write(passing, coarse, read_planes(folder, manifest))
            segment = _put_in_place(passing, spool.n_cells)
    finally:
        spooled.unlink(missing_ok=True)
        shutil.rmtree(passing, ignore_errors=True)
    if segment.name in {other.name for other in manifest.segments}:
        raise SearchError(f"these {segment.n_cells:,} cells are in {folder} already, so nothing was added.")
    update = {"segments": (*manifest.segments, segment), "background": None}
    write_manifest(folder, manifest.model_copy(update=update))


def _with_coarse(folder: Path, manifest: IndexManifest, spool: Spool) -> tuple[IndexManifest, Coarse | None]:
    """Give the index's centroids; they are found when the first large lot of cells comes."""
    coarse = read_coarse(folder, manifest)
    if coarse is not None:
        return manifest, coarse
    coarse = spool.train()
    if coarse is None:
        return manifest, None
    return manifest.model_copy(update={"files": manifest.files | {COARSE: write_coarse(folder, coarse)}}), coarse


def _put_in_place(passing: Path, n_cells: int) -> Segment:
    """Give a segment the name that follows from its files; nothing leads to it yet."""
    files = {path.name: record_of(path) for path in sorted(passing.iterdir())}
    text = json.dumps({name: record.sha256 for name, record in files.items()})
    name = hashlib.sha256(text.encode()).hexdigest()[:16]
    for path in (*passing.iterdir(), passing):
        sync(path)
    if not (passing.parent / name).exists():
        passing.rename(passing.parent / name)
    sync(passing.parent)
    return Segment(name=name, date=str(datetime.now(UTC).date()), n_cells=n_cells, files=files)


def _check_vacant(folder: Path) -> None:
    """Refuse a place that holds anything but what a writer left that was stopped before its index was one."""
    if not folder.exists():
        return
    if (folder / INDEX).exists():
        raise SearchError(f"{folder} is an index already; add to it with: spoticell index add. Or give another folder.")
    left = {SEGMENTS, LOCK, PLANES, COARSE}
    if not folder.is_dir() or any(
        path.name not in left and not path.name.startswith(PASSING) for path in folder.iterdir()
    ):
        raise SearchError(f"{folder} is there already and holds something else; give another folder.")


def _clean(folder: Path, manifest: IndexManifest) -> None:
    """Remove what writers left that were stopped."""
    kept = {segment.name for segment in manifest.segments}
    for path in (folder / SEGMENTS).glob("*"):
        if path.name not in kept:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    remove_left(folder)
