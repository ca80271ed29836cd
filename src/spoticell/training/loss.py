"""What the network is taught: the label's node, through the ontology.

Axes: ``n`` cells, ``c`` labels, ``m`` nodes.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from spoticell.biology.ontology import load_ontology, reach_matrix

FLOOR = 1e-6
"""Smallest probability whose logarithm is taken."""


def reach_of(labels: Sequence[str]) -> tuple[tuple[str, ...], Tensor]:
    """Give the nodes of some labels, and for each label and node 1 where the label lies at or below it, ``(c, m)``."""
    nodes, reach_cm = reach_matrix(labels, load_ontology())
    return nodes, torch.from_numpy(reach_cm.astype(np.float32))


def taught_of(reach_cm: Tensor, subtypes: float) -> Tensor:
    """Give how much the weight of each label speaks for a cell of each node, ``(c, m)``.

    A cell that is labelled with a type may be of any of its subtypes; yet nobody has said so, and it is most often of
    none that the model knows.  A subtype's weight therefore counts less than the type's own.

    Parameters
    ----------
    reach_cm
        From `reach_of`.
    subtypes
        What a subtype's weight counts, against 1 for the type's own.

    Examples
    --------
    >>> reach_cm = torch.tensor([[1.0, 1.0, 0.0], [1.0, 1.0, 1.0]])
    >>> taught_of(reach_cm, 0.4).tolist()
    [[0.4000000059604645, 1.0, 0.0], [0.4000000059604645, 0.4000000059604645, 1.0]]
    """
    return torch.where(own_of(reach_cm), 1.0, reach_cm * subtypes)


def own_of(reach_cm: Tensor) -> Tensor:
    """Say which node is each label's own, ``(c, m)``: nodes stand after those above them, so it is the last."""
    place_m = torch.arange(reach_cm.shape[1], device=reach_cm.device)
    return (reach_cm * place_m).argmax(1)[:, None] == place_m


def node_probabilities(logits_nc: Tensor, reach_cm: Tensor) -> Tensor:
    """Give the probability of every node: the sum over the labels at or below it.

    A parent is thus never less probable than its child.

    Examples
    --------
    >>> reach_cm = torch.tensor([[1.0, 1.0, 0.0], [1.0, 0.0, 1.0]])
    >>> node_probabilities(torch.zeros(1, 2), reach_cm).tolist()
    [[1.0, 0.5, 0.5]]
    """
    return torch.softmax(logits_nc, dim=1) @ reach_cm


def hierarchical_loss(logits_nc: Tensor, node_n: Tensor, reach_cm: Tensor) -> Tensor:
    """Give each cell's cross-entropy of its label's node, ``(n,)``.

    A cell labelled coarsely teaches that the truth is somewhere below its label and nothing more.
    Source of the idea: Nature Computational Science 2026, doi:10.1038/s43588-025-00945-z.

    Examples
    --------
    >>> reach_cm = torch.tensor([[1.0, 1.0, 0.0], [1.0, 0.0, 1.0]])
    >>> hierarchical_loss(torch.zeros(2, 2), torch.tensor([0, 1]), reach_cm).round(decimals=3).tolist()
    [-0.0, 0.6930000185966492]
    """
    probabilities_nm = node_probabilities(logits_nc, reach_cm)
    label_n = probabilities_nm.gather(1, node_n[:, None])[:, 0]
    return -torch.log(label_n.clamp(FLOOR, 1.0))


def flat_loss(logits_nc: Tensor, node_n: Tensor, reach_cm: Tensor) -> Tensor:
    """Give each cell's cross-entropy of its label, ``(n,)``, as if no label lay below another.

    Examples
    --------
    >>> reach_cm = torch.tensor([[1.0, 1.0, 0.0], [1.0, 0.0, 1.0]])
    >>> flat_loss(torch.zeros(2, 2), torch.tensor([1, 2]), reach_cm).round(decimals=3).tolist()
    [0.6930000185966492, 0.6930000185966492]
    """
    own_nc = own_of(reach_cm).T[node_n]
    return functional.cross_entropy(logits_nc, own_nc.to(logits_nc.dtype), reduction="none")


def bce_loss(
    logits_nc: Tensor, node_n: Tensor, reach_cm: Tensor, *, above_mm: Tensor, consistency: float = 1.0
) -> Tensor:
    """Give each cell's binary cross-entropy over all nodes, with a penalty, ``(n,)``: the first version's loss.

    The labels' logits are read as independent sigmoids; a node's is the greatest at or below it, so the nodes above
    the label should be 1 and those that are neither above nor below it 0.  Nodes below the label are left alone.

    Parameters
    ----------
    logits_nc
        One logit a label.
    node_n
        The node of each cell's label.
    reach_cm
        One where a label lies at or below a node.
    above_mm
        One where the second node is the first or above it.
    consistency
        Weight of the penalty for siblings that together are more than certain.
    """
    label_nc = torch.sigmoid(logits_nc)
    probability_nm = (label_nc[:, :, None] * reach_cm).amax(1)
    true_nm = above_mm[node_n]
    below_nm = above_mm.T[node_n] * (1 - true_nm)
    each_nm = functional.binary_cross_entropy(probability_nm.clamp(FLOOR, 1 - FLOOR), true_nm, reduction="none")
    excess_n = torch.relu(label_nc.sum(1) - 1)
    return (each_nm * (1 - below_nm)).mean(1) + consistency * excess_n / label_nc.shape[1]
