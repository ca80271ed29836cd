"""Fitting how far a network's probabilities can be trusted, on data sets that were held out of its training.

Axes: ``n`` cells, ``m`` nodes, ``e`` nodes of cells, each judged.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import logit
from sklearn.linear_model import LogisticRegression

from spoticell.biology.ontology import DOINGS, TOO_GENERAL, answers, load_ontology
from spoticell.errors import TrainingError
from spoticell.model.calibration import CERTAIN, Calibration, Trust, log_depth

MAYBE = 0.1
"""Probability that the deepest of a cell's judged nodes has at least."""


@dataclass(frozen=True)
class Judged:
    """What a network that never met a data set says of its cells, seen in one way, and whether it is right."""

    chance_e: NDArray[np.floating[Any]]
    """Probability of each node that is judged, or chance of each answer."""
    counts_e: NDArray[np.floating[Any]]
    """Counts of its cell in known genes."""
    right_e: NDArray[np.bool_]
    """Whether it is right."""


@dataclass(frozen=True)
class JudgedAnswers(Judged):
    """Answers, one a cell."""

    familiarity_e: NDArray[np.floating[Any]]
    """Of the cell."""


def judge_nodes(
    probabilities_nm: NDArray[np.float32],
    counts_n: NDArray[np.floating[Any]],
    label_n: NDArray[np.object_],
    nodes: tuple[str, ...],
) -> Judged:
    """Judge for each cell the deepest node that is at all probable, and those above it.

    A node is right if the cell is of it: if the label is at or below it.  One below the label is right too, as nothing
    more is known of the cell.  Nodes that are never an answer are left out.

    Examples
    --------
    >>> nodes = ("CL:0000542", "CL:0000084", "CL:0000236")  # lymphocyte, T cell, B cell
    >>> found = judge_nodes(np.float32([[0.9, 0.3, 0.6]]), np.array([500]), np.array(["CL:0000236"], object), nodes)
    >>> found.chance_e.tolist(), found.right_e.tolist()
    ([0.8999999761581421, 0.6000000238418579], [True, True])
    """
    ontology = load_ontology()
    deepest_n, _ = answers(probabilities_nm, nodes, ontology, threshold=MAYBE)
    above_m = [ontology.ancestors(node) for node in nodes]
    usable_m = np.array([node not in TOO_GENERAL | DOINGS for node in nodes])
    of_node_mm = np.array([[node in above for node in nodes] for above in above_m])
    judged_nm = of_node_mm[deepest_n] & usable_m & (deepest_n >= 0)[:, None]
    right_of = {
        label: np.array([node in ontology.ancestors(label) or label in above_m[m] for m, node in enumerate(nodes)])
        for label in set(label_n.tolist())
    }
    right_nm = np.stack([right_of[label] for label in label_n.tolist()])
    cell_e, node_e = np.nonzero(judged_nm)
    return Judged(probabilities_nm[cell_e, node_e], np.asarray(counts_n)[cell_e], right_nm[cell_e, node_e])


def fit_calibration(judged: Sequence[Judged]) -> Calibration:
    """Fit the map from probabilities of nodes to chances of their being right.

    Parameters
    ----------
    judged
        One entry a data set and view; each counts alike, whatever its size.

    Raises
    ------
    TrainingError
        If all are right, or all wrong, or surer ones are no more often right: there is nothing to fit then.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> chance_e = rng.random(4000).astype(np.float32)
    >>> cells = Judged(chance_e, np.full(4000, 1000, dtype=np.float32), rng.random(4000) < chance_e)
    >>> abs(fit_calibration([cells]).slope - 1) < 0.1
    True
    """
    (slope, depth), intercept = _fit(judged, [_log_odds(judged), _depth(judged)])
    if slope <= 0:
        raise TrainingError("surer answers are no more often right on the held-out cells; there is nothing to trust.")
    return Calibration(slope=slope, depth=depth, intercept=intercept)


def fit_trust(judged: Sequence[JudgedAnswers], *, doubt: float, enough: float) -> Trust:
    """Fit the map from chance, depth and familiarity to how often answers are right.

    Parameters
    ----------
    judged
        One entry a data set and view; each counts alike, whatever its size.
    doubt, enough
        As in `Trust`.

    Raises
    ------
    TrainingError
        If all answers are right, or all wrong, or familiar cells are no more often answered rightly.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> familiarity_e, half_e = rng.normal(10, 1, 4000), np.full(4000, 0.5)
    >>> right_e = rng.random(4000) < 1 / (1 + np.exp(10 - familiarity_e))
    >>> cells = JudgedAnswers(half_e, np.full(4000, 1000), right_e, familiarity_e)
    >>> abs(fit_trust([cells], doubt=0.3, enough=200).familiarity - 1) < 0.1
    True
    """
    familiarity_e = np.concatenate([part.familiarity_e for part in judged])
    (chance, depth, familiarity), intercept = _fit(judged, [_log_odds(judged), _depth(judged), familiarity_e])
    if chance < 0:
        # a surer answer mustn't get a lower score
        chance, ((depth, familiarity), intercept) = 0.0, _fit(judged, [_depth(judged), familiarity_e])
    if familiarity < 0:
        raise TrainingError("familiar cells are no more often answered rightly on the held-out cells.")
    return Trust(chance=chance, depth=depth, familiarity=familiarity, intercept=intercept, doubt=doubt, enough=enough)


def _log_odds(judged: Sequence[Judged]) -> NDArray[np.float64]:
    chance_e = np.concatenate([part.chance_e for part in judged]).astype(np.float64)
    return np.asarray(logit(np.clip(chance_e, CERTAIN, 1 - CERTAIN)))


def _depth(judged: Sequence[Judged]) -> NDArray[np.float64]:
    return log_depth(np.concatenate([part.counts_e for part in judged]))


def _fit(judged: Sequence[Judged], inputs: Sequence[NDArray[np.floating[Any]]]) -> tuple[list[float], float]:
    """Give the slopes and the intercept of the log-odds of being right."""
    right_e = np.concatenate([part.right_e for part in judged])
    if len(np.unique(right_e)) < 2:
        raise TrainingError("a calibration needs answers that are right and answers that are wrong on held-out cells.")
    weight_e = np.concatenate([np.full(len(part.right_e), 1 / max(len(part.right_e), 1)) for part in judged])
    model = LogisticRegression(C=1e6, max_iter=1000)  # as good as no penalty: there are few numbers to find
    model.fit(np.stack(inputs, axis=1), right_e, sample_weight=weight_e * len(weight_e) / weight_e.sum())
    return [round(float(value), 4) for value in model.coef_[0]], round(float(model.intercept_[0]), 4)
