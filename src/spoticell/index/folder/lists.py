"""Fingerprints in lists on a memory map: the file that searches scan.

    lists.bin    list after list: its fingerprints, float16, and then its cells' positions, int64
    starts.npy   position of each list's first cell, and at last the number of cells

Cells are numbered list by list, so that those that are alike lie near each other on the disk.  FAISS maps the
same file to scan it.
Axes: ``n`` cells, ``r`` chosen cells, ``l`` lists, ``p`` lists that are looked into, ``d`` fingerprint.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spoticell.errors import SearchError
from spoticell.index.hits import Hits
from spoticell.index.needs import needed

LISTS, STARTS = "lists.bin", "starts.npy"
ROWS = 1 << 16
"""Cells that are written at once, at least."""

Fetch = Callable[[NDArray[np.int64]], NDArray[np.float16]]
"""Gives the fingerprints of cells by their number in the order in which they came."""


def write_lists(folder: Path, fetch: Fetch, list_n: NDArray[np.int32], n_lists: int) -> NDArray[np.int64]:
    """Write fingerprints list by list.

    Parameters
    ----------
    folder
        Where the two files shall be.
    fetch
        Gives fingerprints.
    list_n
        Each cell's list, from 0 to ``n_lists``.

    Returns
    -------
    For each position in the file, the number of the cell that is there.
    """
    order = np.argsort(list_n, kind="stable")
    starts = np.searchsorted(list_n[order], np.arange(n_lists + 1)).astype(np.int64)
    np.save(folder / STARTS, starts, allow_pickle=False)
    with (folder / LISTS).open("wb") as file:
        for first, last in _stretches(starts):
            rows = np.arange(starts[first], starts[last], dtype=np.int64)
            vectors_rd = fetch(order[rows])
            edges = (starts[first : last + 1] - starts[first]).tolist()
            for start, stop in itertools.pairwise(edges):
                file.write(vectors_rd[start:stop].tobytes())
                file.write(rows[start:stop].tobytes())
    return order


def _stretches(starts: NDArray[np.int64]) -> list[tuple[int, int]]:
    """Cut lists into stretches that hold about `ROWS` cells each."""
    n_lists = len(starts) - 1
    edges = np.unique([0, *np.searchsorted(starts, np.arange(ROWS, starts[-1], ROWS)).tolist(), n_lists])
    return list(zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True))


@dataclass(frozen=True)
class Lists:
    """Lists of fingerprints that lie on the disk."""

    folder: Path
    size: int
    """``d``."""

    @cached_property
    def starts(self) -> NDArray[np.int64]:
        """Position of each list's first cell, and the number of cells."""
        path = self.folder / STARTS
        try:
            starts: NDArray[np.int64] = np.load(path, allow_pickle=False)
        except (OSError, ValueError, EOFError, MemoryError) as error:
            raise SearchError(f"{path} is damaged ({error}); build the index again.") from None
        sound = starts.ndim == 1 and starts.dtype == np.int64 and len(starts) > 1 and starts[0] == 0
        if not sound or (np.diff(starts) < 0).any():
            raise SearchError(f"{path} is damaged: positions must rise from 0; build the index again.")
        return starts

    @property
    def n_lists(self) -> int:
        """How many lists there are."""
        return len(self.starts) - 1

    def vectors(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Give the fingerprints of the cells at some positions, ``(r, d)``."""
        vectors_rd = np.empty((len(rows), self.size), dtype=np.float32)
        list_r = np.searchsorted(self.starts, rows, side="right") - 1
        order = np.argsort(list_r, kind="stable")
        edges = np.flatnonzero(np.diff(list_r[order], prepend=-1))
        for here in np.split(order, edges[1:]) if len(rows) else []:
            number = int(list_r[here[0]])
            vectors_rd[here] = self._list(number)[rows[here] - self.starts[number]]
        return vectors_rd

    def scan(
        self,
        query_nd: NDArray[np.float32],
        nearest: tuple[NDArray[np.float32], NDArray[np.int64]],
        *,
        k: int,
        keep_n: NDArray[np.bool_] | None = None,
    ) -> Hits:
        """Give the ``k`` cells with the largest dot product in the lists nearest to each query.

        Parameters
        ----------
        query_nd
            The queries.
        nearest
            Similarity and number of the lists to look into, ``(n, p)`` each.
        k
            How many.
        keep_n
            Which cells may be given; all if it isn't.
        """
        faiss = needed("faiss")
        similarity_np, list_np = nearest
        options = faiss.SearchParametersIVF(nprobe=list_np.shape[1])
        if keep_n is not None:
            bits = np.packbits(keep_n, bitorder="little")
            selector = faiss.IDSelectorBitmap(len(bits), faiss.swig_ptr(bits))
            options = faiss.SearchParametersIVF(nprobe=list_np.shape[1], sel=selector)
        # Queries that look into the same lists come one after the other, so that a list is still in the cache.
        order = np.lexsort(list_np[:, 1::-1].T)
        inputs = [np.ascontiguousarray(array[order]) for array in (query_nd, list_np, similarity_np)]
        found = np.empty((len(query_nd), k), dtype=np.float32), np.empty((len(query_nd), k), dtype=np.int64)
        query, lists, similarity, best, row = (faiss.swig_ptr(array) for array in (*inputs, *found))
        self._faiss.search_preassigned_c(len(query_nd), query, k, lists, similarity, best, row, False, options)  # noqa: FBT003
        hits = Hits(np.empty_like(found[1]), np.empty_like(found[0]))
        hits.similarity_nk[order], hits.row_nk[order] = found
        return hits

    @cached_property
    def _faiss(self) -> Any:  # noqa: ANN401 - FAISS has no types
        """FAISS's view of the file: an IVF index of half floats whose lists lie on the disk."""
        faiss = needed("faiss")
        lists = faiss.OnDiskInvertedLists(self.n_lists, 2 * self.size, str(self.folder / LISTS))
        cells = np.diff(self.starts).astype(np.uint64)
        lists.set_all_lists_sizes(faiss.swig_ptr(cells))
        lists.totsize = len(self._map)
        lists.read_only = True
        lists.prefetch_nthread = 0  # its threads read lists ahead of the scan, which on a disk of today only costs
        lists.do_mmap()
        nowhere = faiss.IndexFlatIP(self.size)
        kind, by_residual = faiss.ScalarQuantizer.QT_fp16, False
        metric = faiss.METRIC_INNER_PRODUCT
        index = faiss.IndexIVFScalarQuantizer(nowhere, self.size, self.n_lists, kind, metric, by_residual)
        index.replace_invlists(lists)
        index.is_trained, index.ntotal = True, int(self.starts[-1])
        self._held.extend((nowhere, lists))
        return index

    @cached_property
    def _held(self) -> list[Any]:
        """What FAISS points to without holding it."""
        return []

    @cached_property
    def _map(self) -> NDArray[np.uint8]:
        path = self.folder / LISTS
        needed_bytes = int(self.starts[-1]) * (2 * self.size + 8)
        if path.stat().st_size != needed_bytes:
            raise SearchError(f"{path} doesn't fit {STARTS}; build the index again.")
        return np.memmap(path, dtype=np.uint8, mode="r")

    def _list(self, number: int) -> NDArray[np.float16]:
        """Give the fingerprints of a list, on the memory map."""
        cells = int(self.starts[number + 1] - self.starts[number])
        offset = int(self.starts[number]) * (2 * self.size + 8)
        part = self._map[offset : offset + 2 * cells * self.size]
        return part.view(np.float16).reshape(cells, self.size)
