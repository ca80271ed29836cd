"""Optimisers and learning rates."""

from __future__ import annotations

import math

import torch
from torch import nn

from spoticell.training.config import TrainConfig

WARM_UP = 0.1
"""Share of a one-cycle training in which the learning rate rises."""
PLATEAU_PATIENCE = 3
"""Epochs without a better validation before the plateau schedule lowers the learning rate tenfold."""


def make_optimizer(network: nn.Module, *, config: TrainConfig) -> torch.optim.Optimizer:
    """Give the config's optimiser; only matrices decay, not biases and scales."""
    matrices = [parameter for parameter in network.parameters() if parameter.ndim > 1]
    vectors = [parameter for parameter in network.parameters() if parameter.ndim <= 1]
    groups = [
        {"params": matrices, "weight_decay": config.weight_decay},
        {"params": vectors, "weight_decay": 0.0},
    ]
    kind = torch.optim.AdamW if config.optimizer == "adamw" else torch.optim.Adam
    return kind(groups, lr=config.learning_rate, fused=True)


def one_cycle(step: int, *, total: int, peak: float) -> float:
    """Give the learning rate of a step: up to ``peak`` in the first tenth, down to nothing along a cosine.

    Source: Smith & Topin 2019, doi:10.1117/12.2520589.

    Examples
    --------
    >>> [round(one_cycle(step, total=100, peak=1.0), 1) for step in (0, 9, 55, 99)]
    [0.1, 1.0, 0.5, 0.0]
    """
    rising = max(int(total * WARM_UP), 1)
    if step < rising:
        return peak * (step + 1) / rising
    return peak * 0.5 * (1 + math.cos(math.pi * (step - rising) / max(total - rising, 1)))


def plateau(scores: list[float], *, peak: float) -> float:
    """Give the learning rate after some epochs: a tenth each time the score hasn't risen for a while.

    Parameters
    ----------
    scores
        Validation of each epoch so far, higher is better.
    peak
        Learning rate at the start.

    Examples
    --------
    >>> round(plateau([0.5, 0.4, 0.4, 0.4, 0.4], peak=1.0), 3)
    0.1
    """
    rate, best, waited = peak, -math.inf, 0
    for score in scores:
        waited = 0 if score > best else waited + 1
        best = max(best, score)
        if waited > PLATEAU_PATIENCE:
            rate, waited = rate / 10, 0
    return rate


def set_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Set the learning rate of every group."""
    for group in optimizer.param_groups:
        group["lr"] = rate
