"""A sample of the cells that go by, the same in whatever order they come.

Axes: ``n`` cells, ``v`` genes of the data set, ``e`` values that a key is made of.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from spoticell.biology.scales import Floats

MOST_CELLS, MOST_VALUES = 512, 2_000_000
SPARE = 1.5
"""How many times the most may be held for a while."""
KEYED = 16
"""Values from each end of a cell that its key is made of."""
ONE_IN = 16
"""Of so many genes one is looked at for a key, but all are in cells that have few."""
FEW_GENES = 512
_ODD_1, _ODD_2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)


class CellSample:
    """Some cells of a stream of unknown length, those with the smallest keys; memory is bounded.

    Parameters
    ----------
    most_cells, most_values
        The most that is kept.

    Examples
    --------
    >>> sample = CellSample()
    >>> rng = np.random.default_rng(0)
    >>> for start in range(0, 3000, 1000):
    ...     sample.add(sparse.csr_array(rng.random((1000, 2))), np.zeros(1000))
    >>> values_nv, floor_n, place_n = sample.cells()
    >>> values_nv.shape, len(floor_n), bool(np.all(np.diff(place_n) > 0))
    ((512, 2), 512, True)
    """

    def __init__(self, most_cells: int = MOST_CELLS, most_values: int = MOST_VALUES) -> None:
        self._most_cells, self._most_values, self._n_seen = most_cells, most_values, 0
        self._bound, self._n_held, self._n_held_values = np.uint64(np.iinfo(np.uint64).max), 0, 0
        self._parts: list[tuple[NDArray[np.uint64], NDArray[np.int64], sparse.csr_array, Floats]] = []

    def add(self, values_nv: sparse.csr_array, floor_n: Floats) -> None:
        """Take in the next cells and what zero is in each of them; cells without values are passed over."""
        key_n, place_n = cell_keys(values_nv), self._n_seen + np.arange(values_nv.shape[0])
        self._n_seen += values_nv.shape[0]
        chosen = np.flatnonzero((np.diff(values_nv.indptr) > 0) & (key_n <= self._bound))
        chosen = chosen[self._fitting(key_n[chosen], np.diff(values_nv.indptr)[chosen])]
        if len(chosen):
            kept_nv = values_nv[chosen]
            self._parts.append((key_n[chosen], place_n[chosen], kept_nv, floor_n[chosen]))
            self._n_held, self._n_held_values = self._n_held + len(chosen), self._n_held_values + kept_nv.nnz
            # now and then, as every time copies all that is held
            if self._n_held > SPARE * self._most_cells or self._n_held_values > SPARE * self._most_values:
                self._thin()

    def _fitting(self, key_n: NDArray[np.uint64], size_n: NDArray[np.integer]) -> NDArray[np.intp]:
        """Give the places of the cells with the smallest keys, as many as may be kept, in their order."""
        order = np.argsort(key_n, kind="stable")[: self._most_cells]
        few = max(1, int(np.searchsorted(np.cumsum(size_n[order]), self._most_values, side="right")))
        return np.sort(order[:few])

    def _thin(self) -> None:
        key_n = np.concatenate([part[0] for part in self._parts])
        size_n = np.concatenate([np.diff(part[2].indptr) for part in self._parts])
        stay_n = np.zeros(len(key_n), dtype=np.bool_)
        stay_n[self._fitting(key_n, size_n)] = True
        if stay_n.all():
            return
        self._bound = key_n[stay_n].max()
        stays = np.split(stay_n, np.cumsum([len(part[0]) for part in self._parts])[:-1])
        self._parts = [
            (key[stay], place[stay], values_nv[np.flatnonzero(stay)], floor[stay])
            for (key, place, values_nv, floor), stay in zip(self._parts, stays, strict=True)
            if stay.any()
        ]
        self._n_held = sum(len(part[0]) for part in self._parts)
        self._n_held_values = sum(part[2].nnz for part in self._parts)

    def cells(self) -> tuple[sparse.csr_array, Floats, NDArray[np.int64]]:
        """Give the cells that were kept, in the order in which they came: values, what zero is in each, and places."""
        self._thin()
        values_nv = sparse.csr_array(sparse.vstack([part[2] for part in self._parts], format="csr"))
        floor_n, place_n = (
            np.concatenate([part[3] for part in self._parts]),
            np.concatenate([part[1] for part in self._parts]),
        )
        return values_nv, floor_n, place_n


def cell_keys(values_nv: sparse.csr_array) -> NDArray[np.uint64]:
    """Give each cell a number, at random, that depends on its values alone.

    Cells are chosen by it rather than by their place, so that another order of the cells changes nothing.

    Examples
    --------
    >>> values_nv = sparse.csr_array(np.float32([[1, 0, 2], [0, 3, 0]]))
    >>> bool((cell_keys(values_nv) == cell_keys(values_nv[[1, 0]])[::-1]).all())
    True
    """
    starts_n1, ends_n1 = values_nv.indptr[:-1, None].astype(np.int64), values_nv.indptr[1:, None].astype(np.int64)
    step_e = np.arange(KEYED)
    place_ne = np.concatenate([starts_n1 + step_e, ends_n1 - 1 - step_e], axis=1)
    there_ne = (place_ne >= starts_n1) & (place_ne < ends_n1)
    place_ne = np.where(there_ne, place_ne, 0)
    if not values_nv.nnz:
        return np.zeros(values_nv.shape[0], dtype=np.uint64)
    value_ne = values_nv.data[place_ne].astype(np.float64).view(np.uint64)
    gene_ne = values_nv.indices[place_ne].astype(np.uint64)
    mixed_ne = _mixed(value_ne ^ (gene_ne * _ODD_1)) * there_ne.astype(np.uint64)
    key_n: NDArray[np.uint64] = _mixed(
        mixed_ne.sum(axis=1, dtype=np.uint64) + (ends_n1 - starts_n1)[:, 0].astype(np.uint64)
    )
    return key_n


def counts_keys(counts_ng: sparse.csr_array) -> NDArray[np.uint64]:
    """Do the same as `cell_keys` for counts of known genes, whatever the order in which a cell's genes come.

    Examples
    --------
    >>> one = sparse.csr_array(([1.0, 2.0], [64, 3], [0, 2]), shape=(1, 90))
    >>> other = sparse.csr_array(([2.0, 1.0], [3, 64], [0, 2]), shape=(1, 90))
    >>> bool(counts_keys(one) == counts_keys(other))
    True
    """
    n_genes_n = np.diff(counts_ng.indptr)
    looked_at_e = _keyed(counts_ng.shape[1]).take(counts_ng.indices)
    if (small_n := n_genes_n <= FEW_GENES).any():
        looked_at_e |= np.repeat(small_n, n_genes_n)
    chosen_e = np.flatnonzero(looked_at_e)
    value_e = counts_ng.data.take(chosen_e).astype(np.float64).view(np.uint64)
    mixed_e = _mixed(value_e ^ (counts_ng.indices.take(chosen_e).astype(np.uint64) * _ODD_1))
    ends = np.searchsorted(chosen_e, counts_ng.indptr)
    # sums of whole numbers wrap around, so that differences are right whatever was before
    sums = np.concatenate([np.zeros(1, dtype=np.uint64), np.cumsum(mixed_e, dtype=np.uint64)])
    total_n = counts_ng.sum(axis=1, dtype=np.float64)
    of_all_n = n_genes_n.astype(np.uint64) * _ODD_2 + np.asarray(total_n).view(np.uint64)
    return _mixed(sums[ends[1:]] - sums[ends[:-1]] + of_all_n)


@cache
def _keyed(n_genes: int) -> NDArray[np.bool_]:
    """Give one in `ONE_IN` genes, at random."""
    return np.asarray(_mixed(np.arange(n_genes, dtype=np.uint64)) % np.uint64(ONE_IN) == 0)


def _mixed(bits: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Spread bits over all places (the finaliser of SplitMix64, Steele et al. 2014, https://doi.org/10.1145/2714064.2660195)."""
    bits = (bits ^ (bits >> np.uint64(30))) * _ODD_1
    bits = (bits ^ (bits >> np.uint64(27))) * _ODD_2
    return bits ^ (bits >> np.uint64(31))
