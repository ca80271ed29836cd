"""A sample of the cells that go by: every cell at first, every second once there are too many, and so on.

Axes: ``n`` cells, ``v`` genes of the data set.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from spoticell.biology.scales import Floats

MOST_CELLS, MOST_VALUES = 512, 2_000_000


class CellSample:
    """Evenly spread cells of a stream of unknown length; memory is bounded.

    Examples
    --------
    >>> sample = CellSample()
    >>> for start in range(0, 3000, 1000):
    ...     sample.add(sparse.csr_array(np.ones((1000, 2))), np.zeros(1000))
    >>> values_nv, floor_n = sample.cells()
    >>> values_nv.shape, len(floor_n)
    ((375, 2), 375)
    """

    def __init__(self) -> None:
        self._stride, self._n_seen, self._n_kept, self._n_values = 1, 0, 0, 0
        self._parts: list[tuple[NDArray[np.int64], sparse.csr_array, Floats]] = []

    def add(self, values_nv: sparse.csr_array, floor_n: Floats) -> None:
        """Take in the next cells and what zero is in each of them; cells without values are passed over."""
        full = np.flatnonzero(np.diff(values_nv.indptr))
        place_n = np.arange(self._n_seen, self._n_seen + len(full))
        self._n_seen += len(full)
        chosen = full[place_n % self._stride == 0]
        # thinned before cells are copied, as most of them aren't kept
        while self._is_too_much(n_cells=len(chosen), n_values=int(np.diff(values_nv.indptr)[chosen].sum())):
            self._thin()
            chosen = full[place_n % self._stride == 0]
        if len(chosen):
            self._parts.append((place_n[place_n % self._stride == 0], values_nv[chosen], floor_n[chosen]))
            self._count()

    def _is_too_much(self, *, n_cells: int, n_values: int) -> bool:
        n_cells, n_values = self._n_kept + n_cells, self._n_values + n_values
        return n_cells > MOST_CELLS or (n_values > MOST_VALUES and n_cells > 1)

    def _thin(self) -> None:
        """Keep every second of the cells."""
        self._stride *= 2
        parts = [(part, part[0] % self._stride == 0) for part in self._parts]
        self._parts = [(n[stay_n], nv[stay_n], floor_n[stay_n]) for (n, nv, floor_n), stay_n in parts if stay_n.any()]
        self._count()

    def _count(self) -> None:
        self._n_kept = sum(len(place_n) for place_n, _, _ in self._parts)
        self._n_values = sum(kept_nv.nnz for _, kept_nv, _ in self._parts)

    def cells(self) -> tuple[sparse.csr_array, Floats]:
        """Give the cells that were kept, and what zero is in each."""
        values_nv = sparse.vstack([part for _, part, _ in self._parts], format="csr")
        return sparse.csr_array(values_nv), np.concatenate([floor_n for _, _, floor_n in self._parts])
