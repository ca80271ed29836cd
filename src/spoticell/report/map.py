"""Fingerprints on a plane: a map on which cells that look alike lie together.

Axes: ``n`` cells, ``d`` fingerprint, ``l`` landmarks, ``k`` nearest landmarks.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE
from threadpoolctl import threadpool_limits

MAPPED = 2000
"""Most cells that are laid out by t-SNE, whose time grows faster than their number; others are placed by them."""

FEWEST = 10
"""Below so many cells there are no neighbourhoods to keep."""

NEAREST, TOGETHER = 5, 0.05
"""Landmarks beside which a cell is placed, and how far apart on the map they may lie."""

MOST_NOISE = 0.005
"""Standard deviation of the noise at most, as a share of the map's side."""

AT_ONCE = 4096
"""Cells whose distances to all landmarks are held at a time."""


def choose_mapped(n: int, *, size: int = MAPPED, random_state: int = 0) -> NDArray[np.intp]:
    """Give the cells that come on the map: all, or ``size`` at random, rising.

    Examples
    --------
    >>> choose_mapped(3).tolist()
    [0, 1, 2]
    """
    if n <= size:
        return np.arange(n)
    chosen: NDArray[np.intp] = np.random.default_rng(random_state).choice(n, size, replace=False)
    return np.sort(chosen)


def project(fingerprint_nd: NDArray[np.floating], *, random_state: int = 0) -> NDArray[np.float64]:
    """Lay cells out on the unit square so that neighbours stay neighbours (t-SNE from a start by PCA).

    Distances between far groups, sizes of groups and the scales of the two axes mean little.

    Parameters
    ----------
    fingerprint_nd
        Fingerprints, ``(n, d)``, finite; some thousands at most.
    random_state
        Seed; the same fingerprints and seed give the same map.

    Returns
    -------
    Positions, ``(n, 2)``, in [0, 1].

    Examples
    --------
    >>> project(np.eye(3)).shape
    (3, 2)
    """
    varied = len(fingerprint_nd) > 1 and bool(np.ptp(fingerprint_nd, axis=0).max(initial=0) > 1e-6)
    if not varied:
        return np.full((len(fingerprint_nd), 2), 0.5)
    components = min(2, *fingerprint_nd.shape)
    flat_n2 = PCA(components, random_state=random_state).fit_transform(fingerprint_nd.astype(np.float32))
    flat_n2 = np.pad(flat_n2, ((0, 0), (0, 2 - components)))
    if len(flat_n2) < FEWEST:
        return _fit_square(flat_n2)
    # 250 of the steps pull groups together and 100 spread them: twice as many look the same
    tsne = TSNE(
        perplexity=min(30, (len(flat_n2) - 1) / 3),
        max_iter=350,
        angle=0.7,
        init=1e-4 * flat_n2 / flat_n2[:, 0].std(),
        random_state=random_state,
    )
    # steps are so short that threads wait for each other longer than they work, much longer on a busy machine
    with threadpool_limits(1):
        return _fit_square(tsne.fit_transform(fingerprint_nd.astype(np.float32)))


def place_near(
    fingerprint_nd: NDArray[np.floating],
    landmark_ld: NDArray[np.floating],
    position_l2: NDArray[np.floating],
    *,
    random_state: int = 0,
) -> NDArray[np.float64]:
    """Put cells on a map that was laid out for others, each beside the landmarks that it resembles.

    The time grows with the number of cells, not with its square.  A cell goes to the mean of its nearest
    landmarks, the nearer the heavier, but only of those that lie together on the map: a cell between two groups
    joins one of them.  A little noise keeps equal cells apart.

    Parameters
    ----------
    fingerprint_nd
        Fingerprints of the cells to place, ``(n, d)``; may be mapped from disk.
    landmark_ld
        Fingerprints of the landmarks, ``(l, d)``, one at least.
    position_l2
        Where the landmarks are, ``(l, 2)``, from `project`.
    random_state
        Seed of the noise.

    Returns
    -------
    Positions, ``(n, 2)``, in [0, 1].

    Examples
    --------
    >>> place_near(np.eye(2)[[0, 0, 1]], np.eye(2), np.array([[0.2, 0.2], [0.8, 0.8]])).round(1).tolist()
    [[0.2, 0.2], [0.2, 0.2], [0.8, 0.8]]
    """
    rng = np.random.default_rng(random_state)
    landmark_ld, place_l2 = landmark_ld.astype(np.float32), position_l2.astype(np.float64)
    placed_n2 = np.empty((len(fingerprint_nd), 2))
    noise = min(_spacing(place_l2) / 2, MOST_NOISE)
    for start in range(0, len(fingerprint_nd), AT_ONCE):
        part_nd = fingerprint_nd[start : start + AT_ONCE].astype(np.float32)
        middle_n2 = _beside(part_nd, landmark_ld, place_l2)
        placed_n2[start : start + AT_ONCE] = middle_n2 + rng.normal(scale=noise, size=middle_n2.shape)
    return np.clip(placed_n2, 0, 1)


def _beside(
    part_nd: NDArray[np.float32], landmark_ld: NDArray[np.float32], position_l2: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Give the weighted mean of the nearest landmarks of each cell that lie together."""
    # the cell's own length is the same for all its landmarks
    distance_nl = (landmark_ld**2).sum(axis=1) - 2 * (part_nd @ landmark_ld.T)
    k = min(NEAREST, len(landmark_ld))
    near_nk = np.argpartition(distance_nl, k - 1, axis=1)[:, :k]
    beyond_nk = np.take_along_axis(distance_nl, near_nk, axis=1)
    beyond_nk -= beyond_nk.min(axis=1, keepdims=True)
    weight_nk = np.exp(-4 * beyond_nk / np.maximum(beyond_nk.max(axis=1, keepdims=True), 1e-6)).astype(np.float64)
    near_nk2 = position_l2[near_nk]
    nearest_n2 = near_nk2[np.arange(len(part_nd)), beyond_nk.argmin(axis=1)]
    weight_nk[np.linalg.norm(near_nk2 - nearest_n2[:, None], axis=2) > TOGETHER] = 0
    middle_n2: NDArray[np.float64] = (weight_nk[:, :, None] * near_nk2).sum(axis=1) / weight_nk.sum(axis=1)[:, None]
    return middle_n2


def _spacing(position_l2: NDArray[np.float64]) -> float:
    """Give the typical distance from a landmark to the next on the map."""
    if len(position_l2) < 2:
        return 0.0
    distance_l2: NDArray[np.float64] = np.asarray(KDTree(position_l2).query(position_l2, k=2)[0])
    return float(np.median(distance_l2[:, 1]))


def _fit_square(positions_n2: NDArray[np.floating]) -> NDArray[np.float64]:
    low, high = positions_n2.min(axis=0), positions_n2.max(axis=0)
    # an axis along which nothing varies stays in the middle
    extent = np.maximum(high - low, 1e-3 * max(float((high - low).max()), 1e-9))
    fitted: NDArray[np.float64] = ((positions_n2 - (low + high) / 2) / extent + 0.5).astype(np.float64)
    return fitted
