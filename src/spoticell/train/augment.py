"""Making complete cells incomplete: gene panels and shallow sequencing.

A model that has only seen complete cells takes a gene that wasn't measured for one that isn't expressed.
Axes: ``n`` cells, ``g`` genes.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from spoticell.train.config import AugmentConfig

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
