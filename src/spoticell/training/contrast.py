"""What the fingerprint is taught: cells of a kind lie together, whoever measured them and however few genes.

The label loss alone only asks that types can be told apart.  For matching, the nearest fingerprints must be those of
the same type in other data sets, those of its kin before those of strangers, and a cell seen through a panel must lie
by the whole cell.  Supervised contrast: Khosla et al. 2020, arXiv:2004.11362.  Here a pair isn't like or unlike but
as like as the Cell Ontology says.

Axes: ``n`` cells, ``j`` the cells that they are compared with (the same), ``m`` nodes, ``d`` fingerprint.
"""

from __future__ import annotations

import torch
from torch import Tensor

KIN = 0.15
"""How fast likeness falls with kinship: a pair that shares half of its ancestors counts 1/28 of a pair of one type."""
SAME_DATA_SET = 0.25
"""How much a pair from one data set counts: such cells are alike for the laboratory's reasons too."""


def kinship(above_mm: Tensor) -> Tensor:
    """Give the share of ancestors that two nodes have in common, ``(m, m)``, 1 for a node with itself.

    Parameters
    ----------
    above_mm
        One where the second node is the first or above it.

    Examples
    --------
    >>> kinship(torch.tensor([[1.0, 0.0, 0.0], [1.0, 1.0, 0.0], [1.0, 0.0, 1.0]]))[1].round(decimals=2).tolist()
    [0.5, 1.0, 0.33000001311302185]
    """
    shared_mm = above_mm @ above_mm.T
    size_m = above_mm.sum(1)
    return shared_mm / (size_m[:, None] + size_m - shared_mm)


def likeness(kin_nj: Tensor, cell_n: Tensor, dataset_n: Tensor) -> Tensor:
    """Give how much of each cell's likeness lies on each other cell, ``(n, j)``; rows sum to 1, the diagonal is 0.

    Parameters
    ----------
    kin_nj
        Kinship of the cells' labels, in [0, 1].
    cell_n
        Number of each cell; two views of one cell have the same, and count in full.
    dataset_n
        Number of each cell's data set.
    """
    same_cell = cell_n[:, None] == cell_n
    same_dataset = dataset_n[:, None] == dataset_n
    weight_nj = torch.where(same_dataset & ~same_cell, SAME_DATA_SET, 1.0)
    like_nj = weight_nj * torch.exp((kin_nj - 1) / KIN)
    like_nj = like_nj.masked_fill(torch.eye(len(kin_nj), dtype=torch.bool), 0.0)
    return like_nj / like_nj.sum(1, keepdim=True)


def contrast_loss(fingerprint_nd: Tensor, like_nj: Tensor, *, temperature: float) -> Tensor:
    """Give each cell's cross-entropy between its likeness and its neighbourhood by fingerprints, ``(n,)``.

    Parameters
    ----------
    fingerprint_nd
        Unit vectors.
    like_nj
        As `likeness` gives it.
    temperature
        Softness of the neighbourhoods.

    Examples
    --------
    >>> like_nj = torch.tensor([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.5, 0.5, 0.0]])
    >>> near, far = torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0])
    >>> contrast_loss(torch.stack([near, near, far]), like_nj, temperature=0.1)[0].item() < 0.001
    True
    """
    closeness_nj = fingerprint_nd @ fingerprint_nd.T / temperature
    # a cell is no neighbour of itself; the floor is finite, for minus infinity times zero is not a number
    itself = torch.eye(len(closeness_nj), dtype=torch.bool)
    return -(like_nj * torch.log_softmax(closeness_nj.masked_fill(itself, -1e4), dim=1)).sum(1)
