"""Hits: the reference cells nearest to each query cell, nearest first.

Axes: ``n`` query cells, ``k`` hits of each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Hits:
    """What a search found."""

    row_nk: NDArray[np.int64]
    """Position of each hit in the index; -1 where there are fewer than ``k``."""
    similarity_nk: NDArray[np.float32]
    """Cosine of the two fingerprints, falling along ``k``; minus infinity where there is no hit."""


def no_hits(n: int, k: int) -> Hits:
    """Give the outcome of a search that finds nothing."""
    return Hits(np.full((n, k), -1, dtype=np.int64), np.full((n, k), -np.inf, dtype=np.float32))


def merged(parts: Sequence[Hits], k: int) -> Hits:
    """Give the best ``k`` of several searches of different cells for the same queries.

    Among equal similarities the cell that stands earlier in the index comes first.

    Examples
    --------
    >>> one = Hits(np.array([[3, 1]]), np.array([[0.9, 0.5]], dtype=np.float32))
    >>> two = Hits(np.array([[7, -1]]), np.array([[0.8, -np.inf]], dtype=np.float32))
    >>> merged([one, two], 3).row_nk.tolist()
    [[3, 7, 1]]
    """
    row_nk = np.concatenate([part.row_nk for part in parts], axis=1)
    similarity_nk = np.concatenate([part.similarity_nk for part in parts], axis=1)
    similarity_nk = np.where(row_nk < 0, np.float32(-np.inf), similarity_nk)
    order_nk = np.lexsort((row_nk, -similarity_nk), axis=1)[:, :k]
    return Hits(np.take_along_axis(row_nk, order_nk, axis=1), np.take_along_axis(similarity_nk, order_nk, axis=1))
