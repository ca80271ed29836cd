"""All that a step learns: the labels and the fingerprint, each with its weight.

Axes: ``n`` cells, ``c`` labels, ``m`` nodes.
"""

from __future__ import annotations

import torch
from torch import Tensor

from spoticell.training.config import TrainConfig
from spoticell.training.contrast import contrast_loss, kinship, likeness
from spoticell.training.data.batches import Batch
from spoticell.training.loss import bce_loss, flat_loss, hierarchical_loss, taught_of
from spoticell.training.network import FingerprintNetwork


class Lesson:
    """The loss of a batch, by a config.

    Parameters
    ----------
    config
        Which losses, and their weights.
    reach_cm
        One where a label lies at or below a node.
    above_mm
        One where the second node is the first or above it.
    """

    def __init__(self, config: TrainConfig, reach_cm: Tensor, above_mm: Tensor) -> None:
        self.config, self.reach_cm, self.above_mm = config, reach_cm, above_mm
        self.taught_cm = taught_of(reach_cm, config.subtypes)
        self.kin_mm = kinship(above_mm)

    def __call__(self, network: FingerprintNetwork, batch: Batch, *, member: int = 0) -> Tensor:
        """Give the mean loss of a batch; its gradient reaches every weight of a member of the network."""
        device, half = batch.counts_ng.device.type, self.config.precision == "bfloat16"
        with torch.autocast(device, torch.bfloat16, enabled=half):
            fingerprint_nd, logits_nc = network.members(*network(batch.counts_ng, batch.measured_ng))[member]
        loss_n = self._labels(logits_nc, batch.node_n)
        if self.config.contrast:
            kin_nj = self.kin_mm[batch.node_n][:, batch.node_n]
            like_nj = likeness(kin_nj, batch.cell_n, batch.dataset_n)
            temperature = self.config.contrast_temperature
            loss_n = loss_n + self.config.contrast * contrast_loss(fingerprint_nd, like_nj, temperature=temperature)
        return torch.mean(loss_n)

    def _labels(self, logits_nc: Tensor, node_n: Tensor) -> Tensor:
        if self.config.loss == "hierarchical":
            return hierarchical_loss(logits_nc, node_n, self.taught_cm)
        if self.config.loss == "flat":
            return flat_loss(logits_nc, node_n, self.reach_cm)
        return bce_loss(logits_nc, node_n, self.reach_cm, above_mm=self.above_mm)
