"""The genes that are shown for a type.

Axes: ``o`` the cells that are read, ``g`` the model's genes, ``k`` types.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from spoticell.biology.group_genes import group_genes, telling
from spoticell.biology.vocabulary import Vocabulary
from spoticell.report.plots.textbook import known_markers

LEAD = 0.1
"""How much more of a type's cells must have a known marker than of others for it to be shown."""
MOST_CELLS = 0.5
"""Share of a type's cells that should have a gene that marks it."""


def setting_apart(
    counts_og: sparse.csr_array, code_o: NDArray[np.intp], types: int, vocabulary: Vocabulary
) -> list[list[int]]:
    """Give the genes that set each type apart from the other cells, those first that fewest of the others have.

    Parameters
    ----------
    counts_og
        Counts.
    code_o
        Place of each cell's type, -1 for none.
    types
        How many types there are.
    vocabulary
        The genes.

    Examples
    --------
    >>> symbols = ("CD3E", "ACTB", "RPL10")
    >>> counts_og = sparse.csr_array(np.repeat([[0, 1, 1], [9, 9, 9]], 20, axis=0).astype(np.float32))
    >>> code_o = np.repeat([-1, 0], 20)
    >>> setting_apart(counts_og, code_o, 1, Vocabulary(symbols, symbols, ("11", "7", "X")))
    [[0]]
    """
    found = []
    for k, genes in enumerate(group_genes(counts_og, code_o, types, among_g=telling(vocabulary))):
        own_o, gene_g = code_o == k, np.array([one.gene for one in genes], dtype=np.intp)
        seen_og = counts_og[:, gene_g] > 0
        lead_g = _share(seen_og, own_o) - _share(seen_og, ~own_o)
        found.append(gene_g[np.argsort(-lead_g, kind="stable")].tolist())
    return found


def telling_apart(
    counts_og: sparse.csr_array,
    code_o: NDArray[np.intp],
    terms: Sequence[str],
    vocabulary: Vocabulary,
    *,
    n_genes: int,
    most: int,
) -> list[int]:
    """Give genes by which readers tell types: known markers that set them apart here, then others that do, each once.

    Parameters
    ----------
    counts_og
        Counts.
    code_o
        Place of each cell's type, -1 for none.
    terms
        The types.
    vocabulary
        The genes.
    n_genes
        How many genes a type has.
    most
        How many there are at most in all; each type has one before any has a second.

    Examples
    --------
    >>> symbols = ("XYZ1", "CD3E", "RPL10")
    >>> counts_og = sparse.csr_array(np.repeat([[0, 0, 1], [9, 9, 9]], 20, axis=0).astype(np.float32))
    >>> vocabulary = Vocabulary(symbols, symbols, ("11", "7", "X"))
    >>> telling_apart(counts_og, np.repeat([-1, 0], 20), ["CL:0000084"], vocabulary, n_genes=2, most=9)
    [1, 0]
    """
    seen_og = counts_og > 0
    own = [code_o == k for k in range(len(terms))]
    others = [code_o == -1] if (code_o == -1).any() else []
    share_tg = np.stack([_share(seen_og, own_o) for own_o in own + others])
    chosen: list[list[int]] = []
    taken: set[int] = set()
    for k, found in enumerate(setting_apart(counts_og, code_o, len(terms), vocabulary)):
        rest_tg = np.delete(share_tg, k, axis=0)
        lead_g = share_tg[k] - (rest_tg.mean(axis=0) if len(rest_tg) else 1)
        known = [vocabulary.by_symbol[symbol] for symbol in known_markers(terms[k]) if symbol in vocabulary.by_symbol]
        known = [gene for gene in known if lead_g[gene] >= LEAD]
        # what half of the cells have marks the type; what few have marks some of its cells
        common = sorted(found, key=lambda gene: share_tg[k, gene] < MOST_CELLS)
        free = [gene for gene in dict.fromkeys([*known, *common]) if gene not in taken][:n_genes]
        taken.update(free)
        chosen.append(free)
    kept = sorted((rank, k) for k, genes in enumerate(chosen) for rank in range(len(genes)))[: max(most, 1)]
    return [chosen[k][rank] for k, rank in sorted((k, rank) for rank, k in kept)]


def _share(seen_og: sparse.csr_array, which_o: NDArray[np.bool_]) -> NDArray[np.float64]:
    return np.asarray(seen_og[which_o].sum(axis=0), dtype=np.float64) / max(int(which_o.sum()), 1)
