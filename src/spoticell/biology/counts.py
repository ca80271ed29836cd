"""Counts: what a matrix holds, judged from all of its cells, and how to get counts back from it.

Networks and scores here start from counts, but people have logarithms, normalised values and worse.  `CountsProbe`
watches every cell go by and keeps tallies and a small sample; `spoticell.biology.judging` weighs them, and `recover`
does what the verdict says.

Axes: ``n`` cells, ``v`` genes of the data set.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy import sparse

from spoticell.biology.judging import Judge
from spoticell.biology.reading import read_cells
from spoticell.biology.recovery import CountsVerdict, above_floor, canonical, recover
from spoticell.biology.sample import CellSample
from spoticell.biology.scales import Kind
from spoticell.biology.tallies import Tallies

__all__ = ["CountsProbe", "CountsVerdict", "Kind", "recover"]

PART_VALUES = 1 << 19
"""Values that are looked at together: those of many cells would be written to memory and read again at each step."""
LEARNT_AFTER = 1000
"""Cells after which the scale that most of them are on is tried first."""


class CountsProbe:
    """Watches all cells of a matrix and says what it holds; its memory doesn't grow.

    Examples
    --------
    >>> import numpy as np
    >>> probe = CountsProbe()
    >>> probe.update(sparse.csr_array(np.array([[1.0, 0.0, 4.0], [0.0, 0.0, 0.0]])))
    >>> verdict = probe.verdict()
    >>> verdict.kind.value, verdict.usable, verdict.n_cells, verdict.n_empty
    ('counts', True, 2, 1)
    """

    def __init__(self) -> None:
        self._tallies = Tallies()
        self._sample = CellSample()
        self._first: int | None = None

    def update(self, values_nv: sparse.csr_array) -> None:
        """Take in the next cells.

        Parameters
        ----------
        values_nv
            Values as stored, ``(n, v)``, of any number type.

        Raises
        ------
        CountsError
            If a value is NaN or infinite, or a cell has negative values and none that stands for zero; the matrix
            can't hold counts then.
        """
        for part_nv in _parts(canonical(values_nv)):
            self._add(part_nv)

    def _add(self, values_nv: sparse.csr_array) -> None:
        kept_nv, floor_n = above_floor(values_nv, self._tallies.n_cells)
        reading = read_cells(kept_nv, floor_n, first=self._first)
        self._tallies.add(kept_nv, floor_n, reading)
        self._sample.add(kept_nv, floor_n)
        if self._first is None and self._tallies.n_tested >= LEARNT_AFTER:
            self._first = int(self._tallies.n_fitting_s.argmax())

    def verdict(self) -> CountsVerdict:
        """Say what the cells seen so far hold."""
        return Judge(self._tallies, self._sample).verdict()


def _parts(values_nv: sparse.csr_array) -> Iterator[sparse.csr_array]:
    """Give the cells of a matrix in parts, without a copy of their values."""
    indptr, top = values_nv.indptr, 0
    while top < values_nv.shape[0]:
        bottom = max(top + 1, int(np.searchsorted(indptr, indptr[top] + PART_VALUES, side="right")) - 1)
        values = slice(indptr[top], indptr[bottom])
        # put in one by one, as SciPy copies what it is given if that is a small part of something
        part_nv = sparse.csr_array((bottom - top, values_nv.shape[1]), dtype=values_nv.dtype)
        part_nv.data, part_nv.indices = values_nv.data[values], values_nv.indices[values]
        part_nv.indptr = indptr[top : bottom + 1] - indptr[top]
        yield part_nv
        top = bottom
