"""What a peer makes of a whole sample: its probabilities read with those of neighbours, or a vote of groups of cells.

Axes: ``n`` cells, ``c`` labels, ``m`` nodes.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Sequence

import anndata
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.lib.studies import Cells
from benchmarks.peers.methods import log_normalised
from benchmarks.peers.tuning import Rule, soften
from spoticell.annotation.sample_tissue import show_tissues
from spoticell.biology.label_weights import LabelWeights
from spoticell.biology.neighbours import Neighbours
from spoticell.biology.ontology import load_ontology, reach_matrix
from spoticell.biology.relatives import Relatives
from spoticell.biology.sample import MOST_CELLS
from spoticell.biology.together import likeliest, read_together

BLOCK = 1024
"""Cells that are read at once."""

Answer = tuple[Sequence[str], NDArray[np.floating] | None]
"""Each cell's term, and its score where there is one."""


def read_with(weight_nc: NDArray[np.floating], neighbours: Neighbours) -> NDArray[np.float32]:
    """Read the weights of each cell's labels together with those of its neighbours, as Spoticell reads its own.

    Examples
    --------
    >>> from spoticell.biology.neighbours import find_neighbours
    >>> place_nd = np.repeat([0, 50], 20)[:, None] + np.random.default_rng(0).normal(size=(40, 1))
    >>> neighbours = find_neighbours(np.float32(place_nd), np.arange(40, dtype=np.uint64))
    >>> weight_nc = np.tile(np.float32([0.8, 0.2]), (40, 1))
    >>> weight_nc[0] = [0.4, 0.6]
    >>> read_with(weight_nc, neighbours).argmax(axis=1)[0]
    np.int64(0)
    """
    voice_nc, spoken_c = likeliest(weight_nc), np.ones(weight_nc.shape[1], dtype=np.bool_)
    read = []
    for start in range(0, len(weight_nc), BLOCK):
        cells_b = np.arange(start, min(start + BLOCK, len(weight_nc)))
        read.append(read_together(voice_nc, spoken_c, cells_b, *neighbours.of(cells_b))[0])
    return np.concatenate(read)


def neighbours_answer(
    chance_nc: NDArray[np.floating], labels: Sequence[str], rule: Rule, neighbours: Neighbours
) -> Answer:
    """Answer by a peer's rule, each cell read together with its neighbours: its temperature first, then they."""
    read_nc = read_with(soften(chance_nc, rule.temperature), neighbours)
    return Rule(threshold=rule.threshold).answer(read_nc, labels)


def tissue_answer(chance_nc: NDArray[np.floating], labels: Sequence[str], rule: Rule, neighbours: Neighbours) -> Answer:
    """Answer as `neighbours_answer` does, without types of tissues that the sample doesn't show, as Spoticell does."""
    softened_nc = soften(chance_nc, rule.temperature).astype(np.float32)
    nodes, _ = reach_matrix(labels, load_ontology())
    weights = LabelWeights(labels, nodes, load_ontology())
    some_nc = softened_nc[:: -(-len(softened_nc) // MOST_CELLS)]
    shown = show_tissues(some_nc, weights.label_c, nodes, load_ontology())
    relatives = Relatives(weights, nodes, load_ontology(), shown.possible_m)
    probability_nm = relatives.summed(read_with(softened_nc, neighbours))
    if rule.threshold is not None:
        return rule.sure(probability_nm, nodes)
    return Rule().answer(weights.of(probability_nm), labels)


def over_clustering(cells: Cells) -> NDArray[np.str_]:
    """Give each cell its group, by CellTypist's own over-clustering of what the cells measure."""
    from celltypist.classifier import Classifier  # noqa: PLC0415 - takes seconds, and most benchmarks do without

    logging.getLogger("celltypist").setLevel(logging.ERROR)
    values_ng = log_normalised(cells.counts_ng)[:, cells.measured_g]
    adata = anndata.AnnData(values_ng, var=pd.DataFrame(index=np.flatnonzero(cells.measured_g).astype(str)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that scanpy copies views
        return Classifier(adata, model=None).over_cluster().to_numpy().astype(str)


def majority(term_n: Sequence[str], group_n: NDArray[np.str_]) -> list[str]:
    """Give each cell the commonest term of its group, by CellTypist's own majority voting."""
    from celltypist.classifier import AnnotationResult, Classifier  # noqa: PLC0415

    logging.getLogger("celltypist").setLevel(logging.ERROR)
    alone = AnnotationResult(pd.DataFrame({"predicted_labels": list(term_n)}), None, None, None)
    return Classifier.majority_vote(alone, group_n).predicted_labels["majority_voting"].astype(str).tolist()
