"""Entries of a matrix in any order, sorted by cell through files on disk.

Matrices stored gene by gene can't be read cell by cell.  A :class:`Spool` takes their
entries in the order of the file, drops each into the temporary file of its band of
cells, and then gives the bands one after another.  Memory holds one band, the disk
twelve bytes an entry; the files go when the spool is closed.
Axes: ``n`` cells, ``v`` genes of the data set, ``e`` entries.
"""

from __future__ import annotations

import errno
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from spoticell.errors import OutputError
from spoticell.io.passing import temporary_folder

BAND_ENTRIES = 1 << 21
"""Entries that a band should hold."""

_RECORD = np.dtype([("row", "<i4"), ("column", "<i4"), ("value", "<f4")])


class Spool:
    """Takes entries in any order and gives rows in theirs.

    Parameters
    ----------
    shape
        Cells and genes.
    n_entries
        About how many entries will come; settles how many cells a band has.

    Examples
    --------
    >>> spool = Spool((3, 2), n_entries=2)
    >>> spool.add(np.array([2, 0]), np.array([1, 0]), np.array([5.0, 7.0]))
    >>> [band_nv.toarray().tolist() for band_nv in spool.bands()]
    [[[7.0, 0.0], [0.0, 0.0], [0.0, 5.0]]]
    >>> spool.close()
    """

    def __init__(self, shape: tuple[int, int], *, n_entries: int) -> None:
        self.shape = shape
        n_bands = max(1, -(-n_entries // BAND_ENTRIES))
        self._height = min(max(1, -(-shape[0] // n_bands)), 1 << 30)
        self._stack = ExitStack()
        self._folder = self._stack.enter_context(temporary_folder())

    def add(self, row_e: NDArray[np.integer], column_e: NDArray[np.integer], value_e: NDArray[np.number]) -> None:
        """Put entries down; rows and columns must lie within the shape."""
        band_e, within_e = np.divmod(row_e.astype(np.int64, copy=False), self._height)
        order_e = np.argsort(band_e, kind="stable")
        entries = np.empty(len(order_e), dtype=_RECORD)
        entries["row"], entries["column"] = within_e[order_e], column_e[order_e]
        with np.errstate(over="ignore", invalid="ignore"):
            entries["value"] = value_e[order_e]
        bands, starts = np.unique(band_e[order_e], return_index=True)
        for band, part in zip(bands, np.split(entries, starts[1:]), strict=False):
            self._append(int(band), part)

    def bands(self) -> Iterator[sparse.csr_array]:
        """Rows from first to last, a band at a time; repeats are summed, zeros dropped."""
        for band in range(-(-self.shape[0] // self._height)):
            n_rows = min(self._height, self.shape[0] - band * self._height)
            path = self._path(band)
            entries = np.fromfile(path, dtype=_RECORD) if path.exists() else np.empty(0, dtype=_RECORD)
            places = (entries["row"], entries["column"])
            yield sparse.coo_array((entries["value"], places), shape=(n_rows, self.shape[1])).tocsr()

    def close(self) -> None:
        """Remove the files."""
        self._stack.close()

    def _path(self, band: int) -> Path:
        return self._folder / str(band)

    def _append(self, band: int, entries: NDArray[np.void]) -> None:
        try:
            with self._path(band).open("ab") as file:
                entries.tofile(file)
        except OSError as error:
            if error.errno not in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, None}:
                raise
            raise OutputError(
                f"the disk of the temporary folder {tempfile.gettempdir()} is full: sorting the matrix by cell needs "
                "12 bytes an entry. Make room, or set TMPDIR to a folder on a larger disk."
            ) from error
