"""The binary code of a fingerprint: planes, one a bit, that tell neighbours apart.

A bit says on which side of a plane through the origin a fingerprint lies.  Random planes (Charikar 2002,
doi:10.1145/509907.509965) mostly tell types apart, which are far from each other anyway.  To find the nearest cells of
one type the planes must run between neighbours: each candidate bisects a pair of them, and of many candidates those are
kept that divide the cells evenly and say least of what others have said (the aim of spectral hashing, Weiss et al.
2008).

Axes: ``n`` cells, ``p`` pairs or candidate planes, ``d`` fingerprint, ``b`` bits.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

CANDIDATES = 32
"""Planes that are looked at for each that is kept."""
NEIGHBOURHOOD = 0.06
"""How near a pair is: within this part of all cells, by rank, but not in its nearest tenth..."""
CLOSEST = 0.006
"""...whose differences are mostly noise."""

Floats = NDArray[np.float32]


def fit_planes(fingerprint_nd: Floats, *, bits: int, rng: np.random.Generator) -> Floats:
    """Choose planes by the fingerprints of cells.

    Parameters
    ----------
    fingerprint_nd
        Unit vectors of some thousand cells; of a few cells come random planes.
    bits
        How many planes.
    rng
        Source of randomness.

    Returns
    -------
    Unit normals, ``(b, d)``: bit ``b`` of a fingerprint is set where its product with normal ``b`` is positive.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> cells = rng.normal(size=(500, 8)).astype(np.float32)
    >>> cells /= np.linalg.norm(cells, axis=1, keepdims=True)
    >>> fit_planes(cells, bits=16, rng=rng).shape
    (16, 8)
    """
    candidate_pd = _bisecting(fingerprint_nd, CANDIDATES * bits, rng)
    side_np = np.sign(fingerprint_nd @ candidate_pd.T).astype(np.float32)
    return candidate_pd[_spread(side_np, bits)]


def _bisecting(fingerprint_nd: Floats, n_pairs: int, rng: np.random.Generator) -> Floats:
    """Give the unit normals of planes that run halfway between two neighbours, ``(p, d)``."""
    n = len(fingerprint_nd)
    first_p = rng.integers(0, n, n_pairs)
    # a neighbour by rank, found among all cells
    rank_p = rng.integers(int(CLOSEST * n), max(int(NEIGHBOURHOOD * n), 1) + 1, n_pairs)
    second_p = np.array(
        [
            np.argpartition(-(fingerprint_nd @ fingerprint_nd[first]), min(rank, n - 1))[min(rank, n - 1)]
            for first, rank in zip(first_p.tolist(), rank_p.tolist(), strict=True)
        ]
    )
    normal_pd = fingerprint_nd[first_p] - fingerprint_nd[second_p]
    length_p = np.linalg.norm(normal_pd, axis=1, keepdims=True)
    # cells that are all alike have no plane between them: any will do
    chance_pd = rng.normal(size=normal_pd.shape).astype(np.float32)
    normal_pd = np.where(length_p > 1e-4, normal_pd, chance_pd)
    return np.asarray(normal_pd / np.linalg.norm(normal_pd, axis=1, keepdims=True), dtype=np.float32)


def _spread(side_np: Floats, bits: int) -> NDArray[np.intp]:
    """Choose columns one by one: each as even as can be, and as unlike as can be to all chosen before."""
    uneven_p = np.abs(side_np.mean(axis=0))
    alike_p = np.zeros(side_np.shape[1], dtype=np.float32)
    chosen: list[int] = []
    for _ in range(bits):
        harm_p = alike_p + uneven_p
        harm_p[chosen] = np.inf
        chosen.append(int(harm_p.argmin()))
        alike_p = np.maximum(alike_p, np.abs(side_np.T @ side_np[:, chosen[-1]]) / len(side_np))
    return np.array(chosen)
