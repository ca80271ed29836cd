"""Two labellings of the same cells, and which cells go from where to where.

Axes: ``n`` cells, ``i`` values on the left, ``j`` values on the right.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from anndata import AnnData
from matplotlib.axes import Axes
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.path import Path
from numpy.typing import NDArray
from scipy.optimize import isotonic_regression

from spoticell import keys
from spoticell.biology.columns import named_column
from spoticell.errors import ConfigError
from spoticell.report.plots.answers import Annotated, held_colors, most_first, object_of
from spoticell.report.plots.canvas import LINE, PALE, bare, new_axes, scale
from spoticell.report.plots.drawn import drawn
from spoticell.report.plots.shades import value_colors

OTHERS = "others"
GAP = 0.016
"""Between values above each other, as a part of the height."""
THICK = 0.035
"""Of the bars at the sides, as a part of the width."""
SWEEPS = 3
"""Times that each side is put in order by the other."""
FAINTEST = 0.002
"""Share of all cells from which on a flow is drawn."""


@drawn
def sankey(
    data: Annotated | pd.DataFrame,
    first: str,
    second: str = keys.SHORT_TYPE.format(key=keys.KEY_ADDED),
    *,
    most: int = 12,
    ax: Axes | None = None,
) -> Axes:
    """Draw two labellings of the same cells side by side, and as bands how many cells go from where to where.

    Values are put in an order in which few bands cross.  Cells without a value in one of the columns are left out, and
    so are bands of less than 0.2 % of the cells.

    Parameters
    ----------
    data
        Cells, or the table about them.
    first, second
        Columns: on the left, and on the right; the short names of the answers if not given.
    most
        How many values a side has at most; the rarest are summed up as others.
    ax
        Where to draw.

    Raises
    ------
    ConfigError
        If a column is missing, or no cell has a value in both.

    Examples
    --------
    >>> table = pd.DataFrame({"mine": ["T", "T", "B"], "theirs": ["CD4", "CD8", "B"]})
    >>> ax = sankey(table, "mine", "theirs")
    >>> [text.get_text() for text in ax.texts]
    ['T · 2', 'B · 1', 'mine', 'CD4 · 1', 'CD8 · 1', 'B · 1', 'theirs']
    """
    data = data if isinstance(data, pd.DataFrame) else object_of(data)
    table = pd.DataFrame(data.obs) if isinstance(data, AnnData) else data
    columns = [named_column(table, column, name="the table about the cells") for column in (first, second)]
    there = table[columns].notna().all(axis=1)
    if not there.any():
        raise ConfigError(f"no cell has a value both in {first!r} and in {second!r}, so nothing flows.")
    sides = [_values(table.loc[there, column], most) for column in columns]
    names_i, names_j = (names for names, _ in sides)
    cells_ij = np.zeros((len(names_i), len(names_j)), dtype=np.int64)
    np.add.at(cells_ij, (sides[0][1], sides[1][1]), 1)
    for _ in range(SWEEPS):
        order_j = _settled(cells_ij)
        cells_ij, names_j = cells_ij[:, order_j], [names_j[j] for j in order_j]
        order_i = _settled(cells_ij.T)
        cells_ij, names_i = cells_ij[order_i], [names_i[i] for i in order_i]
    shades = [_shades(data, column, names) for column, names in zip(columns, (names_i, names_j), strict=True)]
    ax = new_axes(ax, height=max(0.28 * max(cells_ij.shape) + 0.4, 2))
    _draw(ax, cells_ij, shades)
    _write(ax, (names_i, names_j), cells_ij, (first, second))
    ax.set(xticks=[], yticks=[], xlim=(0, 1), ylim=(1.0 + GAP, -GAP))
    bare(ax)
    return ax


def _write(ax: Axes, names: tuple[list[str], list[str]], cells_ij: NDArray[np.int64], columns: tuple[str, str]) -> None:
    """Write what the values of both sides are called, with their cells, and the columns above them."""
    line = 0.85 * LINE * scale() / (0.94 * ax.get_window_extent().height / ax.figure.dpi)
    for x, side, own, column, axis in (
        (-0.02, "right", names[0], columns[0], 1),
        (1.02, "left", names[1], columns[1], 0),
    ):
        cells = cells_ij.sum(axis=axis)
        low, high = _stacked(cells)
        for name, y, n in zip(own, _apart((low + high) / 2, cells, line), cells.tolist(), strict=True):
            ax.text(x, y, f"{name} · {n:,}", ha=side, va="center", fontsize="small")
        ax.text(x, -0.02, column, ha=side, va="bottom", fontsize="small", weight="bold")


def _values(values: pd.Series, most: int) -> tuple[list[str], NDArray[np.intp]]:
    """Give the values of a column, commonest first, and the place of each cell's among them."""
    words_n = np.array([str(value) for value in values], dtype=object)
    counted = most_first(words_n)
    kept = [value for value in counted if value != keys.UNKNOWN][:most]
    names = [*kept, *([OTHERS] if len(counted) - (keys.UNKNOWN in counted) > most else [])]
    names += [keys.UNKNOWN] if keys.UNKNOWN in counted else []
    place = {name: at for at, name in enumerate(names)}
    return names, np.array([place.get(word, place.get(OTHERS, 0)) for word in words_n], dtype=np.intp)


def _shades(data: AnnData | pd.DataFrame, column: str, names: Sequence[str]) -> list[str]:
    held = held_colors(data, column) if isinstance(data, AnnData) else {}
    found = value_colors(names, held | {OTHERS: PALE})
    return [found[name] for name in names]


def _settled(cells_ij: NDArray[np.int64]) -> list[int]:
    """Give an order of columns in which few bands cross: each value at the height where its cells come from."""
    low, high = _stacked(cells_ij.sum(axis=1))
    height_j = ((low + high) / 2) @ cells_ij / cells_ij.sum(axis=0)
    return [int(j) for j in np.argsort(height_j, kind="stable")]


def _stacked(cells: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give where each value begins and ends, from 0 at the top to 1."""
    free = 1 - GAP * (len(cells) - 1)
    size = cells / cells.sum() * free
    low = np.concatenate([[0.0], np.cumsum(size + GAP)[:-1]])
    return low, low + size


def _apart(y: NDArray[np.float64], cells: NDArray[np.int64], line: float) -> NDArray[np.float64]:
    """Give heights of names, a line apart or more, near to their values, most so for those of most cells."""
    lines = line * np.arange(len(y))
    placed: NDArray[np.float64] = isotonic_regression(y - lines, weights=cells).x + lines
    return placed


def _draw(ax: Axes, cells_ij: NDArray[np.int64], shades: list[list[str]]) -> None:
    left, right = _stacked(cells_ij.sum(axis=1)), _stacked(cells_ij.sum(axis=0))
    for x, (low, high), own in ((0.0, left, shades[0]), (1 - THICK, right, shades[1])):
        for start, end, shade in zip(low, high, own, strict=True):
            ax.add_patch(Rectangle((x, start), THICK, end - start, color=shade, linewidth=0))
    # both sides have gaps of their own, so a cell may be a little higher on one than on the other
    per_i = (left[1] - left[0]) / np.maximum(cells_ij.sum(axis=1), 1)
    per_j = (right[1] - right[0]) / np.maximum(cells_ij.sum(axis=0), 1)
    from_i, to_j = left[0].copy(), right[0].copy()
    for i, j in np.ndindex(*cells_ij.shape):
        cells = int(cells_ij[i, j])
        start, top = float(from_i[i]), float(to_j[j])
        heights = (start, top, top + cells * float(per_j[j]), start + cells * float(per_i[i]))
        from_i[i], to_j[j] = heights[3], heights[2]
        if cells >= FAINTEST * cells_ij.sum():
            ax.add_patch(_band(heights, shades[0][i]))


def _band(heights: tuple[float, float, float, float], shade: str) -> PathPatch:
    """Give a band from the left, between the first and the last height, to the right, between the two others."""
    start, top, bottom, back = heights
    x, y = THICK, 1 - THICK
    corners = [
        *((x, start), (0.5, start), (0.5, top), (y, top)),
        *((y, bottom), (0.5, bottom), (0.5, back), (x, back)),
        (x, start),
    ]
    codes = [Path.MOVETO, *3 * [Path.CURVE4], Path.LINETO, *3 * [Path.CURVE4], Path.CLOSEPOLY]
    return PathPatch(Path(corners, codes), facecolor=shade, alpha=0.4, linewidth=0)
