"""How good a network is on cells held out of its training.

Axes: ``n`` cells, ``g`` genes, ``d`` fingerprint, ``c`` labels, ``m`` nodes.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from spoticell.annotation.figures import score
from spoticell.biology.answer_rule import answers
from spoticell.biology.ontology import load_ontology
from spoticell.training.data.labelled import LabelledCells
from spoticell.training.loss import node_probabilities
from spoticell.training.network import FingerprintNetwork

BATCH = 512
TENTH = 10


def split(cells: LabelledCells, held_out: tuple[str, ...], *, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Say which cells are for validation.

    Those of the named data sets; where none is named, a tenth: whole donors in data sets that name at least ten,
    single cells elsewhere.  A type that only cells for validation would have stays in training, or it would never be
    learned; where each donor has types of its own, single cells are taken.
    """
    if held_out:
        chosen_s = np.isin(np.asarray(cells.datasets, dtype=object), held_out)
        return np.asarray(chosen_s[cells.dataset_n])
    chosen_n = _not_lost(cells, _tenth(cells, rng, by_donor=True))
    return chosen_n if chosen_n.any() else _not_lost(cells, _tenth(cells, rng, by_donor=False))


def _tenth(cells: LabelledCells, rng: np.random.Generator, *, by_donor: bool) -> NDArray[np.bool_]:
    chosen_n = np.zeros(len(cells), dtype=np.bool_)
    for dataset in range(len(cells.datasets)):
        rows = np.flatnonzero(cells.dataset_n == dataset)
        donors = np.unique(cells.donor_n[rows].astype(str))
        if by_donor and len(donors) >= TENTH:
            out = rng.choice(donors, size=len(donors) // TENTH, replace=False)
            chosen_n[rows[np.isin(cells.donor_n[rows].astype(str), out)]] = True
        else:
            chosen_n[rng.choice(rows, size=len(rows) // TENTH, replace=False)] = True
    return chosen_n


def _not_lost(cells: LabelledCells, chosen_n: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Take back the cells of types that no other cells have."""
    label_n = cells.label_n.astype(str)
    return np.asarray(chosen_n & np.isin(label_n, label_n[~chosen_n]))


def predict(network: FingerprintNetwork, cells: LabelledCells) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Give the fingerprint, ``(n, d)``, and the logits, ``(n, c)``, of every cell."""
    network.eval()
    device = next(network.parameters()).device
    blocks = []
    with torch.inference_mode():
        for start in range(0, len(cells), BATCH):
            rows = slice(start, start + BATCH)
            measured_ng = torch.from_numpy(cells.measured_sg[cells.dataset_n[rows]].astype(np.float32))
            counts_ng = torch.from_numpy(cells.counts_ng[rows].toarray())
            blocks.append(tuple(part.cpu().numpy() for part in network(counts_ng.to(device), measured_ng.to(device))))
    fingerprint_nd, logits_nc = (np.concatenate(parts) for parts in zip(*blocks, strict=True))
    return fingerprint_nd, logits_nc


def predict_nodes(network: FingerprintNetwork, cells: LabelledCells, reach_cm: torch.Tensor) -> NDArray[np.float32]:
    """Give the probability of every node for every cell, ``(n, m)``."""
    _, logits_nc = predict(network, cells)
    return node_probabilities(torch.from_numpy(logits_nc), reach_cm.cpu()).numpy()


def figures(
    cells: LabelledCells, probabilities_nm: NDArray[np.float32], nodes: tuple[str, ...], *, threshold: float
) -> dict[str, Any]:
    """Score a network's answers by the rules of :func:`spoticell.annotation.figures.score`, but for ``macro_f1``.

    That runs over all types here, however few validation cells they have: a small training has none with many.
    """
    answer_n, score_n = answers(probabilities_nm, nodes, load_ontology(), threshold=threshold)
    terms = [*nodes, "unknown"]
    result = score(cells.label_n.tolist(), [terms[answer] for answer in answer_n], score_n)
    return result | {"macro_f1": float(np.mean([row["f1"] for row in result["per_type"].values()]))}
