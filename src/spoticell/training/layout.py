"""The gene grid: one pixel for each gene, learned from co-expression or by a plain rule.

A layout is an array of pixels, one a gene: row times the grid's side plus column, no two alike.
It knows genes only by their order in the vocabulary.  Axes: ``k`` observations (cells), ``g`` genes.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import TruncatedSVD

from spoticell.biology.genes import Vocabulary
from spoticell.errors import ConfigError
from spoticell.io.write import atomic
from spoticell.training.config import NetworkConfig
from spoticell.training.data.labelled import LabelledCells

GRID = 155
"""Side of the gene grid, in pixels."""

Pixels = NDArray[np.intp]


def alphabetical_layout(symbols: Sequence[str], *, grid: int = GRID) -> Pixels:
    """Fill the grid row by row in the order of the gene symbols.

    Parameters
    ----------
    symbols
        Gene symbols, length ``g``.
    grid
        Side of the grid.

    Returns
    -------
    Pixel of each gene, ``(g,)``.

    Raises
    ------
    ConfigError
        If the grid has fewer pixels than there are genes.

    Examples
    --------
    >>> alphabetical_layout(["CD3E", "ACTB", "MS4A1"], grid=2).tolist()
    [1, 0, 2]
    """
    _check_room(len(symbols), grid)
    return _in_order(np.argsort(np.asarray(symbols, dtype=np.str_), kind="stable"))


def chromosomal_layout(n_genes: int, *, grid: int = GRID) -> Pixels:
    """Fill the grid in genomic order (that of the vocabulary), every second row backwards.

    Neighbours on a chromosome are then always neighbours on the grid.

    Parameters
    ----------
    n_genes
        Number of genes ``g``.
    grid
        Side of the grid.

    Returns
    -------
    Pixel of each gene, ``(g,)``.

    Raises
    ------
    ConfigError
        If the grid has fewer pixels than there are genes.

    Examples
    --------
    >>> chromosomal_layout(4, grid=2).tolist()
    [0, 1, 3, 2]
    """
    _check_room(n_genes, grid)
    row, column = np.divmod(np.arange(n_genes), grid)
    return row * grid + np.where(row % 2 == 0, column, grid - 1 - column)


def random_layout(n_genes: int, *, rng: np.random.Generator, grid: int = GRID) -> Pixels:
    """Scatter the genes over the grid: what every other layout has to beat.

    Parameters
    ----------
    n_genes
        Number of genes ``g``.
    rng
        Source of randomness.
    grid
        Side of the grid.

    Returns
    -------
    Pixel of each gene, ``(g,)``.

    Raises
    ------
    ConfigError
        If the grid has fewer pixels than there are genes.

    Examples
    --------
    >>> sorted(random_layout(4, rng=np.random.default_rng(0), grid=2).tolist())
    [0, 1, 2, 3]
    """
    _check_room(n_genes, grid)
    return rng.permutation(grid * grid)[:n_genes].astype(np.intp)


def learned_layout(
    expression_kg: NDArray[np.floating[Any]], *, random_state: int = 0, n_components: int = 32, grid: int = GRID
) -> Pixels:
    """Place genes that vary together next to each other.

    Each gene is a direction in the space of the first principal components of the expression.  The set of genes
    is split at the median along its own main axis, the halves go to the two sides of a rectangle, and so on down to
    single pixels: a balanced version of bisecting clustering (Savaresi & Boley 2004, doi:10.3233/IDA-2004-8403)
    drawn as a map.  Genes that vary in no observation have no direction and are spread evenly.

    Parameters
    ----------
    expression_kg
        Expression of ``g`` genes in ``k`` observations, ``(k, g)``, dense, finite; centre it by data set so that
        laboratories don't look like biology.
    random_state
        Seed of the decomposition; the same input and seed give the same layout.
    n_components
        Principal components to keep; fewer where there are fewer observations.
    grid
        Side of the grid.

    Returns
    -------
    Pixel of each gene, ``(g,)``.

    Raises
    ------
    ConfigError
        If the grid has fewer pixels than there are genes, or there are fewer than two observations.

    Examples
    --------
    >>> together = np.array([[1.0, -1.0, 1.0, -1.0], [2.0, -2.0, 2.0, -2.0]])
    >>> pixels = learned_layout(together, grid=2, n_components=1)
    >>> sorted(pixels[[0, 2]].tolist()) in ([0, 2], [1, 3])
    True
    """
    n_observations, n_genes = expression_kg.shape
    _check_room(n_genes, grid)
    if n_observations < 2:
        raise ConfigError(f"A layout is learned from at least two cells, not {n_observations}.")
    svd = TruncatedSVD(min(n_components, n_observations, n_genes - 1), random_state=random_state)
    svd.fit(expression_kg)
    loadings_gp = svd.components_.T * svd.singular_values_
    length_g = np.linalg.norm(loadings_gp, axis=1, keepdims=True)
    directions_gp = loadings_gp / np.maximum(length_g, 1e-9 * max(float(length_g.max()), 1e-30))
    pixel_g = np.empty(n_genes, dtype=np.intp)
    _split(np.arange(n_genes), directions_gp, (0, grid, 0, grid), grid, pixel_g)
    return pixel_g


def _split(
    genes: NDArray[np.intp],
    directions_gp: NDArray[np.floating[Any]],
    rectangle: tuple[int, int, int, int],
    grid: int,
    pixel_g: Pixels,
) -> None:
    """Place ``genes`` in a rectangle (top, bottom, left, right) by halving both, the longer side first."""
    top, bottom, left, right = rectangle
    if len(genes) == 0:
        return
    if (bottom - top) * (right - left) == 1:
        pixel_g[genes] = top * grid + left
        return
    ordered = genes[np.argsort(_along_main_axis(directions_gp[genes]), kind="stable")]
    if bottom - top > right - left:
        middle = (top + bottom) // 2
        first, second = (top, middle, left, right), (middle, bottom, left, right)
    else:
        middle = (left + right) // 2
        first, second = (top, bottom, left, middle), (top, bottom, middle, right)
    share = _area(first) / (_area(first) + _area(second))
    # rounding may not give a half more genes than it has pixels
    n_first = min(max(round(len(genes) * share), len(genes) - _area(second)), _area(first))
    _split(ordered[:n_first], directions_gp, first, grid, pixel_g)
    _split(ordered[n_first:], directions_gp, second, grid, pixel_g)


def _area(rectangle: tuple[int, int, int, int]) -> int:
    top, bottom, left, right = rectangle
    return (bottom - top) * (right - left)


def _along_main_axis(directions_gp: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
    """Coordinate of each gene along the axis in which they differ most; its sign doesn't depend on the solver."""
    centred_gp = directions_gp - directions_gp.mean(axis=0)
    _, axes_pp = np.linalg.eigh(centred_gp.T @ centred_gp)
    axis_p = axes_pp[:, -1]
    return np.asarray(centred_gp @ (axis_p * np.sign(axis_p[np.abs(axis_p).argmax()])))


def _in_order(order: NDArray[np.intp]) -> Pixels:
    pixel_g = np.empty(len(order), dtype=np.intp)
    pixel_g[order] = np.arange(len(order))
    return pixel_g


def _check_room(n_genes: int, grid: int) -> None:
    if n_genes > grid * grid:
        raise ConfigError(f"A {grid} by {grid} grid has {grid * grid:,} pixels, too few for {n_genes:,} genes.")


LAYOUT = "layout.npy"

LAYOUT_CELLS = 4000
"""Cells that a learned layout looks at."""


def kept_layout(output: Path) -> Pixels | None:
    """Give the layout that a training began with: another number of threads would learn a slightly different one."""
    path = output / LAYOUT
    return np.asarray(np.load(path, allow_pickle=False), dtype=np.intp) if path.exists() else None


def keep_layout(output: Path, pixel_g: Pixels) -> None:
    """Write the layout into the folder of a training."""
    with atomic(output / LAYOUT) as path, path.open("wb") as file:
        np.save(file, pixel_g)


def make_layout(cells: LabelledCells, vocabulary: Vocabulary, config: NetworkConfig, *, random_state: int) -> Pixels:
    """Give the layout that a config asks for; a learned one looks at these cells only."""
    rng = np.random.default_rng(random_state)
    kind = config.layout
    if kind == "alphabetical":
        return alphabetical_layout(vocabulary.symbols)
    if kind == "chromosomal":
        return chromosomal_layout(len(vocabulary))
    if kind == "random":
        return random_layout(len(vocabulary), rng=rng)
    return learned_layout(_centred_expression(cells, rng), random_state=random_state)


def _centred_expression(cells: LabelledCells, rng: np.random.Generator) -> NDArray[np.float32]:
    """Square-root proportions of some cells, each type and data set alike, less the mean of their data set."""
    _, group_n = np.unique(
        np.array([f"{s} {label}" for s, label in zip(cells.dataset_n, cells.label_n, strict=True)]), return_inverse=True
    )
    chance_n = 1.0 / np.bincount(group_n)[group_n]
    size = min(LAYOUT_CELLS, len(cells))
    chosen = np.sort(rng.choice(len(cells), size=size, replace=False, p=chance_n / chance_n.sum()))
    root_kg = np.sqrt(cells.counts_ng[chosen].toarray())
    root_kg /= np.maximum(np.linalg.norm(root_kg, axis=1, keepdims=True), 1e-6)
    for dataset in np.unique(cells.dataset_n[chosen]):
        rows = cells.dataset_n[chosen] == dataset
        root_kg[rows] -= root_kg[rows].mean(axis=0)
    return np.asarray(root_kg, dtype=np.float32)
