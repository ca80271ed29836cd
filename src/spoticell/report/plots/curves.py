"""Figures of accuracy against the number of genes."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, NullLocator

from spoticell.biology.columns import named_column
from spoticell.errors import ConfigError
from spoticell.report.plots.canvas import COLUMN, bare, legend_beside, new_axes, scale
from spoticell.report.plots.drawn import drawn
from spoticell.report.plots.shades import spread

GENES = "genes"
MARKS = "os^Dv<>P"
SHOWN = (10, 30, 100, 300, 1000, 3000, 10_000)
"""Numbers of genes that are written below the axis."""


@drawn
def panel_curve(
    table: pd.DataFrame,
    *,
    value: str = "hierarchical_f1",
    by: str | None = "row",
    ax: Axes | None = None,
) -> Axes:
    """Draw how accuracy goes with the number of genes that were measured.

    Where several rows have the same number of genes, such as draws of random panels, the line is their mean, and the
    band reaches from the lowest to the highest.

    Parameters
    ----------
    table
        A row a measurement: the column ``genes``, and the figure.  Take cells with fewer genes, `annotate` them,
        `evaluate` the answers, and write down what you find.
    value
        The column of the figure.
    by
        The column of what is compared, such as the method; one line if None or missing.
    ax
        Where to draw.

    Raises
    ------
    ConfigError
        If a column is missing, or there is nothing to draw.

    Examples
    --------
    >>> table = pd.DataFrame({"genes": [100, 100, 1000], "macro_f1": [0.5, 0.6, 0.8]})
    >>> panel_curve(table, value="macro_f1").lines[0].get_ydata().tolist()
    [0.55, 0.8]
    """
    if not isinstance(table, pd.DataFrame):
        raise ConfigError(f"the table is of the kind {type(table).__name__}; give a DataFrame.")
    columns = [named_column(table, column, name="the table") for column in (GENES, value)]
    used = table.dropna(subset=columns)
    if not len(used):
        raise ConfigError(f"no row of the table has both {GENES!r} and {value!r}, so there is nothing to draw.")
    groups = [("", used)] if by is None or by not in used else list(used.groupby(by, sort=False, observed=True))
    ax = new_axes(ax, height=0.6 * COLUMN)
    for place, (name, rows) in enumerate(groups):
        color, mark = spread()[place % len(spread())], MARKS[place % len(MARKS)]
        found = rows.groupby(GENES)[value].agg(["mean", "min", "max"])
        genes = found.index.to_numpy(dtype=np.float64)
        ax.plot(genes, found["mean"], color=color, marker=mark, markersize=4 * scale(), label=str(name))
        ax.fill_between(genes, found["min"], found["max"], color=color, alpha=0.15, linewidth=0)
    ax.set_xscale("log")
    low, high = used[GENES].min(), used[GENES].max()
    ax.set_xticks([tick for tick in SHOWN if low * 0.9 <= tick <= high * 1.1])
    ax.xaxis.set_major_formatter(FuncFormatter(lambda tick, _: f"{tick:,.0f}"))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.set(xlabel="genes measured", ylabel=value.replace("_f1", " F1").replace("_", " "))
    bare(ax, "top", "right")
    if len(groups) > 1:
        legend_beside(ax)
    return ax
