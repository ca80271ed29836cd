"""A figure for a paper, of all that is asked of annotated cells first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeAlias

import numpy as np
from anndata import AnnData
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from spoticell import keys
from spoticell.io.meanings import Meanings
from spoticell.model.bundle import DEFAULT
from spoticell.report.plots.answers import Annotated, Level, Model, labels_of, object_of, terms_of
from spoticell.report.plots.canvas import PAGE, scale
from spoticell.report.plots.compositions import composition, sample_composition
from spoticell.report.plots.confusion import confusion
from spoticell.report.plots.dots import TYPES, marker_dots
from spoticell.report.plots.drawn import drawn
from spoticell.report.plots.maps import fingerprint_map

TOP = 3.4
"""Height of the row of map and composition, in inches at text of 10 points."""
ROWS = {"dots": (0.26, 1.3), "confusion": (0.26, 1.8)}
"""Height of a row of a panel, and of what stands above and below its rows."""
MOST = 5.0
"""Height of a panel at most, so that the figure is never longer than a page."""
FEWEST = 7
"""Rows for which a panel has room at least: the keys beside the dots need it."""
LETTERS = "abcd"
SHOWN = {"broad": "broad", "fine": "type"}
"""What the colours of the map show at each level."""
Panel: TypeAlias = Callable[..., Axes]


@drawn
def overview(
    cells: Annotated,
    *,
    by: str | None = None,
    condition: str | None = None,
    label_column: str | None = None,
    meanings: Meanings | None = None,
    level: Level = "broad",
    types: Sequence[str] | None = None,
    basis: str | None = None,
    model: Model = DEFAULT,
    key_added: str = keys.KEY_ADDED,
) -> Figure:
    """Draw a figure as wide as a page: map, types of each sample, marker genes, and answers against labels.

    Within ``spoticell.pl.style("paper")`` it is 178 mm wide.  Without samples the second panel has all cells, and
    without labels there is no fourth panel.

    Parameters
    ----------
    cells
        Annotated cells.
    by, condition
        Columns of samples and of their two conditions; not needed if `annotate` was told them.
    label_column
        The column of labels that answers are compared with.
    meanings
        What labels mean that aren't understood: ``{"my cluster": "B cell"}``, or a csv or tsv file.
    level
        Types of the first two panels: broad ones (``broad``), or the answers as they are (``fine``).
    types
        Types of the marker genes; the commonest broad ones if not given.
    basis
        Places in ``obsm`` to draw the map at, such as ``X_umap``; a map of fingerprints if not given.
    model
        The model that the cells were annotated with.
    key_added
        What the keys in ``cells`` start with.

    Raises
    ------
    SpoticellError
        If the cells aren't annotated with this model, or a column is missing or isn't understood.

    Examples
    --------
    >>> import anndata, importlib.resources, spoticell
    >>> cells = importlib.resources.files("spoticell") / "web" / "demo_cells" / "pbmc68k_reduced.h5ad"
    >>> adata = spoticell.annotate(anndata.read_h5ad(cells)[:100].copy()).adata
    >>> with spoticell.pl.style("paper"):
    ...     figure = spoticell.pl.overview(adata, label_column="bulk_labels")
    >>> f"{25.4 * figure.get_figwidth():.1f} mm"
    '178.0 mm'
    """
    adata = object_of(cells)
    cell_map: Panel = partial(fingerprint_map, adata, color=SHOWN[level], basis=basis, key_added=key_added)
    dots: Panel = partial(marker_dots, adata, types=types, model=model, key_added=key_added)
    below = [(dots, _height("dots", _n_types(adata, types, key_added)))]
    below += _labels(adata, label_column, meanings, key_added)
    return _compose(cell_map, _shares(adata, by, condition, level, key_added), below)


def _shares(adata: AnnData, by: str | None, condition: str | None, level: Level, key: str) -> Panel:
    """Give the panel of samples, or that of all cells if it isn't told from which sample each is."""
    if by is None and not adata.uns.get(keys.RUN.format(key=key), {}).get("samples"):
        return partial(composition, adata, level=level, key_added=key)
    return partial(sample_composition, adata, by=by, condition=condition, level=level, key_added=key)


def _labels(adata: AnnData, label_column: str | None, meanings: Meanings | None, key: str) -> list[tuple[Panel, float]]:
    """Give the panel of labels and its height; none without labels."""
    if label_column is None:
        return []
    panel = partial(confusion, adata, label_column=label_column, meanings=meanings, key_added=key)
    return [(panel, _height("confusion", _n_labels(adata, label_column, meanings)))]


def _compose(left: Panel, right: Panel, below: Sequence[tuple[Panel, float]]) -> Figure:
    """Draw two panels beside each other, and others below with their heights, each with its letter."""
    heights = [TOP, *(height for _, height in below)]
    figure = plt.figure(figsize=(PAGE * scale(), sum(heights) * scale()), layout="constrained")
    rows = np.ravel(figure.subfigures(len(heights), 1, height_ratios=heights, squeeze=False))
    places = [*np.ravel(rows[0].subfigures(1, 2)), *rows[1:]]
    panels = [left, right, *(draw for draw, _ in below)]
    for letter, part, draw in zip(LETTERS, places, panels, strict=False):
        draw(ax=part.subplots())
        part.suptitle(letter, x=0.004, ha="left", weight="bold", fontsize="large")
    return figure


def _height(panel: str, rows: int) -> float:
    each, rest = ROWS[panel]
    return min(each * max(rows, FEWEST) + rest, MOST)


def _n_types(adata: AnnData, types: Sequence[str] | None, key: str) -> int:
    if types is not None:
        return len(types)
    return min(len(set(terms_of(adata, key, level="broad")) - {keys.UNKNOWN}), TYPES)


def _n_labels(adata: AnnData, label_column: str, meanings: Meanings | None) -> int:
    labels = labels_of(adata, label_column, meanings)
    return int(adata.obs[labels.column][labels.term_n != ""].nunique())
