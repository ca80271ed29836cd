"""Exact search: every stored fingerprint is compared with every query.

Axes: ``n`` query cells, ``k`` hits of each, ``r`` stored cells, ``d`` fingerprint.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from spoticell.index.hits import Hits, merged, no_hits
from spoticell.index.needs import needed

FEW = 100_000
"""If a filter leaves fewer cells of a segment, all of them are compared with the query."""

ROWS = 1 << 16
"""Stored cells that are floats at once."""


def search_exactly(
    query_nd: NDArray[np.float32],
    rows: NDArray[np.int64],
    fetch: Callable[[NDArray[np.int64]], NDArray[np.float32]],
    *,
    k: int,
) -> Hits:
    """Give the ``k`` stored cells with the largest dot product.

    Parameters
    ----------
    query_nd
        The queries.
    rows
        Positions of the stored cells to look at.
    fetch
        Gives the fingerprints at some positions, ``(r, d)``.
    k
        How many.

    Examples
    --------
    >>> stored_rd = np.eye(3, dtype=np.float32)
    >>> hits = search_exactly(stored_rd[:1], np.arange(3), lambda rows: stored_rd[rows], k=1)
    >>> hits.row_nk.tolist(), hits.similarity_nk.tolist()
    ([[0]], [[1.0]])
    """
    faiss = needed("faiss")
    best = no_hits(len(query_nd), k)
    for start in range(0, len(rows), ROWS):
        part = rows[start : start + ROWS]
        similarity_nk, place_nk = faiss.knn(query_nd, fetch(part), min(k, len(part)), metric=faiss.METRIC_INNER_PRODUCT)
        best = merged([best, Hits(np.where(place_nk < 0, -1, part[place_nk]), similarity_nk)], k)
    return best
