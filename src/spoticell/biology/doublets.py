"""Doublets made of cells of two types, and whether a cell's counts are more like two types than one.

Two cells in one droplet are read as one.  Made ones show where such droplets lie, as in Scrublet (Wolock et al. 2019,
https://doi.org/10.1016/j.cels.2018.11.005) and scDblFinder (Germain et al. 2021,
https://doi.org/10.12688/f1000research.73600.2).
Axes: ``n`` cells, ``g`` genes, ``v`` genes that are looked at, ``t`` types, ``p`` made doublets, ``k`` mixtures.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

CAUGHT = 0.5
"""Of the counts of two cells at least so many are caught in one droplet."""
SEEN = 5
"""Cells in which a gene is seen, at least, so that it says something."""
SOUP = (0.0, 0.1, 0.25)
"""Shares of the mean cell that one cell may be, as droplets hold what floats about: a soup is no second cell."""
PARTS = (0.3, 0.5, 0.7)
"""Shares of the first of two types."""
PRIOR = 20.0
"""Transformed counts of the mean cell that each type's profile begins with."""


@dataclass(frozen=True)
class MadeDoublets:
    """Doublets that were made of cells of two types."""

    counts_pg: sparse.csr_array
    pair_p: NDArray[np.intp]
    """Place of each one's types among the pairs."""
    pairs: tuple[tuple[int, int], ...]
    """Two types each, the commoner one first."""


def make_doublets(
    counts_ng: sparse.csr_array,
    type_n: NDArray[np.integer],
    apart_tt: NDArray[np.bool_],
    number: int,
    rng: np.random.Generator,
) -> MadeDoublets:
    """Make doublets of cells of two types.

    Half of the pairs of types are drawn as two cells meet, half more evenly, so that rare types are among them.

    Parameters
    ----------
    counts_ng
        Whole counts of cells.
    type_n
        The type of each, from 0; cells of -1 aren't used.
    apart_tt
        Which types exclude each other; some must.
    number
        How many to make.
    rng
        Where chance comes from.

    Examples
    --------
    >>> cells = sparse.csr_array(np.float32([[8, 0], [8, 0], [0, 8]]))
    >>> apart_tt = ~np.eye(2, dtype=bool)
    >>> made = make_doublets(cells, np.array([0, 0, 1]), apart_tt, 50, np.random.default_rng(0))
    >>> made.pairs, bool((made.counts_pg.toarray() > 0).all())
    (((0, 1),), True)
    """
    cells_t = np.bincount(type_n[type_n >= 0], minlength=len(apart_tt))
    order = np.argsort(-cells_t, kind="stable").tolist()
    pairs = [(one, other) for place, one in enumerate(order) for other in order[place + 1 :] if apart_tt[one, other]]
    met = np.array([float(cells_t[one]) * cells_t[other] for one, other in pairs])
    chance = met / met.sum() + np.sqrt(met) / np.sqrt(met).sum()
    pair_p = rng.choice(len(pairs), number, p=chance / 2)
    of_type = [np.flatnonzero(type_n == one) for one in range(len(cells_t))]
    cells_2p = np.array([[rng.choice(of_type[one]) for one in pairs[pair]] for pair in pair_p.tolist()]).T
    made_pg = sparse.csr_array(counts_ng[cells_2p[0]] + counts_ng[cells_2p[1]])
    caught = np.repeat(rng.uniform(CAUGHT, 1, number), np.diff(made_pg.indptr))
    # larger ones, of damaged files, are no whole numbers of 64 bits
    whole = np.minimum(np.rint(made_pg.data), 2.0**53).astype(np.int64)
    made_pg.data = rng.binomial(whole, caught).astype(np.float32)
    made_pg.eliminate_zeros()
    made_pg.sort_indices()
    return MadeDoublets(made_pg, pair_p, tuple(pairs))


class Blends:
    """How much better two types explain a cell's counts than one does.

    Parameters
    ----------
    counts_ng
        Counts of cells whose types are known.
    type_n
        The type of each, from 0.
    apart_tt
        Which types exclude each other: others are no mixture.

    Examples
    --------
    >>> cells = sparse.csr_array(np.float32([[9, 0, 1]] * 6 + [[0, 9, 1]] * 6))
    >>> blends = Blends(cells, np.repeat([0, 1], 6), ~np.eye(2, dtype=bool))
    >>> gain_n = blends(sparse.csr_array(np.float32([[9, 0, 1], [5, 5, 2]])))
    >>> bool(gain_n[0] < 0 < gain_n[1])
    True
    """

    def __init__(self, counts_ng: sparse.csr_array, type_n: NDArray[np.integer], apart_tt: NDArray[np.bool_]) -> None:
        self._gene_v = np.flatnonzero(np.asarray((counts_ng > 0).sum(axis=0)).ravel() >= SEEN)
        of_type = (np.ones(len(type_n)), (type_n, np.arange(len(type_n))))
        gather_tn = sparse.csr_array(of_type, shape=(len(apart_tt), len(type_n)))
        profile_tv = (gather_tn @ _damped(counts_ng[:, self._gene_v])).toarray().astype(np.float64)
        mean_v = profile_tv.sum(axis=0) + 1e-7 * profile_tv.sum()
        mean_v /= mean_v.sum()
        profile_tv = (profile_tv + PRIOR * mean_v) / (profile_tv.sum(axis=1, keepdims=True) + PRIOR)
        ones = [(1 - soup) * profile_v + soup * mean_v for profile_v in profile_tv for soup in SOUP]
        twos = [
            part * profile_tv[one] + (1 - part) * profile_tv[other]
            for one in range(len(apart_tt))
            for other in range(one)
            if apart_tt[one, other]
            for part in PARTS
        ]
        self._n_ones = len(ones)
        self._log_vk = np.log(np.array([*ones, *twos]).reshape(len(ones) + len(twos), len(mean_v))).T.astype(np.float32)

    def __call__(self, counts_ng: sparse.csr_array) -> NDArray[np.float32]:
        """Give for each cell the logarithm of the likelihoods' ratio, over the root of its transformed counts."""
        damped_nv = _damped(counts_ng[:, self._gene_v])
        log_nk = damped_nv @ self._log_vk
        if self._n_ones in (0, log_nk.shape[1]):  # no two types exclude each other
            return np.zeros(log_nk.shape[0], dtype=np.float32)
        gain_n = log_nk[:, self._n_ones :].max(axis=1) - log_nk[:, : self._n_ones].max(axis=1)
        return np.asarray(gain_n / np.sqrt(np.maximum(damped_nv.sum(axis=1), 1)), dtype=np.float32)


def _damped(counts_ng: sparse.csr_array) -> sparse.csr_array:
    """Give logarithms of counts: a gene that one cell has much of is no second cell."""
    return sparse.csr_array((np.log2(1 + counts_ng.data), counts_ng.indices, counts_ng.indptr), shape=counts_ng.shape)
