"""Ratios that tell a logarithm of RPKM or FPKM, whose cells sum to no common number.

Such values are counts times one number for each cell and one for each gene.  Of the genes that two cells have the same
count of, all have one ratio between the cells, to the last digit.  Read as another logarithm they have as many.

Axes: ``n`` cells of a sample, ``v`` genes of the data set, ``g`` genes that two cells share.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from spoticell.biology.fit import Fit
from spoticell.biology.scales import Kind

PAIRS, FEWEST_CELLS = 40, 6
"""Pairs of cells that are looked at, and the cells that are needed."""
WITHIN, AROUND = 3e-6, 1e-2
"""Ratios that differ by no more than this part are the same, which takes six decimals: among large values those of a
wrong logarithm differ by 1e-5.  And the part around them that says how many are the same by chance."""
APART = 0.02
"""Two cells must differ by this part: equal values have a ratio of 1 on any scale."""
FEWEST, TIMES = 8, 10
"""Genes that share a ratio, at least, and how many times as many they are as by chance."""
TOLD, OTHER = 0.5, 0.05
"""Share of pairs from which a logarithm is told, and up to which another isn't: of counts of four laboratories over the
lengths of genes the right one has .6 to 1, and wrong ones have 0."""
SUMS = (2e4, 1e7)
"""What cells of RPKM, FPKM and TPM sum to."""
MAYBE_LOG = (3, 25)
"""Between which the largest value of their logarithms is."""
UNTOLD = (
    " If they are logarithms of RPKM or FPKM, nothing tells which logarithm was taken: give the values from before the "
    "logarithm, or with all their decimals."
)
"""What is said of values that may be such logarithms."""
LOGARITHMS = (Kind.LOG1P, Kind.LOG2, Kind.LOG10)


def told_logarithm(fits: Sequence[Fit]) -> Fit | None:
    """Give the one logarithm on which cells share ratios and sum to what RPKM and FPKM do; None where none is told."""
    logs = [fit for fit in fits if fit.kind in LOGARITHMS]
    shares = [share_ratios(fit.undone_nv) for fit in logs]
    told = [fit for fit, share in zip(logs, shares, strict=True) if share >= TOLD]
    if len(told) != 1 or sum(share > OTHER for share in shares) > 1:
        return None
    return told[0] if SUMS[0] <= told[0].sums.mean <= SUMS[1] else None


def share_ratios(undone_nv: sparse.csr_array) -> float:
    """Give the share of pairs of cells in which many genes have one and the same ratio.

    Parameters
    ----------
    undone_nv
        Values with a scale undone, ``(n, v)``.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> counts_nv = rng.poisson(rng.gamma(0.5, size=900), (20, 900)) * rng.lognormal(size=(20, 1))
    >>> rpkm_nv = counts_nv / rng.lognormal(size=900)
    >>> share_ratios(sparse.csr_array(rpkm_nv)), share_ratios(sparse.csr_array(np.log2(rpkm_nv + 1)))
    (1.0, 0.0)
    """
    n = undone_nv.shape[0]
    if n < FEWEST_CELLS:
        return 0.0
    first = np.unique(np.linspace(0, n - 2, min(PAIRS, n - 1)).astype(np.intp))
    return float(np.mean([_shares_one(_log_ratios(undone_nv, cell, cell + 1)) for cell in first.tolist()]))


def _log_ratios(undone_nv: sparse.csr_array, one: int, other: int) -> NDArray[np.float64]:
    """Give the ratios of two cells in the genes that both have, as logarithms, in order."""
    (genes_1, values_1), (genes_2, values_2) = (
        (undone_nv.indices[rows], undone_nv.data[rows])
        for rows in (slice(undone_nv.indptr[cell], undone_nv.indptr[cell + 1]) for cell in (one, other))
    )
    _, at_1, at_2 = np.intersect1d(genes_1, genes_2, assume_unique=True, return_indices=True)
    ratio_g = np.log(values_1[at_1] / values_2[at_2])
    return np.sort(ratio_g[np.abs(ratio_g) > APART])


def _shares_one(ratio_g: NDArray[np.float64]) -> bool:
    """Say whether many of some ratios in order are the same."""
    same_g = np.searchsorted(ratio_g, ratio_g + WITHIN) - np.arange(len(ratio_g))
    most = int(same_g.argmax()) if len(ratio_g) else 0
    if not len(ratio_g) or same_g[most] < FEWEST:
        return False
    low, high = np.searchsorted(ratio_g, ratio_g[most] + np.array([-AROUND, AROUND]))
    by_chance = (high - low - same_g[most]) * WITHIN / (2 * AROUND)
    return bool(same_g[most] >= TIMES * (by_chance + 0.2))
