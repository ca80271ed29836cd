"""Which cells of a sample are neighbours, and how close.

Axes: ``n`` cells, ``d`` numbers that say where a cell is, ``l`` landmarks, ``k`` neighbours, ``p`` parts.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from spoticell.biology.smallest import Places, smallest

NEIGHBOURS = 15
"""Of each cell."""
SCALE = 7
"""The local scale of a cell is its distance to this neighbour, as in self-tuning clustering."""
LANDMARKS = 10_000
"""Cells among which neighbours are looked for; all cells of a sample that has fewer."""
PART = 250
"""Landmarks in a part, about, where there are many cells: a cell looks in the parts that are nearest."""
NEAR = 3
"""Parts in which each landmark is found."""
ROUNDS = 20
"""Times that the centres of parts are moved."""
BLOCK = 1024
"""Cells that are compared at once."""

Distances: TypeAlias = NDArray[np.float32]
Through: TypeAlias = Callable[[Callable[[Any], None], Iterable[Any]], Iterable[None]]


class Where(Protocol):
    """Where ``n`` cells are: an array, ``(n, d)``, or what works it out for the cells that are asked for."""

    def __len__(self) -> int: ...

    def __getitem__(self, cells: NDArray[np.intp], /) -> NDArray[np.float32]: ...


@dataclass(frozen=True)
class Neighbours:
    """Each cell's nearest landmarks."""

    landmark_l: NDArray[np.intp]
    """Position of each landmark among the cells, rising."""
    index_nk: NDArray[np.int32]
    """Neighbours, as positions among the landmarks; -1 where there is none."""
    closeness_nk: NDArray[np.float32]
    """How close each is, from 0 to 1."""

    def of(self, cells_b: NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
        """Give the neighbours of some cells as positions among the cells, and how close they are: 0 where none is."""
        index_bk, closeness_bk = self.index_nk[cells_b], self.closeness_nk[cells_b]
        return self.landmark_l[np.maximum(index_bk, 0)], np.where(index_bk >= 0, closeness_bk, np.float32(0))

    @classmethod
    def join(cls, n: int, parts: Sequence[tuple[NDArray[np.intp], Neighbours]]) -> Neighbours:
        """Put together the neighbours of parts of ``n`` cells that have none in each other.

        Parameters
        ----------
        n
            Cells in all.
        parts
            Of each part the positions of its cells, and their neighbours; there may be none.
        """
        none = np.zeros(0, dtype=np.intp)
        landmark_l = np.sort(np.concatenate([none, *(cells[found.landmark_l] for cells, found in parts)]))
        width = max((found.index_nk.shape[1] for _, found in parts), default=0)
        index_nk, closeness_nk = np.full((n, width), -1, dtype=np.int32), np.zeros((n, width), dtype=np.float32)
        for cells, found in parts:
            place_l = np.searchsorted(landmark_l, cells[found.landmark_l]).astype(np.int32)
            columns = slice(found.index_nk.shape[1])
            # without neighbours there may be no landmark either
            index = place_l[found.index_nk] if len(place_l) else found.index_nk
            index_nk[cells, columns] = np.where(found.index_nk >= 0, index, -1)
            closeness_nk[cells, columns] = found.closeness_nk
        return cls(landmark_l, index_nk, closeness_nk)


def find_neighbours(place_nd: Where, key_n: NDArray[np.uint64], *, through: Through = map) -> Neighbours:
    """Find each cell's neighbours among the landmarks.

    A neighbour is close if it is near for both cells' local scales (Zelnik-Manor & Perona 2004, Self-tuning spectral
    clustering) and shares neighbours with the cell (Jarvis & Patrick 1973, https://doi.org/10.1109/T-C.1973.223640):
    so cells of a rare type aren't taken for neighbours of the common one beside it.

    Parameters
    ----------
    place_nd
        Where the cells are.
    key_n
        What decides which cells are landmarks if there are many: those with the smallest keys.
    through
        How blocks of cells are gone through: like `map`, in their order, but several at once if that is quicker.

    Examples
    --------
    >>> place_nd = np.float32([[0], [1], [2], [50], [51], [52]])
    >>> found = find_neighbours(place_nd, np.arange(6, dtype=np.uint64))
    >>> sorted(found.index_nk[0, :2].tolist())
    [1, 2]
    """
    landmark_l = np.sort(np.argsort(key_n, kind="stable")[:LANDMARKS])
    by_key_l = np.argsort(key_n[landmark_l], kind="stable")
    index_nk, distance_nk = _nearest(place_nd, landmark_l, by_key_l, through)
    closeness_nk = _near(index_nk, distance_nk, landmark_l) * _shared(index_nk, landmark_l, through)
    return Neighbours(landmark_l, index_nk, closeness_nk.astype(np.float32))


def _nearest(
    place_nd: Where, landmark_l: NDArray[np.intp], by_key_l: NDArray[np.intp], through: Through
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Find the nearest landmarks, the cell itself left out: exactly where all cells are landmarks."""
    n, some = len(place_nd), min(NEIGHBOURS, len(landmark_l) - 1)
    index_nk = np.full((n, max(some, 0)), -1, dtype=np.int32)
    distance_nk = np.zeros(index_nk.shape, dtype=np.float32)
    if some < 1:
        return index_nk, distance_nk
    parts = [(np.arange(n), np.arange(n))] if n == len(landmark_l) else _parts(place_nd, landmark_l, by_key_l)
    place_ld = place_nd[landmark_l]

    def compare(block: tuple[NDArray[np.intp], NDArray[np.intp]]) -> None:
        cells_b, here_l = block
        found_bk, near_bk = _closest(place_nd[cells_b], place_ld[here_l], min(some + 1, len(here_l)))
        # the cell itself is left out, or else the farthest
        other_bk = landmark_l[here_l[near_bk]] != cells_b[:, None]
        other_bk[other_bk.all(axis=1), -1] = False
        columns = slice(near_bk.shape[1] - 1)
        index_nk[cells_b, columns] = here_l[near_bk][other_bk].reshape(len(cells_b), -1)
        distance_nk[cells_b, columns] = found_bk[other_bk].reshape(len(cells_b), -1)

    blocks = [
        (cells[start : start + BLOCK], here_l)
        for cells, here_l in parts
        for start in range(0, len(cells) if len(here_l) else 0, BLOCK)
    ]
    deque(through(compare, blocks), maxlen=0)
    return index_nk, distance_nk


def _parts(
    place_nd: Where, landmark_l: NDArray[np.intp], by_key_l: NDArray[np.intp]
) -> list[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Give the cells of each part, and the landmarks among which their neighbours are looked for."""
    n, place_ld = len(place_nd), place_nd[landmark_l]
    # goes by the landmarks' keys, not by the cells' order
    centre_pd = _centres(place_ld[by_key_l], max(1, len(landmark_l) // PART))
    near_lp = np.argsort(_squares(place_ld, centre_pd), axis=1, kind="stable")[:, :NEAR]
    own_n = np.concatenate(
        [
            _squares(place_nd[cells_b], centre_pd).argmin(axis=1)
            for cells_b in np.split(np.arange(n), range(BLOCK, n, BLOCK))
        ]
    )
    return [(np.flatnonzero(own_n == p), np.flatnonzero((near_lp == p).any(axis=1))) for p in range(len(centre_pd))]


def _centres(place_ld: NDArray[np.float32], parts: int) -> NDArray[np.float32]:
    """Give the centres of so many parts, ``(p, d)``, by Lloyd's algorithm, begun with the first landmarks.

    Done here as scikit-learn takes longer to load than this to run.
    """
    centre_pd, rows = place_ld[:parts], np.arange(len(place_ld) + 1)
    ones = np.ones(len(place_ld), dtype=np.float32)
    for _ in range(ROUNDS):
        own_l = _squares(place_ld, centre_pd).argmin(axis=1)
        sum_pd = sparse.csr_array((ones, own_l, rows), shape=(len(place_ld), parts)).T @ place_ld
        n_p1 = np.bincount(own_l, minlength=parts)[:, None].astype(np.float32)
        # a part that lost all its landmarks stays where it is
        centre_pd = np.divide(sum_pd, n_p1, out=centre_pd.copy(), where=n_p1 > 0)
    return centre_pd


def _closest(place_bd: NDArray[np.float32], place_ld: NDArray[np.float32], k: int) -> tuple[Distances, Places]:
    """Give how far each cell's nearest landmarks are, and which, the nearest first, ``(b, k)`` each."""
    near_bk = smallest(_squares(place_bd, place_ld), k)
    # differences of large squares are no distances of cells that are close
    away_bkd = place_ld.take(near_bk, axis=0)
    away_bkd -= place_bd[:, None]
    distance_bk = np.sqrt(np.einsum("bkd,bkd->bk", away_bkd, away_bkd))
    order_bk = np.argsort(distance_bk, axis=1, kind="stable")
    return np.take_along_axis(distance_bk, order_bk, axis=1), np.take_along_axis(near_bk, order_bk, axis=1)


def _squares(place_nd: NDArray[np.float32], centre_pd: NDArray[np.float32]) -> NDArray[np.float32]:
    squares_np: NDArray[np.float32] = (centre_pd**2).sum(axis=1) - 2 * place_nd @ centre_pd.T
    return squares_np


def _near(
    index_nk: NDArray[np.int32], distance_nk: NDArray[np.float32], landmark_l: NDArray[np.intp]
) -> NDArray[np.float32]:
    """Give how near neighbours are for both cells' local scales."""
    if not index_nk.shape[1]:
        return distance_nk
    scale_n = distance_nk[:, min(SCALE, index_nk.shape[1]) - 1]
    scales_nk = scale_n[:, None] * scale_n[landmark_l][index_nk]
    near_nk: NDArray[np.float32] = np.exp(-(distance_nk**2) / np.maximum(scales_nk, np.float32(1e-9)))
    return np.where(index_nk >= 0, near_nk, np.float32(0))


def _shared(index_nk: NDArray[np.int32], landmark_l: NDArray[np.intp], through: Through) -> Distances:
    """Give which share of the neighbours of a cell and of its neighbour are neighbours of both."""
    # landmarks are few enough for short numbers, of which many are compared at once
    short_nk = index_nk.astype(np.int16)
    of_landmark_lk = short_nk[landmark_l]
    shared_nk = np.zeros(index_nk.shape, dtype=np.float32)
    k = index_nk.shape[1]

    def compare(start: int) -> None:
        rows = slice(start, start + BLOCK)
        own_kb = np.ascontiguousarray(short_nk[rows].T)
        theirs_kkb = np.ascontiguousarray(of_landmark_lk[index_nk[rows]].transpose(2, 1, 0))
        both_kb = np.zeros(own_kb.shape, dtype=np.int16)
        for own_b in own_kb:
            both_kb += np.logical_or.reduce(theirs_kkb == own_b, axis=0)
        shared_nk[rows] = (both_kb / (2 * k - both_kb)).T

    deque(through(compare, range(0, len(index_nk), BLOCK)), maxlen=0)
    return shared_nk
