"""A cell as a picture on the gene grid: how brightly each pixel shines, and which genes are worth naming on it.

Plain arrays only.  The pictures are drawn by ``plots`` with matplotlib and by ``page`` as part of a web page.
Axes: ``g`` the bundle's genes, ``o`` other cells, ``h``, ``w`` rows and columns of the grid.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from spoticell.biology.palette import oklch

NO_GENE, UNMEASURED, UNSEEN, SEEN = range(4)
"""Levels of a pixel: no gene lives there; its gene wasn't measured; was measured but not seen; was seen, and above."""

SHADES = 48
"""Levels of a gene that was seen."""

LEVELS = SEEN + SHADES

DAZZLING = 99
"""Percentile of a cell's seen genes from which on a pixel is white, so that one gene doesn't put out all others."""

Counts = NDArray[np.float32]


def level_picture(
    counts_g: Counts, pixel_g: NDArray[np.intp], *, measured_g: NDArray[np.bool_] | None = None, grid: int = 155
) -> NDArray[np.uint8]:
    """Draw a cell: the brightness of a gene goes with the square root of its counts.

    Parameters
    ----------
    counts_g
        The cell's counts.
    pixel_g
        Place of each gene: row times ``grid`` plus column.
    measured_g
        Which genes were measured; all if not given.
    grid
        Side of the grid in pixels.

    Returns
    -------
    Levels, ``(h, w)``: `NO_GENE`, `UNMEASURED`, `UNSEEN`, or from `SEEN` up to the last of `level_colors`.

    Examples
    --------
    >>> level_picture(np.float32([0, 4, 1]), np.array([0, 1, 2]), grid=2).tolist()
    [[2, 50], [27, 0]]
    """
    counts_g = np.maximum(np.nan_to_num(counts_g), 0)
    seen = counts_g[counts_g > 0]
    white = float(np.percentile(seen, DAZZLING)) if len(seen) else 1.0
    brightness_g = np.sqrt(np.minimum(counts_g / white, 1))
    level_g = np.where(counts_g > 0, SEEN + np.rint(brightness_g * (SHADES - 1)), UNSEEN)
    if measured_g is not None:
        level_g[~measured_g] = UNMEASURED
    picture = np.full(grid * grid, NO_GENE, dtype=np.uint8)
    picture[pixel_g] = level_g
    return picture.reshape(grid, grid)


def level_colors() -> list[str]:
    """Give ``#rrggbb`` of each level: a night sky with stars from deep blue to white."""
    # The faintest star stands out from the sky, or single counts, which most of a cell is, would be lost.
    bright = np.linspace(0, 1, SHADES).tolist()
    stars = [oklch(256 - 70 * b, 0.46 + 0.52 * b, 0.02 + 0.12 * (1 - b**4)) for b in bright]
    return [oklch(262, 0.18, 0.025), oklch(262, 0.165, 0.02), oklch(262, 0.235, 0.04), *stars]


def strongest(strength_g: NDArray[np.floating], k: int) -> NDArray[np.intp]:
    """Give up to ``k`` genes with most counts, most first; none without a count.

    Examples
    --------
    >>> strongest(np.float32([0, 4, 9]), 5).tolist()
    [2, 1]
    """
    order = np.argsort(-strength_g, kind="stable")[:k]
    return order[strength_g[order] > 0]


def most_its_own(counts_g: Counts, others_og: NDArray[np.float32], k: int) -> NDArray[np.intp]:
    """Give up to ``k`` genes that stand out in a cell from other cells, most striking first.

    What counts is how far the square root of a gene's share lies above its mean in the others,
    measured by how much it varies there.  Without other cells these are the cell's strongest genes.

    Examples
    --------
    >>> most_its_own(np.float32([50, 9, 9]), np.float32([[50, 0, 9]]), 1).tolist()
    [1]
    """
    if len(others_og) == 0:
        return strongest(counts_g, k)
    others = _root_share(others_og)
    surplus_g = _root_share(counts_g[None])[0] - others.mean(axis=0)
    # the root of the share of four counts in 1,500: smaller differences are mostly chance
    return strongest(np.where(counts_g > 0, surplus_g / (others.std(axis=0) + 0.05), 0), k)


def _root_share(counts_og: NDArray[np.float32]) -> NDArray[np.float64]:
    counts = np.maximum(counts_og, 0).astype(np.float64)
    share_og: NDArray[np.float64] = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1e-30)
    return np.sqrt(share_og)
