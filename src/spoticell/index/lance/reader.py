"""An index in a Lance database, open and ready to be searched.

Opening reads the manifest alone.  What stays in memory is each cell's group, four bytes a cell, and what LanceDB keeps
of the lists that were looked into.  A cell's position is where it lies in this version of the table: LanceDB puts cells
in another order when it joins small fragments of a table into large ones.
Axes: ``n`` query cells or cells, ``k`` hits of each, ``d`` fingerprint, ``r`` chosen cells.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spoticell.errors import SearchError
from spoticell.index.cells import ReferenceCells
from spoticell.index.coarse import EXACT
from spoticell.index.exact import FEW, search_exactly
from spoticell.index.hits import Hits, merged, no_hits
from spoticell.index.lance.lot import Digest
from spoticell.index.lance.tables import CELLS, GROUPS, LanceManifest, connect, read_about, read_groups, talking
from spoticell.index.needs import needed
from spoticell.index.opened import BLOCK, OpenIndex
from spoticell.io.in_order import available_cores

PROBES = 10
"""Lists that a search looks into; they are four times as long as those of a folder."""
AT_ONCE = 1024
"""Queries that LanceDB is asked at a time."""


class LanceIndex(OpenIndex):
    """Fingerprints of reference cells in a Lance database; `open_index` gives one.

    Parameters
    ----------
    place
        A folder, or an address such as ``s3://bucket/blood.lance``.  How to reach an object store is said by its usual
        environment variables (``AWS_ACCESS_KEY_ID`` and so on).
    threads
        How many threads an exact search may use; LanceDB's own are set by the variable ``LANCE_CPU_THREADS``.

    Raises
    ------
    SearchError
        If it is no index.
    ConfigError
        If LanceDB isn't installed.
    """

    manifest: LanceManifest

    def __init__(self, place: Path | str, *, threads: int | None = None) -> None:
        self.folder, self.threads = place, threads
        self._database = connect(place)
        about = read_about(self._database, place)
        self.manifest, self.sha256, self._planes_bd = about.manifest, about.sha256, about.planes_bd

    @property
    def n_lists(self) -> int:
        """Lists that the cells are cut into; 1 if there are few."""
        return self.manifest.lists

    @property
    def n_bytes(self) -> int:
        """Bytes of its cells and of the lists; what older versions take is not counted."""
        with talking(self.folder):
            return int(self._cells.stats()["total_bytes"])

    @property
    def planes_bd(self) -> NDArray[np.float32]:
        """Planes of the binary code."""
        return self._planes_bd

    @cached_property
    def groups(self) -> pd.DataFrame:
        """What is known of cells, a row for each group of cells that share it: see `COLUMNS`."""
        with talking(self.folder):
            return read_groups(self._table(GROUPS, self.manifest.groups_version))

    @property
    def group_n(self) -> NDArray[np.int32]:
        """Each cell's group, as its row in `groups`."""
        return self._laid_out[0]

    def _find(self, query_nd: NDArray[np.float32], k: int, chosen: NDArray[np.bool_] | None) -> Hits:
        needed("faiss").omp_set_num_threads(self.threads or available_cores())
        keep_n = None if chosen is None else chosen[self.group_n]
        kept = self.n_cells if keep_n is None else int(np.count_nonzero(keep_n))
        if self.n_lists == 1 or (keep_n is not None and kept < FEW):
            rows = np.arange(self.n_cells) if keep_n is None else np.flatnonzero(keep_n)
            return search_exactly(query_nd, rows, self._vectors, k=k)
        probes = min(self.n_lists, -(-PROBES * self.n_cells // kept))
        condition = None if chosen is None else _condition(chosen)
        hits = self._scan_lists(query_nd, k, probes, condition)
        short = np.flatnonzero(hits.row_nk[:, min(k, kept) - 1] < 0)
        if len(short) and probes < self.n_lists:
            rest = self._scan_lists(query_nd[short], k, self.n_lists, condition)
            hits.row_nk[short], hits.similarity_nk[short] = rest.row_nk, rest.similarity_nk
        return hits

    def _scan_lists(self, query_nd: NDArray[np.float32], k: int, probes: int, condition: str | None) -> Hits:
        hits = no_hits(len(query_nd), k)
        for start in range(0, len(query_nd), AT_ONCE):
            part = slice(start, start + AT_ONCE)
            found = self._ask(query_nd[part], k, probes, condition)
            hits.row_nk[part], hits.similarity_nk[part] = found.row_nk, found.similarity_nk
        return hits

    def _ask(self, query_nd: NDArray[np.float32], k: int, probes: int, condition: str | None) -> Hits:
        """Search so many lists nearest to each query."""
        with talking(self.folder):
            question = self._cells.search(query_nd.astype(np.float16), vector_column_name="fingerprint")
            question = question.distance_type("cosine").nprobes(probes).limit(k)
            if condition is not None:
                question = question.where(condition, prefilter=True)
            table = question.select(["_distance"]).with_row_id(True).to_arrow()  # noqa: FBT003
        one = len(query_nd) == 1
        query = np.zeros(len(table), np.int64) if one else table["query_index"].to_numpy().astype(np.int64)
        order = np.argsort(query, kind="stable")
        query = query[order]
        rank = np.arange(len(query)) - np.searchsorted(query, query)
        hits = no_hits(len(query_nd), k)
        hits.row_nk[query, rank] = self._positions(table["_rowid"].to_numpy())[order]
        hits.similarity_nk[query, rank] = 1 - table["_distance"].to_numpy()[order]
        return merged([hits], k)

    def check(self) -> None:
        """Compare each lot of cells with its sha256.

        Raises
        ------
        SearchError
            If one isn't what was written.
        """
        start, place = 0, np.argsort(self._column("row", np.int64))
        for segment in self.manifest.segments:
            digest = Digest()
            for first in range(start, start + segment.n_cells, BLOCK):
                digest.add(self._at(place[first : min(first + BLOCK, start + segment.n_cells)]))
            if digest.name() != segment.name:
                raise SearchError(
                    f"the {segment.n_cells:,} cells from {start:,} on of {self.folder} are not those that were "
                    "written (their sha256 differs). Copy or build the index again."
                )
            start += segment.n_cells

    def group_of(self, row_nk: NDArray[np.int64]) -> NDArray[np.int32]:
        """Give the group of the cells at some positions, as its row in `groups`; -1 where the position is -1."""
        row_nk = np.asarray(row_nk)
        self._check_rows(row_nk.ravel())
        return np.where(row_nk < 0, np.int32(-1), self.group_n[row_nk])

    def names_of(self, row_nk: NDArray[np.int64]) -> NDArray[np.object_]:
        """Give the names of the cells at some positions; '' where the position is -1."""
        flat = np.asarray(row_nk).ravel()
        self._check_rows(flat)
        names = np.full(len(flat), "", dtype=object)
        names[flat >= 0] = self._taken(flat[flat >= 0], "name")["name"].to_pylist()
        return names.reshape(np.shape(row_nk))

    def fingerprints_of(self, row: NDArray[np.int64]) -> NDArray[np.float32]:
        """Give the stored fingerprints of the cells at some positions, ``(r, d)``."""
        row = np.asarray(row)
        self._check_rows(row)
        fingerprint_nd = np.zeros((len(row), self.manifest.fingerprint_size), dtype=np.float32)
        stored = self._taken(row[row >= 0], "fingerprint")["fingerprint"]
        fingerprint_nd[row >= 0] = _floats(stored, self.manifest.fingerprint_size)
        return fingerprint_nd

    def blocks(self) -> Iterator[NDArray[np.float32]]:
        """Give all fingerprints from first to last, some cells at a time."""
        for batch in self._scan("fingerprint"):
            yield _floats(batch["fingerprint"], self.manifest.fingerprint_size)

    def cells(self) -> Iterator[ReferenceCells]:
        """Give all cells from first to last with what is known of them, some at a time."""
        return (self._as_cells(batch) for batch in self._scan("fingerprint", "name", "group"))

    def _at(self, row: NDArray[np.int64]) -> ReferenceCells:
        return self._as_cells(self._taken(row, "fingerprint", "name", "group"))

    def _as_cells(self, table: Any) -> ReferenceCells:  # noqa: ANN401 - pyarrow has no types
        fingerprint_nd = _floats(table["fingerprint"], self.manifest.fingerprint_size)
        return ReferenceCells(fingerprint_nd, table["name"].to_pylist(), self.groups.iloc[table["group"].to_numpy()])

    @cached_property
    def _cells(self) -> Any:  # noqa: ANN401 - LanceDB's types are not always installed
        with talking(self.folder):
            return self._table(CELLS, self.manifest.cells_version)

    def _table(self, name: str, version: int) -> Any:  # noqa: ANN401
        table = self._database.open_table(name)
        table.checkout(version)
        return table

    def _vectors(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        return self._floats_nd[rows] if self.n_cells < EXACT else self.fingerprints_of(rows)

    @cached_property
    def _floats_nd(self) -> NDArray[np.float32]:
        """All fingerprints of a small index."""
        return np.concatenate(list(self.blocks()))

    @cached_property
    def _laid_out(self) -> tuple[NDArray[np.int32], dict[int, int]]:
        """Each cell's group, and the position of the first cell of each fragment of the table."""
        group_n, start = np.empty(self.n_cells, dtype=np.int32), 0
        starts: dict[int, int] = {}
        for batch in self._scan("group", row_ids=True):
            group_n[start : start + len(batch)] = batch["group"].to_numpy()
            fragment_n, offset_n = _divided(batch["_rowid"].to_numpy())
            first_n = np.arange(start, start + len(batch)) - offset_n
            for fragment in np.unique(fragment_n).tolist():
                here_n = first_n[fragment_n == fragment]
                if (here_n != starts.setdefault(fragment, int(here_n[0]))).any():
                    raise self._damaged()
            start += len(batch)
        return group_n, starts

    def _positions(self, row_id_n: NDArray[np.uint64]) -> NDArray[np.int64]:
        """Turn LanceDB's numbers of cells into positions."""
        fragment_n, position_n = _divided(row_id_n)
        for fragment in np.unique(fragment_n).tolist():
            position_n[fragment_n == fragment] += self._laid_out[1][fragment]
        return position_n

    def _scan(self, *columns: str, row_ids: bool = False) -> Iterator[Any]:
        """Give columns of all cells from first to last."""
        cells = 0
        with talking(self.folder):
            for batch in self._cells.search().select(list(columns)).with_row_id(row_ids).to_batches(BLOCK):
                cells += len(batch)
                if cells > self.n_cells:
                    raise self._damaged()
                yield batch
        if cells != self.n_cells:
            raise self._damaged()

    def _column(self, name: str, dtype: type[np.int64]) -> NDArray[np.int64]:
        parts = [batch[name].to_numpy() for batch in self._scan(name)]
        return np.concatenate([np.zeros(0, dtype), *parts])

    def _taken(self, rows: NDArray[np.int64], *columns: str) -> Any:  # noqa: ANN401
        """Give columns of the cells at some positions."""
        wanted, place = np.unique(rows, return_inverse=True)
        with talking(self.folder):
            table = self._cells.take_offsets(wanted.tolist()).select(list(columns)).to_arrow()
        if len(table) != len(wanted):
            raise self._damaged()
        return table.combine_chunks().take(needed("pyarrow").array(place))

    def _damaged(self) -> SearchError:
        return SearchError(f"{self.folder} is damaged: its cells are not those of its manifest; build the index again.")


def _floats(column: Any, size: int) -> NDArray[np.float32]:  # noqa: ANN401
    whole = column.combine_chunks() if hasattr(column, "combine_chunks") else column  # of a table, not of a batch
    return np.asarray(whole.flatten().to_numpy(zero_copy_only=False), dtype=np.float32).reshape(-1, size)


def _divided(row_id_n: NDArray[np.uint64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Take LanceDB's numbers of cells apart: the fragment that a cell is in, and its place there."""
    row_id_n = row_id_n.astype(np.int64)
    return row_id_n >> 32, row_id_n & 0xFFFFFFFF


def _condition(chosen: NDArray[np.bool_]) -> str:
    """Say in SQL which groups are wanted, or which are not if they are fewer."""
    inside = chosen.mean() <= 0.5
    groups = ", ".join(map(str, np.flatnonzero(chosen == inside).tolist()))
    return f"`group` {'' if inside else 'NOT '}IN ({groups})"
