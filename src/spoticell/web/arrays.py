"""Arrays on disk that grow cell by cell, and counts from which one gene or one cell is read without the others.

Counts lie in blocks of cells, within a block gene by gene.  A gene is then a short stretch of each block, and a cell
is found in its own block.  An entry takes six bytes.
Axes: ``n`` cells, ``g`` the bundle's genes, ``b`` blocks.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.lib import format as npy
from numpy.typing import DTypeLike, NDArray
from scipy import sparse

from spoticell.biology.group_genes import DEPTH

ROWS, VALUES, POINTERS, STARTS = "rows.bin", "values.bin", "pointers.npy", "starts.npy"


class ArrayFile:
    """An ``.npy`` file that is written from first row to last; a context manager.

    Writing through the system rather than through mapped memory lets a full disk be an error, not a crash.

    Parameters
    ----------
    path
        Where to write.
    shape
        Of the whole array.
    dtype
        Of its numbers.
    """

    def __init__(self, path: Path, shape: tuple[int, ...], dtype: DTypeLike) -> None:
        self.dtype = np.dtype(dtype)
        self._file = path.open("wb")
        header = {"descr": npy.dtype_to_descr(self.dtype), "fortran_order": False, "shape": shape}
        npy.write_array_header_1_0(self._file, header)

    def append(self, rows: NDArray[np.generic]) -> None:
        """Write the next rows."""
        self._file.write(np.ascontiguousarray(rows, dtype=self.dtype).tobytes())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()


class CountsWriter:
    """Takes counts block by block; a context manager.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> with CountsWriter(folder, n_genes=3) as writer:
    ...     writer.append(sparse.csr_array(np.float32([[0, 2, 0], [1, 0, 5]])))
    ...     writer.append(sparse.csr_array(np.float32([[0, 7, 0]])))
    >>> counts = Counts(folder)
    >>> counts.gene(1).tolist(), counts.cell(1).tolist()
    ([2.0, 0.0, 7.0], [1.0, 0.0, 5.0])
    >>> counts.rows(np.array([0, 2])).toarray().tolist()
    [[0.0, 2.0, 0.0], [0.0, 7.0, 0.0]]
    """

    def __init__(self, folder: Path, *, n_genes: int) -> None:
        self._folder, self._n_genes = folder, n_genes
        self._pointers: list[NDArray[np.int64]] = []
        self._starts = [0]
        self._entries = 0
        folder.mkdir(exist_ok=True)
        self._rows = (folder / ROWS).open("wb")
        self._values = (folder / VALUES).open("wb")

    def append(self, counts_ng: sparse.csr_array) -> None:
        """Write the next cells, 65,536 at most."""
        by_gene = counts_ng.tocsc()
        self._rows.write(by_gene.indices.astype(np.uint16).tobytes())
        self._values.write(by_gene.data.astype(np.float32).tobytes())
        self._pointers.append(self._entries + by_gene.indptr.astype(np.int64))
        self._starts.append(self._starts[-1] + counts_ng.shape[0])
        self._entries += by_gene.nnz

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._rows.close()
        self._values.close()
        if error is None:
            pointers_bg = np.array(self._pointers, dtype=np.int64).reshape(-1, self._n_genes + 1)
            np.save(self._folder / POINTERS, pointers_bg, allow_pickle=False)
            np.save(self._folder / STARTS, np.array(self._starts, dtype=np.int64), allow_pickle=False)


class Counts:
    """Counts that a `CountsWriter` wrote.

    Parameters
    ----------
    folder
        Where they lie.
    """

    def __init__(self, folder: Path) -> None:
        self._pointers_bg = np.load(folder / POINTERS, mmap_mode="r")
        self._starts = np.load(folder / STARTS)
        self._rows_e = _mapped(folder / ROWS, np.uint16)
        self._values_e = _mapped(folder / VALUES, np.float32)

    @property
    def n_cells(self) -> int:
        """How many cells there are."""
        return int(self._starts[-1])

    def gene(self, g: int) -> NDArray[np.float32]:
        """Give the counts of one gene in all cells, ``(n,)``."""
        counts_n = np.zeros(self.n_cells, dtype=np.float32)
        for first, (start, stop) in zip(self._starts, self._pointers_bg[:, g : g + 2].tolist(), strict=False):
            counts_n[first + self._rows_e[start:stop].astype(np.int64)] = self._values_e[start:stop]
        return counts_n

    def cells_with(self, g: int) -> int:
        """Count the cells that have a count of a gene."""
        pointers = self._pointers_bg[:, g : g + 2]
        return int((pointers[:, 1] - pointers[:, 0]).sum())

    def cell(self, n: int) -> NDArray[np.float32]:
        """Give the counts of one cell in all genes, ``(g,)``."""
        block = int(np.searchsorted(self._starts, n, side="right")) - 1
        pointers = self._pointers_bg[block]
        start, stop = int(pointers[0]), int(pointers[-1])
        own_e = np.flatnonzero(self._rows_e[start:stop] == n - self._starts[block])
        counts_g = np.zeros(len(pointers) - 1, dtype=np.float32)
        counts_g[np.searchsorted(pointers, start + own_e, side="right") - 1] = self._values_e[start + own_e]
        return counts_g

    def blocks(self) -> Iterator[tuple[int, sparse.csc_array]]:
        """Give block after block the position of its first cell and its counts, ``(cells, g)``."""
        for block, pointers in enumerate(self._pointers_bg):
            first, last = int(self._starts[block]), int(self._starts[block + 1])
            start, stop = int(pointers[0]), int(pointers[-1])
            parts = self._values_e[start:stop], self._rows_e[start:stop].astype(np.int32), pointers - start
            yield first, sparse.csc_array(parts, shape=(last - first, len(pointers) - 1))

    def rows(self, cell_s: NDArray[np.integer]) -> sparse.csr_array:
        """Give the counts of some cells, whose positions ascend, ``(s, g)``."""
        blocks = []
        for block, (first, last) in enumerate(pairwise(self._starts.tolist())):
            wanted_s = cell_s[np.searchsorted(cell_s, first) : np.searchsorted(cell_s, last)] - first
            if len(wanted_s):
                blocks.append(self._rows_of_block(block, last - first, wanted_s))
        n_genes = self._pointers_bg.shape[1] - 1
        return sparse.vstack(blocks, format="csr") if blocks else sparse.csr_array((0, n_genes), dtype=np.float32)

    def _rows_of_block(self, block: int, cells: int, wanted_s: NDArray[np.integer]) -> sparse.csr_array:
        pointers = np.asarray(self._pointers_bg[block])
        start, stop = int(pointers[0]), int(pointers[-1])
        place_n = np.full(cells, -1, dtype=np.int32)
        place_n[wanted_s] = np.arange(len(wanted_s))
        place_e = place_n[self._rows_e[start:stop]]
        own_e = np.flatnonzero(place_e >= 0)
        # of the entries that are kept, where each gene's begin
        kept_g = np.searchsorted(own_e, pointers - start)
        parts = (np.asarray(self._values_e[start:stop])[own_e], place_e[own_e], kept_g)
        return sparse.csc_array(parts, shape=(len(wanted_s), len(pointers) - 1)).tocsr()


def log_normalised(counts_n: NDArray[Any], total_n: NDArray[Any]) -> NDArray[np.float64]:
    """Give the natural logarithm of 1 and counts per 10,000 counts of their cell; zero in cells without counts.

    Examples
    --------
    >>> log_normalised(np.float32([0, 1, 5]), np.float32([0, 10_000, 50_000])).round(2).tolist()
    [0.0, 0.69, 0.69]
    """
    value_n: NDArray[np.float64] = np.log1p(DEPTH * counts_n.astype(np.float64) / np.maximum(total_n, 1e-9))
    return value_n


def _mapped(path: Path, dtype: DTypeLike) -> NDArray[np.generic]:
    # an empty file can't be mapped
    return np.memmap(path, dtype=dtype, mode="r") if path.stat().st_size else np.empty(0, dtype=dtype)
