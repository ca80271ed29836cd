"""What is done with an index, wherever it is: opened, made, added to, joined with others.

An index is a folder (``reader``, ``writer``) or, if it is called so, a Lance database (``lance``).
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from spoticell.errors import SearchError
from spoticell.index import lance
from spoticell.index.cells import ReferenceCells
from spoticell.index.folder import writer
from spoticell.index.folder.reader import Index
from spoticell.index.manifest import IndexManifest, Segment, is_lance, packaged_indexes
from spoticell.index.opened import OpenIndex
from spoticell.model.bundle import Bundle
from spoticell.version import __version__

Progress = Callable[[int, int], None]


def open_index(place: Path | str, *, threads: int | None = None) -> OpenIndex:
    """Open an index.

    Parameters
    ----------
    place
        A folder, the name of a packaged index, or a Lance database: a folder whose name ends in ``.lance``, or an
        address such as ``s3://bucket/blood.lance``.
    threads
        How many threads a search may use; all cores that the process may use if not given.

    Raises
    ------
    SearchError
        If it is no index, or is damaged.
    ConfigError
        If it is a Lance database and the extra ``lance`` isn't installed.

    Examples
    --------
    >>> open_index("human-v1").n_cells
    29177
    """
    return lance.LanceIndex(place, threads=threads) if is_lance(place) else Index(place, threads=threads)


def create_index(place: Path | str, bundle: Bundle, blocks: Iterable[ReferenceCells]) -> None:
    """Make a new index of some cells.

    Parameters
    ----------
    place
        Where, as for `open_index`; must not be there yet.
    bundle
        The one that the fingerprints are of.
    blocks
        The cells.

    Raises
    ------
    SearchError
        If there are no cells, or ``place`` holds something.
    OutputError
        If the disk refuses.
    """
    manifest = IndexManifest(
        spoticell_version=__version__,
        bundle=bundle.name,
        bundle_sha256=bundle.sha256,
        fingerprint_size=bundle.manifest.fingerprint_size,
        code_bits=len(bundle.planes_bd),
    )
    if is_lance(place):
        lance.create(place, manifest, bundle.planes_bd, blocks)
    else:
        writer.create(Path(place), manifest, bundle.planes_bd, blocks)


def append(place: Path | str, bundle: Bundle, blocks: Iterable[ReferenceCells]) -> None:
    """Add cells to an index, which stays as it is until all of them are stored.

    Raises
    ------
    SearchError
        If the index is of another bundle, there are no cells, or they are in it already.
    OutputError
        If the disk refuses.
    """
    check_bundle(open_index(place), bundle)
    if is_lance(place):
        lance.append(place, blocks)
    else:
        writer.append(Path(place), blocks)


def set_background(place: Path | str, background: dict[str, Any], *, segments: Sequence[Segment] | None = None) -> None:
    """State the similarities that come by chance; forgotten whenever cells are added.

    With ``segments``, nothing is stated if the index has come to hold others than these, on which it was measured.
    """
    if is_lance(place):
        lance.set_background(place, background, segments)
    else:
        writer.set_background(Path(place), background, segments)


def merge_into(place: Path | str, indexes: Sequence[OpenIndex], *, on_progress: Progress | None = None) -> None:
    """Make a new index of all cells of others, in one segment.

    Raises
    ------
    SearchError
        If they are of different bundles, hold the same cells, or what is stored of one isn't what was written.
    OutputError
        If the disk refuses.
    """
    first, *others = indexes
    for index in others:
        if index.bundle_sha256 != first.bundle_sha256:
            raise SearchError(
                f"{first.folder} and {index.folder} hold fingerprints of different bundles, {first.manifest.bundle} "
                f"({first.bundle_sha256[:8]}) and {index.manifest.bundle} ({index.bundle_sha256[:8]}); they can't be "
                "merged."
            )
    names = Counter(segment.name for index in indexes for segment in index.manifest.segments)
    if names and names.most_common(1)[0][1] > 1:
        raise SearchError("the same cells are in more than one of these indexes; leave one of them out.")
    for index in indexes:
        index.check()
    kept = IndexManifest.model_fields.keys() - {"files", "segments", "background", "format_version"}
    manifest = IndexManifest(**first.manifest.model_dump(include=kept))
    cells = _counted(indexes, on_progress)
    if is_lance(place):
        lance.create(place, manifest, first.planes_bd, cells)
    else:
        writer.create(Path(place), manifest, first.planes_bd, cells)


def _counted(indexes: Sequence[OpenIndex], on_progress: Progress | None) -> Iterator[ReferenceCells]:
    done, total = 0, sum(index.n_cells for index in indexes)
    for cells in itertools.chain.from_iterable(index.cells() for index in indexes):
        yield cells
        done += len(cells)
        if on_progress is not None:
            on_progress(done, total + total // 4)  # putting them in order takes a fifth of the time


def check_bundle(index: OpenIndex, bundle: Bundle) -> None:
    """Refuse a bundle whose fingerprints can't be compared with those of an index."""
    manifest = index.manifest
    if manifest.bundle_sha256 != bundle.sha256:
        own = f"the packaged index {bundle.name}, " if bundle.name in packaged_indexes() else ""
        raise SearchError(
            f"the index {index.folder} holds fingerprints of the bundle {manifest.bundle} "
            f"({manifest.bundle_sha256[:8]}), not of {bundle.name} ({bundle.sha256[:8]}); they can't be compared. "
            f"Give that bundle, {own}or build the index again."
        )
