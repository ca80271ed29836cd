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
        self._n_seen += len(place_n)
        # chosen before they are copied, as most cells aren't kept
        chosen_n = place_n % self._stride == 0
        self._keep(place_n[chosen_n], values_nv[full[chosen_n]], floor_n[full[chosen_n]])
        while self._n_kept > MOST_CELLS or (self._n_values > MOST_VALUES and self._n_kept > 1):
            self._stride *= 2
            parts, self._parts, self._n_kept, self._n_values = self._parts, [], 0, 0
            for place_n, kept_nv, kept_floor_n in parts:
                chosen_n = place_n % self._stride == 0
                self._keep(place_n[chosen_n], kept_nv[chosen_n], kept_floor_n[chosen_n])

    def _keep(self, place_n: NDArray[np.int64], values_nv: sparse.csr_array, floor_n: Floats) -> None:
        if len(place_n):
            self._parts.append((place_n, values_nv, floor_n))
            self._n_kept += len(place_n)
            self._n_values += values_nv.nnz

    def cells(self) -> tuple[sparse.csr_array, Floats]:
        """Give the cells that were kept, and what zero is in each."""
        values_nv = sparse.vstack([part for _, part, _ in self._parts], format="csr")
        return sparse.csr_array(values_nv), np.concatenate([floor_n for _, _, floor_n in self._parts])
