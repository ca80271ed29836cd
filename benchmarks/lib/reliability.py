"""How far scores are probabilities, and how well they say which answers to trust: pure figures on arrays.

Each cell may have a weight, so that data sets of different sizes count alike.
Axes: ``n`` cells, ``b`` bins, ``r`` repeats.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BINS = 15
"""As in ``spoticell.annotation.figures``."""

Floats = NDArray[np.float64]
Weights = NDArray[np.floating] | None


@dataclass(frozen=True)
class Reliability:
    """Scores and hits in bins of equal mass, lowest scores first."""

    score_b: Floats
    right_b: Floats
    mass_b: Floats
    """Sums to one."""

    @property
    def error(self) -> float:
        """Expected calibration error."""
        return float(self.mass_b @ np.abs(self.score_b - self.right_b))


def reliability(score_n: Floats, right_n: NDArray[np.bool_], weight_n: Weights = None, bins: int = BINS) -> Reliability:
    """Put cells into bins of equal mass by their scores.

    Examples
    --------
    >>> found = reliability(np.array([0.9, 0.5, 0.9, 0.5]), np.array([True, False, True, True]), bins=2)
    >>> found.right_b.tolist(), round(found.error, 3)
    ([0.5, 1.0], 0.05)
    """
    mass_n, bin_n = _binned(score_n, weight_n, bins)
    mass_b = np.bincount(bin_n, mass_n)
    return Reliability(
        np.bincount(bin_n, mass_n * score_n) / mass_b, np.bincount(bin_n, mass_n * right_n) / mass_b, mass_b
    )


def chance_error(
    score_n: Floats, weight_n: Weights = None, *, repeats: int = 200, seed: int = 0, bins: int = BINS
) -> Floats:
    """Give the calibration errors that perfectly calibrated scores of these values show by chance, one a repeat.

    A cell's answer is right with the probability that its score says, and independent of all others; the bins of few
    cells then still differ from their scores.
    """
    mass_n, bin_n = _binned(score_n, weight_n, bins)
    rng = np.random.default_rng(seed)
    gap_rb = np.stack(
        [np.bincount(bin_n, mass_n * ((rng.random(len(score_n)) < score_n) - score_n)) for _ in range(repeats)]
    )
    return np.abs(gap_rb).sum(axis=1)


def brier(score_n: Floats, right_n: NDArray[np.bool_], weight_n: Weights = None) -> float:
    """Give the mean squared distance of scores from hits."""
    return float(np.average((score_n - right_n) ** 2, weights=weight_n))


@dataclass(frozen=True)
class RiskCoverage:
    """What answering only the surest cells gives."""

    coverage_n: Floats
    """Share of the cells that are answered, rising to one."""
    accuracy_n: Floats
    """Share of these whose answer is right."""

    @property
    def area(self) -> float:
        """Mean risk over all coverages (AURC): Geifman & El-Yaniv 2017, arXiv:1705.08500."""
        return float((1 - self.accuracy_n) @ np.diff(self.coverage_n, prepend=0))

    def accuracy_at(self, coverage: float) -> float:
        """Give the accuracy at the smallest coverage that is at least this."""
        return float(self.accuracy_n[min(np.searchsorted(self.coverage_n, coverage - 1e-9), len(self.accuracy_n) - 1)])


def risk_coverage(score_n: Floats, right_n: NDArray[np.bool_], weight_n: Weights = None) -> RiskCoverage:
    """Answer the surest cells first; of cells with one score each is as right as their mean.

    Examples
    --------
    >>> curve = risk_coverage(np.array([0.9, 0.2, 0.2]), np.array([True, True, False]))
    >>> curve.accuracy_n.round(2).tolist(), round(curve.area, 3)
    ([1.0, 0.75, 0.67], 0.194)
    """
    mass_n = _mass(len(score_n), weight_n)
    values, tie_n = np.unique(score_n, return_inverse=True)
    mean_t = np.bincount(tie_n, mass_n * right_n, minlength=len(values)) / np.bincount(tie_n, mass_n)
    order = np.argsort(-score_n, kind="stable")
    coverage_n = np.cumsum(mass_n[order])
    return RiskCoverage(coverage_n, np.cumsum((mass_n * mean_t[tie_n])[order]) / coverage_n)


def _mass(n_cells: int, weight_n: Weights) -> Floats:
    weight_n = np.ones(n_cells) if weight_n is None else weight_n
    return np.asarray(weight_n / weight_n.sum(), dtype=np.float64)


def _binned(score_n: Floats, weight_n: Weights, bins: int) -> tuple[Floats, NDArray[np.intp]]:
    """Give the mass of each cell and its bin; as many bins as there are cells at most, none empty."""
    mass_n = _mass(len(score_n), weight_n)
    order = np.argsort(score_n, kind="stable")
    middle_n = np.cumsum(mass_n[order]) - mass_n[order] / 2
    bin_n = np.empty(len(score_n), dtype=np.intp)
    bin_n[order] = np.unique((middle_n * min(bins, len(score_n))).astype(np.intp), return_inverse=True)[1]
    return mass_n, bin_n
