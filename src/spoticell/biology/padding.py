"""Padding: genes that a matrix names but that were never measured, as where a panel was spread over all genes.

Of genes that are measured but rare some are seen in a single cell, more of them the more are not seen at all.  Where
most genes are in no cell and hardly any is in one or two only, the others aren't rare: nobody looked for them.

Axes: ``n`` cells, ``v`` genes of the data set.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from spoticell.biology.genes import GeneMatch

FEWEST_CELLS = 20
"""Of fewer cells it can't be said which genes are rare."""
EXPECTED = 0.03
"""Share of the unseen genes that may be rare ones by the estimate of Chao (1984), at most: in 45 sets of real cells and
in 20 to 300 cells of each it is .1 or more wherever most genes are unseen."""
MOST = 2
"""How many genes must be unseen for one that is seen."""


class Seen:
    """In how many cells each gene has a value.

    Parameters
    ----------
    n_genes
        Of the data set.

    Examples
    --------
    >>> seen = Seen(3)
    >>> seen.update(sparse.csr_array(np.array([[1, 0, 2], [0, 0, 3]]))).tolist()
    [1, 0, 2]
    >>> seen.n_cells, seen.times_v.tolist()
    (2, [1, 0, 2])
    """

    def __init__(self, n_genes: int) -> None:
        self.n_cells = 0
        self.times_v = np.zeros(n_genes, dtype=np.int64)

    def update(self, values_nv: sparse.csr_array) -> NDArray[np.int64]:
        """Take in the next cells, and give in how many of them each gene has a value."""
        self.n_cells += values_nv.shape[0]
        times_v: NDArray[np.int64] = np.bincount(values_nv.indices, minlength=len(self.times_v))
        self.times_v += times_v
        return times_v


def without_padding(match: GeneMatch, seen: Seen) -> tuple[GeneMatch, list[str]]:
    """Take genes for not measured that only fill a list up.

    Parameters
    ----------
    match
        Of the genes of a matrix.
    seen
        All of its cells.

    Returns
    -------
    The match without them, and a note if there are any.
    """
    times_v = np.where(match.target_v >= 0, seen.times_v, -1)
    unseen_v = times_v == 0
    once, twice = (int((times_v == times).sum()) for times in (1, 2))
    n_unseen, n_seen = int(unseen_v.sum()), int((times_v > 0).sum())
    rare = once * (once - 1) / (2 * (twice + 1))
    if seen.n_cells < FEWEST_CELLS or n_unseen <= MOST * n_seen or rare > EXPECTED * n_unseen:
        return match, []
    return match.without(unseen_v), [
        f"{n_unseen:,} of {n_unseen + n_seen:,} known genes are in no cell, too many to be rare ones "
        f"({once:,} are in a single cell): they are taken for not measured."
    ]
