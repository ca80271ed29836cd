"""Where cells are: by what the network makes of them, and by a sketch of their own expression.

Axes: ``n`` cells, ``d`` fingerprint, ``k`` numbers of a sketch.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SKETCH = 1.4
"""How much the sketch counts beside the fingerprint in how far two cells are apart."""
ROWS = 16_384
"""Cells whose distances are worked out at once."""


@dataclass(frozen=True)
class Scale:
    """What makes the fingerprints of a sample comparable with sketches: their middle, and how far from it they are."""

    mean_d: NDArray[np.float32]
    spread: np.float32

    @classmethod
    def of(cls, fingerprint_nd: NDArray[np.float32]) -> Scale:
        """Take middle and spread from some cells."""
        mean_d = fingerprint_nd.mean(axis=0) if len(fingerprint_nd) else np.zeros(fingerprint_nd.shape[1], np.float32)
        parts = (fingerprint_nd[start : start + ROWS] for start in range(0, len(fingerprint_nd), ROWS))
        square_n = [((part_nd - mean_d) ** 2).sum(axis=1) for part_nd in parts]
        spread = np.sqrt(np.concatenate(square_n).mean()) if square_n else 0
        return cls(mean_d, np.float32(spread if spread > 0 else 1))

    def __call__(self, fingerprint_nd: NDArray[np.float32], sketch_nk: NDArray[np.float32]) -> NDArray[np.float32]:
        """Give the places of cells."""
        near = (fingerprint_nd - self.mean_d) / self.spread
        return np.concatenate([near, np.float32(SKETCH) * sketch_nk], axis=1, dtype=np.float32)


class Places:
    """Where some cells of a sample are, worked out for those that are asked for: all take much memory.

    Parameters
    ----------
    fingerprint_nd, sketch_nk
        Of all cells of the sample; fingerprints are zero where there are no counts.
    scale, cells
        Of the sample, and the positions of the cells that are meant; of all cells, and all, if not given.

    Examples
    --------
    >>> places = Places(np.float32([[1, 0], [0, 1], [2, 0]]), np.zeros((3, 1), dtype=np.float32))
    >>> len(places.of(np.array([0, 2]))), places[np.array([0, 2])].shape
    (2, (2, 3))
    """

    def __init__(
        self,
        fingerprint_nd: NDArray[np.float32],
        sketch_nk: NDArray[np.float32],
        scale: Scale | None = None,
        cells: NDArray[np.intp] | None = None,
    ) -> None:
        self._fingerprint_nd, self._sketch_nk = fingerprint_nd, sketch_nk
        self._cells = np.arange(len(fingerprint_nd)) if cells is None else cells
        self._scale = scale or _scale_of(fingerprint_nd)

    def of(self, cells: NDArray[np.intp]) -> Places:
        """Give the places of some of the cells."""
        return Places(self._fingerprint_nd, self._sketch_nk, self._scale, self._cells[cells])

    def __len__(self) -> int:
        return len(self._cells)

    def __getitem__(self, some: NDArray[np.intp]) -> NDArray[np.float32]:
        cells = self._cells[some]
        return self._scale(self._fingerprint_nd[cells], self._sketch_nk[cells])


def _scale_of(fingerprint_nd: NDArray[np.float32]) -> Scale:
    """Give the scale of the cells that have counts."""
    seen_n = fingerprint_nd.any(axis=1)
    return Scale.of(fingerprint_nd if seen_n.all() else fingerprint_nd[seen_n])
