"""The peers that are networks: linear ones and multilayer perceptrons, trained as Spoticell is but for what they lack.

Same optimiser, schedule, batches and number of steps as Spoticell's own training.  Axes: ``n`` cells, ``g`` genes,
``c`` labels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from peer_models import Scaling, scaled
from scipy import sparse
from torch import Tensor, nn
from torch.nn import functional

from spoticell.train.augment import Mask
from spoticell.train.batches import Batches
from spoticell.train.cells import LabelledCells
from spoticell.train.config import AugmentConfig, TrainConfig
from spoticell.train.loss import hierarchical_loss, reach_of
from spoticell.train.schedule import make_optimizer, one_cycle, set_rate
from spoticell.train.supply import Pool

BLOCK = 1024
WIDE = (100, 128)
"""Hidden layers with which a perceptron on all genes has about as many parameters as Spoticell."""
COMPLETE = AugmentConfig(panels=0, thinning=0)
"""Cells as they are."""


@dataclass
class Network:
    """Layers from genes to labels; without hidden ones, logistic regression."""

    hidden: tuple[int, ...] = ()
    hierarchical: bool = True
    """Whether the loss is that of the label's node, through the ontology, or of the label alone."""
    augment: AugmentConfig = COMPLETE
    panels: Sequence[Mask] = ()
    """Real panels for augmentation."""
    scaling: Scaling = "log1p"
    learning_rate: float = 2e-3
    weight_decay: float = 0.01
    class_balance: float = 0.7
    dropout: float = 0.1
    epochs: int = 12
    cells_per_epoch: int = 16384

    def fit(self, cells: LabelledCells, *, seed: int) -> Self:
        """Train on batches drawn as Spoticell's are."""
        torch.manual_seed(seed)
        rng = np.random.default_rng(seed)
        self.labels, label_n = np.unique(cells.label_n.astype(str), return_inverse=True)
        nodes, self.reach_cm = reach_of(self.labels.tolist())
        node_c = np.array([nodes.index(label) for label in self.labels])
        self.layers = self._layers(cells.counts_ng.shape[1])
        batches = self._batches(cells, label_n, node_c[label_n] if self.hierarchical else label_n)
        optimizer = make_optimizer(self.layers, config=batches.config)
        steps = max(self.epochs * self.cells_per_epoch // batches.config.batch_size, 1)
        for step in range(steps):
            set_rate(optimizer, one_cycle(step, total=steps, peak=self.learning_rate))
            batch = batches.draw(rng)
            loss = self._loss(self.layers(self._dense(_sparse(batch.counts_ng))), batch.node_n)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        return self

    def probabilities(self, counts_ng: sparse.csr_array, measured_g: Mask) -> NDArray[np.floating]:
        """Give the softmax over the labels."""
        self.layers.eval()
        with torch.inference_mode():
            logits = [
                self.layers(self._dense(counts_ng[start : start + BLOCK]))
                for start in range(0, counts_ng.shape[0], BLOCK)
            ]
            return torch.softmax(torch.cat(logits), dim=1).numpy()

    def _layers(self, n_genes: int) -> nn.Sequential:
        layers: list[nn.Module] = []
        for first, second in pairwise((n_genes, *self.hidden)):
            layers += [nn.Linear(first, second), nn.BatchNorm1d(second), nn.GELU(), nn.Dropout(self.dropout)]
        return nn.Sequential(*layers, nn.Linear((n_genes, *self.hidden)[-1], len(self.labels)))

    def _batches(self, cells: LabelledCells, label_n: NDArray[np.intp], target_n: NDArray[np.intp]) -> Batches:
        config = TrainConfig(
            contrast=0,
            augment=self.augment,
            learning_rate=self.learning_rate,
            weight_decay=self.weight_decay,
            class_balance=self.class_balance,
        )
        chance_n = np.bincount(label_n)[label_n] ** -config.class_balance
        return Batches(Pool(cells, chance_n / chance_n.sum()), target_n, config=config, panels=self.panels)

    def _loss(self, logits_nc: Tensor, target_n: Tensor) -> Tensor:
        if self.hierarchical:
            return hierarchical_loss(logits_nc, target_n, self.reach_cm).mean()
        return functional.cross_entropy(logits_nc, target_n)

    def _dense(self, counts_ng: sparse.csr_array) -> Tensor:
        return torch.from_numpy(scaled(counts_ng, self.scaling).toarray())


def _sparse(counts_ng: Tensor) -> sparse.csr_array:
    place = tuple(counts_ng.indices().numpy())
    return sparse.csr_array((counts_ng.values().numpy(), place), shape=tuple(counts_ng.shape))
