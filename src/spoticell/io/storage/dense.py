"""Dense matrices: every number is stored, in chunks or in one run.

Works on arrays of HDF5 and of zarr alike.
Axes: ``n`` cells, ``v`` genes of the data set, ``e`` entries.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from spoticell.errors import FileFormatError
from spoticell.io.storage.matrix import Entries, SpooledMatrix, StoredMatrix, numbers
from spoticell.io.storage.tree import reading

VALUES_AT_ONCE = 1 << 22
"""Numbers unpacked at once."""

TALL_CHUNK = 8192
"""Chunks with more cells than this are unpacked once, through a spool."""


class Tiles:
    """A dense array seen as cells x genes, read in rectangles; ``by_gene`` where genes are its rows."""

    def __init__(self, array: Any, *, where: tuple[str, str], by_gene: bool) -> None:  # noqa: ANN401
        self._where = where
        if len(array.shape) != 2:
            raise FileFormatError(f"{where[0]}: '{where[1]}' has {len(array.shape)} axes, a matrix needs two.")
        self._array, self._by_gene = array, by_gene
        self.shape = self._turned(array.shape)
        self.chunk = self._turned(getattr(array, "chunks", None) or (1, 1))
        """Cells and genes that are packed together."""

    def __getitem__(self, area: tuple[slice, slice]) -> Any:  # noqa: ANN401
        cells, genes = area
        with reading(self._where[0], f"'{self._where[1]}'"):
            values = self._array[(genes, cells) if self._by_gene else area]
        return values.T if self._by_gene else values

    def across(self, height: int) -> Iterator[slice]:
        """Ranges of genes, whole chunks wide, for rectangles of ``height`` cells that fit in memory."""
        wide, n_genes = self.chunk[1], self.shape[1]
        step = max(wide, VALUES_AT_ONCE // max(1, height) // wide * wide)
        return (slice(left, min(left + step, n_genes)) for left in range(0, n_genes, step))

    def _turned(self, sides: tuple[int, ...]) -> tuple[int, int]:
        first, second = (int(side) for side in sides)
        return (second, first) if self._by_gene else (first, second)


class Dense(StoredMatrix):
    """A dense matrix read as many cells at a time as a block has."""

    by_cell = True

    def __init__(self, tiles: Tiles, *, where: tuple[str, str]) -> None:
        super().__init__(tiles.shape, where=where)
        self._tiles = tiles

    def parts(self, size: int) -> Iterator[sparse.csr_array]:
        """Rows from first to last in pieces of any height."""
        return self.rows(0, self.shape[0], size)

    def rows(self, start: int, stop: int, size: int) -> Iterator[sparse.csr_array]:
        """Rows from ``start`` up to ``stop`` in pieces of any height."""
        for first in range(start, stop, size):
            cells = slice(first, min(first + size, stop))
            strips = [self._strip(cells, genes) for genes in self._tiles.across(cells.stop - start)]
            yield sparse.hstack(strips, format="csr")

    def _strip(self, cells: slice, genes: slice) -> sparse.csr_array:
        return sparse.csr_array(numbers(self._tiles[cells, genes], bad=self.bad))


class TallDense(SpooledMatrix):
    """A dense matrix in chunks of so many cells that each must be unpacked only once."""

    def __init__(self, tiles: Tiles, *, where: tuple[str, str]) -> None:
        super().__init__(tiles.shape, where=where)
        self._tiles = tiles
        self.n_entries = self.shape[0] * self.shape[1] // 4

    def entries(self) -> Iterator[Entries]:
        """Cells, genes and values, some chunks at a time."""
        tall = self._tiles.chunk[0]
        for start in range(0, self.shape[0], tall):
            for genes in self._tiles.across(tall):
                tile_nv = self._tile(slice(start, min(start + tall, self.shape[0])), genes)
                row_e, column_e = np.nonzero(tile_nv)
                yield row_e + start, column_e + genes.start, tile_nv[row_e, column_e]

    def _tile(self, cells: slice, genes: slice) -> NDArray[Any]:
        return numbers(self._tiles[cells, genes], bad=self.bad)


def dense(array: Any, *, where: tuple[str, str], by_gene: bool = False) -> StoredMatrix:  # noqa: ANN401
    """Reader of a dense array; ``by_gene`` where genes are the rows of the file.

    Raises
    ------
    FileFormatError
        If the array has other than two axes.
    """
    tiles = Tiles(array, where=where, by_gene=by_gene)
    return (TallDense if tiles.chunk[0] > TALL_CHUNK else Dense)(tiles, where=where)
