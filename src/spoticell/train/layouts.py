"""The layout that a training begins with: made once, and kept in its folder.

Axes: ``n`` cells, ``g`` genes, ``k`` cells that are looked at.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spoticell.genes import Vocabulary
from spoticell.io.write import atomic
from spoticell.layout import Pixels, alphabetical_layout, chromosomal_layout, learned_layout, random_layout
from spoticell.train.cells import LabelledCells
from spoticell.train.config import NetworkConfig

LAYOUT = "layout.npy"
LAYOUT_CELLS = 4000
"""Cells that a learned layout looks at."""


def kept_layout(output: Path) -> Pixels | None:
    """Give the layout that a training began with: another number of threads would learn a slightly different one."""
    path = output / LAYOUT
    return np.asarray(np.load(path, allow_pickle=False), dtype=np.intp) if path.exists() else None


def keep_layout(output: Path, pixel_g: Pixels) -> None:
    """Write the layout into the folder of a training."""
    with atomic(output / LAYOUT) as path, path.open("wb") as file:
        np.save(file, pixel_g)


def make_layout(cells: LabelledCells, vocabulary: Vocabulary, config: NetworkConfig, *, random_state: int) -> Pixels:
    """Give the layout that a config asks for; a learned one looks at these cells only."""
    rng = np.random.default_rng(random_state)
    kind = config.layout
    if kind == "alphabetical":
        return alphabetical_layout(vocabulary.symbols)
    if kind == "chromosomal":
        return chromosomal_layout(len(vocabulary))
    if kind == "random":
        return random_layout(len(vocabulary), rng=rng)
    return learned_layout(_centred_expression(cells, rng), random_state=random_state)


def _centred_expression(cells: LabelledCells, rng: np.random.Generator) -> NDArray[np.float32]:
    """Square-root proportions of some cells, each type and data set alike, less the mean of their data set."""
    _, group_n = np.unique(
        np.array([f"{s} {label}" for s, label in zip(cells.dataset_n, cells.label_n, strict=True)]), return_inverse=True
    )
    chance_n = 1.0 / np.bincount(group_n)[group_n]
    size = min(LAYOUT_CELLS, len(cells))
    chosen = np.sort(rng.choice(len(cells), size=size, replace=False, p=chance_n / chance_n.sum()))
    root_kg = np.sqrt(cells.counts_ng[chosen].toarray())
    root_kg /= np.maximum(np.linalg.norm(root_kg, axis=1, keepdims=True), 1e-6)
    for dataset in np.unique(cells.dataset_n[chosen]):
        rows = cells.dataset_n[chosen] == dataset
        root_kg[rows] -= root_kg[rows].mean(axis=0)
    return np.asarray(root_kg, dtype=np.float32)
