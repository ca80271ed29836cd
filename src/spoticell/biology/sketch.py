"""A sample's own expression in a few numbers a cell: what sets its cells apart, whatever a network has learned.

Axes: ``n`` cells, ``g`` genes, ``v`` genes that vary, ``k`` numbers of a sketch.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

GENES, NUMBERS = 2000, 30
"""Genes that a sketch looks at, the most variable ones, and numbers that it makes of them."""

FEW = 8
"""So many times the numbers wanted are many to choose from."""


class Sketch:
    """Principal components of the square roots of proportions, found on some cells and applied to all.

    The square root makes the noise of counts alike in all genes, whatever their level (Bartlett 1936,
    https://doi.org/10.2307/2983678), so the genes that vary most are those that differ between cells.

    Parameters
    ----------
    counts_ng
        Counts of some cells, from which the genes and their weights are taken.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> kinds_n = np.repeat([0, 1], 50)
    >>> counts_ng = sparse.csr_array(rng.poisson(np.where(kinds_n[:, None] == np.arange(40) % 2, 5, 1)))
    >>> sketch_nk = Sketch(counts_ng)(counts_ng)
    >>> bool((sketch_nk[kinds_n == 0, 0].max() < 0) != (sketch_nk[kinds_n == 1, 0].max() < 0))
    True
    """

    def __init__(self, counts_ng: sparse.csr_array) -> None:
        scaled_ng = _scaled(counts_ng)
        mean_g = np.asarray(scaled_ng.mean(axis=0)).ravel()
        variance_g = np.asarray(scaled_ng.power(2).mean(axis=0)).ravel() - mean_g**2
        chosen_v = np.sort(np.argsort(-variance_g, kind="stable")[:GENES])
        self._place_g = np.full(counts_ng.shape[1], -1, dtype=np.int32)
        self._place_g[chosen_v] = np.arange(len(chosen_v))
        values_nv = scaled_ng[:, chosen_v].toarray() - mean_g[chosen_v]
        weight_vk = _components(values_nv, max(0, min(NUMBERS, *(side - 1 for side in values_nv.shape))))
        # the mean squared length of a sketch is one
        length = np.sqrt(((values_nv @ weight_vk) ** 2).sum(axis=1).mean()) or 1.0
        self._weight_vk = (weight_vk / length).astype(np.float32)
        self._origin_k = (mean_g[chosen_v] @ self._weight_vk).astype(np.float32)

    def __call__(self, counts_ng: sparse.csr_array) -> NDArray[np.float32]:
        """Give the sketch of each cell, ``(n, k)``; the mean squared length is about one."""
        total_n = counts_ng.sum(axis=1, dtype=np.float64)
        place_e = self._place_g.take(counts_ng.indices)
        kept_e = np.flatnonzero(place_e >= 0)
        ends = np.searchsorted(kept_e, counts_ng.indptr)
        kept = (np.sqrt(counts_ng.data.take(kept_e), dtype=np.float32), place_e.take(kept_e), ends)
        roots_nv = sparse.csr_array(kept, shape=(counts_ng.shape[0], len(self._weight_vk)))
        depth_n = np.sqrt(np.maximum(total_n, 1)).astype(np.float32)
        sketch_nk: NDArray[np.float32] = (roots_nv @ self._weight_vk) / depth_n[:, None] - self._origin_k
        return sketch_nk


def _components(values_nv: NDArray[np.float64], numbers: int) -> NDArray[np.float64]:
    """Give the directions in which the values vary most, ``(v, k)``.

    They are exact: those of a randomised algorithm depend on the order of the cells.
    """
    turned = len(values_nv) < values_nv.shape[1]
    products = values_nv @ values_nv.T if turned else values_nv.T @ values_nv
    if not numbers:
        return np.zeros((values_nv.shape[1], 0))
    direction = _largest(products, numbers)
    if not turned:
        return np.asarray(direction)
    weight_vk = values_nv.T @ direction
    return np.asarray(weight_vk / np.maximum(np.linalg.norm(weight_vk, axis=0), 1e-12))


def _largest(products: NDArray[np.float64], numbers: int) -> NDArray[np.float64]:
    """Give the directions of the largest eigenvalues of a symmetric matrix, the largest first."""
    from scipy.linalg import eigh  # noqa: PLC0415 - slow to load, and checks do without
    from scipy.sparse.linalg import eigsh  # noqa: PLC0415

    side = len(products)
    if side > FEW * numbers:
        # Lanczos' method, to the last digit, from a start that goes by no order; quicker by far for a few of many
        return np.asarray(eigsh(products, numbers, v0=np.diag(products), tol=0)[1][:, ::-1])
    return np.asarray(eigh(products, subset_by_index=(side - numbers, side - 1))[1][:, ::-1])


def _scaled(counts_ng: sparse.csr_array) -> sparse.csr_array:
    """Give the square roots of proportions."""
    values = counts_ng.data.astype(np.float64)
    total_n = np.maximum(counts_ng.sum(axis=1, dtype=np.float64), 1e-12)
    roots = np.sqrt(values / np.repeat(total_n, np.diff(counts_ng.indptr)))
    # a copy, as SciPy may sort the indices in place, and the counts would no longer fit theirs
    return sparse.csr_array((roots, counts_ng.indices, counts_ng.indptr), shape=counts_ng.shape, copy=True)
