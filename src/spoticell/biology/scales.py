"""Scales on which people store counts, and how well each of them fits some cells.

A scale is undone value by value.  Two facts then give the right one away: each cell's sum is the same, or each
cell's values are whole multiples of its smallest, which is one count.  The second survives any choice of genes and
gives back the counts themselves.  What follows from a fit is decided in `spoticell.biology.counts`.

Axes: ``n`` cells, ``v`` genes of the data set, ``e`` stored values of a matrix.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

Floats = NDArray[np.float64]

WHOLE_WITHIN = 0.01
"""A value this near a whole number counts as one."""
CONSTANT_WITHIN = 0.02
"""Sums whose standard deviation is at most this share of their mean count as the same."""
COMMON_TARGETS = (1e3, 1e4, 1e5, 1e6)
SAMPLED_CELLS = 64
"""Cells of a block whose values are tested for being multiples of a unit."""


class Kind(StrEnum):
    """What a matrix holds."""

    COUNTS = "counts"
    NEAR_COUNTS = "fractional counts"
    NORMALISED = "normalised, not logged"
    LOG1P = "natural log of 1 + normalised"
    LOG2 = "log2 of 1 + normalised"
    LOG10 = "log10 of 1 + normalised"
    SQRT = "square root of counts"
    LOG1P_TWICE = "log1p taken twice"
    ROUNDED_LOG = "rounded logarithms"
    PER_LENGTH = "RPKM, FPKM or TPM"
    MIXED = "cells on different scales"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Scale:
    """A way in which counts may have been stored.

    Examples
    --------
    >>> SCALES[2].undo(np.array([1.0, 3.0])).round(6).tolist()
    [1.0, 7.0]
    """

    kind: Kind
    base: float
    """Base of the logarithm; 1 where there is none."""
    largest: float
    """A value above this would stand for more than ten million counts in one gene."""

    def undo(self, values_e: Floats) -> Floats:
        """Give what the values stood for before, up to a factor for each cell."""
        if self.kind is Kind.SQRT:
            return values_e * values_e
        if self.kind is Kind.LOG1P_TWICE:
            values_e = np.exp(values_e) - 1
        return values_e if self.base == 1 else np.exp(values_e * float(np.log(self.base))) - 1


SCALES = (
    Scale(Kind.NORMALISED, 1, np.inf),
    Scale(Kind.LOG1P, np.e, 16.2),
    Scale(Kind.LOG2, 2, 23.3),
    Scale(Kind.LOG10, 10, 7.0),
    Scale(Kind.SQRT, 1, 3163),
    Scale(Kind.LOG1P_TWICE, np.e, 2.85),
)


@dataclass
class Moments:
    """Running mean and standard deviation."""

    n: int = 0
    total: float = 0.0
    squares: float = 0.0

    def add(self, values: Floats) -> None:
        """Take in more values."""
        self.n += len(values)
        self.total += float(values.sum())
        self.squares += float((values * values).sum())

    @property
    def mean(self) -> float:
        """Mean so far, 0 where there is none."""
        return self.total / max(self.n, 1)

    @property
    def deviation(self) -> float:
        """Standard deviation so far."""
        return float(max(self.squares / max(self.n, 1) - self.mean**2, 0.0) ** 0.5)

    @property
    def spread(self) -> float:
        """Standard deviation as a share of the mean."""
        return self.deviation / max(abs(self.mean), 1e-300)


@dataclass
class Fit:
    """How well one scale fits the cells seen so far."""

    scale: Scale
    possible: bool = True
    sums: Moments = field(default_factory=Moments)
    """Sums of all cells, the scale undone."""
    n_cells_tested: int = 0
    n_cells_whole: int = 0
    n_values_tested: int = 0
    n_values_whole: int = 0
    n_units_one: int = 0
    n_units_decimal: int = 0

    def add(self, cells_nv: sparse.csr_array) -> None:
        """Take in more cells, none of them empty."""
        self.possible &= float(cells_nv.data.max()) <= self.scale.largest
        if not self.possible:
            return
        undone_nv = with_data(cells_nv, self.scale.undo(cells_nv.data))
        self.sums.add(np.add.reduceat(undone_nv.data, undone_nv.indptr[:-1]))
        step = -(-undone_nv.shape[0] // SAMPLED_CELLS)
        self._test_units(undone_nv[::step] if step > 1 else undone_nv)

    def _test_units(self, undone_nv: sparse.csr_array) -> None:
        tested_n, unit_n = units(undone_nv, n_telling=8)
        unit_n = unit_n[~np.isnan(unit_n)]
        self.n_cells_tested += int(tested_n.sum())
        self.n_cells_whole += len(unit_n)
        self.n_units_one += int((np.abs(unit_n - 1) < WHOLE_WITHIN).sum())
        self.n_units_decimal += int((np.abs(unit_n * 1000 - np.rint(unit_n * 1000)) < WHOLE_WITHIN).sum())
        telling_e, whole_e = _telling(undone_nv, divisor=1)
        self.n_values_tested += int(telling_e.sum())
        self.n_values_whole += int(whole_e.sum())

    @property
    def constant(self) -> bool:
        """Whether all cells have the same sum; of one or two cells, whether it is a customary one."""
        if self.sums.n >= 3:
            return self.sums.spread <= CONSTANT_WITHIN
        return any(abs(self.sums.mean / target - 1) < 1e-3 for target in COMMON_TARGETS)

    @property
    def whole_share(self) -> float:
        """Share of the cells tested whose values are whole multiples of a unit."""
        return self.n_cells_whole / max(self.n_cells_tested, 1)

    @property
    def gives_counts(self) -> bool:
        """Whether undoing the scale leads to whole counts."""
        # values printed with few decimals are whole multiples of 0.001 whatever they mean
        printed = 2 * self.n_units_decimal > self.n_cells_whole and 2 * self.n_units_one < self.n_cells_whole
        cells_agree = self.n_cells_tested > 0 and self.whole_share >= 0.9
        # cells with a handful of genes can't be tested one by one; chance makes one value in five whole
        values_agree = self.n_cells_tested == 0 and self.n_values_tested >= 20
        values_agree &= self.n_values_whole >= 0.8 * self.n_values_tested
        return self.possible and (cells_agree or values_agree) and (self.constant or not printed)


def units(cells_nv: sparse.csr_array, *, n_telling: int) -> tuple[NDArray[np.bool_], Floats]:
    """Find the value in each cell that stands for one count.

    It is the smallest value or, where the smallest count is above one, a small fraction of it.

    Parameters
    ----------
    cells_nv
        Values proportional to counts within each cell, ``(n, v)``, no cell empty.
    n_telling
        Values a cell needs, other than its smallest, that are small enough for rounding errors not to matter.

    Returns
    -------
    Which cells could be tested, ``(n,)``; and the unit, ``(n,)``, NaN where there is none or no test.

    Examples
    --------
    >>> units(sparse.csr_array([[0.5, 1.0, 2.5], [0.4, 0.6, 1.0]]), n_telling=2)[1].round(3).tolist()
    [0.5, 0.2]
    """
    n = cells_nv.shape[0]
    tested_n, unit_n = np.zeros(n, dtype=np.bool_), np.full(n, np.nan)
    left = np.arange(n)
    for divisor in range(1, 7):
        if not len(left):
            break
        part_nv = cells_nv if len(left) == n else cells_nv[left]
        starts_n = part_nv.indptr[:-1]
        telling_e, whole_e = _telling(part_nv, divisor=divisor)
        n_telling_n = np.add.reduceat(telling_e, starts_n, dtype=np.intp)
        n_whole_n = np.add.reduceat(whole_e, starts_n, dtype=np.intp)
        enough_n = n_telling_n >= n_telling
        tested_n[left] |= enough_n
        good_n = enough_n & (n_whole_n >= 0.9 * n_telling_n)
        unit_n[left[good_n]] = np.minimum.reduceat(part_nv.data, starts_n)[good_n] / divisor
        left = left[~good_n]
    return tested_n, unit_n


def _telling(cells_nv: sparse.csr_array, *, divisor: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Say which values differ from their cell's smallest and are small, and which of these are whole multiples."""
    smallest_n = np.minimum.reduceat(cells_nv.data, cells_nv.indptr[:-1])
    ratio_e = cells_nv.data * np.repeat(divisor / smallest_n, np.diff(cells_nv.indptr))
    telling_e = (ratio_e > 1.05 * divisor) & (ratio_e <= 30)
    return telling_e, telling_e & (np.abs(ratio_e - np.rint(ratio_e)) < 0.1)


def with_data(like_nv: sparse.csr_array, data_e: NDArray[np.floating]) -> sparse.csr_array:
    """Give a matrix with other values in the same places."""
    return sparse.csr_array((data_e, like_nv.indices, like_nv.indptr), shape=like_nv.shape)
