"""Keeping what a network knows while it learns more.

The network that is taught is compared with a copy of what it was: on every cell, seen through every panel, both shall
divide the probability among the old labels alike.
Source: Li & Hoiem 2016, learning without forgetting, doi:10.1007/978-3-319-46493-0_37.
Axes: ``n`` cells, ``c`` labels, ``o`` old labels.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from spoticell.train.batches import Batch
from spoticell.train.start import Start


class Recall:
    """What a network knew before.

    Parameters
    ----------
    start
        The model as it was.
    labels
        Labels of the network that is taught, the old ones among them.
    device
        Where that network is.
    """

    def __init__(self, start: Start, labels: Sequence[str], *, device: torch.device) -> None:
        self.network = start.network().to(device).eval()
        place = {label: row for row, label in enumerate(labels)}
        self.column_o = torch.tensor([place[label] for label in start.labels], device=device)

    def __call__(self, batch: Batch, logits_nc: Tensor) -> Tensor:
        """Give how far each cell's answer among the old labels is from what it was, ``(n,)``, 0 for not at all."""
        with torch.no_grad():
            _, before_no = self.network(batch.counts_ng, batch.measured_ng)
        return divergence(before_no, logits_nc[:, self.column_o])


def divergence(before_no: Tensor, after_no: Tensor) -> Tensor:
    """Give the divergence of the softmax over ``after_no`` from that over ``before_no``, ``(n,)``.

    Examples
    --------
    >>> divergence(torch.tensor([[1.0, 2.0]]), torch.tensor([[3.0, 4.0]])).tolist()
    [0.0]
    """
    before = torch.log_softmax(before_no, dim=1)
    after = torch.log_softmax(after_no, dim=1)
    return (before.exp() * (before - after)).sum(1)


def rest_norms(network: nn.Module) -> None:
    """Have batch norms go by what they remember: the few kinds of cells that come now are not like those before."""
    for module in network.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.eval()
