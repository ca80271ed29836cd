"""Empty droplets: barcodes of a raw matrix that hold a few molecules of the whole sample's soup and no cell.

Real cells differ from each other however few counts they have.  Empty droplets all draw from one profile, so that
their genes vary no more than chance makes them (the idea of EmptyDrops, doi:10.1186/s13059-019-1662-y, asked of all
small barcodes together).  A barcode's smallest value stands for one count, on whatever scale it is.

Axes: ``n`` cells, ``v`` genes of the data set.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from spoticell.biology.scales import SCALES, TINY, with_data

LOW = 100
"""A barcode with at most so many counts may be empty."""
FEWEST, FEWEST_GENES = 100, 5000
"""Low barcodes that are needed to judge them, and genes: of a panel a cell may well have less than 100 counts."""
EVEN, EVEN_BESIDE_CELLS = 1.03, 1.06
"""Variance of low barcodes as a multiple of what chance makes, at most: alone, and where cells of far more counts are
among them.  Whole sets of real cells thinned to 20 counts have 1.01 to 6.4, to 40 counts 1.02 to 10."""

WHOLE = 0.05
"""How near to whole numbers the values of a barcode are on its scale, float32 as they may be."""
ODD = 0.1
"""Barcodes without whole numbers, as a share of those with them, that speak against a scale."""


class Droplets:
    """Sums over the barcodes of few counts.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> profile_v = rng.gamma(0.1, size=6000)
    >>> droplets = Droplets()
    >>> droplets.add(sparse.csr_array(rng.poisson(30 * profile_v / profile_v.sum(), (400, 6000)).astype(float)))
    >>> droplets.n_low, droplets.empty(n_full=400)
    (400, True)
    """

    def __init__(self) -> None:
        self.n_low = self.n_odd = 0
        self._sums_3v: NDArray[np.float64] | None = None
        self._counts = self._squares = 0.0

    def add(self, counts_nv: sparse.csr_array) -> None:
        """Take in the next cells; those of many counts are passed over."""
        total_n = np.asarray(counts_nv.sum(axis=1), dtype=np.float64).ravel()
        low_n = (total_n > 0) & (total_n <= LOW)
        if counts_nv.shape[1] < FEWEST_GENES or not low_n.any():
            return
        low_nv, low_total_n = counts_nv[low_n], total_n[low_n]
        if self._sums_3v is None:
            self._sums_3v = np.zeros((3, counts_nv.shape[1]))
        per_value = (low_nv.data, low_nv.data**2, low_nv.data * np.repeat(low_total_n, np.diff(low_nv.indptr)))
        n_genes = counts_nv.shape[1]
        self._sums_3v += [np.bincount(low_nv.indices, weights=values_e, minlength=n_genes) for values_e in per_value]
        self.n_low += int(low_n.sum())
        self._counts += float(low_total_n.sum())
        self._squares += float((low_total_n**2).sum())

    def empty(self, *, n_full: int) -> bool:
        """Say whether the low barcodes are empty droplets.

        Parameters
        ----------
        n_full
            Barcodes with any count.
        """
        if self._sums_3v is None or self.n_low < FEWEST or self.n_odd > ODD * self.n_low:
            return False
        total_v, square_v, with_depth_v = self._sums_3v
        share_v = total_v / self._counts
        variance_v = square_v - 2 * share_v * with_depth_v + share_v**2 * self._squares
        chance_v = self._counts * share_v * (1 - share_v)
        told_v = total_v >= 20
        if told_v.sum() < 10:
            return False
        beside_cells = self.n_low < 0.99 * n_full
        spread = float(variance_v[told_v].sum() / chance_v[told_v].sum())
        return spread <= (EVEN_BESIDE_CELLS if beside_cells else EVEN)


def add_on_each(droplets_s: Sequence[Droplets], kept_nv: sparse.csr_array) -> None:
    """Take in the next cells on every scale that they may be on.

    Parameters
    ----------
    droplets_s
        One for each of the `SCALES`.
    kept_nv
        Values above their floor, ``(n, v)``, without zeros.
    """
    genes_n = np.diff(kept_nv.indptr)
    few_nv = kept_nv[(genes_n > 0) & (genes_n <= LOW)]
    if not few_nv.nnz or kept_nv.shape[1] < FEWEST_GENES:
        return
    counts_n = np.logical_and.reduceat(few_nv.data == np.rint(few_nv.data), few_nv.indptr[:-1])
    counts_n &= np.minimum.reduceat(few_nv.data, few_nv.indptr[:-1]) == 1
    droplets_s[0].add(few_nv[counts_n])
    other_nv = few_nv[~counts_n]
    if other_nv.nnz:
        for droplets, scale in zip(droplets_s, SCALES, strict=True):
            undone_e = scale.undo(np.minimum(other_nv.data, scale.largest))
            least_n = np.fmax(np.minimum.reduceat(undone_e, other_nv.indptr[:-1]), TINY)
            count_e = undone_e / np.repeat(least_n, np.diff(other_nv.indptr))
            whole_n = np.logical_and.reduceat(np.abs(count_e - np.rint(count_e)) < WHOLE, other_nv.indptr[:-1])
            droplets.n_odd += int((~whole_n).sum())
            droplets.add(with_data(other_nv, np.rint(count_e))[whole_n])
