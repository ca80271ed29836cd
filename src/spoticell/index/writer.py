"""Writing an index: new cells become a new segment, and then ``index.json`` is replaced.

Whatever stops the work, the index is the one from before or the new one, whole.  A segment that was written
but never named in ``index.json`` doesn't belong to the index and is removed by the next writer.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import shutil
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from spoticell import __version__
from spoticell.bundle import Bundle
from spoticell.errors import SearchError
from spoticell.index.cells import ReferenceCells
from spoticell.index.manifest import INDEX, IndexFile, IndexManifest, Segment, read_manifest, write_manifest
from spoticell.index.segment import write_files
from spoticell.io.write import sync, writing

SEGMENTS, LOCK = "segments", "lock"
CODE_BITS = 128
CHUNK = 1 << 22


def create_index(folder: Path | str, bundle: Bundle, blocks: Iterable[ReferenceCells]) -> None:
    """Make a new index of some cells.

    Parameters
    ----------
    folder
        Where; must not be there yet.
    bundle
        The one that the fingerprints are of.
    blocks
        The cells.

    Raises
    ------
    SearchError
        If there are no cells, or ``folder`` holds something.
    OutputError
        If the disk refuses.
    """
    folder = Path(folder)
    if folder.exists() and (not folder.is_dir() or {path.name for path in folder.iterdir()} - {SEGMENTS, LOCK}):
        what = "an index already; add to it with: spoticell index add" if (folder / INDEX).exists() else "not empty"
        raise SearchError(f"{folder} is {what}. Or give another folder.")
    with writing(folder):
        folder.mkdir(exist_ok=True)
    manifest = IndexManifest(
        spoticell_version=__version__,
        bundle=bundle.name,
        bundle_sha256=bundle.sha256,
        fingerprint_size=bundle.manifest.fingerprint_size,
        code_bits=CODE_BITS,
    )
    try:
        with locked(folder):
            _append(folder, manifest, blocks)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def append(folder: Path | str, bundle: Bundle, blocks: Iterable[ReferenceCells]) -> None:
    """Add cells to an index, which stays as it is until all of them are on the disk.

    Raises
    ------
    SearchError
        If the index is of another bundle, there are no cells, or they are in it already.
    OutputError
        If the disk refuses.
    """
    folder = Path(folder)
    check_bundle(read_manifest(folder), bundle, folder)
    with locked(folder):
        _append(folder, read_manifest(folder), blocks)


def set_background(folder: Path | str, background: dict[str, Any]) -> None:
    """State the similarities that come by chance; forgotten whenever cells are added."""
    folder = Path(folder)
    with locked(folder):
        write_manifest(folder, read_manifest(folder).model_copy(update={"background": background}))


def check_bundle(manifest: IndexManifest, bundle: Bundle, folder: Path) -> None:
    """Refuse a bundle whose fingerprints can't be compared with those of an index."""
    if manifest.bundle_sha256 != bundle.sha256:
        raise SearchError(
            f"the index {folder} holds fingerprints of the bundle {manifest.bundle} ({manifest.bundle_sha256[:8]}), "
            f"not of {bundle.name} ({bundle.sha256[:8]}); they can't be compared. Give that bundle, or build the "
            "index again."
        )


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep other writers out of an index; readers need no leave.

    The lock is the system's and ends with the process, however that ends.
    """
    with writing(folder), (folder / LOCK).open("a+b") as file:
        _lock(file.fileno(), folder)
        yield


def _lock(handle: int, folder: Path) -> None:
    try:
        if sys.platform == "win32":
            import msvcrt  # noqa: PLC0415 - there only

            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl  # noqa: PLC0415 - not on Windows

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise SearchError(f"{folder} is being written to by another process; try again when it is done.") from None


def _append(folder: Path, manifest: IndexManifest, blocks: Iterable[ReferenceCells]) -> None:
    clean(folder, manifest)
    segment = write_segment(folder, blocks)
    if segment.name in {other.name for other in manifest.segments}:
        raise SearchError(f"these {segment.n_cells:,} cells are in {folder} already, so nothing was added.")
    update = {"segments": (*manifest.segments, segment), "background": None}
    write_manifest(folder, manifest.model_copy(update=update))


def clean(folder: Path, manifest: IndexManifest) -> None:
    """Remove what writers left that were stopped."""
    kept = {segment.name for segment in manifest.segments}
    for path in (folder / SEGMENTS).glob("*"):
        if path.name not in kept:
            shutil.rmtree(path, ignore_errors=True)
    for path in folder.glob(".spoticell-*.tmp*"):
        path.unlink(missing_ok=True)


def write_segment(folder: Path, blocks: Iterable[ReferenceCells]) -> Segment:
    """Write a segment to its place, from where nothing leads to it yet."""
    passing = folder / SEGMENTS / f".{secrets.token_hex(4)}.tmp"
    try:
        with writing(folder):
            passing.mkdir(parents=True)
            n_cells = write_files(passing, blocks)
            if not n_cells:
                raise SearchError("there are no cells to put into the index.")
            files = {path.name: file_record(path) for path in sorted(passing.iterdir())}
            text = json.dumps({name: record.sha256 for name, record in files.items()})
            name = hashlib.sha256(text.encode()).hexdigest()[:16]
            for path in (*passing.iterdir(), passing):
                sync(path)
            if not (passing.parent / name).exists():
                passing.rename(passing.parent / name)
            sync(passing.parent)
    finally:
        shutil.rmtree(passing, ignore_errors=True)
    return Segment(name=name, date=str(datetime.now(UTC).date()), n_cells=n_cells, files=files)


def file_record(path: Path) -> IndexFile:
    """State what a file is."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while part := file.read(CHUNK):
            digest.update(part)
    return IndexFile(sha256=digest.hexdigest(), bytes=path.stat().st_size)
