"""What becomes of the network's probabilities: which types are possible, the answer, and how far to trust it.

Axes: ``n`` cells, ``m`` ontology nodes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spoticell.annotation.allowed import Allowed
from spoticell.biology.answer_rule import rule_of
from spoticell.biology.ontology import load_ontology
from spoticell.biology.relatives import Relatives
from spoticell.model.bundle import Bundle
from spoticell.model.runtime import Prediction

NEVER = 2.0
"""A threshold that no probability passes."""


@dataclass(frozen=True)
class Decision:
    """Answers for ``n`` cells."""

    answer_n: NDArray[np.intp]
    """Position in the bundle's nodes; -1 is unknown."""
    score_n: NDArray[np.float32]
    """Probability that the answer is right; 0 for unknown."""
    probability_nm: NDArray[np.float32]
    """Calibrated probability of each node; 0 for a cell without counts."""
    doubted_n: NDArray[np.bool_]
    """Which cells are unknown because their answer would have been too doubtful."""
    second_n: NDArray[np.intp]
    """Type that each cell would be if it weren't its answer; -1 for unknown, and where nothing else is likely."""
    second_probability_n: NDArray[np.float32]
    """Probability of that type; 0 where there is none."""


def decide(
    prediction: Prediction,
    counts_n: NDArray[np.floating[Any]],
    bundle: Bundle,
    *,
    threshold: float,
    allowed: Allowed | None = None,
    relatives: Relatives | None = None,
) -> Decision:
    """Answer cells by what the network says of them.

    Parameters
    ----------
    prediction
        What it says.
    counts_n
        Counts of each cell in the bundle's genes; a cell without any is unknown.
    bundle
        Its calibration and trust are used.
    threshold
        Lowest probability at which a term is answered, in [0, 1].
    allowed
        The types that an answer may be; any that the bundle knows if not given.
    relatives
        What gives the weight of types that the sample can't hold to others; none is taken if not given.
    """
    probability_nm = prediction.probabilities_nm
    if allowed is not None and allowed.restrict is not None:
        probability_nm = allowed.restrict(probability_nm)
    softening = bundle.manifest.softening
    if relatives is None:
        probability_nm = bundle.calibrated(probability_nm, counts_n)
    elif softening is not None:
        weight_nc = softening.apply(bundle.label_weights.of(probability_nm), counts_n)
        probability_nm = relatives.summed(weight_nc)
    else:
        # a calibration of single nodes comes last, as they are no sums of labels after it
        probability_nm = bundle.calibrated(relatives(probability_nm), counts_n)
    empty_n = np.asarray(counts_n) == 0
    probability_nm = np.where(empty_n[:, None], np.float32(0), probability_nm)
    rule, trust, known_n = rule_of(bundle.nodes, load_ontology()), bundle.manifest.trust, prediction.familiarity_n
    if trust is None or known_n is None:
        answer_n, score_n = rule.answers(probability_nm, threshold)
    else:
        # of all types, allowed or not: what a user knows of a cell makes it no stranger
        least_n = np.maximum(threshold, trust.least(known_n, counts_n, threshold=threshold))
        if trust.stranger is not None and prediction.n_measured and threshold > 0:
            strange_n = trust.stranger.is_strange(known_n, counts_n, prediction.n_measured)
            least_n = np.where(strange_n, NEVER, least_n)
        answer_n, chance_n = rule.answers(probability_nm, least_n)
        score_n = np.where(answer_n >= 0, trust.scores(chance_n, known_n, counts_n), np.float32(0))
    doubted_n = np.zeros(len(answer_n), dtype=np.bool_)
    unknown_u = np.flatnonzero(answer_n < 0)
    doubted_n[unknown_u] = rule.answers(probability_nm[unknown_u], threshold)[0] >= 0
    return Decision(answer_n, score_n, probability_nm, doubted_n, *rule.second_best(probability_nm, answer_n))
