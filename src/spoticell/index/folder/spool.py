"""Cells on the disk before their order is known: blocks come in, the files of a segment go out.

Fingerprints wait in a file of their own; in memory are a cell's name, group and list.
Axes: ``n`` cells, ``d`` fingerprint, ``b`` bits of the code.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spoticell.index.cells import Groups, ReferenceCells
from spoticell.index.coarse import SAMPLE, Coarse, lists_for, train_coarse
from spoticell.index.folder.lists import ROWS, write_lists
from spoticell.index.folder.segment import CODE, GROUP, GROUPS, NAMES, NAMES_AT_ONCE
from spoticell.index.needs import needed


class Spool:
    """Cells that wait for their place.

    Parameters
    ----------
    path
        The file for fingerprints; whoever made it removes it.
    size
        ``d``.
    """

    def __init__(self, path: Path, size: int) -> None:
        self.path, self.size = path, size
        self.n_cells = 0
        self._groups = Groups()
        self._group: list[NDArray[np.int32]] = []
        self._names: list[Any] = []

    def fill(self, blocks: Iterable[ReferenceCells]) -> None:
        """Take in all blocks."""
        pa = needed("pyarrow")
        with self.path.open("wb") as file:
            for block in blocks:
                file.write(np.ascontiguousarray(block.fingerprint_nd, dtype="<f2").tobytes())
                self._group.append(self._groups.number(block.table))
                self._names.append(pa.array([str(name) for name in block.names], pa.large_string()))
                self.n_cells += len(block)

    def train(self) -> Coarse | None:
        """Find centroids for as many cells as there are; none for a few."""
        n_lists = lists_for(self.n_cells)
        if n_lists == 1:
            return None
        chosen = np.linspace(0, self.n_cells - 1, min(self.n_cells, SAMPLE * n_lists)).astype(np.int64)
        return train_coarse(self._vectors_nd[chosen].astype(np.float32), n_lists)

    def write(self, folder: Path, coarse: Coarse | None, planes_bd: NDArray[np.float32]) -> None:
        """Write the files of a segment."""
        pa, parquet = needed("pyarrow"), needed("pyarrow.parquet")
        list_n = np.zeros(self.n_cells, dtype=np.int32)
        if coarse is not None:
            for rows, vectors_nd in self._parts():
                list_n[rows] = coarse.list_of(vectors_nd)
        order = write_lists(folder, lambda rows: self._vectors_nd[rows], list_n, coarse.n_lists if coarse else 1)
        code_nb = np.empty((self.n_cells, len(planes_bd) // 8), dtype=np.uint8)
        for rows, vectors_nd in self._parts():
            code_nb[rows] = binary_code(vectors_nd, planes_bd)
        np.save(folder / CODE, code_nb[order], allow_pickle=False)
        np.save(folder / GROUP, np.concatenate(self._group)[order], allow_pickle=False)
        parquet.write_table(pa.Table.from_pandas(self._groups.table(), preserve_index=False), folder / GROUPS)
        names = pa.table({"name": pa.chunked_array(self._names).take(pa.array(order))})
        parquet.write_table(names, folder / NAMES, row_group_size=NAMES_AT_ONCE, compression="zstd")

    def _parts(self) -> Iterator[tuple[slice, NDArray[np.float32]]]:
        for start in range(0, self.n_cells, ROWS):
            rows = slice(start, start + ROWS)
            yield rows, self._vectors_nd[rows].astype(np.float32)

    @property
    def _vectors_nd(self) -> NDArray[np.float16]:
        return np.memmap(self.path, dtype="<f2", mode="r", shape=(self.n_cells, self.size))


def binary_code(fingerprint_nd: NDArray[np.float32], planes_bd: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Give on which side of each plane a fingerprint lies, eight bits a byte, ``(n, b / 8)``.

    Examples
    --------
    >>> binary_code(np.array([[1, 0]], dtype=np.float32), np.repeat(np.eye(2, dtype=np.float32), 4, axis=0)).tolist()
    [[240]]
    """
    return np.packbits(fingerprint_nd @ planes_bd.T > 0, axis=1)
