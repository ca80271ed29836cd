"""The genes that set a group of cells apart from the other cells.

Axes: ``s`` cells, ``g`` genes, ``t`` genes that are tested, ``k`` groups.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from spoticell.biology.vocabulary import Vocabulary

MOST_GENES = 10
"""Of a group."""
FALSE = 0.05
"""Share of the genes of a group that may be there by chance."""
FEWEST = 3
"""Cells that a group needs, and that there must be beside it."""
SEEN = 0.1
"""Share of the cells of some group in which a gene must be seen to be tested."""
BLOCK = 1024
"""Genes that are ranked at once."""
DEPTH = 1e4
"""Counts that each cell is scaled to before logarithms are taken."""
RIBOSOMAL = re.compile(r"RP[LS](?:\d+[AXYL\d]*|A|P\d|SA)(?:-\d+)?|RPSA")
"""Symbols of genes of ribosomal proteins."""


@dataclass(frozen=True)
class GroupGene:
    """A gene that is higher in a group than in the other cells."""

    gene: int
    """Position among the genes."""
    auc: float
    """How often a cell of the group has more of it than another cell, ties half."""
    q: float
    """Share of false genes among those that are at least as clear."""


def telling(vocabulary: Vocabulary) -> NDArray[np.bool_]:
    """Say which genes tell of a type: not those of mitochondria and ribosomes, which follow its state and handling.

    Examples
    --------
    >>> telling(
    ...     Vocabulary(("1", "2", "3", "4"), ("MT-CO1", "RPL10", "RPS6KA1", "CD3E"), ("MT", "X", "1", "11"))
    ... ).tolist()
    [False, False, True, True]
    """
    pairs = zip(vocabulary.symbols, vocabulary.chromosomes, strict=True)
    return np.array([where != "MT" and not RIBOSOMAL.fullmatch(symbol) for symbol, where in pairs], dtype=np.bool_)


def group_genes(
    counts_sg: sparse.csr_array,
    code_s: NDArray[np.integer],
    groups: int,
    *,
    among_g: NDArray[np.bool_] | None = None,
) -> list[tuple[GroupGene, ...]]:
    """Find the genes that set each group apart from all other cells.

    The test is that of Mann and Whitney on log-normalised counts, one-sided, by its normal approximation with ties; its
    p-values are corrected for the number of genes as Benjamini and Hochberg do.  Only genes are tested that a tenth of
    the cells of some group has.

    Parameters
    ----------
    counts_sg
        Counts of some cells; cells without counts don't count.
    code_s
        Group of each cell; -1 for none: such a cell is one of the others.
    groups
        How many groups there are.
    among_g
        Genes that may be given; any if not given.

    Returns
    -------
    Of each group the genes with the largest AUC, largest first; none for a group of which there are too few cells.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> code_s = np.repeat([0, 1], 40)
    >>> counts_sg = sparse.csr_array(rng.poisson(np.where((code_s[:, None] == 1) & (np.arange(9) == 4), 9, 2)))
    >>> [[found.gene for found in genes] for genes in group_genes(counts_sg, code_s, 2)][1]
    [4]
    """
    from scipy.stats import false_discovery_control  # noqa: PLC0415 - slow to load, and most runs do without

    full_s = counts_sg.sum(axis=1) > 0
    counts_sg, code_s = counts_sg[full_s], np.asarray(code_s)[full_s]
    member_ks = code_s == np.arange(groups)[:, None]
    size_k = member_ks.sum(axis=1)
    tested_k = np.flatnonzero((size_k >= FEWEST) & (len(code_s) - size_k >= FEWEST))
    found: list[tuple[GroupGene, ...]] = [()] * groups
    if not len(tested_k):
        return found
    seen_g = _seen(counts_sg, member_ks[tested_k])
    gene_t = np.flatnonzero(seen_g if among_g is None else seen_g & among_g)
    values_st = sparse.csc_array(log_normalised(counts_sg))[:, gene_t]
    auc_kt, p_kt = _mann_whitney(values_st, member_ks[tested_k])
    for k, auc_t, p_t in zip(tested_k.tolist(), auc_kt, p_kt, strict=True):
        q_t = false_discovery_control(p_t) if len(p_t) else p_t
        best_t = [t for t in np.argsort(-auc_t, kind="stable").tolist() if q_t[t] < FALSE and auc_t[t] > 0.5]
        found[k] = tuple(GroupGene(int(gene_t[t]), float(auc_t[t]), float(q_t[t])) for t in best_t[:MOST_GENES])
    return found


def _seen(counts_sg: sparse.csr_array, member_ks: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Say which genes are seen in enough cells of a group."""
    cells_kg = member_ks.astype(np.float32) @ (counts_sg > 0).astype(np.float32)
    enough_g: NDArray[np.bool_] = (cells_kg >= SEEN * member_ks.sum(axis=1)[:, None]).any(axis=0)
    return enough_g


def log_normalised(counts_sg: sparse.csr_array) -> sparse.csr_array:
    """Give the natural logarithm of 1 and counts per 10,000 counts of their cell.

    Examples
    --------
    >>> log_normalised(sparse.csr_array(np.array([[1.0, 0.0, 9999.0]]))).toarray().round(2).tolist()
    [[0.6899999976158142, 0.0, 9.210000038146973]]
    """
    scaled_sg = counts_sg.astype(np.float32)
    total_s = np.maximum(scaled_sg.sum(axis=1, dtype=np.float64), 1e-9)
    scaled_sg.data = np.log1p(scaled_sg.data * np.repeat(DEPTH / total_s, np.diff(scaled_sg.indptr))).astype(np.float32)
    return scaled_sg


def _mann_whitney(
    values_st: sparse.csc_array, member_ks: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give AUC and p-value of each gene in each group.

    It is what ``scipy.stats.mannwhitneyu`` gives with ``alternative="greater"``, but each gene is ranked once, not once
    for each group.
    """
    from scipy.stats import norm, rankdata  # noqa: PLC0415

    cells, genes = values_st.shape
    size_k1 = member_ks.sum(axis=1, dtype=np.float64)[:, None]
    rest_k1 = cells - size_k1
    auc_kt, p_kt = np.empty((len(member_ks), genes)), np.empty((len(member_ks), genes))
    for start in range(0, genes, BLOCK):
        rank_ts = rankdata(values_st[:, start : start + BLOCK].toarray().T, axis=1)
        above_kt = member_ks @ rank_ts.T - size_k1 * (size_k1 + 1) / 2
        # the variance of the ranks themselves is the one that ties leave
        spread_kt = np.sqrt(size_k1 * rest_k1 * rank_ts.var(axis=1, ddof=1) / cells)
        excess_kt = above_kt - size_k1 * rest_k1 / 2 - 0.5
        z_kt = np.divide(excess_kt, spread_kt, out=np.full_like(excess_kt, -np.inf), where=spread_kt > 0)
        auc_kt[:, start : start + BLOCK] = above_kt / (size_k1 * rest_k1)
        p_kt[:, start : start + BLOCK] = norm.sf(z_kt)
    return auc_kt, p_kt
