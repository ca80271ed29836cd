"""A segment: some cells of an index in a folder that is written once and never changes.

    lists.bin, starts.npy   fingerprints in lists: see ``lists``
    code.npy                binary codes of the fingerprints, (n, b / 8) bytes
    group.npy               each cell's group, int32
    groups.parquet          what is known of each group
    names.parquet           names of cells, in row groups

Axes: ``n`` cells, ``d`` fingerprint, ``b`` bits of the code.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spoticell.errors import SearchError
from spoticell.index.cells import COLUMNS
from spoticell.index.coarse import EXACT, Coarse
from spoticell.index.exact import FEW, search_exactly
from spoticell.index.folder.lists import LISTS, STARTS, Lists
from spoticell.index.hits import Hits
from spoticell.index.manifest import Segment
from spoticell.index.needs import needed
from spoticell.index.opened import UNIT

SEGMENTS = "segments"
"""Folder of all segments of an index."""

CODE, GROUP, GROUPS, NAMES = "code.npy", "group.npy", "groups.parquet", "names.parquet"

NAMES_AT_ONCE = 1 << 16
"""Names in a row group, which is the least that is read."""


@dataclass(frozen=True)
class OpenSegment:
    """A segment's files, on memory maps."""

    folder: Path
    record: Segment
    lists: Lists

    @property
    def n_cells(self) -> int:
        """Cells of the segment."""
        return self.record.n_cells

    def check_listed(self) -> None:
        """Refuse a segment whose manifest lacks a file, or states more or fewer cells than its lists hold."""
        files, cell_bytes = self.record.files, 2 * self.lists.size + 8
        missing = {LISTS, STARTS, CODE, GROUP, GROUPS, NAMES} - files.keys()
        if missing:
            raise SearchError(f"{self.folder} has no {min(missing)} in its manifest; build the index again.")
        if files[LISTS].bytes != self.n_cells * cell_bytes:
            raise SearchError(
                f"{self.folder / LISTS} should hold {self.n_cells:,} fingerprints of {self.lists.size} numbers and is "
                f"{files[LISTS].bytes:,} bytes long; build the index again."
            )

    @cached_property
    def code_nb(self) -> NDArray[np.uint8]:
        """Binary codes, eight bits a byte."""
        return self._array(CODE, np.dtype(np.uint8))

    @cached_property
    def group_n(self) -> NDArray[np.int32]:
        """Each cell's group within the segment."""
        group_n = self._array(GROUP, np.dtype(np.int32))
        if group_n.min() < 0 or group_n.max() >= len(self.groups):
            raise self._damaged(GROUP, f"cells of a group that isn't among {len(self.groups):,}")
        return group_n

    @cached_property
    def groups(self) -> pd.DataFrame:
        """What is known of each group."""
        file = self._parquet(GROUPS)
        if not 0 < file.metadata.num_rows <= self.n_cells:
            raise self._damaged(GROUPS, f"{file.metadata.num_rows:,} groups of {self.n_cells:,} cells")
        try:
            table = file.read(columns=list(COLUMNS))
            return pd.DataFrame({name: table[name].to_pylist() for name in COLUMNS}, dtype=object)
        except (OSError, ValueError, LookupError) as error:  # pyarrow's errors are of these
            raise self._damaged(GROUPS, str(error)) from None

    def names(self, rows: NDArray[np.int64]) -> NDArray[np.object_]:
        """Names of the cells at some positions of the segment."""
        file = self._parquet(NAMES)
        if file.metadata.num_rows != self.n_cells:
            raise self._damaged(NAMES, f"{file.metadata.num_rows:,} names of {self.n_cells:,} cells")
        names = np.empty(len(rows), dtype=object)
        part_n = rows // NAMES_AT_ONCE
        for part in np.unique(part_n).tolist():
            here = part_n == part
            try:
                column = file.read_row_group(part, columns=["name"])["name"]
                names[here] = column.take(rows[here] - part * NAMES_AT_ONCE).to_pylist()
            except (OSError, ValueError, LookupError) as error:  # pyarrow's errors are of these
                raise self._damaged(NAMES, str(error)) from None
        return names

    def search(
        self,
        query_nd: NDArray[np.float32],
        *,
        k: int,
        coarse: Coarse | None,
        probes: int,
        keep_n: NDArray[np.bool_] | None = None,
    ) -> Hits:
        """Give the nearest ``k`` cells of the segment, only those in ``keep_n`` if it is given."""
        kept = self.n_cells if keep_n is None else int(np.count_nonzero(keep_n))
        if coarse is None or self.lists.n_lists == 1 or (keep_n is not None and kept < FEW):
            rows = np.arange(self.n_cells) if keep_n is None else np.flatnonzero(keep_n)
            return search_exactly(query_nd, rows, self.vectors, k=k)
        if keep_n is None:
            return self.lists.scan(query_nd, coarse.nearest(query_nd, min(probes, coarse.n_lists)), k=k)
        return self._scan_kept(query_nd, k=k, coarse=coarse, probes=probes, keep_n=keep_n)

    def _scan_kept(
        self,
        query_nd: NDArray[np.float32],
        *,
        k: int,
        coarse: Coarse,
        probes: int,
        keep_n: NDArray[np.bool_],
    ) -> Hits:
        """Scan lists that hold cells to keep: so many that as many of these are looked at as of all cells else."""
        kept_l = np.add.reduceat(np.append(keep_n, False), self.lists.starts[:-1], dtype=np.int64)
        kept_l[np.diff(self.lists.starts) == 0] = 0
        among = np.flatnonzero(kept_l)
        cells = int(np.diff(self.lists.starts)[among].sum())
        wanted = min(len(among), -(-probes * cells // int(kept_l.sum())))
        hits = self.lists.scan(query_nd, coarse.nearest(query_nd, wanted, among=among), k=k, keep_n=keep_n)
        short = np.flatnonzero(hits.row_nk[:, min(k, int(kept_l.sum())) - 1] < 0)
        if len(short):
            everywhere = coarse.nearest(query_nd[short], len(among), among=among)
            rest = self.lists.scan(query_nd[short], everywhere, k=k, keep_n=keep_n)
            hits.row_nk[short], hits.similarity_nk[short] = rest.row_nk, rest.similarity_nk
        return hits

    def vectors(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Fingerprints of the cells at some positions."""
        return self.lists.vectors(rows) if self.n_cells >= EXACT else self._floats_nd[rows]

    @cached_property
    def _floats_nd(self) -> NDArray[np.float32]:
        """All fingerprints of a small segment."""
        vectors_nd = self.lists.vectors(np.arange(self.n_cells))
        if not (np.linalg.norm(vectors_nd, axis=1) <= 1 + UNIT).all():
            raise self._damaged(LISTS, "fingerprints that aren't of length 1")
        return vectors_nd

    def _array(self, name: str, dtype: np.dtype[Any]) -> NDArray[Any]:
        try:
            array: NDArray[Any] = np.load(self.folder / name, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError) as error:
            raise self._damaged(name, str(error)) from None
        if array.ndim == 0 or len(array) != self.n_cells or array.dtype != dtype:
            raise SearchError(
                f"{self.folder / name} doesn't hold what {self.folder.name} needs; build the index again."
            )
        return array

    def _parquet(self, name: str) -> Any:  # noqa: ANN401 - pyarrow has no types
        parquet = needed("pyarrow.parquet")
        try:
            return parquet.ParquetFile(self.folder / name)
        except (OSError, ValueError) as error:  # pyarrow's errors are of these
            raise self._damaged(name, str(error)) from None

    def _damaged(self, name: str, reason: str) -> SearchError:
        said = " ".join(reason.split())[:200]
        return SearchError(f"{self.folder / name} is damaged ({said}); build the index again.")
