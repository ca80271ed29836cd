"""What every open index can do, wherever its cells lie: a folder (``reader``) or a Lance database (``lance``).

Axes: ``n`` query cells, ``k`` hits of each, ``d`` fingerprint, ``r`` chosen cells.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spoticell.errors import SearchError
from spoticell.index.cells import ReferenceCells
from spoticell.index.conditions import Where, chosen_groups
from spoticell.index.hits import Hits, no_hits
from spoticell.index.manifest import IndexManifest

PROBES = 24
"""Lists that a search looks into."""
BLOCK = 1 << 16
"""Cells that are given at a time."""
MOST_HITS = 10_000
UNIT = 0.01
"""How far from 1 the length of a fingerprint may be."""


class OpenIndex(ABC):
    """Fingerprints of reference cells, with what is known of these cells; `open_index` gives one."""

    folder: Path | str
    """Where it is: a folder, or the address of an object store."""
    manifest: IndexManifest
    sha256: str
    """Of its manifest, which holds the sha256 of all the rest."""

    @property
    def n_cells(self) -> int:
        """Cells in the index."""
        return self.manifest.n_cells

    @property
    def bundle_sha256(self) -> str:
        """Of the bundle that all fingerprints are of."""
        return self.manifest.bundle_sha256

    @property
    def background(self) -> dict[str, Any] | None:
        """Statistics of similarities that come by chance, if they were measured."""
        return self.manifest.background

    @property
    @abstractmethod
    def n_lists(self) -> int:
        """Lists that the index is cut into; 1 if it is small."""

    @property
    @abstractmethod
    def n_bytes(self) -> int:
        """Bytes that it takes where it is stored."""

    @property
    @abstractmethod
    def planes_bd(self) -> NDArray[np.float32]:
        """Planes of the binary code."""

    @property
    @abstractmethod
    def groups(self) -> pd.DataFrame:
        """What is known of cells, a row for each group of cells that share it: see `COLUMNS`."""

    @property
    @abstractmethod
    def group_n(self) -> NDArray[np.int32]:
        """Each cell's group, as its row in `groups`."""

    def search(self, fingerprint_nd: NDArray[np.floating[Any]], *, k: int = 50, where: Where | None = None) -> Hits:
        """Find the reference cells whose fingerprints are nearest.

        Parameters
        ----------
        fingerprint_nd
            Fingerprints of query cells, unit length; those that are all zero have no hits.
        k
            How many hits to give.
        where
            Conditions on reference cells, such as ``["tissue=blood", "study!=Kang 2018"]``, all of which must hold;
            or a boolean for each row of `groups`.

        Raises
        ------
        SearchError
            If ``k``, a fingerprint or a condition can't be.
        """
        query_nd, empty_n = self._checked(fingerprint_nd, k)
        chosen = None if where is None else chosen_groups(self.groups, where)
        hits = no_hits(len(query_nd), k)
        if not empty_n.all():
            found = self._find(query_nd[~empty_n], k, chosen)
            hits.row_nk[~empty_n], hits.similarity_nk[~empty_n] = found.row_nk, found.similarity_nk
            self._check_hits(hits)
        return hits

    @abstractmethod
    def _find(self, query_nd: NDArray[np.float32], k: int, chosen: NDArray[np.bool_] | None) -> Hits:
        """Give the nearest cells, of the chosen groups if they are given."""

    @abstractmethod
    def check(self) -> None:
        """Compare all that is stored with its sha256.

        Raises
        ------
        SearchError
            If something isn't what was written.
        """

    @abstractmethod
    def group_of(self, row_nk: NDArray[np.int64]) -> NDArray[np.int32]:
        """Give the group of the cells at some positions, as its row in `groups`; -1 where the position is -1."""

    @abstractmethod
    def names_of(self, row_nk: NDArray[np.int64]) -> NDArray[np.object_]:
        """Give the names of the cells at some positions; '' where the position is -1."""

    @abstractmethod
    def fingerprints_of(self, row: NDArray[np.int64]) -> NDArray[np.float32]:
        """Give the stored fingerprints of the cells at some positions, ``(r, d)``."""

    @abstractmethod
    def blocks(self) -> Iterator[NDArray[np.float32]]:
        """Give all fingerprints from first to last, some cells at a time."""

    def cells(self) -> Iterator[ReferenceCells]:
        """Give all cells from first to last with what is known of them, some at a time."""
        start = 0
        for fingerprint_nd in self.blocks():
            rows = np.arange(start, start + len(fingerprint_nd))
            table = self.groups.iloc[self.group_of(rows)]
            yield ReferenceCells(fingerprint_nd, self.names_of(rows).tolist(), table)
            start += len(rows)

    def _check_hits(self, hits: Hits) -> None:
        """Refuse hits that aren't there or nearer than anything can be: of an index too large to be compared whole."""
        similarity = hits.similarity_nk[hits.row_nk >= 0]
        if hits.row_nk.max(initial=-1) >= self.n_cells or not (np.abs(similarity) <= 1 + 2 * UNIT).all():
            raise SearchError(
                f"the fingerprints of the index {self.folder} are damaged: some aren't of length 1, or of no cell. "
                "Copy or build the index again."
            )

    def _check_rows(self, flat: NDArray[np.int64]) -> None:
        if len(flat) and (flat.min() < -1 or flat.max() >= self.n_cells):
            raise ValueError(f"positions lie outside the index of {self.n_cells:,} cells")

    def _checked(
        self, fingerprint_nd: NDArray[np.floating[Any]], k: int
    ) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        d = self.manifest.fingerprint_size
        query_nd = np.ascontiguousarray(fingerprint_nd, dtype=np.float32)
        if query_nd.ndim != 2 or query_nd.shape[1] != d:
            raise SearchError(
                f"fingerprints have the shape {query_nd.shape}; this index needs {d} numbers for each cell."
            )
        if not 1 <= k <= MOST_HITS:
            raise SearchError(f"k is {k}; it can be from 1 to {MOST_HITS:,}.")
        length_n = np.linalg.norm(query_nd, axis=1)
        if not np.isfinite(length_n).all():
            raise SearchError(f"{int((~np.isfinite(length_n)).sum()):,} fingerprints hold NaN or infinity.")
        empty_n = length_n == 0
        if (np.abs(length_n[~empty_n] - 1) > UNIT).any():
            raise SearchError(
                f"fingerprints must have length 1, and lengths from {length_n.min():.3g} to {length_n.max():.3g} "
                "were given; use those that annotate writes."
            )
        return query_nd, empty_n
