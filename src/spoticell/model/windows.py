"""The windows of a cell's picture, filled with the counts that are there.

A network that looks at the picture of a cell cuts it into windows of some pixels.  Of the 24,025 pixels of a cell some
2,000 have counts, and only these are put on their places here, in the order in which the network reads them.

Axes: ``n`` cells, ``g`` genes, ``w`` windows, ``p`` pixels of a window.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Windows:
    """Where each gene has its pixel.

    Examples
    --------
    >>> windows = Windows(window_g=np.array([1, 0]), pixel_g=np.array([0, 1]), shape=(2, 2))
    >>> windows(sparse.csr_array(np.float32([[3, 5]]))).tolist()
    [[[0.0, 5.0]], [[3.0, 0.0]]]
    """

    window_g: NDArray[np.intp]
    pixel_g: NDArray[np.intp]
    """Place of the pixel in its window."""
    shape: tuple[int, int]
    """Number of windows, and of pixels in each."""

    def __call__(self, scaled_ng: sparse.csr_array) -> Floats:
        """Give the windows of scaled cells, ``(w, n, p)``; pixels without a gene are zero."""
        (n_windows, n_pixels), n_cells = self.shape, scaled_ng.shape[0]
        windows_wnp = np.zeros((n_windows, n_cells, n_pixels), dtype=np.float32)
        place_e = self.window_g.take(scaled_ng.indices) * (n_cells * n_pixels)
        place_e += self.pixel_g.take(scaled_ng.indices)
        place_e += np.repeat(np.arange(n_cells) * n_pixels, np.diff(scaled_ng.indptr))
        windows_wnp.ravel()[place_e] = scaled_ng.data
        return windows_wnp


def windows_of(gene_p: NDArray[np.int64], shape: tuple[int, int], *, n_genes: int) -> Windows | None:
    """Give the windows whose pixels hold these genes; None where not every gene has one pixel.

    Parameters
    ----------
    gene_p
        Gene of each pixel, window after window; ``n_genes`` for an empty one.
    shape
        Number of windows, and of pixels in each.
    n_genes
        Genes of the network.
    """
    place_p = np.flatnonzero(gene_p < n_genes)
    if not np.array_equal(np.sort(gene_p[place_p]), np.arange(n_genes)):
        return None
    place_g = np.empty(n_genes, dtype=np.intp)
    place_g[gene_p[place_p]] = place_p
    return Windows(*np.divmod(place_g, shape[1]), shape)
