"""Fingerprints that an annotated AnnData file holds, so that its network need not run again.

Nothing else of ``obsm`` and ``uns`` is touched.  Axes: ``n`` cells, ``d`` fingerprint.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spoticell.io.formats.h5ad import AnnDataSource
from spoticell.io.source import CellSource
from spoticell.io.storage.matrix import numbers
from spoticell.io.storage.tree import Tree, damaged, reading, text
from spoticell.keys import FINGERPRINT, KEY_ADDED, RUN


class StoredFingerprints:
    """Fingerprints in an open store, read some cells at a time."""

    def __init__(self, array: Any, *, name: str) -> None:  # noqa: ANN401 - HDF5's and zarr's arrays share no type
        self._array, self._name = array, name

    def read(self, start: int, stop: int) -> NDArray[np.float32]:
        """Give the fingerprints of some consecutive cells."""
        with reading(self._name, "fingerprints"):
            values = self._array[start:stop]
        return numbers(values, bad=partial(damaged, self._name, "fingerprints"))


def stored_fingerprints(source: CellSource, *, bundle_sha256: str, size: int) -> StoredFingerprints | None:
    """Find the fingerprints that `annotate` wrote into a file.

    Parameters
    ----------
    source
        The open file.
    bundle_sha256
        Of the bundle that they must be of.
    size
        ``d``.

    Returns
    -------
    None where there are none, or they are of another bundle.
    """
    if not isinstance(source, AnnDataSource):
        return None
    start = FINGERPRINT.format(key="")
    written = [name.removeprefix(start) for name in source.tree.names("obsm") if name.startswith(start)]
    # whatever key_added they were written under
    for key in sorted(written, key=lambda key: (key != KEY_ADDED, key)):
        array = source.tree.array(f"obsm/{FINGERPRINT.format(key=key)}")
        made_by = _word(source.tree, f"uns/{RUN.format(key=key)}/bundle_sha256")
        if array is not None and made_by == bundle_sha256 and tuple(array.shape) == (source.n_cells, size):
            return StoredFingerprints(array, name=source.name)
    return None


def _word(tree: Tree, path: str) -> str:
    node = tree.array(path)
    return "" if node is None or tuple(node.shape) != () else str(text([tree.read(node, path)])[0])
