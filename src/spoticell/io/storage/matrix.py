"""Stored matrices read in blocks of cells: compressed by cell, or in any other order.

Works on arrays of HDF5 and of zarr alike: only slices are taken.  Pointers and indices
are checked before they are used.  Matrices stored by gene go through a
:class:`~spoticell.io.storage.spool.Spool`.
Axes: ``n`` cells, ``v`` genes of the data set, ``e`` entries.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from spoticell.errors import FileFormatError
from spoticell.io.source import CellBlock, between
from spoticell.io.storage.chunks import Chunks, packed
from spoticell.io.storage.spool import Spool
from spoticell.io.storage.tree import reading

ENTRIES_AT_ONCE = 1 << 20
"""Numbers of a matrix held in memory at once while it is read."""

POINTERS_AT_ONCE = 1 << 18
"""Cells whose pointers are read at once."""

MOST_UNPACKED = 4
"""How often a large chunk may be unpacked."""

PIECE_ENTRIES = 1 << 24
MOST_IN_BLOCK = 1 << 28
"""Numbers in a piece that is read, and in a block that is given."""

Entries = tuple[NDArray[Any], NDArray[Any], NDArray[Any]]
"""Cells, genes and values, all of length ``e``."""

Bad = Callable[[str], FileFormatError]
"""Makes an error of what is wrong."""


class StoredMatrix(ABC):
    """A matrix of ``n`` cells by ``v`` genes somewhere in a file."""

    threads = 1
    """How much may be unpacked at once."""
    by_cell = False
    """Whether rows can be read without those before them, see `rows`."""

    def __init__(self, shape: tuple[int, int], *, where: tuple[str, str]) -> None:
        self.shape = shape
        self.file, self.label = where

    @abstractmethod
    def parts(self, size: int) -> Iterator[sparse.csr_array]:
        """Rows from first to last in pieces of any height."""

    def rows(self, start: int, stop: int, size: int) -> Iterator[sparse.csr_array]:
        """Rows from ``start`` up to ``stop`` in pieces of any height, where the matrix is stored by cell."""
        raise NotImplementedError(f"'{self.label}' isn't stored by cell")

    def blocks(self, size: int) -> Iterator[CellBlock]:
        """Rows from first to last, ``size`` at a time."""
        return self._bounded(regroup(self.parts(size), size=size))

    def between(self, start: int, stop: int, size: int) -> Iterator[CellBlock]:
        """Those of `blocks` that begin from ``start`` on and before ``stop``, both whole blocks away from the first."""
        if self.by_cell:
            end = min(stop, self.shape[0])
            return self._bounded(regroup(self.rows(start, end, size), size=size, start=start))
        return between(self.blocks(size), start, stop)

    def _bounded(self, blocks: Iterable[CellBlock]) -> Iterator[CellBlock]:
        for block in blocks:
            if block.values_nv.nnz > MOST_IN_BLOCK:
                raise self.bad(f"{block.values_nv.nnz:,} numbers in {len(block)} cells")
            yield block

    def close(self) -> None:  # noqa: B027 - most matrices hold nothing
        """Remove what was kept on disk."""

    def read(self, array: Any, entries: slice) -> Any:  # noqa: ANN401 - h5py and zarr share no type
        """Give some numbers of an array, as the library does."""
        with reading(self.file, f"'{self.label}'"):
            return array[entries]

    def bad(self, what: str) -> FileFormatError:
        """Error about this matrix."""
        return FileFormatError(f"{self.file}: {what} in '{self.label}'. The file is damaged: write it again.")


class ByCell(StoredMatrix):
    """Compressed sparse rows: the entries of a cell lie together."""

    by_cell = True

    def __init__(self, arrays: tuple[Any, Any, Any], shape: tuple[int, int], *, where: tuple[str, str]) -> None:
        super().__init__(shape, where=where)
        self.data, self.indices, self.indptr = arrays
        check_compressed(arrays, shape, n_lines=shape[0], where=where)
        self._chunks = {id(array): Chunks(array) for array in arrays[:2] if packed(array)}

    def read(self, array: Any, entries: slice) -> Any:  # noqa: ANN401
        """Give some numbers of an array, unpacked side by side where that can be."""
        chunks = self._chunks.get(id(array))
        if chunks is None or self.threads <= 1 or entries.stop <= entries.start:
            return super().read(array, entries)
        values = chunks.read(entries.start, entries.stop, threads=self.threads)
        return super().read(array, entries) if values is None else values

    def parts(self, size: int) -> Iterator[sparse.csr_array]:
        """Rows from first to last in pieces of any height."""
        return self.rows(0, self.shape[0], size)

    def rows(self, start: int, stop: int, size: int) -> Iterator[sparse.csr_array]:
        """Rows from ``start`` up to ``stop`` in pieces of any height."""
        last, step = None if start else 0, max(size, POINTERS_AT_ONCE)
        for first in range(start, stop, step):
            pointers = self._pointers(first, min(first + step, stop), last)
            last = int(pointers[-1])
            for top, bottom in cuts(pointers, size, least=self._least()):
                yield self._rows(pointers[top : bottom + 1])

    def _least(self) -> int:
        """Give the entries to read at least: each piece unpacks its chunks anew, so large ones ask for large pieces."""
        largest = max((getattr(array, "chunks", None) or (1,))[0] for array in (self.data, self.indices))
        return int(largest) // MOST_UNPACKED

    def _pointers(self, start: int, stop: int, last: int | None) -> NDArray[np.int64]:
        pointers = integers(self.read(self.indptr, slice(start, stop + 1)), bad=self.bad)
        lengths = np.diff(pointers)
        if (
            (pointers[0] < 0 if last is None else pointers[0] != last)
            or (lengths < 0).any()
            or pointers[-1] > self.data.shape[0]
        ):
            raise self.bad(f"row pointers out of order between cells {start} and {stop}")
        if stop == self.shape[0] and pointers[-1] != self.data.shape[0]:
            raise self.bad(f"{self.data.shape[0]} values but pointers to {pointers[-1]}")
        if lengths.max(initial=0) > max(self.shape[1], ENTRIES_AT_ONCE):
            raise self.bad(f"a cell with {lengths.max()} values for {self.shape[1]} genes")
        return pointers

    def _rows(self, pointers: NDArray[np.int64]) -> sparse.csr_array:
        entries = slice(int(pointers[0]), int(pointers[-1]))
        columns = in_range(self.read(self.indices, entries), self.shape[1], bad=self.bad)
        values = numbers(self.read(self.data, entries), bad=self.bad)
        shape = (len(pointers) - 1, self.shape[1])
        return canonical(sparse.csr_array((values, columns, pointers - pointers[0]), shape=shape))


class SpooledMatrix(StoredMatrix):
    """A matrix whose entries come in another order than by cell; sorted once, when first read."""

    n_entries = 1
    """About how many entries there are."""

    def __init__(self, shape: tuple[int, int], *, where: tuple[str, str]) -> None:
        super().__init__(shape, where=where)
        self._spool: Spool | None = None

    @abstractmethod
    def entries(self) -> Iterator[Entries]:
        """Cells, genes and values in the order of the file."""

    def parts(self, size: int) -> Iterator[sparse.csr_array]:
        """Rows from first to last in pieces of any height."""
        if self._spool is None:
            spool = Spool(self.shape, n_entries=self.n_entries)
            try:
                for row_e, column_e, value_e in self.entries():
                    spool.add(row_e, column_e, value_e)
            except BaseException:
                spool.close()
                raise
            self._spool = spool
        return self._spool.bands()

    def close(self) -> None:
        """Remove what was kept on disk."""
        if self._spool is not None:
            self._spool.close()
            self._spool = None


class ByGene(SpooledMatrix):
    """Compressed sparse columns: the entries of a gene lie together."""

    def __init__(self, arrays: tuple[Any, Any, Any], shape: tuple[int, int], *, where: tuple[str, str]) -> None:
        super().__init__(shape, where=where)
        self.data, self.indices, self.indptr = arrays
        check_compressed(arrays, shape, n_lines=shape[1], where=where)
        self.n_entries = int(self.data.shape[0])

    def entries(self) -> Iterator[Entries]:
        """Cells, genes and values, some genes at a time."""
        n_entries = self.n_entries
        pointers = integers(self.read(self.indptr, slice(None)), bad=self.bad)
        if pointers[0] != 0 or (np.diff(pointers) < 0).any() or pointers[-1] != n_entries:
            raise self.bad(f"column pointers that don't fit {n_entries} values")
        for start in range(0, n_entries, ENTRIES_AT_ONCE):
            stop = min(start + ENTRIES_AT_ONCE, n_entries)
            row_e = in_range(self.read(self.indices, slice(start, stop)), self.shape[0], bad=self.bad)
            value_e = numbers(self.read(self.data, slice(start, stop)), bad=self.bad)
            yield row_e, np.searchsorted(pointers, np.arange(start, stop), side="right") - 1, value_e


def regroup(parts: Iterable[sparse.csr_array], *, size: int, start: int = 0) -> Iterator[CellBlock]:
    """Blocks of exactly ``size`` cells (the last may be shorter) from pieces of any height, the first at ``start``.

    Examples
    --------
    >>> pieces = [sparse.csr_array(np.eye(3, 4)), sparse.csr_array(np.ones((2, 4)))]
    >>> [(block.start, len(block)) for block in regroup(pieces, size=2)]
    [(0, 2), (2, 2), (4, 1)]
    """
    held, n_held = list[sparse.csr_array](), 0
    for part_nv in parts:
        top, height = 0, part_nv.shape[0]
        while top < height:
            room = size - n_held
            held.append(part_nv if top == 0 and height <= room else part_nv[top : top + room])
            n_held += min(room, height - top)
            top += room
            if n_held == size:
                yield _block(start, held)
                start, held, n_held = start + size, [], 0
    if held:
        yield _block(start, held)


def cuts(
    pointers: NDArray[np.int64], size: int, *, least: int = 0, most: int = PIECE_ENTRIES
) -> Iterator[tuple[int, int]]:
    """Ranges of ``size`` rows: of more where these have less than ``least`` entries, of fewer where more than ``most``.

    Examples
    --------
    >>> pointers = np.array([0, 2, 4, 9, 10])
    >>> list(cuts(pointers, 3))
    [(0, 3), (3, 4)]
    >>> list(cuts(pointers, 3, most=4))
    [(0, 2), (2, 3), (3, 4)]
    >>> list(cuts(pointers, 1, least=4))
    [(0, 2), (2, 3), (3, 4)]
    """
    top, n_rows = 0, len(pointers) - 1
    while top < n_rows:
        by_least, by_most = np.searchsorted(pointers, pointers[top] + (min(least, most), most), side="right") - 1
        bottom = max(top + 1, int(by_least), min(top + size, int(by_most)))
        yield top, bottom
        top = bottom


def canonical(values_nv: sparse.csr_array) -> sparse.csr_array:
    """Give a matrix as float32 with sorted columns, repeats summed, and zeros dropped; changes its input."""
    values_nv.sum_duplicates()
    if values_nv.dtype != np.float32:
        with np.errstate(over="ignore", invalid="ignore"):
            values_nv = values_nv.astype(np.float32)
    # most matrices store none, which is seen in a tenth of the time
    if not values_nv.data.all():
        values_nv.eliminate_zeros()
    return values_nv


def _block(start: int, held: list[sparse.csr_array]) -> CellBlock:
    values_nv = held[0] if len(held) == 1 else sparse.vstack(held, format="csr")
    return CellBlock(start, canonical(values_nv))


def check_compressed(
    arrays: tuple[Any, Any, Any], shape: tuple[int, int], *, n_lines: int, where: tuple[str, str]
) -> None:
    """Refuse a compressed matrix whose three arrays don't fit each other; reads only their shapes."""
    (data, indices, indptr), (file, label) = arrays, where
    check_lists(data, indices, indptr, where=where)
    if indptr.shape[0] != n_lines + 1:
        raise FileFormatError(
            f"{file}: '{label}' has {indptr.shape[0]} pointers, {n_lines + 1} are needed for its shape. "
            "The file is damaged: write it again."
        )
    if data.shape[0] != indices.shape[0]:
        raise FileFormatError(
            f"{file}: '{label}' has {data.shape[0]} values but {indices.shape[0]} indices. "
            "The file is damaged: write it again."
        )
    if data.shape[0] > max(shape[0] * shape[1], ENTRIES_AT_ONCE):
        raise FileFormatError(
            f"{file}: '{label}' has {data.shape[0]:,} values for {shape[0]:,} cells and {shape[1]:,} genes. "
            "The file is damaged: write it again."
        )


def check_lists(*arrays: Any, where: tuple[str, str]) -> None:  # noqa: ANN401
    """Refuse the arrays of a compressed matrix if they aren't lists."""
    if any(len(array.shape) != 1 for array in arrays):
        raise FileFormatError(f"{where[0]}: 'data', 'indices' and 'indptr' of '{where[1]}' must be lists of numbers.")


def integers(values: Any, *, bad: Bad) -> NDArray[np.int64]:  # noqa: ANN401
    """Whole numbers as int64."""
    array = np.asarray(values)
    if array.dtype.kind not in "iu":
        raise bad(f"whole numbers expected, found {array.dtype}")
    return array.astype(np.int64)


def in_range(values: Any, limit: int, *, bad: Bad) -> NDArray[np.int32] | NDArray[np.int64]:  # noqa: ANN401
    """Give indices as int64, or as the int32 that they are, all in ``[0, limit)``."""
    index_e = values if getattr(values, "dtype", None) == np.int32 else integers(values, bad=bad)
    if len(index_e) and (index_e.min() < 0 or index_e.max() >= limit):
        odd = int(index_e.max()) if index_e.max() >= limit else int(index_e.min())
        raise bad(f"index {odd} where only 0 to {limit - 1} exist")
    return index_e


def numbers(values: Any, *, bad: Bad) -> NDArray[Any]:  # noqa: ANN401
    """Numbers as float32."""
    array = np.asarray(values)
    if array.dtype.kind not in "biuf":
        raise bad(f"{array.dtype} where numbers belong")
    with np.errstate(over="ignore", invalid="ignore"):
        return array.astype(np.float32, copy=False)
