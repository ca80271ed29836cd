"""Fingerprints on a plane: a map on which cells that look alike lie together.

Axes: ``n`` cells, ``d`` fingerprint.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE
from threadpoolctl import threadpool_limits

MAPPED = 2000
"""Most cells on a map: more take longer and show no more."""

FEWEST = 10
"""Below so many cells there are no neighbourhoods to keep."""


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


def _fit_square(positions_n2: NDArray[np.floating]) -> NDArray[np.float64]:
    low, high = positions_n2.min(axis=0), positions_n2.max(axis=0)
    # an axis along which nothing varies stays in the middle
    extent = np.maximum(high - low, 1e-3 * max(float((high - low).max()), 1e-9))
    fitted: NDArray[np.float64] = ((positions_n2 - (low + high) / 2) / extent + 0.5).astype(np.float64)
    return fitted
