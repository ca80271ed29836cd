"""Where the genes are on the grid of pictures.

Axis: ``g`` the model's genes.
"""

from __future__ import annotations

from collections import Counter
from typing import Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from numpy.typing import NDArray

from spoticell.biology.gene_families import FAMILIES, family_of
from spoticell.errors import ConfigError
from spoticell.model.bundle import DEFAULT, Bundle, load_bundle
from spoticell.report.picture import NO_GENE, UNSEEN, level_colors
from spoticell.report.plots.answers import Model
from spoticell.report.plots.canvas import COLUMN, bare, legend_beside, new_axes, scale
from spoticell.report.plots.drawn import drawn
from spoticell.report.plots.shades import spread

CHROMOSOMES = (*map(str, range(1, 23)), "X", "Y", "MT")
FEW, LARGE, SMALL = 120, 7.0, 3.5
"""Families of fewer genes have larger points, or nobody would see them."""


@drawn
def layout_map(
    model: Model = DEFAULT, *, color: Literal["family", "chromosome"] = "family", ax: Axes | None = None
) -> Axes:
    """Draw which gene is where on the grid of pictures, coloured by families of genes or by chromosomes.

    Families are told by symbols: ribosomal proteins (RPL, RPS), mitochondrial genes (MT-), HLA, immunoglobulins (IGH,
    IGK, IGL), T-cell receptors (TRA, TRB, TRG, TRD), chemokines (CCL, CXCL), haemoglobins (HB), histones (H1 to H4),
    metallothioneins (MT1 to MT4), keratins (KRT), keratin-associated proteins (KRTAP), collagens (COL), olfactory
    receptors (OR) and zinc fingers (ZNF).

    Parameters
    ----------
    model
        Whose grid.
    color
        What the colours show.
    ax
        Where to draw.

    Raises
    ------
    ConfigError
        If there is no such colour, or the model doesn't say on which chromosomes its genes are.

    Examples
    --------
    >>> [text.get_text() for text in layout_map().get_legend().get_texts()][:3]
    ['ribosomal · 87', 'mitochondrial · 13', 'HLA · 19']
    """
    bundle = model if isinstance(model, Bundle) else load_bundle(model)
    names, name_g = _named(bundle, color)
    grid, shades = bundle.manifest.grid, level_colors()
    lives = np.zeros(grid * grid, dtype=np.uint8)
    lives[bundle.pixel_g] = 1
    ax = new_axes(ax, height=0.72 * COLUMN)
    ax.imshow(lives.reshape(grid, grid), cmap=ListedColormap([shades[NO_GENE], shades[UNSEEN]]))
    _scatter(ax, bundle, names, name_g)
    ax.set(xticks=[], yticks=[], xlim=(-0.5, grid - 0.5), ylim=(grid - 0.5, -0.5))
    bare(ax)
    return ax


def _named(bundle: Bundle, color: str) -> tuple[list[str], NDArray[np.object_]]:
    """Give the names that have genes, in order, and that of each gene."""
    if color == "family":
        names, of_gene = tuple(FAMILIES), [family_of(symbol) for symbol in bundle.vocabulary.symbols]
    elif color == "chromosome":
        names, of_gene = CHROMOSOMES, list(bundle.vocabulary.chromosomes)
    else:
        raise ConfigError(f"the layout can't be coloured by {color!r}; there are 'family' and 'chromosome'.")
    found = [name for name in names if name in set(of_gene)]
    if not found:
        raise ConfigError(f"no gene of the model {bundle.name} has a {color}, so there is nothing to colour.")
    return found, np.array(of_gene, dtype=object)


def _scatter(ax: Axes, bundle: Bundle, names: list[str], name_g: NDArray[np.object_]) -> None:
    """Draw a square for each gene, those of the smallest families on top."""
    genes_of = Counter(name_g.tolist())
    label_of = {name: f"{name} · {genes_of[name]:,}" for name in names}
    for name in sorted(names, key=lambda name: -genes_of[name]):
        y, x = np.divmod(bundle.pixel_g[name_g == name], bundle.manifest.grid)
        size, shade = (LARGE if genes_of[name] < FEW else SMALL) * scale() ** 2, spread()[names.index(name)]
        ax.scatter(x, y, s=size, marker="s", color=shade, linewidths=0, label=label_of[name], antialiased=False)
    legend = legend_beside(ax, order=list(label_of.values()), columns=1 if len(names) <= 16 else 2)
    for handle in legend.legend_handles:
        handle.set_sizes([24 * scale() ** 2])  # type: ignore[union-attr]
