"""Pictures of the genes that speak for answers and against them: as bars, and on the gene grid.

Axis: ``g`` the model's genes.
"""

from __future__ import annotations

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from spoticell.annotation.explanation import Explained, Explanation
from spoticell.biology.palette import oklch
from spoticell.biology.short_names import short_name
from spoticell.report.picture import NO_GENE, UNSEEN, level_colors
from spoticell.report.pixels import name_points

FOR, AGAINST = oklch(70, 0.76, 0.15), oklch(240, 0.68, 0.14)
"""Colours of genes that speak for an answer, and against it."""
BARS = 8
"""Genes for and against an answer that have a bar."""
MOST, ACROSS = 8, 2
"""Answers that are drawn at most, and how many side by side."""
NAMED = 4
"""Genes for an answer that are named on the grid, and twice as many as those against it."""
FAINTEST = 0.01
"""Share of the loudest gene's voice from which on a gene is drawn."""
LARGEST = 120.0
"""Size of the loudest gene's point."""


def reasons(explanation: Explanation, *, n_genes: int = BARS, most: int = MOST) -> Figure:
    """Draw the genes that speak for each answer and against it: as bars, and on the gene grid.

    The more a gene adds to the probability, or takes from it, the larger is its point.

    Parameters
    ----------
    explanation
        What `spoticell.explain` gave.
    n_genes
        Genes for and against an answer that have a bar at most.
    most
        Answers that are drawn at most: the first ones.

    Examples
    --------
    >>> import importlib.resources, spoticell
    >>> cells = importlib.resources.files("spoticell") / "web" / "demo_cells" / "pbmc68k_reduced.h5ad"
    >>> figure = spoticell.pl.reasons(spoticell.explain(cells, cell_type="B cell", tissue="blood"))
    >>> figure.axes[0].get_title(loc="left")
    'B cell · 89 cells'
    """
    shown = explanation.explained[:most]
    across = min(len(shown), ACROSS)
    figure, axes = plt.subplots(
        -(-len(shown) // across),
        2 * across,
        figsize=(8.5 * across, 4 * -(-len(shown) // across)),
        width_ratios=[1, 1.1] * across,
        squeeze=False,
        layout="constrained",
    )
    for one, (left, right) in zip(shown, axes.reshape(-1, 2), strict=False):
        _bars(left, one, explanation, n_genes)
        _grid(right, one, explanation)
    for ax in axes.ravel()[2 * len(shown) :]:
        ax.remove()
    return figure


def _bars(ax: Axes, one: Explained, explanation: Explanation, n_genes: int) -> None:
    ahead, behind = one.genes(n_genes)
    genes = [*ahead, *behind[::-1]]
    values = [float(one.contribution_g[g]) for g in genes]
    ax.barh(range(len(genes)), values, color=[FOR if value > 0 else AGAINST for value in values], height=0.7)
    ax.axvline(0, color="0.6", linewidth=0.8)
    ax.xaxis.set_major_locator(MaxNLocator(4))
    ax.set_yticks(range(len(genes)), [explanation.bundle.vocabulary.symbols[g] for g in genes], fontsize=8)
    ax.invert_yaxis()
    ax.spines[["top", "right", "left"]].set_visible(False)
    ax.tick_params(left=False)
    name = short_name(one.term) if explanation.of == "types" else f"{one.name}: {short_name(one.term)}"
    cells = f" · {one.cells:,} cells" if explanation.of != "cells" else ""
    ax.set_title(f"{name}{cells}", loc="left", fontsize=10)
    ax.set_xlabel(f"added to the probability, which is {one.probability:.2f}", fontsize=8)


def _grid(ax: Axes, one: Explained, explanation: Explanation) -> None:
    bundle, colors = explanation.bundle, level_colors()
    grid = bundle.manifest.grid
    lives = np.zeros(grid * grid, dtype=np.uint8)
    lives[bundle.pixel_g] = 1
    ax.imshow(lives.reshape(grid, grid), cmap=ListedColormap([colors[NO_GENE], colors[UNSEEN]]))
    share_g = np.abs(one.contribution_g) / max(float(np.abs(one.contribution_g).max()), 1e-30)
    # the loudest on top
    heard = [g for g in np.argsort(share_g, kind="stable").tolist() if share_g[g] >= FAINTEST]
    rows, columns = np.divmod(bundle.pixel_g[heard], grid)
    shades = [FOR if one.contribution_g[g] > 0 else AGAINST for g in heard]
    ax.scatter(columns, rows, s=LARGEST * share_g[heard], c=shades, linewidths=0)
    ahead, behind = one.genes(NAMED)
    named = [*ahead, *behind[: NAMED // 2]]
    rows, columns = np.divmod(bundle.pixel_g[named], grid)
    name_points(ax, [bundle.vocabulary.symbols[g] for g in named], columns, rows, grid)
    ax.set(xticks=[], yticks=[], xlim=(-0.5, grid - 0.5), ylim=(grid - 0.5, -0.5))
