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
from scipy import sparse
from torch import Tensor, nn
from torch.nn import functional

from benchmarks.peers.methods import Scaling, scaled
from spoticell.training.config import AugmentConfig, TrainConfig
from spoticell.training.data.augment import Mask
from spoticell.training.data.batches import Batches
from spoticell.training.data.labelled import LabelledCells
from spoticell.training.data.supply import Pool
from spoticell.training.loss import hierarchical_loss, reach_of
from spoticell.training.schedule import make_optimizer, one_cycle, set_rate

EQUAL, WIDE = (50, 128), (100, 128)
"""Hidden layers with which a perceptron on all genes has about as many parameters as Spoticell, and twice as many."""
COMPLETE = AugmentConfig(panels=0, thinning=0, gene_noise=0)
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
            logits_nc = self.layers(scaled(_as_scipy(batch.counts_ng), self.scaling))
            loss = self._loss(logits_nc, batch.node_n)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        return self

    def probabilities(self, counts_ng: sparse.csr_array, measured_g: Mask) -> NDArray[np.floating]:
        """Give the softmax over the labels."""
        self.layers.eval()
        with torch.inference_mode():
            return torch.softmax(self.layers(scaled(counts_ng, self.scaling)), dim=1).numpy()

    def _layers(self, n_genes: int) -> nn.Sequential:
        layers: list[nn.Module] = [FromGenes(n_genes, (*self.hidden, len(self.labels))[0])]
        for first, second in pairwise((*self.hidden, len(self.labels))):
            layers += [nn.BatchNorm1d(first), nn.GELU(), nn.Dropout(self.dropout), nn.Linear(first, second)]
        return nn.Sequential(*layers)

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


class FromGenes(nn.Module):
    """A linear layer on sparse cells, which takes a third of the time of a dense one."""

    def __init__(self, n_genes: int, size: int) -> None:
        super().__init__()
        self.genes = nn.EmbeddingBag(n_genes, size, mode="sum")
        nn.init.uniform_(self.genes.weight, -(n_genes**-0.5), n_genes**-0.5)
        self.bias = nn.Parameter(torch.zeros(size))

    def forward(self, values_ng: sparse.csr_matrix) -> Tensor:
        """``(n, g)`` to ``(n, size)``."""
        gene_v, first_n = (torch.from_numpy(array.astype(np.int64)) for array in (values_ng.indices, values_ng.indptr))
        return self.genes(gene_v, first_n[:-1], per_sample_weights=torch.from_numpy(values_ng.data)) + self.bias


def _as_scipy(counts_ng: Tensor) -> sparse.csr_array:
    place = tuple(counts_ng.indices().numpy())
    return sparse.csr_array((counts_ng.values().numpy(), place), shape=tuple(counts_ng.shape))
