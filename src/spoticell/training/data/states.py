"""States that a cell of any type may be in: programmes of genes that it switches on, whatever it is.

A network that has met a type in one state only takes the state for a mark of the type: monocytes that answer to
interferon then become the rarer kind that always expresses some of its genes.  Axes: ``n`` cells, ``g`` genes.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from functools import lru_cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from spoticell.biology.vocabulary import Vocabulary

LEAST, MOST = 0.002, 0.05
"""Share of a cell's counts that a state adds; even on a log scale."""


@lru_cache(maxsize=4)
def load_states(vocabulary: Vocabulary) -> tuple[NDArray[np.intp], ...]:
    """Give the genes of each packaged state, by their positions in a vocabulary; no state of which it has none."""
    text = files("spoticell").joinpath("data", "cell_states.tsv").read_text(encoding="utf-8")
    genes = [row["genes"].split() for row in csv.DictReader(text.splitlines(), dialect="excel-tab")]
    places = [[vocabulary.exact[name] for name in names if name in vocabulary.exact] for names in genes]
    return tuple(np.array(place, dtype=np.intp) for place in places if place)


def switch_on(
    counts_ng: sparse.csr_array,
    group_n: NDArray[np.integer],
    *,
    states: Sequence[NDArray[np.intp]],
    share: float,
    rng: np.random.Generator,
) -> sparse.csr_array:
    """Put the cells of some groups into a state, as if each group were a sample.

    Parameters
    ----------
    counts_ng
        Counts, ``(n, g)``.
    group_n
        Group of each cell, numbered from 0.
    states
        Genes of each state.
    share
        Share of the groups, in [0, 1].
    rng
        Source of randomness.

    Returns
    -------
    Counts, those of the state's genes added; the given ones are left as they are.

    Examples
    --------
    >>> cells = sparse.csr_array(np.full((2, 4), 1000.0))
    >>> states = [np.array([1, 2])]
    >>> after = switch_on(cells, np.array([0, 1]), states=states, share=1, rng=np.random.default_rng(0)).toarray()
    >>> (after[:, 0] == 1000).all(), (after[:, 1:3] > 1000).any(axis=1).all()
    (np.True_, np.True_)
    """
    chosen_k = np.flatnonzero(rng.random(int(group_n.max(initial=-1)) + 1) < share)
    if not len(states) or not len(chosen_k):
        return counts_ng
    row_parts, gene_parts, count_parts = [], [], []
    for group in chosen_k:
        rows, genes = np.flatnonzero(group_n == group), states[int(rng.integers(len(states)))]
        # laboratories, doses and hours differ in which of the genes answer
        part_g = rng.gamma(0.5, 1.0, len(genes))
        strength = np.exp(rng.uniform(np.log(LEAST), np.log(MOST)))
        total_r = np.asarray(counts_ng[rows].sum(axis=1), dtype=np.float64)
        added_rg = rng.poisson(total_r[:, None] * strength * part_g / max(part_g.sum(), 1e-12))
        row, place = np.nonzero(added_rg)
        row_parts.append(rows[row])
        gene_parts.append(genes[place])
        count_parts.append(added_rg[row, place])
    places = (np.concatenate(row_parts), np.concatenate(gene_parts))
    added_ng = sparse.coo_array((np.concatenate(count_parts), places), shape=counts_ng.shape, dtype=counts_ng.dtype)
    return sparse.csr_array(counts_ng + added_ng.tocsr())
