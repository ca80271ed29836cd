"""Exact search: every stored fingerprint is compared with every query.

Axes: ``n`` query cells, ``k`` hits of each, ``r`` stored cells, ``d`` fingerprint.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from spoticell.index.hits import Hits, merged, no_hits
from spoticell.index.needs import needed

ROWS = 1 << 16
"""Stored cells that are floats at once."""


def search_exactly(
    vectors_rd: NDArray[Any], query_nd: NDArray[np.float32], *, k: int, keep_n: NDArray[np.bool_] | None = None
) -> Hits:
    """Give the ``k`` stored cells with the largest dot product, only those in ``keep_n`` if it is given."""
    rows = np.arange(len(vectors_rd)) if keep_n is None else np.flatnonzero(keep_n)
    best = no_hits(len(query_nd), k)
    for start in range(0, len(rows), ROWS):
        part = rows[start : start + ROWS]
        block_rd = np.ascontiguousarray(vectors_rd[part], dtype=np.float32)
        found = needed("faiss").knn(query_nd, block_rd, min(k, len(part)), metric=needed("faiss").METRIC_INNER_PRODUCT)
        best = merged([best, Hits(np.where(found[1] < 0, -1, part[found[1]]), found[0])], k)
    return best
