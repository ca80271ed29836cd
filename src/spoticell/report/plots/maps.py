"""Cells as points on a plane: the map of fingerprints, or any other places that they have."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from numpy.typing import NDArray

from spoticell import keys
from spoticell.annotation.result import Annotation
from spoticell.biology.columns import named_column
from spoticell.biology.palette import score_color
from spoticell.biology.short_names import short_name
from spoticell.errors import ConfigError
from spoticell.report.map import choose_mapped, place_near, project
from spoticell.report.plots.answers import (
    Annotated,
    colors,
    held_colors,
    most_first,
    object_of,
    scores_of,
    stored,
    table_of,
    terms_of,
)
from spoticell.report.plots.canvas import COLUMN, LINE, PALE, bare, legend_beside, legend_room, new_axes, room, scale
from spoticell.report.plots.drawn import drawn
from spoticell.report.plots.order import by_lineage
from spoticell.report.plots.shades import value_colors

LEGEND, PANEL = 24, 16
"""Most values in a legend of a map alone, and of one among several."""
PLANES = {"X_umap": "UMAP", "X_pca": "PCA", "X_tsne": "t-SNE"}
"""What places are called."""
MAP = "map of fingerprints (t-SNE)"
NO_VALUE = "no value"
TYPE, BROAD, SCORE = "type", "broad", "score"

Floats = NDArray[np.floating[Any]]


@drawn
def fingerprint_map(
    data: Annotated | Floats,
    *,
    color: str = TYPE,
    basis: str | None = None,
    types: Iterable[str] | None = None,
    scores: Floats | None = None,
    random_state: int = 0,
    key_added: str = keys.KEY_ADDED,
    ax: Axes | None = None,
) -> Axes:
    """Draw a map on which cells with like fingerprints lie together; or cells where they are.

    All cells are drawn.  Of more than 2,000 cells that many are laid out, and the others are put beside those that they
    resemble.  The legend has the commonest values for which there is room; the others are pale.  Cells that have no
    value lie below in grey.

    Parameters
    ----------
    data
        Annotated cells, or fingerprints, ``(n, d)``.
    color
        What the colours show: ``type``, ``broad`` (type), ``score``, or a column of the table about the cells.
    basis
        With an AnnData object: places in ``obsm`` to draw all cells at instead, such as ``X_umap``.
    types, scores
        With plain fingerprints: Cell Ontology terms or names, and scores, each of length ``n``.
    random_state
        Seed of the layout.
    key_added
        What the keys in ``data`` start with.
    ax
        Where to draw.

    Raises
    ------
    ConfigError
        If the cells aren't annotated, or what ``color`` or ``basis`` asks for is missing.

    Examples
    --------
    >>> ax = fingerprint_map(np.eye(4), types=["T cell", "B cell", "unknown", "B cell"])
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['B cell', 'T cell', 'unknown']
    """
    points, name = _points(data, basis, random_state, key_added)
    most = LEGEND if ax is None else PANEL
    if color in (TYPE, BROAD):
        terms_n = _types(data, types, key_added, broad=color == BROAD)
        ax = _by_type(ax, points, terms_n, colors(data, most_first(terms_n), key_added), most)
    elif color == SCORE:
        ax = _shade(_axes(ax, 0), points, _scores(data, scores, key_added), "score", bounds=(0, 1))
    elif isinstance(data, AnnData | Annotation):
        ax = _by_column(ax, points, data, color, most)
    else:
        raise ConfigError(f"colours can't show {color!r} of plain fingerprints; give an AnnData object that has it.")
    ax.set(xticks=[], yticks=[], xlabel=name)
    ax.set_aspect("equal", adjustable="datalim")
    bare(ax)
    return ax


@drawn
def umap(
    cells: Annotated,
    color: str | Sequence[str] = (TYPE, SCORE),
    *,
    basis: str = "X_umap",
    columns: int = 2,
    key_added: str = keys.KEY_ADDED,
) -> Figure:
    """Draw cells where they are on a UMAP, in a panel for each colour; no legend covers the next panel.

    Parameters
    ----------
    cells
        Annotated cells with places.
    color
        What the colours show, one or several: ``type``, ``broad``, ``score``, or a column of the table about the cells.
    basis
        The places, in ``obsm``.
    columns
        Panels side by side.
    key_added
        What the keys in ``cells`` start with.

    Raises
    ------
    ConfigError
        If the cells aren't annotated, or what ``color`` or ``basis`` asks for is missing.

    Examples
    --------
    >>> import anndata, importlib.resources, spoticell
    >>> cells = importlib.resources.files("spoticell") / "web" / "demo_cells" / "pbmc68k_reduced.h5ad"
    >>> adata = spoticell.annotate(anndata.read_h5ad(cells)[:100].copy()).adata
    >>> adata.obsm["X_umap"] = adata.obsm["X_spoticell"][:, :2]  # for want of a better one
    >>> [ax.get_title() for ax in spoticell.pl.umap(adata, ["broad", "bulk_labels"]).axes]
    ['broad', 'bulk_labels']
    """
    adata = object_of(cells)
    shown = [color] if isinstance(color, str) else list(color) if isinstance(color, Iterable) else []
    if not shown or not isinstance(columns, int) or columns < 1:
        raise ConfigError("there is no panel to draw: name what to colour by, and a number of columns from 1 on.")
    across = min(len(shown), columns)
    rows = -(-len(shown) // across)
    size = (across * COLUMN * scale(), rows * 0.7 * COLUMN * scale())
    figure, axes = plt.subplots(rows, across, figsize=size, squeeze=False, layout="constrained")
    for ax in axes.ravel()[len(shown) :]:
        ax.remove()
    for ax, one in zip(axes.ravel(), shown, strict=False):
        fingerprint_map(adata, color=one, basis=basis, key_added=key_added, ax=ax).set_title(one, fontsize="medium")
    return figure


@dataclass(frozen=True)
class _Points:
    """Cells on a plane."""

    place_p2: Floats
    cell_p: NDArray[np.intp]
    """Which cell each point is."""

    def size(self, ax: Axes) -> float:
        """Give that of a point: the more there are and the smaller the map, the smaller."""
        small = min(1.0, min(room(ax)) / (0.7 * COLUMN))
        return float(np.clip(2500 / np.sqrt(len(self.cell_p) + 1), 6, 60)) / 5 * (small * scale()) ** 2


def _axes(ax: Axes | None, named: int) -> Axes:
    """Give axes beside which so many values can be named."""
    return new_axes(ax, height=max(0.7 * COLUMN, LINE * min(named, LEGEND) + 0.6))


def _points(data: Annotated | Floats, basis: str | None, random_state: int, key: str) -> tuple[_Points, str]:
    """Give the points, and what the plane is called."""
    if basis is not None:
        if not isinstance(data, AnnData) or basis not in data.obsm:
            there = ", ".join(map(repr, data.obsm)) if isinstance(data, AnnData) else ""
            raise ConfigError(
                f"there is no obsm[{basis!r}] to draw cells at; there are: {there or 'none'}. scanpy makes a UMAP: "
                "sc.pp.neighbors(adata, use_rep='X_spoticell'), then sc.tl.umap(adata)."
            )
        place_n2 = np.asarray(data.obsm[basis], dtype=np.float64)[:, :2]
        if place_n2.shape[1] < 2:
            raise ConfigError(f"obsm[{basis!r}] has one dimension, and a map needs two.")
        return _Points(place_n2, np.arange(len(place_n2))), PLANES.get(basis, basis.removeprefix("X_"))
    if isinstance(data, Annotation):
        fingerprint_nd, among = np.asarray(data.fingerprint_sd), data.sample_s
    else:
        held = stored(data, "obsm", keys.FINGERPRINT, key) if isinstance(data, AnnData) else data
        fingerprint_nd, among = np.asarray(held), np.arange(len(held))
    chosen = choose_mapped(len(fingerprint_nd), random_state=random_state)
    laid_l2 = project(fingerprint_nd[chosen], random_state=random_state)
    if len(chosen) == len(fingerprint_nd):
        return _Points(laid_l2, among), MAP
    place_p2 = place_near(fingerprint_nd, fingerprint_nd[chosen], laid_l2, random_state=random_state)
    place_p2[chosen] = laid_l2
    return _Points(place_p2, among), MAP


def _types(data: Annotated | Floats, types: Iterable[str] | None, key: str, *, broad: bool) -> NDArray[np.object_]:
    cells = data if isinstance(data, AnnData | Annotation) else _given(types, "types")
    return terms_of(cells, key, level="broad" if broad else "fine")


def _scores(data: Annotated | Floats, scores: Floats | None, key: str) -> Floats:
    if isinstance(data, AnnData | Annotation):
        return scores_of(data, key)
    return np.asarray(_given(scores, "scores"))


def _given(values: Any, name: str) -> Any:  # noqa: ANN401 - whatever was handed in
    if values is None:
        raise ConfigError(f"{name} must be given along with plain fingerprints.")
    return values


def _by_type(
    ax: Axes | None, points: _Points, terms_n: NDArray[np.object_], shades: Mapping[str, str], most: int
) -> Axes:
    shown = most_first(terms_n[points.cell_p])
    ax = _axes(ax, len(shown))
    cells_of = {term: int((terms_n == term).sum()) for term in shown}
    named = {term: (short_name(term), shades[term]) for term in shown}
    _scatter(ax, points, terms_n, named, order=by_lineage(cells_of), most=most)
    return ax


def _by_column(ax: Axes | None, points: _Points, data: Annotated, column: str, most: int) -> Axes:
    table = table_of(data)
    values = table[named_column(table, column, name="the table about the cells")]
    if pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values):
        return _shade(_axes(ax, 0), points, values.to_numpy(dtype=np.float64, na_value=np.nan), column)
    missing_n = values.isna().to_numpy()
    words_n = np.where(missing_n, "", values.astype(object).where(~missing_n, "").astype(str)).astype(object)
    shown = [word for word in most_first(words_n[points.cell_p]) if word]
    shades = value_colors(shown, held_colors(data, column) if isinstance(data, AnnData) else {})
    ax = _axes(ax, len(shown))
    _scatter(ax, points, words_n, {word: (word, shades[word]) for word in shown}, order=shown, most=most)
    return ax


def _shade(ax: Axes, points: _Points, value_n: Floats, name: str, *, bounds: tuple[float, float] | None = None) -> Axes:
    """Colour cells by a number, the highest below: there are most of them, and what is low is looked for."""
    ramp = ListedColormap([score_color(step) for step in np.linspace(0, 1, 64).tolist()])
    value_p = value_n[points.cell_p]
    order = np.argsort(-value_p, kind="stable")
    x, y = points.place_p2[order].T
    low, high = bounds or (None, None)
    drawn = ax.scatter(x, y, c=value_p[order], s=points.size(ax), cmap=ramp, vmin=low, vmax=high, linewidths=0)
    drawn.set_rasterized(True)
    bar = ax.figure.colorbar(drawn, ax=ax, shrink=0.6)
    bar.set_label(name, fontsize="small")
    bar.ax.tick_params(labelsize="small")
    bar.outline.set_visible(False)
    return ax


def _scatter(
    ax: Axes,
    points: _Points,
    value_n: NDArray[np.object_],
    shown: Mapping[str, tuple[str, str]],
    *,
    order: Sequence[str],
    most: int,
) -> None:
    """Colour cells by values, each of which has a name and a colour, the commonest below; others lie below them all."""
    value_p = value_n[points.cell_p]
    fit = legend_room(ax, [name for name, _ in shown.values()], most=most)
    named = dict(shown)
    if len(shown) > fit:
        # unknown is the last, and has a colour that says so
        last = [value for value in shown if value == keys.UNKNOWN]
        kept = [value for value in shown if value != keys.UNKNOWN][: fit - 1 - len(last)] + last
        named = {value: shown[value] for value in kept}
    parts = [(value_p == value, name, shade) for value, (name, shade) in named.items()]
    others_p = np.isin(value_p, [value for value in shown if value not in named])
    missing_p = ~np.isin(value_p, list(shown))
    rest = [(others_p, f"{len(shown) - len(named)} others", PALE), (missing_p, NO_VALUE, PALE)]
    rest = [part for part in rest if part[0].any()]
    for own_p, name, shade in rest + parts:
        x, y = points.place_p2[own_p].T
        drawn = ax.scatter(x, y, s=points.size(ax), color=shade, label=name, linewidths=0)
        drawn.set_rasterized(True)  # thousands of points make vector files slow
    names = [named[value][0] for value in order if value in named]
    legend = legend_beside(ax, order=names + [name for _, name, _ in rest])
    for handle in legend.legend_handles:
        handle.set_sizes([24 * scale() ** 2])  # type: ignore[union-attr]
