"""Names beside pixels of the gene grid, as matplotlib draws them."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray

from spoticell.report.captions import place_labels


def name_points(
    ax: Axes,
    names: list[str],
    x: NDArray[np.intp],
    y: NDArray[np.intp],
    grid: int,
    *,
    lines: int = 28,
    scale: float = 1.0,
) -> None:
    """Ring the pixels and write names beside them.

    Parameters
    ----------
    ax
        The grid.
    names, x, y
        What to write, and where its pixels are.
    grid
        Pixels of a side.
    lines
        Lines of text that a side holds.
    scale
        How large text is, 1 for 8 points.
    """
    outline = [withStroke(linewidth=2.5 * scale, foreground="#070a10")]
    points = [(float(column), float(row)) for column, row in zip(x, y, strict=True)]
    ax.scatter(x, y, s=40 * scale**2, facecolors="none", edgecolors="white", linewidths=scale)
    for label in place_labels(names, points, side=grid, height=grid / lines, ring=2.2 * 28 / lines):
        ends = zip(label.point, label.line_end, strict=True)
        ax.plot(*ends, color="white", linewidth=0.8 * scale, alpha=0.8)
        ax.text(*label.middle, label.text, color="white", size=8 * scale, weight="bold", ha="center", va="center").set(
            path_effects=outline
        )
