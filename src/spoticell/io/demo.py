"""Real cells that travel with the package, to try things on."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from anndata import AnnData

DEMO = Path(str(files("spoticell"))) / "web" / "demo_cells" / "pbmc68k_reduced.h5ad"
DEMO_WORDS = "700 real blood cells (Zheng 2017, 765 genes, from the scanpy package)"


def demo_cells() -> AnnData:
    """Give 700 real blood cells to try things on: counts in ``X``, labels in ``obs["bulk_labels"]``.

    They are of Zheng 2017 (https://doi.org/10.1038/ncomms14049), with 765 genes kept, as packaged with scanpy 1.11.5
    (BSD-3-Clause).  The labels were given by correlation with sorted cells, and are noisy.

    Returns
    -------
    A new AnnData object at each call.

    Examples
    --------
    >>> demo_cells().shape
    (700, 765)
    """
    from anndata import read_h5ad  # noqa: PLC0415 - slow to load

    return read_h5ad(DEMO)
