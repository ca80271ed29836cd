"""Making complete cells incomplete: gene panels and shallow sequencing.

A model that has only seen complete cells takes a gene that wasn't measured for one that isn't expressed.
Axes: ``n`` cells, ``g`` genes.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from spoticell.training.config import AugmentConfig

Mask = NDArray[np.bool_]
MOST_COINS = 32
"""Counts up to this are thinned one by one, which is five times as fast as a binomial draw for each."""


def draw_panels(borrowed: Mask, *, config: AugmentConfig, real: Sequence[Mask], rng: np.random.Generator) -> Mask:
    """Draw panels: all genes, another data set's genes, a real panel, or a random one of random size.

    Parameters
    ----------
    borrowed
        As many panels as are wanted, ``(k, g)``, each the genes of some data set.
    config
        Shares and sizes.
    real
        Real panels, each ``(g,)``.
    rng
        Source of randomness.

    Returns
    -------
    Booleans, ``(k, g)``, true where a gene is measured.

    Examples
    --------
    >>> borrowed = np.zeros((2, 5), dtype=np.bool_)
    >>> draw_panels(borrowed, config=AugmentConfig(panels=0), real=[], rng=np.random.default_rng(0)).all()
    np.True_
    """
    return np.stack([_draw_panel(genes, config, real, rng) for genes in borrowed])


def _draw_panel(borrowed_g: Mask, config: AugmentConfig, real: Sequence[Mask], rng: np.random.Generator) -> Mask:
    n_genes = len(borrowed_g)
    if rng.random() >= config.panels:
        return np.ones(n_genes, dtype=np.bool_)
    kind = rng.random()
    if kind < config.borrowed_panels:
        return borrowed_g
    if real and kind < config.borrowed_panels + config.real_panels:
        # some users add genes to a panel
        extra = rng.choice([0.0, 0.0, 0.02])
        return np.asarray(real[int(rng.integers(len(real)))] | (rng.random(n_genes) < extra))
    return np.asarray(rng.random(n_genes) < np.exp(rng.uniform(np.log(config.smallest_panel), 0.0)))


def distort(
    counts_ng: sparse.csr_array, group_n: NDArray[np.integer], *, config: AugmentConfig, rng: np.random.Generator
) -> sparse.csr_array:
    """Give each gene a random factor, the same for all cells of a group, as if each group came from a laboratory.

    Kits, chemistries and pipelines catch one gene better than another.  A network that has met many such differences
    leans on no gene alone, which also helps it with genes that are missing.

    Parameters
    ----------
    counts_ng
        Counts, ``(n, g)``.
    group_n
        Group of each cell, numbered from 0.
    config
        How far genes differ.
    rng
        Source of randomness.

    Returns
    -------
    Counts times factors, no longer whole; the given ones are left as they are.

    Examples
    --------
    >>> cells = sparse.csr_array(np.ones((3, 4)))
    >>> other = distort(cells, np.array([0, 0, 1]), config=AugmentConfig(), rng=np.random.default_rng(0)).toarray()
    >>> (other[0] == other[1]).all(), (other[0] == other[2]).any()
    (np.True_, np.False_)
    """
    if not config.gene_noise:
        return counts_ng
    n_groups, n_genes = int(group_n.max(initial=-1)) + 1, counts_ng.shape[1]
    spread_k = rng.uniform(0.0, config.gene_noise, n_groups).astype(np.float32)
    factor_kg = np.exp(rng.standard_normal((n_groups, n_genes), dtype=np.float32) * spread_k[:, None])
    group_v = np.repeat(group_n, np.diff(counts_ng.indptr))
    # one number for group and gene: numpy takes by it faster than by the pair
    factor_v = factor_kg.reshape(-1).take(group_v * n_genes + counts_ng.indices)
    return sparse.csr_array((counts_ng.data * factor_v, counts_ng.indices, counts_ng.indptr), shape=counts_ng.shape)


def thin(counts_ng: sparse.csr_array, *, config: AugmentConfig, rng: np.random.Generator) -> sparse.csr_array:
    """Keep a random part of the counts of some cells, as if they had been sequenced less.

    Parameters
    ----------
    counts_ng
        Counts, ``(n, g)``; fractions are rounded where a cell is thinned.
    config
        Share of cells and strongest thinning.
    rng
        Source of randomness.

    Returns
    -------
    Thinned counts; the given ones are left as they are.

    Examples
    --------
    >>> cells = sparse.csr_array(np.full((2, 3), 100.0))
    >>> thin(cells, config=AugmentConfig(thinning=1), rng=np.random.default_rng(0)).sum() < 600
    np.True_
    """
    n_cells = counts_ng.shape[0]
    lowest = np.log(config.smallest_depth)
    share_n = np.where(rng.random(n_cells) < config.thinning, np.exp(rng.uniform(lowest, 0.0, n_cells)), 1.0)
    share = np.repeat(share_n, np.diff(counts_ng.indptr))
    touched = share < 1.0
    data = counts_ng.data.copy()
    # counts beyond a million lose nothing by being cut: their cell is deep enough
    whole = np.minimum(np.rint(data[touched]), 1e6).astype(np.int64)
    data[touched] = _keep(whole, share[touched], rng)
    return sparse.csr_array((data, counts_ng.indices, counts_ng.indptr), shape=counts_ng.shape)


def _keep(count_v: NDArray[np.int64], share_v: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.int64]:
    """Draw from binomial distributions; small counts, which most are, by a coin for each of their ones."""
    kept_v = np.zeros_like(count_v)
    large = np.flatnonzero(count_v > MOST_COINS)
    kept_v[large] = rng.binomial(count_v[large], share_v[large])
    small = np.flatnonzero(count_v <= MOST_COINS)
    coins_v = count_v[small]
    share = np.repeat(share_v[small].astype(np.float32), coins_v)
    heads = np.zeros(len(share) + 1, dtype=np.int64)
    np.cumsum(rng.random(len(share), dtype=np.float32) < share, out=heads[1:])
    end_v = np.cumsum(coins_v)
    kept_v[small] = heads[end_v] - heads[end_v - coins_v]
    return kept_v
