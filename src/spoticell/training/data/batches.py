"""Which cells a step sees, in which pairs, and how incomplete they are made.

Axes: ``n`` cells of a batch, ``g`` genes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from spoticell.training.config import TrainConfig
from spoticell.training.data.augment import Mask, distort, draw_panels, thin
from spoticell.training.data.states import switch_on
from spoticell.training.data.supply import Pool

PANELS_A_BATCH = 16
"""Different panels in a batch; drawing one for each cell would cost more time than it gives variety."""
FEWEST_COUNTS = 10
"""A cell that a panel leaves fewer counts is shown complete: it would teach nothing."""

OTHERS = 0.5
"""Share of cells whose partner is another cell, if there is one; the rest are seen twice."""
TRIES = 4
"""Draws for a partner from another data set."""


@dataclass(frozen=True)
class Batch:
    """What one step sees."""

    counts_ng: Tensor
    """Sparse."""
    measured_ng: Tensor
    """Booleans."""
    node_n: Tensor
    """Position of each cell's label among the nodes."""
    cell_n: Tensor
    """Position of each cell among all; two views of one cell have the same."""
    dataset_n: Tensor
    """Position of each cell's data set."""

    def to(self, device: torch.device) -> Batch:
        """Give the batch in a device's memory."""
        return Batch(**{field.name: getattr(self, field.name).to(device) for field in fields(self)})


class Batches:
    """Draws batches of the cells of a pool, with panels and thinning.

    Parameters
    ----------
    pool
        The cells to draw from.
    node_n
        Position of each cell's label among the nodes.
    config
        Batch size, augmentation.
    panels
        Real panels, each ``(g,)``.
    states
        Genes of each state that cells may be put into.
    """

    def __init__(
        self,
        pool: Pool,
        node_n: NDArray[np.intp],
        *,
        config: TrainConfig,
        panels: Sequence[Mask],
        states: Sequence[NDArray[np.intp]] = (),
    ) -> None:
        self.cells, self.rising_n = pool.cells, np.cumsum(pool.chance_n)
        self.node_n = node_n
        self.config = config
        self.panels, self.states = panels, states
        self.by_label = np.argsort(node_n, kind="stable")
        """Cells sorted by label."""
        self.first_m = np.searchsorted(node_n[self.by_label], np.arange(node_n.max(initial=0) + 2))
        """Where each label begins in ``by_label``."""

    def draw(self, rng: np.random.Generator) -> Batch:
        """Draw the next batch."""
        return self.views(self._choose(self.config.batch_size, rng), rng)

    def views(self, chosen: NDArray[np.intp], rng: np.random.Generator) -> Batch:
        """Show some cells through panels and at depths that are drawn anew."""
        size = len(chosen)
        n_panels = min(PANELS_A_BATCH, size)
        group_n = np.arange(size) * n_panels // size
        share = self.config.augment.states
        counts_ng = switch_on(self.cells.counts_ng[chosen], group_n, states=self.states, share=share, rng=rng)
        counts_ng = distort(counts_ng, group_n, config=self.config.augment, rng=rng)
        counts_ng = thin(counts_ng, config=self.config.augment, rng=rng)
        lenders = self._by_chance(n_panels, rng)
        borrowed = self.cells.measured_sg[self.cells.dataset_n[lenders]]
        panels = draw_panels(borrowed, config=self.config.augment, real=self.panels, rng=rng)
        panel_ng = panels[group_n]
        cell_v = np.repeat(np.arange(size), np.diff(counts_ng.indptr))
        # one number for cell and gene: numpy takes by it five times as fast as by the pair
        place_v = cell_v * panel_ng.shape[1] + counts_ng.indices
        left_n = _sums(counts_ng.data * panel_ng.reshape(-1).take(place_v), counts_ng.indptr)
        panel_ng[left_n < FEWEST_COUNTS] = True
        measured_ng = self.cells.measured_sg[self.cells.dataset_n[chosen]] & panel_ng
        kept = np.flatnonzero(measured_ng.reshape(-1).take(place_v) & (counts_ng.data > 0))
        return Batch(
            _sparse_tensor(cell_v.take(kept), counts_ng.indices.take(kept), counts_ng.data.take(kept), panel_ng.shape),
            torch.from_numpy(measured_ng),
            torch.from_numpy(self.node_n[chosen]),
            torch.from_numpy(chosen),
            torch.from_numpy(self.cells.dataset_n[chosen]),
        )

    def _choose(self, size: int, rng: np.random.Generator) -> NDArray[np.intp]:
        """Choose cells by their chances; where fingerprints are contrasted, half of them and a partner for each."""
        if not self.config.contrast:
            return self._by_chance(size, rng)
        first = self._by_chance(size - size // 2, rng)
        # partners stand elsewhere in the batch, so that they see another panel
        return np.concatenate([first, self._partners(first[: size // 2], rng)])

    def _by_chance(self, size: int, rng: np.random.Generator) -> NDArray[np.intp]:
        chosen: NDArray[np.intp] = np.searchsorted(self.rising_n, rng.random(size) * self.rising_n[-1], side="right")
        return chosen

    def _partners(self, chosen: NDArray[np.intp], rng: np.random.Generator) -> NDArray[np.intp]:
        """Give for each cell, one time in two, a cell of the same label from another data set if chance finds one.

        Else it is the cell itself, which will be seen through another panel and at another depth.
        """
        partner_n = chosen.copy()
        open_n = rng.random(len(chosen)) < OTHERS
        start_n, stop_n = self.first_m[self.node_n[chosen]], self.first_m[self.node_n[chosen] + 1]
        for _ in range(TRIES):
            other_n = self.by_label[rng.integers(start_n, stop_n)]
            found_n = open_n & (self.cells.dataset_n[other_n] != self.cells.dataset_n[chosen])
            partner_n[found_n] = other_n[found_n]
            open_n &= ~found_n
        return partner_n


def _sums(value_v: NDArray[np.float32], start_n: NDArray[np.integer]) -> NDArray[np.float64]:
    """Give the sum of each cell's values, which begin at ``start_n``; a cell may have none."""
    total_v = np.concatenate([[0.0], np.cumsum(value_v, dtype=np.float64)])
    return np.asarray(total_v[start_n[1:]] - total_v[start_n[:-1]])


def _sparse_tensor(
    cell_v: NDArray[np.integer], gene_v: NDArray[np.integer], count_v: NDArray[np.float32], shape: tuple[int, ...]
) -> Tensor:
    place = torch.from_numpy(np.stack([cell_v, gene_v]).astype(np.int64, copy=False))
    return torch.sparse_coo_tensor(place, torch.from_numpy(count_v), shape, is_coalesced=True, check_invariants=False)
