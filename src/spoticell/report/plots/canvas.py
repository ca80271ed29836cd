"""What plots are drawn on: axes whose size goes with the text, styles for a paper and for slides."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from textwrap import fill
from typing import Any, Literal

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.legend import Legend
from numpy.typing import ArrayLike

from spoticell.errors import ConfigError

TEXT = 10.0
"""Size of text, in points, for which sizes are given here."""
COLUMN, PAGE = (mm / 25.4 / 0.7 for mm in (89, 178))
"""Widths in inches at that size of text: 89 and 178 mm, one and two columns of a journal, at 7 points."""
SMALL, SMALLEST = 8.3, 4.0
"""Size of small text, in points at that size, and the smallest there is."""
STYLES = {"paper": 7.0, "slide": 14.0}
"""Size of text of each style, in points."""
LINES = {
    "axes.linewidth": 0.8,
    "lines.linewidth": 1.5,
    **{
        f"{axis}tick.major.{what}": value
        for axis in "xy"
        for what, value in (("width", 0.8), ("size", 3.5), ("pad", 3.5))
    },
}
"""Lines and ticks, as matplotlib has them for that size of text."""
FONTS = {"font.family": ["sans-serif"], "font.sans-serif": ["Arial", "Helvetica", "DejaVu Sans"]}
"""Fonts that journals ask for, and the one that matplotlib brings."""
FILES = {"pdf.fonttype": 42, "svg.fonttype": "none", "savefig.dpi": 300}
"""How figures are saved: text as text."""
LINE, LETTER = 0.155, 0.075
"""Height of a line of a legend and width of a letter in inches."""
HANDLE = 0.35
"""Width of what stands before a name in a legend."""
LEGEND_SHARE = 0.5
"""Share of the width that a legend may have."""
PALE = "#dcdcdc"
"""Colour of what is summed up as other types."""


@contextmanager
def style(kind: Literal["paper", "slide"]) -> Iterator[None]:
    """Draw the figures that are made and saved within for a paper or for a slide.

    Plots of one column are then 89 mm wide with text of 7 points for a paper, and 7 inches with 14 points for a slide;
    those of a whole page twice that.  Without a style they are 5 inches wide with 10 points.  Text stays text in PDF
    and SVG files, so that it can be edited.

    Parameters
    ----------
    kind
        What the figures are for.

    Raises
    ------
    ConfigError
        If there is no such style.

    Examples
    --------
    >>> import spoticell
    >>> with spoticell.pl.style("paper"):
    ...     ax = spoticell.pl.composition(["B cell", "T cell"])
    >>> round(25.4 * ax.figure.get_figwidth())
    89
    """
    if kind not in STYLES:
        raise ConfigError(f"there is no style {kind!r}; there are {' and '.join(map(repr, STYLES))}.")
    size = STYLES[kind]
    drawn: dict[Any, Any] = {name: value * size / TEXT for name, value in LINES.items()}
    with plt.rc_context({"font.size": size} | drawn | FONTS | FILES):
        yield


def scale() -> float:
    """Give how large text is, 1 for text of 10 points; all else is drawn in proportion."""
    return float(plt.rcParams["font.size"]) / TEXT


def new_axes(ax: Axes | None, *, width: float = COLUMN, height: float) -> Axes:
    """Give the axes to draw into: those that are there, or new ones of a size in inches at text of 10 points."""
    if ax is not None:
        return ax
    return plt.subplots(figsize=(width * scale(), height * scale()), layout="constrained")[1]


def room(ax: Axes) -> tuple[float, float]:
    """Give the width and height, in inches at text of 10 points, that axes have with their labels and legend.

    Examples
    --------
    >>> figure, axes = plt.subplots(1, 2, figsize=(8, 3), layout="constrained")
    >>> room(axes[0])
    (4.0, 3.0)
    """
    whole, spec = ax.figure, ax.get_subplotspec()
    if spec is None or whole.get_layout_engine() is None:
        box = ax.get_window_extent()
        return box.width / whole.dpi / scale(), box.height / whole.dpi / scale()
    # the axes are still to be laid out: what they have now is not what they will have
    width, height = (float(side) / whole.dpi / scale() for side in (whole.bbox.width, whole.bbox.height))
    for one in {spec.get_topmost_subplotspec(), spec}:
        grid = one.get_gridspec()
        width *= _part(grid.get_width_ratios(), one.colspan)
        height *= _part(grid.get_height_ratios(), one.rowspan)
    return width, height


def _part(ratios: ArrayLike, own: range) -> float:
    sizes = np.asarray(ratios, dtype=np.float64)
    return float(sizes[own.start : own.stop].sum() / sizes.sum())


def text_size(part: float) -> float:
    """Give the size of small text, in points, of which there is room for a part only; never one that nobody can read.

    Examples
    --------
    >>> text_size(1), text_size(0.5), text_size(-1)
    (8.3, 4.15, 4.0)
    """
    return max(SMALL * scale() * min(part, 1.0), SMALLEST)


def legend_room(ax: Axes, names: Sequence[str], *, most: int) -> int:
    """Give how many of these names a legend beside the axes has room for, ``most`` at most and three at least."""
    width, height = room(ax)
    longest = min(max(map(len, names), default=0), _letters(ax))
    columns = max(1, int(LEGEND_SHARE * width / (LETTER * longest + HANDLE)))
    return max(3, min(most, columns * int((height - 0.2) / LINE)))


def _letters(ax: Axes) -> int:
    """Give how long a line of a legend may be."""
    return max(12, int((LEGEND_SHARE * room(ax)[0] - HANDLE) / LETTER))


def bare(ax: Axes, *sides: str) -> None:
    """Leave lines at these sides off, and the ticks that stand on them; all if none is given."""
    for side in sides or ("left", "right", "top", "bottom"):
        ax.spines[side].set_visible(False)
        ax.tick_params(**{side: False})  # type: ignore[arg-type]


def legend_beside(ax: Axes, *, order: Sequence[str] | None = None, title: str = "", columns: int = 1) -> Legend:
    """Write the legend to the right of the axes, where it covers nothing.

    Parameters
    ----------
    ax
        The axes, with things that have labels.
    order
        The labels in their order; that in which they were drawn if not given.
    title
        What stands above it.
    columns
        How many stand side by side at least; more if they don't fit below each other.
    """
    handles, labels = ax.get_legend_handles_labels()
    drawn = dict(zip(labels, handles, strict=True))
    names = list(drawn) if order is None else list(order)
    lines = int((room(ax)[1] - 0.2) / LINE)
    # the space that is left for the legend is only right if axes of a fixed shape end where their space ends
    ax.set_anchor("E")
    return ax.legend(
        [drawn[name] for name in names],
        [fill(name, _letters(ax)) for name in names],
        loc="center left",
        bbox_to_anchor=(1.0, 0.5),
        frameon=False,
        fontsize="small",
        title=title or None,
        title_fontsize="small",
        handlelength=1.0,
        labelspacing=0.35,
        columnspacing=1.0,
        borderaxespad=0.3,
        ncols=max(columns, math.ceil(len(names) / max(lines, 1))),
    )
