"""Which cells a step sees, and how incomplete they are made.

Axes: ``n`` cells of a batch, ``g`` genes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from spoticell.train.augment import Mask, draw_panels, thin
from spoticell.train.cells import LabelledCells
from spoticell.train.config import TrainConfig

PANELS_A_BATCH = 16
"""Different panels in a batch; drawing one for each cell would cost more time than it gives variety."""
FEWEST_DRAWN = 8192
"""Cells drawn in an epoch of a small training: with fewer steps nothing would be learned."""
FEWEST_COUNTS = 10
"""A cell that a panel leaves fewer counts is shown complete: it would teach nothing."""


@dataclass(frozen=True)
class Batch:
    """What one step sees."""

    counts_ng: Tensor
    measured_ng: Tensor
    node_n: Tensor
    """Position of each cell's label among the nodes."""


class Batches:
    """Draws batches of labelled cells, with panels and thinning.

    Parameters
    ----------
    cells
        The cells to draw from.
    node_n
        Position of each cell's label among the nodes.
    config
        Batch size, balance, weights of the data sets, augmentation.
    panels
        Real panels, each ``(g,)``.
    """

    def __init__(
        self, cells: LabelledCells, node_n: NDArray[np.intp], *, config: TrainConfig, panels: Sequence[Mask]
    ) -> None:
        self.cells = cells
        self.node_n = node_n
        self.config = config
        self.panels = panels
        self.chance_n = sampling_chances(cells, node_n, config=config)
        drawn = config.cells_per_epoch or max(len(cells), FEWEST_DRAWN)
        self.steps = max(drawn // config.batch_size, 1)
        """Steps in an epoch."""

    def draw(self, rng: np.random.Generator) -> Batch:
        """Draw the next batch."""
        size = self.config.batch_size
        chosen = rng.choice(len(self.cells), size=size, p=self.chance_n)
        counts_ng = thin(self.cells.counts_ng[chosen], config=self.config.augment, rng=rng).toarray()
        measured_ng = self.cells.measured_sg[self.cells.dataset_n[chosen]]
        n_panels = min(PANELS_A_BATCH, size)
        lenders = rng.choice(len(self.cells), size=n_panels, p=self.chance_n)
        borrowed = self.cells.measured_sg[self.cells.dataset_n[lenders]]
        panels = draw_panels(borrowed, config=self.config.augment, real=self.panels, rng=rng)
        panel_ng = panels[np.arange(size) * n_panels // size]
        poor_n = (counts_ng * panel_ng).sum(1) < FEWEST_COUNTS
        panel_ng[poor_n] = True
        measured_ng = measured_ng & panel_ng
        return Batch(
            torch.from_numpy(counts_ng * measured_ng),
            torch.from_numpy(measured_ng.astype(np.float32)),
            torch.from_numpy(self.node_n[chosen]),
        )


def gene_weights(cells: LabelledCells, *, power: float) -> NDArray[np.float32]:
    """Give the share of labels that some data set measuring the gene has cells of, to a power, ``(g,)``.

    A gene that only the laboratories with few types measured can't tell those types from all others, and what it
    tells is as much about the laboratory.
    """
    labels = np.unique(cells.label_n.astype(str))
    present_cs = np.zeros((len(labels), len(cells.datasets)), dtype=np.bool_)
    present_cs[np.searchsorted(labels, cells.label_n.astype(str)), cells.dataset_n] = True
    measured_cg = present_cs.astype(np.float32) @ cells.measured_sg.astype(np.float32) > 0
    return np.asarray(measured_cg.mean(axis=0) ** power, dtype=np.float32)


def sampling_chances(cells: LabelledCells, node_n: NDArray[np.intp], *, config: TrainConfig) -> NDArray[np.float64]:
    """Give the chance of each cell to be drawn: rare types and favoured data sets more often."""
    weight_s = np.array([config.source_weights.get(name, 1.0) for name in cells.datasets])
    weight_n = weight_s[cells.dataset_n]
    # a type counts as often as its cells would be drawn by their data sets' weights alone
    mass_m = np.bincount(node_n, weights=weight_n)
    chance_n = weight_n * mass_m[node_n] ** -config.class_balance
    return np.asarray(chance_n / chance_n.sum(), dtype=np.float64)
