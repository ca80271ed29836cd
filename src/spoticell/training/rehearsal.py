"""Fingerprints that a bundle keeps as examples of its labels, so that it can be taught more without forgetting them.

They are views of training cells, through panels and at depths as in training.  No cell can be had back from them.
Axes: ``k`` examples, ``d`` fingerprint, ``c`` labels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save
from torch import Tensor

from spoticell.model.listening import directions
from spoticell.training.config import TrainConfig
from spoticell.training.data.augment import Mask
from spoticell.training.data.batches import Batches
from spoticell.training.data.supply import Supply
from spoticell.training.network import FingerprintNetwork

EXAMPLES = "examples.safetensors"
EACH = 16
"""Most examples of a label."""
POOLS = 8
"""Pools that are looked through for cells of every label."""
BATCH = 256


@dataclass(frozen=True)
class Examples:
    """Some fingerprints of each label."""

    fingerprint_kd: Tensor
    label_k: Tensor
    """Position of each one's label among the labels."""

    def to_bytes(self) -> bytes:
        """Give the contents of the file in a bundle."""
        tensors = {"fingerprint_kd": self.fingerprint_kd.half(), "label_k": self.label_k.to(torch.int32)}
        return bytes(save({name: tensor.contiguous() for name, tensor in tensors.items()}))

    def directions(self, n_labels: int) -> Tensor:
        """Give the direction in which the examples of each label lie, as `listening.directions` does."""
        return torch.from_numpy(directions(self.fingerprint_kd.float().numpy(), self.label_k.numpy(), n_labels))

    def with_more(self, more: Examples) -> Examples:
        """Give these and more, at most `EACH` of a label, these before others."""
        fingerprint_kd = torch.cat([self.fingerprint_kd, more.fingerprint_kd])
        label_k = torch.cat([self.label_k, more.label_k])
        chosen = torch.cat([torch.nonzero(label_k == c)[:EACH, 0] for c in torch.unique(label_k)])
        return Examples(fingerprint_kd[chosen], label_k[chosen])


def make_examples(
    network: FingerprintNetwork,
    supply: Supply,
    labels: Sequence[str],
    config: TrainConfig,
    *,
    panels: Sequence[Mask],
    rng: np.random.Generator,
) -> Examples:
    """Take the fingerprints of some training cells of each label.

    Parameters
    ----------
    network
        The trained network.
    supply
        Its training cells.
    labels
        Its labels, ``c``.
    config
        How cells are made incomplete.
    panels
        Real panels, each ``(g,)``.
    rng
        Source of randomness.
    """
    network.eval()
    place = {label: c for c, label in enumerate(labels)}
    fingerprints, found = [], []
    missing = set(supply.labels)
    for _ in range(POOLS):
        pool = supply.pool(rng, streams=1)
        label_n = np.array([place[label] for label in pool.cells.label_n], dtype=np.intp)
        batches = Batches(pool, label_n, config=config, panels=panels)
        chosen = _some_of_each(label_n, sorted(place[label] for label in missing), rng)
        with torch.inference_mode():
            for start in range(0, len(chosen), BATCH):
                batch = batches.views(chosen[start : start + BATCH], rng)
                fingerprints.append(network(batch.counts_ng, batch.measured_ng)[0])
                found.append(batch.node_n)
        missing -= set(pool.cells.label_n)
        if not missing:
            break
    return Examples(torch.cat(fingerprints), torch.cat(found))


def _some_of_each(label_n: NDArray[np.intp], wanted: Sequence[int], rng: np.random.Generator) -> NDArray[np.intp]:
    """Choose cells of each wanted label, at most `EACH`."""
    chosen = [rng.permutation(np.flatnonzero(label_n == c))[:EACH] for c in wanted]
    return np.concatenate([np.empty(0, dtype=np.intp), *chosen])
