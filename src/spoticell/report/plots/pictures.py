"""Pictures on the gene grid: of one cell, and of all cells of a type.

Axes: ``n`` cells, ``g`` the model's genes, ``o`` other cells or types.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from anndata import AnnData
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy import sparse

from spoticell import keys
from spoticell.annotation.result import Annotation
from spoticell.biology.group_genes import MOST_GENES
from spoticell.biology.short_names import short_name
from spoticell.errors import ConfigError
from spoticell.model.bundle import DEFAULT, Bundle, load_bundle
from spoticell.report.map import choose_mapped
from spoticell.report.picture import LEVELS, level_colors, level_picture, most_its_own, strongest
from spoticell.report.pixels import name_points
from spoticell.report.plots.answers import (
    Annotated,
    Model,
    Terms,
    annotated_with,
    broad_terms,
    counts_of,
    find_type,
    is_of,
    most_first,
    object_of,
    stored,
    terms_of,
)
from spoticell.report.plots.canvas import COLUMN, PAGE, new_axes, scale
from spoticell.report.plots.drawn import drawn
from spoticell.report.plots.genes import setting_apart

BACKGROUND = 200
"""Other cells from which the genes named on a picture stand out."""
CELLS = 500
"""Cells of a type that its picture is the mean of, at most."""
SEEN = 0.1
"""Share of a type's cells that must have a gene for its pixel to shine: with a count in one cell each gene would."""
ACROSS = 3
"""Pictures side by side, at most."""


@drawn
def cell_picture(
    data: Annotated | NDArray[np.floating[Any]],
    *,
    cell: str | int = 0,
    model: Model = DEFAULT,
    measured_g: NDArray[np.bool_] | None = None,
    others_og: NDArray[np.float32] | None = None,
    n_named: int = 8,
    key_added: str = keys.KEY_ADDED,
    ax: Axes | None = None,
) -> Axes:
    """Draw a cell on the gene grid, and name the genes that make it stand out from other cells.

    The brightness of a pixel goes with the square root of its gene's counts.  Genes that weren't measured are black.

    Parameters
    ----------
    data
        Annotated cells, or the counts of one cell in the order of the model's genes.
    cell
        Name or position of the cell, where ``data`` has several.
    model
        Whose grid: the model that the cells were annotated with.
    measured_g, others_og
        With plain counts: which genes were measured, and counts of other cells.
    n_named
        Most genes to name.
    key_added
        What the keys in ``data`` start with.
    ax
        Where to draw.

    Raises
    ------
    ConfigError
        If the cells aren't annotated, or not with this model, or there is no such cell.

    Examples
    --------
    >>> import anndata, importlib.resources, spoticell
    >>> cells = importlib.resources.files("spoticell") / "web" / "demo_cells" / "pbmc68k_reduced.h5ad"
    >>> adata = spoticell.annotate(anndata.read_h5ad(cells)[:100].copy()).adata
    >>> spoticell.pl.cell_picture(adata, cell="AAAGCCTGGCTAAC-1").get_title()
    'CD16 mono · AAAGCCTGGCTAAC-1'
    """
    title = ""
    if isinstance(data, AnnData | Annotation):
        adata = object_of(data)
        loaded = annotated_with(adata, model, key_added)
        title, counts_g, measured_g, others_og = _cell_of(adata, cell, loaded, key_added)
    else:
        loaded = model if isinstance(model, Bundle) else load_bundle(model)
        counts_g = np.asarray(data, dtype=np.float32)
    ax = new_axes(ax, width=COLUMN, height=COLUMN)
    own = most_its_own(counts_g, counts_g[None][:0] if others_og is None else others_og, n_named)
    _draw(ax, counts_g, measured_g, own, loaded)
    ax.set_title(title, fontsize="medium")
    return ax


@drawn
def type_picture(
    cells: Annotated,
    cell_type: str,
    *,
    n_named: int = 8,
    model: Model = DEFAULT,
    key_added: str = keys.KEY_ADDED,
    ax: Axes | None = None,
) -> Axes:
    """Draw the mean picture of a type on the gene grid, and name the genes that set it apart from the other types.

    Each cell counts alike, however deep it is; the cells of subtypes are those of the type too.  Genes that fewer than
    a tenth of the cells have stay dark.

    Parameters
    ----------
    cells
        Annotated cells.
    cell_type
        A type by its name, short name or term.
    n_named
        Most genes to name.
    model
        Whose grid: the model that the cells were annotated with.
    key_added
        What the keys in ``cells`` start with.
    ax
        Where to draw.

    Raises
    ------
    ConfigError
        If the cells aren't annotated, or not with this model, or no cell is of this type.

    Examples
    --------
    >>> import anndata, importlib.resources, spoticell
    >>> cells = importlib.resources.files("spoticell") / "web" / "demo_cells" / "pbmc68k_reduced.h5ad"
    >>> adata = spoticell.annotate(anndata.read_h5ad(cells)[:100].copy()).adata
    >>> ax = spoticell.pl.type_picture(adata, "B cells", n_named=3)
    >>> ax.get_title(), "CD79A" in [text.get_text() for text in ax.texts]
    ('B cell · 15 cells', True)
    """
    adata = object_of(cells)
    bundle, terms_n = annotated_with(adata, model, key_added), terms_of(adata, key_added)
    term = find_type(cell_type)
    read = _read(adata, term, terms_n, bundle, key_added)
    ax = new_axes(ax, width=COLUMN, height=COLUMN)
    _draw_type(ax, read, bundle, n_named)
    return ax


@drawn
def type_pictures(
    cells: Annotated,
    *,
    types: Sequence[str] | None = None,
    most: int = 6,
    n_named: int = 5,
    model: Model = DEFAULT,
    key_added: str = keys.KEY_ADDED,
) -> Figure:
    """Draw the mean pictures of several types side by side, see `type_picture`.

    Parameters
    ----------
    cells
        Annotated cells.
    types
        Types by name, short name or term; the commonest broad types if not given.
    most
        How many broad types are drawn at most.
    n_named
        Most genes to name on each.
    model
        Whose grid: the model that the cells were annotated with.
    key_added
        What the keys in ``cells`` start with.

    Raises
    ------
    ConfigError
        If the cells aren't annotated, or not with this model, or there are no cells to draw.

    Examples
    --------
    >>> import anndata, importlib.resources, spoticell
    >>> cells = importlib.resources.files("spoticell") / "web" / "demo_cells" / "pbmc68k_reduced.h5ad"
    >>> adata = spoticell.annotate(anndata.read_h5ad(cells)[:100].copy()).adata
    >>> [ax.get_title() for ax in spoticell.pl.type_pictures(adata, types=["NK", "DC"]).axes]
    ['NK · 4 cells', 'DC · 26 cells']
    """
    adata = object_of(cells)
    bundle, terms_n = annotated_with(adata, model, key_added), terms_of(adata, key_added)
    broad = [term for term in most_first(broad_terms(terms_n)) if term != keys.UNKNOWN][:most]
    shown = broad if types is None else [find_type(name) for name in types]
    if not shown:
        raise ConfigError("there is no type to draw: no cell has an answer, or none is asked for.")
    read = [_read(adata, term, terms_n, bundle, key_added) for term in shown]
    across = min(len(shown), ACROSS)
    rows = -(-len(shown) // across)
    side = PAGE / ACROSS * scale()
    figure, axes = plt.subplots(
        rows, across, figsize=(across * side, rows * 1.08 * side), squeeze=False, layout="constrained"
    )
    for ax in axes.ravel()[len(shown) :]:
        ax.remove()
    for ax, one in zip(axes.ravel(), read, strict=False):
        _draw_type(ax, one, bundle, n_named, lines=22, size=0.8)
    return figure


def _draw(
    ax: Axes,
    counts_g: NDArray[np.float32],
    measured_g: NDArray[np.bool_] | None,
    named: NDArray[np.intp],
    bundle: Bundle,
    *,
    lines: int = 28,
    size: float = 1.0,
) -> None:
    grid = bundle.manifest.grid
    picture_hw = level_picture(counts_g, bundle.pixel_g, measured_g=measured_g, grid=grid)
    ax.imshow(picture_hw, cmap=ListedColormap(level_colors()), vmin=0, vmax=LEVELS - 1, interpolation="nearest")
    ax.set(xticks=[], yticks=[])
    rows, columns = np.divmod(bundle.pixel_g[named], grid)
    symbols = [bundle.vocabulary.symbols[g] for g in named.tolist()]
    name_points(ax, symbols, columns, rows, grid, lines=lines, scale=size * scale())


@dataclass(frozen=True)
class _Type:
    """What is drawn of a type."""

    title: str
    mean_g: NDArray[np.float32]
    measured_g: NDArray[np.bool_]
    genes: list[int]
    """Those that set it apart from the other cells, or without these its strongest."""


def _read(adata: AnnData, term: str, terms_n: Terms, bundle: Bundle, key: str) -> _Type:
    own_n = is_of(terms_n, term)
    if not own_n.any():
        raise ConfigError(f"no cell is called {short_name(term)!r}, so it has no picture.")
    rows = [np.flatnonzero(some_n) for some_n in (own_n, ~own_n)]
    row_o = np.sort(np.concatenate([some[choose_mapped(len(some), size=CELLS)] for some in rows]))
    counts_og, measured_g = counts_of(adata, row_o, bundle, key)
    [genes] = setting_apart(counts_og, np.where(own_n[row_o], 0, -1), 1, bundle.vocabulary)
    mean_g = _mean(counts_og[own_n[row_o]])
    title = f"{short_name(term)} · {int(own_n.sum()):,} cells"
    return _Type(title, mean_g, measured_g, genes or strongest(mean_g, MOST_GENES).tolist())


def _draw_type(ax: Axes, read: _Type, bundle: Bundle, n_named: int, *, lines: int = 28, size: float = 1.0) -> None:
    named = np.array(read.genes[:n_named], dtype=np.intp)
    _draw(ax, read.mean_g, read.measured_g, named, bundle, lines=lines, size=size)
    ax.set_title(read.title, fontsize="medium")


def _mean(counts_og: sparse.csr_array) -> NDArray[np.float32]:
    """Give the mean of cells, each with as many counts as the median has, without genes that next to none has."""
    total_o = np.asarray(counts_og.sum(axis=1), dtype=np.float64)
    weight_o = np.median(total_o) / np.maximum(total_o, 1e-9) / max(len(total_o), 1)
    mean_g = np.asarray(weight_o @ counts_og, dtype=np.float32)
    seen_g = np.asarray((counts_og > 0).sum(axis=0)).ravel() / max(len(total_o), 1)
    return np.where(seen_g >= SEEN, mean_g, 0).astype(np.float32)


def _cell_of(
    adata: AnnData, cell: str | int, bundle: Bundle, key: str
) -> tuple[str, NDArray[np.float32], NDArray[np.bool_], NDArray[np.float32]]:
    """Give title, counts and measured genes of a cell, and counts of some others."""
    position = _position(adata, cell)
    others = np.setdiff1d(choose_mapped(adata.n_obs, size=BACKGROUND), position)
    rows = np.union1d(others, position)
    counts_og, measured_g = counts_of(adata, rows, bundle, key)
    dense_og, own = counts_og.toarray(), rows == position
    title = f"{short_name(str(stored(adata, 'obs', keys.TERM, key).iloc[position]))} · {adata.obs_names[position]}"
    return title, dense_og[own][0], measured_g, dense_og[~own]


def _position(adata: AnnData, cell: str | int) -> int:
    everywhere = np.arange(adata.n_obs)
    found = everywhere[adata.obs_names == cell] if isinstance(cell, str) else everywhere[everywhere == cell]
    if not len(found):
        raise ConfigError(f"there is no cell {cell!r} among the {adata.n_obs:,} cells.")
    return int(found[0])
