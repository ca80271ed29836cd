"""Tallies: what is kept of all cells of a matrix to judge what its values are; memory doesn't grow with cells.

Axes: ``n`` cells, ``v`` genes of the data set, ``s`` scales.
"""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from spoticell.biology.droplets import Droplets, add_on_each
from spoticell.biology.reading import EXACT, NEAR, Reading
from spoticell.biology.scales import SCALES, Moments

DEEP, FLAT = 200, 12
"""A cell with so many genes and no value above the second number hardly ever holds counts: some gene has more."""

MOST_ODD = 10_000
"""Cells without a scale that are remembered one by one."""

MIXED = 0.02
"""Share of the tested cells that makes a scale beside the commonest one credible."""

ROUNDED_TARGETS = (1e4, 1e5, 1e6)

Pattern = tuple[int, ...]
"""How well each scale fits a cell; empty where none was tested, all 0 where none fits."""


class OddCell(NamedTuple):
    """A cell that no scale fits."""

    cell: int
    mean: float
    """Mean of its values, as stored."""
    whole: bool


class Tallies:
    """Sums over all cells that went by."""

    def __init__(self) -> None:
        self.n_cells = 0
        self.n_full = 0
        self.n_values = 0
        self.n_genes = 0
        self.n_floored = 0
        self.largest = 0.0
        self.n_deep = 0
        self.n_deep_flat = 0
        self.patterns: Counter[Pattern] = Counter()
        """Cells of each pattern."""
        self.first_cell: dict[Pattern, int] = {}
        self.n_counted = 0
        """Cells that are counts as they stand."""
        self.multiples: tuple[int, int, float] = (0, -1, 1.0)
        """Cells that are multiples of another number than 1: how many, the first, and its number."""
        self.odd: list[OddCell] = []
        """Cells that no scale fits, the first of them."""
        self.n_odd = self.n_odd_values = 0
        self.unit_s = [Moments() for _ in SCALES]
        """What one count is in the cells that a scale fits exactly, relative to the first such cell."""
        self.unit_of_first_s = [1.0 for _ in SCALES]
        self.n_at_target = dict.fromkeys(ROUNDED_TARGETS, 0)
        self.n_near_target = dict.fromkeys(ROUNDED_TARGETS, 0)
        """Whole cells that sum nearly, not quite, to a customary number; and those that come half as near to it."""
        self.droplets_s = [Droplets() for _ in SCALES]
        self.totals = Moments()
        self.log_totals = Moments()
        self.log_genes = Moments()
        self._log_both = 0.0

    def add(self, kept_nv: sparse.csr_array, floor_n: NDArray[np.float64], reading: Reading) -> None:
        """Take in the next cells, as they were read."""
        self._add_patterns(reading)
        add_on_each(self.droplets_s, kept_nv)
        self._add_odd(kept_nv, np.flatnonzero(reading.odd_n))
        self.n_cells += len(floor_n)
        self.n_genes = kept_nv.shape[1]
        self.n_floored += int((floor_n != 0).sum())
        full_n = reading.full_n
        self.n_full += int(full_n.sum())
        if not full_n.any():
            return
        starts_n, genes_n = kept_nv.indptr[:-1][full_n], np.diff(kept_nv.indptr)[full_n]
        self.n_values += kept_nv.nnz
        largest_n = np.maximum.reduceat(kept_nv.data, starts_n)
        self.largest = max(self.largest, float(largest_n.max()))
        self.n_deep += int((genes_n >= DEEP).sum())
        self.n_deep_flat += int(((genes_n >= DEEP) & (largest_n <= FLAT)).sum())
        total_n = np.maximum(np.add.reduceat(kept_nv.data, starts_n), 1e-300)
        for target in ROUNDED_TARGETS:
            off_n = total_n / target - 1
            self.n_at_target[target] += int(((off_n > -0.02) & (off_n < 0.005) & (total_n != target)).sum())
            self.n_near_target[target] += int(((off_n > -0.07) & (off_n < 0.055)).sum())
        log_genes_n, log_total_n = np.log(genes_n), np.log(total_n)
        self.totals.add(total_n)
        self.log_genes.add(log_genes_n)
        self.log_totals.add(log_total_n)
        self._log_both += float(log_genes_n @ log_total_n)

    def _add_patterns(self, reading: Reading) -> None:
        of_interest_n = reading.full_n
        key_ns = np.where(reading.tested_n[:, None], reading.fit_ns, -1)[of_interest_n]
        places = np.flatnonzero(of_interest_n) + self.n_cells
        found, first, counts = np.unique(key_ns, axis=0, return_index=True, return_counts=True)
        for row, where, count in zip(found, first, counts, strict=True):
            pattern = () if (row < 0).all() else tuple(int(fit) for fit in row)
            self.patterns[pattern] += int(count)
            self.first_cell.setdefault(pattern, int(places[where]))
        unit_n, exact_n = reading.unit_ns[:, 0], reading.fit_ns[:, 0] == EXACT
        counted_n = exact_n & (np.abs(unit_n - 1) < 1e-3)
        self.n_counted += int(counted_n.sum())
        multiples = np.flatnonzero(exact_n & ~counted_n)
        if len(multiples):
            n, first_cell, unit = self.multiples
            if not n:
                first_cell, unit = self.n_cells + int(multiples[0]), float(unit_n[multiples[0]])
            self.multiples = (n + len(multiples), first_cell, unit)
        for position, moments in enumerate(self.unit_s):
            units = reading.unit_ns[reading.fit_ns[:, position] == EXACT, position]
            if len(units) and moments.n == 0:
                self.unit_of_first_s[position] = float(units[0])
            moments.add(units / self.unit_of_first_s[position])

    def _add_odd(self, kept_nv: sparse.csr_array, cells: NDArray[np.intp]) -> None:
        self.n_odd += len(cells)
        self.n_odd_values += int(np.diff(kept_nv.indptr)[cells].sum())
        for cell in cells[: MOST_ODD - len(self.odd)].tolist():
            values_e = kept_nv.data[kept_nv.indptr[cell] : kept_nv.indptr[cell + 1]]
            whole = bool((values_e == np.rint(values_e)).all())
            self.odd.append(OddCell(self.n_cells + cell, float(values_e.mean()), whole))

    @property
    def n_tested(self) -> int:
        """Cells with values enough to say on which scale they are."""
        return sum(count for pattern, count in self.patterns.items() if pattern)

    @property
    def n_fitting_s(self) -> NDArray[np.int64]:
        """Cells that each scale fits, exactly or nearly, ``(s,)``."""
        return self._counted(NEAR)

    @property
    def n_exact_s(self) -> NDArray[np.int64]:
        """Cells that each scale fits exactly, ``(s,)``."""
        return self._counted(EXACT)

    def _counted(self, least: int) -> NDArray[np.int64]:
        n_s = np.zeros(len(SCALES), dtype=np.int64)
        for pattern, count in self.patterns.items():
            if pattern:
                n_s += count * (np.array(pattern) >= least)
        return n_s

    def others(self, position: int) -> dict[int, list[Pattern]]:
        """Give the patterns of cells that one scale doesn't fit and another fits exactly, by the first that does.

        Scales that hardly any cell is on are left out: a few shallow cells among logarithms seem to fit another
        logarithm by chance, and only whole numbers and logarithms are never taken for each other.
        """
        found: dict[int, list[Pattern]] = {}
        for pattern in self.patterns:
            if pattern and not pattern[position] and max(pattern) == EXACT:
                found.setdefault(pattern.index(EXACT), []).append(pattern)
        least = MIXED * self.n_tested
        return {
            scale: patterns
            for scale, patterns in found.items()
            if 0 in {position, scale} or sum(self.patterns[pattern] for pattern in patterns) >= least
        }

    def unit(self, position: int) -> float | None:
        """Give what one count is on a scale if it is the same in all cells that the scale fits exactly."""
        moments = self.unit_s[position]
        return self.unit_of_first_s[position] * moments.mean if moments.n and moments.spread < 1e-3 else None

    @property
    def slope(self) -> float:
        """Growth of a cell's total with its genes, both in logs: near or above 1 for counts, NaN where none varies."""
        n, spread = self.log_genes.n, self.log_genes.deviation**2
        if n < 3 or spread < 1e-9:
            return float("nan")
        return float(self._log_both / n - self.log_genes.mean * self.log_totals.mean) / spread

    @property
    def slope_at_most(self) -> float:
        """Three standard errors above the slope; NaN where there is none."""
        slope, deviation = self.slope, self.log_genes.deviation
        if np.isnan(slope):
            return slope
        unexplained = max(self.log_totals.deviation**2 - (slope * deviation) ** 2, 0.0)
        return slope + 3 * float(np.sqrt(unexplained / (self.log_genes.n - 2))) / deviation
