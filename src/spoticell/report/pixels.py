"""Names beside pixels of the gene grid, as matplotlib draws them."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray

from spoticell.report.captions import place_labels


def name_points(ax: Axes, names: list[str], x: NDArray[np.intp], y: NDArray[np.intp], grid: int) -> None:
    """Ring the pixels and write names beside them."""
    outline = [withStroke(linewidth=2.5, foreground="#070a10")]
    points = [(float(column), float(row)) for column, row in zip(x, y, strict=True)]
    ax.scatter(x, y, s=40, facecolors="none", edgecolors="white", linewidths=1)
    for label in place_labels(names, points, side=grid, height=grid / 28, ring=2.2):
        ends = zip(label.point, label.line_end, strict=True)
        ax.plot(*ends, color="white", linewidth=0.8, alpha=0.8)
        ax.text(*label.middle, label.text, color="white", size=8, weight="bold", ha="center", va="center").set(
            path_effects=outline
        )
