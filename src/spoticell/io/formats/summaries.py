"""Tables without the sums and means that people put among cells."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from spoticell.biology.summaries import find_summaries
from spoticell.io.source import BLOCK
from spoticell.io.storage.matrix import StoredMatrix


class SomeCells(StoredMatrix):
    """A matrix without the cells that ``keep_n`` leaves out."""

    def __init__(self, whole: StoredMatrix, keep_n: NDArray[np.bool_]) -> None:
        super().__init__((int(keep_n.sum()), whole.shape[1]), where=(whole.file, whole.label))
        self._whole, self._keep_n = whole, keep_n

    def parts(self, size: int) -> Iterator[sparse.csr_array]:
        """Rows from first to last in pieces of any height."""
        self._whole.threads, start = self.threads, 0
        for part_nv in self._whole.parts(size):
            yield part_nv[self._keep_n[start : start + part_nv.shape[0]]]
            start += part_nv.shape[0]

    def close(self) -> None:
        """Remove what was kept on disk."""
        self._whole.close()


def without_summaries(
    matrix: StoredMatrix, names: NDArray[np.object_]
) -> tuple[StoredMatrix, NDArray[np.bool_], tuple[str, ...]]:
    """Leave sums and means of cells out of a matrix.

    Parameters
    ----------
    matrix
        Cells and what stands among them; read through twice.
    names
        What they are called.

    Returns
    -------
    The matrix of the cells, which of the names are theirs, and a sentence for the owner of the file.
    """
    try:
        summary_n = find_summaries(names.tolist(), lambda: matrix.parts(BLOCK))
    except BaseException:
        matrix.close()
        raise
    if not summary_n.any():
        return matrix, ~summary_n, ()
    found = names[summary_n].tolist()
    what = (
        "1 is no cell but a sum or mean of cells and was"
        if len(found) == 1
        else (f"{len(found):,} are no cells but sums or means of cells and were")
    )
    listed = ", ".join(name[:30] for name in found[:4]) + (", ..." if len(found) > 4 else "")
    said = f"{matrix.file}: of the {len(names):,} cells that it names, {what} left out ({listed})."
    return SomeCells(matrix, ~summary_n), ~summary_n, (said,)
