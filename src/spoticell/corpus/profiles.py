"""Cells drawn from mean profiles: a way to teach types of which there are profiles but no cells.

A profile is the mean expression of a type.  A drawn cell has a depth, noise from gene to gene and the dropout that
follows from drawing whole counts; part of what all profiles of a tissue share is taken away first, since it is mostly
RNA that leaked from other cells.  Axes: ``r`` profiles, ``n`` cells, ``v`` genes of the table, ``g`` genes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from spoticell.biology.genes import Vocabulary, match_genes
from spoticell.errors import FileFormatError

SMALLEST_TISSUE = 4
"""Profiles that a tissue needs for its background to be known."""
MICROARRAY_BACKGROUND = 5.5
"""Log2 intensity of a probe that sees nothing."""
HIGHEST_LOG = 14.0
"""Natural logarithm above which a value is no expression; e**14 is more than a million."""
LEFT_OVER = 0.05
"""Where less than this share is left after the background, the profile is used as it is."""


@dataclass(frozen=True)
class Profiles:
    """Mean profiles of one source, as proportions."""

    source: str
    names: tuple[str, ...]
    share_rg: NDArray[np.float32]
    """Share of each gene in the expression of the vocabulary's genes; rows sum to 1."""
    background_rg: NDArray[np.float32]
    """Mean of all profiles of the same tissue; zero where too few are known."""
    measured_g: NDArray[np.bool_]


@dataclass(frozen=True)
class Noise:
    """How a drawn cell differs from its profile."""

    depth: float = 2000.0
    """Median counts of a cell."""
    depth_spread: float = 0.7
    """Standard deviation of the logarithm of the depth."""
    gene_spread: float = 0.3
    """Variance of the factor (mean 1) by which each gene differs from cell to cell."""
    most_background: float = 0.9
    """Largest share of the tissue's background that is taken away."""


def read_profiles(
    path: Path, tissues: Mapping[str, str], vocabulary: Vocabulary, *, log_factors: Mapping[str, float] | None = None
) -> Profiles:
    """Read a table of genes by profiles.

    Parameters
    ----------
    path
        CSV, gzipped or not: gene names in the first column, a column for each profile.  Values of a log2 microarray
        (none near zero) are unlogged.
    tissues
        Tissue of each profile, by column name; '' or absent where not known.
    vocabulary
        The genes ``g``.
    log_factors
        For each column that holds logarithms ``factor * ln(1 + x)`` its factor; the others hold ``x`` itself.

    Raises
    ------
    FileFormatError
        If the table holds values that are missing or negative.
    """
    table = pd.read_csv(path, index_col=0)
    values_vr = table.to_numpy(np.float64)
    if not np.isfinite(values_vr).all() or (values_vr < 0).any():
        raise FileFormatError(f"{path.name} holds missing or negative values; mean expression is needed.")
    # counts and proportions have zeros, log2 intensities have none
    if values_vr.min() > 1:
        values_vr = np.maximum(2.0**values_vr - 2.0**MICROARRAY_BACKGROUND, 0.0)
    for column, factor in (log_factors or {}).items():
        place = table.columns.get_loc(column)
        values_vr[:, place] = np.expm1(np.minimum(values_vr[:, place] / factor, HIGHEST_LOG))
    match = match_genes({"gene": table.index.tolist()}, vocabulary)
    known = match.target_v >= 0
    sum_rg = np.zeros((values_vr.shape[1], len(vocabulary)))
    np.add.at(sum_rg.T, match.target_v[known], values_vr[known])
    share_rg = sum_rg / np.maximum(sum_rg.sum(1, keepdims=True), 1e-12)
    tissue_r = np.array([tissues.get(str(column), "") for column in table.columns])
    return Profiles(
        source=path.name.split(".")[0],
        names=tuple(str(column) for column in table.columns),
        share_rg=share_rg.astype(np.float32),
        background_rg=_backgrounds(share_rg, tissue_r).astype(np.float32),
        measured_g=match.measured_g,
    )


def draw_cells(
    profiles: Profiles, row_n: NDArray[np.intp], *, rng: np.random.Generator, noise: Noise
) -> sparse.csr_array:
    """Draw a cell from a profile for each entry of ``row_n``.

    Parameters
    ----------
    profiles
        Where to draw from.
    row_n
        Position of the profile of each cell.
    rng
        Source of randomness.
    noise
        How cells differ from their profile.

    Returns
    -------
    Counts, ``(n, g)``, float32.

    Examples
    --------
    >>> half = np.full((1, 2), 0.5, dtype=np.float32)
    >>> profiles = Profiles("made up", ("a type",), half, np.zeros_like(half), np.ones(2, dtype=np.bool_))
    >>> draw_cells(profiles, np.array([0, 0]), rng=np.random.default_rng(0), noise=Noise(depth=100)).shape
    (2, 2)
    """
    cells = [_draw_cell(profiles.share_rg[row], profiles.background_rg[row], rng, noise) for row in row_n]
    return sparse.csr_array(sparse.vstack(cells, format="csr"))


def _draw_cell(
    share_g: NDArray[np.float32], background_g: NDArray[np.float32], rng: np.random.Generator, noise: Noise
) -> sparse.csr_array:
    cleaned_g = np.maximum(share_g - rng.uniform(0, noise.most_background) * background_g, 0)
    if cleaned_g.sum() < LEFT_OVER:
        cleaned_g = share_g
    genes = np.flatnonzero(cleaned_g)
    weight = cleaned_g[genes] * rng.gamma(1 / noise.gene_spread, noise.gene_spread, len(genes))
    depth = np.exp(rng.normal(np.log(noise.depth), noise.depth_spread))
    counts = rng.poisson(weight / weight.sum() * depth).astype(np.float32)
    seen = counts > 0
    indptr = np.array([0, seen.sum()])
    return sparse.csr_array((counts[seen], genes[seen], indptr), shape=(1, len(share_g)))


def _backgrounds(share_rg: NDArray[np.floating[Any]], tissue_r: NDArray[np.str_]) -> NDArray[np.floating[Any]]:
    background_rg = np.zeros_like(share_rg)
    for tissue in np.unique(tissue_r):
        rows = np.flatnonzero(tissue_r == tissue)
        if tissue and len(rows) >= SMALLEST_TISSUE:
            background_rg[rows] = share_rg[rows].mean(axis=0)
    return background_rg
