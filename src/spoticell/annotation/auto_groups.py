"""Groups that are found in a sample: its neighbour graph cut into many small communities.

There are rather too many groups than too few: two of one type get the same name, while a group of two types can only
get one that is coarse.
Axes: ``n`` cells, ``l`` landmarks, ``k`` neighbours.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from spoticell.annotation.groups import AUTO, Grouping
from spoticell.biology.neighbours import Neighbours

RESOLUTION = 2.0
"""Of modularity: with 1, which is usual for clustering, rarer cousins share a group more often."""
FEWEST = 3
"""Cells of a group; fewer are in none."""


def auto_groups(neighbours: Neighbours, key_n: NDArray[np.uint64] | None = None) -> Grouping:
    """Find groups of cells that are close to each other.

    The landmarks are parted by the Louvain algorithm (Blondel et al. 2008,
    https://doi.org/10.1088/1742-5468/2008/10/P10008) on how close they are; any other cell goes with its closest
    landmark.  A cell that is close to hardly any is in no group.

    Parameters
    ----------
    neighbours
        Each cell's neighbours.
    key_n
        What tells the cells apart whatever their order, as given to `find_neighbours`.  With it, the same cells in
        another order get the same groups, as long as they have the same neighbours.

    Returns
    -------
    Groups ``1``, ``2`` and so on, the largest first.

    Examples
    --------
    >>> from spoticell.biology.neighbours import find_neighbours
    >>> place_nd = np.repeat([0, 50], 40)[:, None] + np.random.default_rng(0).normal(size=(80, 1))
    >>> found = auto_groups(find_neighbours(np.float32(place_nd), np.arange(80, dtype=np.uint64)))
    >>> bool(set(found.code_n[:40]) & set(found.code_n[40:]))
    False
    """
    landmark_l = neighbours.landmark_l
    key_l = np.arange(len(landmark_l)) if key_n is None else key_n[landmark_l]
    order_l = np.argsort(key_l, kind="stable")
    part_l = np.full(len(landmark_l), -1, dtype=np.intp)
    part_l[order_l] = _parts(_closeness(neighbours)[order_l][:, order_l])
    code_n = _with_closest(neighbours, part_l)
    code_n, groups = _largest_first(code_n, order_l, landmark_l)
    return Grouping(AUTO, code_n, tuple(str(number + 1) for number in range(groups)))


def _closeness(neighbours: Neighbours) -> sparse.csr_array:
    """Give how close landmarks are to each other, ``(l, l)``: the mean of both directions."""
    index_lk = neighbours.index_nk[neighbours.landmark_l]
    close_lk = np.where(index_lk >= 0, neighbours.closeness_nk[neighbours.landmark_l], 0).astype(np.float64)
    size, width = index_lk.shape
    rows = np.repeat(np.arange(size), width)
    one_way = sparse.csr_array((close_lk.ravel(), (rows, np.maximum(index_lk, 0).ravel())), shape=(size, size))
    both = sparse.csr_array((one_way + one_way.T) / 2)
    both.eliminate_zeros()
    return both


def _parts(close: sparse.csr_array) -> NDArray[np.intp]:
    """Part the landmarks; -1 for one that is close to none."""
    from sknetwork.clustering import Louvain  # noqa: PLC0415 - slow to load, and most runs do without

    if not close.nnz:
        return np.full(close.shape[0], -1, dtype=np.intp)
    part_l = Louvain(resolution=RESOLUTION, random_state=0).fit_predict(sparse.csr_matrix(close))
    return np.where(np.diff(close.indptr) > 0, part_l, -1).astype(np.intp)


def _with_closest(neighbours: Neighbours, part_l: NDArray[np.intp]) -> NDArray[np.intp]:
    """Give each cell the part of its closest landmark, and each landmark its own."""
    code_n = np.full(len(neighbours.index_nk), -1, dtype=np.intp)
    if neighbours.index_nk.shape[1]:
        close_nk = np.where(neighbours.index_nk >= 0, neighbours.closeness_nk, 0)
        best_n = close_nk.argmax(axis=1)[:, None]
        near_n = np.take_along_axis(neighbours.index_nk, best_n, axis=1)[:, 0]
        is_close_n = np.take_along_axis(close_nk, best_n, axis=1)[:, 0] > 0
        code_n[is_close_n] = part_l[near_n[is_close_n]]
    code_n[neighbours.landmark_l] = part_l
    return code_n


def _largest_first(
    code_n: NDArray[np.intp], order_l: NDArray[np.intp], landmark_l: NDArray[np.intp]
) -> tuple[NDArray[np.intp], int]:
    """Give groups numbers by size; of two as large the one with the first landmark by key comes first."""
    sizes = np.bincount(code_n[code_n >= 0], minlength=1)
    first = np.full(len(sizes), len(landmark_l))
    member_l = code_n[landmark_l[order_l]]
    np.minimum.at(first, member_l[member_l >= 0], np.flatnonzero(member_l >= 0))
    order = [code for code in np.lexsort((first, -sizes)).tolist() if sizes[code] >= FEWEST]
    rank = np.full(len(sizes) + 1, -1, dtype=np.intp)
    rank[order] = np.arange(len(order))
    return rank[code_n], len(order)
