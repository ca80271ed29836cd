"""An index in a folder, open and ready to be searched.

Opening reads ``index.json``, compares files with their sha256, the smallest first and `SEALED` bytes at most, and
looks at the size of the others; what is searched lies on memory maps.
Axes: ``n`` query cells, ``k`` hits of each, ``d`` fingerprint.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spoticell.index.cells import Groups
from spoticell.index.coarse import Coarse
from spoticell.index.folder.lists import Lists
from spoticell.index.folder.segment import SEGMENTS, OpenSegment
from spoticell.index.folder.shared import SEAL, read_coarse, read_planes
from spoticell.index.hits import Hits, merged, no_hits
from spoticell.index.manifest import INDEX, IndexManifest, find_index, read_manifest
from spoticell.index.needs import needed
from spoticell.index.opened import BLOCK, PROBES, OpenIndex
from spoticell.io.in_order import available_cores
from spoticell.io.sealed import FileRecord

SEALED = 2 << 30
"""Bytes that are compared with their sha256 on opening, which takes two seconds: all of an index of ten million cells.

Of a larger one the fingerprints themselves are compared by `Index.check` alone.
"""


class Index(OpenIndex):
    """An index in a folder: fingerprints of reference cells, with what is known of these cells.

    Parameters
    ----------
    folder
        Where ``spoticell index build`` put it, or the name of a packaged index.
    threads
        How many threads a search may use; all cores that the process may use if not given.

    Raises
    ------
    SearchError
        If it is no index, or files of it are missing or cut short.

    Examples
    --------
    >>> Index("nowhere")
    Traceback (most recent call last):
    spoticell.errors.SearchError: nowhere is not an index: there is no such folder...
    """

    folder: Path

    def __init__(self, folder: Path | str, *, threads: int | None = None) -> None:
        self.folder = find_index(folder)
        self.manifest: IndexManifest = read_manifest(self.folder)
        self.sha256 = hashlib.sha256((self.folder / INDEX).read_bytes()).hexdigest()
        self.threads = threads
        size = self.manifest.fingerprint_size
        folders = [self.folder / SEGMENTS / segment.name for segment in self.manifest.segments]
        self.segments = tuple(
            OpenSegment(folder, segment, Lists(folder, size))
            for folder, segment in zip(folders, self.manifest.segments, strict=True)
        )
        for segment in self.segments:
            segment.check_listed()
        self._start_s = np.cumsum([0, *(segment.n_cells for segment in self.segments)])
        self._check_sealed()

    @property
    def n_lists(self) -> int:
        """Lists that the index is cut into; 1 if it is small."""
        return 1 if self._coarse is None else self._coarse.n_lists

    @property
    def n_bytes(self) -> int:
        """Bytes of its files."""
        return sum(record.bytes for _, record in self._files())

    @property
    def planes_bd(self) -> NDArray[np.float32]:
        """Planes of the binary code."""
        return read_planes(self.folder, self.manifest)

    @cached_property
    def groups(self) -> pd.DataFrame:
        """What is known of cells, a row for each group of cells that share it: see `COLUMNS`."""
        return self._numbered[0]

    def _find(self, query_nd: NDArray[np.float32], k: int, chosen: NDArray[np.bool_] | None) -> Hits:
        needed("faiss").omp_set_num_threads(self.threads or available_cores())
        parts = [no_hits(len(query_nd), k)]
        for number, segment in enumerate(self.segments):
            keep_n = None if chosen is None else chosen[self._numbered[1][number]][segment.group_n]
            found = segment.search(query_nd, k=k, coarse=self._coarse, probes=PROBES, keep_n=keep_n)
            parts.append(
                Hits(np.where(found.row_nk < 0, -1, found.row_nk + self._start_s[number]), found.similarity_nk)
            )
        return merged(parts, k)

    def check(self) -> None:
        """Compare every file of the index with its sha256.

        Raises
        ------
        SearchError
            If one isn't what was written.
        """
        for path, record in self._files():
            SEAL.check(path, record)

    def group_of(self, row_nk: NDArray[np.int64]) -> NDArray[np.int32]:
        """Give the group of the cells at some positions, as its row in `groups`; -1 where the position is -1."""
        flat = np.asarray(row_nk).ravel()
        group = np.full(len(flat), -1, dtype=np.int32)
        for number, here, row in self._by_segment(flat):
            group[here] = self._numbered[1][number][self.segments[number].group_n[row]]
        return group.reshape(np.shape(row_nk))

    def names_of(self, row_nk: NDArray[np.int64]) -> NDArray[np.object_]:
        """Give the names of the cells at some positions; '' where the position is -1."""
        flat = np.asarray(row_nk).ravel()
        names = np.full(len(flat), "", dtype=object)
        for number, here, row in self._by_segment(flat):
            names[here] = self.segments[number].names(row)
        return names.reshape(np.shape(row_nk))

    @property
    def group_n(self) -> NDArray[np.int32]:
        """Each cell's group, as its row in `groups`."""
        numbers = [number[segment.group_n] for number, segment in zip(self._numbered[1], self.segments, strict=True)]
        return np.concatenate([np.zeros(0, dtype=np.int32), *numbers])

    def blocks(self) -> Iterator[NDArray[np.float32]]:
        """Give all fingerprints from first to last, some cells at a time."""
        for segment in self.segments:
            for start in range(0, segment.n_cells, BLOCK):
                yield segment.vectors(np.arange(start, min(start + BLOCK, segment.n_cells)))

    def fingerprints_of(self, row: NDArray[np.int64]) -> NDArray[np.float32]:
        """Give the stored fingerprints of the cells at some positions, ``(n, d)``."""
        fingerprint_nd = np.zeros((len(row), self.manifest.fingerprint_size), dtype=np.float32)
        for number, here, inner in self._by_segment(np.asarray(row)):
            fingerprint_nd[here] = self.segments[number].vectors(inner)
        return fingerprint_nd

    @cached_property
    def _numbered(self) -> tuple[pd.DataFrame, list[NDArray[np.int32]]]:
        """All groups, and where in them the groups of each segment are."""
        groups = Groups()
        numbers = [groups.number(segment.groups) for segment in self.segments]
        return groups.table(), numbers

    @cached_property
    def _coarse(self) -> Coarse | None:
        return read_coarse(self.folder, self.manifest)

    def _check_sealed(self) -> None:
        left = SEALED
        for path, record in sorted(self._files(), key=lambda file: file[1].bytes):
            SEAL.check_size(path, record)
            left -= record.bytes
            if left >= 0:
                SEAL.check(path, record)

    def _files(self) -> Iterator[tuple[Path, FileRecord]]:
        for name, record in self.manifest.files.items():
            yield self.folder / name, record
        for segment in self.segments:
            for name, record in segment.record.files.items():
                yield segment.folder / name, record

    def _by_segment(self, flat: NDArray[np.int64]) -> Iterator[tuple[int, NDArray[np.intp], NDArray[np.int64]]]:
        self._check_rows(flat)
        segment_n = np.searchsorted(self._start_s, flat, side="right") - 1
        for number in np.unique(segment_n[flat >= 0]).tolist():
            here = np.flatnonzero(segment_n == number)
            yield number, here, flat[here] - self._start_s[number]
