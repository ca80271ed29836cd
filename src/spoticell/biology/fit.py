"""The sampled cells of a matrix with one scale undone, and whether they sum to the same.

Axes: ``n`` cells of a sample, ``v`` genes of the data set.
"""

from __future__ import annotations

from dataclasses import dataclass

from scipy import sparse

from spoticell.biology.scales import COMMON_TARGETS, CONSTANT_WITHIN, SCALES, Kind, Moments


@dataclass(frozen=True)
class Fit:
    """The sampled cells with one scale undone."""

    position: int
    possible: bool
    """Whether no value stands for an absurd number of counts."""
    undone_nv: sparse.csr_array
    sums: Moments

    @property
    def kind(self) -> Kind:
        """Kind of a matrix on this scale."""
        return SCALES[self.position].kind

    @property
    def target(self) -> float | None:
        """What all cells sum to; None where they differ or cancel out; of one or two only a customary number counts."""
        if self.sums.n >= 3:
            return self.sums.mean if self.sums.spread <= CONSTANT_WITHIN and self.sums.mean > 0 else None
        customary = any(abs(self.sums.mean / target - 1) < 1e-3 for target in COMMON_TARGETS)
        return self.sums.mean if customary else None

    @property
    def spread(self) -> float:
        """How much the sums differ, for comparing scales: without the digits that chance and the machine decide."""
        return round(self.sums.spread, 5)
