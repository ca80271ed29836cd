"""Label weights of cells read together with those of their neighbours.

Axes: ``n`` cells, ``b`` some of them, ``c`` labels, ``k`` neighbours.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

FLOOR = 1e-4
"""A neighbour's smaller weights count as this: no cell alone can rule a type out for those around it."""
MOST_LABELS = 48
"""Labels of a cell, the likeliest, that are kept."""
VOICE = 8.0
"""How much a neighbour counts that is as close as can be, beside the cell itself."""


def likeliest(weight_nc: NDArray[np.floating]) -> sparse.csr_array:
    """Keep of each cell the likeliest labels, as the logarithms of how far their weights are above the floor.

    Examples
    --------
    >>> likeliest(np.float32([[0.5, 0.0, 0.5], [1.0, 0.0, 0.0]])).nnz
    3
    """
    weight_nc = np.asarray(weight_nc, dtype=np.float32)
    kept_nc = weight_nc > FLOOR
    many = np.flatnonzero(kept_nc.sum(axis=1) > MOST_LABELS)
    if len(many):
        least_n1 = np.partition(weight_nc[many], -MOST_LABELS, axis=1)[:, -MOST_LABELS, None]
        kept_nc[many] &= weight_nc[many] >= least_n1
    place_e = np.flatnonzero(kept_nc)
    voice_e = np.log(weight_nc.take(place_e) + np.float32(FLOOR)) - np.float32(np.log(FLOOR))
    label_e = (place_e % max(weight_nc.shape[1], 1)).astype(np.int32)
    ends = np.concatenate([[0], np.cumsum(kept_nc.sum(axis=1))]).astype(np.int32)
    return sparse.csr_array((voice_e, label_e, ends), shape=weight_nc.shape)


def read_together(
    voice_nc: sparse.csr_array,
    spoken_c: NDArray[np.bool_],
    cells_b: NDArray[np.intp],
    index_bk: NDArray[np.intp],
    closeness_bk: NDArray[np.floating],
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Give the label weights of some cells, read together with those of their neighbours.

    They are the weighted geometric mean of the cell's own and its neighbours' weights.  A neighbour counts as much as
    it is close, and as its weights overlap with the cell's: two cells that are sure of different types don't change
    each other.

    Parameters
    ----------
    voice_nc
        What `likeliest` gives of all cells.
    spoken_c
        Which labels some cell has a weight for; the others have none in the end.
    cells_b
        Positions of the cells.
    index_bk
        Positions of their neighbours; those with a closeness of 0 don't count.
    closeness_bk
        How close these are, from 0 to 1.

    Returns
    -------
    Weights, ``(b, c)``, of one in each row, 0 for a cell that has none of its own; and how loud each neighbour is
    beside the cell itself, ``(b, k)``.

    Examples
    --------
    >>> voice_nc = likeliest(np.float32([[0.5, 0.5, 0.0], [0.9, 0.1, 0.0], [0.0, 0.0, 1.0]]))
    >>> weight_bc, voice_bk = read_together(
    ...     voice_nc, np.ones(3, dtype=bool), np.array([0]), np.array([[1, 2]]), np.array([[1.0, 1.0]])
    ... )
    >>> weight_bc.argmax(), bool(weight_bc[0, 0] > 0.8), voice_bk.round().tolist()
    (np.int64(0), True, [[7.0, 0.0]])
    """
    own, theirs_ec = voice_nc[cells_b], voice_nc[index_bk.ravel()]
    own_bc = own.toarray()
    voice_bk = VOICE * closeness_bk * _overlap(theirs_ec, own, index_bk.shape)
    total_b1 = 1 + voice_bk.sum(axis=1, keepdims=True)
    share_e = (voice_bk / total_b1).ravel().astype(np.float32)
    # each row holds the shares of one cell's neighbours, and the products of all cells are never seen
    ends = np.arange(len(cells_b) + 1, dtype=np.int32) * np.int32(index_bk.shape[1])
    gathered = (share_e, np.arange(len(share_e), dtype=np.int32), ends)
    gather_be = sparse.csr_array(gathered, shape=(len(cells_b), len(share_e)))
    mean_bc = (own_bc / total_b1) + (gather_be @ theirs_ec).toarray()
    # the floor is for what neighbours say: a cell that hears none has its own weights
    weight_bc = (np.exp(mean_bc) - 1 / total_b1) * own_bc.any(axis=1, keepdims=True) * spoken_c
    sum_b1 = weight_bc.sum(axis=1, keepdims=True)
    weight_bc = np.divide(weight_bc, sum_b1, out=np.zeros_like(weight_bc), where=sum_b1 > 0)
    return weight_bc.astype(np.float32), voice_bk.astype(np.float32)


def _overlap(theirs_ec: sparse.csr_array, own: sparse.csr_array, shape: tuple[int, int]) -> NDArray[np.float32]:
    """Give how far the weights of cells and their neighbours overlap, ``shape``: their Bhattacharyya coefficient."""
    own_roots = np.sqrt(np.expm1(own.data) * np.float32(FLOOR)), own.indices, own.indptr
    root_bc = sparse.csr_array(own_roots, shape=own.shape).toarray()
    rows_e = np.repeat(np.arange(len(theirs_ec.indptr) - 1) // max(shape[1], 1), np.diff(theirs_ec.indptr))
    own_e = root_bc.ravel().take(rows_e * root_bc.shape[1] + theirs_ec.indices)
    products_e = own_e * np.sqrt(np.expm1(theirs_ec.data) * np.float32(FLOOR))
    sums = np.concatenate([[0], np.cumsum(products_e, dtype=np.float64)])
    overlap_e = sums[theirs_ec.indptr[1:]] - sums[theirs_ec.indptr[:-1]]
    return np.asarray(np.minimum(overlap_e, 1).reshape(shape), dtype=np.float32)
