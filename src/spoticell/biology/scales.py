"""Scales on which people store counts.

A scale is undone value by value, up to a factor for each cell.  Which scale a cell is on, and what one count of it
is, is found in `spoticell.biology.reading`.

Axis: ``e`` stored values of a matrix.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

Floats = NDArray[np.float64]

TINY = 1e-30
"""Nothing smaller is divided by: squares of very small values are zero."""
WHOLE_WITHIN = 0.01
"""A value this near a whole number counts as one."""
CONSTANT_WITHIN = 0.02
"""Sums whose standard deviation is at most this share of their mean count as the same."""

COMMON_TARGETS = (1.0, 1e2, 1e3, 1e4, 1e5, 1e6)
"""What people make cells sum to."""


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
    ASINH = "inverse hyperbolic sine of normalised"
    FREEMAN_TUKEY = "Freeman-Tukey square roots of counts"
    ROUNDED_LOG = "rounded logarithms"
    PER_LENGTH = "RPKM, FPKM or TPM"
    SMOOTHED = "smoothed over cells"
    RANKS = "ranks"
    MASK = "seen or not seen"
    CAPPED = "cut off or quantile-normalised"
    NOISE = "noise"
    NOTHING = "nothing"
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
    largest: float
    """A value above this would stand for more than ten million counts in one gene."""
    undo: Callable[[Floats], Floats]
    """Gives what the values stood for before, up to a factor for each cell."""


def _of_roots(values_e: Floats) -> Floats:
    """Undo ``sqrt(x) + sqrt(x + 1) - 1``."""
    sum_e = values_e + 1
    return ((sum_e * sum_e - 1) / (2 * sum_e)) ** 2


SCALES = (
    Scale(Kind.NORMALISED, np.inf, lambda values_e: values_e),
    Scale(Kind.LOG1P, 16.2, np.expm1),
    Scale(Kind.LOG2, 23.3, lambda values_e: np.expm1(values_e * np.log(2))),
    Scale(Kind.LOG10, 7.0, lambda values_e: np.expm1(values_e * np.log(10))),
    Scale(Kind.SQRT, 3163, np.square),
    Scale(Kind.LOG1P_TWICE, 2.85, lambda values_e: np.expm1(np.expm1(values_e))),
    Scale(Kind.ASINH, 16.9, np.sinh),
    Scale(Kind.FREEMAN_TUKEY, 6325, _of_roots),
)
"""Plain numbers first: of scales that fit equally well the first is taken."""


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


def decimals(values_e: Floats) -> float | None:
    """Give the last decimal that values have, None where they have more than three."""
    return next((unit for unit in (1, 0.1, 0.01, 0.001) if _are_multiples(values_e, unit)), None)


def _are_multiples(values_e: Floats, unit: float) -> bool:
    """Say whether all values are multiples of a number, as far as single precision can tell."""
    ratio_e = values_e[values_e < 1e5 * unit] / unit
    return len(ratio_e) > len(values_e) / 2 and bool((np.abs(ratio_e - np.rint(ratio_e)) < 0.02).all())


def with_data(like_nv: sparse.csr_array, data_e: NDArray[np.floating]) -> sparse.csr_array:
    """Give a matrix with other values in the same places."""
    return sparse.csr_array((data_e, like_nv.indices, like_nv.indptr), shape=like_nv.shape)
